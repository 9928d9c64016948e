//! What a source tells an observer: for metrics of your own.

use std::fmt;
use std::time::{Duration, SystemTime};

use crate::error::ErrorKind;

/// Is told what a source does, to count and to measure it.
///
/// Called on the thread that does it, [`Event::Read`] on every call for a token: return quickly and
/// do not block. No lock of the source is held, so it may call the source, but not for a token on
/// [`Event::Read`]: that call would be the next event. If it panics, the source goes on. With the
/// feature `metrics` every source without an observer of its own reports to the `metrics` facade.
///
/// ```
/// use std::sync::atomic::{AtomicU64, Ordering};
/// use auth_core::{Event, Observer};
///
/// #[derive(Debug, Default)]
/// struct Failures(AtomicU64);
///
/// impl Observer for Failures {
///     fn observe(&self, _provider: &'static str, event: &Event) {
///         if let Event::Request { outcome: Err(_), .. } = event {
///             self.0.fetch_add(1, Ordering::Relaxed);
///         }
///     }
/// }
/// // CachedTokenSource::builder(flow).observer(Failures::default()).build()?
/// ```
pub trait Observer: fmt::Debug + Send + Sync + 'static {
    /// Is told of an event of a source of this provider.
    fn observe(&self, provider: &'static str, event: &Event);
}

/// What a source did.
///
/// ```
/// use auth_core::Event;
///
/// fn outcome(event: &Event) -> Option<String> {
///     match event {
///         Event::Request { outcome: Ok(()), .. } => Some("granted".into()),
///         Event::Request { outcome: Err(kind), .. } => Some(kind.to_string()),
///         _ => None,
///     }
/// }
/// assert_eq!(outcome(&Event::Read(auth_core::Read::Fresh)), None);
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Event {
    /// A request to the provider ended: with a token, or with an error of this kind.
    #[non_exhaustive]
    Request {
        /// How it ended.
        outcome: Result<(), ErrorKind>,
        /// From the request to the end of its answer, by the source's clock: with `coarse-clock`
        /// in steps of up to 10 ms.
        latency: Duration,
    },
    /// A token was granted.
    #[non_exhaustive]
    Granted {
        /// When it expires, on this machine's wall clock.
        expires_at: Option<SystemTime>,
    },
    /// A token that another process got was taken from the store.
    #[non_exhaustive]
    Adopted {
        /// When it expires, on this machine's wall clock.
        expires_at: Option<SystemTime>,
    },
    /// A failure is remembered: until the pause is over, callers get it and nothing is sent.
    #[non_exhaustive]
    Remembered {
        /// The kind of the failure.
        kind: ErrorKind,
        /// How long.
        pause: Duration,
    },
    /// A caller asked for a token.
    Read(Read),
}

/// How a caller got its answer.
///
/// ```
/// use auth_core::Read;
/// assert_eq!(Read::Waited.as_str(), "waited");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Read {
    /// A fresh token, at once.
    Fresh,
    /// A token that is being refreshed, at once.
    Stale,
    /// There was none: it waited for an exchange, or got a remembered failure.
    Waited,
}

impl Read {
    /// Returns one lower-case word, for a metric's label.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Fresh => "fresh",
            Self::Stale => "stale",
            Self::Waited => "waited",
        }
    }
}
