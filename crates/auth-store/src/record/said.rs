//! What a provider said that granted no token, for other processes to be told.

use std::time::Duration;

use auth_core::{Error, ErrorKind, Scrubber};
use http::StatusCode;
use serde::{Deserialize, Serialize};

use super::token::millis;
use super::{FORGOTTEN, doublings, within};
use crate::id::Id;

/// What a provider said. No secret: the texts of an [`Error`] are scrubbed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Said {
    /// The request that it was said to; `None` if it holds for any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) print: Option<Id>,
    kind: Kind,
    message: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    status: Option<u16>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    code: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    /// Until when nobody is to ask again.
    pub(crate) until: u64,
    /// How long that was, when it was said.
    pub(crate) pause: u64,
    /// How often in a row it was said before.
    #[serde(default)]
    pub(crate) times: u32,
}

/// The kinds that are told to others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Kind {
    Credentials,
    Request,
    RateLimited,
    Unavailable,
    /// One of a later version.
    #[serde(other)]
    Other,
}

const FIRST_REJECTION: u64 = 30_000;
const LONGEST_REJECTION: u64 = 5 * 60_000;
const FIRST_OUTAGE: u64 = 500;
const LONGEST_OUTAGE: u64 = 30_000;
/// The shortest pause after a 429 without `Retry-After`.
const THROTTLED: u64 = 5_000;
/// The longest pause, whatever `Retry-After` says.
const LONGEST: u64 = 60 * 60_000;
/// The longest message, in characters. Ours have less than a quarter of it.
const MESSAGE_LIMIT: usize = 1_024;

impl Said {
    /// What to tell others of an error; `None` if it may be this process's alone: its network, its
    /// settings, or, without a print, its secret.
    pub(crate) fn of(
        error: &Error,
        print: Option<Id>,
        previous: Option<&Self>,
        now: u64,
    ) -> Option<Self> {
        let kind = Kind::of(error.kind())?;
        let print = match kind {
            Kind::Credentials | Kind::Request => Some(print?),
            _ => {
                error.status()?;
                None
            }
        };
        let row = previous.filter(|said| {
            said.print == print
                && said.kind.is_rejection() == kind.is_rejection()
                && said.counts(now)
        });
        let times = row.map_or(0, |said| said.times.saturating_add(1));
        let (first, longest) = if kind.is_rejection() {
            (FIRST_REJECTION, LONGEST_REJECTION)
        } else {
            (FIRST_OUTAGE, LONGEST_OUTAGE)
        };
        let asked = error.retry_after().map(millis);
        let least = if kind == Kind::RateLimited && asked.is_none() { THROTTLED } else { 0 };
        let pause = first.saturating_mul(doublings(times)).min(longest).max(least);
        let pause = pause.max(asked.unwrap_or_default()).min(LONGEST);
        Some(Self {
            print,
            kind,
            message: error.message().chars().take(MESSAGE_LIMIT).collect(),
            status: error.status().map(|status| status.as_u16()),
            code: error.code().map(str::to_owned),
            description: error.description().map(str::to_owned),
            until: now.saturating_add(pause),
            pause,
            times,
        })
    }

    /// How long nobody is to ask again.
    pub(crate) fn left(&self, now: u64) -> Option<u64> {
        let span = self.pause.min(LONGEST);
        within(self.until, now, span).filter(|_| self.kind != Kind::Other)
    }

    /// Whether the same thing, said again, continues the row: not if it was said long ago, or by a
    /// clock that has stepped back since.
    pub(crate) fn counts(&self, now: u64) -> bool {
        let is_old = self.until.saturating_add(FORGOTTEN) < now;
        let is_future = self.until.saturating_sub(now) > self.pause;
        !is_old && !is_future && self.kind != Kind::Other
    }

    /// The error again, in a process that did not ask itself.
    pub(crate) fn error(&self, left: u64, provider: &'static str) -> Error {
        let (left, pause) = (Duration::from_millis(left), Duration::from_millis(self.pause));
        let (ago, wait) = (pause.saturating_sub(left).as_secs(), left.as_millis().div_ceil(1_000));
        let message = format!(
            "{} (another process was told so {ago} s ago; the provider is asked again in {wait} s)",
            self.message
        );
        let mut error = Error::new(self.kind.outside(), message).with_provider(provider);
        // Both were scrubbed where the secret was known.
        let scrubber = Scrubber::default();
        if let Some(status) = self.status.and_then(|status| StatusCode::from_u16(status).ok()) {
            error = error.with_status(status);
        }
        if let Some(code) = &self.code {
            error = error.with_code(code, &scrubber);
        }
        if let Some(description) = &self.description {
            error = error.with_description(description, &scrubber);
        }
        if error.is_retryable() { error.with_retry_after(left) } else { error }
    }
}

impl Kind {
    fn of(kind: ErrorKind) -> Option<Self> {
        Some(match kind {
            ErrorKind::Credentials => Self::Credentials,
            ErrorKind::Request => Self::Request,
            ErrorKind::RateLimited => Self::RateLimited,
            ErrorKind::Unavailable => Self::Unavailable,
            _ => return None,
        })
    }

    fn outside(self) -> ErrorKind {
        match self {
            Self::Credentials => ErrorKind::Credentials,
            Self::Request => ErrorKind::Request,
            Self::RateLimited => ErrorKind::RateLimited,
            Self::Unavailable | Self::Other => ErrorKind::Unavailable,
        }
    }

