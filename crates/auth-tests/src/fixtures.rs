//! The recorded answers, and the check that runs a flow through all of them.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use auth_core::{
    CachedTokenSource, Endpoint, ErrorKind, ManualClock, RefreshPolicy, RetryPolicy, TokenExchange,
};
use serde::Deserialize;

use crate::canary::texts;
use crate::socket::{Server, response};

/// One recorded answer, and its expected outcome.
#[derive(Clone, Debug, Deserialize)]
pub struct Fixture {
    /// The body's file name.
    pub file: String,
    /// The provider that sends it; `generic` ones may come from any.
    pub provider: String,
    /// The HTTP status.
    pub status: u16,
    /// The `Content-Type`, if there is one.
    pub content_type: String,
    /// Further headers.
    pub headers: BTreeMap<String, String>,
    /// When it was sent, in Unix seconds; both clocks show this time.
    pub at: u64,
    /// `ok`, or the class of the error.
    pub expect: String,
    /// For `ok`: the token's lifetime in seconds.
    pub lifetime: Option<u64>,
    /// For an error whose advice matters: a part that its text must contain.
    pub says: Option<String>,
}

impl Fixture {
    /// The body, with `secret` in place of `@SECRET@`.
    #[must_use]
    pub fn body(&self, secret: &str) -> Vec<u8> {
        let bytes = std::fs::read(folder().join(&self.file)).unwrap();
        // A file that is not UTF-8 is kept as it is: only text files have the placeholder.
        match std::str::from_utf8(&bytes) {
            Ok(text) if text.contains("@SECRET@") => text.replace("@SECRET@", secret).into_bytes(),
            _ => bytes,
        }
    }

    /// The whole answer as sent on the wire.
    #[must_use]
    pub fn response(&self, secret: &str) -> Vec<u8> {
        let mut headers = vec![("date".to_owned(), httpdate::fmt_http_date(self.sent_at()))];
        if !self.content_type.is_empty() {
            headers.push(("content-type".to_owned(), self.content_type.clone()));
        }
        headers.extend(self.headers.clone());
        response(self.status, &headers, &self.body(secret))
    }

    /// When it was sent.
    #[must_use]
    pub fn sent_at(&self) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(self.at)
    }

    /// The kind of error for its class; `None` for `ok`.
    #[must_use]
    pub fn kind(&self) -> Option<ErrorKind> {
        Some(match self.expect.as_str() {
            "ok" => return None,
            "invalid_credentials" => ErrorKind::Credentials,
            "misconfigured" => ErrorKind::Request,
            "rate_limited" => ErrorKind::RateLimited,
            "unavailable" => ErrorKind::Unavailable,
            "protocol" => ErrorKind::Protocol,
            other => panic!("{}: unknown class {other}", self.file),
        })
    }
}

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("fixtures")
}

/// The fixtures of a provider, and the generic ones.
#[must_use]
pub fn fixtures(provider: &str) -> Vec<Fixture> {
    let index = std::fs::read(folder().join("index.json")).unwrap();
    let all: Vec<Fixture> = serde_json::from_slice(&index).unwrap();
    all.into_iter().filter(|f| f.provider == provider || f.provider == "generic").collect()
}

/// Runs a flow through every fixture of its provider over a real socket: `ok` must give a token
/// with the lifetime in the index, every other class its [`ErrorKind`], and no error may show
/// `secret` or any part of a body that could be a token.
///
/// All differences are reported together.
///
/// # Panics
/// If an outcome differs from the index.
pub async fn check_fixtures<E: TokenExchange>(
    provider: &str,
    secret: &str,
    flow: impl Fn(Endpoint) -> E,
) {
    let fixtures = fixtures(provider);
    assert!(fixtures.len() > 15, "{provider} has {} fixtures", fixtures.len());
    let mut wrong = Vec::new();
    for fixture in &fixtures {
        let server = Server::answering(fixture.response(secret)).await;
        let source = CachedTokenSource::builder(flow(server.endpoint()))
            .clock(ManualClock::at(fixture.sent_at()))
            .refresh_policy(RefreshPolicy::default())
            .retry_policy(RetryPolicy::never())
            .build()
            .unwrap();
        let found = match source.token().await {
            Ok(token) => {
                let ends = token.expires_at().unwrap();
                format!("ok for {} s", ends.duration_since(fixture.sent_at()).unwrap().as_secs())
            }
            Err(error) => {
                let texts = texts(&error);
                for canary in [secret, "CANARY", "eyJ", "made-up-opaque", "\u{1b}"] {
                    assert!(!texts.contains(canary), "{}: shows {canary}: {texts}", fixture.file);
                }
                assert_eq!(error.provider(), Some(provider), "{}", fixture.file);
                let says = fixture.says.as_deref().unwrap_or_default();
                assert!(
                    error.to_string().contains(says),
                    "{}: {error} lacks {says:?}",
                    fixture.file
                );
                format!("{:?}", error.kind())
            }
        };
        let expected = match (fixture.kind(), fixture.lifetime) {
            (None, Some(lifetime)) => format!("ok for {lifetime} s"),
            (Some(kind), _) => format!("{kind:?}"),
            (None, None) => panic!("{}: ok without a lifetime", fixture.file),
        };
        if found != expected {
            wrong.push(format!("{}: expected {expected}, found {found}", fixture.file));
        }
        assert_eq!(server.requests().len(), 1, "{}", fixture.file);
    }
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), fixtures.len(), wrong.join("\n"));
}
