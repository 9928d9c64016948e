//! How long a failure is remembered, so that callers fail fast and no requests are sent.

use std::time::Duration;

use super::rule::{Pause, Rule};
use crate::error::Error;
use crate::policy::RetryPolicy;

/// A failure that callers get at once until its pause is over.
#[derive(Debug)]
pub(super) struct Failure {
    pub(super) error: Error,
    /// When the outage began, on the monotonic clock.
    since: Duration,
    /// When the next request may go out, on the monotonic clock.
    until: Duration,
    /// Rejections in a row.
    rejections: u32,
}

const SHORTEST: Duration = Duration::from_millis(500);
const LONGEST: Duration = Duration::from_secs(30);
/// The shortest pause after a 429 without `Retry-After`.
const THROTTLED: Duration = Duration::from_secs(5);
/// How long after its pause a failure still counts as the same outage.
const FORGOTTEN: Duration = Duration::from_secs(5 * 60);
const FIRST_REJECTION: Duration = Duration::from_secs(30);
const LONGEST_REJECTION: Duration = Duration::from_secs(5 * 60);
/// The longest pause that a store can impose: the longest `Retry-After`.
const LONGEST_TOLD: Duration = Duration::from_secs(60 * 60);

impl Failure {
    /// What to remember of an error, given the previous failure; `None` if no request was sent.
    ///
    /// The outage began when the flight took off (`began`), not when it landed: an endpoint that
    /// hangs for 30 s has been down that long. `draw` is a random number between 0 and 1.
    pub(super) fn after(
        previous: Option<&Self>,
        error: Error,
        began: Duration,
        now: Duration,
        policy: &RetryPolicy,
        draw: f64,
    ) -> Option<Self> {
        let rule = Rule::of(&error, policy).pause;
        let is_rejection = rule == Pause::Rejection;
        // Failures of the same sort in a row are one outage.
        let same = previous.filter(|previous| is_rejection == (previous.rejections > 0));
        let since = same.map_or(began, |p| p.since);
        let rejections = same.map_or(0, |p| p.rejections);
        // A quarter of the outage so far: the number of requests grows with its logarithm, and
        // recovery is noticed within a quarter of it. Jitter keeps replicas from probing together.
        let quarter = (now.saturating_sub(since) / 4).min(LONGEST);
        let (least, most) = (SHORTEST.max(quarter * 3 / 4), (SHORTEST * 3 / 2).max(quarter));
        let outage = least + (most - least).mul_f64(draw.clamp(0.0, 1.0));
        let pause = match rule {
            Pause::None => return None,
            Pause::Rejection => {
                let doubled = 2u32.checked_pow(rejections).unwrap_or(u32::MAX);
                FIRST_REJECTION.saturating_mul(doubled).min(LONGEST_REJECTION)
            }
            Pause::Outage => outage,
            Pause::Throttle => outage.max(THROTTLED),
        };
        let asked = error.retry_after().unwrap_or_default().min(policy.retry_after_remembered);
        let until = now.saturating_add(pause.max(asked));
        let rejections = if is_rejection { rejections.saturating_add(1) } else { 0 };
        Some(Self { error, since, until, rejections })
    }

    /// A failure that another process met, with the rest of the pause that it began.
    pub(super) fn told(error: Error, left: Duration, now: Duration) -> Self {
        let is_rejection = !error.is_retryable();
        let until = now.saturating_add(left.min(LONGEST_TOLD));
        Self { error, since: now, until, rejections: is_rejection.into() }
    }

    /// How much of the pause is left, if any.
    pub(super) fn left(&self, now: Duration) -> Option<Duration> {
        self.until.checked_sub(now).filter(|left| !left.is_zero())
    }

    /// Whether its pause ended so long ago that the next failure is a new outage.
    pub(super) fn is_old(&self, now: Duration) -> bool {
        now > self.until.saturating_add(FORGOTTEN)
    }

