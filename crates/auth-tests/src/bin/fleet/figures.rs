//! What a replica counts.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::time::Took;

/// What a replica, or all of them, saw since it was asked the last time.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Figures {
    pub(crate) calls: u64,
    /// Calls that found a token, fresh or stale.
    pub(crate) ready: Slowest,
    /// Calls that waited, but the first one.
    pub(crate) waited: Slowest,
    /// Calls that got an error, but the first one.
    pub(crate) failed: Slowest,
    /// The first call.
    pub(crate) first: Slowest,
    /// Calls of new sources, each list one after the other.
    pub(crate) cold: Vec<Vec<Cold>>,
    /// How many, and what one of them said.
    pub(crate) errors: BTreeMap<String, u64>,
    pub(crate) error: Option<String>,
    pub(crate) api_calls: u64,
    /// Answers 401 of the API.
    pub(crate) refused: u64,
    /// Tokens that were handed out again, over a second after the API had refused them.
    pub(crate) reused: u64,
    /// The latest sleep.
    pub(crate) late: Duration,
}

/// The slowest calls of a kind.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Slowest {
    pub(crate) count: u64,
    pub(crate) all: Duration,
    /// Without the time in which the caller had no processor.
    pub(crate) net: Duration,
    /// Net, over 1, 5 and 50 ms.
    pub(crate) over: [u64; 3],
}

/// A call of a source that has no token.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Cold {
    pub(crate) all: Duration,
    /// What it took besides asking the provider, net.
    pub(crate) besides: Duration,
}

impl Slowest {
    pub(crate) fn add(&mut self, took: Took) {
        self.count += 1;
        self.all = self.all.max(took.all);
        self.net = self.net.max(took.net);
        for (over, limit) in self.over.iter_mut().zip([1, 5, 50]) {
            *over += u64::from(took.net > Duration::from_millis(limit));
        }
    }

    pub(crate) fn join(&mut self, other: Self) {
        self.count += other.count;
        self.all = self.all.max(other.all);
        self.net = self.net.max(other.net);
        for (over, more) in self.over.iter_mut().zip(other.over) {
            *over += more;
        }
    }
}

impl Figures {
    pub(crate) fn join(&mut self, other: Self) {
        self.calls += other.calls;
        self.ready.join(other.ready);
        self.waited.join(other.waited);
        self.failed.join(other.failed);
        self.first.join(other.first);
        self.cold.extend(other.cold);
        for (kind, count) in other.errors {
            *self.errors.entry(kind).or_default() += count;
        }
        self.error = self.error.take().or(other.error);
        self.api_calls += other.api_calls;
        self.refused += other.refused;
        self.reused += other.reused;
        self.late = self.late.max(other.late);
    }

    /// The number of errors.
    pub(crate) fn errors(&self) -> u64 {
        self.errors.values().sum()
    }

    /// All calls but the first.
    pub(crate) fn later(&self) -> Slowest {
        let mut all = self.ready;
        all.join(self.waited);
        all.join(self.failed);
        all
    }
}
