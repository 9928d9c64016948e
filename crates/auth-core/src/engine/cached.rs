//! A source that keeps a provider's token fresh: the public type around the engine.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use http::response::Parts;
use tokio::runtime::Id;

use super::{CachedTokenSourceBuilder, Engine, Look};
use crate::clock::SystemClock;
use crate::endpoint::Endpoint;
use crate::env::Env;
use crate::error::Error;
use crate::exchange::TokenExchange;
use crate::observer::Read;
use crate::resolver::{FromEnv, PATIENCE, Resolve, Resolver, ask};
use crate::source::{SharedTokenSource, TokenSource};
use crate::status::SourceStatus;
use crate::term::TokenState;
use crate::token::AccessToken;

/// A source that keeps a provider's token fresh: the engine around a [`TokenExchange`].
///
/// Cheap to clone; clones share the token, the flight and the remembered failure. Make one per set
/// of credentials and keep it for the life of the process.
///
/// - **Single flight.** However many callers wait, one exchange is in flight, and all of them get
///   its outcome, success or failure.
/// - **Refresh ahead of expiry.** While a token is [stale](TokenState::Stale), callers get it at
///   once and one refresh runs in the background. If the refresh fails, the old token is used
///   until it expires.
/// - **Fail fast.** A failure is remembered and returned at once: a transient one for a quarter of
///   the time that the outage has lasted (500 ms to 30 s), a rejection for 30 s doubling to 5 min,
///   and for as long as `Retry-After` asks. After that one probe is sent.
/// - **No expired tokens.** Expiry is checked on the monotonic and on the wall clock, and the
///   stricter one wins. A lifetime counts from the moment the request began.
///
/// ```
/// use auth_core::{CachedTokenSource, TokenState};
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
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Error> {
/// # let (flow, client) = (Acme, Canned);
///
/// // `CachedTokenSource::new(flow)?` does the same with the client that all sources share.
/// let tokens = CachedTokenSource::builder(flow).http_client(client).build()?;
/// let token = tokens.token().await?; // asks
/// assert_eq!(token.authorization(), "Bearer made-up");
///
/// let elsewhere = tokens.clone(); // the same token, for every clone
/// assert!(elsewhere.token().await?.ptr_eq(&token));
/// assert_eq!(elsewhere.state(), TokenState::Fresh);
///
/// tokens.invalidate(&token); // the API answered it with 401
/// assert!(!tokens.token().await?.ptr_eq(&token));
/// # Ok(()) }
/// ```
pub struct CachedTokenSource<E> {
    engine: Arc<Engine<E>>,
}

impl<E: TokenExchange> CachedTokenSource<E> {
    /// A source with the default client, clock and policies.
    ///
    /// Sends nothing and spawns nothing.
    ///
    /// # Errors
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) if the flow lacks a setting, such as an
    /// endpoint, so that it is found at start-up and not at the first payment; or if no HTTP client
    /// is compiled in.
    pub fn new(exchange: E) -> Result<Self, Error> {
        Self::builder(exchange).build()
    }

    /// A source with a client, a clock or policies of your own.
    pub fn builder(exchange: E) -> CachedTokenSourceBuilder<E> {
        CachedTokenSourceBuilder::new(exchange)
    }

    /// Builds a source whose credentials move: the resolver is asked now, again when an exchange
    /// begins, and once more if the provider rejects them.
    ///
    /// Credentials that are found are used, and a token of the same account stays good until it
    /// expires, so nothing has to hear of a rotated secret earlier. If the resolver fails later, the
    /// credentials of before are used, and one warning says so; the provider's rejection names the
    /// fault. After a rejection one other request may follow in the same exchange, but never the
    /// same. Nothing watches and no timer runs: a fresh token costs what it costs without a resolver.
    ///
    /// # If the caller goes away
    /// Dropping the future drops that of the resolver.
    ///
    /// # Errors
    /// That of the resolver; if nothing is configured, or if it takes over 5 s.
    ///
    /// ```
    /// use auth_core::{CachedTokenSource, Chain, Env, Error, FromEnv, TokenExchange};
    ///
    /// async fn tokens<E: TokenExchange>(
    ///     read_env: fn(&Env) -> Result<E, Error>, // such as `Digitalpaye::read_env`
    /// ) -> Result<CachedTokenSource<E>, Error> {
    ///     let places = Chain::new().or("the environment", FromEnv::new(Env::process(), read_env));
    ///     CachedTokenSource::resolved("acme", places).await?.build()
    /// }
    /// ```
    pub async fn resolved(
        provider: &'static str,
        resolver: impl Resolver<E>,
    ) -> Result<CachedTokenSourceBuilder<E>, Error> {
        let found = ask(&resolver, Resolve::Exchange, &SystemClock, PATIENCE).await;
        let exchange = found.map_err(|error| error.with_provider(provider))?;
        Ok(Self::builder(exchange).resolver(Arc::new(resolver)))
    }

    /// Builds a source that reads variables and the files that they name now, and again when an
    /// exchange begins: [`resolved`](Self::resolved) with [`FromEnv`], for code without async too.
    ///
    /// # Errors
    /// That of the function.
    ///
    /// ```
    /// use auth_core::{CachedTokenSource, Env, Error, TokenExchange};
    ///
    /// fn tokens<E: TokenExchange>(
    ///     read_env: fn(&Env) -> Result<E, Error>, // such as `Digitalpaye::read_env`
    /// ) -> Result<CachedTokenSource<E>, Error> {
    ///     CachedTokenSource::rereading(Env::process(), read_env)?.build()
    /// }
    /// ```
    pub fn rereading(
        env: Env,
        read: impl Fn(&Env) -> Result<E, Error> + Send + Sync + 'static,
    ) -> Result<CachedTokenSourceBuilder<E>, Error> {
        let found = FromEnv::new(env, read);
        Ok(Self::builder(found.read()?).resolver(Arc::new(found)))
    }

    pub(super) fn from_engine(engine: Arc<Engine<E>>) -> Self {
        Self { engine }
    }

    /// Returns a token that is valid now: the cached one, or that of the exchange in flight, or of
    /// a new exchange.
    ///
    /// A fresh or stale token is returned at once, with one exception: a caller that finds a stale
    /// token where nothing else can drive the refresh (no runtime, or the root of `block_on`)
    /// drives it for up to one second.
    ///
    /// # If the caller goes away
    /// Dropping the future affects no other caller. On a tokio runtime the exchange runs in its own
    /// task, and its token is kept for the next caller. Elsewhere another waiter continues the same
    /// exchange; if there is none, the next caller starts a new one.
    ///
    /// # Errors
    /// The error of the exchange, or a remembered failure: see
    /// [`ErrorKind`](crate::ErrorKind).
    pub async fn token(&self) -> Result<AccessToken, Error> {
        match self.engine.look() {
            Look::Fresh(token) => {
                self.engine.parts.report.read(Read::Fresh);
                Ok(token)
            }
            // Boxed, to keep the future small for the common case of a fresh token.
            Look::Stale(token) => {
                drop(token);
                self.engine.parts.report.read(Read::Stale);
                Box::pin(self.engine.refresh()).await;
                // If this caller drove the refresh, there may be a newer token, or this one may
                // have expired in the meantime.
                match self.engine.usable() {
                    Some(token) => Ok(token),
                    None => Box::pin(self.engine.fetch()).await,
                }
            }
            Look::Nothing => {
                self.engine.parts.report.read(Read::Waited);
                Box::pin(self.engine.fetch()).await
            }
        }
    }

    /// Returns the token if it is fresh, without waiting; `None` if it is stale or expired, or if
    /// there is none yet.
    #[must_use]
    pub fn fresh(&self) -> Option<AccessToken> {
        match self.engine.look() {
            Look::Fresh(token) => {
                self.engine.parts.report.read(Read::Fresh);
                Some(token)
            }
            Look::Stale(_) | Look::Nothing => None,
        }
    }

    /// Returns the state of the cached token; [`Expired`](TokenState::Expired) if there is none.
    #[must_use]
    pub fn state(&self) -> TokenState {
        match self.engine.look() {
            Look::Fresh(_) => TokenState::Fresh,
            Look::Stale(_) => TokenState::Stale,
            Look::Nothing => TokenState::Expired,
        }
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
    pub async fn check(&self) -> Result<(), Error> {
        self.token().await.map(drop)
    }

    /// Returns what the source knows of itself, without any secret. Asks nobody.
    #[must_use]
    pub fn status(&self) -> SourceStatus {
        self.engine.status()
    }

    /// Drops this token after the API refused it (401). The next call fetches another.
    ///
    /// A newer token is kept, so ten late 401s cost one refresh. Invalidations in quick succession
    /// are ignored (for 1 s after the first, doubling to 60 s; reset after 5 min), so that an API
    /// that always answers 401 cannot cause a loop of token requests.
    pub fn invalidate(&self, token: &AccessToken) {
        self.engine.invalidate(token);
    }

    /// Replaces the exchange, and with it the credentials, without a restart. A source with a
    /// resolver has none from then on.
    ///
    /// A remembered failure is forgotten, and the flight of the old exchange is ended: its waiters
    /// wait for a new one. The cached token is kept if both exchanges have the same
    /// [identity](TokenExchange::identity) (a rotated secret), and dropped if not (another
    /// account, environment or host).
    ///
    /// # Errors
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) if the new exchange lacks a setting. The old
    /// exchange is kept then.
    pub fn replace_exchange(&self, exchange: E) -> Result<(), Error> {
        self.engine.replace(exchange)
    }
}

