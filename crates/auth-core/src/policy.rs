//! How far ahead to refresh, and how hard to try: the numbers, in one place.

use std::time::Duration;

/// When a token is refreshed and when it is no longer handed out.
///
/// The margins are proportions of the lifetime, since lifetimes range from five minutes to a year:
/// a fixed five-minute margin would make every five-minute token stale at birth.
///
/// | | default |
/// |---|---|
/// | refresh is due | `min(lifetime / 5, 5 min)` before the end, and up to a quarter of that earlier (jitter, drawn for each token, so that a fleet does not refresh in step) |
/// | no longer handed out | `min(lifetime / 20, 10 s)` before the end |
/// | the provider stated no lifetime | 5 minutes |
/// | longest time that a token is kept | 400 days |
///
/// ```
/// use std::time::Duration;
/// use auth_core::RefreshPolicy;
///
/// // Digishare's tokens live a year: look for a rotated secret once a day all the same.
/// let daily = RefreshPolicy::default().max_age(Duration::from_secs(24 * 60 * 60));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RefreshPolicy {
    pub(crate) window: Duration,
    pub(crate) margin: Duration,
    pub(crate) unknown_lifetime: Duration,
    pub(crate) max_age: Duration,
}

/// The longest time that a clock may stand still between two ticks: Linux's coarse ones at 100 Hz.
const COARSEST: Duration = Duration::from_millis(10);

impl Default for RefreshPolicy {
    fn default() -> Self {
        Self {
            window: Duration::from_secs(5 * 60),
            margin: Duration::from_secs(10),
            unknown_lifetime: Duration::from_secs(5 * 60),
            max_age: Duration::from_secs(400 * 24 * 60 * 60),
        }
    }
}

impl RefreshPolicy {
    /// The longest time before the end at which a refresh becomes due (never more than a fifth of
    /// the lifetime).
    #[must_use]
    pub fn window(mut self, window: Duration) -> Self {
        self.window = window;
        self
    }

    /// The longest time before the end at which a token is no longer handed out (never more than a
    /// twentieth of the lifetime, and never less than 10 ms, a tick of the coarsest clock).
    #[must_use]
    pub fn margin(mut self, margin: Duration) -> Self {
        self.margin = margin;
        self
    }

    /// How long a token is kept whose lifetime the provider did not state.
    #[must_use]
    pub fn unknown_lifetime(mut self, lifetime: Duration) -> Self {
        self.unknown_lifetime = lifetime;
        self
    }

    /// The longest time that any token is kept, whatever the provider says.
    #[must_use]
    pub fn max_age(mut self, max_age: Duration) -> Self {
        self.max_age = max_age;
        self
    }

    /// How long before its end a token of that lifetime is due for refresh, without jitter.
    pub(crate) fn window_for(&self, lifetime: Duration) -> Duration {
        self.window.min(lifetime / 5)
    }

    /// How long before its end a token of that lifetime is no longer handed out.
    pub(crate) fn margin_for(&self, lifetime: Duration) -> Duration {
        self.margin.min(lifetime / 20).max(COARSEST)
    }
}

