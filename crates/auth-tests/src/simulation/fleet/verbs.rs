//! The four calls of a process to its store, watched: what they are answered, and whether that is
//! right.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use auth_core::{
    Ask, Claim, Error, ExposeSecret as _, Generation, Lease, Offered, Settled, TokenStore,
    async_trait,
};
use auth_store::{Opened, SharedStore};

use super::net::{Net, locked};
use super::truth::{Claimed, Leased, Point, Shared, Truth};

/// The store of one process, watched.
#[derive(Debug)]
pub(super) struct Watched {
    pub(super) shared: Shared,
    pub(super) process: usize,
    pub(super) inner: SharedStore<Net>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Claim,
    Renew,
    Settle,
    Release,
}

/// A call of the store.
#[derive(Clone, Debug)]
pub(super) struct Verb {
    pub(super) kind: Kind,
    pub(super) process: usize,
    /// Tells the flights of a process apart: where the flight keeps its request.
    pub(super) flight: usize,
    pub(super) have: Option<Generation>,
    pub(super) is_refused: bool,
    pub(super) has_lease: bool,
    /// The lease of its flight, for a call that comes after the claim.
    pub(super) leased: Option<Leased>,
    /// The number of the token that is offered.
    pub(super) offered: Option<usize>,
    began: Duration,
    /// What its last read found.
    pub(super) seen: Option<Seen>,
    sent: u32,
    lost: u32,
    /// Its last message is not answered.
    is_open: bool,
    /// The store could not be reached at some moment.
    is_cut: bool,
}

#[derive(Clone, Debug)]
pub(super) struct Seen {
    pub(super) opened: Opened,
    pub(super) now: Duration,
}

/// Counts a call of the store until it is over or dropped.
struct Open {
    shared: Shared,
    process: usize,
    kind: Kind,
}

impl Verb {
    pub(super) fn sends(&mut self) {
        self.sent += 1;
        self.is_open = true;
    }

    pub(super) fn loses(&mut self, why: &'static str) {
        self.lost += 1;
        self.is_cut |= why == "no store";
    }

    pub(super) fn answered(&mut self) {
        self.is_open = false;
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        let mut truth = self.shared.lock();
        if let Some(host) = truth.hosts.get_mut(self.process) {
            host.verbs = host.verbs.saturating_sub(1);
            if self.kind == Kind::Settle {
                host.settles = host.settles.saturating_sub(1);
            }
        }
    }
}

impl Watched {
    fn begin(&self, kind: Kind, ask: &Ask<'_>) -> (Arc<Mutex<Verb>>, Open) {
        let mut truth = self.shared.lock();
        let now = truth.now;
        if let Some(host) = truth.hosts.get_mut(self.process) {
            host.verbs += 1;
            if host.flight.is_none() {
                (host.flight, host.last_flight) = (Some(now), now);
            }
            match kind {
                // Until it is answered, if it is.
                Kind::Claim => host.claimed = Claimed::Unavailable,
                Kind::Settle => host.settles += 1,
                Kind::Renew | Kind::Release => {}
            }
        }
        if let Some((process, _, is_there)) = &mut truth.chill {
            *is_there |= kind == Kind::Claim && *process == self.process;
        }
        let flight = std::ptr::from_ref(ask.request).addr();
        let verb = Verb {
            kind,
            process: self.process,
            flight,
            have: ask.have,
            is_refused: ask.is_refused,
            has_lease: matches!(kind, Kind::Renew | Kind::Release),
            leased: truth.leases.get(&(self.process, flight)).copied(),
            offered: None,
            began: now,
            seen: None,
            sent: 0,
            lost: 0,
            is_open: false,
            is_cut: false,
        };
        let open = Open { shared: self.shared.clone(), process: self.process, kind };
        (Arc::new(Mutex::new(verb)), open)
    }

    async fn within<T>(&self, verb: &Arc<Mutex<Verb>>, call: impl Future<Output = T>) -> T {
        let mut call = pin!(call);
        poll_fn(|cx| {
            self.shared.lock().verb = Some(Arc::clone(verb));
            let polled = call.as_mut().poll(cx);
            self.shared.lock().verb = None;
            polled
        })
        .await
    }
}

