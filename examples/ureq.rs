//! ureq, and no async: a token before each call, and another one if the API refuses it.
//!
//! The engine sends its own requests on a thread that the process shares. Your program needs no
//! runtime.

#![allow(clippy::print_stdout, clippy::print_stderr)] // a program for a terminal

use std::error::Error;

use auth_sandbox::Provider;
use http::{Request, StatusCode};
use manis_auth::{AccessToken, Manis, blocking::CachedTokenSource};

struct Payments {
    agent: ureq::Agent,
    url: String,
    tokens: CachedTokenSource<Manis>,
}

impl Payments {
    fn new(url: String, tokens: CachedTokenSource<Manis>) -> Self {
        let config = ureq::Agent::config_builder()
            .http_status_as_error(false) // a 401 is read below
            .max_redirects(0) // each call carries the token
            .proxy(None) // the sandbox is on loopback
            .build();
        Self { agent: config.into(), url, tokens }
    }

    /// Sends the call, and a second time if the API refuses the token.
    fn call(&self) -> Result<StatusCode, Box<dyn Error>> {
        let token = self.tokens.token()?;
        let status = self.send(&token)?;
        if status != StatusCode::UNAUTHORIZED {
            return Ok(status);
        }
        self.tokens.invalidate(&token);
        let renewed = self.tokens.token()?;
        if renewed.ptr_eq(&token) { Ok(status) } else { self.send(&renewed) }
    }

    fn send(&self, token: &AccessToken) -> Result<StatusCode, Box<dyn Error>> {
        let mut request = Request::get(&self.url).body(())?;
        token.apply(request.headers_mut());
        Ok(self.agent.run(request)?.status())
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    // In a service: `Manis::from_env()?`. Here the sandbox is used if nothing is set.
    let (env, api_url) = examples::settings(Provider::Manis)?;

    let tokens = CachedTokenSource::new(Manis::read_env(&env)?)?; // once, at start-up
    println!("manis: {:?}", tokens.token()?); // never shows the token

    if let Some(url) = api_url {
        let payments = Payments::new(url, tokens);
        println!("manis: the API answered {}", payments.call()?);
        examples::revoke_tokens(Provider::Manis)?;
        println!("manis: with another token, after a 401: {}", payments.call()?);
    }
    Ok(())
}
