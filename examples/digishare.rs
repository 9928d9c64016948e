//! Digishare: messaging, Morocco. OAuth 2.0 client credentials for a one-year token.
//!
//! A token that lives for a year outlives a rotated secret. The flow therefore requests a new one every
//! day, and another if the API refuses the old one. The policy below is the flow's default, to show how
//! to set one.

#![allow(clippy::print_stdout, clippy::print_stderr)] // a program for a terminal

use std::time::Duration;

use auth_sandbox::Provider;
use digishare_auth::{CachedTokenSource, Digishare, RefreshPolicy};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    // In a service: `Digishare::from_env()?`. Here the sandbox is used if nothing is set.
    let (env, api_url) = examples::settings(Provider::Digishare)?;

    let daily = RefreshPolicy::default().max_age(Duration::from_secs(24 * 60 * 60));
    let tokens =
        CachedTokenSource::builder(Digishare::read_env(&env)?).refresh_policy(daily).build()?;
    let token = tokens.token().await?; // before each call; cached
    println!("digishare: {token:?}"); // never shows the token

    if let Some(url) = api_url {
        let request = examples::api_client()?.get(url);
        let response = request.header("authorization", token.authorization()).send().await?;
        if response.status() == http::StatusCode::UNAUTHORIZED {
            tokens.invalidate(&token); // the next call fetches another
        }
        println!("digishare: the API answered {}", response.status());
    }
    Ok(())
}
