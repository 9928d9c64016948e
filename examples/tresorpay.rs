//! TresorPay: treasury, Mali. OAuth 2.0 client credentials at a Keycloak realm.

#![allow(clippy::print_stdout, clippy::print_stderr)] // a program for a terminal

use auth_sandbox::Provider;
use tresorpay_auth::{CachedTokenSource, TresorPay};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    // In a service: `TresorPay::from_env()?`. Here the sandbox is used if nothing is set.
    let (env, api_url) = examples::settings(Provider::TresorPay)?;

    let tokens = CachedTokenSource::new(TresorPay::read_env(&env)?)?; // once, at start-up
    let token = tokens.token().await?; // before each call; cached
    println!("tresorpay: {token:?}"); // never shows the token

    if let Some(url) = api_url {
        let mut headers = http::HeaderMap::new();
        token.apply(&mut headers);
        let response = examples::api_client()?.get(url).headers(headers).send().await?;
        if response.status() == http::StatusCode::UNAUTHORIZED {
            tokens.invalidate(&token); // the next call fetches another
        }
        println!("tresorpay: the API answered {}", response.status());
    }
    Ok(())
}
