//! The token that callers hold: a ready `Authorization` header that wipes itself.

use std::fmt;
use std::sync::{Arc, LazyLock};
use std::time::{Duration, SystemTime};

use arc_swap::Guard;
use http::header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue};
use secrecy::{ExposeSecret, SecretString};

use crate::clock::Moment;
use crate::error::Error;
use crate::grant::Grant;
use crate::secret::WipedBuffer;
use crate::term::Term;

/// A bearer token, with the headers that carry it ready made.
///
/// One copy of the token is in memory, inside the ready header; it is wiped when the last holder
/// is gone. A token from a cache is lent by the cache's cell and costs no reference count; cloning
/// it takes one. There is no `Display`, no `Serialize` and no `PartialEq`; `Debug` shows the type
/// and the expiry and never the secret.
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
pub struct AccessToken(Hold);

/// How a token is held. A loan is a slot of the reading thread's in the cell's own ledger, so
/// readers on many cores share no counter; whoever stores a new token turns loans into counts.
enum Hold {
    Lent(Guard<Arc<Token>>),
    Own(Arc<Token>),
}

/// The token itself, which the handles share and the cache's cell holds.
pub(crate) struct Token {
    /// `{token type} {secret}`.
    authorization: HeaderValue,
    /// Where the secret begins in it.
    secret_start: usize,
    headers: HeaderMap,
    pub(crate) term: Term,
}

impl Token {
    /// Makes a token of what was granted: `Authorization: {token_type} {secret}`.
    ///
    /// # Errors
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) where the two cannot stand in a header.
    pub(crate) fn new(grant: Grant, term: Term) -> Result<Self, Error> {
        let secret = grant.secret.expose_secret();
        let secret_start = grant.scheme.len() + 1;
        let mut header = WipedBuffer::with_capacity(secret_start + secret.len());
        header.extend_from_slice(grant.scheme.as_bytes());
        header.extend_from_slice(b" ");
        header.extend_from_slice(secret.as_bytes());
        let authorization = header.into_header()?;
        Ok(Self { authorization, secret_start, headers: grant.headers, term })
    }

    /// Whether a grant is this very token again.
    pub(crate) fn is_repeated_by(&self, grant: &Grant) -> bool {
        let held = self.authorization.as_bytes().get(self.secret_start..).unwrap_or_default();
        !held.is_empty() && held == grant.secret.expose_secret().as_bytes()
    }

    /// What stands in the cell of a source without a token: already expired, so it is never handed
    /// out.
    pub(crate) fn none() -> Arc<Self> {
        static NONE: LazyLock<Arc<Token>> = LazyLock::new(|| {
            Arc::new(Token {
                authorization: HeaderValue::from_static(""),
                secret_start: 0,
                headers: HeaderMap::new(),
                term: Term::over(),
            })
        });
        Arc::clone(&NONE)
    }

    /// The token type with its space, and the secret; both are ASCII, as a grant has proved.
    fn text(&self) -> (&str, &str) {
        let text = std::str::from_utf8(self.authorization.as_bytes()).unwrap_or_default();
        text.split_at_checked(self.secret_start).unwrap_or_default()
    }
}

impl AccessToken {
    pub(crate) fn own(token: Arc<Token>) -> Self {
        Self(Hold::Own(token))
    }

    pub(crate) fn lent(cell: Guard<Arc<Token>>) -> Self {
        Self(Hold::Lent(cell))
    }

    /// Whether it may still be handed out.
    pub(crate) fn is_usable(&self, now: Moment) -> bool {
        self.token().term.state(now).is_usable()
    }

    /// The same token with one more header beside it.
    pub(crate) fn with_header(&self, name: HeaderName, value: HeaderValue) -> Self {
        let token = self.token();
        let mut headers = token.headers.clone();
        headers.insert(name, value);
        let authorization = token.authorization.clone(); // shares its bytes
        Self::own(Arc::new(Token { authorization, headers, ..*token }))
    }

    fn token(&self) -> &Token {
        match &self.0 {
            Hold::Lent(cell) => cell,
            Hold::Own(token) => token,
        }
    }

    /// The token itself, for APIs that want it elsewhere than in `Authorization`: a copy, which is
    /// wiped when it is dropped.
    ///
    /// Reading it takes [`ExposeSecret`], so that each place that does can be found.
    #[must_use]
    pub fn to_secret(&self) -> SecretString {
        self.token().text().1.into()
    }

    /// The ready `Authorization` value, marked sensitive. Made once per token; a clone copies
    /// nothing.
    #[must_use]
    pub fn authorization(&self) -> HeaderValue {
        self.token().authorization.clone()
    }

    /// Sets every header that the API wants: `Authorization`, and the headers that the provider
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
        let token = self.token();
        std::iter::once((&AUTHORIZATION, &token.authorization)).chain(token.headers.iter())
    }

    /// The scheme in front of the token, `Bearer` for all documented flows.
    #[must_use]
    pub fn token_type(&self) -> &str {
        self.token().text().0.trim_end()
    }

    /// When the engine takes the token to end, on this machine's wall clock: what the provider said,
    /// or sooner where a policy caps it. `None` for a token that was pasted and whose end nobody
    /// stated. For display and logs: the engine judges by more than this.
    #[must_use]
    pub fn expires_at(&self) -> Option<SystemTime> {
        self.token().term.expires_at()
    }

    /// Whether the two are the very same token, by identity and not by content.
    #[must_use]
    pub fn ptr_eq(&self, other: &Self) -> bool {
        std::ptr::eq(self.token(), other.token())
    }
}

impl Clone for AccessToken {
    /// One reference count; nothing is copied.
    fn clone(&self) -> Self {
        Self(Hold::Own(match &self.0 {
            Hold::Lent(cell) => Arc::clone(cell),
            Hold::Own(token) => Arc::clone(token),
        }))
    }
}

impl fmt::Debug for AccessToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AccessToken")
            .field("token_type", &self.token_type())
            .field("secret", &"[redacted]")
            .field("expires_at", &self.expires_at().map(readable))
            .finish()
    }
}

/// A date that people read, in seconds.
fn readable(instant: SystemTime) -> String {
    // The formatter panics beyond the year 9999.
    let last = SystemTime::UNIX_EPOCH + Duration::from_secs(253_402_300_799);
    httpdate::fmt_http_date(instant.clamp(SystemTime::UNIX_EPOCH, last))
}