/// For callers without a runtime ([`crate::blocking`]): what `token` does, in steps that block for
/// no longer than the short lock is held.
impl<E: TokenExchange> CachedTokenSource<E> {
    /// The error with the provider and the label.
    pub(crate) fn sign(&self, error: Error) -> Error {
        self.engine.parts.report.sign(error)
    }

    /// Tells the observer how a caller got its answer.
    pub(crate) fn read(&self, read: Read) {
        self.engine.parts.report.read(read);
    }

    /// How long a call waits at most, on a runtime that is driven.
    pub(crate) fn limit(&self) -> Duration {
        self.engine.limit()
    }

    /// The kept token if it is fresh or stale.
    pub(crate) fn usable(&self) -> Option<AccessToken> {
        self.engine.usable()
    }

    /// The failure that callers get at once, while its pause lasts.
    pub(crate) fn remembered(&self) -> Option<Error> {
        let now = self.engine.parts.clock.now();
        self.engine.locked().remembered(now)
    }

    /// Whether `refresh` would start a flight: none is under way, and no failure is remembered.
    pub(crate) fn needs_refresh(&self) -> bool {
        let now = self.engine.parts.clock.now();
        let (flight, in_pause) = {
            let state = self.engine.locked();
            let pause = state.failure.as_ref().and_then(|failure| failure.left(now.monotonic));
            (state.live(now.monotonic, self.engine.limit()), pause.is_some())
        };
        flight.is_none() && !in_pause
    }

