//! `auth_core::blocking` over real sockets: on every kind of thread, and in processes of its own.

#![allow(clippy::unwrap_used, clippy::panic, clippy::disallowed_methods)] // a test that cannot go on panics

use std::process::{Child, Command};
use std::thread::sleep;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use auth_core::blocking::{CachedTokenSource, TokenSource};
use auth_core::{
    AccessToken, Env, Error, ErrorKind, HttpClient, HttpRequest, HttpResponse, TokenState,
};
use auth_sandbox::{Fault, Sandbox};
use manis_auth::Manis;
use reqwest::StatusCode;
use reqwest::blocking::Client;

const PROGRAM: &str = env!("CARGO_BIN_EXE_blocking");

fn sandbox() -> Sandbox {
    Sandbox::builder().start_blocking().unwrap()
}

fn source(sandbox: &Sandbox) -> CachedTokenSource<Manis> {
    let env = Env::from_pairs(sandbox.manis().env());
    CachedTokenSource::new(Manis::read_env(&env).unwrap()).unwrap()
}

/// A story of `src/bin/blocking.rs`, started with the sandbox's variables.
fn started(sandbox: &Sandbox, mut program: Command) -> Child {
    program.envs(sandbox.manis().env()).spawn().unwrap()
}

/// Waits for its end, and returns how long that took.
#[track_caller]
fn succeeds(mut child: Child) -> Duration {
    let began = Instant::now();
    while began.elapsed() < Duration::from_secs(60) {
        if let Some(status) = child.try_wait().unwrap() {
            assert!(status.success(), "{status}");
            return began.elapsed();
        }
        sleep(Duration::from_millis(2));
    }
    child.kill().unwrap();
    panic!("hangs");
}

#[track_caller]
fn story(sandbox: &Sandbox, name: &str) -> Duration {
    let mut program = Command::new(PROGRAM);
    program.arg(name);
    succeeds(started(sandbox, program))
}

#[test]
fn a_warm_call_starts_no_thread() {
    story(&sandbox(), "warm");
}

#[test]
fn a_hundred_threads_cost_one_request_and_two_sources_one_thread() {
    let sandbox = sandbox();
    story(&sandbox, "cold");
    assert_eq!(sandbox.manis().counters().token_requests, 2);
}

#[test]
fn a_process_ends_at_once_while_a_request_is_under_way() {
    let sandbox = sandbox();
    sandbox.manis().inject(Fault::Stall);
    let took = story(&sandbox, "exit");
    assert!(took < Duration::from_secs(8), "{took:?}");
}

#[cfg(unix)]
#[test]
fn a_child_of_a_fork_uses_the_token_and_fetches_the_next_on_a_thread_of_its_own() {
    story(&sandbox(), "fork");
}

#[cfg(unix)]
#[test]
fn the_children_of_a_fork_do_not_refresh_together() {
    story(&sandbox(), "fork-jitter");
}

#[cfg(unix)]
#[test]
fn a_child_of_a_fork_does_not_wait_for_a_request_of_its_parent() {
    let sandbox = sandbox();
    sandbox.manis().inject_times(Fault::Stall, 1);
    story(&sandbox, "fork-in-flight");
}

#[test]
fn a_blocked_thread_holds_up_a_caller_for_its_limit_and_others_not_at_all() {
    story(&sandbox(), "blocked");
}

#[cfg(target_os = "linux")]
#[test]
fn a_thread_that_cannot_be_started_is_an_error() {
    let mut program = Command::new("sh");
    program.args(["-c", "ulimit -n 4 && exec \"$0\" limits", PROGRAM]);
    succeeds(started(&sandbox(), program));
}

#[test]
fn a_plain_thread_gets_a_token_over_a_socket() {
    let sandbox = sandbox();
    let tokens = source(&sandbox);
    let token = tokens.token().unwrap();
    assert!(tokens.token().unwrap().ptr_eq(&token));
    assert_eq!(sandbox.manis().counters().token_requests, 1);
}

#[tokio::test]
async fn a_call_in_async_code_of_one_thread_returns_a_token() {
    let sandbox = sandbox();
    let tokens = source(&sandbox);
    let token = tokens.token().unwrap();
    tokens.invalidate(&token);
    assert!(!tokens.token().unwrap().ptr_eq(&token));
    let task = tokio::spawn(async move { source(&sandbox).token() });
    task.await.unwrap().unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_in_async_code_of_many_threads_returns_a_token() {
    let sandbox = sandbox();
    let tokens = source(&sandbox);
    let tasks: Vec<_> = (0..4)
        .map(|_| {
            let tokens = tokens.clone();
            tokio::spawn(async move { tokens.token().map(drop) })
        })
        .collect();
    tokens.token().unwrap();
    for task in tasks {
        task.await.unwrap().unwrap();
    }
    assert_eq!(sandbox.manis().counters().token_requests, 1);
}

#[tokio::test]
async fn a_closure_of_spawn_blocking_gets_a_token() {
    let sandbox = sandbox();
    let tokens = source(&sandbox);
    let elsewhere = tokens.clone();
    tokio::task::spawn_blocking(move || elsewhere.token().map(drop)).await.unwrap().unwrap();
    assert_eq!(tokens.state(), TokenState::Fresh);
}

/// Longer than a caller waits for a flight that may need its own thread.
const SLOW: Fault = Fault::Latency(Duration::from_millis(1_400));

#[tokio::test]
async fn a_slow_provider_is_asked_once_from_spawn_blocking() {
    let sandbox = sandbox();
    sandbox.manis().inject(SLOW);
    let tokens = source(&sandbox);
    let elsewhere = tokens.clone();
    tokio::task::spawn_blocking(move || elsewhere.token().map(drop)).await.unwrap().unwrap();
    assert_eq!(tokens.status().requests, 1);
}

/// Each of these calls could take the others' exchange for one that is held up by itself.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slow_provider_is_asked_twice_at_most_however_many_calls_wait() {
    let sandbox = sandbox();
    sandbox.manis().inject(SLOW);
    let tokens = source(&sandbox);
    let awaited = auth_core::CachedTokenSource::from(tokens.clone());
    let mut calls = tokio::task::JoinSet::new();
    for _ in 0..20 {
        let awaited = awaited.clone();
        calls.spawn(async move { awaited.token().await.map(drop) });
    }
    for number in 0..8 {
        let tokens = tokens.clone();
        calls.spawn_blocking(move || {
            sleep(Duration::from_millis(150) * number);
            tokens.token().map(drop)
        });
    }
    for outcome in calls.join_all().await {
        outcome.unwrap();
    }
    assert!(tokens.status().requests <= 2, "{}", tokens.status().requests);
}

