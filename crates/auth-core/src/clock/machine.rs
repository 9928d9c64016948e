//! The machine's clocks, read only here: the kernel's coarse ones with the feature `coarse-clock`.

pub(super) use self::clocks::{moment, monotonic, wall};

#[cfg(all(feature = "coarse-clock", any(target_os = "linux", target_os = "android")))]
mod clocks {
    use std::time::{Duration, SystemTime, UNIX_EPOCH};

    use rustix::time::{ClockId, clock_gettime};

    use crate::clock::Moment;

    #[inline]
    pub(in crate::clock) fn monotonic() -> Duration {
        since_zero(ClockId::MonotonicCoarse)
    }

    #[inline]
    pub(in crate::clock) fn wall() -> SystemTime {
        UNIX_EPOCH + since_zero(ClockId::RealtimeCoarse)
    }

    #[inline]
    pub(in crate::clock) fn moment() -> Moment {
        Moment {
            monotonic: since_zero(ClockId::MonotonicCoarse),
            wall: since_zero(ClockId::RealtimeCoarse),
        }
    }

    #[inline]
    fn since_zero(clock: ClockId) -> Duration {
        let now = clock_gettime(clock);
        // Only a wall clock before 1970 is negative; it counts as 1970.
        let seconds = u64::try_from(now.tv_sec).unwrap_or_default();
        Duration::new(seconds, u32::try_from(now.tv_nsec).unwrap_or_default())
    }
}

#[cfg(not(all(feature = "coarse-clock", any(target_os = "linux", target_os = "android"))))]
mod clocks {
    use std::sync::OnceLock;
    use std::time::{Duration, Instant, SystemTime};

    use crate::clock::Moment;

    #[allow(clippy::disallowed_methods)] // this file owns the call
    pub(in crate::clock) fn monotonic() -> Duration {
        static ORIGIN: OnceLock<Instant> = OnceLock::new();
        ORIGIN.get_or_init(Instant::now).elapsed()
    }

    #[allow(clippy::disallowed_methods)] // this file owns the call
    pub(in crate::clock) fn wall() -> SystemTime {
        SystemTime::now()
    }

    pub(in crate::clock) fn moment() -> Moment {
        Moment { monotonic: monotonic(), wall: crate::clock::since_epoch(wall()) }
    }
}
