//! The sandbox's clock: the only file that reads the machine's clocks.
//!
//! A provider *writes* wall time (`Date`, `iat`, `exp`), which may be skewed on purpose. It *accepts* a
//! token by the monotonic clock, so a skewed provider still expires its tokens on time.

use std::time::{Duration, Instant, SystemTime};

/// By how much a provider's clock differs from the machine's.
///
/// ```
/// use std::time::Duration;
/// use auth_sandbox::Skew;
///
/// # let sandbox = auth_sandbox::Sandbox::builder().start_blocking()?;
/// let tresorpay = sandbox.tresorpay();
/// tresorpay.set_clock_skew(Skew::Behind(Duration::from_secs(3600))); // an hour behind, `exp` included
/// tresorpay.set_clock_skew(Skew::None);
/// # Ok::<(), auth_sandbox::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Skew {
    /// The machine's own time.
    #[default]
    None,
    /// The provider's clock is ahead: it writes instants in our future.
    Ahead(Duration),
    /// The provider's clock is behind: it writes instants in our past.
    Behind(Duration),
}

impl Skew {
    /// `time` as a clock with this skew shows it; one that cannot be represented stays as it is.
    pub(crate) fn apply(self, time: SystemTime) -> SystemTime {
        match self {
            Self::None => Some(time),
            Self::Ahead(by) => time.checked_add(by),
            Self::Behind(by) => time.checked_sub(by),
        }
        .unwrap_or(time)
    }
}

/// Wall time.
#[allow(clippy::disallowed_methods, reason = "this file owns the clock")]
pub(crate) fn wall() -> SystemTime {
    SystemTime::now()
}

/// Monotonic time.
#[allow(clippy::disallowed_methods, reason = "this file owns the clock")]
pub(crate) fn monotonic() -> Instant {
    Instant::now()
}

/// Time since the Unix epoch; zero before it, which no provider writes.
pub(crate) fn since_epoch(time: SystemTime) -> Duration {
    time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default()
}