/// Needs a token of another source, for which it leaves the thread that polls it.
#[derive(Debug)]
struct Nested(CachedTokenSource<Manis>);

#[async_trait]
impl HttpClient for Nested {
    async fn send(&self, _: HttpRequest) -> Result<HttpResponse, Error> {
        let inner = self.0.clone();
        tokio::task::spawn_blocking(move || inner.token()).await.unwrap()?;
        Err(Error::new(ErrorKind::Credentials, "asked with a token"))
    }
}

#[test]
fn a_client_may_call_a_blocking_source_from_spawn_blocking() {
    let sandbox = sandbox();
    sandbox.manis().inject(SLOW);
    let inner = source(&sandbox);
    let env = Env::from_pairs(sandbox.manis().env());
    let flow = Manis::read_env(&env).unwrap();
    let outer = auth_core::CachedTokenSource::builder(flow).http_client(Nested(inner.clone()));
    let outer = CachedTokenSource::from(outer.build().unwrap());
    assert_eq!(outer.token().unwrap_err().kind(), ErrorKind::Credentials);
    assert_eq!(inner.status().requests, 1);
}

/// The flight is a task of the runtime whose only thread the call blocks.
#[tokio::test]
async fn a_call_that_blocks_the_flight_it_waits_for_starts_another() {
    let sandbox = sandbox();
    sandbox.manis().inject_times(Fault::Latency(Duration::from_millis(100)), 1);
    let tokens = source(&sandbox);
    let awaited = auth_core::CachedTokenSource::from(tokens.clone());
    let task = tokio::spawn(async move { awaited.token().await });
    while tokens.status().requests == 0 {
        tokio::task::yield_now().await;
    }
    let began = Instant::now();
    let token = tokens.token().unwrap();
    assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
    assert!(task.await.unwrap().unwrap().ptr_eq(&token));
    assert_eq!(tokens.status().requests, 2);
}

#[tokio::test]
async fn a_source_is_made_cloned_and_dropped_in_async_code() {
    let sandbox = sandbox();
    sandbox.manis().inject(Fault::Stall);
    let tokens = source(&sandbox);
    drop(tokens.clone());
    let caller = std::thread::Builder::new().spawn({
        let tokens = tokens.clone();
        move || tokens.token()
    });
    while tokens.status().requests == 0 {
        tokio::task::yield_now().await;
    }
    drop(tokens);
    drop(caller);
}

/// The call of the guide: one more try with another token after a 401.
fn call(tokens: &dyn TokenSource, client: &Client, url: &str) -> StatusCode {
    let send = |token: &AccessToken| {
        let request = client.get(url).header("accept", "application/json");
        request.headers(token.header_map()).send().unwrap().status()
    };
    let token = tokens.token().unwrap();
    let status = send(&token);
    if status != StatusCode::UNAUTHORIZED {
        return status;
    }
    tokens.invalidate(&token);
    let renewed = tokens.token().unwrap();
    if renewed.ptr_eq(&token) { status } else { send(&renewed) }
}

#[test]
fn a_revoked_token_costs_one_refused_call_and_one_exchange() {
    let sandbox = sandbox();
    let (tokens, manis) = (source(&sandbox), sandbox.manis());
    let client = Client::builder().no_proxy().build().unwrap();
    assert_eq!(call(&tokens, &client, &manis.api_url()), 200);

    manis.reset_counters();
    manis.revoke_tokens();
    assert_eq!(call(&tokens, &client, &manis.api_url()), 200);
    let counters = manis.counters();
    assert_eq!((counters.api_rejected, counters.api_accepted), (1, 1));
    assert_eq!(counters.token_requests, 1);
}

#[test]
fn an_api_that_always_refuses_costs_one_more_token_and_then_none() {
    let sandbox = sandbox();
    let (tokens, manis) = (source(&sandbox), sandbox.manis());
    let client = Client::builder().no_proxy().build().unwrap();
    manis.set_refuse_api_calls(true);
    for (calls, requests) in [(2, 2), (3, 2), (4, 2)] {
        assert_eq!(call(&tokens, &client, &manis.api_url()), 401);
        let counters = manis.counters();
        assert_eq!((counters.api_rejected, counters.token_requests), (calls, requests));
    }
}

#[test]
fn ten_401s_at_once_cost_one_exchange() {
    let sandbox = sandbox();
    let (tokens, manis) = (source(&sandbox), sandbox.manis());
    let client = Client::builder().no_proxy().build().unwrap();
    tokens.token().unwrap();
    manis.reset_counters();
    manis.revoke_tokens();
    std::thread::scope(|scope| {
        for _ in 0..10 {
            scope.spawn(|| assert_eq!(call(&tokens, &client, &manis.api_url()), 200));
        }
    });
    assert_eq!(manis.counters().token_requests, 1);
}
