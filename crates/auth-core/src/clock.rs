//! Time, injected: the clocks that the engine reads, and its timer.
//!
//! Two clocks are read because each can be wrong in its own way. The monotonic clock may stop while
//! a laptop is suspended; the wall clock jumps when somebody sets it. A token has expired when
//! either clock says so.

mod machine;
#[cfg(any(test, feature = "test-util"))]
mod manual;

use std::fmt;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

#[cfg(any(test, feature = "test-util"))]
pub use self::manual::ManualClock;

/// A boxed, sendable future, as [`Clock::sleep`] returns it.
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

/// The clocks and the timer of the engine. Implement it where [`SystemClock`] does not fit: on a
/// runtime other than tokio, or for a test without the feature `test-util`.
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
    /// Returns the time since a fixed origin of this clock; never goes back.
    fn monotonic(&self) -> Duration;

    /// Returns the wall-clock time; may jump either way.
    fn wall(&self) -> SystemTime;

    /// Completes once `duration` of monotonic time has passed.
    ///
    /// # If the caller goes away
    /// Dropping the future cancels the timer.
    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()>;
}

/// The machine's clocks, and tokio's timer.
///
/// The timer needs a tokio runtime with its time driver enabled (`enable_time` or `enable_all`).
/// Outside tokio each sleep takes a thread until it is over or dropped; use a `Clock` of your own
/// if that is too expensive. On a tokio runtime without the driver each sleep is a caught panic,
/// which the panic hook still prints; with `panic = "abort"` the driver must be enabled.
///
/// With the feature `coarse-clock`, on Linux and Android, the kernel's coarse clocks are read: they
/// advance in steps of up to 10 ms and cost a fraction of the exact ones. The engine's margins
/// allow for that.
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
        // Tokio panics if the runtime has no time driver, and offers no way to check first.
        if tokio::runtime::Handle::try_current().is_ok()
            && let Ok(sleep) = catch_unwind(|| tokio::time::sleep(duration))
        {
            let ends = self.monotonic().saturating_add(duration);
            let mut sleep: BoxFuture<'static, ()> = Box::pin(sleep);
            return Box::pin(std::future::poll_fn(move |cx| {
                // It panics too where the runtime was shut down meanwhile.
                match catch_unwind(AssertUnwindSafe(|| sleep.as_mut().poll(cx))) {
                    Ok(poll) => poll,
                    Err(_) => {
                        sleep = sleep_on_a_thread(ends.saturating_sub(machine::monotonic()));
                        sleep.as_mut().poll(cx)
                    }
                }
            }));
        }
        sleep_on_a_thread(duration)
    }
}

fn sleep_on_a_thread(duration: Duration) -> BoxFuture<'static, ()> {
    let (done, woken) = tokio::sync::oneshot::channel();
    let (waiting, gone) = std::sync::mpsc::channel::<()>();
    // If no thread can be spawned, the sleep ends at once: failing is better than hanging.
    let _ = std::thread::Builder::new().name("auth-core timer".into()).spawn(move || {
        // Ends early if the sleeper, and with it `waiting`, is dropped.
        let _ = gone.recv_timeout(duration);
        let _ = done.send(());
    });
    Box::pin(async move {
        let _waiting = waiting;
        let _ = woken.await;
    })
}

/// Both clocks read at one moment, each as time since its own origin.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Moment {
    pub(crate) monotonic: Duration,
    pub(crate) wall: Duration,
}

impl Moment {
    pub(crate) fn plus(self, span: Duration) -> Self {
        Self {
            monotonic: self.monotonic.saturating_add(span),
            wall: self.wall.saturating_add(span),
        }
    }

    /// Whether either clock has reached the other moment.
    #[inline]
    pub(crate) fn has_reached(self, other: Self) -> bool {
        self.monotonic >= other.monotonic || self.wall >= other.wall
    }

    /// How long until the first of the two clocks has reached the other moment.
    pub(crate) fn until(self, other: Self) -> Duration {
        let monotonic = other.monotonic.saturating_sub(self.monotonic);
        monotonic.min(other.wall.saturating_sub(self.wall))
    }
}

/// The instant `seconds` after (or before) the Unix epoch, if the platform can represent it.
pub(crate) fn unix_time(seconds: i64) -> Option<SystemTime> {
    let distance = Duration::from_secs(seconds.unsigned_abs());
    let epoch = SystemTime::UNIX_EPOCH;
    if seconds < 0 { epoch.checked_sub(distance) } else { epoch.checked_add(distance) }
}

/// Time since the Unix epoch. A wall clock before 1970 counts as 1970.
fn since_epoch(wall: SystemTime) -> Duration {
    wall.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default()
}

/// The clock of a source. The system's is a variant, to keep a virtual call off the fast path.
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

/// A future's output, or `None` if `limit` passed first. The future is then dropped.
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
