//! Testing your own code against the sandbox: an outage, concurrent calls, a revoked token, an API that
//! always refuses, a rotated secret, a missing setting.
//!
//! The client below is what you would write; each function after it is one test. The sandbox checks
//! requests as the provider's document says and counts them. The guide `auth_core::guide::testing` says
//! what to test and what the engine's own tests cover.

#![allow(clippy::print_stdout, clippy::print_stderr)] // a program for a terminal

use std::error::Error;
use std::time::Duration;

use auth_sandbox::{Fault, Handle, Sandbox};
use http::StatusCode;
use papaya_auth::{
    CachedTokenSource, Credentials, Endpoint, Env, ErrorKind, Papaya, RetryPolicy,
    SharedTokenSource,
};

type Outcome<T = ()> = Result<T, Box<dyn Error + Send + Sync>>;

/// A client of the payroll API.
#[derive(Clone)]
struct Payroll {
    http: reqwest::Client,
    tokens: SharedTokenSource,
    url: String,
}

impl Payroll {
    /// One call; a refused token is replaced once.
    async fn status(&self) -> Outcome<StatusCode> {
        let mut status = StatusCode::UNAUTHORIZED;
        for _ in 0..2 {
            let token = self.tokens.token().await?;
            let mut headers = http::HeaderMap::new();
            token.apply(&mut headers);
            status = self.http.get(&self.url).headers(headers).send().await?.status();
            if status != StatusCode::UNAUTHORIZED {
                break;
            }
            self.tokens.invalidate(&token);
        }
        Ok(status)
    }
}

/// The set-up of a test: the client under test, and its source.
fn payroll<P>(papaya: &Handle<P>, retry: RetryPolicy) -> Outcome<(Payroll, Tokens)> {
    let tokens = CachedTokenSource::builder(flow(papaya)?).retry_policy(retry).build()?;
    let http = examples::api_client().map_err(|fault| fault.to_string())?;
    let shared = tokens.clone().into();
    Ok((Payroll { http, tokens: shared, url: papaya.api_url() }, tokens))
}

type Tokens = CachedTokenSource<Papaya>;

fn flow<P>(papaya: &Handle<P>) -> Result<Papaya, papaya_auth::Error> {
    let credentials = papaya.credentials();
    let credentials = Credentials::new(credentials.id(), credentials.secret())?;
    Ok(Papaya::new(credentials, Endpoint::parse(papaya.base_url())?))
}

/// The endpoint is down: the error says so, and further calls send no request.
async fn an_outage_is_one_request_however_often_one_asks() -> Outcome {
    let sandbox = Sandbox::start().await?;
    let papaya = sandbox.papaya();
    let (_, tokens) = payroll(&papaya, RetryPolicy::never())?;
    papaya.inject(Fault::Status(503));
    for _ in 0..10 {
        let Err(error) = tokens.token().await else {
            return Err("a token from a dead endpoint".into());
        };
        assert_eq!(error.kind(), ErrorKind::Unavailable);
    }
    assert_eq!(papaya.counters().token_requests, 1);
    Ok(())
}

/// One 503: the engine retries, and the call succeeds. Without a pause, so that the test does not
/// wait.
async fn a_failure_that_passes_is_not_noticed() -> Outcome {
    let sandbox = Sandbox::start().await?;
    let papaya = sandbox.papaya();
    let hasty = RetryPolicy::default().backoff(Duration::ZERO, Duration::ZERO);
    let (payroll, _) = payroll(&papaya, hasty)?;
    papaya.inject_times(Fault::Status(503), 1);
    assert_eq!(payroll.status().await?, StatusCode::OK);
    assert_eq!(papaya.counters().token_requests, 2);
    Ok(())
}

