//! The one event: a refused token that could not be renewed.

/// Logs why the caller gets a 401. The exchange has logged its own failure.
#[cfg(feature = "tracing")]
pub(crate) fn renewal_failed(host: &auth_core::Endpoint, error: &auth_core::Error) {
    let authority = host.host().parse::<http::uri::Authority>().ok();
    tracing::warn!(
        "http.response.status_code" = 401,
        "error.type" = ?error.kind(),
        "server.address" = authority.as_ref().map(|it| it.host()),
        "server.port" = authority.as_ref().and_then(|it| it.port_u16()),
        help = error.kind().help_url(),
        "the API refused the token, and there is no other: {error}"
    );
}

#[cfg(not(feature = "tracing"))]
pub(crate) fn renewal_failed(_: &auth_core::Endpoint, _: &auth_core::Error) {}
