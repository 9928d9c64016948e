//! The exact request, as httpmock receives it.

#![allow(clippy::unwrap_used)] // helpers of tests are not seen as tests

use digishare_auth::{CachedTokenSource, Credentials, Digishare, Endpoint};
use httpmock::{Method::POST, MockServer};

const GRANTED: &str =
    r#"{"token_type":"Bearer","expires_in":31536000,"access_token":"made-up-token"}"#;
const BODY: &str = r#"{"grant_type":"client_credentials","client_id":"client-0001","client_secret":"made-up-secret"}"#;
const HEADERS: [&str; 6] =
    ["accept", "cache-control", "content-length", "content-type", "host", "user-agent"];

fn flow(endpoint: &str, secret: &str) -> Digishare {
    let credentials = Credentials::new("client-0001", secret).unwrap();
    Digishare::new(credentials).endpoint(Endpoint::parse(endpoint).unwrap())
}

#[tokio::test]
async fn the_request_is_the_documented_one_and_nothing_more() {
    let server = MockServer::start_async().await;
    let mock = server
        .mock_async(|when, then| {
            when.method(POST)
                .path("/v1/oauth/token")
                .header("content-type", "application/json")
                .header("accept", "application/json")
                .body(BODY)
                .is_true(|request| {
                    let mut names: Vec<_> =
                        request.headers_vec().iter().map(|(name, _)| name.to_lowercase()).collect();
                    names.sort();
                    names == HEADERS && request.query_params().is_empty()
                });
            then.status(200).header("content-type", "application/json").body(GRANTED);
        })
        .await;
    let tokens = CachedTokenSource::new(flow(&server.base_url(), "made-up-secret")).unwrap();
    tokens.token().await.unwrap();
    tokens.token().await.unwrap(); // from the cache
    mock.assert_async().await;
}
