//! One exchange shared by all who wait for it, whoever goes away. The one file that spawns.
//!
//! A flight is a future in a box, and whoever holds the box drives it. On a tokio runtime that is a
//! task of its own, so a caller who leaves takes nothing along. Elsewhere it is one of the callers;
//! when that one leaves, it puts the box back and the next waiter picks it up where it was.

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use tokio::sync::watch;
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
}

pub(super) struct Flight {
    future: Mutex<Option<BoxFuture<'static, Outcome>>>,
    stage: watch::Sender<Stage>,
}

#[derive(Clone, Debug)]
enum Stage {
    Driven,
    /// The caller who drove it left; the future is back in its box.
    Orphaned,
    Over(Outcome),
}

impl Flight {
    pub(super) fn new(future: BoxFuture<'static, Outcome>) -> Arc<Self> {
        Arc::new(Self {
            future: Mutex::new(Some(future)),
            stage: watch::Sender::new(Stage::Orphaned),
        })
    }

    /// Takes off in a task of the current tokio runtime, if there is one.
    pub(super) fn spawn(self: &Arc<Self>) -> Option<AbortHandle> {
        let runtime = tokio::runtime::Handle::try_current().ok()?;
        let driver = self.board(OnDrop::Lose)?;
        Some(runtime.spawn(driver).abort_handle())
    }

    /// Whether it has ended, one way or the other.
    pub(super) fn is_over(&self) -> bool {
        matches!(*self.stage.borrow(), Stage::Over(_))
    }

    /// Waits for the outcome, and drives the flight where nobody else does.
    pub(super) async fn wait(self: &Arc<Self>) -> Outcome {
        let mut stage = self.stage.subscribe();
        loop {
            let now = stage.borrow_and_update().clone();
            match now {
                Stage::Over(outcome) => return outcome,
                Stage::Orphaned => {
                    if let Some(driver) = self.board(OnDrop::PutBack) {
                        driver.await;
                        continue;
                    }
                }
                Stage::Driven => {}
            }
            // The sender lives in the flight that `self` holds, so this cannot fail.
            if stage.changed().await.is_err() {
                return Outcome::Lost;
            }
        }
    }

    fn end(&self, outcome: Outcome) {
        self.stage.send_replace(Stage::Over(outcome));
    }

    /// Takes the future out of its box; at most one driver has it.
    fn board(self: &Arc<Self>, on_drop: OnDrop) -> Option<Driver> {
        let mut slot = self.future.lock().unwrap_or_else(PoisonError::into_inner);
        let future = slot.take()?;
        self.stage.send_replace(Stage::Driven);
        Some(Driver {
            flight: Arc::clone(self),
            future: Some(future),
            on_drop,
        })
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
            _ if std::thread::panicking() => self.flight.end(Outcome::Lost),
            OnDrop::Lose => self.flight.end(Outcome::Lost),
            OnDrop::PutBack => {
                let mut slot = self
                    .flight
                    .future
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner);
                *slot = Some(future);
                drop(slot);
                self.flight.stage.send_replace(Stage::Orphaned);
            }
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
