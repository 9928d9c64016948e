//! For your own unit tests, without a network: a ready token, and the bodies of the provider.

use std::time::Duration;

use auth_core::Clock;
pub use auth_core::test_util::source;
use auth_core::test_util::token;

/// The status and the body of TresorPay's answer with a token that lives for so long from the time that the
/// clock shows. Each call makes another token.
///
/// A script for `ScriptedClient`:
///
/// ```
/// use std::time::Duration;
/// use tresorpay_auth::test_util::{granted, rejected};
/// use tresorpay_auth::{CachedTokenSource, Credentials, ManualClock, ScriptedClient, TresorPay};
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), tresorpay_auth::Error> {
/// let flow = TresorPay::new(Credentials::new("client-0001", "made-up-secret")?);
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
pub fn granted(_: &impl Clock, lifetime: Duration) -> (u16, String) {
    let token = token();
    let body = format!(
        r#"{{"access_token":"{token}","expires_in":{},"token_type":"Bearer"}}"#,
        lifetime.as_secs()
    );
    (200, body)
}

/// The status and the body of a rejection of the credentials.
///
/// ```
/// let (status, _) = tresorpay_auth::test_util::rejected();
/// assert_eq!(status, 401);
/// ```
#[must_use]
pub fn rejected() -> (u16, String) {
    let body = r#"{"error":"unauthorized_client","error_description":"Invalid client or Invalid client credentials"}"#;
    (401, body.to_owned())
}
