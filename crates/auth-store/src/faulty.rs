//! A backend for tests that fails as it is told to.

use std::collections::{HashSet, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use auth_core::{Error, ErrorKind, ManualClock};

use crate::backend::{Backend, Lock, Snapshot};
use crate::key::{RecordName, StoreKey};
use crate::memory::MemoryBackend;

/// What happens to one call of the backend.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    None,
    /// It is not done.
    Error,
    /// It is done, and the answer is an error.
    LostReply,
    /// It is not done, and never answered.
    Hang,
    /// A swap says that somebody else was first.
    Raced,
    /// Writing is an error, and removing is not.
    Full,
    /// It is done, and then all records are lost.
    LostRecords,
}

/// Records in memory. Clones are the same place.
#[derive(Clone, Debug)]
pub(crate) struct Faulty {
    pub(crate) records: MemoryBackend,
    pub(crate) clock: ManualClock,
    plan: Arc<Mutex<Plan>>,
}

#[derive(Debug, Default)]
struct Plan {
    /// Faults of the next calls.
    next: VecDeque<Fault>,
    /// The fault of all later calls.
    then: Option<Fault>,
    calls: usize,
    key: Option<StoreKey>,
    /// The locks that are held, if there are locks.
    locks: Option<Arc<Mutex<HashSet<RecordName>>>>,
}

struct Guard(Arc<Mutex<HashSet<RecordName>>>, RecordName);

impl Drop for Guard {
    fn drop(&mut self) {
        self.0.lock().unwrap().remove(&self.1);
    }
}

impl Faulty {
    pub(crate) fn new() -> Self {
        let clock = ManualClock::default();
        let records = MemoryBackend::with_clock(clock.clone());
        Self { records, clock, plan: Arc::default() }
    }

    pub(crate) fn with_locks() -> Self {
        let place = Self::new();
        place.plan.lock().unwrap().locks = Some(Arc::default());
        place
    }

    pub(crate) fn set_key(&self, key: StoreKey) {
        self.plan.lock().unwrap().key = Some(key);
    }

    /// These faults, one a call, and then none.
    pub(crate) fn next(&self, faults: impl IntoIterator<Item = Fault>) {
        let mut plan = self.plan.lock().unwrap();
        (plan.next, plan.then) = (faults.into_iter().collect(), None);
    }

    /// This fault at all calls from here on.
    pub(crate) fn always(&self, fault: Fault) {
        let mut plan = self.plan.lock().unwrap();
        (plan.next, plan.then) = (VecDeque::new(), Some(fault));
    }

    /// How many calls there were since this was asked last.
    pub(crate) fn calls(&self) -> usize {
        std::mem::take(&mut self.plan.lock().unwrap().calls)
    }

    fn fault(&self) -> Fault {
        let mut plan = self.plan.lock().unwrap();
        plan.calls += 1;
        plan.next.pop_front().or(plan.then).unwrap_or(Fault::None)
    }

    fn after<T>(&self, fault: Fault, answer: T) -> Result<T, Error> {
        match fault {
            Fault::LostReply => Err(error()),
            Fault::LostRecords => {
                self.records.lose_all();
                Ok(answer)
            }
            _ => Ok(answer),
        }
    }
}

fn error() -> Error {
    Error::new(ErrorKind::Store, "the place failed, as it was told to")
}

#[async_trait]
impl Backend for Faulty {
    async fn read(&self, name: &RecordName) -> Result<Snapshot, Error> {
        let fault = self.fault();
        match fault {
            Fault::Error => return Err(error()),
            Fault::Hang => std::future::pending().await,
            _ => {}
        }
        let snapshot = self.records.read(name).await?;
        self.after(fault, snapshot)
    }

    async fn swap(
        &self,
        name: &RecordName,
        old: Option<&[u8]>,
        new: Option<&[u8]>,
        keep: Duration,
    ) -> Result<bool, Error> {
        let fault = self.fault();
        match fault {
            Fault::Error => return Err(error()),
            Fault::Full if new.is_some() => return Err(error()),
            Fault::Hang => std::future::pending().await,
            Fault::Raced => return Ok(false),
            _ => {}
        }
        let is_done = self.records.swap(name, old, new, keep).await?;
        self.after(fault, is_done)
    }

    async fn lock(&self, name: &RecordName) -> Result<Lock, Error> {
        let Some(locks) = self.plan.lock().unwrap().locks.clone() else {
            return Ok(Lock::Unsupported);
        };
        let is_free = locks.lock().unwrap().insert(name.clone());
        let guard = || Lock::held(Guard(Arc::clone(&locks), name.clone()));
        Ok(if is_free { guard() } else { Lock::Taken })
    }

    async fn key(&self) -> Result<Option<StoreKey>, Error> {
        Ok(self.plan.lock().unwrap().key.clone())
    }
}
