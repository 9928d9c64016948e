//! The engine for callers that block.

use std::fmt;
use std::time::Duration;

use http::response::Parts;
use tokio::runtime::{Handle, Id};

use super::TokenSource;
use super::worker::{Worker, overdue};
use crate::endpoint::Endpoint;
use crate::engine;
use crate::error::Error;
use crate::exchange::TokenExchange;
use crate::observer::Read;
use crate::source::TokenSource as AsyncTokenSource;
use crate::status::SourceStatus;
use crate::term::TokenState;
use crate::token::AccessToken;

/// A source that keeps a provider's token fresh, for code without async.
///
/// It is the [async source](crate::CachedTokenSource) behind calls that block, with the same
/// promises: single flight, refresh ahead of expiry in the background, remembered failures, no
/// expired tokens. Cheap to clone; clones share the token. Each converts into the other with
/// `from`, and the two then share one token: a program that is async in parts uses both, and the
/// [builder](crate::CachedTokenSource::builder) serves both.
///
/// ```
/// use auth_core::{TokenState, blocking};
/// # use std::time::Duration;
/// # use auth_core::{Endpoint, Error, Expiry, Grant, HttpClient, HttpRequest, HttpResponse};
/// # use auth_core::{Identity, TokenResponse, TokenExchange, TokenRequest, async_trait};
/// # const HOST: Endpoint = Endpoint::from_static("https://pay.example.com");
/// # struct Acme;
/// # impl TokenExchange for Acme {
/// #     fn provider(&self) -> &'static str { "acme" }
/// #     fn identity(&self) -> Identity { Identity::new("acme", &HOST, &[]) }
/// #     fn request(&self) -> Result<HttpRequest, Error> { TokenRequest::post(&HOST).empty() }
/// #     fn read(&self, _: &TokenResponse) -> Result<Grant, Error> {
/// #         Grant::bearer("made-up", Expiry::After(Duration::from_secs(300)))
/// #     }
/// # }
/// # #[derive(Debug)]
/// # struct Canned;
/// # #[async_trait]
/// # impl HttpClient for Canned {
/// #     async fn send(&self, _: HttpRequest) -> Result<HttpResponse, Error> {
/// #         Ok(HttpResponse::default())
/// #     }
/// # }
/// # let (flow, client) = (Acme, Canned);
///
/// // `blocking::CachedTokenSource::new(flow)?` does the same with the client that all sources share.
/// let built = auth_core::CachedTokenSource::builder(flow).http_client(client).build()?;
/// let tokens = blocking::CachedTokenSource::from(built);
/// let token = tokens.token()?; // asks
/// assert_eq!(token.authorization(), "Bearer made-up");
/// assert!(tokens.token()?.ptr_eq(&token)); // from the cache
/// assert_eq!(tokens.state(), TokenState::Fresh);
///
/// tokens.invalidate(&token); // the API answered it with 401
/// assert!(!tokens.token()?.ptr_eq(&token));
/// # Ok::<(), Error>(())
/// ```
pub struct CachedTokenSource<E> {
    pub(super) source: engine::CachedTokenSource<E>,
}

/// How long a caller waits for a flight whose task may need the caller's own thread.
const PATIENCE: Duration = Duration::from_secs(1);
/// How much longer than the engine a caller waits for the thread.
const GRACE: Duration = Duration::from_secs(1);

impl<E: TokenExchange> CachedTokenSource<E> {
    /// A source with the default client, clock and policies.
    ///
    /// Sends nothing and starts no thread.
    ///
    /// # Errors
    /// As [`CachedTokenSource::new`](crate::CachedTokenSource::new) of the async source.
    pub fn new(exchange: E) -> Result<Self, Error> {
        engine::CachedTokenSource::new(exchange).map(Self::from)
    }

    /// Returns a token that is valid now: the cached one, or that of the exchange in flight, or of
    /// a new exchange.
    ///
    /// A fresh token is returned at once, and so is a stale one, which is refreshed in the
    /// background. A remembered failure is returned at once too. Otherwise the call blocks, for at
    /// most the [deadline](crate::RetryPolicy::deadline) plus two seconds (32 s by default).
    ///
    /// # If the caller goes away
    /// A waiting thread cannot be cancelled. The exchange is not tied to it: it runs on the thread
    /// that all sources share, and its token is kept for the next caller.
    ///
    /// # Errors
    /// The error of the exchange, or a remembered failure: see
    /// [`ErrorKind`](crate::ErrorKind). Also [`Config`](crate::ErrorKind::Config) if the thread
    /// cannot be started, or if the call is made on it (by an `HttpClient` of your own).
    pub fn token(&self) -> Result<AccessToken, Error> {
        match self.source.fresh() {
            Some(token) => Ok(token),
            None => self.stale_or_fetched(),
        }
    }

