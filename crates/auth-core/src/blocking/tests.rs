//! What blocking callers are promised, with a client in memory. What needs a process of its own or
//! a socket is tested in `auth-tests`.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use super::{CachedTokenSource, TokenSource};
use crate::{
    AccessToken, BoxFuture, Clock, Endpoint, Error, ErrorKind, Expiry, ExposeSecret, Grant,
    HttpClient, HttpRequest, HttpResponse, Identity, ManualClock, SharedTokenSource,
    StaticTokenSource, TokenExchange, TokenRequest, TokenResponse, TokenState, async_trait,
};

const HOST: Endpoint = Endpoint::from_static("https://pay.example.com");
const SECS: fn(u64) -> Duration = Duration::from_secs;

/// Grants tokens of 100 s, numbered as the client says.
struct Acme;

impl TokenExchange for Acme {
    fn provider(&self) -> &'static str {
        "acme"
    }

    fn identity(&self) -> Identity {
        Identity::new("acme", &HOST, &[])
    }

    fn request(&self) -> Result<HttpRequest, Error> {
        TokenRequest::post(&HOST).empty()
    }

    fn read(&self, response: &TokenResponse) -> Result<Grant, Error> {
        let text = String::from_utf8_lossy(response.body()).into_owned();
        match response.status().as_u16() {
            200 => Grant::bearer(text, Expiry::After(SECS(100))),
            299 => panic!("a bug"),
            _ => Err(Error::new(ErrorKind::Credentials, "rejected")),
        }
    }

    fn api_hosts(&self) -> Vec<Endpoint> {
        vec![HOST]
    }

    fn refuses_token(&self, head: &http::response::Parts) -> bool {
        head.status == 418
    }
}

/// Answers each request with a status; the requests from the second on may get another.
#[derive(Clone, Debug)]
struct Client {
    first: u16,
    then: u16,
    requests: Arc<AtomicUsize>,
}

impl Client {
    fn new(first: u16, then: u16) -> Self {
        Self { first, then, requests: Arc::default() }
    }

    fn requests(&self) -> usize {
        self.requests.load(Ordering::SeqCst)
    }

    fn source(&self, clock: &ManualClock) -> CachedTokenSource<Acme> {
        let builder = crate::CachedTokenSource::builder(Acme).http_client(self.clone());
        builder.clock(clock.clone()).draw(|| 0.0).build().unwrap().into()
    }
}

#[async_trait]
impl HttpClient for Client {
    async fn send(&self, _: HttpRequest) -> Result<HttpResponse, Error> {
        let number = self.requests.fetch_add(1, Ordering::SeqCst) + 1;
        let mut answer = HttpResponse::new(format!("token-{number}").into());
        let status = if number == 1 { self.first } else { self.then };
        *answer.status_mut() = status.try_into().unwrap();
        Ok(answer)
    }
}

fn text(token: &AccessToken) -> String {
    token.to_secret().expose_secret().to_owned()
}

