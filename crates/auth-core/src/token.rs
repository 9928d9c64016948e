//! The token that callers hold: a complete `Authorization` header that is wiped on drop.

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
use crate::store::{Generation, Offered};
use crate::term::Term;

/// A bearer token, as the headers that carry it.
///
/// Memory holds one copy of the token, inside the `Authorization` header; it is wiped when the last
/// clone is dropped. A token read from a cache touches no reference count; cloning it takes one.
/// There is no `Display`, no `Serialize` and no `PartialEq`; `Debug` shows the type and the expiry,
/// never the secret.
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

/// How a token is held.
enum Hold {
    /// `arc_swap::Guard`: a debt slot of this thread, so no reference count is touched and readers
    /// on many cores share no counter. Storing a new token pays the debts with real counts.
    Guard(Guard<Arc<Token>>),
    Arc(Arc<Token>),
}

/// The token itself, shared by its handles and the cache.
pub(crate) struct Token {
    /// `{token type} {secret}`.
    authorization: HeaderValue,
    /// The offset of the secret in `authorization`.
    secret_start: usize,
    /// A boxed slice: a `HeaderMap` takes 656 bytes for its first header.
    headers: Box<[(HeaderName, HeaderValue)]>,
    pub(crate) term: Term,
    /// Under which generation a store holds it; in a placeholder, and in a token that the store did
    /// not take, that of the token which an API refused.
    pub(crate) generation: Option<Generation>,
}

impl Token {
    /// Makes a token of what was granted: `Authorization: {token_type} {secret}`.
    ///
    /// # Errors
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) if a header cannot carry the two.
    pub(crate) fn new(grant: Grant, term: Term) -> Result<Self, Error> {
        let secret = grant.secret.expose_secret();
        let secret_start = grant.scheme.len() + 1;
        let mut header = WipedBuffer::with_capacity(secret_start + secret.len());
        header.extend_from_slice(grant.scheme.as_bytes());
        header.extend_from_slice(b" ");
        header.extend_from_slice(secret.as_bytes());
        let authorization = header.into_header()?;
        let headers = grant.headers.into();
        Ok(Self { authorization, secret_start, headers, term, generation: None })
    }

    /// Whether a grant repeats this token.
    pub(crate) fn is_repeated_by(&self, grant: &Grant) -> bool {
        let held = self.authorization.as_bytes().get(self.secret_start..).unwrap_or_default();
        !held.is_empty() && held == grant.secret.expose_secret().as_bytes()
    }

    /// The placeholder in a cache without a token: already expired, so it is never handed out.
    pub(crate) fn none() -> Arc<Self> {
        static NONE: LazyLock<Arc<Token>> = LazyLock::new(|| Arc::new(Token::refused(None)));
        Arc::clone(&NONE)
    }

    /// The placeholder for a token that an API refused, which a store still holds.
    pub(crate) fn refused(generation: Option<Generation>) -> Self {
        Self {
            authorization: HeaderValue::from_static(""),
            secret_start: 0,
            headers: Box::default(),
            term: Term::over(),
            generation,
        }
    }

    /// Whether it is a placeholder.
    pub(crate) fn is_none(&self) -> bool {
        self.authorization.is_empty()
    }

    /// The token as it is offered to a store.
    pub(crate) fn offered(&self, now: Moment) -> Offered<'_> {
        let (scheme, secret) = self.text();
        let left = self.term.expires_in(now).unwrap_or_default();
        let lifetime = self.term.lifetime().unwrap_or_default();
        Offered::new(scheme.trim_end(), secret, &self.headers, left, lifetime)
    }

    /// The headers beside `Authorization`.
    pub(crate) fn extra_headers(&self) -> impl Iterator<Item = (&HeaderName, &HeaderValue)> {
        self.headers.iter().map(|(name, value)| (name, value))
    }

    /// The token type with its trailing space, and the secret. `Grant` checked that both are ASCII.
    fn text(&self) -> (&str, &str) {
        let text = std::str::from_utf8(self.authorization.as_bytes()).unwrap_or_default();
        text.split_at_checked(self.secret_start).unwrap_or_default()
    }
}

impl AccessToken {
    pub(crate) fn from_arc(token: Arc<Token>) -> Self {
        Self(Hold::Arc(token))
    }

    pub(crate) fn from_guard(guard: Guard<Arc<Token>>) -> Self {
        Self(Hold::Guard(guard))
    }

