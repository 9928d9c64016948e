//! What is logged: an allow-list of fields, never a secret, a body, a claim or a query.
//!
//! Field names follow OpenTelemetry's HTTP conventions where these define one. Without the feature
//! `tracing` every function here is empty.

use std::future::Future;
use std::time::Duration;

use crate::error::Error;
#[cfg(feature = "tracing")]
use crate::error::cause::innermost;

/// Runs one exchange inside its span.
#[cfg(feature = "tracing")]
pub(crate) fn exchange<F: Future>(
    provider: &'static str,
    label: Option<&str>,
    method: &http::Method,
    host: &str,
    future: F,
) -> impl Future<Output = F::Output> + use<F> {
    use tracing::Instrument as _;
    let span = tracing::info_span!(
        "token_exchange",
        provider,
        label,
        "http.request.method" = method.as_str(),
        "server.address" = host
    );
    future.instrument(span)
}

/// Logs a failed attempt; `pause` is the time until the next one, if there is one.
#[cfg(feature = "tracing")]
pub(crate) fn attempt_failed(
    provider: &'static str,
    attempt: u32,
    error: &Error,
    pause: Option<Duration>,
) {
    let asked = error.endpoint().and_then(|asked| asked.split('/').next());
    let asked = asked.and_then(|asked| asked.parse::<http::uri::Authority>().ok());
    tracing::warn!(
        provider,
        label = error.label(),
        attempt,
        "http.request.resend_count" = attempt.saturating_sub(1),
        "http.response.status_code" = error.status().map(|status| status.as_u16()),
        "error.type" = ?error.kind(),
        "error.code" = error.code(),
        "error.cause" = std::error::Error::source(error).map(innermost),
        "server.address" = asked.as_ref().map(|asked| asked.host()),
        "server.port" = asked.as_ref().and_then(|asked| asked.port_u16()),
        "server.endpoint" = error.endpoint(),
        help = error.kind().help_url(),
        retry_in_ms = pause.map(millis),
        "token exchange failed: {error}"
    );
}

/// Logs that a token was granted.
#[cfg(feature = "tracing")]
pub(crate) fn granted(
    provider: &'static str,
    label: Option<&str>,
    attempt: u32,
    status: u16,
    lifetime: Duration,
) {
    tracing::info!(
        provider,
        label,
        attempt,
        "http.request.resend_count" = attempt.saturating_sub(1),
        "http.response.status_code" = status,
        lifetime_s = lifetime.as_secs(),
        "token granted"
    );
}

/// Logs that a token of another process was taken from the store.
#[cfg(feature = "tracing")]
pub(crate) fn adopted(provider: &'static str, label: Option<&str>, left: Duration) {
    tracing::info!(
        provider,
        label,
        expires_in_s = left.as_secs(),
        "token of another process adopted"
    );
}

/// Logs that nothing was sent, since the provider refused another process.
#[cfg(feature = "tracing")]
pub(crate) fn told(provider: &'static str, error: &Error, left: Duration) {
    tracing::warn!(
        provider,
        label = error.label(),
        "http.response.status_code" = error.status().map(|status| status.as_u16()),
        "error.type" = ?error.kind(),
        "error.code" = error.code(),
        help = error.kind().help_url(),
        retry_in_ms = millis(left),
        "not asked: {error}"
    );
}

/// Logs an oddity that did not prevent the token.
#[cfg(feature = "tracing")]
pub(crate) fn remark(provider: &'static str, label: Option<&str>, remark: &'static str) {
    tracing::warn!(provider, label, "{remark}");
}

/// Logs that the credentials could not be read again.
#[cfg(feature = "tracing")]
pub(crate) fn unread(provider: &'static str, label: Option<&str>, error: &Error) {
    let cause = error.message();
    tracing::warn!(
        provider,
        label,
        "error.type" = ?error.kind(),
        "the credentials could not be read again, so those of before are used: {cause}"
    );
}

#[cfg(feature = "tracing")]
fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(not(feature = "tracing"))]
pub(crate) use silent::*;

#[cfg(not(feature = "tracing"))]
mod silent {
    use super::{Duration, Error, Future};

    pub(crate) fn exchange<F: Future>(
        _: &'static str,
        _: Option<&str>,
        _: &http::Method,
        _: &str,
        future: F,
    ) -> F {
        future
    }

    pub(crate) fn attempt_failed(_: &'static str, _: u32, _: &Error, _: Option<Duration>) {}

    pub(crate) fn granted(_: &'static str, _: Option<&str>, _: u32, _: u16, _: Duration) {}

    pub(crate) fn adopted(_: &'static str, _: Option<&str>, _: Duration) {}

    pub(crate) fn told(_: &'static str, _: &Error, _: Duration) {}

    pub(crate) fn remark(_: &'static str, _: Option<&str>, _: &'static str) {}

    pub(crate) fn unread(_: &'static str, _: Option<&str>, _: &Error) {}
}
