//! What follows from a failure: whether the flight retries, and how long the failure is remembered.
//! The table for users is in the documentation of [`RetryPolicy`].

use crate::error::{Error, ErrorKind};
use crate::policy::RetryPolicy;

/// What follows from a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Rule {
    /// The same flight tries again, while attempts and deadline allow.
    pub(super) again: bool,
    pub(super) pause: Pause,
}

/// How long a failure is remembered and no request is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pause {
    /// Not at all.
    None,
    /// 30 s, doubling to 5 min: asking again gets the same answer, and may lock the account.
    Rejection,
    /// A quarter of the outage so far, 0.5 to 30 s, or `Retry-After` if that is longer.
    Outage,
    /// As `Outage`, but at least 5 s: rate limits are rarely set in milliseconds.
    Throttle,
}

impl Rule {
    pub(super) fn of(error: &Error, policy: &RetryPolicy) -> Self {
        use ErrorKind as Kind;
        let status = error.status().map(|status| status.as_u16());
        let (again, pause) = match (error.kind(), status) {
            // Nothing was sent.
            (Kind::Config, _) => (false, Pause::None),
            (Kind::Credentials | Kind::Request | Kind::Internal, _) => (false, Pause::Rejection),
            (Kind::Connect, _) => (true, Pause::Outage),
            // Sent, but no answer came.
            (Kind::Timeout | Kind::Unavailable, None) => (policy.resend_unanswered, Pause::Outage),
            (Kind::RateLimited, _) if error.retry_after().is_none() => (false, Pause::Throttle),
            (Kind::RateLimited | Kind::Unavailable, Some(408 | 425 | 429 | 500..=599)) => {
                (true, Pause::Outage)
            }
            // Such as Keycloak's disabled realm (403), or a page instead of a token.
            (Kind::RateLimited | Kind::Unavailable | Kind::Timeout, _)
            | (Kind::Protocol | Kind::Store, _) => (false, Pause::Outage),
        };
        Self { again, pause }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::StatusCode;
    use std::time::Duration;

    #[test]
    fn only_transient_failures_are_retried() {
        let policy = RetryPolicy::default();
        let with = |kind, status| {
            let error = Error::new(kind, "x");
            match status {
                0 => error,
                status => error.with_status(StatusCode::from_u16(status).unwrap()),
            }
        };
        use ErrorKind as Kind;
        for (error, again, pause) in [
            (with(Kind::Connect, 0), true, Pause::Outage),
            (with(Kind::Timeout, 0), true, Pause::Outage),
            (with(Kind::Unavailable, 0), true, Pause::Outage),
            (with(Kind::Unavailable, 408), true, Pause::Outage),
            (with(Kind::Unavailable, 425), true, Pause::Outage),
            (with(Kind::RateLimited, 429), false, Pause::Throttle),
            (with(Kind::RateLimited, 429).with_retry_after(Duration::ZERO), true, Pause::Outage),
            (with(Kind::Unavailable, 500), true, Pause::Outage),
            (with(Kind::Unavailable, 503), true, Pause::Outage),
            (with(Kind::Unavailable, 599), true, Pause::Outage),
            (with(Kind::Unavailable, 403), false, Pause::Outage), // Keycloak's disabled realm
            (with(Kind::Timeout, 200), false, Pause::Outage),
            (with(Kind::Credentials, 401), false, Pause::Rejection),
            (with(Kind::Request, 400), false, Pause::Rejection),
            (with(Kind::Internal, 0), false, Pause::Rejection),
            (with(Kind::Protocol, 200), false, Pause::Outage),
            (with(Kind::Store, 0), false, Pause::Outage),
            (with(Kind::Config, 0), false, Pause::None),
        ] {
            assert_eq!(Rule::of(&error, &policy), Rule { again, pause }, "{error:?}");
        }
        let once = policy.resend_unanswered(false);
        let again = |error| Rule::of(&error, &once).again;
        assert!(!again(with(Kind::Timeout, 0)));
        assert!(!again(with(Kind::Unavailable, 0)));
        assert!(again(with(Kind::Connect, 0)));
        assert!(again(with(Kind::Unavailable, 500)));
    }
}
