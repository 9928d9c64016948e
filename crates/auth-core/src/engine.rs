//! The engine: keeps one token per source, and decides when to ask for the next.
//!
//! A reader looks at one lock-free cell. Only where that look finds nothing good does it take the
//! short lock that guards the flight, the remembered failure and the exchange; no lock is ever
//! held across an await. The parts:
//!
//! - [`cached`]: the public type around the engine;
//! - [`attempt`]: one exchange with its retries and its deadline;
//! - [`flight`]: one exchange shared by all who wait, whoever goes away;
//! - [`seat`]: what the short lock guards;
//! - [`rule`]: what follows from a failure, one `match`;
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
mod rule;
mod seat;
mod throttle;
mod tools;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwap;
use http::Method;
use tokio::runtime::{Handle, RuntimeFlavor};

use self::attempt::fly;
pub use self::builder::CachedTokenSourceBuilder;
pub use self::cached::CachedTokenSource;
use self::flight::{End, Flight, contained};
use self::memory::Failure;
use self::seat::{Outcome, Replaced, Seat, State};
use self::throttle::Throttle;
use self::tools::Tools;
use crate::clock::{Clock, Moment, within};
use crate::error::{Error, ErrorKind, cause};
use crate::exchange::TokenExchange;
use crate::identity::Identity;
use crate::term::TokenState;
use crate::token::{AccessToken, Token};

struct Engine<E> {
    kept: ArcSwap<Token>,
    state: Mutex<State<E>>,
    tools: Arc<Tools>,
    provider: &'static str,
}

/// What a look at the kept token finds.
enum Look {
    Fresh(AccessToken),
    Stale(AccessToken),
    Nothing,
}

/// How long a caller waits for a probe before it takes the remembered failure, and for a refresh
/// that it alone can drive.
const PATIENCE: Duration = Duration::from_secs(1);
/// How much longer than a flight's deadline a flight counts, and a caller waits. A flight whose
/// runtime stands still never ends by itself.
const GRACE: Duration = Duration::from_secs(1);
/// How many flights of its own a caller sees lost until it takes its own runtime for shut down.
const LOSSES: u32 = 3;

impl<E: TokenExchange> Engine<E> {
    fn new(exchange: E, tools: Tools) -> Result<Self, Error> {
        let provider = exchange.provider();
        let (identity, asks) = proved(&exchange)?;
        let state = State {
            exchange: Arc::new(exchange),
            identity,
            asks,
            epoch: 0,
            flights: 0,
            seat: None,
            failure: None,
            throttle: Throttle::default(),
        };
        Ok(Self {
            kept: ArcSwap::new(Token::none()),
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

    /// The longest time that a flight counts, and that a caller waits in all.
    fn limit(&self) -> Duration {
        self.tools.retry.deadline.saturating_add(GRACE)
    }

    /// Waits for a token.
    async fn fetch(self: &Arc<Self>) -> Outcome {
        let clock = &self.tools.clock;
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
                // Unless the token ended while this caller stood still.
                Some(End::Landed(Ok(token))) if token.is_usable(clock.now()) => return Ok(token),
                Some(End::Landed(Err(error))) => Some(error),
                Some(End::Landed(Ok(_)) | End::Superseded) => None,
                Some(End::Lost) => {
                    lost = true;
                    losses += u32::from(is_own);
                    (losses > LOSSES).then(|| cause::shut_down().with_provider(self.provider))
                }
                None => known.map(Error::without_retry_after),
            };
            let overdue = || (clock.monotonic() >= until).then(|| overdue(self.provider));
            if let Some(error) = error.or_else(overdue) {
                // Another flight may have brought a token meanwhile.
                return self.usable().ok_or(error);
            }
        }
    }

    /// Sees to it that a refresh is in flight, unless a failure is remembered. Waits for it, for a
    /// second a flight at most, only where this very call alone can drive it.
    async fn refresh(self: &Arc<Self>) {
        let now = self.tools.clock.now();
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
            let Some(seat) = &mut state.seat else { return };
            let alone = match (&seat.task, Handle::try_current()) {
                (None, _) => {
                    seat.held = Some(Arc::clone(&flight));
                    flight.is_parked()
                }
                // The root of `block_on`: where this call returns, the runtime may stand still.
                (Some((_, id)), Ok(runtime)) => {
                    *id == runtime.id()
                        && runtime.runtime_flavor() == RuntimeFlavor::CurrentThread
                        && tokio::task::try_id().is_none()
                }
                (Some(_), Err(_)) => false,
            };
            (alone.then_some(flight), seat.began, dropped)
        };
        drop(dropped);
        let Some(flight) = flight else { return };
        let left = began.saturating_add(PATIENCE).saturating_sub(now.monotonic);
        if !left.is_zero() {
            within(&self.tools.clock, left, flight.wait()).await;
        }
    }

