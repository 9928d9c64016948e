//! The engine: keeps one token per source, and decides when to ask for the next.
//!
//! A caller first reads one lock-free cell. Only if that holds no usable token does it take the
//! short lock, which guards the flight, the remembered failure and the exchange; no lock is held
//! across an await. The parts:
//!
//! - [`cached`]: the public type around the engine;
//! - [`attempt`]: one exchange with its retries and its deadline;
//! - [`origin`]: the exchange of a flight, from the source or from its resolver;
//! - [`sharing`]: a flight with a store, which asks the provider only with the store's lease;
//! - [`flight`]: one exchange shared by all its waiters, whichever of them leaves;
//! - [`landing`]: what a landed flight, `invalidate` and `replace_exchange` change;
//! - [`state`]: the fields that the short lock guards;
//! - [`rule`]: retry or not, and how long to remember, as one `match` over the error;
//! - [`memory`]: how long a failure is remembered;
//! - [`throttle`]: how often `invalidate` may drop a token.
//!
//! ```text
//!            look ──fresh──▶ token
//!              │ stale: token at once, and a flight in the background
//!              ▼ nothing
//!   failure remembered? ──yes──▶ that error at once
//!              │ no, or its pause is over (then one single-attempt probe)
//!              ▼
//!   flight under way? ──yes──▶ wait for it
//!              │ no
//!              ▼
//!         take off, wait ──▶ landing: token kept, or failure remembered
//! ```

mod attempt;
mod builder;
mod cached;
mod flight;
mod jitter;
mod landing;
mod memory;
mod origin;
mod parts;
#[cfg(test)]
mod promises;
mod report;
mod rule;
mod sharing;
mod state;
mod throttle;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use arc_swap::ArcSwap;
use http::Method;
use tokio::runtime::{Handle, RuntimeFlavor};

pub use self::builder::CachedTokenSourceBuilder;
pub use self::cached::CachedTokenSource;
use self::flight::{End, Flight};
use self::origin::Origin;
use self::parts::Parts;
use self::report::Report;
use self::state::{CurrentFlight, Outcome, Replaced, State};
use self::throttle::Throttle;
use crate::clock::{Clock, Moment, within};
use crate::error::runtime::shut_down;
use crate::error::{Error, ErrorKind};
use crate::exchange::TokenExchange;
use crate::identity::Identity;
use crate::panics::contained;
use crate::resolver::Resolver;
use crate::status::SourceStatus;
use crate::term::TokenState;
use crate::token::{AccessToken, Token};

struct Engine<E> {
    kept: ArcSwap<Token>,
    state: Mutex<State<E>>,
    parts: Arc<Parts>,
}

/// The kept token by its state now.
enum Look {
    Fresh(AccessToken),
    Stale(AccessToken),
    Nothing,
}

/// How long a caller waits for a probe before it returns the remembered failure, and for a refresh
/// that only this caller can drive.
const PATIENCE: Duration = Duration::from_secs(1);
/// How long after its deadline a flight still counts, and its callers still wait. A flight on a
/// runtime that is not driven never ends by itself.
const GRACE: Duration = Duration::from_secs(1);
/// How many flights of its own a caller sees lost until it takes its own runtime for shut down.
const LOSSES: u32 = 3;

impl<E: TokenExchange> Engine<E> {
    fn new(
        exchange: E,
        resolver: Option<Arc<dyn Resolver<E>>>,
        parts: Parts,
    ) -> Result<Self, Error> {
        let (identity, asks) = proved(&exchange, &parts.report)?;
        let state = State {
            exchange: Arc::new(exchange),
            resolver,
            is_unread: false,
            identity,
            asks,
            epoch: 0,
            flights: 0,
            current: None,
            failure: None,
            last_failure: None,
            throttle: Throttle::default(),
        };
        Ok(Self {
            kept: ArcSwap::new(Token::none()),
            state: Mutex::new(state),
            parts: Arc::new(parts),
        })
    }

    /// The current exchange.
    fn exchange(&self) -> Arc<E> {
        Arc::clone(&self.locked().exchange)
    }

    fn status(&self) -> SourceStatus {
        let report = &self.parts.report;
        let now = self.parts.clock.now();
        let kept = self.kept.load();
        let has_token = !kept.is_none();
        SourceStatus {
            provider: Some(report.provider),
            label: report.label.as_deref().map(str::to_owned),
            token: has_token.then(|| kept.term.state(now)),
            age: kept.term.age(now).filter(|_| has_token),
            expires_in: kept.term.expires_in(now).filter(|_| has_token),
            last_failure: self.locked().last_failure.clone(),
            requests: self.parts.report.requests(),
        }
    }

