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
    /// A claim failed, and may have been written all the same: a lease that nobody knows to hold.
    is_claimed: bool,
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

    /// Notes that a claim failed.
    pub(crate) fn claim_failed(&self) {
        if let Some(outage) = &mut *self.locked() {
            outage.is_claimed = true;
        }
    }

    /// Whether a claim failed since the last time that this was asked.
    pub(crate) fn take_failed_claim(&self) -> bool {
        self.locked().as_mut().is_some_and(|outage| std::mem::take(&mut outage.is_claimed))
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
        let is_claimed = outage.as_ref().is_some_and(|outage| outage.is_claimed);
        *outage = Some(Outage { since, until, is_probed: false, is_claimed });
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

#[cfg(test)]
mod tests {
    use super::*;

    const MS: fn(u64) -> Duration = Duration::from_millis;

    #[test]
    fn a_failure_opens_it_and_one_probe_a_pause_is_let_through() {
        let breaker = Breaker::default();
        let early = breaker.probe(MS(0)).unwrap();
        assert_eq!(breaker.pass().unwrap().failed(MS(0), MS(300)), Some(SHORTEST));
        assert!(breaker.pass().is_none() && breaker.probe(MS(799)).is_none());
        let probe = breaker.probe(MS(800)).unwrap();
        assert!(breaker.probe(MS(800)).is_none() && breaker.pass().is_none());
        early.worked();
        assert!(breaker.pass().is_none(), "what began before the outage does not end it");
        assert_eq!(probe.failed(MS(800), MS(1_100)), None, "one outage is told once");
        assert!(breaker.probe(MS(1_599)).is_none());
        breaker.probe(MS(1_600)).unwrap().worked();
        assert!(breaker.pass().is_some());
        assert_eq!(breaker.pass().unwrap().failed(MS(2_000), MS(2_000)), Some(SHORTEST));
    }

    #[test]
    fn calls_that_began_before_the_outage_was_known_do_not_lengthen_its_pause() {
        let breaker = Breaker::default();
        let late = breaker.pass().unwrap();
        breaker.pass().unwrap().failed(MS(0), MS(0));
        assert_eq!(late.failed(MS(0), MS(400)), None);
        assert!(breaker.probe(MS(500)).is_some());
    }

    #[test]
    fn a_pause_is_a_quarter_of_the_outage_within_bounds() {
        let breaker = Breaker::default();
        let mut now = MS(1_000);
        breaker.pass().unwrap().failed(now, now);
        let mut pauses = Vec::new();
        for _ in 0..30 {
            let mut pause = MS(0);
            while breaker.probe(now + pause).map(drop).is_none() {
                pause += MS(1);
            }
            pauses.push(pause);
            now += pause;
            breaker.probe(now).unwrap().failed(now, now);
        }
        assert_eq!(pauses[..4], [500, 500, 500, 500].map(MS));
        assert_eq!(pauses[5], MS(625));
        assert_eq!(*pauses.last().unwrap(), LONGEST);
        assert!(pauses.is_sorted());
    }

    #[test]
    fn a_probe_whose_caller_goes_away_is_somebody_elses() {
        let breaker = Breaker::default();
        breaker.pass().unwrap().failed(MS(0), MS(0));
        drop(breaker.probe(MS(500)).unwrap());
        assert!(breaker.probe(MS(500)).is_some());
    }
}
