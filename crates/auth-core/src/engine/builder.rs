//! Builds a source: client, clock and policies.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::CachedTokenSource;
use super::Engine;
use super::jitter::Jitter;
use super::parts::Parts;
use super::report::Report;
use crate::clock::{Clock, SourceClock};
use crate::error::Error;
use crate::exchange::TokenExchange;
use crate::http::HttpClient;
use crate::observer::Observer;
use crate::policy::{RefreshPolicy, RetryPolicy};
use crate::resolver::Resolver;
use crate::store::TokenStore;

/// Builds a [`CachedTokenSource`] with parts of your own.
///
/// ```
/// use auth_core::{CachedTokenSource, RefreshPolicy, RetryPolicy};
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
/// let tokens = CachedTokenSource::builder(flow)
///     .http_client(client) // an `HttpClient` of your own
///     .refresh_policy(RefreshPolicy::default().max_age(Duration::from_secs(60)))
///     .retry_policy(RetryPolicy::default().deadline(Duration::from_secs(8)))
///     .build()?;
/// let ends = tokens.token().await?.expires_at();
/// let soon = std::time::SystemTime::now() + Duration::from_secs(60);
/// assert!(ends.is_some_and(|ends| ends <= soon));
/// # Ok(()) }
/// ```
#[must_use]
pub struct CachedTokenSourceBuilder<E> {
    exchange: E,
    resolver: Option<Arc<dyn Resolver<E>>>,
    http_client: Option<Arc<dyn HttpClient>>,
    clock: SourceClock,
    refresh: Option<RefreshPolicy>,
    retry: Option<RetryPolicy>,
    jitter: Jitter,
    label: Option<String>,
    observer: Option<Arc<dyn Observer>>,
    store: Option<Arc<dyn TokenStore>>,
}

impl<E: TokenExchange> CachedTokenSourceBuilder<E> {
    pub(super) fn new(exchange: E) -> Self {
        Self {
            exchange,
            resolver: None,
            http_client: None,
            clock: SourceClock::System,
            refresh: None,
            retry: None,
            jitter: Jitter::default(),
            label: None,
            observer: None,
            store: None,
        }
    }

    pub(super) fn resolver(mut self, resolver: Arc<dyn Resolver<E>>) -> Self {
        self.resolver = Some(resolver);
        self
    }

    /// Sets the HTTP client. By default all sources share one.
    pub fn http_client(mut self, client: impl HttpClient) -> Self {
        self.http_client = Some(Arc::new(client));
        self
    }

    /// Sets when to refresh, and how long to keep a token at most. The default is the flow's
    /// [`refresh_policy`](TokenExchange::refresh_policy).
    pub fn refresh_policy(mut self, policy: RefreshPolicy) -> Self {
        self.refresh = Some(policy);
        self
    }

    /// Sets how often and how long to try. The default is the flow's
    /// [`retry_policy`](TokenExchange::retry_policy).
    pub fn retry_policy(mut self, policy: RetryPolicy) -> Self {
        self.retry = Some(policy);
        self
    }

    /// Sets the clock. The default is [`SystemClock`](crate::SystemClock).
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = SourceClock::Custom(Arc::new(clock));
        self
    }

    /// Names the account, such as `merchant 42`: shown in errors, spans, `Debug` and
    /// [`SourceStatus`](crate::SourceStatus), never in a metric. Shown as one printable line of at
    /// most 64 characters; do not put a secret there.
    pub fn label(mut self, label: impl Into<String>) -> Self {
        self.label = Some(label.into());
        self
    }

    /// Sets who is told what the source does. The default is none; with the feature `metrics`, the
    /// `metrics` facade.
    pub fn observer(mut self, observer: impl Observer) -> Self {
        self.observer = Some(Arc::new(observer));
        self
    }

    /// Shares the tokens of the account with other processes: one asks the provider, and all use
    /// what it got. The crate `auth-store` has stores for one host and for many.
    ///
    /// A fresh or stale token costs what it costs without a store. A store that does not answer costs
    /// a caller 350 ms at most, when there is no token: then this source asks the provider itself. An
    /// error that the store passed on from another process is answered like one of its own.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use auth_core::{CachedTokenSource, Error, TokenExchange, TokenStore};
    ///
    /// fn shared<E: TokenExchange>(
    ///     flow: E,
    ///     store: &Arc<dyn TokenStore>, // one for all sources of the program
    /// ) -> Result<CachedTokenSource<E>, Error> {
    ///     CachedTokenSource::builder(flow).store(Arc::clone(store)).build()
    /// }
    /// ```
    pub fn store(mut self, store: impl TokenStore) -> Self {
        self.store = Some(Arc::new(store));
        self
    }

    /// Sets the source of jitter, uniform in `0..1`, so that a run can be repeated.
    #[cfg(any(test, feature = "test-util"))]
    #[doc(hidden)]
    pub fn draw(mut self, draw: impl Fn() -> f64 + Send + Sync + 'static) -> Self {
        self.jitter = Jitter::new(draw);
        self
    }

    /// Makes the source. Sends nothing and spawns nothing.
    ///
    /// # Errors
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) if the flow lacks a setting, if there is no
    /// HTTP client, if `max_age` or `unknown_lifetime` is under a second (no token would be kept),
    /// or if `attempt_timeout` or `deadline` is zero (no request could be sent).
    pub fn build(self) -> Result<CachedTokenSource<E>, Error> {
        let refresh = self.refresh.unwrap_or_else(|| self.exchange.refresh_policy());
        let retry = self.retry.unwrap_or_else(|| self.exchange.retry_policy());
        let observer = self.observer.or_else(facade);
        let report = Report::new(self.exchange.provider(), self.label.as_deref(), observer);
        if let Some(fault) = fault(&refresh, &retry) {
            return Err(report.sign(Error::config(fault)));
        }
        let http_client = match self.http_client {
            Some(client) => client,
            None => {
                let request = self.exchange.request();
                let is_plain = request.is_ok_and(|r| r.uri().scheme_str() == Some("http"));
                crate::http::reqwest::default_client(is_plain).map_err(|e| report.sign(e))?
            }
        };
        let parts = Parts {
            http_client,
            clock: self.clock,
            refresh,
            retry,
            jitter: self.jitter,
            report,
            store: self.store,
        };
        Engine::new(self.exchange, self.resolver, parts)
            .map(|engine| CachedTokenSource::from_engine(Arc::new(engine)))
    }
}

