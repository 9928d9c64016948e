//! The store itself: the rules of `record`, on a backend.
//!
//! Each call is a loop: read the record, apply a rule, write it back if it changed, and again if
//! somebody else wrote first. Each call has a patience, in which it is sent at most twice.

mod call;
mod patience;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use auth_core::{
    Ask, Claim, Clock, Error, Identity, Lease, Offered, Settled, SystemClock, TokenStore,
};

use self::call::Holder;
use crate::backend::Backend;
use crate::breaker::{Breaker, Pass};
use crate::id::Id;
use crate::key::{RecordName, StoreKey};
use crate::trace;

/// A store of tokens that several processes share, over any [`Backend`]. Clones are one store.
///
/// It is never in a caller's way. A call takes at most its [patience](Self::patience). After one
/// that failed the store is left alone: for a quarter of the outage, 500 ms to 30 s, then one claim
/// tries it again. Meanwhile each process asks the provider itself.
///
/// ```
/// use auth_core::CachedTokenSource;
/// use auth_store::{MemoryBackend, SharedStore, StoreKey};
///
/// let store = SharedStore::sealed(MemoryBackend::default(), StoreKey::generate()?);
/// assert!(format!("{store:?}").contains("[redacted]"));
/// # Ok::<(), auth_core::Error>(())
/// ```
///
/// # If the caller goes away
/// A call that is dropped has happened or has not. A lease that nobody holds ends within 5 s.
pub struct SharedStore<B> {
    backend: Arc<B>,
    key: Option<StoreKey>,
    clock: Arc<dyn Clock>,
    patience: Duration,
    breaker: Arc<Breaker>,
}

const PATIENCE: Duration = Duration::from_millis(300);
const LONGEST_PATIENCE: Duration = Duration::from_secs(2);
/// How long a call may take that ends a flight while the store is left alone: it is tried once, since
/// the store may be there again.
const LAST_WORD: Duration = Duration::from_millis(30);

impl<B: Backend> SharedStore<B> {
    /// Makes a store whose records are sealed with this key, even if the backend has one of its own.
    pub fn sealed(backend: B, key: StoreKey) -> Self {
        Self::with_key(backend, Some(key))
    }

    /// Makes a store that seals its records only if the backend has a [key](Backend::key) of its
    /// own, which is asked for at each claim. Without one, read access to the
    /// records reveals the tokens, write access decides which token is sent, and rejections are not
    /// shared.
    pub fn unsealed(backend: B) -> Self {
        Self::with_key(backend, None)
    }

    fn with_key(backend: B, key: Option<StoreKey>) -> Self {
        Self {
            backend: Arc::new(backend),
            key,
            clock: Arc::new(SystemClock),
            patience: PATIENCE,
            breaker: Arc::default(),
        }
    }

    /// Sets how long one call may take: 300 ms unless set. At half of it the call is sent again.
    ///
    /// ```
    /// use std::time::Duration;
    /// use auth_store::{MemoryBackend, SharedStore};
    ///
    /// let store = || SharedStore::unsealed(MemoryBackend::default());
    /// assert!(store().patience(Duration::from_millis(800)).is_ok()); // across regions
    /// assert!(store().patience(Duration::from_secs(3)).is_err());
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Config`](auth_core::ErrorKind::Config) if it is zero or over 2 s.
    pub fn patience(mut self, patience: Duration) -> Result<Self, Error> {
        if patience.is_zero() || patience > LONGEST_PATIENCE {
            let text = "the patience with a token store must be above zero and at most 2 s";
            return Err(Error::config(text));
        }
        self.patience = patience;
        Ok(self)
    }

    /// Sets the clock that patience and pauses are counted on: the system's unless set. The
    /// lifetimes of tokens and leases are counted on the backend's.
    #[must_use]
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// Removes what the store holds of an account: its token, and what it remembers of refusals.
    /// Says whether there was anything.
    ///
    /// ```
    /// use auth_core::{Endpoint, Identity};
    /// use auth_store::{MemoryBackend, SharedStore};
    ///
    /// # #[tokio::main] async fn main() -> Result<(), auth_core::Error> {
    /// let store = SharedStore::unsealed(MemoryBackend::default());
    /// let host = Endpoint::parse("https://pay.example.com")?;
    /// assert!(!store.forget(&Identity::new("acme", &host, &["m-1"])).await?);
    /// # Ok(()) }
    /// ```
    ///
    /// # If the caller goes away
    /// It was removed or was not.
    ///
    /// # Errors
    /// That of the backend, or [`ErrorKind::Store`](auth_core::ErrorKind::Store) after the patience.
    pub async fn forget(&self, identity: &Identity) -> Result<bool, Error> {
        self.patiently(self.now(), || self.try_forget(identity)).await
    }

