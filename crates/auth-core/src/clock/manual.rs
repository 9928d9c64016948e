//! A clock for tests, which moves only when told to.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::sync::watch;

use super::{BoxFuture, Clock};

/// A clock for tests, which moves only when told to. Clones share one time.
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
    /// A clock whose wall-clock time is `wall`.
    #[must_use]
    pub fn at(wall: SystemTime) -> Self {
        Self {
            wall: Arc::new(Mutex::new(wall)),
            monotonic: Arc::new(watch::Sender::new(Duration::from_secs(1_000))),
        }
    }

    /// Moves both clocks forward and completes the sleeps that are due.
    pub fn advance(&self, by: Duration) {
        *self.locked() += by;
        self.monotonic.send_modify(|now| *now += by);
    }

    /// Sets only the wall clock, as NTP or a person does.
    pub fn set_wall(&self, wall: SystemTime) {
        *self.locked() = wall;
    }

    /// Moves only the wall clock forward, as when a suspended laptop wakes up.
    pub fn suspend(&self, by: Duration) {
        *self.locked() += by;
    }

    /// Returns how many sleeps are pending: a test can wait until the code under test sleeps.
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
            // The clock holds the sender: once every clone is dropped, no sleep ever completes.
            if now.wait_for(|now| *now >= due).await.is_err() {
                std::future::pending::<()>().await;
            }
        })
    }
}
