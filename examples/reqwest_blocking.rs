//! `reqwest::blocking`, and no async: a token before each call, and another one if the API refuses it.
//!
//! The source is behind `dyn`, as a library would hold it. That takes a `SharedTokenSource` too, which
//! is what `digishare_auth::source_from_env()` returns.

#![allow(clippy::print_stdout, clippy::print_stderr)] // a program for a terminal

use std::error::Error;
use std::sync::Arc;

use auth_sandbox::Provider;
use digishare_auth::{AccessToken, blocking::TokenSource};
use reqwest::StatusCode;
use reqwest::blocking::Client;
use reqwest::header::ACCEPT;

struct Campaigns {
    client: Client,
    url: String,
    tokens: Arc<dyn TokenSource>,
}

impl Campaigns {
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
        // Without `Accept`, Digishare answers a refused token with a redirect to its login page.
        let request = self.client.get(&self.url).header(ACCEPT, "application/json");
        Ok(request.headers(token.header_map()).send()?.status())
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    // In a service: `digishare_auth::source_from_env()?`. Here the sandbox is used if nothing is set.
    let (env, api_url) = examples::settings(Provider::Digishare)?;

    let tokens: Arc<dyn TokenSource> = Arc::new(digishare_auth::source_read_env(&env)?);
    println!("digishare: {:?}", tokens.token()?); // never shows the token

    if let Some(url) = api_url {
        // No redirects, since each call carries the token, and no proxy to the sandbox.
        let no_redirects = reqwest::redirect::Policy::none();
        let client = Client::builder().no_proxy().redirect(no_redirects).build()?;
        let campaigns = Campaigns { client, url, tokens };
        println!("digishare: the API answered {}", campaigns.call()?);
        examples::revoke_tokens(Provider::Digishare)?;
        println!("digishare: with another token, after a 401: {}", campaigns.call()?);
    }
    Ok(())
}
