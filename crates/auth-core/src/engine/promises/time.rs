//! Deadlines and clocks, including wrong ones.

use super::*;

#[tokio::test]
async fn a_lifetime_counts_from_the_moment_the_request_began() {
    let (clock, provider) = (ManualClock::default(), Provider::new([Answer::Token(60)]));
    provider.shut();
    let source = provider.source(&clock);
    let caller = ask(&source);
    settle().await;
    clock.advance(SECS(9));
    provider.let_through(1);
    caller.await.unwrap().unwrap();
    clock.advance(SECS(48)); // 9 + 48 = 57 = 60 minus the margin of 3
    assert_eq!(source.state(), TokenState::Expired);
}

#[tokio::test]
async fn a_token_that_expires_before_it_arrives_is_an_error() {
    let (clock, provider) = (ManualClock::default(), Provider::new([Answer::Token(5)]));
    provider.shut();
    let source = provider.source(&clock);
    let caller = ask(&source);
    settle().await;
    clock.advance(SECS(6));
    provider.let_through(1);
    assert_eq!(caller.await.unwrap().unwrap_err().kind(), ErrorKind::Protocol);
}

#[tokio::test]
async fn dead_on_arrival_is_an_error_and_not_a_loop() {
    let provider = Provider::new([Answer::Token(0)]);
    let source = provider.source(&ManualClock::default());
    for _ in 0..100 {
        assert_eq!(source.token().await.unwrap_err().kind(), ErrorKind::Protocol);
    }
    assert_eq!(provider.requests(), 1);
}

/// `exp` is 600 s after the server's `Date`; the local clock is an hour off either way.
#[tokio::test]
async fn a_wrong_local_clock_neither_shortens_nor_stretches_a_token() {
    // {"iat":1767225600,"exp":1767226200}
    let body =
        r#"{"token":"eyJhbGciOiJub25lIn0.eyJpYXQiOjE3NjcyMjU2MDAsImV4cCI6MTc2NzIyNjIwMH0."}"#;
    for wrong in [-3_600_i64, 0, 3_600] {
        let clock = ManualClock::default();
        let wall = crate::clock::unix_time(1_767_225_600 + wrong).unwrap();
        clock.set_wall(wall);
        let provider = Provider::new([Answer::Body(body, "Thu, 01 Jan 2026 00:00:00 GMT")]);
        let source = provider.source(&clock);
        let token = source.token().await.unwrap();
        let lifetime = token.expires_at().unwrap().duration_since(wall).unwrap();
        assert!((SECS(599)..=SECS(600)).contains(&lifetime), "{wrong}: {lifetime:?}");
    }
}

#[tokio::test]
async fn an_unknown_expiry_gets_five_minutes() {
    let provider = Provider::new([Answer::Body(r#"{"token":"t"}"#, "x")]);
    let clock = ManualClock::default();
    let source = provider.source(&clock);
    source.token().await.unwrap();
    clock.advance(SECS(290));
    assert_eq!(source.state(), TokenState::Expired);
}

/// `RefreshPolicy::max_age`.
#[tokio::test]
async fn a_token_is_kept_no_longer_than_the_policy_says() {
    let (clock, provider) = (ManualClock::default(), Provider::new([Answer::Token(31_536_000)]));
    let daily = RefreshPolicy::default().max_age(SECS(86_400));
    let source = provider.builder(&clock, Acme::default()).refresh_policy(daily).build().unwrap();
    source.token().await.unwrap();
    clock.advance(SECS(86_390));
    assert_eq!(source.state(), TokenState::Expired);
}

/// The provider returns the old token up to its last second, and the next one a moment later.
#[tokio::test]
async fn a_provider_that_repeats_an_expired_token_is_asked_again_for_two_seconds() {
    const OLD: &str = r#"{"token":"old","expires_in":0}"#;
    let old = || Answer::Body(OLD, "Thu, 01 Jan 2026 00:00:00 GMT");
    let first = Answer::Body(r#"{"token":"old","expires_in":8}"#, "Thu, 01 Jan 2026 00:00:00 GMT");
    for (repeats, brings, requests) in
        [(3, Ok("token-5"), 5), (8, Ok("token-10"), 10), (9, Err(ErrorKind::Protocol), 10)]
    {
        let script = std::iter::once(first.clone()).chain((0..repeats).map(|_| old()));
        let provider = Provider::new(script.chain([Answer::Token(300)]));
        let clock = ManualClock::default();
        let source = provider.source(&clock);
        assert_eq!(text(&source.token().await.unwrap()), "old");
        clock.advance(SECS(8));
        let caller = ask(&source);
        settle().await;
        for _ in 0..12 {
            clock.advance(MILLIS(250)); // the pause before the next request
            settle().await;
        }
        let found = caller.await.unwrap();
        assert_eq!(found.as_ref().map(text).map_err(Error::kind), brings.map(str::to_owned));
        assert_eq!(provider.requests(), requests);
    }
    // An expired token that this source never held is an error at once.
    let provider = Provider::new([old()]);
    assert!(provider.source(&ManualClock::default()).token().await.is_err());
    assert_eq!(provider.requests(), 1);
}
