//! Environment variables of all five flows.

use auth_core::{Env, Error, ErrorKind, TokenExchange};

use crate::{Draw, assert_one_line};

/// A part of every value, and of no text of ours.
const MARK: &str = "qZ7w";

const NAMES: [&str; 20] = [
    "DIGISHARE_CLIENT_ID",
    "DIGISHARE_CLIENT_SECRET",
    "DIGISHARE_SCOPE",
    "DIGISHARE_BASE_URL",
    "DIGITALPAYE_API_KEY",
    "DIGITALPAYE_API_SECRET",
    "DIGITALPAYE_ENVIRONMENT",
    "DIGITALPAYE_BASE_URL",
    "MANIS_MERCHANT_ID",
    "MANIS_SECRET",
    "MANIS_BASE_URL",
    "MANIS_EXPIRES_AT_UNIT",
    "PAPAYA_API_KEY",
    "PAPAYA_CLIENT_SECRET",
    "PAPAYA_ENVIRONMENT",
    "PAPAYA_BASE_URL",
    "TRESORPAY_CLIENT_ID",
    "TRESORPAY_CLIENT_SECRET",
    "TRESORPAY_SCOPE",
    "TRESORPAY_TOKEN_URL",
];

/// One variable per line: the index of its name, its suffix, and its value.
pub fn settings(input: &[u8]) {
    let here = env!("CARGO_MANIFEST_DIR");
    let pairs = input.split(|byte| *byte == b'\n').map(|line| {
        let mut draw = Draw(line);
        let name = NAMES[usize::from(draw.byte()) % NAMES.len()];
        let ending = draw.byte();
        let value = draw.rest();
        match ending % 8 {
            // The fuzzer must not choose a path to open.
            0 => (format!("{name}_FILE"), format!("/nowhere/{MARK}{value}")),
            1 => (
                format!("{name}_FILE"),
                format!("{here}/{}", ["src", "README.md", "."][value.len() % 3]),
            ),
            2 => (format!("{name}_FILE"), "/dev/null".to_owned()),
            3 => (format!("{name}_INTERNAL"), value),
            4 => (name.to_owned(), format!("{value}{MARK}")),
            _ => (name.to_owned(), value),
        }
    });
    let env = Env::from_pairs(pairs);
    works(&env, digishare_auth::Digishare::read_env(&env));
    works(&env, digitalpaye_auth::Digitalpaye::read_env(&env));
    works(&env, manis_auth::Manis::read_env(&env));
    works(&env, papaya_auth::Papaya::read_env(&env));
    works(&env, tresorpay_auth::TresorPay::read_env(&env));
}

/// Accepted settings make a request. For others the error names the variables, and shows no value.
fn works<F: TokenExchange>(env: &Env, flow: Result<F, Error>) {
    match flow {
        Ok(flow) => {
            let request = flow.request().unwrap_or_else(|error| panic!("taken, and then: {error}"));
            let uri = request.uri();
            let host = uri.host().expect("a host");
            let is_loopback = matches!(host, "localhost" | "[::1]") || host.starts_with("127.");
            assert!(uri.scheme_str() == Some("https") || is_loopback, "{uri}: in plain text");
            assert!(
                !format!("{flow:?}", flow = flow.identity()).contains(MARK),
                "an identity shows it"
            );
        }
        Err(error) => {
            let text = format!("{error} {error:?}");
            assert_eq!(error.kind(), ErrorKind::Config);
            assert!(!text.contains(MARK), "{text}: shows a value");
            assert_one_line(&error.to_string());
            let prefix = error.provider().expect("a provider").to_uppercase();
            let named = NAMES.iter().filter(|name| name.starts_with(&prefix));
            assert!(named.clone().count() > 0, "{prefix}");
            let needed = named.clone().take(2).copied().collect::<Vec<_>>();
            if !env.any_set(&needed) {
                assert!(
                    needed.iter().all(|name| text.contains(name)),
                    "{text}: {needed:?} are missing"
                );
            }
        }
    }
}
