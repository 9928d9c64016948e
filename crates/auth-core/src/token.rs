//! The token that callers hold: a ready `Authorization` header that wipes itself.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use http::header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue};
use secrecy::{ExposeSecret, SecretString};

use crate::error::Error;
use crate::secret::WipedBuffer;

/// A bearer token, with the headers that carry it ready made.
///
/// Cloning costs one reference count. There is no `Display`, no `Serialize` and no `PartialEq`;
/// `Debug` shows the type and the expiry and never the secret. The secret and the header are wiped
/// when the last clone is dropped.
///
/// ```
/// use auth_core::{StaticTokenSource, TokenSource};
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), auth_core::Error> {
/// let token = StaticTokenSource::bearer("made-up-token")?.token().await?;
/// assert_eq!(token.authorization(), "Bearer made-up-token");
/// assert!(!format!("{token:?}").contains("made-up-token"));
///
/// let mut headers = http::HeaderMap::new();
/// token.apply(&mut headers);
/// assert!(headers.contains_key("authorization"));
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct AccessToken(Arc<Inner>);

struct Inner {
    secret: SecretString,
    token_type: String,
    authorization: HeaderValue,
    companions: HeaderMap,
    expires_at: Option<SystemTime>,
}

/// How good a token still is.
///
/// ```
/// use auth_core::TokenState;
/// assert!(TokenState::Stale.is_usable() && !TokenState::Expired.is_usable());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TokenState {
    /// Good, and no refresh is due.
    Fresh,
    /// Still good; a refresh is due and runs behind the callers' backs.
    Stale,
    /// Not handed out any more.
    Expired,
}

impl TokenState {
    /// Whether a token in this state is handed out.
    #[must_use]
    pub const fn is_usable(self) -> bool {
        matches!(self, Self::Fresh | Self::Stale)
    }
}

impl AccessToken {
    /// Makes a token of its parts: `Authorization: {token_type} {secret}`.
    ///
    /// # Errors
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) where the two cannot stand in a header.
    pub(crate) fn new(
        secret: SecretString,
        token_type: String,
        companions: HeaderMap,
        expires_at: Option<SystemTime>,
    ) -> Result<Self, Error> {
        let text = secret.expose_secret();
        let mut header = WipedBuffer::with_capacity(token_type.len() + 1 + text.len());
        header.extend(token_type.as_bytes());
        header.extend(b" ");
        header.extend(text.as_bytes());
        let authorization = header.into_header()?;
        Ok(Self(Arc::new(Inner {
            secret,
            token_type,
            authorization,
            companions,
            expires_at,
        })))
    }

    /// The token itself, for APIs that want it elsewhere than in `Authorization`.
    ///
    /// Reading it takes [`ExposeSecret`], so that each place that does can be found.
    #[must_use]
    pub fn secret(&self) -> &SecretString {
        &self.0.secret
    }

    /// The ready `Authorization` value, marked sensitive. Made once per token; a clone copies
    /// nothing.
    #[must_use]
    pub fn authorization(&self) -> HeaderValue {
        self.0.authorization.clone()
    }

    /// Sets every header that the API wants: `Authorization`, and the companions that the provider
    /// asks for beside it (Digitalpaye's `X-Environment`). Values set before are replaced.
    ///
    /// Only call this for requests to the provider's own hosts: a token sent elsewhere is a token
    /// given away (RFC 9700 section 4.9.1).
    pub fn apply(&self, headers: &mut HeaderMap) {
        for (name, value) in self.headers() {
            headers.insert(name.clone(), value.clone());
        }
    }

    /// The headers that [`apply`](Self::apply) sets, one by one.
    pub fn headers(&self) -> impl Iterator<Item = (&HeaderName, &HeaderValue)> {
        std::iter::once((&AUTHORIZATION, &self.0.authorization)).chain(self.0.companions.iter())
    }

    /// The scheme in front of the token, `Bearer` for all documented flows.
    #[must_use]
    pub fn token_type(&self) -> &str {
        &self.0.token_type
    }

    /// When the token ends, on this machine's wall clock; `None` for a token that was pasted and
    /// whose end nobody stated. For display and logs: the engine judges by more than this.
    #[must_use]
    pub fn expires_at(&self) -> Option<SystemTime> {
        self.0.expires_at
    }

    /// Whether the two are the very same token, by identity and not by content.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl fmt::Debug for AccessToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AccessToken")
            .field("token_type", &self.0.token_type)
            .field("secret", &"[redacted]")
            .field("expires_at", &self.0.expires_at.map(readable))
            .finish()
    }
}

/// A date that people read, in seconds.
fn readable(instant: SystemTime) -> String {
    // The formatter panics beyond the year 9999.
    let last = SystemTime::UNIX_EPOCH + Duration::from_secs(253_402_300_799);
    httpdate::fmt_http_date(instant.clamp(SystemTime::UNIX_EPOCH, last))
}
