//! One exchange shared by all who wait for it, whoever goes away. The one file that spawns.
//!
//! A flight is a future in a box, and whoever holds the box drives it. On a tokio runtime that is a
//! task of its own, so a caller who leaves takes nothing along. Elsewhere it is one of the callers;
//! when that one leaves, it puts the box back and the next waiter picks it up where it was.
//!
//! Waiting is made cheap, since ten thousand may: a slot with a waker each, and one timer between
//! them. Who holds that timer keeps watch for all on the same runtime; when the watchman leaves,
//! another takes over.

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use tokio::runtime::{Handle, Id};
use tokio::task::AbortHandle;

use crate::clock::BoxFuture;
use crate::error::Error;
use crate::token::AccessToken;

/// How a flight ended for those who waited.
#[derive(Clone, Debug)]
pub(super) enum Outcome {
    /// With a token or an error that everyone shares.
    Landed(Result<AccessToken, Error>),
    /// Unheard: its exchange was replaced, or it was given up and another took off.
    Superseded,
    /// Not at all: its runtime was shut down. Whoever still wants a token starts again.
    Lost,
    /// It goes on, but nobody of this runtime keeps watch: whoever hears of it looks again.
    Unwatched,
}

pub(super) struct Flight {
    /// When it took off, on the monotonic clock.
    pub(super) began: Duration,
    state: Mutex<State>,
}

struct State {
    /// In its box while nobody drives it.
    future: Option<BoxFuture<'static, Outcome>>,
    over: Option<Outcome>,
    /// Those who wait. Who has left keeps a slot until all are woken: one wake too many is harmless.
    waiters: Vec<Waker>,
    /// Counts how often all were woken, and their slots emptied with that.
    round: u64,
    /// Runtimes with a watchman.
    watched: Vec<Id>,
    /// The runtime whose watchman has left.
    unwatched: Option<Id>,
}

impl Flight {
    pub(super) fn new(began: Duration, future: BoxFuture<'static, Outcome>) -> Arc<Self> {
        let state = State {
            future: Some(future),
            over: None,
            waiters: Vec::new(),
            round: 0,
            watched: Vec::new(),
            unwatched: None,
        };
        Arc::new(Self { began, state: Mutex::new(state) })
    }

    /// Takes off in a task of the current tokio runtime, if there is one.
    pub(super) fn spawn(self: &Arc<Self>) -> Option<AbortHandle> {
        let runtime = Handle::try_current().ok()?;
        let future = self.locked().future.take()?;
        let driver =
            Driver { flight: Arc::clone(self), future: Some(future), on_drop: OnDrop::Lose };
        Some(runtime.spawn(driver).abort_handle())
    }

    /// Whether it has ended, one way or the other.
    pub(super) fn is_over(&self) -> bool {
        self.locked().over.is_some()
    }

    /// Ends it for all who wait, unless it has ended.
    pub(super) fn end(&self, outcome: Outcome) {
        let mut state = self.locked();
        state.over.get_or_insert(outcome);
        wake_all(state);
    }

    /// Waits for the outcome, and drives the flight where nobody else does. The caller has a timer
    /// of its own.
    ///
    /// # If the caller goes away
    /// Where it drove the flight, another waiter drives it on.
    pub(super) fn wait(self: &Arc<Self>) -> Wait {
        Wait { flight: Arc::clone(self), watched_on: None, slot: None, driver: None }
    }

    /// As [`wait`](Self::wait), relying on the watchman of this runtime.
    pub(super) fn wait_watched(self: &Arc<Self>) -> Wait {
        let watched_on = Handle::try_current().ok().map(|runtime| runtime.id());
        Wait { watched_on, ..self.wait() }
    }

    /// Keeps watch for all who wait on this runtime, unless one does already. Whoever has the
    /// guard owes a timer.
    pub(super) fn keep_watch(self: &Arc<Self>) -> Watch {
        let Ok(runtime) = Handle::try_current() else {
            return Watch::Alone;
        };
        let mut state = self.locked();
        if state.watched.contains(&runtime.id()) {
            return Watch::Kept;
        }
        state.watched.push(runtime.id());
        state.unwatched = state.unwatched.filter(|id| *id != runtime.id());
        Watch::Mine(Watchman { flight: Arc::clone(self), runtime: runtime.id() })
    }

