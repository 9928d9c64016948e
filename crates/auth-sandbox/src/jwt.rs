//! Signed tokens: HS256 and RS256, each with a key that is generated per process.
//!
//! The RSA key is generated when it is first needed and never leaves this file. So no private key is
//! published with the crate, and no sandbox token verifies anywhere else.
//!
//! `jsonwebtoken`'s `encode` asks a process-wide provider for its signer, and that provider may be
//! another one, or none, if the embedding program enables a second backend. So this file names one.

use std::sync::OnceLock;

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
use aws_lc_rs::rsa::{KeyPair, KeySize};
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD as BASE64URL;
use jsonwebtoken::crypto::aws_lc::DEFAULT_PROVIDER;
use jsonwebtoken::{Algorithm, EncodingKey};
use serde::Serialize;

use crate::random;

/// Why a token could not be signed; in practice never.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SignError {
    #[error("could not write the token as JSON")]
    Json(#[from] serde_json::Error),
    #[error("could not sign the token")]
    Sign(#[from] jsonwebtoken::errors::Error),
    #[error("could not make an RSA key")]
    Key,
}

/// Signs `claims` under HS256.
pub(crate) fn hs256(header: &impl Serialize, claims: &impl Serialize) -> Result<String, SignError> {
    static KEY: OnceLock<EncodingKey> = OnceLock::new();
    let key = KEY.get_or_init(|| EncodingKey::from_secret(&random::bytes::<32>()));
    sign(Algorithm::HS256, key, header, claims)
}

/// Signs `claims` under RS256.
pub(crate) fn rs256(header: &impl Serialize, claims: &impl Serialize) -> Result<String, SignError> {
    sign(Algorithm::RS256, rsa_key().ok_or(SignError::Key)?, header, claims)
}

/// Generates the RSA key if this process has none yet, so that no request waits for it.
pub(crate) fn warm_up() {
    let _ = rsa_key();
}

/// Header and claims are the caller's own types: members keep their order.
fn sign(
    algorithm: Algorithm,
    key: &EncodingKey,
    header: &impl Serialize,
    claims: &impl Serialize,
) -> Result<String, SignError> {
    let mut token = BASE64URL.encode(serde_json::to_vec(header)?);
    token.push('.');
    BASE64URL.encode_string(serde_json::to_vec(claims)?, &mut token);
    let signer = (DEFAULT_PROVIDER.signer_factory)(&algorithm, key)?;
    let signature = signer.try_sign(token.as_bytes()).map_err(|_| SignError::Key)?;
    token.push('.');
    BASE64URL.encode_string(signature, &mut token);
    Ok(token)
}

fn rsa_key() -> Option<&'static EncodingKey> {
    static KEY: OnceLock<Option<EncodingKey>> = OnceLock::new();
    KEY.get_or_init(|| {
        let pair = KeyPair::generate(KeySize::Rsa2048).ok()?;
        let pkcs8 = AsDer::<Pkcs8V1Der<'_>>::as_der(&pair).ok()?;
        pkcs1(pkcs8.as_ref()).map(EncodingKey::from_rsa_der)
    })
    .as_ref()
}

/// The PKCS #1 key inside a PKCS #8 envelope, which is what the signer takes.
///
/// The envelope of a 2048-bit RSA key has one shape (RFC 5208): a sequence head of four bytes,
/// version 0, the identifier of rsaEncryption, an octet string head of four bytes.
fn pkcs1(pkcs8: &[u8]) -> Option<&[u8]> {
    const ALGORITHM: &[u8] =
        b"\x02\x01\x00\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01\x05\x00";
    let rest = pkcs8.get(4..)?.strip_prefix(ALGORITHM)?;
    rest.strip_prefix(b"\x04\x82")?.get(2..)
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_lc_rs::signature::KeyPair as _;

    #[derive(Serialize)]
    struct Header {
        alg: &'static str,
    }

    #[test]
    fn an_rs256_token_verifies_under_the_public_half_of_the_key() {
        let token =
            rs256(&Header { alg: "RS256" }, &serde_json::json!({"exp": 4_000_000_000u64})).unwrap();
        let pair = KeyPair::from_der(rsa_key().unwrap().as_bytes()).unwrap();
        let public = jsonwebtoken::DecodingKey::from_rsa_der(pair.public_key().as_ref());
        let mut rules = jsonwebtoken::Validation::new(Algorithm::RS256);
        jsonwebtoken::decode::<serde_json::Value>(&token, &public, &rules).unwrap();

        let (signed, signature) = token.rsplit_once('.').unwrap();
        let forged = format!("{signed}x.{signature}");
        rules.validate_exp = false;
        assert!(jsonwebtoken::decode::<serde_json::Value>(&forged, &public, &rules).is_err());
    }

    #[test]
    fn an_hs256_token_has_a_signature_of_32_bytes_over_ordered_json() {
        let token = hs256(&Header { alg: "HS256" }, &serde_json::json!({"iat": 1})).unwrap();
        let parts: Vec<_> = token.split('.').map(|part| BASE64URL.decode(part).unwrap()).collect();
        assert_eq!(parts[0], br#"{"alg":"HS256"}"#);
        assert_eq!(parts[1], br#"{"iat":1}"#);
        assert_eq!(parts[2].len(), 32);
    }
}
