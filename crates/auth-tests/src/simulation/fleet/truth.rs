//! What is true in a run, whatever the processes believe: the time, who is frozen or cut off, which
//! tokens the provider minted. The checks compare with it.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt;
use std::sync::{Arc, Mutex};
use std::task::Waker;
use std::time::Duration;

use auth_core::Generation;
use auth_store::{MemoryBackend, StoreKey};

use super::net::Message;
use super::provider::Mood;
use super::time::StoreClock;
use super::verbs::Verb;

/// The truth, shared by all parts of a run.
pub(super) type Shared = crate::simulation::shared::Shared<Truth>;

/// How a place cannot be reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Cut {
    /// No answer at all, instead of an error at once.
    pub(super) hangs: bool,
    pub(super) since: Duration,
}

/// What the last claim of a process was answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Claimed {
    Nothing,
    Lease,
    /// Since the flight's first claim.
    Held(Duration),
    Unavailable,
}

/// A process, from outside.
pub(super) struct Host {
    /// Cut off from the store.
    pub(super) cut: Option<Cut>,
    pub(super) is_frozen: bool,
    pub(super) last_thaw: Duration,
    /// Something woke it.
    pub(super) wants: bool,
    pub(super) secret: u8,
    /// When its secret, or the one that the provider takes, was last changed.
    pub(super) secret_since: Duration,
    /// Requests that the provider has not answered.
    pub(super) in_air: u32,
    /// Calls of the store that are not over, and those of them that store a token.
    pub(super) verbs: u32,
    pub(super) settles: u32,
    pub(super) claimed: Claimed,
    /// When the present flight began.
    pub(super) flight: Option<Duration>,
    /// When the last one began, over or not.
    pub(super) last_flight: Duration,
    /// Until when it was told to be quiet; `None` if it knows for itself.
    pub(super) told_until: Option<Duration>,
    /// The last token that it minted and kept.
    pub(super) minted: Option<usize>,
    /// When its first call of the store failed, and its last one, since the last that worked.
    pub(super) outage: Option<(Duration, Duration)>,
    /// The tokens that it saw refused and dropped, unless the throttle admitted one again.
    pub(super) refused: BTreeMap<usize, Duration>,
    /// When requests of its were in the air; without an end if they are.
    pub(super) exchanges: Vec<(Duration, Duration)>,
    /// Tokens that it minted, and does not know whether the store has them.
    pub(super) unconfirmed: BTreeSet<usize>,
    /// When a call of its last got a token.
    pub(super) served: Option<Duration>,
}

/// A token that the provider granted.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Minted {
    pub(super) at: Duration,
    pub(super) ends: Duration,
    pub(super) revoked: Option<Duration>,
    pub(super) is_private: bool,
    /// Another token took its place.
    pub(super) is_replaced: bool,
}

/// The owner and the base of a lease, by the record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Leased {
    pub(super) owner: [u8; 16],
    pub(super) base: Option<Generation>,
}

/// Where a process can be killed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Point {
    Leased,
    Asked,
    Answered,
    Settling,
    Swapped,
    Settled,
    Released,
}

pub(super) struct Truth {
    pub(super) now: Duration,
    pub(super) timers: BTreeMap<(Duration, u64), (usize, Waker)>,
    pub(super) messages: BTreeMap<(Duration, u64), Message>,
    number: u64,
    pub(super) rng: fastrand::Rng,
    /// How long a token lives.
    pub(super) life: Duration,
    /// How many of a thousand messages are lost on each way.
    pub(super) noise: u32,

    pub(super) store: MemoryBackend,
    pub(super) store_clock: StoreClock,
    /// By how many milliseconds the store's clock is ahead.
    pub(super) store_ahead: i64,
    /// When the store's clock stepped back, and how far.
    pub(super) stepped_back: Vec<(Duration, Duration)>,
    pub(super) down: Option<Cut>,
    pub(super) key: Option<StoreKey>,
    pub(super) leases: HashMap<(usize, usize), Leased>,
    pub(super) generations: HashMap<Generation, usize>,
    /// The last drop: when the next one may come, on the store's clock, and how many in a row.
    pub(super) dropped: Option<(Duration, u32)>,
    /// The call of the store that is being polled.
    pub(super) verb: Option<Arc<Mutex<Verb>>>,

    pub(super) mood: Mood,
    pub(super) secret: u8,
    /// The API refuses every token.
    pub(super) refuses_all: bool,
    pub(super) tokens: Vec<Minted>,
    /// The token that was stored last.
    pub(super) stored: Option<usize>,
    pub(super) rejections: Vec<Duration>,
    /// Since when all processes send the same wrong secret.
    pub(super) all_wrong: Option<Duration>,
    /// When a token was minted that a perfect fleet would not have needed.
    pub(super) extras: Vec<Duration>,
    /// When something happened that may cost one.
    pub(super) allowed: Vec<Duration>,
    /// All faults have ended, and long enough ago.
    pub(super) is_strict: bool,

    pub(super) hosts: Vec<Host>,
    /// Where the next process is killed that gets there.
    pub(super) armed: Option<Point>,
    pub(super) doomed: Option<usize>,
    /// For how long a process is frozen in its next claim, and that it is there.
    pub(super) chill: Option<(usize, Duration, bool)>,
    pub(super) journal: Vec<String>,
    pub(super) fault: Option<String>,
    pub(super) reached: BTreeMap<&'static str, u64>,
}

/// The part of a token's life after which it may be refreshed, with what drift may take of it.
const YOUNG: f64 = 0.70;

