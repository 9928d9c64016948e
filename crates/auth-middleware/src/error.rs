//! What can go wrong before a request is sent, and after its token was refused.

use std::fmt;
use std::sync::Arc;

use auth_core::Endpoint;

use crate::rules::Origin;

/// Why a request was not sent, or a client not made.
///
/// ```
/// use auth_middleware::Error;
///
/// /// What an API of your own would answer.
/// fn status(error: &Error) -> u16 {
///     match error {
///         Error::Token(cause) if cause.is_retryable() => 503,
///         Error::Timeout => 504,
///         _ => 500, // a mistake in this program or its settings
///     }
/// }
/// assert_eq!(status(&Error::Timeout), 504);
/// ```
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// There is no token: the exchange failed.
    #[error(transparent)]
    Token(#[from] auth_core::Error),
    /// The request goes to a host that does not get the token.
    #[error(transparent)]
    HostNotAllowed(HostNotAllowed),
    /// Neither the source nor the user named a host, so no request could be sent.
    #[error("no host may get the token: add the API's with `TokenAuth::host`")]
    NoHosts,
    /// The URL of a request names no scheme or no host, or a port that is not a number.
    #[error("the request's URI has no scheme and host, or no valid port: give the whole URL")]
    NotAbsolute,
    /// The client follows redirects to any host, and would take the token's headers along.
    #[error(
        "the client follows redirects to any host, and the token's headers with them: build it \
         with `.redirect(auth_middleware::redirect_policy())`"
    )]
    FollowsRedirects,
    /// The request's timeout passed while it waited for a token.
    #[error("the request's timeout passed while it waited for a token")]
    Timeout,
    /// The HTTP library refused the client's settings.
    #[error("the HTTP client cannot be built: {}", innermost(&**.0))]
    Client(#[source] Arc<dyn std::error::Error + Send + Sync>),
}

/// A request to a host that does not get the token. It was not sent, and no token was asked for.
///
/// Names origins alone: a path or a query may hold what no log should.
///
/// ```
/// use auth_middleware::HostNotAllowed;
///
/// fn explain(error: &HostNotAllowed) -> String {
///     format!("not sent to {}", error.host())
/// }
/// ```
#[derive(Clone, Debug)]
pub struct HostNotAllowed {
    host: String,
    allowed: Vec<String>,
}

impl HostNotAllowed {
    pub(crate) fn new(to: Origin<'_>, hosts: &[Endpoint]) -> Self {
        let port = to.port.map(|port| format!(":{port}")).unwrap_or_default();
        let host = format!("{}://{}{port}", to.scheme, to.host);
        let origin = |host: &Endpoint| {
            format!("{}://{}", if host.is_plain_http() { "http" } else { "https" }, host.host())
        };
        Self { host, allowed: hosts.iter().map(origin).collect() }
    }

    /// Returns where the request would have gone: scheme, host, and port if the URL has one.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }

    /// Returns the origins that get the token.
    #[must_use]
    pub fn allowed(&self) -> &[String] {
        &self.allowed
    }
}

impl fmt::Display for HostNotAllowed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.allowed.is_empty() {
            return fmt::Display::fmt(&Error::NoHosts, f);
        }
        let allowed = self.allowed.join(", ");
        write!(
            f,
            "{} does not get the token (only {allowed}): if it is the API's, add it with \
             `TokenAuth::host`",
            self.host
        )
    }
}

impl std::error::Error for HostNotAllowed {}

/// Why a refused token could not be renewed: an extension of the 401, which is returned as it came.
///
/// ```
/// use auth_middleware::RenewalFailed;
///
/// fn cause<B>(answer: &http::Response<B>) -> Option<&auth_core::Error> {
///     answer.extensions().get::<RenewalFailed>().map(RenewalFailed::error)
/// }
/// assert!(cause(&http::Response::new(())).is_none());
/// ```
#[derive(Clone, Debug)]
pub struct RenewalFailed(auth_core::Error);

impl RenewalFailed {
    pub(crate) fn new(error: auth_core::Error) -> Self {
        Self(error)
    }

    /// Returns the error of the exchange.
    #[must_use]
    pub fn error(&self) -> &auth_core::Error {
        &self.0
    }
}

/// The text of the last cause: an HTTP library's own says little.
fn innermost(error: &(dyn std::error::Error + 'static)) -> String {
    let mut last = error;
    while let Some(cause) = last.source() {
        last = cause;
    }
    last.to_string()
}
