//! The seam between a provider and the engine: what to send, and how to read the answer.
//!
//! A flow is two pure functions. It does no I/O, reads no clock and is not async, so a reader can
//! hold it against the provider's document and a test needs no server. When to ask, how often, and
//! what to keep is the engine's affair ([`CachedTokenSource`](crate::CachedTokenSource)).

use std::fmt;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::time::{Duration, SystemTime};

use http::header::{HeaderMap, HeaderName, HeaderValue};
use secrecy::{ExposeSecret, SecretString};

use crate::endpoint::Endpoint;
use crate::error::Error;
use crate::http::HttpRequest;
use crate::policy::{RefreshPolicy, RetryPolicy};
use crate::response::Response;

/// One provider's documented flow: exchange credentials for a bearer token.
///
/// Pure and cheap: the engine may call [`request`](Self::request) any number of times, one of them
/// when a source is built, to find a missing setting before the first token is needed.
///
/// ```
/// use auth_core::{Endpoint, Error, Expiry, Grant, HttpRequest, Identity, Response};
/// use auth_core::{TokenExchange, TokenRequest};
/// use auth_core::secret::{Scrubber, SecretString, ExposeSecret};
/// use auth_core::wire::{self, Number, Refusal, Text};
///
/// struct Acme { endpoint: Endpoint, secret: SecretString }
///
/// #[derive(serde::Deserialize)]
/// struct Granted { token: SecretString, #[serde(default)] expires_in: Number }
///
/// #[derive(serde::Deserialize, Default)]
/// struct Refused { #[serde(default)] error: Text }
/// impl Refusal for Refused {
///     fn code(&self) -> Option<&str> { self.error.get() }
/// }
///
/// impl TokenExchange for Acme {
///     fn provider(&self) -> &'static str { "acme" }
///     fn identity(&self) -> Identity { Identity::new("acme", &self.endpoint, &[]) }
///     fn request(&self) -> Result<HttpRequest, Error> {
///         TokenRequest::post(&self.endpoint.join("token"))
///             .json(&[("secret", (&self.secret).into())])
///     }
///     fn read(&self, response: &Response) -> Result<Grant, Error> {
///         let known = Scrubber::new([self.secret.expose_secret()]);
///         let granted: Granted = wire::read::<_, Refused>("ACME_SECRET", &known, response)?;
///         Grant::bearer(granted.token, Expiry::after_seconds(granted.expires_in))
///     }
/// }
///
/// // A recorded body tests it; no server is needed.
/// let acme = Acme {
///     endpoint: Endpoint::parse("https://pay.example.com")?,
///     secret: "made-up-secret".into(),
/// };
/// assert_eq!(acme.request()?.body(), r#"{"secret":"made-up-secret"}"#);
/// let grant = acme.read(&Response::recorded(200, r#"{"token":"made-up","expires_in":300}"#))?;
/// assert_eq!(grant.expiry(), Expiry::After(std::time::Duration::from_secs(300)));
/// # Ok::<(), auth_core::Error>(())
/// ```
pub trait TokenExchange: Send + Sync + 'static {
    /// The provider's name, lower case: `digitalpaye`. For errors, logs and metrics.
    fn provider(&self) -> &'static str;

    /// Whose tokens these are, without any secret: two flows with the same identity get tokens
    /// that are as good as each other's.
    fn identity(&self) -> Identity;

    /// The token request, complete: method, URL, headers, body. Never print it: `{:?}` shows the
    /// body, and with it the secret.
    ///
    /// # Errors
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) where a setting is missing.
    fn request(&self) -> Result<HttpRequest, Error>;

    /// Reads an answer, whatever its status.
    ///
    /// # Errors
    /// The kind that [`wire::read`](crate::wire::read) derives from status and body.
    fn read(&self, response: &Response) -> Result<Grant, Error>;

    /// How hard to try, where the caller says nothing else.
    fn retry(&self) -> RetryPolicy {
        RetryPolicy::default()
    }

    /// When to refresh and how long to keep a token, where the caller says nothing else. Its
    /// `max_age` also caps a token whose end is an instant more than 400 days after the answer's
    /// date, whatever the caller says: the clock of such an answer may be years behind.
    fn refresh_policy(&self) -> RefreshPolicy {
        RefreshPolicy::default()
    }
}

