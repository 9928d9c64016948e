//! Records in memory: for tests, and the shortest backend to read.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use auth_core::{Clock, Error, SystemClock};
use bytes::Bytes;

use crate::backend::{Backend, Snapshot};
use crate::key::RecordName;

/// Records in the memory of one process, for tests. Clones share the records.
///
/// ```
/// use std::time::Duration;
/// use auth_store::{Backend, MemoryBackend, RecordName, SharedStore, StoreKey};
///
/// let backend = MemoryBackend::default();
/// let store = SharedStore::sealed(backend.clone(), StoreKey::new([7; 32]));
/// assert!(backend.is_empty());
/// ```
#[derive(Clone)]
pub struct MemoryBackend {
    clock: Arc<dyn Clock>,
    records: Arc<Mutex<HashMap<RecordName, Kept>>>,
}

struct Kept {
    record: Bytes,
    /// When it may be forgotten.
    until: Duration,
}

impl MemoryBackend {
    /// Makes an empty place whose clock is the wall clock of this one.
    #[must_use]
    pub fn with_clock(clock: impl Clock) -> Self {
        Self { clock: Arc::new(clock), records: Arc::default() }
    }

    /// Loses a record, as a server does that needs its memory, and says whether there was one.
    pub fn lose(&self, name: &RecordName) -> bool {
        self.locked().remove(name).is_some()
    }

    /// Loses all records.
    pub fn lose_all(&self) {
        self.locked().clear();
    }

    /// Returns the records with their names, in no order.
    #[must_use]
    pub fn records(&self) -> Vec<(RecordName, Bytes)> {
        self.locked().iter().map(|(name, kept)| (name.clone(), kept.record.clone())).collect()
    }

    /// Whether there is no record.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.locked().is_empty()
    }

    fn now(&self) -> Duration {
        self.clock.wall().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default()
    }

    fn locked(&self) -> MutexGuard<'_, HashMap<RecordName, Kept>> {
        self.records.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for MemoryBackend {
    /// The clock is the machine's.
    fn default() -> Self {
        Self::with_clock(SystemClock)
    }
}

#[async_trait]
impl Backend for MemoryBackend {
    async fn read(&self, name: &RecordName) -> Result<Snapshot, Error> {
        let now = self.now();
        let mut records = self.locked();
        if records.get(name).is_some_and(|kept| kept.until <= now) {
            records.remove(name);
        }
        Ok(Snapshot::new(records.get(name).map(|kept| kept.record.clone()), now))
    }

    async fn swap(
        &self,
        name: &RecordName,
        old: Option<&[u8]>,
        new: Option<&[u8]>,
        keep: Duration,
    ) -> Result<bool, Error> {
        let until = self.now().saturating_add(keep);
        let mut records = self.locked();
        if records.get(name).map(|kept| kept.record.as_ref()) != old {
            return Ok(false);
        }
        match new {
            Some(new) => {
                let record = wiped(new);
                records.insert(name.clone(), Kept { record, until });
            }
            None => drop(records.remove(name)),
        }
        Ok(true)
    }
}

/// A copy that is wiped when its last clone is dropped: without a seal it holds a token.
fn wiped(record: &[u8]) -> Bytes {
    Bytes::from_owner(zeroize::Zeroizing::new(record.to_vec()))
}

impl fmt::Debug for MemoryBackend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MemoryBackend({} records)", self.locked().len())
    }
}
