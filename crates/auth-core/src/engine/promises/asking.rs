//! Single flight: one request for all callers, whichever of them leave.

use super::*;

#[tokio::test]
async fn however_many_callers_wait_one_request_is_in_flight() {
    let (clock, provider) = (ManualClock::default(), Provider::new([Answer::Token(300)]));
    provider.shut();
    let source = provider.source(&clock);
    let callers: Vec<_> = (0..1_000).map(|_| ask(&source)).collect();
    settle().await;
    assert_eq!(provider.requests(), 1);
    provider.let_through(1);
    for caller in callers {
        assert_eq!(text(&caller.await.unwrap().unwrap()), "token-1");
    }
    assert_eq!(provider.requests(), 1);
}

#[tokio::test]
async fn callers_share_a_failure_too() {
    let provider = Provider::new([Answer::Status(401, None)]);
    provider.shut();
    let source = provider.source(&ManualClock::default());
    let callers: Vec<_> = (0..100).map(|_| ask(&source)).collect();
    settle().await;
    provider.let_through(1);
    for caller in callers {
        assert_eq!(caller.await.unwrap().unwrap_err().kind(), ErrorKind::Credentials);
    }
    assert_eq!(provider.requests(), 1);
}

/// On a runtime the flight is a task of its own.
#[tokio::test]
async fn a_cancelled_leader_affects_no_other_caller() {
    let (clock, provider) = (ManualClock::default(), Provider::new([Answer::Token(300)]));
    provider.shut();
    let source = provider.source(&clock);
    let leader = ask(&source);
    settle().await;
    let waiter = ask(&source);
    settle().await;
    leader.abort();
    settle().await;
    provider.let_through(1);
    assert_eq!(text(&waiter.await.unwrap().unwrap()), "token-1");
    assert_eq!(provider.requests(), 1);
}

/// The next waiter continues the same request.
#[test]
fn without_a_runtime_the_next_waiter_takes_over_the_same_request() {
    let (clock, provider) = (ManualClock::default(), Provider::new([Answer::Token(300)]));
    provider.shut();
    let source = provider.source(&clock);
    let mut leader = Box::pin(source.token());
    let mut waiter = pin!(source.token());
    assert!(poll_once(leader.as_mut()).is_pending());
    assert!(poll_once(waiter.as_mut()).is_pending());
    drop(leader);
    provider.let_through(1);
    let Poll::Ready(token) = poll_once(waiter.as_mut()) else { panic!("the waiter hangs") };
    assert_eq!(text(&token.unwrap()), "token-1");
    assert_eq!(provider.requests(), 1);
}

/// A half-done request is not resumed after its last caller left.
#[test]
fn after_the_last_caller_left_the_next_one_starts_a_new_request() {
    let (clock, provider) = (ManualClock::default(), Provider::new([Answer::Token(300)]));
    provider.shut();
    let source = provider.source(&clock);
    let mut only = Box::pin(source.token());
    assert!(poll_once(only.as_mut()).is_pending());
    drop(only);
    assert_eq!(provider.under_way(), 0);
    provider.let_through(1);
    let mut next = pin!(source.token());
    let Poll::Ready(token) = poll_once(next.as_mut()) else { panic!("the caller hangs") };
    assert_eq!(text(&token.unwrap()), "token-2");
}

/// The flight is lost with its runtime, and waiters on another runtime start a new one.
#[test]
fn waiters_survive_the_shutdown_of_the_runtime_that_drives_their_flight() {
    let runtime = || tokio::runtime::Builder::new_multi_thread().worker_threads(1).build().unwrap();
    let (clock, provider) = (ManualClock::default(), Provider::new([Answer::Token(300)]));
    provider.shut();
    let source = provider.source(&clock);
    let (first, second) = (runtime(), runtime());
    let doomed = source.clone();
    first.spawn(async move { doomed.token().await });
    while provider.requests() == 0 {
        std::thread::yield_now();
    }
    let (entered, on_entry) = std::sync::mpsc::channel();
    let waiting = source;
    let waiter = second.spawn(async move {
        let mut call = pin!(waiting.token());
        std::future::poll_fn(|cx| {
            let poll = call.as_mut().poll(cx);
            let _ = entered.send(());
            poll
        })
        .await
    });
    on_entry.recv().unwrap();
    first.shutdown_background();
    while provider.requests() < 2 {
        std::thread::yield_now();
    }
    provider.let_through(1);
    assert_eq!(text(&second.block_on(waiter).unwrap().unwrap()), "token-2");
}

/// In the client and in the flow. It is remembered like any failure.
#[tokio::test]
async fn a_panic_in_an_exchange_or_client_is_an_error_and_not_a_deadlock() {
    for answer in [Answer::Panic, Answer::Status(299, None)] {
        let (clock, provider) = (ManualClock::default(), Provider::new([answer]));
        let source = provider.source(&clock);
        for _ in 0..20 {
            let error = source.token().await.unwrap_err();
            assert_eq!((error.kind(), error.provider()), (ErrorKind::Internal, Some("acme")));
            assert!(!format!("{error} {error:?}").contains("CANARY"));
        }
        assert_eq!(provider.requests(), 1);
        clock.advance(SECS(31));
        provider.then([Answer::Token(300)]);
        assert!(source.token().await.is_ok());
    }
}

