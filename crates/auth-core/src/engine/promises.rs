//! The guarantees of the engine, each as a test whose name states it.
//!
//! This file holds what the tests share: a flow, a provider in memory, and helpers around
//! `ManualClock`. No test sleeps or uses a network.

mod asking;
mod fleets;
mod flights;
mod landings;
mod not_asking;
mod reading;
mod requests;
mod sharing;
#[cfg(feature = "tracing")]
mod speaking;
mod status;
mod stress;
mod time;

use std::collections::VecDeque;
use std::fmt;
use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use crate::wire::{self, Number, Refusal, Text};
use crate::{
    AccessToken, CachedTokenSource, CachedTokenSourceBuilder, Endpoint, Error, ErrorKind,
    ExposeSecret, Grant, HttpClient, HttpRequest, HttpResponse, Identity, ManualClock,
    RefreshPolicy, RetryPolicy, Scrubber, SecretString, SharedTokenSource, TokenExchange,
    TokenRequest, TokenResponse, TokenSource, TokenState, async_trait,
};
use bytes::Bytes;
use serde::Deserialize;
use tokio::sync::Semaphore;

const SECS: fn(u64) -> Duration = Duration::from_secs;
const MILLIS: fn(u64) -> Duration = Duration::from_millis;

/// A flow with an account and a secret; the secret `missing` fails to make a request.
#[derive(Clone, Debug)]
struct Acme {
    account: &'static str,
    secret: &'static str,
    retry: RetryPolicy,
}

impl Default for Acme {
    fn default() -> Self {
        Self { account: "a-1", secret: "CANARY-good", retry: RetryPolicy::default() }
    }
}

#[derive(Deserialize)]
struct Granted {
    token: SecretString,
    #[serde(default)]
    expires_in: Number,
}

#[derive(Default, Deserialize)]
struct Refused {
    #[serde(default)]
    error: Text,
}

impl Refusal for Refused {
    fn code(&self) -> Option<&str> {
        self.error.get()
    }
}

impl TokenExchange for Acme {
    fn provider(&self) -> &'static str {
        "acme"
    }

    fn identity(&self) -> Identity {
        let endpoint = Endpoint::from_static("https://pay.example.com");
        Identity::new("acme", &endpoint, &[self.account])
    }

    fn request(&self) -> Result<HttpRequest, Error> {
        if self.secret == "missing" {
            return Err(Error::config("set ACME_SECRET"));
        }
        TokenRequest::post(&Endpoint::from_static("https://pay.example.com/token"))
            .json(&[("secret", (&SecretString::from(self.secret)).into())])
    }

    fn read(&self, response: &TokenResponse) -> Result<Grant, Error> {
        if response.status() == 299 {
            panic!("CANARY in a panic");
        }
        let known = Scrubber::new([self.secret]);
        let granted: Granted = wire::read::<_, Refused>("ACME_SECRET", &known, response)?;
        Grant::bearer(granted.token, granted.expires_in.lifetime())
    }

    fn retry_policy(&self) -> RetryPolicy {
        self.retry
    }
}

/// One line of the provider's script.
#[derive(Clone, Debug)]
enum Answer {
    /// A token of so many seconds, numbered by request: `token-1`.
    Token(u64),
    /// A status, with or without `Retry-After` in seconds.
    Status(u16, Option<u64>),
    /// A whole body on 200, with a `Date`.
    Body(&'static str, &'static str),
    /// No connection.
    Connect,
    /// The runtime of the connection is gone.
    ShutDown,
    /// No answer, ever.
    Silence,
    /// The client panics.
    Panic,
}

/// A provider behind an [`HttpClient`]: answers from a script and repeats its last line.
#[derive(Clone)]
struct Provider {
    script: Arc<Mutex<VecDeque<Answer>>>,
    requests: Arc<AtomicUsize>,
    under_way: Arc<AtomicUsize>,
    gate: Arc<Semaphore>,
}

impl fmt::Debug for Provider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Provider")
    }
}

impl Provider {
    fn new(script: impl IntoIterator<Item = Answer>) -> Self {
        Self {
            script: Arc::new(Mutex::new(script.into_iter().collect())),
            requests: Arc::default(),
            under_way: Arc::default(),
            gate: Arc::new(Semaphore::new(1_000)),
        }
    }

    /// From now on each answer waits for [`let_through`](Self::let_through).
    fn shut(&self) {
        self.gate.forget_permits(usize::MAX);
    }

    fn let_through(&self, answers: usize) {
        self.gate.add_permits(answers);
    }

    fn then(&self, script: impl IntoIterator<Item = Answer>) {
        *self.script.lock().unwrap() = script.into_iter().collect();
    }

    /// Requests received.
    fn requests(&self) -> usize {
        self.requests.load(Ordering::SeqCst)
    }

    /// Requests neither answered nor abandoned.
    fn under_way(&self) -> usize {
        self.under_way.load(Ordering::SeqCst)
    }

    fn builder(&self, clock: &ManualClock, flow: Acme) -> CachedTokenSourceBuilder<Acme> {
        CachedTokenSource::builder(flow).http_client(self.clone()).clock(clock.clone())
    }

    fn source(&self, clock: &ManualClock) -> CachedTokenSource<Acme> {
        self.builder(clock, Acme::default()).build().unwrap()
    }
}

struct UnderWay(Arc<AtomicUsize>);

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

#[async_trait]
impl HttpClient for Provider {
    async fn send(&self, _: HttpRequest) -> Result<HttpResponse, Error> {
        let number = self.requests.fetch_add(1, Ordering::SeqCst) + 1;
        self.under_way.fetch_add(1, Ordering::SeqCst);
        let _under_way = UnderWay(Arc::clone(&self.under_way));
        let answer = {
            let mut script = self.script.lock().unwrap();
            if script.len() > 1 { script.pop_front() } else { script.front().cloned() }.unwrap()
        };
        self.gate.acquire().await.unwrap().forget();
        let response = http::Response::builder();
        let response = match answer {
            Answer::Token(life) => {
                response.body(format!(r#"{{"token":"token-{number}","expires_in":{life}}}"#).into())
            }
            Answer::Status(status, wait) => {
                let response = response.status(status);
                match wait {
                    Some(wait) => response.header("retry-after", wait),
                    None => response,
                }
                .body(Bytes::from_static(br#"{"error":"because"}"#))
            }
            Answer::Body(body, date) => response.header("date", date).body(body.into()),
            Answer::Connect => return Err(Error::new(ErrorKind::Connect, "no connection")),
            Answer::ShutDown => return Err(crate::error::runtime::shut_down()),
            Answer::Silence => std::future::pending().await,
            Answer::Panic => panic!("CANARY in a panic"),
        };
        Ok(response.unwrap())
    }
}

fn text(token: &AccessToken) -> String {
    token.to_secret().expose_secret().to_owned()
}

/// Lets every task run until it blocks.
async fn settle() {
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
}

/// Advances in steps, so that a task that wakes up can sleep again.
async fn pass(clock: &ManualClock, time: Duration) {
    let steps = 40;
    for _ in 0..steps {
        clock.advance(time / steps);
        settle().await;
    }
}

/// Polls once, as another executor than tokio would.
fn poll_once<F: Future>(future: Pin<&mut F>) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(Waker::noop()))
}

/// A caller that waits in a task of its own.
#[allow(clippy::disallowed_methods)] // a test's callers are tasks
fn ask(source: &CachedTokenSource<Acme>) -> tokio::task::JoinHandle<Result<AccessToken, Error>> {
    let source = source.clone();
    tokio::spawn(async move { source.token().await })
}
