//! A clock for a source on real sockets. It can be moved forward, so that no test waits an hour,
//! and stopped, so that no pause of half a second ends between two calls on a busy machine.

use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use auth_core::{BoxFuture, Clock, SystemClock};

/// How many times longer a limit is outside a fault, so that a busy machine causes no timeout.
const PATIENCE: u32 = 20;

/// The machine's clocks, moved forward, and stopped except during a fault. Sleeps are real.
#[derive(Clone, Debug, Default)]
pub(super) struct MovedClock(Arc<Mutex<Offsets>>);

#[derive(Debug, Default)]
struct Offsets {
    moved: Duration,
    /// The machine's monotonic time when this clock was started, if it runs.
    runs_since: Option<Duration>,
    /// This clock's time at that moment, without `moved`.
    shown: Duration,
}

impl MovedClock {
    /// Moves both clocks forward.
    pub(super) fn move_on(&self, by: Duration) {
        self.0.lock().unwrap().moved += by;
    }

    /// How far they were moved in all.
    pub(super) fn moved(&self) -> Duration {
        self.0.lock().unwrap().moved
    }

    /// Starts the monotonic clock.
    pub(super) fn run(&self) {
        self.0.lock().unwrap().runs_since = Some(SystemClock.monotonic());
    }

    /// Stops the monotonic clock.
    pub(super) fn hold(&self) {
        let mut offsets = self.0.lock().unwrap();
        if let Some(since) = offsets.runs_since.take() {
            offsets.shown += SystemClock.monotonic() - since;
        }
    }
}

impl Clock for MovedClock {
    fn monotonic(&self) -> Duration {
        let offsets = self.0.lock().unwrap();
        let ran =
            offsets.runs_since.map_or(Duration::ZERO, |since| SystemClock.monotonic() - since);
        offsets.moved + offsets.shown + ran
    }

    fn wall(&self) -> SystemTime {
        SystemClock.wall() + self.moved()
    }

    fn sleep(&self, span: Duration) -> BoxFuture<'static, ()> {
        let runs = self.0.lock().unwrap().runs_since.is_some();
        SystemClock.sleep(if runs { span } else { span * PATIENCE })
    }
}
