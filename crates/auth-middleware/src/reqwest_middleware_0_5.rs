//! For reqwest-middleware 0.5: a client that never thinks of tokens, and the middleware below it.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use http::Extensions;
use reqwest::{Request, Response};
use reqwest_middleware::{ClientBuilder, ClientWithMiddleware, Middleware, Next};

use crate::auth::{AllowReplay, TokenAuth};
use crate::error::Error;
use crate::reqwest_0_13::{Transport, redirect_policy, run};

/// The longest time to connect, unless the caller brings a builder.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// Makes a client that puts a token on every request to the API's own hosts, and renews it once
/// after a 401. Make it once and keep it: clones share connections and token.
///
/// A request to any other host is an error. A redirect to another host is not followed: it is the
/// answer. An `Authorization` of the caller's, also one that reqwest made of user info in a URL, is
/// left alone.
///
/// The client gives up connecting after five seconds and sets no other limit: give requests a
/// `timeout`, which covers the token and the request that is sent again.
///
/// ```
/// use auth_core::{Endpoint, StaticTokenSource};
/// use auth_middleware::TokenAuth;
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let tokens = StaticTokenSource::bearer("made-up")?;
/// let auth = TokenAuth::new(tokens).host(Endpoint::parse("https://api.example.com")?);
/// let api = auth_middleware::client(auth)?; // a source that knows its hosts is enough
/// # async fn call(api: reqwest_middleware::ClientWithMiddleware) -> Result<(), reqwest_middleware::Error> {
/// let answer = api.get("https://api.example.com/balance").send().await?;
/// # Ok(()) }
/// # Ok(()) }
/// ```
///
/// # Errors
/// [`Error::NoHosts`], or [`Error::Client`] if reqwest cannot be set up.
pub fn client(auth: impl Into<TokenAuth>) -> Result<ClientWithMiddleware, Error> {
    client_with(auth, reqwest::Client::builder().connect_timeout(CONNECT_TIMEOUT))
}

/// As [`client`], over a builder of yours: for proxies, certificates and default headers. Two
/// settings of it are replaced.
///
/// - The redirect policy is [`redirect_policy`].
/// - There is no proxy if a plain-http host is on the list: a proxy reads plain http, the token
///   included.
///
/// Where the builder's default headers hold an `Authorization`, the token goes before it. A timeout
/// of the builder's counts for each request alone, without the wait for a token.
///
/// ```
/// use auth_core::{Endpoint, StaticTokenSource};
/// use auth_middleware::TokenAuth;
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let tokens = StaticTokenSource::bearer("made-up")?;
/// let auth = TokenAuth::new(tokens).host(Endpoint::parse("https://api.example.com")?);
/// let proxy = reqwest::Proxy::https("http://proxy.example.com:3128")?;
/// let api = auth_middleware::client_with(auth, reqwest::Client::builder().proxy(proxy))?;
/// # Ok(()) }
/// ```
///
/// # Errors
/// As for `client`.
pub fn client_with(
    auth: impl Into<TokenAuth>,
    builder: reqwest::ClientBuilder,
) -> Result<ClientWithMiddleware, Error> {
    let auth = auth.into().checked()?;
    let is_plain = auth.hosts().iter().any(auth_core::Endpoint::is_plain_http);
    let builder = if is_plain { builder.no_proxy() } else { builder };
    let client = builder.redirect(redirect_policy()).build();
    let client = client.map_err(|error| Error::Client(Arc::new(error)))?;
    Ok(ClientBuilder::new(client).with(TokenMiddleware(auth)).build())
}

/// The middleware of [`client`], for a stack of your own.
///
/// Build the reqwest client below it with [`redirect_policy`]: a middleware
/// cannot see how the client treats redirects. What retries goes above it, so that each try has a
/// fresh token; what logs requests goes above it too, so that it sees none.
///
/// ```
/// use auth_core::{Endpoint, StaticTokenSource};
/// use auth_middleware::reqwest_middleware_0_5::TokenMiddleware;
/// use auth_middleware::{TokenAuth, redirect_policy};
/// use reqwest_middleware::ClientBuilder;
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let client = reqwest::Client::builder().redirect(redirect_policy()).build()?;
/// let tokens = StaticTokenSource::bearer("made-up")?;
/// let auth = TokenAuth::new(tokens).host(Endpoint::parse("https://api.example.com")?);
/// let api = ClientBuilder::new(client).with(TokenMiddleware::new(auth)?).build();
/// # Ok(()) }
/// ```
#[derive(Clone, Debug)]
pub struct TokenMiddleware(TokenAuth);

impl TokenMiddleware {
    /// Makes the middleware.
    ///
    /// # Errors
    /// [`Error::NoHosts`].
    pub fn new(auth: impl Into<TokenAuth>) -> Result<Self, Error> {
        auth.into().checked().map(Self)
    }
}

#[async_trait]
impl Middleware for TokenMiddleware {
    /// # If the caller goes away
    /// Dropping the future abandons the request. A token that is being fetched is kept for the next
    /// one: see [`TokenSource::token`](auth_core::TokenSource::token).
    async fn handle(
        &self,
        request: Request,
        extensions: &mut Extensions,
        next: Next<'_>,
    ) -> reqwest_middleware::Result<Response> {
        let allow_replay = extensions.get::<AllowReplay>().is_some();
        let mut rest = Rest { next, extensions };
        run(self.0.rules(), request, allow_replay, &mut rest).await
    }
}

/// The middleware below this one, and the client.
struct Rest<'a> {
    next: Next<'a>,
    extensions: &'a mut Extensions,
}

impl Transport for Rest<'_> {
    type Error = reqwest_middleware::Error;

    fn fail(error: Error) -> Self::Error {
        Self::Error::middleware(error)
    }

    async fn send(&mut self, request: Request) -> reqwest_middleware::Result<Response> {
        self.next.clone().run(request, self.extensions).await
    }
}
