//! `client.get(url).send_with(&tokens).await?`

use std::borrow::Cow;
use std::fmt;
use std::pin::Pin;

use auth_core::{Endpoint, TokenSource};
use reqwest::{Client, Request, RequestBuilder, Response};

use super::redirect::follows_anywhere;
use super::run::{Transport, run};
use crate::auth::TokenAuth;
use crate::error::Error;
use crate::rules::Rules;

/// What [`SendWith::send_with`] takes: a token source, or a [`TokenAuth`].
///
/// ```
/// use auth_core::StaticTokenSource;
/// use auth_middleware::reqwest_0_13::SendAuth;
///
/// fn takes(_: &impl SendAuth) {}
/// takes(&StaticTokenSource::bearer("made-up")?);
/// # Ok::<(), auth_core::Error>(())
/// ```
pub trait SendAuth {
    /// Returns the source, and the hosts that get its tokens.
    fn parts(&self) -> (&dyn TokenSource, Cow<'_, [Endpoint]>);
}

impl<S: TokenSource> SendAuth for S {
    fn parts(&self) -> (&dyn TokenSource, Cow<'_, [Endpoint]>) {
        (self, self.api_hosts().into())
    }
}

impl SendAuth for TokenAuth {
    fn parts(&self) -> (&dyn TokenSource, Cow<'_, [Endpoint]>) {
        let rules = self.rules();
        (rules.source, rules.hosts.into())
    }
}

/// Adds [`send_with`](Self::send_with) to reqwest's requests.
///
/// **The client decides about redirects, and reqwest's default lets a token escape.** Build it with
/// [`redirect_policy`](crate::redirect_policy) or `redirect::Policy::none()`. A client with
/// reqwest's default policy, or a limited one, is refused before anything is sent. A policy of your
/// own cannot be looked into: it must stop at every other host, or that host gets the flow's
/// headers, and may get the token. Nor can a client be asked for its proxies: plain http to a
/// loopback host, in a test, goes through one that `HTTP_PROXY` names, unless it says `no_proxy()`.
///
/// ```no_run
/// use auth_core::{Endpoint, StaticTokenSource};
/// use auth_middleware::{SendWith, TokenAuth, redirect_policy};
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let client = reqwest::Client::builder().redirect(redirect_policy()).build()?; // once
/// let tokens = StaticTokenSource::bearer("made-up")?;
/// let auth = TokenAuth::new(tokens).host(Endpoint::parse("https://api.example.com")?);
///
/// let answer = client.get("https://api.example.com/balance").send_with(&auth).await?;
/// # Ok(()) }
/// ```
pub trait SendWith {
    /// Sends the request with a token, as `send` does without one: await what it returns.
    ///
    /// An `Authorization` of the caller's, also one that reqwest made of user info in the URL, is
    /// left alone, and no token is fetched. The token goes before an `Authorization` among the
    /// client's default headers.
    fn send_with<A: SendAuth>(self, auth: &A) -> Sending<'_>;
}

impl SendWith for RequestBuilder {
    fn send_with<A: SendAuth>(self, auth: &A) -> Sending<'_> {
        let (source, hosts) = auth.parts();
        Sending { request: self, source, hosts, allow_replay: false }
    }
}

/// A request about to be sent: await it.
///
/// ```no_run
/// use auth_core::{Endpoint, StaticTokenSource};
/// use auth_middleware::SendWith;
///
/// # async fn search(client: reqwest::Client) -> Result<(), Box<dyn std::error::Error>> {
/// let tokens = StaticTokenSource::bearer("made-up")?;
/// let search = client.post("https://api.example.com/search").body("name=x");
/// let answer = search
///     .send_with(&tokens)
///     .host(Endpoint::parse("https://api.example.com")?)
///     .allow_replay() // a search may run twice
///     .await?;
/// # Ok(()) }
/// ```
#[must_use = "nothing is sent until it is awaited"]
pub struct Sending<'a> {
    request: RequestBuilder,
    source: &'a dyn TokenSource,
    hosts: Cow<'a, [Endpoint]>,
    allow_replay: bool,
}

impl Sending<'_> {
    /// Adds a host that gets the token.
    pub fn host(mut self, host: Endpoint) -> Self {
        self.hosts.to_mut().push(host);
        self
    }

    /// Allows the request to be sent a second time after a 401, although its method is not
    /// idempotent: see [`AllowReplay`](crate::AllowReplay).
    pub fn allow_replay(mut self) -> Self {
        self.allow_replay = true;
        self
    }

    async fn send(self) -> Result<Response, SendError> {
        let (client, request) = self.request.build_split();
        let request = request?;
        if follows_anywhere(&client) {
            return Err(Error::FollowsRedirects.into());
        }
        let rules = Rules { source: self.source, hosts: &self.hosts };
        run(rules, request, self.allow_replay, &mut Plain(client)).await
    }
}

impl<'a> IntoFuture for Sending<'a> {
    type Output = Result<Response, SendError>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send + 'a>>;

    /// # If the caller goes away
    /// Dropping the future abandons the request, as with reqwest's `send`. A token that is being
    /// fetched is kept for the next request: see [`TokenSource::token`].
    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.send())
    }
}

impl fmt::Debug for Sending<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sending")
            .field("source", &self.source)
            .field("hosts", &self.hosts)
            .field("allow_replay", &self.allow_replay)
            .finish_non_exhaustive()
    }
}

struct Plain(Client);

impl Transport for Plain {
    type Error = SendError;

    fn fail(error: Error) -> SendError {
        error.into()
    }

    async fn send(&mut self, request: Request) -> Result<Response, SendError> {
        Ok(self.0.execute(request).await?)
    }
}

/// Why [`SendWith::send_with`] got no answer.
///
/// ```
/// use auth_middleware::reqwest_0_13::SendError;
///
/// fn is_timeout(error: &SendError) -> bool {
///     match error {
///         SendError::Auth(error) => matches!(error, auth_middleware::Error::Timeout),
///         SendError::Reqwest(error) => error.is_timeout(),
///         _ => false,
///     }
/// }
/// assert!(is_timeout(&auth_middleware::Error::Timeout.into()));
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SendError {
    /// No token, or none for this request.
    #[error(transparent)]
    Auth(#[from] Error),
    /// reqwest's own error.
    #[error(transparent)]
    Reqwest(#[from] reqwest::Error),
}
