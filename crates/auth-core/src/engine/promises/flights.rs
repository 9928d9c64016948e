//! Runtimes that do not run: a program that calls `block_on` now and then, a frozen process, a
//! runtime that is kept and never driven.

use super::*;
use std::error::Error as StdError;
use tokio::runtime::Runtime;

fn current_thread() -> Runtime {
    tokio::runtime::Builder::new_current_thread().build().unwrap()
}

/// Polls a call once inside a runtime that is never driven: its flight is spawned there.
fn poll_inside<F: Future>(runtime: &Runtime, future: Pin<&mut F>) -> Poll<F::Output> {
    let _guard = runtime.enter();
    poll_once(future)
}

#[test]
fn a_flight_that_outlived_its_limit_is_no_flight() {
    let (clock, provider) = (ManualClock::default(), Provider::new([Answer::Token(300)]));
    let source = provider.source(&clock);
    let still = current_thread();
    let mut left = Box::pin(source.token());
    assert!(poll_inside(&still, left.as_mut()).is_pending());
    drop(left); // its timeout elapsed; the runtime is kept and not driven
    clock.advance(SECS(32));
    let Poll::Ready(token) = poll_once(pin!(source.token())) else { panic!("waits for it") };
    assert_eq!(text(&token.unwrap()), "token-1");
}

#[test]
fn a_refresh_that_outlived_its_limit_is_no_refresh() {
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
fn a_good_token_is_waited_for_one_second_a_flight_at_most() {
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
    assert_eq!(provider.requests(), 2, "one request, whoever drove it for a second");
}

#[tokio::test]
async fn what_fails_after_a_freeze_is_not_remembered() {
    let script = [Answer::Token(300), Answer::Silence, Answer::Token(300)];
    let (clock, provider) = (ManualClock::default(), Provider::new(script));
    let source = provider.source(&clock);
    source.token().await.unwrap();
    clock.advance(SECS(245));
    ask(&source).await.unwrap().unwrap();
    settle().await;
    assert_eq!(provider.requests(), 2);
    clock.advance(SECS(46)); // the process was stopped
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
        source.replace(Acme::default()).unwrap();
    }
    settle().await;
    provider.let_through(1);
    assert!(caller.await.unwrap().is_ok());
}

/// An error whose cause asks the source when it is dropped.
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
            source.replace(Acme::default()).unwrap(); // takes the source's lock
        }
    }
}

/// Fails each time, for a cause that asks.
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
async fn an_error_whose_drop_asks_the_source_does_not_hang_it() {
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
