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