    /// Joins the flight that is under way, or takes off; unless there is an answer already. Where
    /// a runtime has just lost a flight, the caller drives the next one itself.
    fn join(self: &Arc<Self>, lost: bool) -> Joined {
        let now = self.tools.clock.now();
        let mut state = self.locked();
        // Under the lock, a landing is seen whole: what it kept, and that it is over.
        let kept = self.kept.load();
        if kept.term.state(now).is_usable() {
            return Joined::Token(AccessToken::lent(kept));
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
        let (began, spawned) =
            state.seat.as_ref().map_or((now.monotonic, false), |s| (s.began, s.task.is_some()));
        drop(state);
        let is_own = dropped.is_some();
        drop((old, dropped));
        // A probe goes on in its task without the caller; without a task nobody else would drive it.
        Joined::Flight { flight, began, known: known.filter(|_| spawned), is_own }
    }

    /// Begins a flight. What it takes the place of is returned, to be dropped without the lock.
    fn take_off(
        self: &Arc<Self>,
        state: &mut State<E>,
        now: Moment,
        may_spawn: bool,
    ) -> (Arc<Flight<Outcome>>, Replaced) {
        let old_failure = state.forget_old_failure(now.monotonic);
        let attempts = if state.failure.is_some() { 1 } else { self.tools.retry.max_attempts };
        let (exchange, tools) = (Arc::clone(&state.exchange), Arc::clone(&self.tools));
        let (asks, source, provider) = (state.asks.clone(), Arc::downgrade(self), self.provider);
        let held = self.kept.load_full();
        state.flights += 1;
        let (number, epoch, began) = (state.flights, state.epoch, now.monotonic);
        let course = async move {
            let result = contained(fly(exchange, tools, attempts, held, &asks)).await;
            let result = result.unwrap_or_else(|| Err(panicked(provider)));
            match source.upgrade() {
                Some(source) => source.land(epoch, number, began, result),
                None => End::Landed(result.map(|token| AccessToken::own(Arc::new(token)))),
            }
        };
        let flight = Flight::new(Box::pin(course));
        let runtime = Handle::try_current().ok().filter(|_| may_spawn);
        let task = runtime.map(|runtime| (flight.spawn(&runtime), runtime.id()));
        let seat = Seat { number, began, flight: Arc::downgrade(&flight), held: None, task };
        let old_seat = state.seat.replace(seat);
        (flight, Replaced { seat: old_seat, failure: old_failure })
    }

    /// Keeps what a flight brought, as far as it counts.
    fn land(
        &self,
        epoch: u64,
        number: u64,
        began: Duration,
        result: Result<Token, Error>,
    ) -> End<Outcome> {
        let now = self.tools.clock.now();
        // What comes later than any caller waits says nothing about the provider: this process
        // stood still. A token is as good as it is.
        let in_time = now.monotonic <= began.saturating_add(self.limit());
        let draw = self.tools.jitter.draw();
        let mut state = self.locked();
        if epoch != state.epoch {
            drop(state);
            return End::Superseded;
        }
        let seat = if state.seat.as_ref().is_some_and(|seat| seat.number == number) {
            state.seat.take()
        } else {
            None
        };
        let is_live = seat.is_some();
        let mut old_failure = None;
        let end = match result {
            Ok(token) => {
                let token = Arc::new(token);
                if is_live {
                    old_failure = state.failure.take();
                }
                if token.term.outlasts(&self.kept.load().term, now) || (is_live && in_time) {
                    self.kept.store(Arc::clone(&token));
                }
                End::Landed(Ok(AccessToken::own(token)))
            }
            Err(error) if is_live && in_time && !cause::is_shut_down(&error) => {
                old_failure = state.failure.take();
                state.failure = Failure::after(
                    old_failure.as_ref(),
                    error.clone(),
                    began,
                    now.monotonic,
                    &self.tools.retry,
                    draw,
                );
                End::Landed(Err(error))
            }
            Err(_) => End::Lost,
        };
        drop(state);
        drop((seat, old_failure));
        end
    }

    fn invalidate(&self, token: &AccessToken) {
        let now = self.tools.clock.monotonic();
        let mut state = self.locked();
        let is_kept = AccessToken::lent(self.kept.load()).ptr_eq(token);
        if is_kept && state.throttle.admits(now) {
            self.kept.store(Token::none());
        }
    }

    fn replace(&self, exchange: E) -> Result<(), Error> {
        let (identity, asks) = proved(&exchange)?;
        let mut state = self.locked();
        if identity != state.identity {
            self.kept.store(Token::none());
        }
        let exchange = std::mem::replace(&mut state.exchange, Arc::new(exchange));
        let failure = state.failure.take();
        let seat = state.seat.take();
        state.identity = identity;
        state.asks = asks;
        state.epoch += 1;
        state.throttle = Throttle::default();
        // What is not ours is dropped without the lock: its `Drop` may call this source.
        drop(state);
        drop((Replaced { seat, failure }, exchange));
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
    /// A flight, when it took off, the failure that a probe follows, and whether this call took off.
    Flight {
        flight: Arc<Flight<Outcome>>,
        began: Duration,
        known: Option<Error>,
        is_own: bool,
    },
}

impl<E> Drop for Engine<E> {
    /// A dropped source leaves no task behind.
    fn drop(&mut self) {
        let state = self.state.get_mut().unwrap_or_else(PoisonError::into_inner);
        drop(Replaced { seat: state.seat.take(), failure: None });
    }
}

fn overdue(provider: &'static str) -> Error {
    let text = "no token in time: the runtime that drives the exchange stands still";
    Error::new(ErrorKind::Timeout, text).with_provider(provider)
}

fn panicked(provider: &'static str) -> Error {
    let text = "the exchange or its HTTP client panicked: report it to whoever wrote that";
    Error::new(ErrorKind::Internal, text).with_provider(provider)
}

/// Whose tokens an exchange gets and how it asks whom, once its request is known to be complete.
fn proved<E: TokenExchange>(exchange: &E) -> Result<(Identity, (Method, Arc<str>)), Error> {
    let request = exchange.request().map_err(|error| error.with_provider(exchange.provider()))?;
    let host = request.uri().host().unwrap_or_default().into();
    Ok((exchange.identity(), (request.method().clone(), host)))
}
