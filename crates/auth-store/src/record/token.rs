//! A token in a record, written and read back.

use std::fmt;
use std::time::Duration;

use auth_core::secret::{WipedBuffer, quoted};
use auth_core::{Expiry, ExposeSecret as _, Generation, Grant, Offered, SecretString, StoredToken};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use http::header::{HeaderName, HeaderValue};
use serde::{Deserialize, Serialize, Serializer};
use zeroize::Zeroizing;

use crate::id::Id;

/// A token as a record holds it.
#[derive(Serialize, Deserialize)]
pub(crate) struct Token {
    pub(crate) generation: Id,
    #[serde(rename = "type")]
    scheme: String,
    #[serde(serialize_with = "exposed", deserialize_with = "quoted")]
    secret: SecretString,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    headers: Vec<Header>,
    /// When it expires.
    pub(crate) ends: u64,
    /// How long it lives in all.
    pub(crate) lifetime: u64,
}

/// A header beside `Authorization`.
#[derive(Serialize, Deserialize)]
struct Header {
    name: String,
    /// In base64: a header may hold any bytes.
    #[serde(serialize_with = "exposed", deserialize_with = "quoted")]
    value: SecretString,
    #[serde(default)]
    is_sensitive: bool,
}

/// How far a clock may have stepped back before a token that it would prolong is not used.
const SLACK: u64 = 60_000;

impl Token {
    /// A token that was offered, which begins to run out now.
    pub(crate) fn of(generation: Id, offered: &Offered<'_>, now: u64) -> Self {
        let left = offered.left().min(offered.lifetime());
        let headers = offered.headers().iter().map(|(name, value)| {
            let bytes = Zeroizing::new(STANDARD_NO_PAD.encode(value.as_bytes()));
            Header {
                name: name.as_str().to_owned(),
                value: bytes.as_str().into(),
                is_sensitive: value.is_sensitive(),
            }
        });
        Self {
            generation,
            scheme: offered.token_type().to_owned(),
            secret: offered.secret().into(),
            headers: headers.collect(),
            ends: now.saturating_add(millis(left)),
            lifetime: millis(offered.lifetime()),
        }
    }

    /// How long it has to live: never longer than it lives in all, whatever the clock says.
    pub(crate) fn left(&self, now: u64) -> Option<u64> {
        let left = self.ends.checked_sub(now).filter(|left| *left > 0)?;
        let is_credible = left <= self.lifetime.saturating_add(SLACK);
        Some(left.min(self.lifetime)).filter(|left| is_credible && *left > 0)
    }

    /// Reads it back, checked as if it came from a provider. `None` if this version would not take
    /// it from one.
    pub(crate) fn stored(&self, left: u64) -> Option<StoredToken> {
        let left = Duration::from_millis(left);
        let mut grant = Grant::new(&self.scheme, self.secret.clone(), Expiry::After(left)).ok()?;
        for header in &self.headers {
            let (name, value) = header.read()?;
            grant = grant.header(name, value);
        }
        let lifetime = Duration::from_millis(self.lifetime);
        Some(StoredToken::new(Generation::from(self.generation), grant, left, lifetime))
    }
}

impl Header {
    fn read(&self) -> Option<(HeaderName, HeaderValue)> {
        let name = HeaderName::from_bytes(self.name.as_bytes()).ok()?;
        let bytes = Zeroizing::new(STANDARD_NO_PAD.decode(self.value.expose_secret()).ok()?);
        let mut buffer = WipedBuffer::with_capacity(bytes.len());
        buffer.extend_from_slice(&bytes);
        let mut value = buffer.into_header().ok()?;
        value.set_sensitive(self.is_sensitive);
        Some((name, value))
    }
}

/// A span in milliseconds, rounded down: a token seems shorter, never longer.
pub(crate) fn millis(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}

fn exposed<S: Serializer>(secret: &SecretString, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(secret.expose_secret())
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Token")
            .field("generation", &self.generation)
            .field("ends", &self.ends)
            .field("lifetime", &self.lifetime)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_come_back_byte_for_byte_and_as_sensitive_as_they_were() {
        let mut sensitive = HeaderValue::from_static("CANARY");
        sensitive.set_sensitive(true);
        let headers = [
            (HeaderName::from_static("x-environment"), HeaderValue::from_static("live")),
            (HeaderName::from_static("x-key"), sensitive),
            (HeaderName::from_static("x-bytes"), HeaderValue::from_bytes(b"a\xe9\tb").unwrap()),
        ];
        let span = Duration::from_secs(300);
        let offered = Offered::new("Bearer", "made-up", &headers, span, span);
        let token = Token::of(Id::new([1; 16]), &offered, 0);
        let text = serde_json::to_vec(&token).unwrap();
        let read: Token = serde_json::from_slice(&text).unwrap();
        let read: Vec<_> = read.headers.iter().map(|header| header.read().unwrap()).collect();
        for ((name, value), (read_name, read_value)) in headers.iter().zip(&read) {
            assert_eq!((name, value), (read_name, read_value));
            assert_eq!(value.is_sensitive(), read_value.is_sensitive(), "{name}");
        }
        assert_eq!(read.len(), headers.len());
    }

    #[test]
    fn a_token_that_no_provider_could_have_granted_is_not_read_back() {
        let span = Duration::from_secs(300);
        let stored = |scheme, secret, headers: &[(HeaderName, HeaderValue)]| {
            let offered = Offered::new(scheme, secret, headers, span, span);
            Token::of(Id::new([1; 16]), &offered, 0).stored(1).is_some()
        };
        assert!(stored("Bearer", "made-up", &[]));
        assert!(!stored("Bearer", "made\r\nup", &[]));
        assert!(!stored("Bearer", "", &[]));
        assert!(!stored("Bearer x", "made-up", &[]));
        let mut token: Token = serde_json::from_str(
            r#"{"generation":"AQEBAQEBAQEBAQEBAQEBAQ","type":"Bearer","secret":"made-up",
                "headers":[{"name":"x-a","value":"YQ"}],"ends":1,"lifetime":1}"#,
        )
        .unwrap();
        assert!(token.stored(1).is_some());
        for (name, value) in [("x a", "YQ"), ("x-a", "!"), ("x-a", "YQ0KYg")] {
            token.headers =
                vec![Header { name: name.into(), value: value.into(), is_sensitive: false }];
            assert!(token.stored(1).is_none(), "{name}: {value}");
        }
    }
}
