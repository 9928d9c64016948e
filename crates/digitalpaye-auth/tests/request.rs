//! The exact request, as httpmock receives it.

#![allow(clippy::unwrap_used)] // helpers of tests are not seen as tests

use digitalpaye_auth::{CachedTokenSource, Credentials, Digitalpaye, Endpoint};
use httpmock::{Method::POST, MockServer};

const GRANTED: &str =
    r#"{"statusCode":200,"message":"Successful","data":{"token":"made-up-token"}}"#;
/// Base64 of `key-0001:made:up`: the secret may hold a colon.
const BASIC: &str = "Basic a2V5LTAwMDE6bWFkZTp1cA==";
const HEADERS: [&str; 7] = [
    "accept",
    "authorization",
    "cache-control",
    "content-length",
    "host",
    "user-agent",
    "x-environment",
];

fn flow(endpoint: &str) -> Digitalpaye {
    let credentials = Credentials::new("key-0001", "made:up").unwrap();
    Digitalpaye::new(credentials).endpoint(Endpoint::parse(endpoint).unwrap())
}

#[tokio::test]
async fn the_request_is_the_documented_one_and_nothing_more() {
    let server = MockServer::start_async().await;
    let mock = server
        .mock_async(|when, then| {
            when.method(POST)
                .path("/v1/auth")
                .header("authorization", BASIC)
                .header("x-environment", "Production")
                .header("accept", "application/json")
                .body("")
                .is_true(|request| {
                    let mut names: Vec<_> =
                        request.headers_vec().iter().map(|(name, _)| name.to_lowercase()).collect();
                    names.sort();
                    names == HEADERS && request.query_params().is_empty()
                });
            then.status(200).header("content-type", "application/json").body(GRANTED);
        })
        .await;
    let tokens = CachedTokenSource::new(flow(&server.base_url())).unwrap();
    tokens.token().await.unwrap();
    tokens.token().await.unwrap(); // from the cache
    mock.assert_async().await;
}