/// Fifty calls at once: does the client share one source, or make one per call?
async fn a_crowd_costs_one_token() -> Outcome {
    let sandbox = Sandbox::start().await?;
    let papaya = sandbox.papaya();
    let (payroll, _) = payroll(&papaya, RetryPolicy::default())?;
    papaya.inject(Fault::Latency(Duration::from_millis(50)));
    let mut calls = tokio::task::JoinSet::new();
    for _ in 0..50 {
        let payroll = payroll.clone();
        calls.spawn(async move { payroll.status().await });
    }
    for status in calls.join_all().await {
        assert_eq!(status?, StatusCode::OK);
    }
    assert_eq!(papaya.counters().tokens_issued, 1);
    Ok(())
}

/// The API refuses a token that it accepted before: one new token, one more call.
async fn a_revoked_token_is_replaced_once() -> Outcome {
    let sandbox = Sandbox::start().await?;
    let papaya = sandbox.papaya();
    let (payroll, _) = payroll(&papaya, RetryPolicy::default())?;
    assert_eq!(payroll.status().await?, StatusCode::OK);
    papaya.revoke_tokens();
    assert_eq!(payroll.status().await?, StatusCode::OK);
    assert_eq!(papaya.counters().tokens_issued, 2);
    assert_eq!(papaya.counters().api_rejected, 1);
    Ok(())
}

/// The API refuses every token: the client gives up after one new token.
async fn an_api_that_always_refuses_makes_no_loop() -> Outcome {
    let sandbox = Sandbox::start().await?;
    let papaya = sandbox.papaya();
    let (payroll, _) = payroll(&papaya, RetryPolicy::default())?;
    papaya.set_refuse_api_calls(true);
    assert_eq!(payroll.status().await?, StatusCode::UNAUTHORIZED);
    assert_eq!(papaya.counters().api_calls, 2);
    assert_eq!(papaya.counters().tokens_issued, 2);
    Ok(())
}

/// The secret is rotated: the cached token still works, and the new secret is set without a restart.
async fn a_rotated_secret_costs_nothing() -> Outcome {
    let sandbox = Sandbox::start().await?;
    let papaya = sandbox.papaya();
    let (payroll, tokens) = payroll(&papaya, RetryPolicy::default())?;
    assert_eq!(payroll.status().await?, StatusCode::OK);
    papaya.rotate_secret();
    assert_eq!(payroll.status().await?, StatusCode::OK);
    tokens.replace_exchange(flow(&papaya)?)?;
    assert_eq!(payroll.status().await?, StatusCode::OK);
    assert_eq!(papaya.counters().tokens_issued, 1);
    Ok(())
}

/// A setting is missing: the error names it at start-up and shows no value. Nothing is sent, and this
/// process's own variables are not used.
async fn half_of_the_settings_name_the_other_half() -> Outcome {
    let sandbox = Sandbox::start().await?;
    let papaya = sandbox.papaya();
    let half = papaya.env().into_iter().filter(|(name, _)| *name != "PAPAYA_CLIENT_SECRET");
    let Err(error) = Papaya::read_env(&Env::from_pairs(half)) else {
        return Err("a flow without its secret".into());
    };
    assert_eq!(error.kind(), ErrorKind::Config);
    assert!(error.to_string().contains("set PAPAYA_CLIENT_SECRET"), "{error}");
    assert!(!error.to_string().contains(papaya.credentials().id()), "{error}");
    assert_eq!(papaya.counters().connections, 0);
    Ok(())
}

#[tokio::main]
async fn main() -> Outcome {
    an_outage_is_one_request_however_often_one_asks().await?;
    println!("an outage is one request, however often one asks");
    a_failure_that_passes_is_not_noticed().await?;
    println!("a failure that passes is not noticed");
    a_crowd_costs_one_token().await?;
    println!("a crowd costs one token");
    a_revoked_token_is_replaced_once().await?;
    println!("a revoked token is replaced once");
    an_api_that_always_refuses_makes_no_loop().await?;
    println!("an API that always refuses makes no loop");
    a_rotated_secret_costs_nothing().await?;
    println!("a rotated secret costs nothing");
    half_of_the_settings_name_the_other_half().await?;
    println!("half of the settings name the other half");
    Ok(())
}
