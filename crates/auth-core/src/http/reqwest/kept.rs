//! A cache of clients, one per runtime.

use std::sync::{Mutex, MutexGuard, PoisonError};

use reqwest::Client;
use tokio::runtime::Id;

use crate::error::Error;

/// The size of the cache.
const CLIENTS_KEPT: usize = 16;

/// The runtime that a client's connections belong to, and whether they are reused.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Key {
    pub(super) runtime: Id,
    /// Whether each request uses a new connection.
    pub(super) is_single_use: bool,
}

/// One client for each runtime, and a second one if requests ask for new connections. A pooled
/// connection is a task of the runtime that opened it: if that runtime is not driven, a request of
/// another runtime would hang on it.
///
/// The least recently used client is evicted, so that many short-lived runtimes do not evict that
/// of a long-lived one. No client is made or dropped under the lock.
pub(super) struct Kept<C = Client>(Mutex<Vec<(Key, C)>>);

impl<C: Clone> Kept<C> {
    pub(super) const fn new() -> Self {
        Self(Mutex::new(Vec::new()))
    }

    /// The client of a runtime; `make` makes it if there is none yet.
    pub(super) fn of(&self, key: Key, make: impl FnOnce() -> Result<C, Error>) -> Result<C, Error> {
        if let Some(client) = used(&mut self.locked(), key) {
            return Ok(client);
        }
        let made = make()?;
        let mut kept = self.locked();
        // Another thread of this runtime may have been faster; share its connections.
        if let Some(client) = used(&mut kept, key) {
            drop(kept);
            return Ok(client);
        }
        let oldest = (kept.len() >= CLIENTS_KEPT).then(|| kept.remove(0));
        kept.push((key, made.clone()));
        drop(kept);
        drop(oldest);
        Ok(made)
    }

    fn locked(&self) -> MutexGuard<'_, Vec<(Key, C)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The client of a runtime, moved to the end, the place of the most recently used.
fn used<C: Clone>(kept: &mut Vec<(Key, C)>, key: Key) -> Option<C> {
    let place = kept.iter().position(|(known, _)| *known == key)?;
    let entry = kept.remove(place);
    let client = entry.1.clone();
    kept.push(entry);
    Some(client)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn runtime() -> tokio::runtime::Runtime {
        tokio::runtime::Builder::new_current_thread().build().unwrap()
    }

    fn key(runtime: &tokio::runtime::Runtime) -> Key {
        Key { runtime: runtime.handle().id(), is_single_use: false }
    }

    #[test]
    fn a_runtime_in_use_keeps_its_client_beside_64_short_lived_ones() {
        let kept = Kept::new();
        let main = runtime();
        kept.of(key(&main), || Ok(0)).unwrap();
        for number in 1..=64 {
            kept.of(key(&runtime()), || Ok(number)).unwrap();
            assert_eq!(kept.of(key(&main), || Ok(-1)).unwrap(), 0, "{number}");
        }
        assert_eq!(kept.locked().len(), CLIENTS_KEPT);
    }

    #[test]
    fn a_client_is_made_without_the_lock_and_a_failure_is_not_kept() {
        let kept = Kept::new();
        let key = key(&runtime());
        let failed = kept.of(key, || {
            assert!(kept.0.try_lock().is_ok());
            Err(Error::config("no descriptor is free"))
        });
        assert!(failed.is_err());
        assert_eq!(kept.of(key, || Ok(7)).unwrap(), 7);
    }
}