    /// Writes a record of no account, reads it and removes it, and says what failed.
    ///
    /// For the start of a service, its health check, or a person who looks for a fault: no token call
    /// fails because of its store, so a store that is down shows nowhere else but in the log.
    ///
    /// ```
    /// use auth_store::{MemoryBackend, SharedStore};
    ///
    /// # #[tokio::main] async fn main() -> Result<(), auth_core::Error> {
    /// SharedStore::unsealed(MemoryBackend::default()).check().await?;
    /// # Ok(()) }
    /// ```
    ///
    /// # If the caller goes away
    /// The record may stay for ten seconds.
    ///
    /// # Errors
    /// That of the backend, or [`ErrorKind::Store`](auth_core::ErrorKind::Store) after the patience.
    pub async fn check(&self) -> Result<(), Error> {
        let name = RecordName::draw()?;
        self.patiently(self.now(), || self.try_check(&name)).await
    }

    /// Returns the backend.
    #[must_use]
    pub fn backend(&self) -> &B {
        &self.backend
    }

    fn now(&self) -> Duration {
        self.clock.monotonic()
    }

    /// What a call answered, noted in the breaker.
    fn noted<T>(&self, pass: Pass<'_>, began: Duration, answer: Result<T, Error>) -> Option<T> {
        match answer {
            Ok(answer) => {
                pass.worked();
                Some(answer)
            }
            Err(error) => {
                if let Some(pause) = pass.failed(began, self.now()) {
                    trace::unavailable(&error, pause);
                }
                None
            }
        }
    }
}

#[async_trait]
impl<B: Backend> TokenStore for SharedStore<B> {
    async fn claim(&self, ask: &Ask<'_>) -> Claim {
        let began = self.now();
        let Some(pass) = self.breaker.probe(began) else {
            return Claim::Unavailable;
        };
        let answer = match Id::draw() {
            // The same owner if it is sent again, so that its own lease is no other's.
            Ok(owner) => self.patiently(began, || self.try_claim(ask, owner)).await,
            Err(error) => Err(error),
        };
        let claim = self.noted(pass, began, answer).unwrap_or_else(|| {
            self.breaker.claim_failed();
            Claim::Unavailable
        });
        trace::claimed(ask.identity.provider(), &claim);
        claim
    }

    async fn renew(&self, _: &Ask<'_>, lease: &Lease) {
        let Some(holder) = lease.holder::<Holder>().filter(|holder| !holder.has_lock()) else {
            return; // A lock ends with its process, and no earlier.
        };
        let began = self.now();
        if let Some(pass) = self.breaker.pass() {
            let answer = self.patiently(began, || self.try_renew(holder)).await;
            self.noted(pass, began, answer);
        }
    }

    async fn settle(&self, ask: &Ask<'_>, lease: Option<Lease>, token: &Offered<'_>) -> Settled {
        let holder = lease.and_then(Lease::into_holder::<Holder>);
        let holder = holder.as_ref();
        let began = self.now();
        let Ok(generation) = Id::draw() else {
            return Settled::Unpublished;
        };
        // The same generation if it is sent again, so that its own token is no other's.
        let settle = || self.try_settle(ask, holder, generation, (token, began));
        let Some(pass) = self.breaker.pass() else {
            // The others would wait for the lease to end: this flight's own, or one that a claim left
            // which seemed to fail.
            if holder.is_none() && !self.breaker.take_failed_claim() {
                return Settled::Unpublished;
            }
            let answer = self.within(LAST_WORD, settle()).await;
            return answer.and_then(Result::ok).unwrap_or(Settled::Unpublished);
        };
        let answer = self.patiently(began, settle).await;
        if let Some(settled) = self.noted(pass, began, answer) {
            return settled;
        }
        match holder {
            Some(holder) if self.clear(began, holder, Some(generation)).await => {
                Settled::Kept(generation.into())
            }
            _ => Settled::Unpublished,
        }
    }

    async fn release(&self, _: &Ask<'_>, lease: Lease, said: Option<&Error>) {
        let Some(holder) = lease.into_holder::<Holder>() else {
            return;
        };
        let began = self.now();
        let Some(pass) = self.breaker.pass() else {
            self.within(LAST_WORD, self.try_release(&holder, said)).await;
            return;
        };
        let answer = self.patiently(began, || self.try_release(&holder, said)).await;
        if self.noted(pass, began, answer).is_none() {
            self.clear(began, &holder, None).await;
        }
    }
}

impl<B> Clone for SharedStore<B> {
    fn clone(&self) -> Self {
        Self {
            backend: Arc::clone(&self.backend),
            key: self.key.clone(),
            clock: Arc::clone(&self.clock),
            patience: self.patience,
            breaker: Arc::clone(&self.breaker),
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

#[cfg(test)]
mod tests;
