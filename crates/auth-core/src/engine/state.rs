//! The fields that the engine's short lock guards: the exchange, the flight that callers join, and
//! the remembered failure.

use std::sync::{Arc, Weak};
use std::time::Duration;

use http::Method;
use tokio::runtime::Id;

use super::flight::{End, Flight};
use super::memory::Failure;
use super::throttle::Throttle;
use crate::clock::Moment;
use crate::error::Error;
use crate::identity::Identity;
use crate::resolver::Resolver;
use crate::status::LastFailure;
use crate::token::AccessToken;

/// The fields under the short lock.
pub(super) struct State<E> {
    pub(super) exchange: Arc<E>,
    /// Finds the exchange of the next flight; `None` if that is this one.
    pub(super) resolver: Option<Arc<dyn Resolver<E>>>,
    /// Whether the resolver failed last, and a warning said so.
    pub(super) is_unread: bool,
    pub(super) identity: Identity,
    /// The method and host of its request, for logs.
    pub(super) asks: (Method, Arc<str>),
    /// Incremented when the exchange is replaced: the outcome of an earlier flight is discarded.
    pub(super) epoch: u64,
    /// Counts the flights.
    pub(super) flights: u64,
    pub(super) current: Option<CurrentFlight>,
    pub(super) failure: Option<Failure>,
    /// For the status alone.
    pub(super) last_failure: Option<LastFailure>,
    pub(super) throttle: Throttle,
}

/// The flight that callers join.
pub(super) struct CurrentFlight {
    pub(super) number: u64,
    /// When it took off, on the monotonic clock.
    pub(super) began: Duration,
    /// Weak, so that a flight without a waiter and without a task is dropped.
    pub(super) flight: Weak<Flight<Outcome>>,
    /// Keeps a refresh that has no task alive while no caller is driving it.
    pub(super) held: Option<Arc<Flight<Outcome>>>,
    /// The runtime of the task that drives it, if there is a task.
    pub(super) runtime: Option<Id>,
}

/// The result that all waiters of a flight share.
pub(super) type Outcome = Result<AccessToken, Error>;

/// The flight and the failure that a new flight or exchange replaced. Dropping it ends the flight:
/// only do so after the lock is released.
pub(super) struct Replaced {
    pub(super) current: Option<CurrentFlight>,
    #[expect(dead_code, reason = "held to be dropped without the lock")]
    pub(super) failure: Option<Failure>,
}

impl Drop for Replaced {
    fn drop(&mut self) {
        let Some(current) = &self.current else { return };
        // Wakes the waiters and the task that drives it, which then drops the course. A caller that
        // drives the flight but is not being polled sends nothing more when it continues.
        if let Some(flight) = current.flight.upgrade() {
            flight.end(End::Superseded);
        }
    }
}

impl<E> State<E> {
    /// The flight to join. One past its limit is ignored: its runtime is not driven.
    pub(super) fn live(&self, now: Duration, limit: Duration) -> Option<Arc<Flight<Outcome>>> {
        let current =
            self.current.as_ref().filter(|current| now < current.began.saturating_add(limit))?;
        current.flight.upgrade().filter(|flight| !flight.is_over())
    }

    /// The failure that callers get at once, while its pause lasts.
    pub(super) fn remembered(&self, now: Moment) -> Option<Error> {
        self.failure.as_ref().and_then(|failure| failure.answer(now.monotonic))
    }

    /// Takes out a failure that is too old to matter. Drop it after the lock is released.
    pub(super) fn forget_old_failure(&mut self, now: Duration) -> Option<Failure> {
        self.failure.take_if(|failure| failure.is_old(now))
    }
}
