//! The flow of `tresorpay-auth` over a socket.

use auth_tests::{Server, response};
use tresorpay_auth::{CachedTokenSource, ClientAuth, Credentials, Endpoint, TresorPay};

const GRANTED: &str = r#"{"access_token":"made-up-token","expires_in":300,"refresh_expires_in":0,"token_type":"Bearer","not-before-policy":0,"scope":"profile email"}"#;
const PATH: &str = "/realms/tresorpay/protocol/openid-connect/token";
const FORM: &str = "application/x-www-form-urlencoded";
const HEADERS: [&str; 6] =
    ["accept", "cache-control", "content-length", "content-type", "host", "user-agent"];

fn flow(base: &str, id: &str, secret: &str) -> TresorPay {
    let credentials = Credentials::new(id, secret).unwrap();
    TresorPay::new(credentials).token_url(Endpoint::parse(&format!("{base}{PATH}")).unwrap())
}

#[tokio::test]
async fn every_secret_is_sent_unchanged() {
    let server = Server::answering(response(200, &[], GRANTED.as_bytes())).await;
    let flow = flow(server.endpoint().as_str(), "client-0001", "a&b=c+d%e fé").scope(None);
    let token = CachedTokenSource::new(flow).unwrap().token().await.unwrap();
    assert_eq!(token.authorization(), "Bearer made-up-token");
    let body = "grant_type=client_credentials&client_scope=tresorpay&client_id=client-0001&client_secret=a%26b%3Dc%2Bd%25e+f%C3%A9";
    let [request] = server.requests().try_into().unwrap();
    assert_eq!(request.line, format!("POST {PATH} HTTP/1.1"));
    assert_eq!(request.header_names(), HEADERS);
    assert_eq!(request.header("content-type"), FORM);
    assert_eq!(request.header("content-length"), body.len().to_string());
    assert_eq!(request.body, body);
}

#[tokio::test]
async fn basic_is_form_encoded_first_and_leaves_the_body_without_credentials() {
    let server = Server::answering(response(200, &[], GRANTED.as_bytes())).await;
    // The vector of Keycloak's BasicAuthHelper.RFC6749 test.
    let (id, secret) = ("user", "secret/with=special?character");
    let flow = flow(server.endpoint().as_str(), id, secret).client_auth(ClientAuth::Basic);
    CachedTokenSource::new(flow).unwrap().token().await.unwrap();
    let body = "grant_type=client_credentials&client_scope=tresorpay&scope=tresorpay";
    let [request] = server.requests().try_into().unwrap();
    assert_eq!(
        request.headers["authorization"],
        ["Basic dXNlcjpzZWNyZXQlMkZ3aXRoJTNEc3BlY2lhbCUzRmNoYXJhY3Rlcg=="]
    );
    assert_eq!(request.header("content-length"), body.len().to_string());
    assert_eq!(request.body, body);
}