/// Waits for what the thread does in the background, for ten seconds at most.
#[track_caller]
fn until(done: impl Fn() -> bool) {
    for _ in 0..10_000 {
        if done() {
            return;
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    panic!("not within ten seconds");
}

#[test]
fn a_plain_thread_gets_a_token_and_then_the_same() {
    let client = Client::new(200, 200);
    let tokens = client.source(&ManualClock::default());
    assert_eq!((tokens.state(), tokens.fresh().is_none()), (TokenState::Expired, true));
    let token = tokens.token().unwrap();
    assert_eq!(text(&token), "token-1");
    let elsewhere = tokens.clone();
    assert!(elsewhere.token().unwrap().ptr_eq(&token));
    assert!(tokens.fresh().unwrap().ptr_eq(&token));
    assert_eq!((tokens.state(), client.requests()), (TokenState::Fresh, 1));
    tokens.check().unwrap();
    tokens.invalidate(&token);
    assert_eq!(text(&tokens.token().unwrap()), "token-2");
}

#[test]
fn a_stale_token_comes_at_once_and_is_refreshed_without_another_call() {
    let (client, clock) = (Client::new(200, 200), ManualClock::default());
    let tokens = client.source(&clock);
    let first = tokens.token().unwrap();
    clock.advance(SECS(90));
    assert_eq!(tokens.state(), TokenState::Stale);
    assert!(tokens.token().unwrap().ptr_eq(&first));
    until(|| tokens.state() == TokenState::Fresh);
    assert_eq!((text(&tokens.token().unwrap()).as_str(), client.requests()), ("token-2", 2));
}

#[test]
fn a_stale_token_is_used_while_a_failed_refresh_is_remembered() {
    let (client, clock) = (Client::new(200, 401), ManualClock::default());
    let tokens = client.source(&clock);
    let first = tokens.token().unwrap();
    clock.advance(SECS(81));
    assert!(tokens.token().unwrap().ptr_eq(&first));
    until(|| tokens.status().last_failure.is_some());
    assert!(!tokens.source.needs_refresh());
    assert!(tokens.token().unwrap().ptr_eq(&first));
    assert_eq!(client.requests(), 2);
}

#[test]
fn a_remembered_failure_is_returned_until_the_exchange_is_replaced() {
    let client = Client::new(401, 200);
    let tokens = client.source(&ManualClock::default());
    let first = tokens.token().unwrap_err();
    assert_eq!((first.kind(), first.provider()), (ErrorKind::Credentials, Some("acme")));
    assert_eq!(tokens.token().unwrap_err().kind(), ErrorKind::Credentials);
    assert_eq!(client.requests(), 1);
    tokens.replace_exchange(Acme).unwrap();
    assert_eq!(text(&tokens.token().unwrap()), "token-2");
}

#[test]
fn an_exchange_that_panics_is_an_error_and_the_thread_lives_on() {
    let broken = Client::new(299, 299).source(&ManualClock::default());
    let error = broken.token().unwrap_err();
    assert_eq!((error.kind(), error.provider()), (ErrorKind::Internal, Some("acme")));
    Client::new(200, 200).source(&ManualClock::default()).token().unwrap();
}

/// A source that panics where no engine catches it.
#[derive(Debug)]
struct Broken;

#[async_trait]
impl crate::TokenSource for Broken {
    async fn token(&self) -> Result<AccessToken, Error> {
        panic!("a bug")
    }

    fn invalidate(&self, _: &AccessToken) {}
}

#[test]
fn a_source_of_the_users_own_that_panics_is_an_error() {
    let tokens: Box<dyn TokenSource> = Box::new(SharedTokenSource::new(Broken));
    assert_eq!(tokens.token().unwrap_err().kind(), ErrorKind::Internal);
    assert_eq!(tokens.check().unwrap_err().kind(), ErrorKind::Internal);
}

#[test]
fn an_async_source_of_any_kind_is_a_blocking_one_behind_dyn() {
    let client = Client::new(200, 200);
    let built = crate::CachedTokenSource::builder(Acme).http_client(client.clone());
    let shared = SharedTokenSource::from(built.build().unwrap());
    let tokens: Arc<dyn TokenSource> = Arc::new(shared);
    tokens.check().unwrap();
    assert!(tokens.fresh().unwrap().ptr_eq(&tokens.token().unwrap()));
    assert_eq!((tokens.status().requests, client.requests()), (1, 1));
    tokens.invalidate(&tokens.token().unwrap());
    assert!(tokens.fresh().is_none());
}

#[test]
fn a_pointer_forwards_every_call_including_default_methods() {
    let tokens = Client::new(200, 200).source(&ManualClock::default());
    let tokens: Arc<Box<dyn TokenSource>> = Arc::new(Box::new(tokens));
    let token = TokenSource::token(&tokens).unwrap();
    assert!(TokenSource::fresh(&tokens).unwrap().ptr_eq(&token));
    TokenSource::check(&tokens).unwrap();
    assert_eq!(TokenSource::status(&tokens).provider, Some("acme"));
    assert_eq!(TokenSource::api_hosts(&tokens), [HOST]);
    let (mut head, ()) = http::Response::new(()).into_parts();
    head.status = http::StatusCode::IM_A_TEAPOT;
    assert!(TokenSource::refuses_token(&tokens, &head));
    TokenSource::invalidate(&tokens, &token);
    assert!(TokenSource::fresh(&tokens).is_none());
}

#[test]
fn a_pasted_token_is_a_blocking_source() {
    let pasted = StaticTokenSource::bearer("made-up").unwrap();
    let tokens: &dyn TokenSource = &pasted;
    let token = tokens.token().unwrap();
    tokens.invalidate(&token);
    assert_eq!(text(&tokens.fresh().unwrap()), "made-up");
    assert!(tokens.api_hosts().is_empty() && tokens.check().is_ok());
}

/// A client that needs a token itself, and asks for it on the thread that polls it.
#[derive(Debug)]
struct Nested(OnceLock<Arc<dyn TokenSource>>);

#[async_trait]
impl HttpClient for Nested {
    async fn send(&self, _: HttpRequest) -> Result<HttpResponse, Error> {
        self.0.get().unwrap().token().map(|_| HttpResponse::default())
    }
}

#[test]
fn a_blocking_call_on_the_thread_itself_is_an_error() {
    let client = Arc::new(Nested(OnceLock::new()));
    let inner = Client::new(200, 200).source(&ManualClock::default());
    client.0.set(Arc::new(inner)).unwrap();
    let built = crate::CachedTokenSource::builder(Acme).http_client(client).build().unwrap();
    let error = CachedTokenSource::from(built).token().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
    assert!(error.message().contains("would wait for itself"), "{error}");
}

/// A clock that stops the thread before its job begins.
#[derive(Debug)]
struct PanicsOnTheThread;

impl Clock for PanicsOnTheThread {
    fn monotonic(&self) -> Duration {
        assert_ne!(std::thread::current().name(), Some("auth-core"), "a bug");
        SECS(1)
    }

    fn wall(&self) -> std::time::SystemTime {
        std::time::SystemTime::UNIX_EPOCH
    }

    fn sleep(&self, _: Duration) -> BoxFuture<'static, ()> {
        Box::pin(std::future::pending())
    }
}

#[test]
fn a_clock_that_panics_is_an_error_of_the_source() {
    let builder = crate::CachedTokenSource::builder(Acme).http_client(Client::new(200, 200));
    let tokens = CachedTokenSource::from(builder.clock(PanicsOnTheThread).build().unwrap());
    let error = tokens.token().unwrap_err();
    assert_eq!((error.kind(), error.provider()), (ErrorKind::Internal, Some("acme")));
}

#[test]
fn a_source_is_made_cloned_and_dropped_on_a_runtime() {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        let tokens = Client::new(200, 200).source(&ManualClock::default());
        let elsewhere = tokens.clone();
        assert_eq!(text(&tokens.token().unwrap()), "token-1");
        drop(tokens);
        assert_eq!(text(&elsewhere.token().unwrap()), "token-1");
    });
}
