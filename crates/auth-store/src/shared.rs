//! The store itself: the rules of `record`, on a backend.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use auth_core::{Ask, Claim, Clock, Error, Lease, Offered, Settled, SystemClock, TokenStore};

use crate::backend::Backend;
use crate::key::StoreKey;

/// A store of tokens that several processes share, over any [`Backend`]. Clones are the same store.
///
/// ```
/// use auth_store::{MemoryBackend, SharedStore, StoreKey};
///
/// let store = SharedStore::sealed(MemoryBackend::default(), StoreKey::generate()?);
/// # Ok::<(), auth_core::Error>(())
/// ```
pub struct SharedStore<B> {
    backend: Arc<B>,
    key: Option<StoreKey>,
    clock: Arc<dyn Clock>,
    patience: Duration,
}

const PATIENCE: Duration = Duration::from_millis(300);
const LONGEST_PATIENCE: Duration = Duration::from_secs(2);

impl<B: Backend> SharedStore<B> {
    /// Makes a store whose records are sealed with a key.
    pub fn sealed(backend: B, key: StoreKey) -> Self {
        Self::with_key(backend, Some(key))
    }

    /// Makes a store that seals its records only if the backend has a [key](Backend::key) of its
    /// own. Without one, whoever can read the place has the tokens.
    pub fn unsealed(backend: B) -> Self {
        Self::with_key(backend, None)
    }

    fn with_key(backend: B, key: Option<StoreKey>) -> Self {
        let clock = Arc::new(SystemClock);
        Self { backend: Arc::new(backend), key, clock, patience: PATIENCE }
    }

    /// Sets how long one call may take, 300 ms unless set. At half of it the call is sent again.
    ///
    /// # Errors
    /// [`ErrorKind::Config`](auth_core::ErrorKind::Config) if it is zero or over 2 s.
    pub fn patience(mut self, patience: Duration) -> Result<Self, Error> {
        if patience.is_zero() || patience > LONGEST_PATIENCE {
            return Err(Error::config(
                "the patience with a store must be above zero and at most 2 s",
            ));
        }
        self.patience = patience;
        Ok(self)
    }

    /// Sets the clock that patience and pauses are counted on; the system's unless set.
    #[must_use]
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// Returns the backend.
    #[must_use]
    pub fn backend(&self) -> &B {
        &self.backend
    }
}

#[async_trait]
impl<B: Backend> TokenStore for SharedStore<B> {
    async fn claim(&self, _: &Ask<'_>) -> Claim {
        Claim::Unavailable
    }

    async fn renew(&self, _: &Ask<'_>, _: &Lease) {}

    async fn settle(&self, _: &Ask<'_>, _: Option<Lease>, _: &Offered<'_>) -> Settled {
        Settled::Unpublished
    }

    async fn release(&self, _: &Ask<'_>, _: Lease, _: Option<&Error>) {}
}

impl<B> Clone for SharedStore<B> {
    fn clone(&self) -> Self {
        Self {
            backend: Arc::clone(&self.backend),
            key: self.key.clone(),
            clock: Arc::clone(&self.clock),
            patience: self.patience,
        }
    }
}

impl<B: fmt::Debug> fmt::Debug for SharedStore<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SharedStore")
            .field("backend", &self.backend)
            .field("key", &self.key)
            .field("patience", &self.patience)
            .finish_non_exhaustive()
    }
}
