//! Random jitter, so that the processes of a fleet do not ask at the same time. Not for secrets.

use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;

/// A source's random number generator.
#[derive(Clone)]
pub(super) struct Jitter(Arc<dyn Fn() -> f64 + Send + Sync>);

impl Jitter {
    /// Uses a test's generator, so that a run can be repeated.
    #[cfg(any(test, feature = "test-util"))]
    pub(super) fn new(draw: impl Fn() -> f64 + Send + Sync + 'static) -> Self {
        Self(Arc::new(draw))
    }

    /// A number in `0.0..1.0`, uniform.
    pub(super) fn draw(&self) -> f64 {
        (self.0)()
    }
}

impl Default for Jitter {
    /// Uses std's hash keys: random from the operating system, and different for each
    /// `RandomState`. That needs no extra crate.
    fn default() -> Self {
        Self(Arc::new(|| drawn(&RandomState::new(), std::process::id())))
    }
}

/// Hashes the process id, since a forked process has its parent's keys and would draw its numbers.
pub(super) fn drawn(keys: &RandomState, process: u32) -> f64 {
    fraction(keys.hash_one(process))
}

/// The upper half of the bits, as a part of all its values: from 0 up to, but not, 1.
fn fraction(bits: u64) -> f64 {
    f64::from(u32::try_from(bits >> 32).unwrap_or_default()) / (f64::from(u32::MAX) + 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn draws_are_spread_and_do_not_repeat() {
        let jitter = Jitter::default();
        let mut drawn: Vec<_> = (0..10_000).map(|_| jitter.draw()).collect();
        assert!(drawn.iter().all(|number| (0.0..1.0).contains(number)));
        drawn.sort_by(f64::total_cmp);
        drawn.dedup();
        assert!(drawn.len() > 9_900, "{}", drawn.len());
        for tenth in 1..10_u32 {
            let below = drawn.partition_point(|number| *number < f64::from(tenth) / 10.0);
            let expected = f64::from(tenth) * 1_000.0;
            let found = f64::from(u32::try_from(below).unwrap());
            assert!((found - expected).abs() < 300.0, "{below} of 10,000 below {tenth}/10");
        }
    }

    #[test]
    fn a_forked_process_draws_other_numbers_than_its_parent() {
        let keys = RandomState::new(); // a fork has the same ones
        assert_eq!(drawn(&keys, 100).to_bits(), drawn(&keys.clone(), 100).to_bits());
        let mut forks: Vec<_> = (100..1_100).map(|process| drawn(&keys, process)).collect();
        forks.sort_by(f64::total_cmp);
        forks.dedup();
        assert!(forks.len() > 990, "{}", forks.len());
    }

    #[test]
    fn no_draw_reaches_one() {
        assert!(fraction(u64::MAX) < 1.0 && fraction(u64::MAX) > 0.999_999);
        assert_eq!(fraction(1 << 63).to_bits(), 0.5_f64.to_bits());
        assert_eq!(fraction(u64::from(u32::MAX)).to_bits(), 0.0_f64.to_bits());
    }
}
