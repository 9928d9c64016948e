//! Simulated time: one true clock, a clock of each process that is off and drifts, and the store's,
//! which steps.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use auth_core::{BoxFuture, Clock};

use super::truth::Shared;

/// The clock of one process. Its timers fire in order, so that a seed repeats a run.
#[derive(Clone, Debug)]
pub(super) struct ProcessClock {
    pub(super) shared: Shared,
    pub(super) process: usize,
    /// How many parts in a million it is too fast.
    pub(super) drift: i32,
    /// What its wall clock shows at the beginning.
    pub(super) origin: SystemTime,
}

/// The wall clock that both the store and its records see.
#[derive(Clone, Debug, Default)]
pub(super) struct StoreClock(Arc<AtomicU64>);

const MILLION: i32 = 1_000_000;

impl ProcessClock {
    /// How long it takes until this clock has advanced by a span.
    fn truly(&self, span: Duration) -> Duration {
        let rounding = Duration::from_nanos(if span.is_zero() { 0 } else { 2 });
        scaled(span, MILLION, MILLION + self.drift).saturating_add(rounding)
    }
}

fn scaled(span: Duration, by: i32, of: i32) -> Duration {
    let nanos = span.as_nanos().min(u128::from(u64::MAX / 4)) * u128::from(by.unsigned_abs());
    Duration::from_nanos(u64::try_from(nanos / u128::from(of.unsigned_abs())).unwrap_or(u64::MAX))
}

impl Clock for ProcessClock {
    fn monotonic(&self) -> Duration {
        scaled(self.shared.lock().now, MILLION + self.drift, MILLION)
    }

    fn wall(&self) -> SystemTime {
        self.origin + self.monotonic()
    }

    fn sleep(&self, span: Duration) -> BoxFuture<'static, ()> {
        Box::pin(Sleep::new(&self.shared, self.process, self.truly(span)))
    }
}

impl StoreClock {
    pub(super) fn now(&self) -> Duration {
        Duration::from_millis(self.0.load(Ordering::Relaxed))
    }

    pub(super) fn set(&self, now: Duration) {
        let millis = u64::try_from(now.as_millis()).unwrap_or(u64::MAX);
        self.0.store(millis, Ordering::Relaxed);
    }
}

impl Clock for StoreClock {
    fn monotonic(&self) -> Duration {
        self.now()
    }

    fn wall(&self) -> SystemTime {
        UNIX_EPOCH + self.now()
    }

    fn sleep(&self, _: Duration) -> BoxFuture<'static, ()> {
        Box::pin(std::future::pending())
    }
}

/// A timer of a process; in the list until it fires or is dropped.
pub(super) struct Sleep {
    shared: Shared,
    process: usize,
    due: Duration,
    number: u64,
}

impl Sleep {
    pub(super) fn new(shared: &Shared, process: usize, span: Duration) -> Self {
        let mut truth = shared.lock();
        let number = truth.next_number();
        let due = truth.now.saturating_add(span);
        drop(truth);
        Self { shared: shared.clone(), process, due, number }
    }
}

impl Future for Sleep {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let mut truth = self.shared.lock();
        if truth.now >= self.due {
            return Poll::Ready(());
        }
        let timer = (self.process, cx.waker().clone());
        let old = truth.timers.insert((self.due, self.number), timer);
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
    /// When something happens next: a timer, or a message at the store.
    pub(super) fn next_event(&self) -> Option<Duration> {
        let truth = self.lock();
        let timer = truth.timers.keys().next().map(|(due, _)| *due);
        let message = truth.messages.keys().next().map(|(due, _)| *due);
        timer.into_iter().chain(message).min()
    }

    /// Moves the true clock forward, delivers the messages and fires the timers that are due.
    pub(super) fn advance(&self, to: Duration) {
        let mut truth = self.lock();
        truth.now = truth.now.max(to);
        truth.set_store_clock();
        let now = truth.now;
        drop(truth);
        loop {
            let mut truth = self.lock();
            let Some(first) = truth.messages.first_entry().filter(|it| it.key().0 <= now) else {
                break;
            };
            let message = first.remove();
            drop(truth);
            self.deliver(message);
        }
        let mut due: Vec<Waker> = Vec::new();
        let mut truth = self.lock();
        while let Some(first) = truth.timers.first_entry().filter(|it| it.key().0 <= now) {
            let (process, waker) = first.remove();
            truth.wake(process);
            due.push(waker);
        }
        drop(truth);
        due.into_iter().for_each(Waker::wake);
    }
}
