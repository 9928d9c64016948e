//! The engine: keeps one token per source, and decides when to ask for the next.
//!
//! A reader looks at one lock-free cell. Only where that look finds nothing good does it take the
//! short lock that guards the flight, the remembered failure and the exchange; no lock is ever
//! held across an await. The parts:
//!
//! - [`cached`]: the public type around the engine;
//! - [`attempt`]: one exchange with its retries and its deadline;
//! - [`flight`]: one exchange shared by all who wait, whoever goes away;
//! - [`memory`]: how long a failure is remembered;
//! - [`throttle`]: how often an API may have a token thrown away.
//!
//! ```text
//!            look ──fresh──▶ token
//!              │ stale: token at once, and a flight behind the callers' backs
//!              ▼ nothing
//!   failure remembered? ──yes──▶ that error at once
//!              │ no, or its time is over (then one single-attempt probe)
//!              ▼
//!   flight in the air? ──yes──▶ wait for it
//!              │ no
//!              ▼
//!         take off, wait ──▶ landing: token kept, or failure remembered
//! ```

mod attempt;
mod builder;
mod cached;
mod flight;
mod jitter;
mod memory;
#[cfg(test)]
mod promises;
mod throttle;
mod tools;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use arc_swap::ArcSwap;
use http::Method;
use tokio::task::AbortHandle;

use self::attempt::fly;
pub use self::builder::CachedTokenSourceBuilder;
pub use self::cached::CachedTokenSource;
use self::flight::{Flight, Outcome, Watch, contained};
use self::memory::Failure;
use self::throttle::Throttle;
use self::tools::Tools;
use crate::clock::{Clock, within};
use crate::error::{Error, ErrorKind};
use crate::exchange::{Identity, TokenExchange};
use crate::lifetime::{Kept, Moment};
use crate::token::{AccessToken, Parts, TokenState};

struct Engine<E> {
    kept: ArcSwap<Parts>,
    state: Mutex<State<E>>,
    tools: Arc<Tools>,
    provider: &'static str,
}

struct State<E> {
    exchange: Arc<E>,
    identity: Identity,
    /// How it asks and whom, for logs.
    asks: (Method, Arc<str>),
    /// The number of the flight that counts; one that was replaced or given up lands unheard.
    current: u64,
    /// Weak, so that a flight for which nobody waits and which nobody drives is gone.
    flight: Weak<Flight>,
    task: Option<AbortHandle>,
    failure: Option<Failure>,
    throttle: Throttle,
}

/// What a look at the kept token finds.
enum Look {
    Fresh(AccessToken),
    Stale(AccessToken),
    Nothing,
}

/// Runtimes that may be lost under one waiting caller before it gives up.
const MOST_LOST_FLIGHTS: u32 = 3;
/// How long a caller waits for a probe before it takes the remembered failure.
const PROBE_PATIENCE: Duration = Duration::from_secs(1);
/// How much longer than a flight's deadline a caller waits for it: a flight whose runtime stands
/// still never ends by itself.
const GRACE: Duration = Duration::from_secs(1);

impl<E: TokenExchange> Engine<E> {
    fn new(exchange: E, tools: Tools) -> Result<Self, Error> {
        let provider = exchange.provider();
        let (identity, asks) = proved(&exchange)?;
        let state = State {
            exchange: Arc::new(exchange),
            identity,
            asks,
            current: 0,
            flight: Weak::new(),
            task: None,
            failure: None,
            throttle: Throttle::default(),
        };
        Ok(Self {
            kept: ArcSwap::new(Parts::none()),
            state: Mutex::new(state),
            tools: Arc::new(tools),
            provider,
        })
    }

