//! Time, injected: the clocks that the engine reads and sleeps by.
//!
//! Two clocks are read because each lies in its own way. The monotonic one stands still while a
//! laptop sleeps; the wall clock jumps when somebody sets it. A token is expired when either says
//! so.

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

/// What both clocks showed at one moment: time since origins of their own.
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
}

/// The instant that many seconds after (or before) the Unix epoch, where the platform can say it.
pub(crate) fn unix_time(seconds: i64) -> Option<SystemTime> {
    let distance = Duration::from_secs(seconds.unsigned_abs());
    let epoch = SystemTime::UNIX_EPOCH;
    if seconds < 0 { epoch.checked_sub(distance) } else { epoch.checked_add(distance) }
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