#[async_trait]
impl TokenStore for Watched {
    async fn claim(&self, ask: &Ask<'_>) -> Claim {
        let (verb, _open) = self.begin(Kind::Claim, ask);
        let claim = self.within(&verb, self.inner.claim(ask)).await;
        self.shared.lock().claimed(&locked(&verb), &claim);
        claim
    }

    async fn renew(&self, ask: &Ask<'_>, lease: &Lease) {
        let (verb, _open) = self.begin(Kind::Renew, ask);
        self.within(&verb, self.inner.renew(ask, lease)).await;
        let mut truth = self.shared.lock();
        truth.reach("leases renewed");
        if truth.is_failed(&locked(&verb), false) {
            truth.allow(1, "a lease was not renewed");
        }
    }

    async fn settle(&self, ask: &Ask<'_>, lease: Option<Lease>, token: &Offered<'_>) -> Settled {
        let (verb, _open) = self.begin(Kind::Settle, ask);
        {
            let mut verb = locked(&verb);
            verb.has_lease = lease.is_some();
            verb.offered = number_of(token.secret());
            self.shared.lock().at(Point::Settling, self.process);
        }
        let settled = self.within(&verb, self.inner.settle(ask, lease, token)).await;
        self.shared.lock().settled(&locked(&verb), &settled);
        settled
    }

    async fn release(&self, ask: &Ask<'_>, lease: Lease, said: Option<&Error>) {
        let (verb, _open) = self.begin(Kind::Release, ask);
        self.within(&verb, self.inner.release(ask, lease, said)).await;
        let verb = locked(&verb);
        let mut truth = self.shared.lock();
        if truth.is_failed(&verb, false) {
            truth.allow(1, "a lease was not released");
        }
        truth.over(&verb);
        truth.at(Point::Released, verb.process);
    }
}

/// The number in `token-7`.
pub(super) fn number_of(secret: &str) -> Option<usize> {
    secret.strip_prefix("token-")?.parse().ok()
}

pub(super) fn number(token: &auth_core::AccessToken) -> Option<usize> {
    number_of(token.to_secret().expose_secret())
}

impl Truth {
    fn claimed(&mut self, verb: &Verb, claim: &Claim) {
        let (now, process) = (self.now, verb.process);
        let is_failed = self.is_failed(verb, matches!(claim, Claim::Unavailable));
        if !matches!(claim, Claim::Unavailable) && !is_failed {
            self.host(process, |host| host.outage = None);
        }
        let have = self.token_of(verb.have);
        match claim {
            Claim::Token(stored) => {
                let token = self.token_of(Some(stored.generation));
                self.note(format_args!("process {process} has {have:?}, adopts {token:?}"));
                self.reach("tokens adopted");
                let is_again = verb.have == Some(stored.generation);
                if is_again && !(verb.is_refused && self.throttles(verb)) {
                    self.fault("5 refused tokens", format_args!(
                        "process {process} has token {token:?} and is given it again outside the throttle"
                    ));
                }
                if is_again {
                    self.reach("refused tokens that the fleet's throttle admits again");
                }
                self.host(process, |host| {
                    if is_again && let Some(token) = token {
                        host.refused.remove(&token);
                    }
                    (host.claimed, host.flight) = (Claimed::Nothing, None);
                });
            }
            Claim::Lease(_) => {
                self.note(format_args!("process {process} has {have:?}, gets the lease"));
                self.reach("leases");
                self.host(process, |host| host.claimed = Claimed::Lease);
                self.at(Point::Leased, process);
            }
            Claim::Held { .. } => {
                self.reach("claims while another process had the lease");
                self.host(process, |host| {
                    host.claimed = Claimed::Held(host.flight.unwrap_or(now));
                });
            }
            Claim::Refused { left, .. } => {
                self.note(format_args!("process {process} is told to be quiet for {left:?}"));
                self.reach("refusals told");
                self.host(process, |host| {
                    host.told_until = Some(now + *left);
                    (host.claimed, host.flight) = (Claimed::Nothing, None);
                });
            }
            _ => {
                self.note(format_args!("process {process} does without the store"));
                self.reach("claims without a store");
                self.host(process, |host| host.claimed = Claimed::Unavailable);
                if verb.sent == 0 {
                    self.breaker_is_open(process);
                }
            }
        }
    }

