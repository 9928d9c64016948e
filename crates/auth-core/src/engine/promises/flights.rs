//! Runtimes that are not driven: a program that calls `block_on` now and then, a suspended process,
//! a runtime that is kept and never run.

use super::*;
use std::error::Error as StdError;
use tokio::runtime::Runtime;

fn current_thread() -> Runtime {
    tokio::runtime::Builder::new_current_thread().build().unwrap()
}

/// Polls a call once in the context of a runtime that is never driven. Its flight is spawned there.
fn poll_inside<F: Future>(runtime: &Runtime, future: Pin<&mut F>) -> Poll<F::Output> {
    let _guard = runtime.enter();
    poll_once(future)
}

#[test]
fn a_flight_past_its_limit_is_replaced() {
    let (clock, provider) = (ManualClock::default(), Provider::new([Answer::Token(300)]));
    let source = provider.source(&clock);
    let still = current_thread();
    let mut left = Box::pin(source.token());
    assert!(poll_inside(&still, left.as_mut()).is_pending());
    drop(left); // its timeout elapsed; the runtime is kept and not driven
    clock.advance(SECS(31));
    let Poll::Ready(token) = poll_once(pin!(source.token())) else { panic!("waits for it") };
    assert_eq!(text(&token.unwrap()), "token-1");
}

#[test]
fn a_refresh_past_its_limit_is_replaced() {
    let (clock, provider) = (ManualClock::default(), Provider::new([Answer::Token(3_000)]));
    let source = provider.source(&clock);
    let Poll::Ready(Ok(_)) = poll_once(pin!(source.token())) else { panic!("hangs") };
    clock.advance(SECS(2_705));
    let still = current_thread();
    let mut stale = Box::pin(source.token()); // waits up to 1 s, as the root of `block_on` would
    assert!(poll_inside(&still, stale.as_mut()).is_pending());
    drop(stale);
    let Poll::Ready(token) = poll_once(pin!(source.token())) else { panic!("waits for it") };
    assert_eq!(text(&token.unwrap()), "token-1", "another runtime's call returns at once");
    clock.advance(SECS(32));
    let Poll::Ready(token) = poll_once(pin!(source.token())) else { panic!("hangs") };
    assert_eq!(text(&token.unwrap()), "token-2");
}

#[test]
fn each_waiter_ends_by_itself_whether_or_not_another_is_polled() {
    let (clock, provider) = (ManualClock::default(), Provider::new([Answer::Token(300)]));
    let source = provider.source(&clock);
    let still = current_thread();
    let mut held = Box::pin(source.token());
    let mut polled = Box::pin(source.token());
    assert!(poll_inside(&still, held.as_mut()).is_pending());
    assert!(poll_inside(&still, polled.as_mut()).is_pending());
    clock.advance(SECS(32));
    let Poll::Ready(outcome) = poll_once(polled.as_mut()) else { panic!("hangs on the other") };
    assert_eq!(outcome.unwrap_err().kind(), ErrorKind::Timeout);
}

#[test]
fn a_lost_flight_is_not_joined_again_while_another_caller_still_holds_it() {
    let (clock, provider) = (ManualClock::default(), Provider::new([Answer::Token(300)]));
    let source = provider.source(&clock);
    let runtime = current_thread();
    let mut held = Box::pin(source.token());
    let mut polled = Box::pin(source.token());
    assert!(poll_inside(&runtime, held.as_mut()).is_pending());
    assert!(poll_inside(&runtime, polled.as_mut()).is_pending());
    drop(runtime);
    let Poll::Ready(token) = poll_once(polled.as_mut()) else { panic!("hangs") };
    assert_eq!(text(&token.unwrap()), "token-1");
}

#[test]
fn a_program_that_calls_block_on_now_and_then_gets_its_refresh_ahead_of_time() {
    let (clock, provider) = (ManualClock::default(), Provider::new([Answer::Token(300)]));
    let source = provider.source(&clock);
    let runtime = current_thread();
    assert_eq!(text(&runtime.block_on(source.token()).unwrap()), "token-1");
    clock.advance(SECS(245));
    assert_eq!(text(&runtime.block_on(source.token()).unwrap()), "token-2");
    assert_eq!(provider.requests(), 2);
}

