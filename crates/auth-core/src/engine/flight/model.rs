//! The flight under a model checker (`cargo xtask model`), which chooses the next thread at each
//! lock and each await. A schedule in which a waiter is never woken is a deadlock; it is printed so
//! that it can be replayed.

use std::sync::atomic::{AtomicBool, Ordering};

use shuttle::future::block_on;
use shuttle::rand::{Rng as _, thread_rng};
use shuttle::thread;

use super::*;

/// An external event that the course waits for, like a socket. Another thread sets it.
#[derive(Default)]
struct Signal(Mutex<(bool, Option<Waker>)>);

impl Signal {
    fn set(&self) {
        let mut state = self.0.lock().unwrap();
        state.0 = true;
        let waker = state.1.take();
        drop(state);
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    async fn wait(&self) {
        std::future::poll_fn(|cx| {
            let mut state = self.0.lock().unwrap();
            if state.0 {
                return Poll::Ready(());
            }
            let old = state.1.replace(cx.waker().clone());
            drop(state);
            drop(old);
            Poll::Pending
        })
        .await;
    }
}

/// The future's output, or `None` if it is still pending after `polls` more polls.
async fn patient<F: Future + Unpin>(mut future: F, polls: usize) -> Option<F::Output> {
    let mut left = polls;
    std::future::poll_fn(|cx| match Pin::new(&mut future).poll(cx) {
        Poll::Ready(output) => Poll::Ready(Some(output)),
        Poll::Pending if left == 0 => Poll::Ready(None),
        Poll::Pending => {
            left -= 1;
            if left < 1_000 {
                cx.waker().wake_by_ref(); // polled again, and then dropped
            }
            Poll::Pending
        }
    })
    .await
}

const FOR_EVER: usize = usize::MAX;

/// Waiters that stay or leave, a driver that may be lost or never polled, and an external `end`.
fn scenario() {
    let mut draw = thread_rng();
    let signal = Arc::new(Signal::default());
    let (event, landed) = (Arc::clone(&signal), Arc::new(AtomicBool::new(false)));
    let lands = Arc::clone(&landed);
    let flight: Arc<Flight<u8>> = Flight::new(Box::pin(async move {
        for _ in 0..2 {
            shuttle::future::yield_now().await;
        }
        event.wait().await;
        assert!(!lands.swap(true, Ordering::SeqCst), "the course landed twice");
        End::Landed(7)
    }));

    let mut threads = Vec::new();
    if draw.gen_bool(0.5) {
        let driver = flight.driver();
        let polls = [0, 1, 2, FOR_EVER][draw.gen_range(0..4)];
        threads.push(thread::spawn(move || {
            block_on(patient(driver, polls)); // 0: shut down before it was polled
        }));
    }
    for stays in [true, true, false] {
        let wait = flight.wait();
        let polls = if stays { FOR_EVER } else { draw.gen_range(0..3) };
        let ended = Arc::clone(&flight);
        threads.push(thread::spawn(move || match block_on(patient(wait, polls)) {
            Some(end) => assert_eq!(ended.end(End::Superseded), end, "two ends"),
            None => assert!(!stays),
        }));
    }
    if draw.gen_bool(0.3) {
        let flight = Arc::clone(&flight);
        threads.push(thread::spawn(move || {
            flight.end(End::Superseded);
        }));
    }
    threads.push(thread::spawn(move || signal.set()));
    for thread in threads {
        thread.join().unwrap();
    }
    assert_eq!(flight.slots_taken(), 0);
    assert!(flight.is_over(), "the waiters that stayed saw its end");
}

#[test]
fn no_waiter_is_forgotten_in_any_random_schedule() {
    shuttle::check_random(scenario, 100_000);
}

#[test]
fn no_waiter_is_forgotten_in_any_schedule_of_few_preemptions() {
    shuttle::check_pct(scenario, 20_000, 3);
}
