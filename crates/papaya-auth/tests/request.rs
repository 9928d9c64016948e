//! The exact request, as httpmock receives it.

#![allow(clippy::unwrap_used)] // helpers of tests are not seen as tests

use httpmock::{Method::POST, MockServer};
use papaya_auth::{CachedTokenSource, Credentials, Endpoint, Papaya};

const GRANTED: &str = r#"{"token":"made-up-token","token_name":"replica-1"}"#;
const BODY: &str = r#"{"api_key":"key-0001","client_secret":"made-up-secret"}"#;
const HEADERS: [&str; 7] = [
    "accept",
    "cache-control",
    "connection",
    "content-length",
    "content-type",
    "host",
    "user-agent",
];

fn flow(endpoint: &str) -> Papaya {
    let credentials = Credentials::new("key-0001", "made-up-secret").unwrap();
    Papaya::new(credentials, Endpoint::parse(endpoint).unwrap())
}

#[tokio::test]
async fn the_request_is_the_documented_one_and_nothing_more() {
    let server = MockServer::start_async().await;
    let mock = server
        .mock_async(|when, then| {
            when.method(POST)
                .path("/token")
                .header("accept", "application/json")
                .header("content-type", "application/json")
                .body(BODY)
                .is_true(|request| {
                    let mut names: Vec<_> =
                        request.headers_vec().iter().map(|(name, _)| name.to_lowercase()).collect();
                    names.sort();
                    names == HEADERS && request.query_params().is_empty()
                });
            then.status(201).header("content-type", "application/json").body(GRANTED);
        })
        .await;
    let tokens = CachedTokenSource::new(flow(&server.base_url())).unwrap();
    tokens.token().await.unwrap();
    tokens.token().await.unwrap(); // from the cache
    mock.assert_async().await;
}
