//! What is logged: never a secret, a token or an account. Without the feature `tracing` nothing.

use std::time::Duration;

use auth_core::{Claim, Error};

/// Logs that the store does not answer: once an outage.
#[cfg(feature = "tracing")]
pub(crate) fn unavailable(error: &Error, pause: Duration) {
    let retry_in_ms = u64::try_from(pause.as_millis()).unwrap_or(u64::MAX);
    tracing::warn!(
        "error.type" = ?error.kind(),
        retry_in_ms,
        "the token store failed, so this process asks the provider itself meanwhile: {error}"
    );
}

/// Logs what a claim was answered.
#[cfg(feature = "tracing")]
pub(crate) fn claimed(provider: &'static str, claim: &Claim) {
    let answer = match claim {
        Claim::Token(_) => "token",
        Claim::Lease(_) => "lease",
        Claim::Held { .. } => "held",
        Claim::Refused { .. } => "refused",
        _ => "unavailable",
    };
    tracing::debug!(provider, answer, "token store claim");
}

#[cfg(not(feature = "tracing"))]
pub(crate) fn unavailable(_: &Error, _: Duration) {}

#[cfg(not(feature = "tracing"))]
pub(crate) fn claimed(_: &'static str, _: &Claim) {}