    /// Whether it may still be handed out.
    pub(crate) fn is_usable(&self, now: Moment) -> bool {
        self.token().term.state(now).is_usable()
    }

    /// The same token with one more header.
    pub(crate) fn with_header(&self, name: HeaderName, value: HeaderValue) -> Self {
        let token = self.token();
        let kept = token.headers.iter().filter(|(kept, _)| *kept != name).cloned();
        let headers = kept.chain([(name.clone(), value)]).collect();
        let authorization = token.authorization.clone(); // shares its bytes
        Self::from_arc(Arc::new(Token { authorization, headers, ..*token }))
    }

    /// Under which generation a store holds it.
    pub(crate) fn generation(&self) -> Option<Generation> {
        self.token().generation
    }

    fn token(&self) -> &Token {
        match &self.0 {
            Hold::Guard(guard) => guard,
            Hold::Arc(token) => token,
        }
    }

    /// Returns a copy of the token, for APIs that take it elsewhere than in `Authorization`. The
    /// copy is wiped on drop.
    ///
    /// Reading it takes [`ExposeSecret`], so that every place that does so can be searched for.
    #[must_use]
    pub fn to_secret(&self) -> SecretString {
        self.token().text().1.into()
    }

    /// Returns the value of `Authorization`, marked sensitive. It is made once per token; a clone
    /// shares its bytes.
    #[must_use]
    pub fn authorization(&self) -> HeaderValue {
        self.token().authorization.clone()
    }

    /// Sets every header that the API needs: `Authorization`, and others that the provider requires
    /// (Digitalpaye's `X-Environment`). Existing values are replaced.
    ///
    /// Only call this for requests to the provider's own hosts: any other host that gets the token
    /// can use it (RFC 9700 section 4.9.1).
    pub fn apply(&self, headers: &mut HeaderMap) {
        for (name, value) in self.headers() {
            headers.insert(name.clone(), value.clone());
        }
    }

    /// Returns the headers that [`apply`](Self::apply) sets as a map, for
    /// `reqwest::RequestBuilder::headers` and its like.
    ///
    /// ```
    /// use auth_core::{StaticTokenSource, TokenSource};
    ///
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), auth_core::Error> {
    /// let token = StaticTokenSource::bearer("made-up-token")?.token().await?;
    /// let headers = token.header_map();
    /// assert_eq!(headers["authorization"], "Bearer made-up-token");
    /// assert!(headers["authorization"].is_sensitive());
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn header_map(&self) -> HeaderMap {
        let mut headers = HeaderMap::with_capacity(1 + self.token().headers.len());
        self.apply(&mut headers);
        headers
    }

    /// Iterates over the headers that [`apply`](Self::apply) sets.
    pub fn headers(&self) -> impl Iterator<Item = (&HeaderName, &HeaderValue)> {
        let token = self.token();
        std::iter::once((&AUTHORIZATION, &token.authorization)).chain(token.extra_headers())
    }

    /// Returns the authentication scheme, `Bearer` in all five documented flows.
    #[must_use]
    pub fn token_type(&self) -> &str {
        self.token().text().0.trim_end()
    }

    /// Returns when the token expires, on this machine's wall clock: as the provider stated, or
    /// earlier if a policy caps it. `None` for a static token.
    ///
    /// For display and logs: the engine also checks the monotonic clock and keeps a margin.
    #[must_use]
    pub fn expires_at(&self) -> Option<SystemTime> {
        self.token().term.expires_at()
    }

    /// Whether the two handles share one token: compares pointers, not contents.
    #[must_use]
    pub fn ptr_eq(&self, other: &Self) -> bool {
        std::ptr::eq(self.token(), other.token())
    }
}

impl Clone for AccessToken {
    /// Takes one reference count; copies nothing.
    fn clone(&self) -> Self {
        Self(Hold::Arc(match &self.0 {
            Hold::Guard(guard) => Arc::clone(guard),
            Hold::Arc(token) => Arc::clone(token),
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

/// An HTTP date, to the second.
fn readable(instant: SystemTime) -> String {
    // The formatter panics beyond the year 9999.
    let last = SystemTime::UNIX_EPOCH + Duration::from_secs(253_402_300_799);
    httpdate::fmt_http_date(instant.clamp(SystemTime::UNIX_EPOCH, last))
}
