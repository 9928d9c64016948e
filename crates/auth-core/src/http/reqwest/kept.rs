//! The clients of the runtimes that asked lately.

use std::sync::{Mutex, MutexGuard, PoisonError};

use reqwest::Client;
use tokio::runtime::Id;

use crate::error::Error;

/// Runtimes whose connections are kept.
const RUNTIMES_KEPT: usize = 16;

/// One client for each runtime. A connection is a task; on a runtime that nobody drives it would
/// keep whoever picks it from the pool waiting.
///
/// The least recently used goes first, so that many short-lived runtimes do not push out the one
/// that serves. Nothing is made and nothing is dropped under the lock.
pub(super) struct Kept<C = Client>(Mutex<Vec<(Id, C)>>);

impl<C: Clone> Kept<C> {
    pub(super) const fn new() -> Self {
        Self(Mutex::new(Vec::new()))
    }

    /// The runtime's client, which `make` makes where there is none yet.
    pub(super) fn of(
        &self,
        runtime: Id,
        make: impl FnOnce() -> Result<C, Error>,
    ) -> Result<C, Error> {
        if let Some(client) = used(&mut self.locked(), runtime) {
            return Ok(client);
        }
        let made = make()?;
        let mut kept = self.locked();
        // Another thread of this runtime may have been faster: its connections are the ones to share.
        if let Some(client) = used(&mut kept, runtime) {
            drop(kept);
            return Ok(client);
        }
        let oldest = (kept.len() >= RUNTIMES_KEPT).then(|| kept.remove(0));
        kept.push((runtime, made.clone()));
        drop(kept);
        drop(oldest);
        Ok(made)
    }

    fn locked(&self) -> MutexGuard<'_, Vec<(Id, C)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The client of a runtime, moved to the end: the place of the one used last.
fn used<C: Clone>(kept: &mut Vec<(Id, C)>, runtime: Id) -> Option<C> {
    let place = kept.iter().position(|(id, _)| *id == runtime)?;
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

    #[test]
    fn a_runtime_in_use_keeps_its_client_beside_64_short_lived_ones() {
        let kept = Kept::new();
        let main = runtime();
        kept.of(main.handle().id(), || Ok(0)).unwrap();
        for number in 1..=64 {
            kept.of(runtime().handle().id(), || Ok(number)).unwrap();
            assert_eq!(kept.of(main.handle().id(), || Ok(-1)).unwrap(), 0, "{number}");
        }
        assert_eq!(kept.locked().len(), RUNTIMES_KEPT);
    }

    #[test]
    fn a_client_is_made_without_the_lock_and_a_failure_is_not_kept() {
        let kept = Kept::new();
        let id = runtime().handle().id();
        let failed = kept.of(id, || {
            assert!(kept.0.try_lock().is_ok());
            Err(Error::config("no descriptor is free"))
        });
        assert!(failed.is_err());
        assert_eq!(kept.of(id, || Ok(7)).unwrap(), 7);
    }
}
