//! When no request is sent: refresh times, remembered failures, `invalidate`, `replace_exchange`.

use super::*;

/// Refresh and expiry margins are proportions of the lifetime.
#[tokio::test]
async fn a_sixty_second_token_works_and_so_does_a_one_year_one() {
    for (life, fresh_until, usable_until) in [
        (60, SECS(45), Duration::from_secs_f64(57.0)),
        (31_536_000, SECS(31_535_625), SECS(31_535_990)),
    ] {
        let (clock, provider) = (ManualClock::default(), Provider::new([Answer::Token(life)]));
        let source = provider.source(&clock);
        source.token().await.unwrap();
        clock.advance(fresh_until - MILLIS(1));
        assert_eq!(source.state(), TokenState::Fresh, "{life}");
        clock.advance(usable_until - fresh_until);
        assert_eq!(source.state(), TokenState::Stale, "{life}");
        clock.advance(MILLIS(1));
        assert_eq!(source.state(), TokenState::Expired, "{life}");
    }
}

#[tokio::test]
async fn a_hundred_calls_with_a_bad_secret_are_one_request() {
    let (clock, provider) = (ManualClock::default(), Provider::new([Answer::Status(401, None)]));
    let source = provider.source(&clock);
    for _ in 0..100 {
        assert_eq!(source.token().await.unwrap_err().kind(), ErrorKind::Credentials);
        clock.advance(MILLIS(299));
    }
    assert_eq!(provider.requests(), 1);
    clock.advance(SECS(1));
    source.token().await.unwrap_err();
    assert_eq!(provider.requests(), 2);
}

/// An outage of ten minutes, with a call every 250 ms.
#[tokio::test]
async fn requests_grow_with_the_logarithm_of_an_outage_and_recovery_is_seen_soon() {
    let (clock, provider) = (ManualClock::default(), Provider::new([Answer::Connect]));
    let source = provider
        .builder(&clock, Acme::default())
        .retry_policy(RetryPolicy::never())
        .build()
        .unwrap();
    for _ in 0..(600 * 4) {
        let error = source.token().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Connect);
        clock.advance(MILLIS(250));
    }
    assert!(provider.requests() < 60, "{}", provider.requests());
    provider.then([Answer::Token(300)]);
    let mut waited = Duration::ZERO;
    while source.token().await.is_err() {
        clock.advance(MILLIS(250));
        waited += MILLIS(250);
    }
    assert!(waited <= SECS(31), "{waited:?}");
}

#[tokio::test]
async fn retry_after_is_obeyed_and_the_remembered_error_states_what_is_left() {
    let script = [Answer::Status(429, Some(120)), Answer::Token(300)];
    let (clock, provider) = (ManualClock::default(), Provider::new(script));
    let source = provider.source(&clock);
    let error = source.token().await.unwrap_err();
    assert_eq!((error.kind(), error.retry_after()), (ErrorKind::RateLimited, Some(SECS(120))));
    clock.advance(SECS(100));
    assert_eq!(source.token().await.unwrap_err().retry_after(), Some(SECS(20)));
    assert_eq!(provider.requests(), 1);
    clock.advance(SECS(20));
    assert_eq!(text(&source.token().await.unwrap()), "token-2");
}

/// After a second its callers get the remembered failure.
#[tokio::test]
async fn a_probe_is_one_attempt_and_delays_no_caller_for_long() {
    let (clock, provider) = (ManualClock::default(), Provider::new([Answer::Connect]));
    let source = provider
        .builder(&clock, Acme::default())
        .retry_policy(RetryPolicy::never())
        .build()
        .unwrap();
    source.token().await.unwrap_err();
    let source = source.clone();
    clock.advance(SECS(2));
    provider.then([Answer::Silence]);
    let caller = ask(&source);
    settle().await;
    assert!(!caller.is_finished());
    pass(&clock, MILLIS(1_001)).await;
    assert_eq!(caller.await.unwrap().unwrap_err().kind(), ErrorKind::Connect);
    assert_eq!((provider.requests(), provider.under_way()), (2, 1), "the probe goes on");
}

#[tokio::test]
async fn only_transient_failures_are_retried_with_three_attempts_in_all() {
    for (answer, requests) in [
        (Answer::Connect, 3),
        (Answer::Status(500, None), 3),
        (Answer::Status(429, None), 1),
        (Answer::Status(429, Some(0)), 3),
        (Answer::Status(408, None), 3),
        (Answer::Status(400, None), 1),
        (Answer::Status(401, None), 1),
        (Answer::Status(302, None), 1),
        (Answer::Body("<html>", "x"), 1),
    ] {
        let (clock, provider) = (ManualClock::default(), Provider::new([answer.clone()]));
        let source = provider.source(&clock);
        let caller = ask(&source);
        settle().await;
        pass(&clock, SECS(12)).await;
        caller.await.unwrap().unwrap_err();
        assert_eq!(provider.requests(), requests, "{answer:?}");
    }
}

#[tokio::test]
async fn ten_late_401s_cost_one_refresh_and_evict_no_newer_token() {
    let (clock, provider) = (ManualClock::default(), Provider::new([Answer::Token(300)]));
    let source = provider.source(&clock);
    let old = source.token().await.unwrap();
    for _ in 0..10 {
        source.invalidate(&old);
        assert_eq!(text(&source.token().await.unwrap()), "token-2");
    }
    // Long after the throttle's pause, the old token still evicts nothing.
    clock.advance(SECS(120));
    source.invalidate(&old);
    assert_eq!(text(&source.fresh().unwrap()), "token-2");
    assert_eq!(provider.requests(), 2);
}

