//! Setting a source up.

use std::fmt;
use std::sync::Arc;

use super::CachedTokenSource;
use super::state::Inner;
use super::tools::Tools;
use crate::clock::{Clock, SourceClock};
use crate::error::Error;
use crate::exchange::TokenExchange;
use crate::http::HttpClient;
use crate::policy::{RefreshPolicy, RetryPolicy};

/// Builds a [`CachedTokenSource`] with parts of your own.
///
/// ```no_run
/// # use std::time::Duration;
/// # use auth_core::{CachedTokenSource, RefreshPolicy, RetryPolicy, TokenExchange};
/// # fn doc(flow: impl TokenExchange) -> Result<(), auth_core::Error> {
/// let tokens = CachedTokenSource::builder(flow)
///     .refresh(RefreshPolicy::default().max_age(Duration::from_secs(86_400)))
///     .retry(RetryPolicy::default().deadline(Duration::from_secs(8)))
///     .build()?;
/// # Ok(()) }
/// ```
#[must_use]
pub struct CachedTokenSourceBuilder<E> {
    exchange: E,
    http_client: Option<Arc<dyn HttpClient>>,
    clock: SourceClock,
    refresh: RefreshPolicy,
    retry: Option<RetryPolicy>,
}

impl<E: TokenExchange> CachedTokenSourceBuilder<E> {
    pub(super) fn new(exchange: E) -> Self {
        Self {
            exchange,
            http_client: None,
            clock: SourceClock::System,
            refresh: RefreshPolicy::default(),
            retry: None,
        }
    }

    /// The HTTP client; by default the one that all sources share.
    pub fn http_client(mut self, client: impl HttpClient) -> Self {
        self.http_client = Some(Arc::new(client));
        self
    }

    /// When to refresh, and how long to keep a token at most.
    pub fn refresh(mut self, policy: RefreshPolicy) -> Self {
        self.refresh = policy;
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
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) where the flow lacks a setting, or where
    /// there is no HTTP client.
    pub fn build(self) -> Result<CachedTokenSource<E>, Error> {
        if self.refresh.max_age.is_zero() || self.refresh.unknown_lifetime.is_zero() {
            let text = "a refresh policy of zero max_age or unknown_lifetime keeps no token at all";
            return Err(Error::config(text).with_provider(self.exchange.provider()));
        }
        let http_client = match self.http_client {
            Some(client) => client,
            None => crate::http::client::default_client()?,
        };
        let retry = self.retry.unwrap_or_else(|| self.exchange.retry());
        let tools = Tools {
            http_client,
            clock: self.clock,
            refresh: self.refresh,
            retry,
            jitter: fastrand::f64(),
        };
        Inner::new(self.exchange, tools).map(|inner| CachedTokenSource::from_inner(Arc::new(inner)))
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
