//! The exact request, as httpmock receives it.

#![allow(clippy::unwrap_used)] // helpers of tests are not seen as tests

use httpmock::{Method::POST, MockServer};
use tresorpay_auth::{CachedTokenSource, Credentials, Endpoint, TresorPay};

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
async fn the_request_is_the_documented_one_and_nothing_more() {
    let server = MockServer::start_async().await;
    let mock = server
        .mock_async(|when, then| {
            when.method(POST)
                .path(PATH)
                .header("content-type", FORM)
                .header("accept", "application/json")
                .form_urlencoded_tuple("grant_type", "client_credentials")
                .form_urlencoded_tuple("client_scope", "tresorpay")
                .form_urlencoded_tuple("scope", "tresorpay")
                .form_urlencoded_tuple("client_id", "client-0001")
                .form_urlencoded_tuple("client_secret", "made-up-secret")
                .body("grant_type=client_credentials&client_scope=tresorpay&scope=tresorpay&client_id=client-0001&client_secret=made-up-secret")
                .is_true(|request| {
                    let mut names: Vec<_> = request
                        .headers_vec()
                        .iter()
                        .map(|(name, _)| name.to_lowercase())
                        .collect();
                    names.sort();
                    names == HEADERS && request.query_params().is_empty()
                });
            then.status(200)
                .header("content-type", "application/json")
                .body(GRANTED);
        })
        .await;
    let flow = flow(&server.base_url(), "client-0001", "made-up-secret");
    let tokens = CachedTokenSource::new(flow).unwrap();
    tokens.token().await.unwrap();
    tokens.token().await.unwrap(); // from the cache
    mock.assert_async().await;
}
