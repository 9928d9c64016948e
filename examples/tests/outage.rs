//! The test that the guide on testing shows: an outage and its end, without a network or waiting.

#![allow(clippy::unwrap_used)] // a test that cannot go on panics

const GUIDE: &str = include_str!("../../crates/auth-core/docs/testing.md");

#[test]
fn the_guide_shows_this_test() {
    let own = include_str!("outage.rs").rsplit("// From here on as in the guide.\n").next();
    assert!(GUIDE.contains(own.unwrap().trim()));
}

// From here on as in the guide.
use std::time::Duration;

use digishare_auth::test_util::{granted, rejected};
use digishare_auth::{CachedTokenSource, Credentials, Digishare, ErrorKind, RetryPolicy};
use digishare_auth::{ManualClock, ScriptedClient};

#[tokio::test]
async fn an_outage_and_its_end() -> Result<(), digishare_auth::Error> {
    let clock = ManualClock::default();
    let token = || granted(&clock, Duration::from_secs(300));
    let provider = ScriptedClient::new([(503, String::new()), token(), token(), rejected()]);
    let flow = Digishare::new(Credentials::new("client-0001", "made-up-secret")?);
    let tokens = CachedTokenSource::builder(flow)
        .http_client(provider.clone())
        .clock(clock.clone())
        .retry_policy(RetryPolicy::never())
        .build()?;

    let error = tokens.token().await.unwrap_err(); // how does your code handle it?
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    clock.advance(error.retry_after().unwrap_or(Duration::from_secs(30)));
    let token = tokens.token().await?; // does your code recover?

    clock.advance(Duration::from_secs(300)); // the token expires
    assert!(!tokens.token().await?.ptr_eq(&token));

    clock.advance(Duration::from_secs(300)); // and now the secret is wrong
    let error = tokens.token().await.unwrap_err();
    assert_eq!((error.kind(), provider.requests()), (ErrorKind::Credentials, 4));
    Ok(())
}