/// The observer of a source that was given none.
fn facade() -> Option<Arc<dyn Observer>> {
    #[cfg(feature = "metrics")]
    return Some(Arc::new(crate::metrics::MetricsObserver::default()));
    #[cfg(not(feature = "metrics"))]
    None
}

/// What is wrong with the limits, if anything. With such limits every token or attempt would fail,
/// and the error would blame the provider.
fn fault(refresh: &RefreshPolicy, retry: &RetryPolicy) -> Option<&'static str> {
    const SHORTEST: Duration = Duration::from_secs(1);
    if refresh.max_age < SHORTEST {
        Some("RefreshPolicy::max_age is under 1 s, so no token would be kept")
    } else if refresh.unknown_lifetime < SHORTEST {
        Some("RefreshPolicy::unknown_lifetime is under 1 s, so no token would be kept")
    } else if retry.attempt_timeout.is_zero() {
        Some("RetryPolicy::attempt_timeout is zero, so every attempt would time out")
    } else if retry.deadline.is_zero() {
        Some("RetryPolicy::deadline is zero, so no request would be sent")
    } else {
        None
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Endpoint, ErrorKind, Grant, HttpRequest, Identity, TokenRequest, TokenResponse};

    const HOST: Endpoint = Endpoint::from_static("https://pay.example.com");

    struct Acme;

    impl TokenExchange for Acme {
        fn provider(&self) -> &'static str {
            "acme"
        }

        fn identity(&self) -> Identity {
            Identity::new("acme", &HOST, &[])
        }

        fn request(&self) -> Result<HttpRequest, Error> {
            TokenRequest::post(&HOST).empty()
        }

        fn read(&self, _: &TokenResponse) -> Result<Grant, Error> {
            Err(Error::protocol("not asked here"))
        }
    }

    #[test]
    fn limits_that_no_token_could_meet_are_refused_by_name() {
        let (refresh, retry) = (RefreshPolicy::default(), RetryPolicy::default());
        let short = Duration::from_millis(999);
        for (refresh, retry, name) in [
            (refresh.max_age(short), retry, "RefreshPolicy::max_age"),
            (refresh.unknown_lifetime(short), retry, "RefreshPolicy::unknown_lifetime"),
            (refresh, retry.attempt_timeout(Duration::ZERO), "RetryPolicy::attempt_timeout"),
            (refresh, retry.deadline(Duration::ZERO), "RetryPolicy::deadline"),
        ] {
            let built = CachedTokenSource::builder(Acme)
                .refresh_policy(refresh)
                .retry_policy(retry)
                .build();
            let error = built.err().unwrap();
            assert_eq!((error.kind(), error.provider()), (ErrorKind::Config, Some("acme")));
            assert!(error.message().contains(name), "{error}");
        }
        let second = Duration::from_secs(1);
        assert!(fault(&refresh.max_age(second).unknown_lifetime(second), &retry).is_none());
    }

    #[test]
    fn a_builder_shows_its_policies() {
        let (refresh, retry) = (RefreshPolicy::default(), RetryPolicy::never());
        let builder = CachedTokenSource::builder(Acme).refresh_policy(refresh).retry_policy(retry);
        assert_eq!(
            format!("{builder:?}"),
            format!(
                "CachedTokenSourceBuilder {{ refresh: Some({refresh:?}), retry: Some({retry:?}), .. }}"
            )
        );
    }

    #[cfg(not(feature = "reqwest-0_13"))]
    #[test]
    fn a_missing_client_is_an_error_of_this_source() {
        let error = CachedTokenSource::builder(Acme).label("m 42").build().unwrap_err();
        assert!(error.to_string().starts_with("acme (m 42): no HTTP client"), "{error}");
    }
}
