//! A web service with axum: the client in the state, a readiness route, and a start that waits for nobody.
//!
//! Here it serves itself three requests and ends. The guides `deploy` and `call_the_api` say the rest.

#![allow(clippy::print_stdout)] // a program for a terminal

use std::error::Error;
use std::time::Duration;

use auth_sandbox::{Fault, Sandbox};
use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::get;
use digishare_auth::{CachedTokenSource, Digishare, Env, SharedTokenSource};
use reqwest_middleware::ClientWithMiddleware;

#[derive(Clone)]
struct App {
    api: ClientWithMiddleware,
    tokens: SharedTokenSource,
    campaigns: String,
}

/// Calls the API. What failed is logged with its reason; the visitor learns that it failed.
async fn campaigns(State(app): State<App>) -> Result<String, StatusCode> {
    let request = app.api.get(&app.campaigns).header("accept", "application/json");
    let answer = request.send().await.map_err(|error| {
        println!("log: {error}");
        StatusCode::BAD_GATEWAY
    })?;
    answer.text().await.map_err(|_| StatusCode::BAD_GATEWAY)
}

/// Ready while there is a usable token. A good token is good while the provider is down.
async fn ready(State(app): State<App>) -> (StatusCode, String) {
    match tokio::time::timeout(Duration::from_secs(4), app.tokens.check()).await {
        Ok(Ok(())) => (StatusCode::OK, "ready\n".to_owned()),
        Ok(Err(error)) => (StatusCode::SERVICE_UNAVAILABLE, format!("{error}\n")),
        Err(_) => (StatusCode::SERVICE_UNAVAILABLE, "still waiting\n".to_owned()),
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    // In a service: `Digishare::from_env()?`, and the API's own URL.
    let sandbox = Sandbox::start().await?;
    let digishare = sandbox.digishare();
    digishare.inject(Fault::Status(503)); // the provider is down
    let flow = Digishare::read_env(&Env::from_pairs(digishare.env()))?;

    let tokens: SharedTokenSource = CachedTokenSource::new(flow)?.into(); // sends nothing
    let api = auth_middleware::client(tokens.clone())?;
    let app = App { api, tokens, campaigns: digishare.api_url() };
    let router = Router::new().route("/campaigns", get(campaigns)).route("/ready", get(ready));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let here = format!("http://{}", listener.local_addr()?);
    let server = axum::serve(listener, router.with_state(app));

    let visit = async {
        let visitor = examples::api_client()?;
        let get = async |path: &str| -> Result<_, Box<dyn Error>> {
            let answer = visitor.get(format!("{here}{path}")).send().await?;
            let status = answer.status();
            print!("{path} -> {status}: {}", answer.text().await?);
            Ok(status)
        };
        assert_eq!(get("/ready").await?, StatusCode::SERVICE_UNAVAILABLE);
        digishare.clear_faults();
        // The failure is remembered for under a second; then the next probe asks again.
        tokio::time::sleep(Duration::from_secs(1)).await;
        assert_eq!(get("/ready").await?, StatusCode::OK);
        assert_eq!(get("/campaigns").await?, StatusCode::OK);
        println!();
        Ok::<_, Box<dyn Error>>(())
    };
    tokio::select! {
        result = visit => result,
        result = server => Ok(result?),
    }
}