    fn locked(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Wakes without the lock: a waker is anybody's code.
fn wake_all(mut state: MutexGuard<'_, State>) {
    let waiters = std::mem::take(&mut state.waiters);
    state.round += 1;
    drop(state);
    waiters.into_iter().for_each(Waker::wake);
}

/// Who sees to it that waiting ends.
pub(super) enum Watch {
    /// The caller, for its whole runtime.
    Mine(#[expect(dead_code, reason = "held for its `Drop`")] Watchman),
    /// Another caller on the same runtime.
    Kept,
    /// The caller, for itself: there is no runtime.
    Alone,
}

pub(super) struct Watchman {
    flight: Arc<Flight>,
    runtime: Id,
}

impl Drop for Watchman {
    fn drop(&mut self) {
        let mut state = self.flight.locked();
        state.watched.retain(|id| *id != self.runtime);
        if state.over.is_none() {
            state.unwatched = Some(self.runtime);
            wake_all(state);
        }
    }
}

/// A caller that waits.
pub(super) struct Wait {
    flight: Arc<Flight>,
    /// The runtime whose watchman it relies on.
    watched_on: Option<Id>,
    /// The round in which this waiter took a slot, and the slot.
    slot: Option<(u64, usize)>,
    driver: Option<Driver>,
}

impl Future for Wait {
    type Output = Outcome;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Outcome> {
        let this = &mut *self;
        loop {
            if let Some(driver) = &mut this.driver {
                if Pin::new(driver).poll(cx).is_pending() {
                    return Poll::Pending;
                }
                this.driver = None;
            }
            let mut state = this.flight.locked();
            if let Some(outcome) = &state.over {
                return Poll::Ready(outcome.clone());
            }
            if let Some(future) = state.future.take() {
                let flight = Arc::clone(&this.flight);
                this.driver =
                    Some(Driver { flight, future: Some(future), on_drop: OnDrop::PutBack });
                continue;
            }
            if this.watched_on.is_some() && state.unwatched == this.watched_on {
                return Poll::Ready(Outcome::Unwatched);
            }
            // A slot of an earlier round is somebody else's by now.
            let slot = this.slot.filter(|(round, _)| *round == state.round);
            match slot.and_then(|(_, slot)| state.waiters.get_mut(slot)) {
                Some(waker) => waker.clone_from(cx.waker()),
                None => {
                    this.slot = Some((state.round, state.waiters.len()));
                    state.waiters.push(cx.waker().clone());
                }
            }
            return Poll::Pending;
        }
    }
}

/// What becomes of a flight whose driver is dropped on the way.
#[derive(Clone, Copy)]
enum OnDrop {
    /// The task was dropped with its runtime, and the sockets and timers of the future with it.
    Lose,
    /// A caller left; the future is as good as before.
    PutBack,
}

struct Driver {
    flight: Arc<Flight>,
    future: Option<BoxFuture<'static, Outcome>>,
    on_drop: OnDrop,
}

impl Future for Driver {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let Some(future) = self.future.as_mut() else {
            return Poll::Ready(());
        };
        let Poll::Ready(outcome) = future.as_mut().poll(cx) else {
            return Poll::Pending;
        };
        self.future = None;
        self.flight.end(outcome);
        Poll::Ready(())
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        let Some(future) = self.future.take() else {
            return;
        };
        match self.on_drop {
            // A future that panicked must not be polled again.
            OnDrop::PutBack if !std::thread::panicking() => {
                let mut state = self.flight.locked();
                state.future = Some(future);
                wake_all(state);
            }
            OnDrop::PutBack | OnDrop::Lose => self.flight.end(Outcome::Lost),
        }
    }
}

/// A future's output, or `None` where it panicked. Its payload is not looked at: it may quote
/// anything.
pub(super) async fn contained<F: Future>(future: F) -> Option<F::Output> {
    let mut future = Box::pin(future);
    std::future::poll_fn(move |cx| {
        // The future is not polled again after a panic, so no broken state of its is seen.
        match catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(cx))) {
            Ok(poll) => poll.map(Some),
            Err(payload) => {
                // Dropping it may panic again.
                std::mem::forget(payload);
                Poll::Ready(None)
            }
        }
    })
    .await
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::task::Wake;

    #[derive(Default)]
    struct Woken(AtomicUsize);

    impl Wake for Woken {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }

    /// A waiter that polls itself with a waker of its own.
    struct Waiter {
        wait: Wait,
        woken: Arc<Woken>,
    }

    impl Waiter {
        fn of(flight: &Arc<Flight>) -> Self {
            Self { wait: flight.wait_watched(), woken: Arc::default() }
        }

        fn poll(&mut self) -> Poll<Outcome> {
            let waker = Waker::from(Arc::clone(&self.woken));
            Pin::new(&mut self.wait).poll(&mut Context::from_waker(&waker))
        }

        fn woken(&self) -> usize {
            self.woken.0.swap(0, Ordering::SeqCst)
        }
    }

    #[test]
    fn whoever_waits_is_woken_in_whatever_order_they_look_again() {
        let flight = Flight::new(Duration::ZERO, Box::pin(std::future::pending()));
        let mut leader = Waiter::of(&flight);
        assert!(leader.poll().is_pending());
        let mut others: Vec<_> = (0..4).map(|_| Waiter::of(&flight)).collect();
        assert!(others.iter_mut().all(|other| other.poll().is_pending()));
        drop(leader);
        assert!(others.iter().all(|other| other.woken() == 1));
        // Backwards: the last drives now, and each takes a slot that was another's before.
        assert!(others.iter_mut().rev().all(|other| other.poll().is_pending()));
        flight.end(Outcome::Superseded);
        assert!(others.iter().take(3).all(|other| other.woken() == 1), "one was forgotten");
        assert!(others.iter_mut().take(3).all(|other| other.poll().is_ready()));
    }

    #[tokio::test]
    async fn when_the_watchman_leaves_another_takes_over() {
        let flight = Flight::new(Duration::ZERO, Box::pin(std::future::pending()));
        let driver = flight.spawn();
        let watch = flight.keep_watch();
        assert!(matches!(watch, Watch::Mine(_)) && matches!(flight.keep_watch(), Watch::Kept));
        let mut others: Vec<_> = (0..3).map(|_| Waiter::of(&flight)).collect();
        assert!(others.iter_mut().all(|other| other.poll().is_pending()));
        drop(watch);
        assert!(others.iter().all(|other| other.woken() == 1));
        let mut others = others.into_iter();
        let heard = others.next().unwrap().poll();
        assert!(matches!(heard, Poll::Ready(Outcome::Unwatched)));
        let _watch = flight.keep_watch(); // whoever hears of it first
        assert!(others.all(|mut other| other.poll().is_pending()), "the others wait on");
        driver.unwrap().abort();
    }
}
