//! A process: the real source on a runtime of its own, with callers that use its tokens.

use std::future::poll_fn;
use std::sync::{Mutex, PoisonError};
use std::task::Poll;
use std::time::{Duration, UNIX_EPOCH};

use auth_core::{AccessToken, CachedTokenSource, Error, ErrorKind, TokenState};
use auth_store::SharedStore;
use tokio::runtime::Runtime;

use super::net::Net;
use super::provider::{Flow, Provider};
use super::time::{ProcessClock, Sleep};
use super::truth::{Host, Shared, Truth};
use super::verbs::{Watched, number};

pub(super) struct Process {
    runtime: Runtime,
    pub(super) source: CachedTokenSource<Flow>,
}

impl Process {
    /// Starts a process: nothing is in its memory.
    pub(super) fn start(shared: &Shared, process: usize, rng: &mut fastrand::Rng) -> Option<Self> {
        let (secret, key) = {
            let mut truth = shared.lock();
            let now = truth.now;
            let secret = truth.hosts.get(process).map_or(0, |host| host.secret);
            let cut = truth.hosts.get(process).and_then(|host| host.cut);
            let host = Host { cut, ..Host::new(secret, now) };
            truth.host(process, |it| *it = host);
            (secret, truth.key.clone())
        };
        let hour = 3_600;
        let offset = rng.u64(0..2 * hour);
        let clock = ProcessClock {
            shared: shared.clone(),
            process,
            drift: rng.i32(-5_000..5_000),
            origin: UNIX_EPOCH + Duration::from_secs(1_767_225_600 - hour + offset),
        };
        let net = Net { shared: shared.clone(), process };
        let store = match key {
            Some(key) => SharedStore::sealed(net, key),
            None => SharedStore::unsealed(net),
        };
        let store = store.clock(clock.clone());
        let draws = Mutex::new(rng.fork());
        let source = CachedTokenSource::builder(Flow { secret })
            .http_client(Provider { shared: shared.clone(), process })
            .clock(clock)
            .store(Watched { shared: shared.clone(), process, inner: store })
            .draw(move || draws.lock().unwrap_or_else(PoisonError::into_inner).f64())
            .build()
            .ok()?;
        let runtime = tokio::runtime::Builder::new_current_thread().build().ok()?;
        for _ in 0..rng.u8(1..3) {
            runtime.spawn(calls(shared.clone(), process, source.clone(), rng.fork()));
        }
        Some(Self { runtime, source })
    }

    /// Runs its tasks until they wait.
    pub(super) fn turn(&self) {
        let mut left = 4_u8;
        self.runtime.block_on(poll_fn(|cx| {
            if left == 0 {
                return Poll::Ready(());
            }
            left -= 1;
            cx.waker().wake_by_ref();
            Poll::Pending
        }));
    }
}

/// A caller: it gets a token, calls the API with it, and says so if that refused it.
async fn calls(
    shared: Shared,
    process: usize,
    source: CachedTokenSource<Flow>,
    mut rng: fastrand::Rng,
) {
    let period = shared.lock().life / 40;
    loop {
        let began = shared.lock().now;
        let answer = source.token().await;
        let refused = shared.lock().call_ends(process, began, &answer);
        if refused && let Ok(token) = answer {
            source.invalidate(&token);
            if source.state() == TokenState::Expired {
                shared.lock().invalidated(process, &token);
            }
            if rng.bool() {
                continue;
            }
        }
        Sleep::new(&shared, process, period.mul_f64(0.5 + rng.f64())).await;
    }
}

/// How long a call may take.
const LONGEST: Duration = Duration::from_millis(31_200);
/// How much longer than the provider a call may take while there is no store.
const EXTRA: Duration = Duration::from_millis(350);

impl Truth {
    /// A call is answered. Returns whether the API refuses its token.
    fn call_ends(
        &mut self,
        process: usize,
        began: Duration,
        answer: &Result<AccessToken, Error>,
    ) -> bool {
        let now = self.now;
        self.check_span(process, began);
        match answer {
            Ok(token) => {
                let Some(number) = number(token) else { return false };
                self.host(process, |host| {
                    host.served = Some(now);
                    host.told_until = None;
                });
                self.hands_out(process, began, number)
            }
            Err(error) => {
                if now > began {
                    self.note(format_args!("a call of process {process} fails: {error}"));
                }
                self.reach("calls that failed");
                self.check_failure(process, began, error);
                false
            }
        }
    }

