//! Setting a source up.

use std::fmt;
use std::sync::Arc;

use super::CachedTokenSource;
use super::Engine;
use super::tools::Tools;
use crate::clock::{Clock, SourceClock};
use crate::error::Error;
use crate::exchange::TokenExchange;
use crate::http::HttpClient;
use crate::policy::{RefreshPolicy, RetryPolicy};

/// Builds a [`CachedTokenSource`] with parts of your own.
///
/// ```
/// use auth_core::{CachedTokenSource, RefreshPolicy, RetryPolicy};
/// # use std::time::Duration;
/// # use auth_core::{Endpoint, Error, Expiry, Grant, HttpClient, HttpRequest, HttpResponse};
/// # use auth_core::{Identity, Response, TokenExchange, TokenRequest, async_trait};
/// # const HOST: Endpoint = Endpoint::from_static("https://pay.example.com");
/// # struct Acme;
/// # impl TokenExchange for Acme {
/// #     fn provider(&self) -> &'static str { "acme" }
/// #     fn identity(&self) -> Identity { Identity::new("acme", &HOST, &[]) }
/// #     fn request(&self) -> Result<HttpRequest, Error> { TokenRequest::post(&HOST).empty() }
/// #     fn read(&self, _: &Response) -> Result<Grant, Error> {
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
/// let tokens = CachedTokenSource::builder(flow)
///     .http_client(client) // an `HttpClient` of your own
///     .refresh(RefreshPolicy::default().max_age(Duration::from_secs(60)))
///     .retry(RetryPolicy::default().deadline(Duration::from_secs(8)))
///     .build()?;
/// let ends = tokens.token().await?.expires_at();
/// assert!(ends.is_some_and(|ends| ends <= std::time::SystemTime::now() + Duration::from_secs(60)));
/// # Ok(()) }
/// ```
#[must_use]
pub struct CachedTokenSourceBuilder<E> {
    exchange: E,
    http_client: Option<Arc<dyn HttpClient>>,
    clock: SourceClock,
    refresh: Option<RefreshPolicy>,
    retry: Option<RetryPolicy>,
}

impl<E: TokenExchange> CachedTokenSourceBuilder<E> {
    pub(super) fn new(exchange: E) -> Self {
        Self { exchange, http_client: None, clock: SourceClock::System, refresh: None, retry: None }
    }

    /// The HTTP client; by default the one that all sources share.
    pub fn http_client(mut self, client: impl HttpClient) -> Self {
        self.http_client = Some(Arc::new(client));
        self
    }

    /// When to refresh, and how long to keep a token at most; by default what the
    /// flow says.
    pub fn refresh(mut self, policy: RefreshPolicy) -> Self {
        self.refresh = Some(policy);
        self
    }

    /// How often and how long to try; by default what the flow says.
    pub fn retry(mut self, policy: RetryPolicy) -> Self {
        self.retry = Some(policy);
        self
    }

    /// The clock; by default the machine's.
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = SourceClock::Custom(Arc::new(clock));
        self
    }

    /// Makes the source. Nothing is sent and nothing is spawned.
    ///
    /// # Errors
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) where the flow lacks a setting, where there
    /// is no HTTP client, or where the refresh policy would keep no token at all.
    pub fn build(self) -> Result<CachedTokenSource<E>, Error> {
        let refresh = self.refresh.unwrap_or_else(|| self.exchange.refresh_policy());
        if refresh.max_age.is_zero() || refresh.unknown_lifetime.is_zero() {
            let text = "a refresh policy of zero max_age or unknown_lifetime keeps no token at all";
            return Err(Error::config(text).with_provider(self.exchange.provider()));
        }
        let http_client = match self.http_client {
            Some(client) => client,
            None => {
                let request = self.exchange.request();
                let is_plain = request.is_ok_and(|r| r.uri().scheme_str() == Some("http"));
                crate::http::reqwest::default_client(is_plain)?
            }
        };
        let retry = self.retry.unwrap_or_else(|| self.exchange.retry());
        let tools = Tools { http_client, clock: self.clock, refresh, retry };
        Engine::new(self.exchange, tools)
            .map(|engine| CachedTokenSource::from_engine(Arc::new(engine)))
    }
}

impl<E> fmt::Debug for CachedTokenSourceBuilder<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CachedTokenSourceBuilder")
            .field("refresh", &self.refresh)
            .field("retry", &self.retry)
            .finish_non_exhaustive()
    }
}
