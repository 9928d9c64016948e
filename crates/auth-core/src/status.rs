//! What a source says of itself: for readiness probes, dashboards and the person on call.

use std::time::{Duration, SystemTime};

use crate::error::ErrorKind;
use crate::term::TokenState;
use crate::token::AccessToken;

/// The state of a source, without a secret: [`TokenSource::status`](crate::TokenSource::status).
///
/// ```
/// use auth_core::{StaticTokenSource, TokenSource, TokenState};
///
/// let status = StaticTokenSource::bearer("made-up")?.status();
/// assert_eq!(status.token, Some(TokenState::Fresh));
/// assert_eq!((status.expires_in, status.requests), (None, 0)); // never asked, never expires
/// # Ok::<(), auth_core::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct SourceStatus {
    /// The provider, such as `manis`; `None` for a source without one.
    pub provider: Option<&'static str>,
    /// The label that the builder was given.
    pub label: Option<String>,
    /// The state of the token; `None` if there is none: not asked yet, or dropped after a 401.
    pub token: Option<TokenState>,
    /// How long ago the request for the token began.
    pub age: Option<Duration>,
    /// How long until the token expires, by the clock that says less; zero if it has expired.
    /// `None` for a static token.
    pub expires_in: Option<Duration>,
    /// The last exchange that failed.
    pub last_failure: Option<LastFailure>,
    /// How many requests were sent to the provider, successful or not.
    pub requests: u64,
}

/// The last failure of a source.
///
/// ```
/// use auth_core::SourceStatus;
///
/// fn is_down(status: &SourceStatus) -> bool {
///     status.last_failure.as_ref().is_some_and(|failure| failure.in_a_row > 0)
/// }
/// assert!(!is_down(&SourceStatus::default()));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LastFailure {
    /// What failed.
    pub kind: ErrorKind,
    /// When, on this machine's wall clock.
    pub at: SystemTime,
    /// How many exchanges have failed since one last succeeded; 0 once one has.
    pub in_a_row: u32,
}

impl SourceStatus {
    /// The status of a source that only knows its current token.
    pub(crate) fn of(token: Option<&AccessToken>) -> Self {
        Self { token: token.map(|_| TokenState::Fresh), ..Self::default() }
    }
}
