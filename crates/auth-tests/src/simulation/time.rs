//! Simulated time: two clocks, and an ordered list of timers.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, SystemTime};

use auth_core::{BoxFuture, Clock};

use super::truth::Shared;

/// The clock of the source. Its timers fire in order, so that a seed repeats a run.
#[derive(Clone, Debug)]
pub(super) struct SimClock(pub(super) Shared);

impl Clock for SimClock {
    fn monotonic(&self) -> Duration {
        self.0.lock().now
    }

    fn wall(&self) -> SystemTime {
        self.0.lock().wall
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        self.0.lock().engine_sleeps();
        self.0.one_more_timer();
        Box::pin(Sleep::new(&self.0, duration, true))
    }
}

/// A timer; in the list until it fires or is dropped.
pub(super) struct Sleep {
    shared: Shared,
    due: Duration,
    number: u64,
    /// Whether the engine set it, and not the provider or a caller.
    is_engines: bool,
}

impl Sleep {
    pub(super) fn new(shared: &Shared, duration: Duration, is_engines: bool) -> Self {
        let mut truth = shared.lock();
        truth.activity += 1;
        truth.timer_count += 1;
        let (due, number) = (truth.now.saturating_add(duration), truth.timer_count);
        truth.timers.insert((due, number), None);
        drop(truth);
        Self { shared: shared.clone(), due, number, is_engines }
    }
}

impl Future for Sleep {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let mut truth = self.shared.lock();
        if truth.now >= self.due {
            truth.activity += 1;
            if self.is_engines {
                truth.engine_timer_fired();
            }
            return Poll::Ready(());
        }
        let waker = cx.waker().clone();
        let old = truth.timers.insert((self.due, self.number), Some(waker));
        drop(truth);
        drop(old);
        Poll::Pending
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        let old = self.shared.lock().timers.remove(&(self.due, self.number));
        drop(old);
    }
}

impl Shared {
    /// Unwinds out of an endless loop that sets timers and never yields; [`run`](super::run)
    /// catches it.
    fn one_more_timer(&self) {
        const MANY: u32 = 20_000;
        let mut truth = self.lock();
        truth.timers_in_turn += 1;
        if truth.timers_in_turn > MANY {
            truth.fault(format_args!("{MANY} timers in one turn: the engine loops"));
            drop(truth);
            std::panic::resume_unwind(Box::new("the engine loops"));
        }
    }

    /// Moves both clocks forward, and fires the timers that are due, in order.
    pub(super) fn advance(&self, by: Duration) {
        let mut truth = self.lock();
        truth.now += by;
        truth.wall += by;
        truth.activity += 1;
        let now = truth.now;
        let due: Vec<Waker> = truth
            .timers
            .range_mut(..=(now, u64::MAX))
            .filter_map(|(_, waker)| waker.take())
            .collect();
        drop(truth);
        due.into_iter().for_each(Waker::wake);
    }

    /// When the next timer fires.
    pub(super) fn next_timer(&self) -> Option<Duration> {
        let truth = self.lock();
        let after = (truth.now, u64::MAX);
        truth.timers.range(after..).find(|(_, waker)| waker.is_some()).map(|((due, _), _)| *due)
    }
}
