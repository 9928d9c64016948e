//! Testing code of your own against the sandbox: an outage, a revoked token, a rotated secret.
//!
//! The client below is what you would write; `main` stands for three tests of it. The sandbox
//! checks requests as the provider's document says and counts what it saw.

#![allow(clippy::print_stdout, clippy::print_stderr)] // a program for a terminal

use auth_sandbox::{Fault, Handle, Sandbox};
use http::StatusCode;
use papaya_auth::{
    CachedTokenSource, Credentials, Endpoint, ErrorKind, Papaya, RetryPolicy, SharedTokenSource,
};

/// A client of the payroll API.
struct Payroll {
    http: reqwest::Client,
    tokens: SharedTokenSource,
    url: String,
}

impl Payroll {
    /// One call; a refused token is replaced once.
    async fn status(&self) -> Result<StatusCode, Box<dyn std::error::Error>> {
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

fn flow<P>(papaya: &Handle<P>) -> Result<Papaya, papaya_auth::Error> {
    let credentials = papaya.credentials();
    let credentials = Credentials::new(credentials.id(), credentials.secret())?;
    Ok(Papaya::new(credentials).endpoint(Endpoint::parse(papaya.base_url())?))
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let sandbox = Sandbox::start().await?;
    let papaya = sandbox.papaya();
    let tokens = CachedTokenSource::builder(flow(&papaya)?).retry(RetryPolicy::never()).build()?;
    let payroll = Payroll {
        http: examples::api_client()?,
        tokens: tokens.clone().into(),
        url: papaya.api_url(),
    };

    // The endpoint is down: the error says so, and asking again at once costs no request.
    papaya.inject_times(Fault::Status(503), 1);
    for _ in 0..2 {
        let Err(error) = tokens.token().await else {
            return Err("a token from a dead endpoint".into());
        };
        assert_eq!(error.kind(), ErrorKind::Unavailable);
    }
    assert_eq!(papaya.counters().token_requests, 1);
    println!("an outage is one request, however often one asks");
    tokens.replace(flow(&papaya)?)?; // forgets the failure, so that this example need not wait

    // The API refuses a token that was good a moment ago: one new token, one more call.
    assert_eq!(payroll.status().await?, StatusCode::OK);
    papaya.revoke_tokens();
    assert_eq!(payroll.status().await?, StatusCode::OK);
    assert_eq!(papaya.counters().tokens_issued, 2);
    println!("a revoked token is replaced once");

    // The secret is rotated: the kept token goes on, and the new secret comes in without a restart.
    papaya.rotate_secret();
    assert_eq!(payroll.status().await?, StatusCode::OK);
    tokens.replace(flow(&papaya)?)?;
    assert_eq!(payroll.status().await?, StatusCode::OK);
    assert_eq!(papaya.counters().tokens_issued, 2);
    println!("a rotated secret costs nothing");
    Ok(())
}
