//! The flow of `papaya-auth` over a socket.

use std::net::TcpListener;
use std::time::Duration;

use auth_tests::{Server, response};
use papaya_auth::{
    CachedTokenSource, Credentials, Endpoint, ErrorKind, Papaya, TokenExchange as _,
};

const GRANTED: &str = r#"{"token":"made-up-token","token_name":"replica-1"}"#;
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
async fn every_character_of_a_secret_survives_the_way_into_the_body() {
    let server = Server::answering(response(201, &[], GRANTED.as_bytes())).await;
    let credentials = Credentials::new("key\"0001", "made\\up\u{2028}sécret/😀").unwrap();
    let flow = Papaya::new(credentials, server.endpoint()).token_name("replica \"1\"");
    let tokens = CachedTokenSource::new(flow).unwrap();
    tokens.token().await.unwrap();
    let [request] = server.requests().try_into().unwrap();
    assert_eq!(request.line, "POST /token HTTP/1.1");
    assert_eq!(request.header_names(), HEADERS);
    let body = concat!(
        r#"{"api_key":"key\"0001","client_secret":"made\\up"#,
        "\u{2028}",
        r#"sécret/😀","token_name":"replica \"1\""}"#
    );
    assert_eq!(request.body, body);
    assert_eq!(request.header("content-length"), body.len().to_string());
}

#[tokio::test]
async fn an_unavailable_papaya_is_asked_twice_and_no_more() {
    let server = Server::answering(response(500, &[], br#"{"error":"x"}"#)).await;
    let flow = flow(server.endpoint().as_str());
    let hasty = flow.retry_policy().backoff(Duration::ZERO, Duration::ZERO);
    let tokens = CachedTokenSource::builder(flow).retry_policy(hasty).build();
    let error = tokens.unwrap().token().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert_eq!(server.requests().len(), 2);
}

#[tokio::test]
async fn a_silent_papaya_is_asked_once_since_a_token_may_have_been_made() {
    // The kernel accepts the connections, but nothing answers.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let flow = flow(&format!("http://{}", listener.local_addr().unwrap()));
    let hasty = flow.retry_policy().attempt_timeout(Duration::from_millis(50));
    let tokens = CachedTokenSource::builder(flow).retry_policy(hasty).build();
    let error = tokens.unwrap().token().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout);
    listener.set_nonblocking(true).unwrap();
    assert_eq!(listener.incoming().take_while(Result::is_ok).count(), 1);
}

#[tokio::test]
async fn a_refusal_says_what_to_check_and_keeps_papayas_words() {
    let server = Server::answering(response(401, &[], br#"{"error":"Invalid request"}"#)).await;
    let tokens = CachedTokenSource::new(flow(server.endpoint().as_str())).unwrap();
    let error = tokens.token().await.unwrap_err();
    let text = error.to_string();
    assert!(
        text.starts_with(
            "papaya: credentials rejected (401): check the credentials that the program gave, and"
        ),
        "{text}"
    );
    assert_eq!((error.code(), error.description()), (None, Some("Invalid request")));
}