/// Called every 100 ms for five minutes.
#[tokio::test]
async fn an_api_that_always_answers_401_makes_no_loop() {
    let (clock, provider) = (ManualClock::default(), Provider::new([Answer::Token(3_600)]));
    let source = provider.source(&clock);
    for _ in 0..3_000 {
        let token = source.token().await.unwrap();
        source.invalidate(&token);
        clock.advance(MILLIS(100));
    }
    assert!((6..=12).contains(&provider.requests()), "{}", provider.requests());
}

/// A rotated secret, another account, and a flow that lacks a setting.
#[tokio::test]
async fn replacing_the_exchange_forgets_a_rejection_and_keeps_a_good_token() {
    let script = [Answer::Status(401, None), Answer::Token(300)];
    let (clock, provider) = (ManualClock::default(), Provider::new(script));
    let source = provider.source(&clock);
    source.token().await.unwrap_err();
    source.replace_exchange(Acme { secret: "CANARY-new", ..Acme::default() }).unwrap();
    assert_eq!(text(&source.token().await.unwrap()), "token-2");
    source.replace_exchange(Acme::default()).unwrap();
    assert_eq!(text(&source.token().await.unwrap()), "token-2");
    source.replace_exchange(Acme { account: "a-2", ..Acme::default() }).unwrap();
    assert_eq!(text(&source.token().await.unwrap()), "token-3", "another account");
    assert!(source.replace_exchange(Acme { secret: "missing", ..Acme::default() }).is_err());
    assert_eq!(text(&source.token().await.unwrap()), "token-3");
}

/// Its waiters get a token of the new credentials.
#[tokio::test]
async fn a_flight_under_replaced_credentials_does_not_count() {
    let (clock, provider) = (ManualClock::default(), Provider::new([Answer::Token(300)]));
    provider.shut();
    let source = provider.source(&clock);
    let waiter = ask(&source);
    settle().await;
    source.replace_exchange(Acme { account: "a-2", ..Acme::default() }).unwrap();
    settle().await;
    assert_eq!((provider.requests(), provider.under_way()), (2, 1), "the old request is dropped");
    provider.let_through(2);
    assert_eq!(text(&waiter.await.unwrap().unwrap()), "token-2");
}

/// Without a task to abort: the outcome itself is discarded.
#[test]
fn a_token_of_replaced_credentials_is_not_handed_out() {
    let (clock, provider) = (ManualClock::default(), Provider::new([Answer::Token(300)]));
    provider.shut();
    let source = provider.source(&clock);
    let mut call = pin!(source.token());
    for number in 1..=9 {
        assert!(poll_once(call.as_mut()).is_pending());
        assert_eq!(provider.requests(), number);
        source.replace_exchange(Acme { account: "a-2", ..Acme::default() }).unwrap();
    }
    provider.let_through(1);
    let Poll::Ready(token) = poll_once(call.as_mut()) else { panic!("the caller hangs") };
    assert_eq!(text(&token.unwrap()), "token-10");
}

/// The replaced exchange may use the source while it is dropped.
#[test]
fn an_exchange_whose_drop_uses_its_source_does_not_deadlock_replace_exchange() {
    #[derive(Clone)]
    struct Calling(Acme, Arc<Mutex<Option<CachedTokenSource<Self>>>>);
    impl TokenExchange for Calling {
        fn provider(&self) -> &'static str {
            "acme"
        }
        fn identity(&self) -> Identity {
            self.0.identity()
        }
        fn request(&self) -> Result<HttpRequest, Error> {
            self.0.request()
        }
        fn read(&self, response: &TokenResponse) -> Result<Grant, Error> {
            self.0.read(response)
        }
    }
    impl Drop for Calling {
        fn drop(&mut self) {
            let source = self.1.try_lock().ok().and_then(|mut slot| slot.take());
            if let Some(source) = source {
                assert!(source.fresh().is_none());
                let _ = source.replace_exchange(Self(Acme::default(), Arc::default()));
            }
        }
    }
    let slot = Arc::default();
    let provider = Provider::new([Answer::Token(300)]);
    let source = CachedTokenSource::builder(Calling(Acme::default(), Arc::clone(&slot)))
        .http_client(provider)
        .build()
        .unwrap();
    *slot.lock().unwrap() = Some(source.clone());
    source.replace_exchange(Calling(Acme::default(), Arc::default())).unwrap();
}

/// A failure of yesterday does not turn today's first flight into a probe.
#[tokio::test]
async fn a_failure_is_forgotten_some_time_after_its_pause() {
    let script = [Answer::Status(401, None), Answer::Status(503, None), Answer::Token(300)];
    let (clock, provider) = (ManualClock::default(), Provider::new(script));
    let source = provider.source(&clock);
    source.token().await.unwrap_err();
    clock.advance(SECS(86_400));
    let caller = ask(&source);
    settle().await;
    pass(&clock, SECS(5)).await;
    assert!(caller.await.unwrap().is_ok(), "a new outage gets its three attempts");
    assert_eq!(provider.requests(), 3);
}

#[tokio::test]
async fn a_remembered_failure_returned_instead_of_a_slow_probe_states_no_wait() {
    let script = [Answer::Status(429, Some(37)), Answer::Token(300)];
    let (clock, provider) = (ManualClock::default(), Provider::new(script));
    let flow = Acme { retry: RetryPolicy::default().max_attempts(1), ..Acme::default() };
    let source = provider.builder(&clock, flow).build().unwrap();
    let error = source.token().await.unwrap_err();
    assert_eq!(error.retry_after(), Some(SECS(37)));
    clock.advance(SECS(120));
    provider.shut();
    let probe = ask(&source);
    settle().await;
    clock.advance(MILLIS(1_001));
    settle().await;
    let error = probe.await.unwrap().unwrap_err();
    assert_eq!((error.kind(), error.retry_after()), (ErrorKind::RateLimited, None));
}
