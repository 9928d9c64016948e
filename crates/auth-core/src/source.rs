//! Sources of tokens for callers: the trait, the erased source and the static one.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use http::response::Parts;
use http::{HeaderName, HeaderValue};
use secrecy::SecretString;

use crate::endpoint::Endpoint;
use crate::error::{Error, ErrorKind};
use crate::grant::{Expiry, Grant};
use crate::status::SourceStatus;
use crate::term::Term;
use crate::token::{AccessToken, Token};

/// A source of tokens. Call [`token`](Self::token) before each API call; it is cheap.
///
/// ```
/// use auth_core::{Error, StaticTokenSource, TokenSource};
///
/// async fn authorization(source: &dyn TokenSource) -> Result<http::HeaderValue, Error> {
///     Ok(source.token().await?.authorization())
/// }
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Error> {
///
/// let pasted = StaticTokenSource::bearer("made-up")?;
/// assert_eq!(authorization(&pasted).await?, "Bearer made-up");
/// # Ok(()) }
/// ```
#[async_trait]
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a source of tokens",
    note = "a flow only asks for tokens: wrap it in a source, `CachedTokenSource::new(flow)?`"
)]
pub trait TokenSource: fmt::Debug + Send + Sync + 'static {
    /// Returns a token that is valid now.
    ///
    /// # If the caller goes away
    /// Dropping the future affects no other caller: those that wait for the same exchange still get
    /// its outcome.
    ///
    /// # Errors
    /// See [`ErrorKind`].
    async fn token(&self) -> Result<AccessToken, Error>;

    /// Drops this token after the API refused it (401), so that another is fetched. If the source
    /// already has a newer token, that one is kept.
    fn invalidate(&self, token: &AccessToken);

    /// Returns the token if it is fresh, or `None`. Never blocks.
    fn fresh(&self) -> Option<AccessToken> {
        None
    }

    /// Makes sure that there is a usable token: what a readiness probe asks. Costs the provider no
    /// more than [`token`](Self::token) does, and a token that is still good is good while the
    /// provider is down.
    ///
    /// # If the caller goes away
    /// As for `token`.
    ///
    /// # Errors
    /// As for `token`.
    async fn check(&self) -> Result<(), Error> {
        self.token().await.map(drop)
    }

    /// Returns the state of the source, without any secret. Asks nobody and never blocks.
    fn status(&self) -> SourceStatus {
        SourceStatus::of(self.fresh().as_ref())
    }

    /// Returns where the API is that takes these tokens: see [`TokenExchange::api_hosts`]. None by
    /// default.
    ///
    /// [`TokenExchange::api_hosts`]: crate::TokenExchange::api_hosts
    fn api_hosts(&self) -> Vec<Endpoint> {
        Vec::new()
    }

    /// Whether the head of an API's answer refuses the token: see
    /// [`TokenExchange::refuses_token`](crate::TokenExchange::refuses_token), whose default this
    /// is.
    fn refuses_token(&self, head: &Parts) -> bool {
        crate::challenge::refuses_token(head)
    }
}

/// Any token source behind one type, without a type parameter: for struct fields and libraries.
///
/// ```
/// use auth_core::{SharedTokenSource, StaticTokenSource};
///
/// #[derive(Clone, Debug)]
/// struct PaymentClient { tokens: SharedTokenSource }
///
/// let client = PaymentClient { tokens: StaticTokenSource::bearer("made-up")?.into() };
/// assert!(client.tokens.fresh().is_some());
/// # Ok::<(), auth_core::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct SharedTokenSource(Arc<dyn TokenSource>);

impl SharedTokenSource {
    /// Erases a source's type.
    pub fn new(source: impl TokenSource) -> Self {
        Self(Arc::new(source))
    }

    /// Returns a token that is valid now.
    ///
    /// Checks [`fresh`](Self::fresh) first, so a fresh token costs no boxed future.
    ///
    /// # If the caller goes away
    /// As for [`TokenSource::token`].
    ///
    /// # Errors
    /// See [`ErrorKind`].
    pub async fn token(&self) -> Result<AccessToken, Error> {
        match self.0.fresh() {
            Some(token) => Ok(token),
            None => self.0.token().await,
        }
    }