    fn provider(&self) -> &'static str {
        self.provider
    }

    /// The fast path: one lock-free load and the two clocks.
    #[inline]
    fn look(&self) -> Look {
        let kept = self.kept.load();
        match kept.term.state(self.tools.clock.now()) {
            TokenState::Fresh => Look::Fresh(AccessToken::lent(kept)),
            TokenState::Stale => Look::Stale(AccessToken::lent(kept)),
            TokenState::Expired => Look::Nothing,
        }
    }

    /// A token that may be handed out, fresh or stale.
    fn usable(&self) -> Option<AccessToken> {
        match self.look() {
            Look::Fresh(token) | Look::Stale(token) => Some(token),
            Look::Nothing => None,
        }
    }

    /// Waits for a token.
    async fn fetch(self: &Arc<Self>) -> Result<AccessToken, Error> {
        let mut lost = 0;
        while lost <= MOST_LOST_FLIGHTS {
            let (flight, known) = match self.join() {
                Joined::Token(token) => return Ok(token),
                Joined::Failure(error) => return Err(error),
                Joined::Flight { flight, known } => (flight, known),
            };
            match self.await_flight(&flight, known.is_some()).await {
                Some(Outcome::Landed(result)) => return result,
                Some(Outcome::Superseded | Outcome::Unwatched) => {}
                Some(Outcome::Lost) => lost += 1,
                None => {
                    if let Some(error) = known {
                        return Err(error);
                    }
                    return Err(self.abandon(&flight));
                }
            }
        }
        let text = "the runtimes that drove the exchange were shut down, one after the other";
        Err(Error::new(ErrorKind::Unavailable, text).with_provider(self.provider))
    }

    /// Waits for a flight; `None` where patience ended first. Only one waiter of a runtime has a
    /// timer, but where a failure is known: then each waits a moment and no longer.
    async fn await_flight(&self, flight: &Arc<Flight>, failure_is_known: bool) -> Option<Outcome> {
        if failure_is_known {
            return within(&self.tools.clock, PROBE_PATIENCE, flight.wait()).await;
        }
        let watch = flight.keep_watch();
        if matches!(watch, Watch::Kept) {
            return Some(flight.wait_watched().await);
        }
        let flown = self.tools.clock.monotonic().saturating_sub(flight.began);
        let left = self.tools.retry.deadline.saturating_add(GRACE).saturating_sub(flown);
        within(&self.tools.clock, left, flight.wait()).await
    }

    /// Starts a refresh unless one is in the air or a failure is remembered. Where there is no
    /// runtime to spawn on, the caller drives it; then, and only then, does this wait.
    async fn refresh_behind(self: &Arc<Self>) {
        let now = self.tools.clock.now();
        let (flight, spawned) = {
            let mut state = self.locked();
            let in_peace = state.failure.as_ref().is_some_and(|f| f.left(now.monotonic).is_some());
            let is_fresh = self.kept.load().term.state(now) == TokenState::Fresh;
            if in_peace || is_fresh || state.flying().is_some() {
                return;
            }
            self.take_off(&mut state, now)
        };
        if !spawned {
            flight.wait().await;
        }
    }

    /// Joins the flight that is in the air, or takes off; unless there is an answer already.
    fn join(self: &Arc<Self>) -> Joined {
        let now = self.tools.clock.now();
        let mut state = self.locked();
        // Under the lock, a landing is seen whole: what it kept, and that it is over.
        let kept = self.kept.load();
        if kept.term.state(now).is_usable() {
            return Joined::Token(AccessToken::lent(kept));
        }
        if let Some(error) = state.remembered(now) {
            return Joined::Failure(error);
        }
        let known = state.failure.as_ref().map(|failure| failure.error.clone());
        let (flight, spawned) = match state.flying() {
            Some(flight) => (flight, state.task.is_some()),
            None => self.take_off(&mut state, now),
        };
        // A probe goes on in its task without the caller; without a task nobody else would drive it.
        Joined::Flight { flight, known: known.filter(|_| spawned) }
    }

    /// Begins a flight. Also says whether a task drives it.
    fn take_off(self: &Arc<Self>, state: &mut State<E>, now: Moment) -> (Arc<Flight>, bool) {
        let attempts = if state.failure.is_some() { 1 } else { self.tools.retry.max_attempts };
        let (exchange, tools) = (Arc::clone(&state.exchange), Arc::clone(&self.tools));
        let (asks, source, provider) = (state.asks.clone(), Arc::downgrade(self), self.provider);
        state.current += 1;
        let number = state.current;
        let course = async move {
            let result = contained(fly(exchange, tools, attempts, &asks)).await;
            let result = result.unwrap_or_else(|| Err(panicked(provider)));
            match source.upgrade() {
                Some(source) => source.land(number, result),
                None => Outcome::Landed(result.map(|kept| AccessToken::own(Arc::new(kept.parts)))),
            }
        };
        let flight = Flight::new(now.monotonic, Box::pin(course));
        state.flight = Arc::downgrade(&flight);
        state.task = flight.spawn();
        (flight, state.task.is_some())
    }

    /// Keeps what a flight brought.
    fn land(&self, number: u64, result: Result<Kept, Error>) -> Outcome {
        let now = self.tools.clock.monotonic();
        let mut state = self.locked();
        if number != state.current {
            return Outcome::Superseded;
        }
        state.flight = Weak::new();
        state.task = None;
        Outcome::Landed(match result {
            Ok(kept) => {
                let parts = Arc::new(kept.parts);
                state.failure = None;
                self.kept.store(Arc::clone(&parts));
                Ok(AccessToken::own(parts))
            }
            Err(error) => {
                let previous = state.failure.take();
                state.failure = Failure::after(
                    previous.as_ref(),
                    error.clone(),
                    now,
                    &self.tools.retry,
                    jitter::draw(),
                );
                Err(error)
            }
        })
    }

    /// Gives a flight up that did not end in time, for all who wait; the next caller starts clean.
    fn abandon(&self, flight: &Arc<Flight>) -> Error {
        let mut state = self.locked();
        if std::ptr::eq(state.flight.as_ptr(), Arc::as_ptr(flight)) {
            state.forget_flight();
        }
        drop(state);
        let text = format!(
            "{} gave no token in time: the runtime that drives the exchange stands still",
            self.provider
        );
        let error = Error::new(ErrorKind::Timeout, text).with_provider(self.provider);
        flight.end(Outcome::Landed(Err(error.clone())));
        error
    }

    fn invalidate(&self, token: &AccessToken) {
        let now = self.tools.clock.monotonic();
        let mut state = self.locked();
        let is_kept = AccessToken::lent(self.kept.load()).is_same(token);
        if is_kept && state.throttle.admits(now) {
            self.kept.store(Parts::none());
        }
    }

    fn replace(&self, exchange: E) -> Result<(), Error> {
        let (identity, asks) = proved(&exchange)?;
        let mut state = self.locked();
        if identity != state.identity {
            self.kept.store(Parts::none());
        }
        let exchange = std::mem::replace(&mut state.exchange, Arc::new(exchange));
        let failure = state.failure.take();
        state.identity = identity;
        state.asks = asks;
        state.throttle = Throttle::default();
        state.forget_flight();
        // What is not ours is dropped without the lock: its `Drop` may call this source.
        drop(state);
        drop((exchange, failure));
        Ok(())
    }

    /// The short lock. Nothing of the caller's runs under it: no clock, no exchange, no client.
    fn locked(&self) -> MutexGuard<'_, State<E>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a caller without a good token finds.
