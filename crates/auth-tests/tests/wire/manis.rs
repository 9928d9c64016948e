//! The flow of `manis-auth` over a socket.

use auth_tests::{Server, response};
use manis_auth::{CachedTokenSource, Credentials, Endpoint, ErrorKind, Manis};

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
async fn an_empty_post_states_a_length_of_zero() {
    let server = Server::answering(response(200, &[], GRANTED.as_bytes())).await;
    let tokens = CachedTokenSource::new(flow(server.endpoint().as_str())).unwrap();
    tokens.token().await.unwrap();
    let [request] = server.requests().try_into().unwrap();
    assert_eq!(request.line, "POST /api/v1/auth/token HTTP/1.1");
    assert_eq!(request.header_names(), HEADERS);
    assert_eq!(request.header("x-merchant-id"), "merchant-0001");
    assert_eq!(request.header("x-secret"), "made-up-\"secret\\!");
    assert_eq!(request.header("content-length"), "0");
    assert_eq!(request.body, "");
}

#[tokio::test]
async fn a_scheme_that_is_set_is_the_one_that_is_sent() {
    let server = Server::answering(response(200, &[], GRANTED.as_bytes())).await;
    let url = server.endpoint();
    for (flow, authorization) in [
        (flow(url.as_str()), "Bearer made-up-token"),
        (flow(url.as_str()).scheme("JWT"), "JWT made-up-token"),
    ] {
        let token = CachedTokenSource::new(flow).unwrap().token().await.unwrap();
        let mut headers = http::HeaderMap::new();
        token.apply(&mut headers);
        assert_eq!(headers["authorization"], authorization);
        assert_eq!(headers.len(), 1);
    }
}

#[tokio::test]
async fn a_400_may_mean_the_credentials_and_says_so() {
    let body = br#"{"title":"Bad Request","status":401,"soaCode":"AUTH-0001","detail":"no id"}"#;
    let server = Server::answering(response(400, &[], body)).await;
    let tokens = CachedTokenSource::new(flow(server.endpoint().as_str())).unwrap();
    let error = tokens.token().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Request);
    assert_eq!(
        error.message(),
        "request refused (400 AUTH-0001): check the merchant id, the secret, the endpoint and the token path"
    );
    assert_eq!(error.description(), Some("no id"));
}
