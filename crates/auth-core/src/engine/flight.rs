//! One exchange shared by all its waiters, whichever of them leaves. The one file of the
//! engine that spawns.
//!
//! A flight knows no token, error, clock, runtime or timer: it is a future (its *course*), its
//! waiters, and its end. On a tokio runtime the course runs in its own task, so a caller that
//! leaves cancels nothing. Elsewhere one of the waiters drives the course; when that waiter is
//! dropped, it parks the course and another one continues it. Each caller has its own timer.
//!
//! Three invariants, which the tests check:
//! - a slot is taken for each live `Wait` that was polled, so a caller that leaves keeps nothing;
//! - if the course is parked and there are waiters, one that will take it has been woken;
//! - no waker, course or outcome is woken or dropped under the lock: each may run foreign code.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, PoisonError};
use std::task::{Context, Poll, Waker};

// The model checker decides which thread goes on at each lock.
#[cfg(all(test, auth_model))]
use shuttle::sync::{Mutex, MutexGuard};
#[cfg(not(all(test, auth_model)))]
use std::sync::{Mutex, MutexGuard};
use tokio::runtime::Handle;

use crate::clock::BoxFuture;

/// How a flight ended for its waiters. The first end is final.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum End<T> {
    /// With an outcome that all waiters share.
    Landed(T),
    /// Another exchange or flight replaced it: the waiters start again.
    Superseded,
    /// Its runtime was shut down, or its outcome came too late: the waiters start again.
    Lost,
}

type Course<T> = BoxFuture<'static, End<T>>;

pub(super) struct Flight<T>(Mutex<Shared<T>>);

struct Shared<T> {
    phase: Phase<T>,
    /// One for each `Wait` that was polled; `None` once its waker was woken.
    slots: Vec<Option<Waker>>,
    free: Vec<usize>,
}

enum Phase<T> {
    Parked(Course<T>),
    Driven,
    Over(End<T>),
}

impl<T: Clone + Send + 'static> Flight<T> {
    pub(super) fn new(course: Course<T>) -> Arc<Self> {
        let shared = Shared { phase: Phase::Parked(course), slots: Vec::new(), free: Vec::new() };
        Arc::new(Self(Mutex::new(shared)))
    }

    /// Drives the flight in a task of this runtime. The task ends with the flight.
    pub(super) fn spawn(self: &Arc<Self>, runtime: &Handle) {
        let driver = self.driver();
        runtime.spawn(async move { drop(driver.await) });
    }

    /// The future for the task. If the runtime drops it, the sockets and timers of the course die
    /// with that runtime, so the flight is lost: no waiter can continue it.
    fn driver(self: &Arc<Self>) -> Wait<T> {
        let mut shared = self.locked();
        let course = match std::mem::replace(&mut shared.phase, Phase::Driven) {
            Phase::Parked(course) => Some(course),
            other => {
                shared.phase = other;
                None
            }
        };
        drop(shared);
        Wait { flight: Arc::clone(self), if_dropped: IfDropped::Lose, slot: None, course }
    }

    /// Waits for the end, and drives the flight if nothing else does.
    ///
    /// # If the caller goes away
    /// If it drove the flight, another waiter continues it.
    pub(super) fn wait(self: &Arc<Self>) -> Wait<T> {
        Wait { flight: Arc::clone(self), if_dropped: IfDropped::Park, slot: None, course: None }
    }

    pub(super) fn is_over(&self) -> bool {
        matches!(self.locked().phase, Phase::Over(_))
    }

    /// Whether nothing drives it.
    pub(super) fn is_parked(&self) -> bool {
        matches!(self.locked().phase, Phase::Parked(_))
    }

    /// Ends the flight for all its waiters. Returns the end: an earlier one is kept.
    pub(super) fn end(&self, end: End<T>) -> End<T> {
        let mut shared = self.locked();
        if let Phase::Over(first) = &shared.phase {
            let first = first.clone();
            drop(shared);
            return first;
        }
        let phase = std::mem::replace(&mut shared.phase, Phase::Over(end.clone()));
        let woken = shared.wakers();
        drop(shared);
        drop(phase);
        woken.into_iter().for_each(Waker::wake);
        end
    }

    fn locked(&self) -> MutexGuard<'_, Shared<T>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    #[cfg(test)]
    pub(super) fn slots_taken(&self) -> usize {
        let shared = self.locked();
        shared.slots.len() - shared.free.len()
    }
}

