//! What people write by hand where they have no engine: the references of every scenario.
//!
//! Written as a good engineer would: the header is made once, validity is checked on one clock with
//! the engine's margin, locks are held no longer than their kind needs, and a second look follows
//! each wait. None of them remembers a failure; that is the point of some scenarios.

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

/// An async mutex around the token; whoever finds it empty fetches under the lock.
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

/// A read-write lock: readers share, whoever finds nothing good fetches under the write lock.
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

/// The moka cache with `try_get_with`, which lets one caller fetch for all; the entry ends with the
/// token.
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

/// A task that refreshes when four fifths of the lifetime are over, and readers that only look.
///
/// The best that is written by hand, at the price of a task for each source for ever.
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