#[test]
fn a_caller_with_a_stale_token_waits_one_second_per_flight_at_most() {
    let (clock, provider) = (ManualClock::default(), Provider::new([Answer::Token(300)]));
    let source = provider.source(&clock);
    let Poll::Ready(Ok(_)) = poll_once(pin!(source.token())) else { panic!("hangs") };
    clock.advance(SECS(245));
    provider.shut();
    let mut call = pin!(source.token());
    assert!(poll_once(call.as_mut()).is_pending());
    clock.advance(MILLIS(1_001));
    let Poll::Ready(token) = poll_once(call.as_mut()) else { panic!("waits for the flight") };
    assert_eq!(text(&token.unwrap()), "token-1");
    for _ in 0..20 {
        clock.advance(SECS(1));
        let Poll::Ready(token) = poll_once(pin!(source.token())) else { panic!("waits again") };
        assert_eq!(text(&token.unwrap()), "token-1");
    }
    assert_eq!(provider.requests(), 2, "one request, whichever callers drove it");
}

#[test]
fn a_caller_that_was_not_polled_gets_no_token_that_has_expired_since() {
    let (clock, provider) = (ManualClock::default(), Provider::new([Answer::Token(8)]));
    provider.shut();
    let source = provider.source(&clock);
    let (mut driver, mut still) = (Box::pin(source.token()), Box::pin(source.token()));
    assert!(poll_once(driver.as_mut()).is_pending());
    assert!(poll_once(still.as_mut()).is_pending());
    provider.let_through(2);
    assert!(matches!(poll_once(driver.as_mut()), Poll::Ready(Ok(_))));
    clock.advance(SECS(9));
    let Poll::Ready(token) = poll_once(still.as_mut()) else { panic!("hangs") };
    assert_eq!(text(&token.unwrap()), "token-2");
}

#[test]
fn a_token_that_expires_while_its_refresh_is_driven_is_not_handed_out() {
    let script = [Answer::Token(2), Answer::Silence];
    let (clock, provider) = (ManualClock::default(), Provider::new(script));
    let source = provider.source(&clock);
    let Poll::Ready(Ok(_)) = poll_once(pin!(source.token())) else { panic!("hangs") };
    clock.advance(MILLIS(1_700));
    let mut call = pin!(source.token()); // stale, and only this call can drive the refresh
    assert!(poll_once(call.as_mut()).is_pending());
    clock.advance(SECS(1));
    assert!(poll_once(call.as_mut()).is_pending(), "the token has expired");
    clock.advance(SECS(31));
    let Poll::Ready(outcome) = poll_once(call.as_mut()) else { panic!("hangs") };
    assert_eq!(outcome.unwrap_err().kind(), ErrorKind::Timeout);
}

#[test]
fn a_caller_past_its_limit_takes_the_token_of_another_flight() {
    let (clock, provider) = (ManualClock::default(), Provider::new([Answer::Token(300)]));
    let source = provider.source(&clock);
    let still = current_thread();
    let mut call = Box::pin(source.token());
    assert!(poll_inside(&still, call.as_mut()).is_pending());
    clock.advance(SECS(32));
    let Poll::Ready(Ok(_)) = poll_once(pin!(source.token())) else { panic!("hangs") };
    let Poll::Ready(token) = poll_once(call.as_mut()) else { panic!("hangs") };
    assert_eq!(text(&token.unwrap()), "token-1");
}

#[test]
fn a_flight_that_was_replaced_sends_nothing_more_when_its_driver_is_polled_again() {
    let script = [Answer::Connect, Answer::Token(300)];
    let (clock, provider) = (ManualClock::default(), Provider::new(script));
    let source = provider.source(&clock);
    let mut still = Box::pin(source.token());
    assert!(poll_once(still.as_mut()).is_pending()); // between two attempts
    clock.advance(SECS(32));
    let Poll::Ready(Ok(_)) = poll_once(pin!(source.token())) else { panic!("hangs") };
    assert_eq!(provider.requests(), 2);
    source.replace_exchange(Acme { secret: "CANARY-new", ..Acme::default() }).unwrap();
    let Poll::Ready(token) = poll_once(still.as_mut()) else { panic!("hangs") };
    assert_eq!(text(&token.unwrap()), "token-2");
    assert_eq!(provider.requests(), 2, "the old secret is not sent again");
}

