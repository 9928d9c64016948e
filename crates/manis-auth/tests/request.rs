//! The exact request, as httpmock receives it.

#![allow(clippy::unwrap_used)] // helpers of tests are not seen as tests

use httpmock::{Method::POST, MockServer};
use manis_auth::{CachedTokenSource, Credentials, Endpoint, Manis};

const GRANTED: &str = r#"{"token":"made-up-token","expiresAt":3600,"tokenType":"bearer"}"#;
const HEADERS: [&str; 7] = [
    "accept",
    "cache-control",
    "content-length",
    "host",
    "user-agent",
    "x-merchant-id",
    "x-secret",
];

fn flow(endpoint: &str) -> Manis {
    let credentials = Credentials::new("merchant-0001", "made-up-\"secret\\!").unwrap();
    Manis::new(credentials, Endpoint::parse(endpoint).unwrap())
}

#[tokio::test]
async fn the_request_is_the_documented_one_and_nothing_more() {
    let server = MockServer::start_async().await;
    let mock = server
        .mock_async(|when, then| {
            when.method(POST)
                .path("/api/v1/auth/token")
                .header("x-merchant-id", "merchant-0001")
                .header("x-secret", "made-up-\"secret\\!")
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