/// What a provider granted, as the wire said it.
///
/// ```
/// use std::time::Duration;
/// use auth_core::{Expiry, Grant};
///
/// let grant = Grant::bearer("made-up-token", Expiry::After(Duration::from_secs(300)))?;
/// assert!(Grant::bearer("<html>", Expiry::Unknown).is_err());
/// assert!(!format!("{grant:?}").contains("made-up"));
/// # Ok::<(), auth_core::Error>(())
/// ```
pub struct Grant {
    pub(crate) secret: SecretString,
    pub(crate) token_type: String,
    pub(crate) expiry: Expiry,
    pub(crate) companions: HeaderMap,
    pub(crate) notes: Vec<&'static str>,
}

/// When a token ends, exactly as the wire said it. The engine turns it into a deadline; flows never
/// do.
///
/// ```
/// use std::time::Duration;
/// use auth_core::Expiry;
/// use auth_core::wire::Number;
///
/// let expires_in: Number = serde_json::from_str("300")?;
/// assert_eq!(Expiry::after_seconds(expires_in), Expiry::After(Duration::from_secs(300)));
/// assert_eq!(Expiry::after_seconds(Number::default()), Expiry::Unknown); // no such field
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Expiry {
    /// So long after the request began.
    After(Duration),
    /// At an instant on the provider's clock.
    At(SystemTime),
    /// Not stated, or not readable.
    Unknown,
}

/// The longest token taken: RFC 6749 section 5.1 sets no size, so the cap is generous.
const TOKEN_LIMIT: usize = 16 * 1024;

impl Expiry {
    /// A lifetime in seconds; negative ones end at once, absent ones are [`Unknown`](Self::Unknown).
    #[must_use]
    pub fn after_seconds(seconds: crate::wire::Number) -> Self {
        seconds.get().map_or(Self::Unknown, |s| {
            Self::After(Duration::from_secs(u64::try_from(s).unwrap_or_default()))
        })
    }

    /// An instant in Unix seconds; absent ones are [`Unknown`](Self::Unknown).
    #[must_use]
    pub fn at_unix_seconds(seconds: crate::wire::Number) -> Self {
        seconds.get().and_then(crate::jwt::unix_time).map_or(Self::Unknown, Self::At)
    }
}

impl Grant {
    /// A bearer token (RFC 6750).
    ///
    /// # Errors
    /// [`ErrorKind::Protocol`](crate::ErrorKind::Protocol) where the token is empty, longer than
    /// 16 KiB, or holds a character that no token holds: whatever is not visible ASCII, and the
    /// brackets, quotes, commas, semicolons and back-slashes that a page or a JSON document would
    /// bring along. Wider than the `b64token` of RFC 6750 section 2.1 on purpose: a bar or a colon
    /// in an opaque token is no fault.
    pub fn bearer(token: impl Into<SecretString>, expiry: Expiry) -> Result<Self, Error> {
        Self::with_type("Bearer", token, expiry)
    }

    /// A token with another scheme in front of it.
    ///
    /// # Errors
    /// As for [`bearer`](Self::bearer), and where the scheme is not one word.
    pub fn with_type(
        token_type: &str,
        token: impl Into<SecretString>,
        expiry: Expiry,
    ) -> Result<Self, Error> {
        let secret = token.into();
        let text = secret.expose_secret();
        let fault = if text.is_empty() {
            "no token"
        } else if text.len() > TOKEN_LIMIT {
            "a token of over 16 KiB"
        } else if text.get(..7).is_some_and(|start| start.eq_ignore_ascii_case("bearer ")) {
            "a token with its scheme (Bearer) in front: the provider's answer changed; report it"
        } else if !is_token(text.as_bytes()) {
            "a token with characters that no token holds"
        } else if token_type.is_empty()
            || !token_type.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
        {
            "a token type that is not one word"
        } else {
            return Ok(Self {
                secret,
                token_type: token_type.to_owned(),
                expiry,
                companions: HeaderMap::new(),
                notes: Vec::new(),
            });
        };
        Err(Error::protocol(format!("the answer holds {fault}")))
    }

