//! The codes of RFC 6749 section 5.2, which even providers that follow nothing else of it use.

use crate::error::ErrorKind;

/// Returns the kind of a code of RFC 6749 section 5.2, case-insensitively; `None` for other codes.
///
/// | code | kind |
/// |---|---|
/// | `invalid_client` | `Credentials` |
/// | `invalid_request`, `invalid_grant`, `unauthorized_client`, `unsupported_grant_type`, `invalid_scope` | `Request` |
///
/// ```
/// use auth_core::{ErrorKind, oauth2};
///
/// assert_eq!(oauth2::kind("invalid_client"), Some(ErrorKind::Credentials));
/// assert_eq!(oauth2::kind("slow_down"), None);
/// ```
#[must_use]
pub fn kind(code: &str) -> Option<ErrorKind> {
    const REQUEST: [&str; 5] = [
        "invalid_request",
        "invalid_grant",
        "unauthorized_client",
        "unsupported_grant_type",
        "invalid_scope",
    ];
    if code.eq_ignore_ascii_case("invalid_client") {
        Some(ErrorKind::Credentials)
    } else {
        REQUEST.iter().any(|known| code.eq_ignore_ascii_case(known)).then_some(ErrorKind::Request)
    }
}