    /// The fast path: one lock-free load and the two clocks.
    #[inline]
    fn look(&self) -> Look {
        let kept = self.kept.load();
        match kept.term.state(self.parts.clock.now()) {
            TokenState::Fresh => Look::Fresh(AccessToken::from_guard(kept)),
            TokenState::Stale => Look::Stale(AccessToken::from_guard(kept)),
            TokenState::Expired => Look::Nothing,
        }
    }

    /// The kept token if it is fresh or stale.
    fn usable(&self) -> Option<AccessToken> {
        match self.look() {
            Look::Fresh(token) | Look::Stale(token) => Some(token),
            Look::Nothing => None,
        }
    }

    /// How long a flight counts at most, and how long a caller waits in total.
    fn limit(&self) -> Duration {
        self.parts.retry.deadline.saturating_add(GRACE)
    }

    /// Waits for a token.
    async fn fetch(self: &Arc<Self>) -> Outcome {
        let clock = &self.parts.clock;
        let until = clock.monotonic().saturating_add(self.limit());
        let (mut lost, mut losses) = (false, 0_u32);
        loop {
            let (flight, began, known, is_own) = match self.join(lost) {
                Joined::Token(token) => return Ok(token),
                Joined::Failure(error) => return Err(error),
                Joined::Flight { flight, began, known, is_own } => (flight, began, known, is_own),
            };
            let now = clock.monotonic();
            let ends = match &known {
                Some(_) => now.saturating_add(PATIENCE),
                None => began.saturating_add(self.limit()),
            };
            let left = until.min(ends).saturating_sub(now);
            let error = match within(clock, left, flight.wait()).await {
                // The token may have expired before this caller was polled again.
                Some(End::Landed(Ok(token))) if token.is_usable(clock.now()) => return Ok(token),
                Some(End::Landed(Err(error))) => Some(error),
                Some(End::Landed(Ok(_)) | End::Superseded) => None,
                Some(End::Lost) => {
                    lost = true;
                    losses += u32::from(is_own);
                    (losses > LOSSES).then(|| self.parts.report.sign(shut_down()))
                }
                None => known.map(Error::without_retry_after),
            };
            let overdue =
                || (clock.monotonic() >= until).then(|| self.parts.report.sign(overdue()));
            if let Some(error) = error.or_else(overdue) {
                // Another flight may have stored a token in the meantime.
                return self.usable().ok_or(error);
            }
        }
    }

    /// Starts a refresh unless one is in flight or a failure is remembered. Waits for it only if no
    /// other task or caller can drive it, and then for at most one second per flight.
    async fn refresh(self: &Arc<Self>) {
        let now = self.parts.clock.now();
        let (flight, began, dropped) = {
            let mut state = self.locked();
            let in_pause = state.failure.as_ref().is_some_and(|f| f.left(now.monotonic).is_some());
            if in_pause || self.kept.load().term.state(now) == TokenState::Fresh {
                return;
            }
            let (flight, dropped) = match state.live(now.monotonic, self.limit()) {
                Some(flight) => (flight, None),
                None => {
                    let (flight, dropped) = self.take_off(&mut state, now, true);
                    (flight, Some(dropped))
                }
            };
            let Some(current) = &mut state.current else { return };
            let alone = match (current.runtime, Handle::try_current()) {
                (None, _) => {
                    current.held = Some(Arc::clone(&flight));
                    flight.is_parked()
                }
                // The root of `block_on`: once this call returns, the runtime may not be driven.
                (Some(id), Ok(runtime)) => {
                    id == runtime.id()
                        && runtime.runtime_flavor() == RuntimeFlavor::CurrentThread
                        && tokio::task::try_id().is_none()
                }
                (Some(_), Err(_)) => false,
            };
            (alone.then_some(flight), current.began, dropped)
        };
        drop(dropped);
        let Some(flight) = flight else { return };
        let left = began.saturating_add(PATIENCE).saturating_sub(now.monotonic);
        if !left.is_zero() {
            within(&self.parts.clock, left, flight.wait()).await;
        }
    }

