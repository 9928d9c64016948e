//! For your own unit tests, without a network: a ready token, and the bodies of the provider.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use auth_core::Clock;
pub use auth_core::test_util::source;
use auth_core::test_util::token;

/// The status and the body of Manis's answer with a token that lives for so long from the time that the
/// clock shows. Each call makes another token.
///
/// A script for `ScriptedClient`:
///
/// ```
/// use std::time::Duration;
/// use manis_auth::test_util::{granted, rejected};
/// use manis_auth::{CachedTokenSource, Credentials, Endpoint, Manis, ManualClock, ScriptedClient};
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), manis_auth::Error> {
/// let flow = Manis::new(Credentials::new("merchant-0001", "made-up-secret")?, Endpoint::parse("https://manis.example.com")?);
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
        r#"{{"token":"{token}","expiresAt":{},"tokenType":"Bearer"}}"#,
        unix_seconds(clock.wall() + lifetime)
    );
    (200, body)
}

/// The status and the body of a rejection of the credentials.
///
/// ```
/// let (status, _) = manis_auth::test_util::rejected();
/// assert_eq!(status, 401);
/// ```
#[must_use]
pub fn rejected() -> (u16, String) {
    let body = r#"{"message":"made up","timestamp":"2026-01-01"}"#;
    (401, body.to_owned())
}

fn unix_seconds(instant: SystemTime) -> u64 {
    instant.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
}
