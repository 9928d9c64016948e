//! A record as a test sees it.

use std::time::Duration;

use auth_core::Generation;
use bytes::Bytes;

use crate::key::{RecordName, StoreKey};
use crate::record::Record;
use crate::seal;

/// What a record holds, for tests that watch a backend. No token.
///
/// ```
/// use auth_store::{Opened, RecordName};
/// assert_eq!(Opened::read(None, &RecordName::made_up(1), b"garbage"), Opened::default());
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Opened {
    /// The token's name.
    pub token: Option<Generation>,
    /// When the token expires, on the backend's clock.
    pub ends: Duration,
    /// The owner of the lease.
    pub owner: Option<[u8; 16]>,
    /// When the lease ends, on the backend's clock.
    pub leased_until: Duration,
    /// How long the lease lasts in all.
    pub span: Duration,
    /// When the next token may be dropped, on the backend's clock.
    pub next_drop: Option<Duration>,
    /// How many tokens in a row were dropped.
    pub drops: u32,
    /// Whether it remembers something that the provider said.
    pub is_said: bool,
}

impl Opened {
    /// Opens a record. One that does not open is empty, as it is for a store.
    #[must_use]
    pub fn read(key: Option<&StoreKey>, name: &RecordName, record: &[u8]) -> Self {
        let payload = seal::open(key, name, &Bytes::copy_from_slice(record));
        let read = payload.and_then(|payload| Record::read(&payload)).unwrap_or_default();
        let millis = Duration::from_millis;
        let (token, lease) = (read.token.as_ref(), read.lease.as_ref());
        Self {
            token: token.map(|token| token.generation.into()),
            ends: token.map_or(Duration::ZERO, |token| millis(token.ends)),
            owner: lease.map(|lease| *lease.owner.as_bytes()),
            leased_until: lease.map_or(Duration::ZERO, |lease| millis(lease.until)),
            span: lease.map_or(Duration::ZERO, |lease| millis(lease.span)),
            next_drop: read.drops.as_ref().map(|drops| millis(drops.next)),
            drops: read.drops.as_ref().map_or(0, |drops| drops.count),
            is_said: read.said.is_some(),
        }
    }
}
