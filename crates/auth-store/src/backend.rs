//! The seam to a place that keeps records: to read one, and to replace it if nobody else has.
//!
//! All rules (leases, generations, remembered refusals) stand once, in `record`, as functions from
//! one record to the next. A backend knows none of them, nor what a record holds: it is bytes,
//! sealed where there is a key.

use std::any::Any;
use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use auth_core::Error;
use bytes::Bytes;

use crate::key::{RecordName, StoreKey};

/// A place that keeps records, such as a table of a database: two functions make a store of it.
///
/// Losing a record at any time is allowed; it costs one request to the provider. Keeping one that
/// was replaced is not: [`swap`](Self::swap) must be atomic, over all processes.
///
/// Every call may come twice: what was not answered in time is called again. Waiting is bounded by
/// the store around it, so a backend needs no timeouts, but must not block the
/// thread.
///
/// # If the caller goes away
/// Dropping a future may or may not undo what it asked for.
///
/// ```
/// use std::time::Duration;
/// use async_trait::async_trait;
/// use auth_core::Error;
/// use auth_store::{Backend, RecordName, Snapshot};
///
/// /// Forgets everything at once, which is allowed: each process asks for itself.
/// #[derive(Debug)]
/// struct Forgetful;
///
/// #[async_trait]
/// impl Backend for Forgetful {
///     async fn read(&self, _: &RecordName) -> Result<Snapshot, Error> {
///         Ok(Snapshot::new(None, Duration::ZERO))
///     }
///     async fn swap(
///         &self, _: &RecordName, old: Option<&[u8]>, _: Option<&[u8]>, _: Duration,
///     ) -> Result<bool, Error> {
///         Ok(old.is_none())
///     }
/// }
/// ```
///
/// # Errors
/// Any: the kind should be [`ErrorKind::Store`](auth_core::ErrorKind::Store). The process then does
/// without the store for a while. The text is logged, so it must hold no secret.
#[async_trait]
pub trait Backend: fmt::Debug + Send + Sync + 'static {
    /// Reads a record, and this place's clock with it.
    async fn read(&self, name: &RecordName) -> Result<Snapshot, Error>;

    /// Replaces the record if it is still `old`, and says whether it was. `None` stands for no
    /// record: nothing there yet, or to be removed.
    ///
    /// The first 16 bytes of each record are drawn anew when it is written, so comparing these is
    /// enough. After `keep` the record may be forgotten.
    async fn swap(
        &self,
        name: &RecordName,
        old: Option<&[u8]>,
        new: Option<&[u8]>,
        keep: Duration,
    ) -> Result<bool, Error>;

    /// Tries to take a lock that ends with this process, if this place has such locks. By default it
    /// has none, and a lease is a span in the record.
    async fn lock(&self, _name: &RecordName) -> Result<Lock, Error> {
        Ok(Lock::Unsupported)
    }

    /// Returns the key that this place keeps itself, if it does: asked for at each claim, since
    /// somebody may have removed it. By default there is none.
    async fn key(&self) -> Result<Option<StoreKey>, Error> {
        Ok(None)
    }

    /// Returns the longest pause between two looks at a record that another process is working on.
    fn poll(&self) -> Duration {
        Duration::from_millis(120)
    }
}

/// What a read found.
///
/// ```
/// use std::time::Duration;
/// use auth_store::Snapshot;
///
/// let empty = Snapshot::new(None, Duration::from_secs(1_764_000_000));
/// assert!(empty.record.is_none());
/// ```
#[non_exhaustive]
pub struct Snapshot {
    /// The record, if there is one.
    pub record: Option<Bytes>,
    /// The clock that all readers of this place share, as time since any fixed origin. Read before
    /// the record or with it, so that a delay makes a token look older, never younger.
    pub now: Duration,
}

impl Snapshot {
    /// Makes a snapshot.
    #[must_use]
    pub const fn new(record: Option<Bytes>, now: Duration) -> Self {
        Self { record, now }
    }
}

impl fmt::Debug for Snapshot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A record without a seal holds a token.
        let record = self.record.as_ref().map(Bytes::len);
        f.debug_struct("Snapshot").field("record", &record).field("now", &self.now).finish()
    }
}

/// What became of an attempt to lock a record.
///
/// ```
/// use auth_store::Lock;
/// assert!(matches!(Lock::held(()), Lock::Held(_)));
/// ```
#[non_exhaustive]
pub enum Lock {
    /// This place has no locks that end with a process.
    Unsupported,
    /// It is taken, until the guard is dropped.
    Held(Box<dyn Any + Send + Sync>),
    /// Somebody else has it.
    Taken,
}

impl Lock {
    /// A lock that is given back when the guard is dropped.
    pub fn held(guard: impl Any + Send + Sync) -> Self {
        Self::Held(Box::new(guard))
    }
}

impl fmt::Debug for Lock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Unsupported => "Unsupported",
            Self::Held(_) => "Held",
            Self::Taken => "Taken",
        })
    }
}
