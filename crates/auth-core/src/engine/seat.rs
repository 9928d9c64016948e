//! What the engine's short lock guards: the exchange, the flight that callers join, and what is
//! remembered of the last failure.

use std::sync::{Arc, Weak};
use std::time::Duration;

use http::Method;
use tokio::runtime::Id;
use tokio::task::AbortHandle;

use super::flight::{End, Flight};
use super::memory::Failure;
use super::throttle::Throttle;
use crate::clock::Moment;
use crate::error::Error;
use crate::identity::Identity;
use crate::token::AccessToken;

/// What the short lock guards.
pub(super) struct State<E> {
    pub(super) exchange: Arc<E>,
    pub(super) identity: Identity,
    /// How it asks and whom, for logs.
    pub(super) asks: (Method, Arc<str>),
    /// Counts the exchanges: what a flight of an earlier one brings does not count.
    pub(super) epoch: u64,
    /// Counts the flights.
    pub(super) flights: u64,
    pub(super) seat: Option<Seat>,
    pub(super) failure: Option<Failure>,
    pub(super) throttle: Throttle,
}

/// The flight that callers join.
pub(super) struct Seat {
    pub(super) number: u64,
    /// When it took off, on the monotonic clock.
    pub(super) began: Duration,
    /// Weak, so that a flight for which nobody waits and which nobody drives is gone.
    pub(super) flight: Weak<Flight<Outcome>>,
    /// Holds the flight of a refresh that no task drives, between the callers that do.
    pub(super) held: Option<Arc<Flight<Outcome>>>,
    /// The task that drives it, and the task's runtime.
    pub(super) task: Option<(AbortHandle, Id)>,
}

/// What everyone who waited for a flight gets.
pub(super) type Outcome = Result<AccessToken, Error>;

/// What a new flight or exchange took the place of. It is ended when this is dropped: after the lock.
pub(super) struct Replaced {
    pub(super) seat: Option<Seat>,
    #[expect(dead_code, reason = "held to be dropped without the lock")]
    pub(super) failure: Option<Failure>,
}

impl Drop for Replaced {
    fn drop(&mut self) {
        let Some(seat) = &mut self.seat else { return };
        // Before its task is aborted, so that nobody sees it lost; and where a caller drives it that
        // stands still, it sends nothing more when that one goes on.
        if let Some(flight) = seat.flight.upgrade() {
            flight.end(End::Superseded);
        }
        if let Some((task, _)) = seat.task.take() {
            task.abort();
        }
    }
}

impl<E> State<E> {
    /// The flight that counts. One that outlived its limit is none: its runtime stands still.
    pub(super) fn live(&self, now: Duration, limit: Duration) -> Option<Arc<Flight<Outcome>>> {
        let seat = self.seat.as_ref().filter(|seat| now < seat.began.saturating_add(limit))?;
        seat.flight.upgrade().filter(|flight| !flight.is_over())
    }

    /// The failure that callers get at once, while its time lasts.
    pub(super) fn remembered(&self, now: Moment) -> Option<Error> {
        self.failure.as_ref().and_then(|failure| failure.answer(now.monotonic))
    }

    /// A failure that is too old to say anything, to be dropped without the lock.
    pub(super) fn forget_old_failure(&mut self, now: Duration) -> Option<Failure> {
        self.failure.take_if(|failure| failure.is_old(now))
    }
}
