//! The types of the table.

use std::time::Duration;

use auth_core::ErrorKind;
use auth_sandbox::{Fault, Provider, Skew};

use super::front::Script;

/// One row of the table: a fault and its expected outcome.
#[derive(Clone, Debug)]
pub struct Row {
    /// The fault in words.
    pub what: &'static str,
    /// How to cause it.
    pub trouble: Trouble,
    /// The outcome for most providers.
    pub usual: Expected,
    /// The providers with another outcome.
    pub except: Vec<(Provider, Expected)>,
    /// How long an attempt takes.
    pub takes: Takes,
}

/// How a fault is caused.
#[derive(Clone, Debug)]
pub enum Trouble {
    /// By the sandbox, which plays the provider.
    Sandbox(Fault),
    /// By a TCP socket in front of it, which writes bytes of its own.
    Socket(Script),
    /// Nothing listens on the port.
    Refused,
    /// The request uses https on a plain http port.
    NoTls,
    /// The provider's clock is wrong.
    Clock(Skew),
}

/// The expected outcome of a fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Expected {
    /// A token, or which kind of error.
    pub outcome: Outcome,
    /// How often the request is sent.
    pub tries: Tries,
    /// How long the outcome is remembered.
    pub memory: Memory,
}

/// What the caller without a token gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// A valid token: the fault does no harm.
    Token,
    /// An error.
    Error(ErrorKind),
}

/// How often a request is sent in one flight.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tries {
    /// Once: a retry would change nothing.
    Once,
    /// As often as the flow's policy says: certainly no token was granted.
    Again,
    /// As `Again`, but once if each request may leave a token behind (Papaya), since a token may
    /// have been granted.
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

/// How long an outcome is remembered, without a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Memory {
    /// The token, until it is stale.
    Token,
    /// A transient failure: 500 to 750 ms at first.
    Outage,
    /// A 429 without `Retry-After`: 5 s at first.
    Throttle,
    /// A wait that the provider asked for, in seconds.
    Asked(u64),
    /// A rejection: 30 s at first.
    Rejection,
}

impl Memory {
    /// The bounds after a first failure that took this long: a quarter of the outage, if that is
    /// more.
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
    /// No limit: as long as the network takes.
    NoTime,
    /// Until `RetryPolicy::attempt_timeout`, which is set to [`LIMIT`](Self::LIMIT).
    AttemptLimit,
    /// Until `RetryPolicy::deadline`, which is set to [`LIMIT`](Self::LIMIT).
    Deadline,
    /// The one second for the body of an error.
    ErrorBody,
}

impl Takes {
    /// The limit of rows that run into one.
    pub const LIMIT: Duration = Duration::from_millis(300);

    /// The shortest time of an attempt.
    #[must_use]
    pub fn least(self) -> Duration {
        match self {
            Self::NoTime => Duration::ZERO,
            Self::AttemptLimit | Self::Deadline => Self::LIMIT,
            Self::ErrorBody => Duration::from_secs(1),
        }
    }
}

/// The state of the source when the fault begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// No token yet.
    Cold,
    /// A stale token.
    Stale,
    /// A token that the API refused and the caller invalidated.
    Refused,
}

impl State {
    /// All three.
    pub const ALL: [Self; 3] = [Self::Cold, Self::Stale, Self::Refused];
}

impl Row {
    /// A row without exceptions, whose attempts run into no limit.
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

    /// Sets another outcome for these providers.
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

    /// The expected outcome for a provider.
    #[must_use]
    pub fn expected(&self, provider: Provider) -> Expected {
        let exception = self.except.iter().find(|(other, _)| *other == provider);
        exception.map_or(self.usual, |(_, expected)| *expected)
    }
}
