//! A store that does not answer is left alone for a while.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

const SHORTEST: Duration = Duration::from_millis(500);
const LONGEST: Duration = Duration::from_secs(30);

/// Lets calls through until one fails, then one claim a pause, until that one works.
#[derive(Debug, Default)]
pub(crate) struct Breaker(Mutex<Option<Outage>>);

#[derive(Debug)]
struct Outage {
    /// When the call began that failed first.
    since: Duration,
    /// When the store is asked again.
    until: Duration,
    is_probed: bool,
}

/// The right to call the store once.
#[derive(Debug)]
pub(crate) struct Pass<'a> {
    breaker: &'a Breaker,
    is_probe: bool,
}

impl Breaker {
    /// Lets a claim through: in an outage one a pause.
    pub(crate) fn probe(&self, now: Duration) -> Option<Pass<'_>> {
        let mut outage = self.locked();
        let is_probe = match &mut *outage {
            None => false,
            Some(outage) if outage.is_probed || now < outage.until => return None,
            Some(outage) => {
                outage.is_probed = true;
                true
            }
        };
        Some(Pass { breaker: self, is_probe })
    }

    /// Lets any other call through unless there is an outage.
    pub(crate) fn pass(&self) -> Option<Pass<'_>> {
        self.locked().is_none().then_some(Pass { breaker: self, is_probe: false })
    }

    fn locked(&self) -> MutexGuard<'_, Option<Outage>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Pass<'_> {
    /// The store answered. Only a probe ends an outage: another call may have begun before it.
    pub(crate) fn worked(self) {
        if self.is_probe {
            *self.breaker.locked() = None;
        }
    }

    /// The store failed. Returns the pause if an outage begins with it.
    pub(crate) fn failed(self, began: Duration, now: Duration) -> Option<Duration> {
        let mut outage = self.breaker.locked();
        let known = outage.as_ref().map(|outage| outage.since);
        if known.is_some() && !self.is_probe {
            return None; // It began before the outage was known.
        }
        let since = known.unwrap_or(began);
        // A quarter of the outage so far, so that its end is noticed within a quarter of it.
        let pause = (now.saturating_sub(since) / 4).clamp(SHORTEST, LONGEST);
        let until = now.saturating_add(pause);
        *outage = Some(Outage { since, until, is_probed: false });
        known.is_none().then_some(pause)
    }
}

impl Drop for Pass<'_> {
    fn drop(&mut self) {
        // The caller went away: the next claim probes.
        if self.is_probe
            && let Some(outage) = &mut *self.breaker.locked()
        {
            outage.is_probed = false;
        }
    }
}
