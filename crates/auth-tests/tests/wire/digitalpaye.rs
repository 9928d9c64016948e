//! The flow of `digitalpaye-auth` over a socket.

use auth_tests::{Server, response};
use digitalpaye_auth::{CachedTokenSource, Credentials, Digitalpaye, Endpoint, Environment};

const GRANTED: &str =
    r#"{"statusCode":200,"message":"Successful","data":{"token":"made-up-token"}}"#;
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
async fn an_empty_post_states_a_length_of_zero() {
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
