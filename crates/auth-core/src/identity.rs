//! The account whose tokens a flow gets.

use std::fmt;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use crate::endpoint::Endpoint;

/// The account whose tokens a flow gets: provider, endpoint, and a hash of what distinguishes
/// accounts.
///
/// When an exchange is replaced, the engine keeps the token if the identity is the same (a rotated
/// secret) and drops it if not, so that a sandbox token is never handed out for production.
///
/// ```
/// use auth_core::{Endpoint, Identity};
///
/// let host = Endpoint::parse("https://pay.example.com")?;
/// assert_ne!(Identity::new("acme", &host, &["live"]), Identity::new("acme", &host, &["test"]));
/// # Ok::<(), auth_core::Error>(())
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Identity {
    provider: &'static str,
    endpoint: Endpoint,
    account: u64,
}

impl Identity {
    /// Makes an identity of the provider, the endpoint of its requests, and the parts that
    /// distinguish accounts (client id, API key, environment, scope).
    ///
    /// Only a hash of the parts is kept, which is valid within one process. Leave out what is
    /// rotated, above all the secret.
    #[must_use]
    pub fn new(provider: &'static str, endpoint: &Endpoint, parts: &[&str]) -> Self {
        let mut hasher = DefaultHasher::new();
        parts.hash(&mut hasher);
        Self { provider, endpoint: endpoint.clone(), account: hasher.finish() }
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Nothing that identifies the account in logs and metrics.
        f.debug_struct("Identity")
            .field("provider", &self.provider)
            .field("endpoint", &self.endpoint)
            .finish_non_exhaustive()
    }
}