#[tokio::test]
async fn a_flight_has_a_deadline_over_all_its_attempts() {
    let (clock, provider) = (ManualClock::default(), Provider::new([Answer::Silence]));
    let flow = Acme {
        retry: RetryPolicy::default().max_attempts(99).deadline(SECS(25) + Duration::from_nanos(7)),
        ..Acme::default()
    };
    let source = provider.builder(&clock, flow).build().unwrap();
    let caller = ask(&source);
    settle().await;
    pass(&clock, SECS(24)).await;
    assert!(!caller.is_finished());
    // Before the callers' own limit of 26 s.
    pass(&clock, MILLIS(1_500)).await;
    assert!(caller.is_finished());
    let error = caller.await.unwrap().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout);
    assert!(provider.requests() > 1);
    // The last attempt had what was left, which is said in tenths.
    let text = error.to_string();
    let (_, left) = text.split_once("no answer in ").unwrap();
    assert!(left.find('s').is_some_and(|end| end <= "9.9".len()), "{text}");
}

/// A flight on a runtime that is not driven never ends, but its callers time out.
#[test]
fn a_runtime_that_is_not_driven_hangs_no_caller() {
    let (clock, provider) = (ManualClock::default(), Provider::new([Answer::Token(300)]));
    let source = provider.source(&clock);
    let still = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let mut call = Box::pin(source.token());
    {
        let _guard = still.enter(); // the flight is spawned here, and never polled
        assert!(poll_once(call.as_mut()).is_pending());
    }
    clock.advance(SECS(31));
    let Poll::Ready(result) = poll_once(call.as_mut()) else { panic!("the caller hangs") };
    assert_eq!(result.unwrap_err().kind(), ErrorKind::Timeout);
    let mut next = pin!(source.token()); // starts a new flight
    assert!(matches!(poll_once(next.as_mut()), Poll::Ready(Ok(_))));
}

#[test]
fn a_flight_that_was_given_up_replaces_no_newer_token() {
    let (clock, provider) = (ManualClock::default(), Provider::new([Answer::Token(300)]));
    let source = provider.source(&clock);
    let still = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let mut call = Box::pin(source.token());
    {
        let _guard = still.enter();
        assert!(poll_once(call.as_mut()).is_pending());
    }
    clock.advance(SECS(31));
    assert!(matches!(poll_once(call.as_mut()), Poll::Ready(Err(_))));
    let mut next = pin!(source.token());
    let Poll::Ready(Ok(token)) = poll_once(next.as_mut()) else { panic!("the caller hangs") };
    still.block_on(settle()); // the old flight would continue here
    assert!(source.fresh().unwrap().ptr_eq(&token));
}

#[tokio::test]
async fn while_a_token_is_stale_callers_get_it_at_once_and_one_refresh_runs() {
    let (clock, provider) = (ManualClock::default(), Provider::new([Answer::Token(300)]));
    let source = provider.source(&clock);
    source.token().await.unwrap();
    clock.advance(SECS(245));
    provider.shut();
    assert_eq!(source.state(), TokenState::Stale);
    for _ in 0..100 {
        assert_eq!(text(&ask(&source).await.unwrap().unwrap()), "token-1");
    }
    settle().await;
    assert_eq!(provider.requests(), 2);
    provider.let_through(1);
    settle().await;
    assert_eq!(text(&source.token().await.unwrap()), "token-2");
    assert_eq!(provider.requests(), 2);
}

/// The refresh fails while the token is stale.
#[tokio::test]
async fn a_failed_refresh_keeps_the_old_token_until_it_expires() {
    let script = [Answer::Token(300), Answer::Status(401, None)];
    let (clock, provider) = (ManualClock::default(), Provider::new(script));
    let source = provider.source(&clock);
    source.token().await.unwrap();
    clock.advance(SECS(245));
    for _ in 0..40 {
        assert_eq!(text(&source.token().await.unwrap()), "token-1");
        settle().await;
        clock.advance(SECS(1));
    }
    assert_eq!(provider.requests(), 3, "two refreshes, 30 s apart");
    clock.advance(SECS(10));
    assert_eq!(source.token().await.unwrap_err().kind(), ErrorKind::Credentials);
}

#[test]
fn without_a_runtime_one_caller_drives_the_refresh() {
    let (clock, provider) = (ManualClock::default(), Provider::new([Answer::Token(300)]));
    let source = provider.source(&clock);
    let Poll::Ready(Ok(_)) = poll_once(pin!(source.token())) else { panic!("hangs") };
    clock.advance(SECS(245));
    provider.shut();
    let mut driver = pin!(source.token());
    assert!(poll_once(driver.as_mut()).is_pending());
    let Poll::Ready(other) = poll_once(pin!(source.token())) else { panic!("hangs") };
    assert_eq!(text(&other.unwrap()), "token-1");
    provider.let_through(1);
    let Poll::Ready(token) = poll_once(driver.as_mut()) else { panic!("hangs") };
    assert_eq!(text(&token.unwrap()), "token-2");
}

#[tokio::test]
async fn a_dropped_source_leaves_no_task_behind() {
    let (clock, provider) = (ManualClock::default(), Provider::new([Answer::Token(300)]));
    let source = provider.source(&clock);
    source.token().await.unwrap();
    clock.advance(SECS(245));
    provider.shut();
    ask(&source).await.unwrap().unwrap();
    settle().await;
    assert_eq!(provider.under_way(), 1);
    drop(source);
    settle().await;
    assert_eq!(provider.under_way(), 0);
}

/// Outside any runtime.
#[test]
fn a_constructor_spawns_and_sends_nothing() {
    let provider = Provider::new([Answer::Token(300)]);
    let _source = provider.source(&ManualClock::default());
    assert_eq!(provider.requests(), 0);
}

/// A missing setting is found at start-up.
#[test]
fn a_flow_that_lacks_a_setting_makes_no_source() {
    let provider = Provider::new([Answer::Token(300)]);
    let flow = Acme { secret: "missing", ..Acme::default() };
    let error = provider.builder(&ManualClock::default(), flow).build().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
    assert_eq!(error.to_string(), "acme: set ACME_SECRET");
}
