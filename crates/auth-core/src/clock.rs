//! Time, injected: the one file that reads the machine's clocks, and the one that sleeps.
//!
//! Two clocks are read because each lies in its own way. The monotonic one stands still while a
//! laptop sleeps; the wall clock jumps when somebody sets it. A token is expired when either says
//! so.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use crate::lifetime::Moment;

/// A boxed future, as the seams return it.
///
/// ```
/// use auth_core::BoxFuture;
///
/// fn answer() -> BoxFuture<'static, u32> {
///     Box::pin(async { 42 })
/// }
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// assert_eq!(answer().await, 42);
/// # }
/// ```
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Where the engine gets the time from. Implement it where [`SystemClock`] does not fit: on a
/// runtime that is not tokio, or for a test without the feature `test-util`.
///
/// ```
/// use std::time::{Duration, SystemTime};
/// use auth_core::{BoxFuture, Clock, SystemClock};
///
/// /// The machine's time, with a wall clock that somebody set a day ahead.
/// #[derive(Debug)]
/// struct DayAhead;
///
/// impl Clock for DayAhead {
///     fn monotonic(&self) -> Duration { SystemClock.monotonic() }
///     fn wall(&self) -> SystemTime { SystemClock.wall() + Duration::from_secs(86_400) }
///     fn sleep(&self, span: Duration) -> BoxFuture<'static, ()> { SystemClock.sleep(span) }
/// }
/// assert!(DayAhead.wall() > SystemClock.wall());
/// ```
pub trait Clock: fmt::Debug + Send + Sync + 'static {
    /// Time since a fixed origin of this clock's own; never goes back.
    fn monotonic(&self) -> Duration;

    /// The wall clock; may jump either way.
    fn wall(&self) -> SystemTime;

    /// Completes once `duration` of monotonic time has passed.
    ///
    /// # If the caller goes away
    /// Dropping the future forgets the timer.
    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()>;
}

/// The machine's clocks, with tokio's timer on a tokio runtime whose time driver is on
/// (`enable_time` or `enable_all`). Elsewhere a sleep costs a thread until it is over or dropped;
/// hand in a `Clock` of your own where that is too much. On a tokio runtime without that driver
/// each sleep is a panic that is caught, so the panic hook speaks too; where panics abort, the
/// driver must be on.
///
/// With the feature `coarse-clock`, on Linux and Android, the kernel's coarse clocks are read: they
/// stand still for up to 10 ms at a time and cost a fraction of the exact ones. The engine's
/// margins allow for that.
///
/// ```
/// use auth_core::{Clock, SystemClock};
/// assert!(SystemClock.wall() > std::time::UNIX_EPOCH);
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[inline]
    fn monotonic(&self) -> Duration {
        machine::monotonic()
    }

    #[inline]
    fn wall(&self) -> SystemTime {
        machine::wall()
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        // Tokio panics where the runtime has no time driver, and offers no way to ask first.
        if tokio::runtime::Handle::try_current().is_ok()
            && let Ok(sleep) = std::panic::catch_unwind(|| tokio::time::sleep(duration))
        {
            return Box::pin(sleep);
        }
        let (done, woken) = tokio::sync::oneshot::channel();
        let (waiting, gone) = std::sync::mpsc::channel::<()>();
        // Where no thread is to be had, the sleep is over at once: failing is better than hanging.
        let _ = std::thread::Builder::new().name("auth-core timer".into()).spawn(move || {
            // Ends early where the sleeper is dropped, and `waiting` with it.
            let _ = gone.recv_timeout(duration);
            let _ = done.send(());
        });
        Box::pin(async move {
            let _waiting = waiting;
            let _ = woken.await;
        })
    }
}

#[cfg(all(feature = "coarse-clock", any(target_os = "linux", target_os = "android")))]
mod machine {
    use std::time::{Duration, SystemTime, UNIX_EPOCH};

    use rustix::time::{ClockId, clock_gettime};

    use crate::lifetime::Moment;

    #[inline]
    pub(super) fn monotonic() -> Duration {
        since_zero(ClockId::MonotonicCoarse)
    }

    #[inline]
    pub(super) fn wall() -> SystemTime {
        UNIX_EPOCH + since_zero(ClockId::RealtimeCoarse)
    }

    #[inline]
    pub(super) fn moment() -> Moment {
        Moment {
            monotonic: since_zero(ClockId::MonotonicCoarse),
            wall: since_zero(ClockId::RealtimeCoarse),
        }
    }

    #[inline]
    fn since_zero(clock: ClockId) -> Duration {
        let now = clock_gettime(clock);
        // Neither field is negative, but for a wall clock before 1970, which counts as 1970.
        let seconds = u64::try_from(now.tv_sec).unwrap_or_default();
        Duration::new(seconds, u32::try_from(now.tv_nsec).unwrap_or_default())
    }
}

#[cfg(not(all(feature = "coarse-clock", any(target_os = "linux", target_os = "android"))))]
mod machine {
    use std::sync::OnceLock;
    use std::time::{Duration, Instant, SystemTime};

    use crate::lifetime::Moment;

    #[allow(clippy::disallowed_methods)] // this file owns the call
    pub(super) fn monotonic() -> Duration {
        static ORIGIN: OnceLock<Instant> = OnceLock::new();
        ORIGIN.get_or_init(Instant::now).elapsed()
    }

