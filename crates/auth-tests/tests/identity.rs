//! The identities of the five flows are a contract: stores name their records after them, so a change
//! costs each fleet one more token, and is a line of the changelog.

#![allow(clippy::unwrap_used)] // a helper of tests is not seen as one

use auth_core::{Env, Error, TokenExchange};
use digishare_auth::Digishare;
use digitalpaye_auth::Digitalpaye;
use manis_auth::Manis;
use papaya_auth::Papaya;
use tresorpay_auth::TresorPay;

/// The parts of canonical bytes: each stands after its length, in four bytes.
fn parts(flow: Result<impl TokenExchange, Error>) -> Vec<String> {
    let identity = flow.unwrap().identity();
    let mut rest = identity.canonical().strip_prefix(b"auth-core identity 1").unwrap();
    let mut parts = Vec::new();
    while let Some((length, more)) = rest.split_first_chunk() {
        let (part, more) = more.split_at(u32::from_be_bytes(*length) as usize);
        parts.push(String::from_utf8(part.to_vec()).unwrap());
        rest = more;
    }
    assert!(rest.is_empty());
    parts
}

fn env<const N: usize>(pairs: [(&str, &str); N]) -> Env {
    Env::from_pairs(pairs)
}

#[test]
fn the_identities_of_the_five_flows_are_pinned() {
    let digitalpaye = [("DIGITALPAYE_API_KEY", "made-up-key"), ("DIGITALPAYE_API_SECRET", "s-1")];
    assert_eq!(
        parts(Digitalpaye::read_env(&env(digitalpaye))),
        ["digitalpaye", "https://api.digitalpaye.com", "Production", "made-up-key"]
    );
    let digishare = [("DIGISHARE_CLIENT_ID", "made-up-id"), ("DIGISHARE_CLIENT_SECRET", "s-1")];
    assert_eq!(
        parts(Digishare::read_env(&env(digishare))),
        ["digishare", "https://api.digishare.ma", "", "made-up-id"]
    );
    let tresorpay = [("TRESORPAY_CLIENT_ID", "made-up-id"), ("TRESORPAY_CLIENT_SECRET", "s-1")];
    assert_eq!(
        parts(TresorPay::read_env(&env(tresorpay))),
        [
            "tresorpay",
            "https://auth.finances.ml/realms/tresorpay/protocol/openid-connect/token",
            "tresorpay",
            "made-up-id"
        ]
    );
    let papaya = [
        ("PAPAYA_API_KEY", "made-up-key"),
        ("PAPAYA_CLIENT_SECRET", "s-1"),
        ("PAPAYA_BASE_URL", "https://api.papaya.example.com:443"),
    ];
    assert_eq!(
        parts(Papaya::read_env(&env(papaya))),
        ["papaya", "https://api.papaya.example.com", "made-up-key"]
    );
    let manis = [
        ("MANIS_MERCHANT_ID", "made-up-id"),
        ("MANIS_SECRET", "s-1"),
        ("MANIS_BASE_URL", "https://api.manis.example.com"),
    ];
    assert_eq!(
        parts(Manis::read_env(&env(manis))),
        ["manis", "https://api.manis.example.com/api/v1/auth/token", "", "made-up-id"]
    );
}
