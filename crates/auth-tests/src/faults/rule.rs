//! The words that the table is written in.

use std::time::Duration;

use auth_core::ErrorKind;
use auth_sandbox::{Fault, Provider, Skew};

use super::front::Script;

/// One line of the table: a fault and what it must become.
#[derive(Clone, Debug)]
pub struct Row {
    /// What happens, for people.
    pub what: &'static str,
    /// How to make it happen.
    pub trouble: Trouble,
    /// What it becomes for most providers.
    pub usual: Expected,
    /// For whom it becomes something else.
    pub except: Vec<(Provider, Expected)>,
    /// How long an attempt takes.
    pub takes: Takes,
}

/// Who makes trouble.
#[derive(Clone, Debug)]
pub enum Trouble {
    /// The sandbox, which plays the provider.
    Sandbox(Fault),
    /// A bare socket in front of it, which writes bytes of its own.
    Socket(Script),
    /// Nobody listens on the port.
    Refused,
    /// `https` is asked of a port that speaks plain http.
    NoTls,
    /// The provider's whole clock is wrong.
    Clock(Skew),
}

/// What a fault becomes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Expected {
    /// A token, or which kind of error.
    pub outcome: Outcome,
    /// How often the request is sent.
    pub tries: Tries,
    /// How long the outcome stands.
    pub memory: Memory,
}

/// What the caller gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// A good token: the fault is none.
    Token,
    /// An error.
    Error(ErrorKind),
}

/// How often a request is sent in one flight.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tries {
    /// Asking again would change nothing.
    Once,
    /// As often as the flow's policy says: it was surely not granted.
    Again,
    /// The same, but not where each request may leave a token behind (Papaya): nobody knows whether
    /// it was granted.
    IfHarmless,
}

impl Tries {
    /// As a number.
    #[must_use]
    pub fn of(self, provider: Provider) -> usize {
        let most = if provider == Provider::Papaya { 2 } else { 3 };
        match self {
            Self::Once => 1,
            Self::Again => most,
            Self::IfHarmless if provider == Provider::Papaya => 1,
            Self::IfHarmless => most,
        }
    }
}

/// How long an outcome is answered again without asking.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Memory {
    /// The token, until it is stale.
    Token,
    /// What passes: 500 to 750 ms at first.
    Outage,
    /// A throttle that states no wait: 5 s at first.
    Throttle,
    /// A wait that the provider asked for, in seconds.
    Asked(u64),
    /// A rejection: 30 s at first.
    Rejection,
}

impl Memory {
    /// The least and the most of it after a first failure that took so long: a quarter of an outage,
    /// where that is more.
    #[must_use]
    pub fn bounds(self, took: Duration) -> (Duration, Duration) {
        let millis = Duration::from_millis;
        match self {
            Self::Token => (Duration::ZERO, Duration::ZERO),
            Self::Outage => (millis(500), millis(750).max(took / 4)),
            Self::Throttle => (millis(5_000), millis(5_000)),
            Self::Asked(seconds) => (millis(1_000 * seconds), millis(1_000 * seconds)),
            Self::Rejection => (millis(30_000), millis(30_000)),
        }
    }
}

/// How long an attempt takes, and which limit ends it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Takes {
    /// As long as the network does.
    NoTime,
    /// Until `RetryPolicy::attempt_timeout`, which is set to [`LIMIT`](Self::LIMIT).
    AttemptLimit,
    /// Until `RetryPolicy::deadline`, which is set to [`LIMIT`](Self::LIMIT).
    Deadline,
    /// The second that a body of an answer that is no success gets in all.
    ErrorBody,
}

impl Takes {
    /// The limit of rows that run into one.
    pub const LIMIT: Duration = Duration::from_millis(300);

    /// The least that an attempt takes.
    #[must_use]
    pub fn least(self) -> Duration {
        match self {
            Self::NoTime => Duration::ZERO,
            Self::AttemptLimit | Self::Deadline => Self::LIMIT,
            Self::ErrorBody => Duration::from_secs(1),
        }
    }
}

/// What the source holds when the fault begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// No token yet.
    Cold,
    /// A token that is good, and due for refresh.
    Stale,
    /// A token that the API refused, and that the caller has invalidated.
    Refused,
}

impl State {
    /// All three.
    pub const ALL: [Self; 3] = [Self::Cold, Self::Stale, Self::Refused];
}

impl Row {
    /// A line without exceptions, whose attempts take no time.
    #[must_use]
    pub fn new(
        what: &'static str,
        trouble: Trouble,
        outcome: Outcome,
        tries: Tries,
        memory: Memory,
    ) -> Self {
        let usual = Expected { outcome, tries, memory };
        Self { what, trouble, usual, except: Vec::new(), takes: Takes::NoTime }
    }

    /// How long each attempt takes.
    #[must_use]
    pub fn takes(mut self, takes: Takes) -> Self {
        self.takes = takes;
        self
    }

    /// For these providers it is something else.
    #[must_use]
    pub fn but_for(
        mut self,
        providers: &[Provider],
        outcome: Outcome,
        tries: Tries,
        memory: Memory,
    ) -> Self {
        let expected = Expected { outcome, tries, memory };
        self.except.extend(providers.iter().map(|provider| (*provider, expected)));
        self
    }

    /// What it must become for a provider.
    #[must_use]
    pub fn expected(&self, provider: Provider) -> Expected {
        let exception = self.except.iter().find(|(other, _)| *other == provider);
        exception.map_or(self.usual, |(_, expected)| *expected)
    }
}
