//! The account whose tokens a flow gets.

use std::fmt;
use std::sync::Arc;

use crate::endpoint::Endpoint;
use crate::secret::WipedBuffer;

/// The account whose tokens a flow gets: the provider, the endpoint, and what distinguishes
/// accounts.
///
/// When an exchange is replaced, the engine keeps the token if the identity is the same (a rotated
/// secret) and drops it if not, so that a sandbox token is never handed out for production. A
/// [store](crate::TokenStore) names its record after the identity, so processes with the same one
/// share their tokens.
///
/// ```
/// use auth_core::{Endpoint, Identity};
///
/// let host = Endpoint::parse("https://pay.example.com")?;
/// assert_ne!(Identity::new("acme", &host, &["live"]), Identity::new("acme", &host, &["test"]));
/// assert_ne!(Identity::new("acme", &host, &["a", "b"]), Identity::new("acme", &host, &["ab"]));
/// # Ok::<(), auth_core::Error>(())
/// ```
#[derive(Clone)]
pub struct Identity {
    provider: &'static str,
    endpoint: Endpoint,
    /// Wiped, since an account's name may be its only credential (Papaya's API key).
    canonical: Arc<WipedBuffer>,
}

impl Identity {
    /// Makes an identity of the provider, the endpoint of its requests, and the parts that
    /// distinguish accounts (client id, API key, environment, scope).
    ///
    /// Leave out what is rotated, above all the secret. The list of parts is a contract: another
    /// list, or another order, is another account to a store.
    #[must_use]
    pub fn new(provider: &'static str, endpoint: &Endpoint, parts: &[&str]) -> Self {
        let all = || [provider, endpoint.as_str()].into_iter().chain(parts.iter().copied());
        let mut canonical =
            WipedBuffer::with_capacity(FORMAT.len() + all().map(|p| 4 + p.len()).sum::<usize>());
        canonical.extend_from_slice(FORMAT);
        for part in all() {
            let length = u32::try_from(part.len()).unwrap_or(u32::MAX);
            canonical.extend_from_slice(&length.to_be_bytes());
            canonical.extend_from_slice(part.as_bytes());
        }
        Self { provider, endpoint: endpoint.clone(), canonical: Arc::new(canonical) }
    }

    /// Returns the provider.
    #[must_use]
    pub fn provider(&self) -> &'static str {
        self.provider
    }

    /// Returns the identity as bytes, the same in each process and in each version with the same
    /// list of parts: `auth-core identity 1`, then provider, endpoint and each part, each after its
    /// length in four bytes, the highest first.
    ///
    /// They hold the name of the account in the clear: to be hashed, never to be shown or logged.
    ///
    /// ```
    /// use auth_core::{Endpoint, Identity};
    ///
    /// let host = Endpoint::parse("https://pay.example.com:443")?; // the scheme's own port
    /// let same = Endpoint::parse("https://pay.example.com")?;
    /// let (one, other) = (Identity::new("acme", &host, &["a"]), Identity::new("acme", &same, &["a"]));
    /// assert_eq!(one.canonical(), other.canonical());
    /// # Ok::<(), auth_core::Error>(())
    /// ```
    #[must_use]
    pub fn canonical(&self) -> &[u8] {
        self.canonical.as_slice()
    }
}

/// The beginning of the canonical bytes. Another format has another number.
const FORMAT: &[u8] = b"auth-core identity 1";

impl PartialEq for Identity {
    fn eq(&self, other: &Self) -> bool {
        self.canonical() == other.canonical()
    }
}

impl Eq for Identity {}

impl std::hash::Hash for Identity {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.canonical().hash(state);
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
