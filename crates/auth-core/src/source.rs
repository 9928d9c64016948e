//! What callers hold: a source of tokens, cached, static or erased.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use http::{HeaderName, HeaderValue};
use secrecy::SecretString;

use crate::error::{Error, ErrorKind};
use crate::grant::{Expiry, Grant};
use crate::term::Term;
use crate::token::{AccessToken, Token};

/// A source of tokens. Ask it before each API call; it is cheap.
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
    message = "`{Self}` is no source of tokens",
    note = "a flow asks, a source keeps: wrap it, `CachedTokenSource::new(flow)?`"
)]
pub trait TokenSource: fmt::Debug + Send + Sync + 'static {
    /// A token that is good now.
    ///
    /// # If the caller goes away
    /// Dropping the future harms nobody: others who wait for the same exchange still get its
    /// outcome.
    ///
    /// # Errors
    /// See [`ErrorKind`].
    async fn token(&self) -> Result<AccessToken, Error>;

    /// Says that the API refused this very token (401), so that another is fetched. A token that
    /// the source has replaced meanwhile is left alone.
    fn invalidate(&self, token: &AccessToken);

    /// A token that is good now and needs no work, or `None`. Never blocks.
    fn fresh(&self) -> Option<AccessToken> {
        None
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

    /// A token that is good now.
    ///
    /// A fresh one costs no boxed future: a synchronous look comes first.
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
}

/// A token that someone pasted: never fetched, never refreshed, without a known end.
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
/// let tokens = StaticTokenSource::bearer("made-up-token")?.header(name, "Sandbox".parse().unwrap());
/// assert_eq!(tokens.token().await?.headers().count(), 2);
/// # Ok(()) }
/// ```
#[derive(Clone, Debug)]
pub struct StaticTokenSource(AccessToken);

impl StaticTokenSource {
    /// A source of one bearer token.
    ///
    /// # Errors
    /// [`ErrorKind::Config`] where the text cannot be a token; it is never shown.
    pub fn bearer(token: impl Into<SecretString>) -> Result<Self, Error> {
        let grant = Grant::bearer(token, Expiry::Unknown).map_err(|_| {
            Error::new(
                ErrorKind::Config,
                "the pasted token is blank, too long, or holds whitespace or characters that no token holds",
            )
        })?;
        Ok(Self(AccessToken::own(Arc::new(Token::new(grant, Term::Endless)?))))
    }

    /// Adds a header that the API wants beside `Authorization`, such as Digitalpaye's `X-Environment`.
    #[must_use]
    pub fn header(self, name: HeaderName, value: HeaderValue) -> Self {
        Self(self.0.with_header(name, value))
    }
}

#[async_trait]
impl TokenSource for StaticTokenSource {
    async fn token(&self) -> Result<AccessToken, Error> {
        Ok(self.0.clone())
    }

    /// Does nothing: there is no other token to fetch, and one stray 401 must not take away the
    /// only one there is. A person has to paste a new one.
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
