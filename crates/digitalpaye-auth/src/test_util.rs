//! For your own unit tests, without a network: a ready token, and the bodies of the provider.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use auth_core::test_util::token;
use auth_core::{Clock, StaticTokenSource};

/// A source of one ready token with its headers, `Authorization` and `X-Environment: Sandbox`: for code that takes a source.
///
/// ```
/// use digitalpaye_auth::TokenSource;
///
/// let tokens = digitalpaye_auth::test_util::source();
/// let headers = tokens.fresh().unwrap().header_map();
/// assert_eq!(headers["authorization"], "Bearer made-up-token");
/// assert_eq!(headers["x-environment"], "Sandbox");
/// ```
#[must_use]
pub fn source() -> StaticTokenSource {
    let source = auth_core::test_util::source();
    source.header(crate::exchange::X_ENVIRONMENT, http::HeaderValue::from_static("Sandbox"))
}

/// The status and the body of Digitalpaye's answer with a token that lives for so long from the time that the
/// clock shows. Each call makes another token.
///
/// A script for `ScriptedClient`:
///
/// ```
/// use std::time::Duration;
/// use digitalpaye_auth::test_util::{granted, rejected};
/// use digitalpaye_auth::{CachedTokenSource, Credentials, Digitalpaye, ManualClock, ScriptedClient};
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), digitalpaye_auth::Error> {
/// let flow = Digitalpaye::new(Credentials::new("key-0001", "made-up-secret")?);
/// let clock = ManualClock::default();
/// let provider = ScriptedClient::new([granted(&clock, Duration::from_secs(600)), rejected()]);
/// let tokens = CachedTokenSource::builder(flow).http_client(provider).clock(clock.clone());
/// let tokens = tokens.build()?;
///
/// tokens.token().await?;
/// clock.advance(Duration::from_secs(600));
/// assert!(tokens.token().await.is_err());
/// # Ok(()) }
/// ```
#[must_use]
pub fn granted(clock: &impl Clock, lifetime: Duration) -> (u16, String) {
    let token = token();
    let body = format!(
        r#"{{"statusCode":200,"message":"Successful","data":{{"token":"{token}","exp":{}}}}}"#,
        unix_seconds(clock.wall() + lifetime)
    );
    (200, body)
}

/// The status and the body of a rejection of the credentials.
///
/// ```
/// let (status, _) = digitalpaye_auth::test_util::rejected();
/// assert_eq!(status, 401);
/// ```
#[must_use]
pub fn rejected() -> (u16, String) {
    let body = r#"{"statusCode":401,"message":"UnauthorizedError","reason":"made up"}"#;
    (401, body.to_owned())
}

fn unix_seconds(instant: SystemTime) -> u64 {
    instant.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
}
