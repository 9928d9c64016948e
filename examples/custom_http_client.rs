//! Your own HTTP client: here hyper, with plain http to the sandbox.
//!
//! The engine needs one method. `HttpClient`'s documentation lists the rules for an implementation (no
//! redirects, a limit on the body, no retries). A real one speaks https; with
//! `default-features = false` the crates then add no HTTP stack at all.

#![allow(clippy::print_stdout, clippy::print_stderr)] // a program for a terminal

use auth_sandbox::Sandbox;
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper_util::client::legacy::{Client, connect::HttpConnector};
use hyper_util::rt::TokioExecutor;
use manis_auth::{BODY_LIMIT, Bytes, HttpClient, HttpRequest, HttpResponse, async_trait};
use manis_auth::{CachedTokenSource, Env, Error, ErrorKind, Manis};

#[derive(Debug)]
struct HyperClient(Client<HttpConnector, Full<Bytes>>);

#[async_trait]
impl HttpClient for HyperClient {
    async fn send(&self, request: HttpRequest) -> Result<HttpResponse, Error> {
        let answer = self.0.request(request.map(Full::new)).await.map_err(|cause| {
            let kind = if cause.is_connect() { ErrorKind::Connect } else { ErrorKind::Unavailable };
            Error::new(kind, "the token endpoint could not be reached").with_source(cause)
        })?;
        let (head, body) = answer.into_parts();
        let body = Limited::new(body, BODY_LIMIT).collect().await.map_err(|cause| {
            if cause.is::<LengthLimitError>() {
                return Error::protocol("the answer is longer than 64 KiB");
            }
            Error::new(ErrorKind::Unavailable, "the answer broke off")
        })?;
        Ok(HttpResponse::from_parts(head, body.to_bytes()))
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let sandbox = Sandbox::start().await?;
    let env = Env::from_pairs(sandbox.manis().env());
    let client = HyperClient(Client::builder(TokioExecutor::new()).build_http());
    let tokens = CachedTokenSource::builder(Manis::read_env(&env)?).http_client(client).build()?;
    println!("manis, over hyper: {:?}", tokens.token().await?);
    Ok(())
}
