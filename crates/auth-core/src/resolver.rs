//! Credentials that move: where a source finds them each time that it asks for a token.

mod chain;
mod from_env;

use std::time::Duration;

use async_trait::async_trait;

pub use self::chain::Chain;
pub use self::from_env::FromEnv;
use crate::clock::{Clock, within};
use crate::error::{Error, ErrorKind};
use crate::panics::contained;

/// Finds the credentials of a source, as a flow that has them: when the source is made, and again
/// when an exchange begins, which is once in a token's life.
///
/// It is called within an exchange, never under a lock, for at most 5 s (or half of the time that
/// the exchange has left), and a panic is contained. If it fails while the source has a flow, the
/// source uses that flow and warns once, so that asking again never makes a good start worse.
/// Its answers are not cached.
///
/// For settings in variables and files there is [`FromEnv`]; [`Chain`] tries several.
///
/// ```
/// use auth_core::{Error, Resolve, Resolver, async_trait};
/// # struct Acme(String);
/// # struct Vault;
/// # impl Vault { async fn read(&self, _: &str) -> Result<String, std::io::Error> { Ok(String::new()) } }
///
/// struct FromVault(Vault);
///
/// #[async_trait]
/// impl Resolver<Acme> for FromVault {
///     async fn resolve(&self, _: Resolve) -> Result<Option<Acme>, Error> {
///         let secret = self.0.read("acme/secret").await;
///         let secret = secret.map_err(|e| Error::config("the vault has no secret").with_source(e))?;
///         Ok(Some(Acme(secret)))
///     }
/// }
/// ```
#[async_trait]
pub trait Resolver<E>: Send + Sync + 'static {
    /// Returns the flow with the credentials of now; `Ok(None)` if none are configured here, so that
    /// a chain goes on.
    ///
    /// # If the caller goes away
    /// The future is dropped with the exchange that it belongs to.
    ///
    /// # Errors
    /// If credentials are configured here and cannot be had: a chain stops.
    async fn resolve(&self, ask: Resolve) -> Result<Option<E>, Error>;
}

/// Why a [`Resolver`] is asked.
///
/// ```
/// use auth_core::Resolve;
///
/// fn may_use_cache(ask: Resolve) -> bool {
///     ask != Resolve::AfterRejection
/// }
/// assert!(may_use_cache(Resolve::Exchange));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Resolve {
    /// An exchange begins, or the source is made.
    Exchange,
    /// The provider has just rejected the credentials: look past a cache of your own. If another
    /// request comes of it, that is sent, once.
    AfterRejection,
}

/// How long a resolver may take.
pub(crate) const PATIENCE: Duration = Duration::from_secs(5);

/// Asks a resolver, for a limited time. A panic and an absence are errors.
pub(crate) async fn ask<E: 'static>(
    resolver: &dyn Resolver<E>,
    ask: Resolve,
    clock: &impl Clock,
    limit: Duration,
) -> Result<E, Error> {
    const PANICKED: &str = "the resolver of the credentials panicked: report the bug to its author";
    // In a block of its own: making the future may panic too.
    let answer = contained(async { resolver.resolve(ask).await });
    match within(clock, limit, answer).await {
        Some(Some(Ok(Some(exchange)))) => Ok(exchange),
        Some(Some(Ok(None))) => Err(Error::config("no credentials are configured")),
        Some(Some(Err(error))) => Err(error),
        Some(None) => Err(Error::new(ErrorKind::Internal, PANICKED)),
        None => {
            let text = format!("the resolver of the credentials gave no answer in {limit:?}");
            Err(Error::new(ErrorKind::Timeout, text))
        }
    }
}
