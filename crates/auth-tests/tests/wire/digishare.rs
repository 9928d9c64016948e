//! The flow of `digishare-auth` over a socket.

use std::time::Duration;

use auth_core::{Clock as _, SystemClock};
use auth_tests::{Server, response};
use digishare_auth::{
    BodyFormat, CachedTokenSource, Credentials, Digishare, Endpoint, Env, source_read_env,
};

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
async fn every_secret_is_sent_unchanged() {
    let secret = r#"a&b=c+d%e f"é\"#;
    let json = r#"{"grant_type":"client_credentials","client_id":"client-0001","client_secret":"a&b=c+d%e f\"é\\","scope":"a b"}"#;
    let form = "grant_type=client_credentials&client_id=client-0001&client_secret=a%26b%3Dc%2Bd%25e+f%22%C3%A9%5C&scope=a+b";
    for (format, media_type, body) in [
        (BodyFormat::Json, "application/json", json),
        (BodyFormat::Form, "application/x-www-form-urlencoded", form),
    ] {
        let server = Server::answering(response(200, &[], GRANTED.as_bytes())).await;
        let flow = flow(server.endpoint().as_str(), secret).scope("a b").body_format(format);
        let token = CachedTokenSource::new(flow).unwrap().token().await.unwrap();
        assert_eq!(token.authorization(), "Bearer made-up-token");
        let [request] = server.requests().try_into().unwrap();
        assert_eq!(request.line, "POST /v1/oauth/token HTTP/1.1");
        assert_eq!(request.header_names(), HEADERS);
        assert_eq!(request.header("content-type"), media_type);
        assert_eq!(request.header("content-length"), body.len().to_string());
        assert_eq!(request.body, body);
    }
}

#[tokio::test]
async fn a_source_from_the_environment_keeps_a_token_for_a_day_at_most() {
    let server = Server::answering(response(200, &[], GRANTED.as_bytes())).await;
    let env = Env::from_pairs([
        ("DIGISHARE_CLIENT_ID", "client-0001"),
        ("DIGISHARE_CLIENT_SECRET", "made-up-secret"),
        ("DIGISHARE_BASE_URL", server.endpoint().as_str()),
    ]);
    let token = source_read_env(&env).unwrap().token().await.unwrap();
    let left = token.expires_at().unwrap().duration_since(SystemClock.wall());
    assert!(left.unwrap() <= Duration::from_secs(24 * 60 * 60));
    assert_eq!(server.requests()[0].body, BODY);
}