    #[allow(clippy::disallowed_methods)] // this file owns the call
    pub(super) fn wall() -> SystemTime {
        SystemTime::now()
    }

    pub(super) fn moment() -> Moment {
        Moment { monotonic: monotonic(), wall: super::since_epoch(wall()) }
    }
}

/// A wall clock before 1970 counts as 1970.
fn since_epoch(wall: SystemTime) -> Duration {
    wall.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default()
}

/// The clock of a source. The machine's needs no call through a table, which a reader would feel.
#[derive(Clone, Debug)]
pub(crate) enum SourceClock {
    System,
    Custom(Arc<dyn Clock>),
}

impl SourceClock {
    /// Both clocks at once.
    #[inline]
    pub(crate) fn now(&self) -> Moment {
        match self {
            Self::System => machine::moment(),
            Self::Custom(clock) => {
                Moment { monotonic: clock.monotonic(), wall: since_epoch(clock.wall()) }
            }
        }
    }
}

impl Clock for SourceClock {
    #[inline]
    fn monotonic(&self) -> Duration {
        match self {
            Self::System => SystemClock.monotonic(),
            Self::Custom(clock) => clock.monotonic(),
        }
    }

    #[inline]
    fn wall(&self) -> SystemTime {
        match self {
            Self::System => SystemClock.wall(),
            Self::Custom(clock) => clock.wall(),
        }
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        match self {
            Self::System => SystemClock.sleep(duration),
            Self::Custom(clock) => clock.sleep(duration),
        }
    }
}

/// A future's output, or `None` where `limit` passed first. The future is dropped then.
pub(crate) async fn within<F: Future>(
    clock: &impl Clock,
    limit: Duration,
    future: F,
) -> Option<F::Output> {
    let mut future = std::pin::pin!(future);
    let mut timer = clock.sleep(limit);
    std::future::poll_fn(|cx| {
        if let std::task::Poll::Ready(output) = future.as_mut().poll(cx) {
            return std::task::Poll::Ready(Some(output));
        }
        timer.as_mut().poll(cx).map(|()| None)
    })
    .await
}

#[cfg(any(test, feature = "test-util"))]
pub use manual::ManualClock;

#[cfg(any(test, feature = "test-util"))]
mod manual {
    use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
    use std::time::UNIX_EPOCH;

    use tokio::sync::watch;

    use super::{BoxFuture, Clock, Duration, SystemTime};

    /// A clock that moves when a test says so. Clones share one time.
    ///
    /// Sleeps complete when the clock has been advanced past them, so a test of a 30-second
    /// deadline takes no time.
    ///
    /// ```
    /// use std::time::Duration;
    /// use auth_core::{Clock, ManualClock};
    ///
    /// # #[tokio::main(flavor = "current_thread")] async fn main() {
    /// let clock = ManualClock::default();
    /// let (before, timer) = (clock.wall(), clock.sleep(Duration::from_secs(90)));
    /// clock.advance(Duration::from_secs(90));
    /// assert_eq!(clock.wall(), before + Duration::from_secs(90));
    /// timer.await; // over at once
    /// # }
    /// ```
    #[derive(Clone, Debug)]
    pub struct ManualClock {
        wall: Arc<Mutex<SystemTime>>,
        monotonic: Arc<watch::Sender<Duration>>,
    }

    impl ManualClock {
        /// A clock whose wall shows `wall`.
        #[must_use]
        pub fn at(wall: SystemTime) -> Self {
            Self {
                wall: Arc::new(Mutex::new(wall)),
                monotonic: Arc::new(watch::Sender::new(Duration::from_secs(1_000))),
            }
        }

        /// Moves both clocks on, and wakes what slept that long.
        pub fn advance(&self, by: Duration) {
            *self.locked() += by;
            self.monotonic.send_modify(|now| *now += by);
        }

        /// Sets the wall clock alone, as NTP or a person does.
        pub fn set_wall(&self, wall: SystemTime) {
            *self.locked() = wall;
        }

        /// Moves the wall clock alone, as a suspended laptop finds on waking.
        pub fn suspend(&self, by: Duration) {
            *self.locked() += by;
        }

        /// How many sleeps are under way: lets a test wait until code under test sleeps.
        #[must_use]
        pub fn sleepers(&self) -> usize {
            self.monotonic.receiver_count()
        }

        fn locked(&self) -> MutexGuard<'_, SystemTime> {
            self.wall.lock().unwrap_or_else(PoisonError::into_inner)
        }
    }

    impl Default for ManualClock {
        /// 2026-01-01T00:00:00Z.
        fn default() -> Self {
            Self::at(UNIX_EPOCH + Duration::from_secs(1_767_225_600))
        }
    }

    impl Clock for ManualClock {
        fn monotonic(&self) -> Duration {
            *self.monotonic.borrow()
        }

        fn wall(&self) -> SystemTime {
            *self.locked()
        }

        fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
            let mut now = self.monotonic.subscribe();
            let due = self.monotonic().saturating_add(duration);
            Box::pin(async move {
                // The sender lives in the clock; without a clock nothing is ever due again.
                if now.wait_for(|now| *now >= due).await.is_err() {
                    std::future::pending::<()>().await;
                }
            })
        }
    }
}
