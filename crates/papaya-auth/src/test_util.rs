//! For your own unit tests, without a network: a ready token, and the bodies of the provider.

use std::time::Duration;

use auth_core::Clock;
pub use auth_core::test_util::source;
use auth_core::test_util::token;

/// The status and the body of Papaya's answer with a token that lives for so long from the time that the
/// clock shows. Each call makes another token.
///
/// A script for `ScriptedClient`:
///
/// ```
/// use std::time::Duration;
/// use papaya_auth::test_util::{granted, rejected};
/// use papaya_auth::{CachedTokenSource, Credentials, ManualClock, Papaya, ScriptedClient};
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), papaya_auth::Error> {
/// let flow = Papaya::staging(Credentials::new("key-0001", "made-up-secret")?);
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
        r#"{{"valid_until":"{}","token":"{token}","token_name":"made-up"}}"#,
        jiff::Timestamp::try_from(clock.wall() + lifetime).unwrap_or(jiff::Timestamp::MAX)
    );
    (201, body)
}

/// The status and the body of a rejection of the credentials.
///
/// ```
/// let (status, _) = papaya_auth::test_util::rejected();
/// assert_eq!(status, 401);
/// ```
#[must_use]
pub fn rejected() -> (u16, String) {
    let body = r#"{"error":"Invalid request"}"#;
    (401, body.to_owned())
}