    /// Adds a header that the API wants beside `Authorization`.
    #[must_use]
    pub fn companion(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.companions.insert(name, value);
        self
    }

    /// Adds a remark that the engine logs as a warning: something odd that did not stop the token.
    #[must_use]
    pub fn note(mut self, remark: &'static str) -> Self {
        self.notes.push(remark);
        self
    }

    /// When the token ends, as the wire said it.
    #[must_use]
    pub fn expiry(&self) -> Expiry {
        self.expiry
    }

    /// The token. Reading it takes [`ExposeSecret`].
    #[must_use]
    pub fn secret(&self) -> &SecretString {
        &self.secret
    }

    /// The scheme in front of the token.
    #[must_use]
    pub fn token_type(&self) -> &str {
        &self.token_type
    }

    /// The remarks made with [`note`](Self::note).
    #[must_use]
    pub fn notes(&self) -> &[&'static str] {
        &self.notes
    }
}

impl fmt::Debug for Grant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Grant")
            .field("token_type", &self.token_type)
            .field("secret", &"[redacted]")
            .field("expiry", &self.expiry)
            .field("notes", &self.notes)
            .finish()
    }
}

/// Visible ASCII but for what a page or a JSON document would bring along.
///
/// Written without a branch in the loop, so that the compiler makes it one of the processor's wide
/// ones: a token has a thousand bytes.
fn is_token(text: &[u8]) -> bool {
    const REFUSED: [u8; 15] = *b"\"'(),;<>[\\]`{}\x7f";
    !text.iter().fold(false, |bad, byte| {
        REFUSED.iter().fold(bad | (*byte < 0x21) | (*byte > 0x7e), |bad, no| bad | (byte == no))
    })
}

/// Whose tokens a flow gets: provider, endpoint, and a fingerprint of what tells accounts apart.
///
/// The engine keeps a token across a change of secret, and drops it when the identity changes, so
/// that a sandbox token is never handed out for production.
///
/// ```
/// use auth_core::{Endpoint, Identity};
///
/// let host = Endpoint::parse("https://pay.example.com")?;
/// assert_ne!(Identity::new("acme", &host, &["live"]), Identity::new("acme", &host, &["test"]));
/// # Ok::<(), auth_core::Error>(())
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Identity {
    provider: &'static str,
    endpoint: Endpoint,
    account: u64,
}

impl Identity {
    /// An identity of a provider, the endpoint that is asked, and the parts that tell accounts
    /// apart (client id, API key, environment, scope). The parts are not kept, only a hash of them
    /// that is good within one process. Leave out what is rotated, the secret above all.
    #[must_use]
    pub fn new(provider: &'static str, endpoint: &Endpoint, parts: &[&str]) -> Self {
        let mut hasher = DefaultHasher::new();
        parts.hash(&mut hasher);
        Self { provider, endpoint: endpoint.clone(), account: hasher.finish() }
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Nothing that names the account: metrics and logs should not.
        f.debug_struct("Identity")
            .field("provider", &self.provider)
            .field("endpoint", &self.endpoint)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_is_in_a_token_or_not() {
        let taken: Vec<u8> = (0..=255).filter(|byte| is_token(&[*byte])).collect();
        let expected =
            "!#$%&*+-./0123456789:=?@ABCDEFGHIJKLMNOPQRSTUVWXYZ^_abcdefghijklmnopqrstuvwxyz|~";
        assert_eq!(std::str::from_utf8(&taken).unwrap(), expected);
        for at in 0..100 {
            let mut text = [b'a'; 100];
            text[at] = b'<';
            assert!(!is_token(&text), "{at}");
        }
    }
}