#[test]
fn a_flight_whose_runtime_was_shut_down_is_replaced_and_not_remembered() {
    let script = [Answer::ShutDown, Answer::Token(300)];
    let (clock, provider) = (ManualClock::default(), Provider::new(script));
    let Poll::Ready(token) = poll_once(pin!(provider.source(&clock).token())) else {
        panic!("hangs")
    };
    assert_eq!(text(&token.unwrap()), "token-2");

    let provider = Provider::new([Answer::ShutDown]); // the caller's own runtime
    let source = provider.source(&clock);
    let Poll::Ready(outcome) = poll_once(pin!(source.token())) else { panic!("hangs") };
    let error = outcome.unwrap_err();
    assert_eq!((error.kind(), error.provider()), (ErrorKind::Config, Some("acme")));
    assert_eq!(provider.requests(), 4);
    provider.then([Answer::Token(300)]);
    let Poll::Ready(Ok(_)) = poll_once(pin!(source.token())) else { panic!("remembered") };
}

#[test]
fn a_probe_delays_no_caller_beyond_its_own_limit() {
    let (clock, provider) = (ManualClock::default(), Provider::new([Answer::Connect]));
    let retry = RetryPolicy::never();
    let source = provider.builder(&clock, Acme { retry, ..Acme::default() }).build().unwrap();
    assert!(poll_once(pin!(source.token())).is_ready());
    provider.then([Answer::Silence]);
    clock.advance(SECS(10));
    let mut first = Box::pin(source.token()); // drives the probe, and is polled once
    assert!(poll_once(first.as_mut()).is_pending());
    clock.advance(MILLIS(500));
    let mut call = Box::pin(source.token());
    assert!(poll_once(call.as_mut()).is_pending());
    clock.advance(MILLIS(30_500)); // the probe is past its limit
    let runtime = current_thread();
    assert!(poll_inside(&runtime, call.as_mut()).is_pending());
    clock.advance(MILLIS(500)); // 31 s after the call began
    assert!(poll_inside(&runtime, call.as_mut()).is_ready());
}

#[tokio::test]
async fn a_failure_after_a_suspension_is_not_remembered() {
    let script = [Answer::Token(300), Answer::Silence, Answer::Token(300)];
    let (clock, provider) = (ManualClock::default(), Provider::new(script));
    let source = provider.source(&clock);
    source.token().await.unwrap();
    clock.advance(SECS(245));
    ask(&source).await.unwrap().unwrap();
    settle().await;
    assert_eq!(provider.requests(), 2);
    clock.advance(SECS(46)); // the process was suspended
    settle().await;
    assert_eq!(text(&ask(&source).await.unwrap().unwrap()), "token-3");
}

#[tokio::test]
async fn however_often_the_credentials_are_replaced_a_waiter_gets_a_token() {
    let (clock, provider) = (ManualClock::default(), Provider::new([Answer::Token(300)]));
    provider.shut();
    let source = provider.source(&clock);
    let caller = ask(&source);
    for _ in 0..8 {
        settle().await;
        source.replace_exchange(Acme::default()).unwrap();
    }
    settle().await;
    provider.let_through(1);
    assert!(caller.await.unwrap().is_ok());
}

/// A cause of an error that locks the source when it is dropped.
struct Asks(Arc<Mutex<Option<CachedTokenSource<Acme>>>>);

impl fmt::Debug for Asks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Asks")
    }
}

impl fmt::Display for Asks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("asks")
    }
}

impl StdError for Asks {}

impl Drop for Asks {
    fn drop(&mut self) {
        let source = self.0.lock().unwrap().clone();
        if let Some(source) = source {
            source.replace_exchange(Acme::default()).unwrap(); // takes the source's lock
        }
    }
}

/// Fails each time, with such a cause.
#[derive(Debug, Default)]
struct Failing(Arc<Mutex<Option<CachedTokenSource<Acme>>>>);

#[async_trait]
impl HttpClient for Failing {
    async fn send(&self, _: HttpRequest) -> Result<HttpResponse, Error> {
        let cause = Asks(Arc::clone(&self.0));
        Err(Error::new(ErrorKind::Protocol, "no luck").with_source(cause))
    }
}

#[tokio::test]
async fn an_error_whose_drop_uses_the_source_does_not_deadlock() {
    let (clock, client) = (ManualClock::default(), Failing::default());
    let handle = Arc::clone(&client.0);
    let builder = CachedTokenSource::builder(Acme::default()).clock(clock.clone());
    let source = builder.http_client(client).build().unwrap();
    *handle.lock().unwrap() = Some(source.clone());
    for pause in [2, 400, 2, 0] {
        assert_eq!(source.token().await.unwrap_err().kind(), ErrorKind::Protocol);
        clock.advance(SECS(pause));
    }
    *handle.lock().unwrap() = None;
}