    /// As [`TokenSource::invalidate`].
    pub fn invalidate(&self, token: &AccessToken) {
        self.0.invalidate(token);
    }

    /// As [`TokenSource::fresh`].
    #[must_use]
    pub fn fresh(&self) -> Option<AccessToken> {
        self.0.fresh()
    }

    /// As [`TokenSource::check`].
    ///
    /// # If the caller goes away
    /// As for [`TokenSource::token`].
    ///
    /// # Errors
    /// See [`ErrorKind`].
    pub async fn check(&self) -> Result<(), Error> {
        self.0.check().await
    }

    /// As [`TokenSource::status`].
    #[must_use]
    pub fn status(&self) -> SourceStatus {
        self.0.status()
    }
}

#[async_trait]
impl TokenSource for SharedTokenSource {
    async fn token(&self) -> Result<AccessToken, Error> {
        self.0.token().await
    }

    fn invalidate(&self, token: &AccessToken) {
        self.0.invalidate(token);
    }

    fn fresh(&self) -> Option<AccessToken> {
        self.0.fresh()
    }

    async fn check(&self) -> Result<(), Error> {
        self.0.check().await
    }

    fn status(&self) -> SourceStatus {
        self.0.status()
    }

    fn api_hosts(&self) -> Vec<Endpoint> {
        self.0.api_hosts()
    }

    fn refuses_token(&self, head: &Parts) -> bool {
        self.0.refuses_token(head)
    }
}

/// A token given by hand: never fetched, never refreshed, without a known expiry.
///
/// ```
/// use auth_core::{StaticTokenSource, TokenSource};
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), auth_core::Error> {
///
/// let token = StaticTokenSource::bearer("made-up-token")?.token().await?;
/// assert_eq!(token.expires_at(), None);
/// assert!(StaticTokenSource::bearer("token\n").is_err()); // a pasted newline
///
/// let name = http::HeaderName::from_static("x-environment");
/// let tokens = StaticTokenSource::bearer("made-up-token")?;
/// let tokens = tokens.header(name, "Sandbox".parse().unwrap());
/// assert_eq!(tokens.token().await?.headers().count(), 2);
/// # Ok(()) }
/// ```
#[derive(Clone, Debug)]
pub struct StaticTokenSource(AccessToken);

impl StaticTokenSource {
    /// A source of one bearer token.
    ///
    /// # Errors
    /// [`ErrorKind::Config`] if the text cannot be a token. The error never shows it.
    pub fn bearer(token: impl Into<SecretString>) -> Result<Self, Error> {
        let grant = Grant::bearer(token, Expiry::Unknown).map_err(|_| {
            Error::new(
                ErrorKind::Config,
                "the pasted token is blank, too long, or contains whitespace or characters \
                 that tokens do not have",
            )
        })?;
        Ok(Self(AccessToken::from_arc(Arc::new(Token::new(grant, Term::Endless)?))))
    }

    /// Adds a header that the API needs beside `Authorization`, such as Digitalpaye's
    /// `X-Environment`.
    #[must_use]
    pub fn header(self, name: HeaderName, value: HeaderValue) -> Self {
        Self(self.0.with_header(name, value))
    }

    pub(crate) fn get(&self) -> AccessToken {
        self.0.clone()
    }
}

#[async_trait]
impl TokenSource for StaticTokenSource {
    async fn token(&self) -> Result<AccessToken, Error> {
        Ok(self.0.clone())
    }

    /// Does nothing: there is no other token to fetch, and one stray 401 must not drop the only
    /// one. Somebody has to make a source of a new token.
    fn invalidate(&self, _: &AccessToken) {}

    fn fresh(&self) -> Option<AccessToken> {
        Some(self.0.clone())
    }
}

impl From<StaticTokenSource> for SharedTokenSource {
    fn from(source: StaticTokenSource) -> Self {
        Self::new(source)
    }
}
