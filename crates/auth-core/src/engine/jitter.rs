//! What keeps a fleet from asking in step: a number drawn anew, of no use for secrets.

use std::hash::{BuildHasher, RandomState};

/// At least 0 and below 1, evenly spread. Drawn from what std seeds its hash tables with (the
/// operating system's randomness, and another key for each table), so it costs no crate. A process
/// that was forked has its parent's keys: its own number makes its draws others.
pub(super) fn draw() -> f64 {
    spread(RandomState::new().hash_one(std::process::id()))
}

/// Evenly from 0 to 1.
fn spread(drawn: u64) -> f64 {
    f64::from(u32::try_from(drawn >> 32).unwrap_or_default()) / (f64::from(u32::MAX) + 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn draws_are_spread_and_do_not_repeat() {
        let mut drawn: Vec<_> = (0..10_000).map(|_| draw()).collect();
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
}