impl<T> Shared<T> {
    /// Takes every waker out, to be woken without the lock. The waiters keep their slots.
    fn wakers(&mut self) -> Vec<Waker> {
        self.slots.iter_mut().filter_map(Option::take).collect()
    }

    /// Stores a waker in the waiter's slot, and returns the one that it replaces.
    fn keep(&mut self, slot: &mut Option<usize>, waker: Waker) -> Option<Waker> {
        if let Some(kept) = slot.and_then(|slot| self.slots.get_mut(slot)) {
            return kept.replace(waker);
        }
        if let Some((number, kept)) =
            self.free.pop().and_then(|free| Some((free, self.slots.get_mut(free)?)))
        {
            *slot = Some(number);
            return kept.replace(waker);
        }
        *slot = Some(self.slots.len());
        self.slots.push(Some(waker));
        None
    }
}

/// A waiting caller, or the task that drives the flight.
pub(super) struct Wait<T: Clone + Send + 'static> {
    flight: Arc<Flight<T>>,
    if_dropped: IfDropped,
    slot: Option<usize>,
    /// Set while this one drives the flight.
    course: Option<Course<T>>,
}

/// What happens to the course if its driver is dropped before the end.
#[derive(Clone, Copy, PartialEq, Eq)]
enum IfDropped {
    Lose,
    Park,
}

impl<T: Clone + Send + 'static> Future for Wait<T> {
    type Output = End<T>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<End<T>> {
        let this = self.get_mut();
        let waker = cx.waker().clone();
        let mut shared = this.flight.locked();
        if let Phase::Over(end) = &shared.phase {
            let end = end.clone();
            drop(shared);
            return Poll::Ready(end);
        }
        let replaced = shared.keep(&mut this.slot, waker);
        match std::mem::replace(&mut shared.phase, Phase::Driven) {
            Phase::Parked(course) => this.course = Some(course),
            other => shared.phase = other,
        }
        drop(shared);
        drop(replaced);
        let Some(course) = &mut this.course else {
            return Poll::Pending;
        };
        let Poll::Ready(end) = course.as_mut().poll(cx) else {
            return Poll::Pending;
        };
        this.course = None;
        Poll::Ready(this.flight.end(end))
    }
}

impl<T: Clone + Send + 'static> Drop for Wait<T> {
    fn drop(&mut self) {
        let mut shared = self.flight.locked();
        let own = self.slot.and_then(|slot| {
            shared.free.push(slot);
            shared.slots.get_mut(slot)?.take()
        });
        let mut woken = Vec::new();
        if self.if_dropped == IfDropped::Park
            && !std::thread::panicking() // a course that panicked must not be polled again
            && matches!(shared.phase, Phase::Driven)
            && let Some(course) = self.course.take()
        {
            shared.phase = Phase::Parked(course);
            woken = shared.wakers();
        }
        drop(shared);
        drop(own);
        woken.into_iter().for_each(Waker::wake);
        if let Some(course) = self.course.take() {
            drop(course);
            self.flight.end(End::Lost);
        }
    }
}

