//! A client that never thinks of tokens: each request has one, and a revoked token is replaced.
//!
//! Digishare's tokens live for a year, so a 401 is the usual end of one. The sandbox revokes the token
//! here; the program does not notice.

#![allow(clippy::print_stdout, clippy::print_stderr)] // a program for a terminal

use auth_sandbox::Sandbox;
use digishare_auth::{CachedTokenSource, Digishare, Env};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    // In a service: `Digishare::from_env()?`, and the API's own URL.
    let sandbox = Sandbox::start().await?;
    let digishare = sandbox.digishare();
    let flow = Digishare::read_env(&Env::from_pairs(digishare.env()))?;

    let tokens = CachedTokenSource::new(flow)?; // once, at start-up
    let api = auth_middleware::client(tokens)?; // knows the flow's own hosts, and no others
    let list = async || {
        // Digishare answers 401 to those who accept JSON, and sends others to its login page.
        let request = api.get(digishare.api_url()).header("accept", "application/json");
        request.send().await
    };
    println!("the API answered {}", list().await?.status());

    digishare.revoke_tokens();
    println!("after the token was revoked, it answered {}", list().await?.status());
    println!("tokens fetched: {}", digishare.counters().tokens_issued);

    if let Err(error) = api.get("https://elsewhere.example.com/").send().await {
        println!("elsewhere: {error}");
    }
    Ok(())
}
