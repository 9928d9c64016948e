//! Reading the cached token: at once while it is fresh, never once it has expired.

use super::*;

/// The concrete source and the erased one.
#[tokio::test]
async fn a_fresh_token_is_there_without_waiting() {
    let (clock, provider) = (ManualClock::default(), Provider::new([Answer::Token(300)]));
    let source = provider.source(&clock);
    assert!(source.fresh().is_none());
    source.token().await.unwrap();
    let shared = SharedTokenSource::from(source.clone());
    assert_eq!(text(&source.fresh().unwrap()), "token-1");
    assert_eq!(text(&shared.fresh().unwrap()), "token-1");
    let mut call = pin!(shared.token());
    assert!(matches!(poll_once(call.as_mut()), Poll::Ready(Ok(_))));
    assert_eq!(provider.requests(), 1);
}

/// By the monotonic clock.
#[tokio::test]
async fn an_expired_token_is_never_handed_out() {
    let (clock, provider) = (ManualClock::default(), Provider::new([Answer::Token(300)]));
    let source = provider.source(&clock);
    source.token().await.unwrap();
    clock.advance(SECS(290));
    assert_eq!(source.state(), TokenState::Expired);
    assert!(source.fresh().is_none());
    assert_eq!(text(&source.token().await.unwrap()), "token-2");
}

/// By the wall clock: the monotonic one does not count while a laptop is suspended.
#[tokio::test]
async fn a_token_that_expired_while_the_machine_was_suspended_is_not_handed_out() {
    let (clock, provider) = (ManualClock::default(), Provider::new([Answer::Token(300)]));
    let source = provider.source(&clock);
    source.token().await.unwrap();
    clock.suspend(SECS(3_600));
    assert_eq!(text(&source.token().await.unwrap()), "token-2");
}

/// For code that is generic over sources.
#[tokio::test]
async fn a_source_behind_the_trait_is_the_same_source() {
    let (clock, provider) = (ManualClock::default(), Provider::new([Answer::Token(300)]));
    let source = provider.source(&clock);
    let erased: &dyn TokenSource = &source;
    let token = erased.token().await.unwrap();
    erased.invalidate(&token);
    assert!(source.fresh().is_none());
}

/// For a log: which provider, and whether there is a token, but not the token.
#[tokio::test]
async fn a_source_shows_its_provider_and_the_state_of_its_token() {
    let (clock, provider) = (ManualClock::default(), Provider::new([Answer::Token(300)]));
    let source = provider.source(&clock);
    let parts = r#"CachedTokenSource { provider: "acme", label: None, state: "#;
    let shown = |state| format!("{parts}{state}, .. }}");
    assert_eq!(format!("{source:?}"), shown("Expired"));
    source.token().await.unwrap();
    assert_eq!(format!("{source:?}"), shown("Fresh"));
}