enum Joined {
    Token(AccessToken),
    Failure(Error),
    /// A flight, and, if it is a probe, the failure that is known already.
    Flight {
        flight: Arc<Flight>,
        known: Option<Error>,
    },
}

impl<E> State<E> {
    fn flying(&self) -> Option<Arc<Flight>> {
        self.flight.upgrade().filter(|flight| !flight.is_over())
    }

    /// The failure that callers get at once, while its time lasts.
    fn remembered(&self, now: Moment) -> Option<Error> {
        self.failure.as_ref().and_then(|failure| failure.answer(now.monotonic))
    }

    /// Whatever is in the air no longer counts.
    fn forget_flight(&mut self) {
        self.current += 1;
        self.flight = Weak::new();
        if let Some(task) = self.task.take() {
            task.abort();
        }
    }
}

impl<E> Drop for Engine<E> {
    /// A dropped source leaves no task behind.
    fn drop(&mut self) {
        self.state.get_mut().unwrap_or_else(PoisonError::into_inner).forget_flight();
    }
}

fn panicked(provider: &'static str) -> Error {
    let text =
        format!("{provider}'s exchange or its HTTP client panicked: this is a bug in one of them");
    Error::new(ErrorKind::Request, text).with_provider(provider)
}

/// Whose tokens an exchange gets and how it asks whom, once its request is known to be complete.
fn proved<E: TokenExchange>(exchange: &E) -> Result<(Identity, (Method, Arc<str>)), Error> {
    let request = exchange.request().map_err(|error| error.with_provider(exchange.provider()))?;
    let host = request.uri().host().unwrap_or_default().into();
    Ok((exchange.identity(), (request.method().clone(), host)))
}
