//! How often `invalidate` may drop a token.

use std::time::Duration;

/// Admits invalidations with a pause between them that doubles while they keep coming.
#[derive(Debug, Default)]
pub(super) struct Throttle {
    last: Option<Duration>,
    pause: Duration,
}

impl Throttle {
    const FIRST: Duration = Duration::from_secs(1);
    const LONGEST: Duration = Duration::from_secs(60);
    const FORGOTTEN: Duration = Duration::from_secs(5 * 60);

    /// Whether an invalidation at this time counts.
    pub(super) fn admits(&mut self, now: Duration) -> bool {
        let since = self.last.map(|last| now.saturating_sub(last));
        self.pause = match since {
            Some(since) if since < self.pause => return false,
            Some(since) if since < Self::FORGOTTEN => (self.pause * 2).min(Self::LONGEST),
            _ => Self::FIRST,
        };
        self.last = Some(now);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn invalidations_count_ever_more_rarely_until_they_stop() {
        let mut throttle = Throttle::default();
        let admitted: Vec<_> =
            (0..200).filter(|second| throttle.admits(Duration::from_secs(*second))).collect();
        assert_eq!(admitted, [0, 1, 3, 7, 15, 31, 63, 123, 183]);
        assert!(!throttle.admits(Duration::from_secs(200)));
        assert!(throttle.admits(Duration::from_secs(200 + 300)));
        assert!(throttle.admits(Duration::from_secs(200 + 301)), "the pause is 1 s again");
    }

    #[test]
    fn after_five_minutes_the_pause_is_a_second_again() {
        for (later, pause) in [(299, 4), (300, 1)] {
            let mut throttle = Throttle::default();
            assert!(throttle.admits(Duration::ZERO));
            assert!(throttle.admits(Duration::from_secs(1))); // the pause is 2 s
            let now = Duration::from_secs(1 + later);
            assert!(throttle.admits(now));
            assert!(!throttle.admits(now + Duration::from_millis(pause * 1_000 - 1)), "{later}");
            assert!(throttle.admits(now + Duration::from_secs(pause)), "{later}");
        }
    }
}