    fn settled(&mut self, verb: &Verb, settled: &Settled) {
        let (process, offered) = (verb.process, verb.offered);
        let is_unpublished = matches!(settled, Settled::Unpublished);
        let is_failed = self.is_failed(verb, is_unpublished && verb.lost > 0);
        match settled {
            Settled::Kept(_) => self.reach("tokens stored"),
            Settled::Superseded(stored) => {
                let token = self.token_of(Some(stored.generation));
                self.note(format_args!(
                    "token {offered:?} of process {process}: {token:?} came first"
                ));
                self.reach("tokens superseded");
                self.is_private(offered);
                self.host(process, |host| host.minted = None);
            }
            _ => {
                self.note(format_args!("token {offered:?} of process {process} is not stored"));
                self.reach("tokens not stored");
                self.host(process, |host| host.unconfirmed.extend(offered));
                self.is_private(offered);
            }
        }
        if is_failed || (is_unpublished && verb.sent == 0) {
            self.allow(1, "a token may not be stored");
        }
        self.over(verb);
        self.at(Point::Settled, process);
    }

    fn over(&mut self, verb: &Verb) {
        self.leases.remove(&(verb.process, verb.flight));
        self.host(verb.process, |host| (host.claimed, host.flight) = (Claimed::Nothing, None));
    }

    pub(super) fn host(&mut self, process: usize, change: impl FnOnce(&mut super::truth::Host)) {
        if let Some(host) = self.hosts.get_mut(process) {
            change(host);
        }
    }

    /// Whether a call may have failed. One that lost one message alone must not.
    fn is_failed(&mut self, verb: &Verb, is_unanswered: bool) -> bool {
        let now = self.now;
        let Some(host) = self.hosts.get(verb.process) else { return false };
        let was_frozen = host.last_thaw > verb.began;
        let is_failed = verb.sent > 0 && (is_unanswered || verb.is_open || verb.lost > 1);
        let is_cut = verb.is_cut || self.unreachable(verb.process).is_some();
        let is_owed = match verb.kind {
            // Unless the rules say no.
            Kind::Settle => verb.leased.is_some_and(|leased| {
                verb.has_lease
                    && verb.seen.as_ref().is_some_and(|it| it.opened.owner == Some(leased.owner))
            }),
            _ => true,
        };
        if verb.lost == 1 && verb.sent > 0 {
            self.reach("calls of the store that lost one message");
        }
        if is_failed && is_owed && verb.lost < 2 && !is_cut && !was_frozen {
            let (kind, process, lost) = (verb.kind, verb.process, verb.lost);
            self.fault(
                "8 one lost message costs nothing",
                format_args!("{kind:?} of process {process} failed after {lost} lost messages"),
            );
        }
        if is_failed {
            let began = verb.began;
            self.host(verb.process, |host| {
                host.outage = Some((host.outage.map_or(began, |(since, _)| since), now));
            });
        }
        is_failed
    }

    /// A process does not ask the store: only for a quarter of its outage.
    fn breaker_is_open(&mut self, process: usize) {
        let Some(host) = self.hosts.get(process) else { return };
        let slack = Duration::from_millis(400);
        let pause = host.outage.map(|(since, last)| {
            let quarter = (last - since) / 4;
            (last, quarter.clamp(Duration::from_millis(500), Duration::from_secs(30)))
        });
        // The claim of a flight that was replaced may be the one that tries the store.
        let is_alone = host.verbs < 2;
        if is_alone
            && pause.is_none_or(|(last, pause)| self.now > last + pause.mul_f64(1.02) + slack)
        {
            self.fault(
                "4 limits",
                format_args!("process {process} leaves the store alone, {pause:?} after it failed"),
            );
        }
    }

    /// Whether the fleet's throttle kept a refused token, by what the call read.
    fn throttles(&self, verb: &Verb) -> bool {
        verb.seen.as_ref().is_some_and(|seen| {
            let left = seen.opened.next_drop.and_then(|next| next.checked_sub(seen.now));
            left.is_some_and(|left| !left.is_zero() && left <= Duration::from_secs(60))
        })
    }
}
