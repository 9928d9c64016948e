//! The state of the simulation outside the engine: time, credentials, tokens, calls, and the
//! journal. The engine is checked against this state only, never against its own.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Weak;
use std::task::Waker;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::answers::Mood;
use super::calls::{CallSeen, Relay};
use super::flights::{Flight, Quiet};

/// The state, shared by clock, provider, callers and scheduler, all on one thread.
pub(super) type Shared = super::shared::Shared<Truth>;

/// The limits that a run's source is built with.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    pub(super) attempts: u32,
    pub(super) attempt_timeout: Duration,
    pub(super) deadline: Duration,
}

impl Limits {
    /// How long a flight counts, and a caller waits.
    pub(super) fn limit(&self) -> Duration {
        self.deadline + Duration::from_secs(1)
    }
}

/// One set of credentials, from one `replace_exchange` to the next.
#[derive(Default)]
pub(super) struct Epoch {
    pub(super) account: u8,
    /// No flight may send its first request before its end.
    pub(super) quiet: Option<Quiet>,
    /// The earliest end of the pause of a remembered failure.
    pub(super) known: Option<Duration>,
    /// Whether a failure may be remembered: a flight failed in time.
    pub(super) may_fail: bool,
}

/// A token that was granted.
#[derive(Clone, Copy, Debug)]
pub(super) struct Token {
    pub(super) account: u8,
    /// When it expires, by the provider.
    pub(super) ends: Duration,
    /// The last moment at which it may be handed out, on both clocks.
    pub(super) until: Moment,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Moment {
    pub(super) monotonic: Duration,
    pub(super) wall: SystemTime,
}

/// A usable token that the source holds, and so must return to every caller.
#[derive(Clone, Copy, Debug)]
pub(super) struct Promise {
    /// Its number; `None` if it may be another one that expires later.
    pub(super) token: Option<u64>,
    pub(super) fresh_until: Moment,
    pub(super) until: Moment,
}

pub(super) struct Truth {
    pub(super) limits: Limits,
    pub(super) now: Duration,
    pub(super) wall: SystemTime,
    pub(super) timers: BTreeMap<(Duration, u64), Option<Waker>>,
    pub(super) timer_count: u64,
    /// Timers that the engine set in this turn.
    pub(super) timers_in_turn: u32,
    /// Incremented by every event that may unblock another task or call.
    pub(super) activity: u64,
    /// The provider's generator.
    pub(super) rng: fastrand::Rng,
    pub(super) mood: Mood,
    pub(super) epochs: Vec<Epoch>,
    pub(super) entered: Vec<u64>,
    pub(super) flight_count: u64,
    /// The flights that are not over, by the number of their span.
    pub(super) flights: BTreeMap<u64, Flight>,
    pub(super) requests: u64,
    pub(super) in_air: usize,
    pub(super) tokens: BTreeMap<u64, Token>,
    pub(super) promise: Option<Promise>,
    pub(super) calls: BTreeMap<u64, CallSeen>,
    pub(super) call_count: u64,
    /// The call that is being polled.
    pub(super) polling: Option<u64>,
    /// Calls that are over, until nothing holds their waker.
    pub(super) relays: Vec<(u64, Weak<Relay>)>,
    /// The earliest time at which a task that is now polled for the first time was spawned.
    pub(super) unpolled_since: Option<Duration>,
    /// When a runtime, a caller or the whole process was last frozen.
    pub(super) last_stall: Option<Duration>,
    pub(super) journal: Vec<String>,
    pub(super) fault: Option<String>,
    /// Counts the situations that a run reached: a simulation that reaches none proves nothing.
    pub(super) reached: BTreeMap<&'static str, u64>,
}

impl Truth {
    pub(super) fn new(limits: Limits, rng: fastrand::Rng) -> Self {
        Self {
            limits,
            now: Duration::from_secs(1_000),
            wall: UNIX_EPOCH + Duration::from_secs(1_767_225_600),
            timers: BTreeMap::new(),
            timer_count: 0,
            timers_in_turn: 0,
            activity: 0,
            rng,
            mood: Mood::Mixed,
            epochs: vec![Epoch::default()],
            entered: Vec::new(),
            flight_count: 0,
            flights: BTreeMap::new(),
            requests: 0,
            in_air: 0,
            tokens: BTreeMap::new(),
            promise: None,
            calls: BTreeMap::new(),
            call_count: 0,
            polling: None,
            relays: Vec::new(),
            unpolled_since: None,
            last_stall: None,
            journal: Vec::new(),
            fault: None,
            reached: BTreeMap::new(),
        }
    }

    /// Adds a line to the journal.
    pub(super) fn note(&mut self, line: fmt::Arguments<'_>) {
        self.journal.push(format!("{:10.3} {line}", self.now.as_secs_f64()));
    }

    /// Records a broken invariant. Only the first is kept.
    pub(super) fn fault(&mut self, what: fmt::Arguments<'_>) {
        self.note(format_args!("FAULT {what}"));
        if self.fault.is_none() {
            self.fault = Some(format!("{:.3}: {what}", self.now.as_secs_f64()));
        }
    }

    pub(super) fn reach(&mut self, what: &'static str) {
        *self.reached.entry(what).or_default() += 1;
    }

    pub(super) fn moment(&self) -> Moment {
        Moment { monotonic: self.now, wall: self.wall }
    }

    /// Whether both clocks are before a moment.
    pub(super) fn is_before(&self, moment: Moment) -> bool {
        self.now < moment.monotonic && self.wall < moment.wall
    }

    /// The number of the current credentials.
    pub(super) fn epoch(&self) -> usize {
        self.epochs.len() - 1
    }

    pub(super) fn account(&self) -> u8 {
        self.epochs.last().map_or(0, |epoch| epoch.account)
    }

    /// The credentials were replaced.
    pub(super) fn replaced(&mut self, account: u8) {
        if account != self.account() {
            self.promise = None;
        }
        self.epochs.push(Epoch { account, ..Epoch::default() });
        self.activity += 1;
    }

    /// The API refused a token. Only the held token may be dropped.
    pub(super) fn invalidated(&mut self, token: u64) {
        self.promise =
            self.promise.filter(|promise| promise.token.is_some_and(|held| held != token));
    }
}

impl Moment {
    pub(super) fn plus(self, span: Duration) -> Self {
        Self { monotonic: self.monotonic + span, wall: self.wall + span }
    }
}
