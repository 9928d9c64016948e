//! Made-up tokens, for the `test_util` of each provider's crate and for one of your own.

use std::sync::atomic::{AtomicU32, Ordering};

use crate::source::StaticTokenSource;

/// A source of one ready token with its `Authorization` header: for code that takes a source.
///
/// ```
/// use auth_core::TokenSource;
///
/// let headers = auth_core::test_util::source().fresh().unwrap().header_map();
/// assert_eq!(headers["authorization"], "Bearer made-up-token");
/// ```
#[must_use]
pub fn source() -> StaticTokenSource {
    #[allow(clippy::expect_used)] // a constant
    let source = StaticTokenSource::bearer("made-up-token").expect("this is a token");
    source
}

/// The text of a token, another one at each call: a provider that repeats a token would be asked
/// again.
///
/// ```
/// use auth_core::test_util::token;
/// assert_ne!(token(), token());
/// ```
#[must_use]
pub fn token() -> String {
    static NUMBER: AtomicU32 = AtomicU32::new(1);
    format!("made-up-token-{}", NUMBER.fetch_add(1, Ordering::Relaxed))
}
