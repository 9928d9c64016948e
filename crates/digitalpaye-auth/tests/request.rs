//! The exact request: as httpmock sees it, and as it stands on the wire.

#![allow(clippy::unwrap_used)] // helpers of tests are not seen as tests

use auth_testkit::{Server, response};
use digitalpaye_auth::{CachedTokenSource, Credentials, Digitalpaye, Endpoint, Environment};
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

#[tokio::test]
async fn an_empty_post_says_so_on_the_wire() {
    let server = Server::answering(response(200, &[], GRANTED.as_bytes())).await;
    let tokens = CachedTokenSource::new(flow(server.endpoint().as_str())).unwrap();
    tokens.token().await.unwrap();
    let [request] = server.requests().try_into().unwrap();
    assert_eq!(request.line, "POST /v1/auth HTTP/1.1");
    assert_eq!(request.header_names(), HEADERS);
    assert_eq!(request.header("content-length"), "0");
    assert_eq!(request.body, "");
}

#[tokio::test]
async fn the_environment_accompanies_the_token() {
    let server = Server::answering(response(200, &[], GRANTED.as_bytes())).await;
    let flow = flow(server.endpoint().as_str()).environment(Environment::Sandbox);
    let token = CachedTokenSource::new(flow).unwrap().token().await.unwrap();
    let mut headers = http::HeaderMap::new();
    token.apply(&mut headers);
    assert_eq!(headers["x-environment"], "Sandbox");
    assert_eq!(headers["authorization"], "Bearer made-up-token");
    assert_eq!(server.requests()[0].header("x-environment"), "Sandbox");
}
