//! Tokens for programs without async: a cron job, a synchronous web server, `ureq` or
//! `reqwest::blocking`.
//!
//! [`CachedTokenSource`] is the same engine behind calls that block. One thread, shared by all
//! sources of the process, sends the token requests. It is started when a token is first fetched,
//! and ends with the process. A call that finds a fresh token enters no runtime, takes no lock and
//! does not touch that thread.
//!
//! ```no_run
//! use auth_core::blocking::CachedTokenSource;
//! use auth_core::{Error, TokenExchange};
//!
//! fn run(flow: impl TokenExchange) -> Result<(), Error> {
//!     let tokens = CachedTokenSource::new(flow)?; // once, at start-up
//!     let token = tokens.token()?;                // before each call; cached
//!     println!("{:?}", token.authorization());    // "Bearer ...", printed as `Sensitive`
//!     Ok(())
//! }
//! ```
//!
//! Sources may be made, cloned and dropped anywhere, async code included. `token` may be called
//! anywhere too, but where it waits it blocks the thread: in async code await the
//! [async source](crate::CachedTokenSource) instead, which both can share. The guide
//! [Programs without async](crate::guide::blocking) says more: what to use where, forks, and what
//! the thread costs.

mod cached;
#[cfg(test)]
mod tests;
mod worker;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use http::response::Parts;

pub use self::cached::CachedTokenSource;
use self::worker::{Worker, overdue};
use crate::endpoint::Endpoint;
use crate::error::Error;
use crate::source::{SharedTokenSource, StaticTokenSource};
use crate::status::SourceStatus;
use crate::token::AccessToken;

/// A source of tokens for code without async. Call [`token`](Self::token) before each API call; it
/// is cheap.
///
/// For struct fields and libraries `Arc<dyn TokenSource>` holds any source behind one type. Any async
/// source is one too, as a [`SharedTokenSource`]: behind `dyn TokenSource`, because its own methods
/// are async.
///
/// ```
/// use std::sync::Arc;
/// use auth_core::blocking::TokenSource;
/// use auth_core::{Error, StaticTokenSource};
///
/// struct PaymentClient { tokens: Arc<dyn TokenSource> }
///
/// impl PaymentClient {
///     fn authorization(&self) -> Result<http::HeaderValue, Error> {
///         Ok(self.tokens.token()?.authorization())
///     }
/// }
///
/// let client = PaymentClient { tokens: Arc::new(StaticTokenSource::bearer("made-up")?) };
/// assert_eq!(client.authorization()?, "Bearer made-up");
/// # Ok::<(), Error>(())
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a blocking source of tokens",
    note = "wrap a flow in a source, `blocking::CachedTokenSource::new(flow)?`; turn an async \
            source into one with `blocking::CachedTokenSource::from(source)`"
)]
pub trait TokenSource: fmt::Debug + Send + Sync + 'static {
    /// Returns a token that is valid now. Blocks if one has to be fetched.
    ///
    /// # If the caller goes away
    /// A waiting thread cannot be cancelled. If it ends in another way, the other callers still get
    /// the outcome of the same exchange.
    ///
    /// # Errors
    /// See [`ErrorKind`](crate::ErrorKind).
    fn token(&self) -> Result<AccessToken, Error>;

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
    fn check(&self) -> Result<(), Error> {
        self.token().map(drop)
    }

    /// Returns the state of the source, without any secret. Asks nobody and never blocks.
    fn status(&self) -> SourceStatus {
        SourceStatus::of(self.fresh().as_ref())
    }

    /// Returns where the API is that takes these tokens: see
    /// [`TokenExchange::api_hosts`](crate::TokenExchange::api_hosts). None by default.
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

/// The same token at each call.
impl TokenSource for StaticTokenSource {
    fn token(&self) -> Result<AccessToken, Error> {
        Ok(self.get())
    }

    /// Does nothing: there is no other token to fetch.
    fn invalidate(&self, _: &AccessToken) {}

    fn fresh(&self) -> Option<AccessToken> {
        Some(self.get())
    }
}

/// How long a call waits for a source whose own limit is not known.
const LONGEST_WAIT: Duration = Duration::from_secs(120);

/// Any async source, one of your own included. Each call that finds no fresh token goes through the
/// thread; after two minutes it is given up.
impl TokenSource for SharedTokenSource {
    fn token(&self) -> Result<AccessToken, Error> {
        if let Some(token) = self.fresh() {
            return Ok(token);
        }
        let source = self.clone();
        let waiting = Worker::running()?.ask(async move { source.token().await })?;
        waiting.within(LONGEST_WAIT).unwrap_or_else(|| Err(overdue()))
    }

    fn invalidate(&self, token: &AccessToken) {
        Self::invalidate(self, token);
    }

    fn fresh(&self) -> Option<AccessToken> {
        Self::fresh(self)
    }

    fn check(&self) -> Result<(), Error> {
        let source = self.clone();
        let waiting = Worker::running()?.ask(async move { source.check().await })?;
        waiting.within(LONGEST_WAIT).unwrap_or_else(|| Err(overdue()))
    }

    fn status(&self) -> SourceStatus {
        Self::status(self)
    }

    fn api_hosts(&self) -> Vec<Endpoint> {
        crate::TokenSource::api_hosts(self)
    }

    fn refuses_token(&self, head: &Parts) -> bool {
        crate::TokenSource::refuses_token(self, head)
    }
}

macro_rules! pass_on {
    ($($pointer:ident),*) => {$(
        impl<T: TokenSource + ?Sized> TokenSource for $pointer<T> {
            fn token(&self) -> Result<AccessToken, Error> {
                (**self).token()
            }

            fn invalidate(&self, token: &AccessToken) {
                (**self).invalidate(token);
            }

            fn fresh(&self) -> Option<AccessToken> {
                (**self).fresh()
            }

            fn check(&self) -> Result<(), Error> {
                (**self).check()
            }

            fn status(&self) -> SourceStatus {
                (**self).status()
            }

            fn api_hosts(&self) -> Vec<Endpoint> {
                (**self).api_hosts()
            }

            fn refuses_token(&self, head: &Parts) -> bool {
                (**self).refuses_token(head)
            }
        }
    )*};
}

pass_on!(Arc, Box);
