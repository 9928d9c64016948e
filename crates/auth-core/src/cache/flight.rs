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
use crate::error::{Error, ErrorKind};
use crate::token::AccessToken;

/// How a flight ended for those who waited.
#[derive(Clone, Debug)]
pub(super) enum Outcome {
    /// With a token or an error that everyone shares.
    Landed(Result<AccessToken, Error>),
    /// Without: its runtime was shut down, or its exchange was replaced. Whoever still wants a
    /// token starts again.
    Void,
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
        let driver = self.board(OnDrop::Void)?;
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
                return Outcome::Void;
            }
        }
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
    Void,
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
        // The future is dropped after a panic and never polled again, so no broken state is seen.
        let outcome = match catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(cx))) {
            Ok(Poll::Pending) => return Poll::Pending,
            Ok(Poll::Ready(outcome)) => outcome,
            Err(panic) => {
                // Its payload may quote anything, and dropping it may panic again.
                std::mem::forget(panic);
                Outcome::Landed(Err(Error::new(
                    ErrorKind::Request,
                    "the exchange or its HTTP client panicked: this is a bug in one of them",
                )))
            }
        };
        self.future = None;
        self.flight.stage.send_replace(Stage::Over(outcome));
        Poll::Ready(())
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        let Some(future) = self.future.take() else {
            return;
        };
        match self.on_drop {
            OnDrop::Void => {
                self.flight.stage.send_replace(Stage::Over(Outcome::Void));
            }
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
