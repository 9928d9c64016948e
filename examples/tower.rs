//! The tower layer around hyper's client: each request has a token, and a timeout of its own.
//!
//! Layers above this one see requests without a token, so what logs requests belongs there.

#![allow(clippy::print_stdout)] // a program for a terminal

use std::time::Duration;

use auth_middleware::AuthLayer;
use auth_sandbox::Sandbox;
use http::Request;
use http_body_util::Empty;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use papaya_auth::{Bytes, CachedTokenSource, Env, Papaya};
use tower::{ServiceBuilder, ServiceExt as _};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    // In a service: `Papaya::from_env()?`, the API's own URL, and a connector for https.
    let sandbox = Sandbox::start().await?;
    let papaya = sandbox.papaya();
    let tokens = CachedTokenSource::new(Papaya::read_env(&Env::from_pairs(papaya.env()))?)?;

    let client: Client<HttpConnector, Empty<Bytes>> =
        Client::builder(TokioExecutor::new()).build_http();
    let api = ServiceBuilder::new()
        .timeout(Duration::from_secs(30)) // the token, the request, and the second one after a 401
        .layer(AuthLayer::new(tokens)?)
        .service(client);

    for _ in 0..2 {
        let request = Request::get(papaya.api_url()).body(Empty::new())?;
        println!("the API answered {}", api.clone().oneshot(request).await?.status());
        papaya.revoke_tokens(); // the next request is refused once, and sent again
    }
    println!("tokens fetched: {}", papaya.counters().tokens_issued);
    Ok(())
}