    fn stale_or_fetched(&self) -> Result<AccessToken, Error> {
        if let Some(token) = self.source.usable() {
            self.source.read(Read::Stale);
            // If the thread cannot be started, the token is still good.
            if self.source.needs_refresh()
                && let Ok(worker) = Worker::running()
            {
                let source = self.source.clone();
                worker.spawn(async move { source.refresh().await });
            }
            return Ok(token);
        }
        if let Some(error) = self.source.remembered() {
            self.source.read(Read::Waited);
            return Err(error);
        }
        self.fetch().or_else(|error| self.source.usable().ok_or_else(|| self.source.sign(error)))
    }

    fn fetch(&self) -> Result<AccessToken, Error> {
        let worker = Worker::running()?;
        worker.left_behind().for_each(|runtime| self.move_flight(&worker, runtime));
        let source = self.source.clone();
        let waiting = worker.ask(async move { source.token().await })?;
        if let Some(outcome) = waiting.within(PATIENCE) {
            return outcome;
        }
        // The flight may be a task of the runtime that this very call keeps from running. From
        // outside that cannot be told from `spawn_blocking`, where another flight is only a second
        // request.
        if let Ok(runtime) = Handle::try_current()
            && !worker.drives(runtime.id())
        {
            self.move_flight(&worker, runtime.id());
        }
        let left = self.source.limit().saturating_add(GRACE).saturating_sub(PATIENCE);
        waiting.within(left).unwrap_or_else(|| Err(overdue()))
    }

    /// Moves the flight from this runtime to the thread.
    fn move_flight(&self, worker: &Worker, runtime: Id) {
        let source = self.source.clone();
        worker.spawn(async move { source.move_flight_from(runtime) });
    }

    /// Returns the token if it is fresh, without waiting; `None` if it is stale or expired, or if
    /// there is none yet.
    #[must_use]
    pub fn fresh(&self) -> Option<AccessToken> {
        self.source.fresh()
    }

    /// Returns the state of the cached token; [`Expired`](TokenState::Expired) if there is none.
    #[must_use]
    pub fn state(&self) -> TokenState {
        self.source.state()
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
    pub fn check(&self) -> Result<(), Error> {
        self.token().map(drop)
    }

    /// Returns what the source knows of itself, without any secret. Asks nobody.
    #[must_use]
    pub fn status(&self) -> SourceStatus {
        self.source.status()
    }

    /// Drops this token after the API refused it (401). The next call fetches another.
    ///
    /// As [`invalidate`](crate::CachedTokenSource::invalidate) of the async source: a newer token
    /// is kept, and invalidations in quick succession are ignored.
    pub fn invalidate(&self, token: &AccessToken) {
        self.source.invalidate(token);
    }

    /// Replaces the exchange, and with it the credentials, without a restart: see
    /// [`replace_exchange`](crate::CachedTokenSource::replace_exchange) of the async source.
    ///
    /// # Errors
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) if the new exchange lacks a setting. The old
    /// exchange is kept then.
    pub fn replace_exchange(&self, exchange: E) -> Result<(), Error> {
        self.source.replace_exchange(exchange)
    }
}

impl<E: TokenExchange> TokenSource for CachedTokenSource<E> {
    fn token(&self) -> Result<AccessToken, Error> {
        Self::token(self)
    }

    fn invalidate(&self, token: &AccessToken) {
        Self::invalidate(self, token);
    }

    fn fresh(&self) -> Option<AccessToken> {
        Self::fresh(self)
    }

    fn status(&self) -> SourceStatus {
        Self::status(self)
    }

    fn api_hosts(&self) -> Vec<Endpoint> {
        AsyncTokenSource::api_hosts(&self.source)
    }

    fn refuses_token(&self, head: &Parts) -> bool {
        AsyncTokenSource::refuses_token(&self.source, head)
    }
}

/// Shares the token of the async source.
impl<E> From<engine::CachedTokenSource<E>> for CachedTokenSource<E> {
    fn from(source: engine::CachedTokenSource<E>) -> Self {
        Self { source }
    }
}

/// Shares the token of the blocking source.
impl<E> From<CachedTokenSource<E>> for engine::CachedTokenSource<E> {
    fn from(blocking: CachedTokenSource<E>) -> Self {
        blocking.source
    }
}

impl<E> Clone for CachedTokenSource<E> {
    fn clone(&self) -> Self {
        Self { source: self.source.clone() }
    }
}

impl<E: TokenExchange> fmt::Debug for CachedTokenSource<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.source, f)
    }
}