/// How often and how long one flight tries.
///
/// What follows from each outcome:
///
/// | outcome | [kind](crate::ErrorKind) | attempts in a flight | then remembered, and nobody asks, for |
/// |---|---|---|---|
/// | nothing could be sent: a setting | `Config` | 1 | not at all |
/// | no connection | `Connect` | all | a quarter of the outage so far, 0.5 to 30 s |
/// | sent, no answer | `Timeout`, `Unavailable` | all, or 1 with [`resend_unanswered(false)`](Self::resend_unanswered) | the same |
/// | 408, 425, 5xx | `Unavailable` | all | the same, or `Retry-After` where that is longer |
/// | 429 with `Retry-After` | `RateLimited` | all, where the wait fits into the flight | the same |
/// | 429 without | `RateLimited` | 1 | the same, 5 s at least |
/// | rejected credentials | `Credentials` | 1 | 30 s, doubling to 5 min |
/// | a refused request | `Request` | 1 | the same |
/// | a panic in the flow or client | `Internal` | 1 | the same |
/// | an answer that is no token response | `Protocol` | 1 | a quarter of the outage so far, 0.5 to 30 s |
///
/// While a failure is remembered it is answered at once; a token that is still good is served all
/// the same. Then one attempt alone is made. A failure is forgotten five minutes after its pause,
/// and when a token comes.
///
/// | | default |
/// |---|---|
/// | attempts in a flight | 3 |
/// | pause between them | full jitter: evenly between 0 and 200 ms, 400 ms, 800 ms ... at most 5 s |
/// | one attempt | 10 s |
/// | the whole flight | 30 s |
/// | `Retry-After` waited for inside a flight | 60 s, and what is left of the flight |
/// | `Retry-After` remembered | 1 h |
///
/// ```
/// use std::time::Duration;
/// use auth_core::RetryPolicy;
///
/// let impatient = RetryPolicy::default().max_attempts(2).deadline(Duration::from_secs(8));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RetryPolicy {
    pub(crate) max_attempts: u32,
    pub(crate) base: Duration,
    pub(crate) cap: Duration,
    pub(crate) attempt_timeout: Duration,
    pub(crate) deadline: Duration,
    pub(crate) retry_after_in_flight: Duration,
    pub(crate) retry_after_remembered: Duration,
    pub(crate) resend_unanswered: bool,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self {
            max_attempts: 3,
            base: Duration::from_millis(200),
            cap: Duration::from_secs(5),
            attempt_timeout: Duration::from_secs(10),
            deadline: Duration::from_secs(30),
            retry_after_in_flight: Duration::from_secs(60),
            retry_after_remembered: Duration::from_secs(60 * 60),
            resend_unanswered: true,
        }
    }
}

impl RetryPolicy {
    /// One attempt, no retry.
    #[must_use]
    pub fn never() -> Self {
        Self::default().max_attempts(1)
    }

    /// The most attempts in one flight; 0 counts as 1.
    #[must_use]
    pub fn max_attempts(mut self, attempts: u32) -> Self {
        self.max_attempts = attempts.max(1);
        self
    }

    /// The pauses between attempts: evenly between nothing and `base`, doubled each time, at most
    /// `cap`.
    #[must_use]
    pub fn backoff(mut self, base: Duration, cap: Duration) -> Self {
        (self.base, self.cap) = (base, cap);
        self
    }

    /// The longest time that one attempt may take. `ReqwestClient` ends a request after 30 s of its
    /// own accord.
    #[must_use]
    pub fn attempt_timeout(mut self, timeout: Duration) -> Self {
        self.attempt_timeout = timeout;
        self
    }

    /// The longest time that one flight may take, over all its attempts and pauses.
    #[must_use]
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }

    /// Whether a request that was sent and got no answer is sent again. Turned off where each
    /// request leaves something behind at the provider (Papaya mints a named token each time).
    #[must_use]
    pub fn resend_unanswered(mut self, resend: bool) -> Self {
        self.resend_unanswered = resend;
        self
    }

    /// The most that the pause after a failed attempt may be; `attempt` counts from 1.
    pub(crate) fn ceiling(&self, attempt: u32) -> Duration {
        let doubled = 2u32.checked_pow(attempt.saturating_sub(1)).unwrap_or(u32::MAX);
        self.base.saturating_mul(doubled).min(self.cap)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn margins_are_proportions_of_the_lifetime() {
        let policy = RefreshPolicy::default();
        let secs = Duration::from_secs;
        for (lifetime, window, margin) in
            [(60, secs(12), secs(3)), (300, secs(60), secs(10)), (31_536_000, secs(300), secs(10))]
        {
            assert_eq!(policy.window_for(secs(lifetime)), window);
            assert_eq!(policy.margin_for(secs(lifetime)), margin);
        }
    }

    #[test]
    fn pauses_double_up_to_their_cap() {
        let policy = RetryPolicy::default();
        let millis: Vec<_> = [1, 2, 3, 6, 99].map(|n| policy.ceiling(n).as_millis()).into();
        assert_eq!(millis, [200, 400, 800, 5_000, 5_000]);
    }
}
