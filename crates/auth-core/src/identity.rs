//! Whose tokens a flow gets.

use std::fmt;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use crate::endpoint::Endpoint;

/// Whose tokens a flow gets: provider, endpoint, and a fingerprint of what tells accounts apart.
///
/// The engine keeps a token across a change of secret, and drops it when the identity changes, so
/// that a sandbox token is never handed out for production.
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
    /// An identity of a provider, the endpoint that is asked, and the parts that tell accounts
    /// apart (client id, API key, environment, scope). The parts are not kept, only a hash of them
    /// that is good within one process. Leave out what is rotated, the secret above all.
    #[must_use]
    pub fn new(provider: &'static str, endpoint: &Endpoint, parts: &[&str]) -> Self {
        let mut hasher = DefaultHasher::new();
        parts.hash(&mut hasher);
        Self { provider, endpoint: endpoint.clone(), account: hasher.finish() }
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Nothing that names the account: metrics and logs should not.
        f.debug_struct("Identity")
            .field("provider", &self.provider)
            .field("endpoint", &self.endpoint)
            .finish_non_exhaustive()
    }
}