    /// Checks a token that is handed out. Returns whether the API refuses it.
    fn hands_out(&mut self, process: usize, began: Duration, number: usize) -> bool {
        let now = self.now;
        let Some(token) = self.tokens.get(number).copied() else {
            self.fault("2 no expired token", format_args!("nobody minted token {number}"));
            return false;
        };
        // A store cannot know how far its clock stepped back.
        let back = self.stepped_back.iter().filter(|(at, _)| *at >= token.at);
        let back: Duration = back.map(|(_, by)| *by).sum();
        if now >= token.ends + back {
            self.fault(
                "2 no expired token",
                format_args!(
                    "process {process} hands out token {number}, which expired {:?} ago",
                    now.saturating_sub(token.ends)
                ),
            );
        }
        if now >= token.ends {
            self.reach("expired tokens handed out after the store's clock stepped back");
        }
        let refused = self.hosts.get(process).and_then(|host| host.refused.get(&number));
        // A call that began earlier shares its flight. A token that lives on in the store, since
        // its clock stepped back, outlives what a process remembers.
        let is_again = refused.is_some_and(|at| *at <= began) && back.is_zero();
        // Nor does it know under which name the store has its own token, if an answer was lost.
        let is_known =
            !self.hosts.get(process).is_some_and(|host| host.unconfirmed.contains(&number));
        if is_again && is_known {
            self.fault(
                "5 refused tokens",
                format_args!(
                    "process {process} hands out token {number} again, which it saw refused"
                ),
            );
        }
        let is_refused =
            self.refuses_all || now >= token.ends || token.revoked.is_some_and(|at| at <= now);
        if is_refused && token.revoked.is_none() {
            self.note(format_args!("the API refuses token {number}"));
            if let Some(token) = self.tokens.get_mut(number) {
                token.revoked = Some(now);
            }
        }
        is_refused
    }

    /// A process dropped a token because an API refused it.
    fn invalidated(&mut self, process: usize, token: &AccessToken) {
        let now = self.now;
        self.reach("tokens that an API refused");
        if let Some(number) = number(token) {
            self.note(format_args!("process {process} saw token {number} refused"));
            self.host(process, |host| {
                host.refused.insert(number, now);
            });
        }
    }

    fn check_span(&mut self, process: usize, began: Duration) {
        let now = self.now;
        let Some(host) = self.hosts.get(process) else { return };
        // Frozen, or given other credentials meanwhile.
        if host.last_thaw > began || host.secret_since >= began {
            return;
        }
        let took = now.saturating_sub(began);
        let flight = host.last_flight;
        let cut = self.unreachable(process).filter(|cut| cut.since <= began.min(flight));
        // The time in which the provider was asked.
        let (mut asked, mut requests) = (Duration::ZERO, 0);
        for (from, to) in host.exchanges.iter().filter(|(_, to)| *to >= began) {
            asked += (*to.min(&now)).saturating_sub(*from.max(&began));
            requests += 1;
        }
        if took > LONGEST {
            self.fault("4 limits", format_args!("a call of process {process} took {took:?}"));
        }
        if cut.is_some() && took > Duration::ZERO && requests < 2 {
            self.reach("calls that waited while there was no store");
            if took > asked + EXTRA {
                self.fault("4 limits", format_args!(
                    "a call of process {process} took {took:?} without a store, {asked:?} of it the provider"
                ));
            }
        }
        if self.is_strict && took > Duration::ZERO {
            self.fault("7 healed", format_args!("a call of process {process} waits {took:?}"));
        }
        let recent = now.saturating_sub(Duration::from_secs(60));
        self.host(process, |host| host.exchanges.retain(|(_, to)| *to >= recent));
    }

    fn check_failure(&mut self, process: usize, began: Duration, error: &Error) {
        let now = self.now;
        let Some(host) = self.hosts.get(process) else { return };
        let is_right = host.secret == self.secret && host.secret_since < began;
        let told = host.told_until;
        if error.kind() == ErrorKind::Credentials && is_right {
            self.fault(
                "6 wrong secrets",
                format_args!("process {process} has the right secret, and fails: {error}"),
            );
        }
        // Its clock may be 0.5 % slow, and the longest pause is five minutes.
        let slack = Duration::from_millis(1_700);
        if now == began && told.is_some_and(|until| now > until + slack) {
            self.fault(
                "6 told refusals",
                format_args!(
                    "process {process} is still quiet, and was told to be until {told:?}: {error}"
                ),
            );
        }
        if self.is_strict {
            self.fault("7 healed", format_args!("a call of process {process} fails: {error}"));
        }
    }
}
