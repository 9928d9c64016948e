//! The one event: a refused token that could not be renewed.

use crate::rules::Origin;

/// Logs why the caller gets a 401. The exchange has logged its own failure.
#[cfg(feature = "tracing")]
pub(crate) fn renewal_failed(to: Option<Origin<'_>>, error: &auth_core::Error) {
    tracing::warn!(
        "http.response.status_code" = 401,
        "error.type" = ?error.kind(),
        "server.address" = to.map(|to| to.host),
        "server.port" = to.and_then(|to| to.port),
        help = error.kind().help_url(),
        "the API refused the token, and there is no other: {error}"
    );
}

#[cfg(not(feature = "tracing"))]
pub(crate) fn renewal_failed(_: Option<Origin<'_>>, _: &auth_core::Error) {}