    /// Returns a usable token or a remembered failure; else joins the flight under way, or starts
    /// one. If a runtime has just lost a flight (`lost`), the caller drives the next one itself.
    fn join(self: &Arc<Self>, lost: bool) -> Joined {
        let now = self.parts.clock.now();
        let mut state = self.locked();
        // `land` stores the token and ends the flight under this lock, so both are seen together.
        let kept = self.kept.load();
        if kept.term.state(now).is_usable() {
            return Joined::Token(AccessToken::from_guard(kept));
        }
        let old = state.forget_old_failure(now.monotonic);
        if let Some(error) = state.remembered(now) {
            return Joined::Failure(error);
        }
        let known = state.failure.as_ref().map(|failure| failure.error.clone());
        let (flight, dropped) = match state.live(now.monotonic, self.limit()) {
            Some(flight) => (flight, None),
            None => {
                let (flight, dropped) = self.take_off(&mut state, now, !lost);
                (flight, Some(dropped))
            }
        };
        let (began, spawned) = state
            .current
            .as_ref()
            .map_or((now.monotonic, false), |s| (s.began, s.runtime.is_some()));
        drop(state);
        let is_own = dropped.is_some();
        drop((old, dropped));
        // A spawned probe continues when the caller stops waiting. Without a task this caller may
        // be its only driver, so it waits to the end.
        Joined::Flight { flight, began, known: known.filter(|_| spawned), is_own }
    }

    /// Starts a flight. Returns the flight and failure that it replaces: the caller drops them
    /// after it has released the lock.
    fn take_off(
        self: &Arc<Self>,
        state: &mut State<E>,
        now: Moment,
        may_spawn: bool,
    ) -> (Arc<Flight<Outcome>>, Replaced) {
        let old_failure = state.forget_old_failure(now.monotonic);
        let most = if state.failure.is_some() { 1 } else { self.parts.retry.max_attempts };
        let signing = Arc::clone(&self.parts);
        state.flights += 1;
        let (number, epoch, began) = (state.flights, state.epoch, now.monotonic);
        let (parts, held) = (Arc::clone(&self.parts), self.kept.load_full());
        let source = Arc::downgrade(self);
        let origin = Origin {
            exchange: Arc::clone(&state.exchange),
            asks: state.asks.clone(),
            resolver: state.resolver.clone(),
            source: Weak::clone(&source),
            number,
        };
        let course = async move {
            let result = contained(origin.fly(parts, most, held)).await;
            let result = result.unwrap_or_else(|| Err(signing.report.sign(panicked()).into()));
            match source.upgrade() {
                Some(source) => source.land(epoch, number, began, result),
                None => End::Landed(match result {
                    Ok(token) => Ok(AccessToken::from_arc(Arc::new(token))),
                    Err(failed) => Err(failed.error),
                }),
            }
        };
        let flight = Flight::new(Box::pin(course));
        let runtime = Handle::try_current().ok().filter(|_| may_spawn).map(|runtime| {
            flight.spawn(&runtime);
            runtime.id()
        });
        let current =
            CurrentFlight { number, began, flight: Arc::downgrade(&flight), held: None, runtime };
        let old_flight = state.current.replace(current);
        (flight, Replaced { current: old_flight, failure: old_failure })
    }

    /// The short lock. No code of the caller's (clock, exchange, client) runs while it is held.
    fn locked(&self) -> MutexGuard<'_, State<E>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What [`Engine::join`] returns.
enum Joined {
    Token(AccessToken),
    Failure(Error),
    /// A flight, when it took off, and, if it is a probe, the failure that is already known.
    Flight {
        flight: Arc<Flight<Outcome>>,
        began: Duration,
        known: Option<Error>,
        is_own: bool,
    },
}

impl<E> Drop for Engine<E> {
    /// Ends the current flight, and with it the task that drives it.
    fn drop(&mut self) {
        let state = self.state.get_mut().unwrap_or_else(PoisonError::into_inner);
        drop(Replaced { current: state.current.take(), failure: None });
    }
}

fn overdue() -> Error {
    let text =
        "no token in time: the tokio runtime that the exchange was spawned on is not running";
    Error::new(ErrorKind::Timeout, text)
}

fn panicked() -> Error {
    let text = "the exchange or its HTTP client panicked: report the bug to its author";
    Error::new(ErrorKind::Internal, text)
}

/// The identity of an exchange, and the method and host of its request; an error if the request is
/// incomplete.
fn proved<E: TokenExchange>(
    exchange: &E,
    report: &Report,
) -> Result<(Identity, (Method, Arc<str>)), Error> {
    let request = exchange.request().map_err(|error| report.sign(error))?;
    let host = request.uri().host().unwrap_or_default().into();
    Ok((exchange.identity(), (request.method().clone(), host)))
}