    /// The remembered error with the time left as `retry_after`; `None` once the pause is over.
    pub(super) fn answer(&self, now: Duration) -> Option<Error> {
        let left = self.left(now)?;
        let error = self.error.clone();
        Some(if error.is_retryable() { error.with_retry_after(left) } else { error })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;

    const SECS: fn(u64) -> Duration = Duration::from_secs;

    fn next(previous: Option<&Failure>, kind: ErrorKind, now: Duration) -> Failure {
        Failure::after(previous, Error::new(kind, "x"), now, now, &RetryPolicy::default(), 1.0)
            .unwrap()
    }

    #[test]
    fn a_passing_failure_is_remembered_for_a_quarter_of_the_outage() {
        let mut now = SECS(100);
        let mut failure = next(None, ErrorKind::Unavailable, now);
        let mut pauses = Vec::new();
        for _ in 0..30 {
            pauses.push(failure.until - now);
            now = failure.until;
            assert!(failure.answer(now).is_none());
            failure = next(Some(&failure), ErrorKind::Connect, now);
        }
        assert_eq!(pauses[..5], [750; 5].map(Duration::from_millis));
        assert_eq!(pauses[5], Duration::from_micros(937_500));
        assert_eq!(*pauses.last().unwrap(), SECS(30));
        assert!(pauses.is_sorted());
    }

    #[test]
    fn replicas_that_failed_together_do_not_probe_together() {
        for (outage, least, most) in
            [(0, 500, 750), (2, 500, 750), (40, 7_500, 10_000), (999, 22_500, 30_000)]
        {
            let began = next(None, ErrorKind::Connect, Duration::ZERO);
            for (draw, pause) in [(0.0, least), (1.0, most)] {
                let error = Error::new(ErrorKind::Connect, "x");
                let policy = RetryPolicy::default();
                let failure =
                    Failure::after(Some(&began), error, SECS(outage), SECS(outage), &policy, draw);
                assert_eq!(failure.unwrap().until, SECS(outage) + Duration::from_millis(pause));
            }
        }
    }

    #[test]
    fn a_rejection_is_remembered_for_30_s_doubling_to_5_min() {
        let mut failure = next(None, ErrorKind::Credentials, SECS(0));
        let mut pauses = vec![failure.until];
        for _ in 0..5 {
            let now = failure.until;
            failure = next(Some(&failure), ErrorKind::Credentials, now);
            pauses.push(failure.until - now);
        }
        assert_eq!(pauses, [30, 60, 120, 240, 300, 300].map(SECS));
    }

    #[test]
    fn retry_after_is_obeyed_up_to_a_cap_and_what_is_left_is_told() {
        for (asked, obeyed) in [(0, 1), (120, 120), (31_536_000, 3_600)] {
            let error = Error::new(ErrorKind::RateLimited, "x").with_retry_after(SECS(asked));
            let failure =
                Failure::after(None, error, SECS(0), SECS(0), &RetryPolicy::default(), 0.0)
                    .unwrap();
            assert!(failure.until <= SECS(obeyed), "{asked}");
            let left = failure.answer(Duration::from_millis(200)).unwrap().retry_after().unwrap();
            assert_eq!(left, failure.until - Duration::from_millis(200));
        }
    }

    #[test]
    fn an_outage_of_another_sort_begins_anew() {
        let rejected = next(None, ErrorKind::Credentials, SECS(0));
        let down = next(Some(&rejected), ErrorKind::Unavailable, SECS(1_000));
        assert_eq!(down.until, SECS(1_000) + SHORTEST * 3 / 2);
    }

    #[test]
    fn a_429_without_retry_after_pauses_for_5_s_at_least() {
        let first = next(None, ErrorKind::RateLimited, SECS(0));
        assert_eq!(first.until, SECS(5));
        let later = next(Some(&first), ErrorKind::RateLimited, SECS(100));
        assert_eq!(later.until, SECS(125));
    }

    #[test]
    fn an_outage_counts_from_the_take_off() {
        let error = Error::new(ErrorKind::Timeout, "x");
        let hung =
            Failure::after(None, error, SECS(0), SECS(30), &RetryPolicy::default(), 1.0).unwrap();
        assert_eq!(hung.until, SECS(30) + SECS(30) / 4);
    }

    #[test]
    fn a_setting_that_is_missing_is_not_remembered() {
        let error = Error::config("x");
        assert!(
            Failure::after(None, error, SECS(0), SECS(0), &RetryPolicy::default(), 0.0).is_none()
        );
    }

    #[test]
    fn a_failure_is_old_five_minutes_after_its_pause() {
        let failure = next(None, ErrorKind::Credentials, SECS(100)); // until 130 s
        for (now, is_old) in [(0, false), (130, false), (430, false), (431, true)] {
            assert_eq!(failure.is_old(SECS(now)), is_old, "{now}");
        }
    }
}
