//! Papaya Global: payroll. An API key and secret for a named one-day token.

#![allow(clippy::print_stdout, clippy::print_stderr)] // a program for a terminal

use auth_sandbox::Provider;
use papaya_auth::{CachedTokenSource, Papaya};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    // In a service: `Papaya::from_env()?`. Here the sandbox is used if nothing is set.
    let (env, api_url) = examples::settings(Provider::Papaya)?;

    let tokens = CachedTokenSource::new(Papaya::read_env(&env)?)?; // once, at start-up
    let token = tokens.token().await?; // before each call; cached
    println!("papaya: {token:?}"); // never shows the token

    if let Some(url) = api_url {
        let mut headers = http::HeaderMap::new();
        token.apply(&mut headers);
        let response = examples::api_client()?.get(url).headers(headers).send().await?;
        if response.status() == http::StatusCode::UNAUTHORIZED {
            tokens.invalidate(&token); // the next call fetches another
        }
        println!("papaya: the API answered {}", response.status());
    }
    Ok(())
}