impl Minted {
    /// Whether nobody needs another one yet.
    pub(super) fn is_young(&self, life: Duration, now: Duration) -> bool {
        self.revoked.is_none() && !self.is_replaced && self.at + life.mul_f64(YOUNG) > now
    }
}

impl Host {
    pub(super) fn new(secret: u8, now: Duration) -> Self {
        Self {
            cut: None,
            is_frozen: false,
            last_thaw: now,
            wants: true,
            secret,
            secret_since: Duration::ZERO,
            in_air: 0,
            verbs: 0,
            settles: 0,
            claimed: Claimed::Nothing,
            flight: None,
            last_flight: now,
            told_until: None,
            minted: None,
            outage: None,
            refused: BTreeMap::new(),
            exchanges: Vec::new(),
            unconfirmed: BTreeSet::new(),
            served: None,
        }
    }

    /// Whether it is on its way to a token.
    pub(super) fn is_flying(&self) -> bool {
        self.flight.is_some() || self.verbs > 0 || self.in_air > 0
    }
}

impl Truth {
    pub(super) fn new(mut rng: fastrand::Rng, processes: usize, key: Option<StoreKey>) -> Self {
        let now = Duration::from_secs(10_000);
        let store_clock = StoreClock::default();
        let life = Duration::from_secs(match rng.u8(0..4) {
            0 => 20,
            1 => 120,
            _ => 60,
        });
        let hosts = (0..processes).map(|_| Host::new(0, now)).collect();
        let noise = if rng.u8(0..3) == 0 { 0 } else { rng.u32(5..40) };
        let mut truth = Self {
            now,
            timers: BTreeMap::new(),
            messages: BTreeMap::new(),
            number: 0,
            rng,
            life,
            noise,
            store: MemoryBackend::with_clock(store_clock.clone()),
            store_clock,
            store_ahead: 1_700_000_000_000,
            stepped_back: Vec::new(),
            down: None,
            key,
            leases: HashMap::new(),
            generations: HashMap::new(),
            dropped: None,
            verb: None,
            mood: Mood::Well,
            secret: 0,
            refuses_all: false,
            tokens: Vec::new(),
            stored: None,
            rejections: Vec::new(),
            all_wrong: None,
            extras: Vec::new(),
            allowed: Vec::new(),
            is_strict: false,
            hosts,
            armed: None,
            doomed: None,
            chill: None,
            journal: Vec::new(),
            fault: None,
            reached: BTreeMap::new(),
        };
        truth.set_store_clock();
        truth
    }

    pub(super) fn next_number(&mut self) -> u64 {
        self.number += 1;
        self.number
    }

    /// Adds a line to the journal.
    pub(super) fn note(&mut self, line: fmt::Arguments<'_>) {
        self.journal.push(format!("{:10.3} {line}", self.now.as_secs_f64()));
    }

    /// Records a check that failed. Only the first is kept.
    pub(super) fn fault(&mut self, check: &str, what: fmt::Arguments<'_>) {
        self.note(format_args!("FAULT {check}: {what}"));
        if self.fault.is_none() {
            self.fault = Some(format!("{:.3}: {check}: {what}", self.now.as_secs_f64()));
        }
    }

    pub(super) fn reach(&mut self, what: &'static str) {
        *self.reached.entry(what).or_default() += 1;
    }

    /// Something happened that may cost so many requests more.
    pub(super) fn allow(&mut self, times: usize, why: &str) {
        self.note(format_args!("{times} more allowed: {why}"));
        let now = self.now;
        self.allowed.extend(std::iter::repeat_n(now, times));
    }

    pub(super) fn wake(&mut self, process: usize) {
        if let Some(host) = self.hosts.get_mut(process) {
            host.wants = true;
        }
    }

    /// A process is somewhere: it is killed there if that was wished.
    pub(super) fn at(&mut self, point: Point, process: usize) {
        if self.armed == Some(point) && self.doomed.is_none() {
            self.armed = None;
            self.doomed = Some(process);
        }
    }

    pub(super) fn set_store_clock(&mut self) {
        let millis = u64::try_from(self.now.as_millis()).unwrap_or_default();
        let shown = millis.saturating_add_signed(self.store_ahead);
        self.store_clock.set(Duration::from_millis(shown));
    }

    /// How a process is kept from the store, if it is.
    pub(super) fn unreachable(&self, process: usize) -> Option<Cut> {
        self.hosts.get(process).and_then(|host| host.cut).or(self.down)
    }

    /// Nobody but its process will use a token: one that is stored counts in its place.
    pub(super) fn is_private(&mut self, number: Option<usize>) {
        let now = self.now;
        let stored = self.stored.and_then(|stored| self.tokens.get(stored)).copied();
        let is_young = stored.is_some_and(|stored| stored.is_young(self.life, now));
        if let Some(token) = number.and_then(|number| self.tokens.get_mut(number)) {
            (token.is_private, token.is_replaced) = (true, token.is_replaced || is_young);
        }
    }

    /// A token was stored: those before it, and those that nobody shares, count no longer.
    pub(super) fn is_stored(&mut self, number: usize) {
        let old = self.stored.replace(number);
        for (at, token) in self.tokens.iter_mut().enumerate() {
            token.is_replaced |= at < number || token.is_private || old == Some(at);
        }
    }

    /// The number of a generation's token, for the journal and the checks.
    pub(super) fn token_of(&self, generation: Option<Generation>) -> Option<usize> {
        generation.and_then(|generation| self.generations.get(&generation).copied())
    }
}
