//! The key of a store: what records are sealed with, and what their names are made with.

use std::fmt;
use std::sync::Arc;

use auth_core::Error;
use aws_lc_rs::rand::{SecureRandom as _, SystemRandom};
use zeroize::Zeroizing;

/// The key of a store: 32 random bytes that all processes of a fleet share.
///
/// Whoever has it and can read the store has the tokens. A new key starts an empty store: roll it
/// out, and the records of the old one expire unread.
///
/// ```
/// use auth_store::StoreKey;
///
/// let key = StoreKey::new([7; 32]);
/// assert_eq!(format!("{key:?}"), "StoreKey([redacted])");
/// ```
#[derive(Clone)]
pub struct StoreKey(Arc<Zeroizing<[u8; 32]>>);

impl StoreKey {
    /// Takes over 32 random bytes. Wipe your own copy.
    #[must_use]
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(Arc::new(Zeroizing::new(bytes)))
    }

    /// Draws a key.
    ///
    /// # Errors
    /// [`ErrorKind::Internal`](auth_core::ErrorKind::Internal) if the system has no randomness.
    pub fn generate() -> Result<Self, Error> {
        let mut bytes = Zeroizing::new([0; 32]);
        let drawn = SystemRandom::new().fill(&mut *bytes);
        drawn.map_err(|_| {
            Error::new(auth_core::ErrorKind::Internal, "the system gave no random bytes")
        })?;
        Ok(Self(Arc::new(bytes)))
    }
}

impl fmt::Debug for StoreKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("StoreKey([redacted])")
    }
}

/// The name of a record: `pa1:` and 43 characters of `A-Z a-z 0-9 - _`. It says nothing of the
/// account; with another key it is another name.
///
/// ```
/// use auth_store::RecordName;
/// assert_eq!(RecordName::made_up(1).as_str().len(), 47);
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct RecordName(Arc<str>);

impl RecordName {
    /// Returns the name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// A name for tests of a backend.
    #[cfg(any(test, feature = "test-util"))]
    #[must_use]
    pub fn made_up(number: u64) -> Self {
        Self(format!("pa1:{number:0>43}").into())
    }
}