#[cfg(all(test, auth_model))]
mod model;

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
        wait: Wait<u8>,
        woken: Arc<Woken>,
    }

    impl Waiter {
        fn of(flight: &Arc<Flight<u8>>) -> Self {
            Self { wait: flight.wait(), woken: Arc::default() }
        }

        fn poll(&mut self) -> Poll<End<u8>> {
            let waker = Waker::from(Arc::clone(&self.woken));
            Pin::new(&mut self.wait).poll(&mut Context::from_waker(&waker))
        }

        fn woken(&self) -> usize {
            self.woken.0.swap(0, Ordering::SeqCst)
        }
    }

    fn endless() -> Arc<Flight<u8>> {
        Flight::new(Box::pin(std::future::pending()))
    }

    #[test]
    fn a_waiter_is_woken_in_whatever_order_they_are_polled_again() {
        let flight = endless();
        let mut leader = Waiter::of(&flight);
        assert!(leader.poll().is_pending());
        let mut others: Vec<_> = (0..4).map(|_| Waiter::of(&flight)).collect();
        assert!(others.iter_mut().all(|other| other.poll().is_pending()));
        drop(leader);
        assert!(flight.is_parked());
        assert!(others.iter().all(|other| other.woken() == 1));
        assert!(others.iter_mut().rev().all(|other| other.poll().is_pending()));
        assert!(!flight.is_parked());
        flight.end(End::Superseded);
        assert!(others.iter().all(|other| other.woken() == 1), "one was forgotten");
        assert!(others.iter_mut().all(|other| other.poll() == Poll::Ready(End::Superseded)));
    }

    #[test]
    fn a_caller_that_leaves_frees_its_slot_and_its_waker() {
        let flight = endless();
        let mut stays = Waiter::of(&flight);
        assert!(stays.poll().is_pending());
        for _ in 0..1_000 {
            let mut leaves = Waiter::of(&flight);
            assert!(leaves.poll().is_pending());
            let woken = Arc::downgrade(&leaves.woken);
            drop(leaves);
            assert!(woken.upgrade().is_none(), "a waker holds the task of a caller that left");
        }
        assert_eq!(flight.slots_taken(), 1);
        assert_eq!(flight.locked().slots.len(), 2);
        drop(stays);
        assert_eq!(flight.slots_taken(), 0);
    }

    #[test]
    fn the_first_end_is_final() {
        let flight = endless();
        assert_eq!(flight.end(End::Landed(1)), End::Landed(1));
        assert_eq!(flight.end(End::Lost), End::Landed(1));
        assert_eq!(Waiter::of(&flight).poll(), Poll::Ready(End::Landed(1)));
    }

    /// A waker whose `drop` and `wake` lock the flight, as a caller's own code may.
    struct Nosy(Arc<Flight<u8>>);

    impl Drop for Nosy {
        fn drop(&mut self) {
            self.0.is_over();
        }
    }

    impl Wake for Nosy {
        fn wake(self: Arc<Self>) {
            self.0.is_over();
        }
    }

    #[test]
    fn no_waker_and_no_course_is_dropped_under_the_lock() {
        // Each line would deadlock if one were.
        let flight = endless();
        let nosy = |flight: &Arc<Flight<u8>>| Waker::from(Arc::new(Nosy(Arc::clone(flight))));
        let mut wait = flight.wait();
        for _ in 0..2 {
            let waker = nosy(&flight);
            assert!(Pin::new(&mut wait).poll(&mut Context::from_waker(&waker)).is_pending());
        }
        drop(wait); // parks
        let mut wait = flight.wait();
        assert!(Pin::new(&mut wait).poll(&mut Context::from_waker(&nosy(&flight))).is_pending());
        flight.end(End::Superseded);
        drop(wait);

        let other = endless();
        let holder = Nosy(Arc::clone(&other));
        let parked = Flight::<u8>::new(Box::pin(async move {
            let _holder = holder;
            std::future::pending().await
        }));
        parked.end(End::Lost);
    }

    #[test]
    fn a_task_that_is_dropped_loses_the_flight_for_all() {
        let flight = endless();
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        flight.spawn(runtime.handle());
        let mut waiter = Waiter::of(&flight);
        assert!(waiter.poll().is_pending());
        drop(runtime);
        assert_eq!((waiter.woken(), waiter.poll()), (1, Poll::Ready(End::Lost)));
    }
}
