//! The times in a JWT, unverified.
//!
//! The signature is not checked, and only the claims `iat` and `exp` are read. The engine only lets
//! these times *shorten* the stated lifetime, so a forged token can make us ask sooner and nothing
//! else. Do not use them for authorization.

use std::time::{Duration, SystemTime};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use zeroize::Zeroizing;

use crate::clock::unix_time;
use crate::wire::{Number, RequiredObject};

/// The claims `iat` and `exp` of a JWT (RFC 7519 sections 4.1.6 and 4.1.4), unverified and cut to
/// whole seconds. Passport writes them as floats, Keycloak as integers.
///
/// ```
/// // {"alg":"none"} . {"iat":1000,"exp":1600.5} . no signature
/// use auth_core::JwtTimes;
///
/// let times = JwtTimes::peek("eyJhbGciOiJub25lIn0.eyJpYXQiOjEwMDAsImV4cCI6MTYwMC41fQ.");
/// assert_eq!(times.lifetime(), Some(std::time::Duration::from_secs(600)));
/// assert_eq!(JwtTimes::peek("opaque-token").expires_at(), None);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct JwtTimes {
    issued_at: Option<SystemTime>,
    expires_at: Option<SystemTime>,
}

#[derive(Deserialize)]
struct Claims {
    #[serde(default)]
    iat: Number,
    #[serde(default)]
    exp: Number,
}

/// A longer payload is not decoded: tokens are at most 16 KiB.
const PAYLOAD_LIMIT: usize = 16 * 1024;

impl JwtTimes {
    /// Reads the times of a token; both are `None` if it is not a JWT.
    #[must_use]
    pub fn peek(token: &str) -> Self {
        Self::try_peek(token).unwrap_or_default()
    }

    fn try_peek(token: &str) -> Option<Self> {
        let mut parts = token.split('.');
        let (_header, payload, _signature) = (parts.next()?, parts.next()?, parts.next()?);
        if parts.next().is_some() || payload.len() > PAYLOAD_LIMIT {
            return None;
        }
        let payload = payload.trim_end_matches('=');
        // `decode` would leave a partial, unwiped buffer behind if it fails late.
        let mut json = Zeroizing::new(vec![0; base64::decoded_len_estimate(payload.len())]);
        let length = URL_SAFE_NO_PAD.decode_slice(payload, &mut json).ok()?;
        json.truncate(length);
        let claims: RequiredObject<Claims> = serde_json::from_slice(&json).ok()?;
        let claims = claims.get();
        Some(Self {
            issued_at: claims.iat.get().and_then(unix_time),
            expires_at: claims.exp.get().and_then(unix_time),
        })
    }

    /// Returns the `iat` claim.
    #[must_use]
    pub fn issued_at(&self) -> Option<SystemTime> {
        self.issued_at
    }

    /// Returns the `exp` claim.
    #[must_use]
    pub fn expires_at(&self) -> Option<SystemTime> {
        self.expires_at
    }

    /// Returns `exp - iat`, if both are present and `exp` is not before `iat`.
    #[must_use]
    pub fn lifetime(&self) -> Option<Duration> {
        self.expires_at?.duration_since(self.issued_at?).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(payload: &str) -> String {
        format!("eyJhbGciOiJub25lIn0.{}.c2ln", URL_SAFE_NO_PAD.encode(payload))
    }

    #[test]
    fn only_numeric_times_are_read() {
        let at = |seconds| unix_time(seconds);
        for (payload, exp) in [
            (r#"{"exp":1728634803}"#, at(1_728_634_803)),
            (r#"{"exp":1798761600.120312}"#, at(1_798_761_600)),
            (r#"{"exp":"1728634803"}"#, at(1_728_634_803)),
            (r#"{"exp":"tomorrow"}"#, None),
            (r#"{"exp":[1]}"#, None),
            (r#"{"exp":{"a":1}}"#, None),
            (r#"{"exp":true}"#, None),
            (r#"{"exp":null}"#, None),
            (r#"{"iat":5}"#, None),
            (r#"{"exp":-5}"#, at(-5)),
            (r#"{"exp":1e300}"#, None),
            (r#"{"exp":9223372036854775807}"#, None),
            (r#"{"exp":1,"exp":2}"#, None),
            (r"[1,2]", None),
            ("not json", None),
        ] {
            let found = JwtTimes::peek(&token(payload)).expires_at();
            if payload.contains("9223372036854775807") || payload.contains("1e300") {
                continue; // the range of `SystemTime` varies; this only tests that nothing panics
            }
            assert_eq!(found, exp, "{payload}");
        }
    }

    #[test]
    fn a_text_that_is_not_a_jwt_has_no_times() {
        for text in ["", ".", "..", "...", "a.b", "a.!!.c", "eyJhbGciOiJub25lIn0.e30"] {
            assert_eq!(JwtTimes::peek(text), JwtTimes::default(), "{text}");
        }
        let long = format!("a.{}.c", "A".repeat(3_000_000));
        assert_eq!(JwtTimes::peek(&long), JwtTimes::default());
    }

    #[test]
    fn a_payload_of_16_kib_is_read_and_a_longer_one_is_not() {
        for (bytes, characters, exp) in [(12_288, 16_384, unix_time(1600)), (12_289, 16_386, None)]
        {
            let payload = format!(r#"{{"iat":1000,"exp":1600{}}}"#, " ".repeat(bytes - 23));
            let token = token(&payload);
            assert_eq!(token.split('.').nth(1).unwrap().len(), characters);
            let times = JwtTimes::peek(&token);
            assert_eq!(times.expires_at(), exp);
            assert_eq!(times.issued_at(), exp.and_then(|_| unix_time(1000)));
            assert_eq!(times.lifetime(), exp.map(|_| Duration::from_secs(600)));
        }
        let four_parts = format!("{}.x", token(r#"{"exp":1600}"#));
        assert_eq!(JwtTimes::peek(&four_parts), JwtTimes::default());
        assert_eq!(JwtTimes::peek(&token(r#"{"iat":9,"exp":1}"#)).lifetime(), None);
    }
}