    /// Starts a refresh if one is needed, on the runtime of the task that calls this.
    pub(crate) async fn refresh(&self) {
        self.engine.refresh().await;
    }

    /// Moves the flight if its task is on this runtime, which may not be driven: ends it, and starts
    /// another on the runtime of the task that calls this. In one step, since those that wait
    /// elsewhere would start the next one where the last one was, to be moved again.
    pub(crate) fn move_flight_from(&self, runtime: Id) {
        let now = self.engine.parts.clock.now();
        let mut state = self.engine.locked();
        if state.current.as_ref().is_some_and(|current| current.runtime == Some(runtime)) {
            let moved = self.engine.take_off(&mut state, now, true);
            drop(state);
            drop(moved);
        }
    }
}

#[async_trait]
impl<E: TokenExchange> TokenSource for CachedTokenSource<E> {
    async fn token(&self) -> Result<AccessToken, Error> {
        Self::token(self).await
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
        self.engine.exchange().api_hosts()
    }

    fn refuses_token(&self, head: &Parts) -> bool {
        self.engine.exchange().refuses_token(head)
    }
}

impl<E> Clone for CachedTokenSource<E> {
    fn clone(&self) -> Self {
        Self { engine: Arc::clone(&self.engine) }
    }
}

impl<E: TokenExchange> From<CachedTokenSource<E>> for SharedTokenSource {
    fn from(source: CachedTokenSource<E>) -> Self {
        Self::new(source)
    }
}

impl<E: TokenExchange> fmt::Debug for CachedTokenSource<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CachedTokenSource")
            .field("provider", &self.engine.parts.report.provider)
            .field("label", &self.engine.parts.report.label)
            .field("state", &self.state())
            .finish_non_exhaustive()
    }
}
