//! Random bytes, from the kernel.
//!
//! Not from aws-lc: its generator collects 40 ms of timing noise when a process first draws from it,
//! and a fleet that starts on few processors would run out of patience with its store meanwhile.

use auth_core::{Error, ErrorKind};

/// Fills a buffer with random bytes.
pub(crate) fn fill(bytes: &mut [u8]) -> Result<(), Error> {
    let none = |_| Error::new(ErrorKind::Internal, "the system gave no random bytes");
    getrandom::fill(bytes).map_err(none)
}
