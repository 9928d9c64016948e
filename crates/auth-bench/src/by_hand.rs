//! Hand-written token caches without an engine: the references of every scenario.
//!
//! They are written as a good engineer would: the header is made once, expiry is checked on one
//! clock with the engine's margin, locks are held only as long as their kind needs, and the token
//! is checked again after each wait. None of them remembers a failure, which some scenarios
//! measure.

use std::sync::Arc;
use std::time::{Duration, Instant};

use arc_swap::ArcSwap;
use http::HeaderValue;
use moka::future::Cache;
use tokio::sync::{Mutex, RwLock};
use tokio::task::JoinHandle;

use crate::Failed;
use crate::contender::Get;
use crate::raw::{Raw, Token};
use crate::timing::now;

/// An async mutex around the token; a caller that finds none fetches it under the lock.
#[derive(Debug)]
pub(crate) struct Locked {
    slot: Mutex<Option<Token>>,
    raw: Raw,
}

impl Locked {
    pub(crate) fn new(raw: &Raw) -> Self {
        Self { slot: Mutex::new(None), raw: raw.clone() }
    }
}

impl Get for Locked {
    async fn get(&self) -> Result<HeaderValue, Failed> {
        let mut slot = self.slot.lock().await;
        if let Some(token) = &*slot
            && token.is_good(now())
        {
            return Ok(token.header.clone());
        }
        let token = self.raw.exchange_patiently().await?;
        Ok(slot.insert(token).header.clone())
    }
}

/// A read-write lock; a reader that finds no valid token fetches one under the write lock.
#[derive(Debug)]
pub(crate) struct Shared {
    slot: RwLock<Option<Token>>,
    raw: Raw,
}

impl Shared {
    pub(crate) fn new(raw: &Raw) -> Self {
        Self { slot: RwLock::new(None), raw: raw.clone() }
    }
}

impl Get for Shared {
    async fn get(&self) -> Result<HeaderValue, Failed> {
        if let Some(token) = &*self.slot.read().await
            && token.is_good(now())
        {
            return Ok(token.header.clone());
        }
        let mut slot = self.slot.write().await;
        if let Some(token) = &*slot
            && token.is_good(now())
        {
            return Ok(token.header.clone());
        }
        let token = self.raw.exchange_patiently().await?;
        Ok(slot.insert(token).header.clone())
    }
}

/// The moka cache with `try_get_with`, in which one caller fetches for all; the entry expires with
/// the token.
#[derive(Clone, Debug)]
pub(crate) struct Moka {
    cache: Cache<(), Token>,
    raw: Raw,
}

struct WithTheToken;

impl moka::Expiry<(), Token> for WithTheToken {
    fn expire_after_create(&self, (): &(), token: &Token, created: Instant) -> Option<Duration> {
        Some(token.usable_until.saturating_duration_since(created))
    }
}

impl Moka {
    pub(crate) fn new(raw: &Raw) -> Self {
        Self { cache: Cache::builder().expire_after(WithTheToken).build(), raw: raw.clone() }
    }
}

impl Get for Moka {
    async fn get(&self) -> Result<HeaderValue, Failed> {
        let fetch = self.raw.exchange();
        match self.cache.try_get_with((), fetch).await {
            Ok(token) => Ok(token.header),
            Err(error) => Err(Failed(error.0.clone())),
        }
    }
}

/// The moka cache with a plain `get`, which cannot fetch.
#[derive(Clone, Debug)]
pub(crate) struct MokaGet(pub(crate) Moka);

impl Get for MokaGet {
    async fn get(&self) -> Result<HeaderValue, Failed> {
        match self.0.cache.get(&()).await {
            Some(token) => Ok(token.header),
            None => self.0.get().await,
        }
    }
}

/// A task that refreshes after four fifths of the lifetime, and readers that only load.
///
/// The best of the hand-written ones, at the price of a permanent task for each source.
#[derive(Debug)]
pub(crate) struct Refreshed {
    kept: Arc<ArcSwap<Token>>,
    task: JoinHandle<()>,
}

impl Refreshed {
    pub(crate) async fn start(raw: &Raw) -> Result<Self, Failed> {
        let kept = Arc::new(ArcSwap::from_pointee(raw.exchange_patiently().await?));
        let (slot, raw) = (Arc::clone(&kept), raw.clone());
        let task = tokio::spawn(async move {
            let mut due = slot.load().refresh_due;
            loop {
                tokio::time::sleep_until(due.into()).await;
                due = match raw.exchange().await {
                    Ok(token) => {
                        let due = token.refresh_due;
                        slot.store(Arc::new(token));
                        due
                    }
                    Err(_) => now() + Duration::from_millis(500),
                };
            }
        });
        Ok(Self { kept, task })
    }
}

impl Get for Refreshed {
    async fn get(&self) -> Result<HeaderValue, Failed> {
        let token = self.kept.load();
        if token.is_good(now()) {
            Ok(token.header.clone())
        } else {
            Err(Failed("the token has ended".to_owned()))
        }
    }
}

impl Drop for Refreshed {
    fn drop(&mut self) {
        self.task.abort();
    }
}
