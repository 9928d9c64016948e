//! Time for a source on real sockets: it can be moved on, so that no test waits an hour, and held, so
//! that a busy machine cannot let a pause of half a second pass between two calls.

use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use auth_core::{BoxFuture, Clock, SystemClock};

/// How many times longer a limit is while nothing is wrong: a busy machine is no fault.
const PATIENCE: u32 = 20;

/// The machine's clocks, moved on, and held but for the time in which a fault lasts. Sleeps are real.
#[derive(Clone, Debug, Default)]
pub(super) struct MovedClock(Arc<Mutex<Hands>>);

#[derive(Debug, Default)]
struct Hands {
    moved: Duration,
    /// What the machine's monotonic clock showed when this one began to run, where it runs.
    runs_since: Option<Duration>,
    /// What this one showed then, but for `moved`.
    shown: Duration,
}

impl MovedClock {
    /// Both clocks show this much more from now on.
    pub(super) fn move_on(&self, by: Duration) {
        self.0.lock().unwrap().moved += by;
    }

    /// By how much they were moved on in all.
    pub(super) fn moved(&self) -> Duration {
        self.0.lock().unwrap().moved
    }

    /// The monotonic clock runs with the machine's.
    pub(super) fn run(&self) {
        self.0.lock().unwrap().runs_since = Some(SystemClock.monotonic());
    }

    /// The monotonic clock stands still.
    pub(super) fn hold(&self) {
        let mut hands = self.0.lock().unwrap();
        if let Some(since) = hands.runs_since.take() {
            hands.shown += SystemClock.monotonic() - since;
        }
    }
}

impl Clock for MovedClock {
    fn monotonic(&self) -> Duration {
        let hands = self.0.lock().unwrap();
        let ran = hands.runs_since.map_or(Duration::ZERO, |since| SystemClock.monotonic() - since);
        hands.moved + hands.shown + ran
    }

    fn wall(&self) -> SystemTime {
        SystemClock.wall() + self.moved()
    }

    fn sleep(&self, span: Duration) -> BoxFuture<'static, ()> {
        let runs = self.0.lock().unwrap().runs_since.is_some();
        SystemClock.sleep(if runs { span } else { span * PATIENCE })
    }
}