    fn is_rejection(self) -> bool {
        matches!(self, Self::Credentials | Self::Request)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PRINT: Id = Id::new([3; 16]);
    const ONE: Id = Id::new([1; 16]);

    fn error(kind: ErrorKind, status: u16) -> Error {
        match status {
            0 => Error::new(kind, "x"),
            status => Error::new(kind, "x").with_status(StatusCode::from_u16(status).unwrap()),
        }
    }

    #[test]
    fn only_what_the_provider_said_is_told_and_a_rejection_with_its_print() {
        use ErrorKind as Kind;
        let (own, any) = (Some(Some(PRINT)), Some(None));
        for (kind, status, keyed, bare) in [
            (Kind::Credentials, 401, own, None),
            (Kind::Request, 400, own, None),
            (Kind::RateLimited, 429, any, any),
            (Kind::Unavailable, 503, any, any),
            (Kind::Unavailable, 0, None, None),
            (Kind::RateLimited, 0, None, None),
            (Kind::Connect, 0, None, None),
            (Kind::Timeout, 0, None, None),
            (Kind::Timeout, 200, None, None),
            (Kind::Protocol, 200, None, None),
            (Kind::Config, 0, None, None),
            (Kind::Internal, 0, None, None),
            (Kind::Store, 0, None, None),
        ] {
            let told = |print| Said::of(&error(kind, status), print, None, 0).map(|s| s.print);
            assert_eq!(told(Some(PRINT)), keyed, "{kind:?} {status}");
            assert_eq!(told(None), bare, "{kind:?} {status}");
        }
    }

    #[test]
    fn pauses_double_while_the_same_thing_is_said_again() {
        for (kind, status, pauses) in [
            (ErrorKind::Credentials, 401, [30_000, 60_000, 120_000, 240_000, 300_000, 300_000]),
            (ErrorKind::Unavailable, 503, [500, 1_000, 2_000, 4_000, 8_000, 16_000]),
            (ErrorKind::RateLimited, 429, [5_000, 5_000, 5_000, 5_000, 8_000, 16_000]),
        ] {
            let (mut said, mut now): (Option<Said>, _) = (None, 0);
            for (times, pause) in pauses.into_iter().enumerate() {
                let next = Said::of(&error(kind, status), Some(PRINT), said.as_ref(), now).unwrap();
                assert_eq!((next.pause, next.until - now), (pause, pause), "{kind:?} {times}");
                now = next.until;
                said = Some(next);
            }
            let next = |at| Said::of(&error(kind, status), Some(PRINT), said.as_ref(), at).unwrap();
            assert_eq!(next(now + FORGOTTEN).times, 6);
            assert_eq!(next(now + FORGOTTEN + 1).times, 0, "it was long ago");
            assert_eq!(next(0).times, 0, "the clock stepped back");
        }
    }

    #[test]
    fn an_outage_is_remembered_for_30_s_at_most() {
        let mut said = Said::of(&error(ErrorKind::Unavailable, 500), None, None, 0).unwrap();
        for _ in 0..100 {
            let now = said.until;
            said = Said::of(&error(ErrorKind::Unavailable, 500), None, Some(&said), now).unwrap();
        }
        assert_eq!(said.pause, 30_000);
    }

    #[test]
    fn another_sort_of_failure_or_another_request_starts_again() {
        let said = |kind, status, print, previous: Option<&Said>| {
            Said::of(&error(kind, status), print, previous, 0).unwrap()
        };
        let first = said(ErrorKind::Credentials, 401, Some(PRINT), None);
        assert_eq!(said(ErrorKind::Request, 400, Some(PRINT), Some(&first)).times, 1);
        assert_eq!(said(ErrorKind::Request, 400, Some(ONE), Some(&first)).times, 0);
        assert_eq!(said(ErrorKind::Unavailable, 500, None, Some(&first)).times, 0);
    }

    #[test]
    fn retry_after_is_obeyed_up_to_an_hour_and_where_it_is_longer() {
        for (kind, asked, pause) in [
            (ErrorKind::RateLimited, 0, 500),
            (ErrorKind::RateLimited, 120, 120_000),
            (ErrorKind::Unavailable, 31_536_000, 3_600_000),
        ] {
            let error = error(kind, 503).with_retry_after(Duration::from_secs(asked));
            assert_eq!(Said::of(&error, None, None, 0).unwrap().pause, pause, "{asked}");
        }
        let mut forged = Said::of(&error(ErrorKind::Unavailable, 503), None, None, 0).unwrap();
        (forged.until, forged.pause) = (u64::MAX, u64::MAX);
        assert_eq!(forged.left(0), None, "nobody silences a fleet for longer than an hour");
    }

    #[test]
    fn a_told_error_is_what_was_said_and_says_that_it_was_told() {
        let scrubber = Scrubber::default();
        let original = error(ErrorKind::RateLimited, 429)
            .with_code("slow_down", &scrubber)
            .with_description("Langsam!", &scrubber)
            .with_retry_after(Duration::from_secs(60));
        let said = Said::of(&original, None, None, 1_000).unwrap();
        let told = said.error(said.left(13_500).unwrap(), "acme");
        assert_eq!((told.kind(), told.status()), (original.kind(), original.status()));
        assert_eq!((told.code(), told.description()), (original.code(), original.description()));
        assert_eq!(told.retry_after(), Some(Duration::from_millis(47_500)));
        assert_eq!(
            told.to_string(),
            "acme: x (another process was told so 12 s ago; the provider is asked again in 48 s): \
             retry after 48 s"
        );
    }
}
