//! The refresh margins and the retry limits, with their defaults.

use std::time::Duration;

/// When a token is refreshed, and when it is no longer handed out.
///
/// The margins are proportions of the lifetime, since lifetimes range from five minutes to a year:
/// with a fixed margin of five minutes, every five-minute token would be stale from the start.
///
/// | | default |
/// |---|---|
/// | refresh is due | `min(lifetime / 5, 5 min)` before expiry, and up to a quarter of that earlier (jitter, drawn for each token, so that a fleet does not refresh at the same time) |
/// | no longer handed out | `min(lifetime / 20, 10 s)` before expiry |
/// | the provider stated no lifetime | 5 minutes |
/// | longest time that a token is kept | 400 days |
///
/// ```
/// use std::time::Duration;
/// use auth_core::RefreshPolicy;
///
/// // Digishare's tokens live a year. Asking daily finds a revoked secret within a day.
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

/// The longest step between two readings of a clock: 10 ms for Linux's coarse clocks at 100 Hz.
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
    /// Sets how long before expiry a refresh becomes due, at most: a fifth of the lifetime if that
    /// is shorter.
    #[must_use]
    pub fn window(mut self, window: Duration) -> Self {
        self.window = window;
        self
    }

    /// Sets how long before expiry a token is no longer handed out, at most: a twentieth of the
    /// lifetime if that is shorter. Never less than 10 ms, the step of the coarsest clock.
    #[must_use]
    pub fn margin(mut self, margin: Duration) -> Self {
        self.margin = margin;
        self
    }

    /// Sets how long a token is kept if the provider stated no lifetime.
    #[must_use]
    pub fn unknown_lifetime(mut self, lifetime: Duration) -> Self {
        self.unknown_lifetime = lifetime;
        self
    }

    /// Sets the longest time that any token is kept, even if the provider states a longer lifetime.
    #[must_use]
    pub fn max_age(mut self, max_age: Duration) -> Self {
        self.max_age = max_age;
        self
    }

    /// How long before expiry a token of this lifetime is due for refresh, without jitter.
    pub(crate) fn window_for(&self, lifetime: Duration) -> Duration {
        self.window.min(lifetime / 5)
    }

    /// How long before expiry a token of this lifetime is no longer handed out.
    pub(crate) fn margin_for(&self, lifetime: Duration) -> Duration {
        self.margin.min(lifetime / 20).max(COARSEST)
    }
}

/// How often and how long one flight tries.
///
/// The consequences of each outcome:
///
/// | outcome | [kind](crate::ErrorKind) | attempts in a flight | then remembered, with no request, for |
/// |---|---|---|---|
/// | nothing could be sent: a setting | `Config` | 1 | not at all |
/// | no connection | `Connect` | all | a quarter of the outage so far, 0.5 to 30 s |
/// | sent, no answer | `Timeout`, `Unavailable` | all, or 1 with [`resend_unanswered(false)`](Self::resend_unanswered) | the same |
/// | 408, 425, 5xx | `Unavailable` | all | the same, or `Retry-After` if that is longer |
/// | 429 with `Retry-After` | `RateLimited` | all, if the wait fits into the flight | the same |
/// | 429 without | `RateLimited` | 1 | the same, 5 s at least |
/// | rejected credentials | `Credentials` | 1 | 30 s, doubling to 5 min |
/// | a refused request | `Request` | 1 | the same |
/// | a panic in the flow or client | `Internal` | 1 | the same |
/// | an answer that is not a token response | `Protocol` | 1 | a quarter of the outage so far, 0.5 to 30 s |
///
/// While a failure is remembered, callers get it at once; a token that is still valid is handed out
/// nevertheless. After that a single attempt is made. A failure is forgotten five minutes after its
/// pause, and when a token is granted.
///
/// | | default |
/// |---|---|
/// | attempts in a flight | 3 |
/// | pause between them | full jitter: uniform between 0 and 200 ms, 400 ms, 800 ms ... at most 5 s |
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

    /// Sets the maximum number of attempts in one flight; 0 counts as 1.
    #[must_use]
    pub fn max_attempts(mut self, attempts: u32) -> Self {
        self.max_attempts = attempts.max(1);
        self
    }

    /// Sets the pauses between attempts: uniform between zero and `base`, which doubles with each
    /// attempt up to `cap`.
    #[must_use]
    pub fn backoff(mut self, base: Duration, cap: Duration) -> Self {
        (self.base, self.cap) = (base, cap);
        self
    }

    /// Sets the longest time that one attempt may take. `ReqwestClient` itself ends a request after
    /// 30 s.
    #[must_use]
    pub fn attempt_timeout(mut self, timeout: Duration) -> Self {
        self.attempt_timeout = timeout;
        self
    }

    /// Sets the longest time that one flight may take, over all its attempts and pauses.
    #[must_use]
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }

    /// Sets whether a request that was sent but not answered is sent again. Turn it off if each
    /// request has a lasting effect at the provider (Papaya creates a named token each time).
    #[must_use]
    pub fn resend_unanswered(mut self, resend: bool) -> Self {
        self.resend_unanswered = resend;
        self
    }

    /// The longest pause after a failed attempt; `attempt` counts from 1.
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
