//! Every recorded body through the flow, over a real socket.

#![allow(clippy::unwrap_used)] // helpers of tests are not seen as tests

use tresorpay_auth::{ClientAuth, Credentials, Endpoint, TresorPay};

const SECRET: &str = "CANARY-tresorpay-secret";

fn flow(endpoint: Endpoint) -> TresorPay {
    TresorPay::new(Credentials::new("client-0001", SECRET).unwrap()).token_url(endpoint)
}

#[tokio::test]
async fn every_body_gets_the_class_that_the_index_names() {
    auth_testkit::check_fixtures("tresorpay", SECRET, flow).await;
}

#[tokio::test]
async fn no_redirect_is_followed() {
    auth_testkit::check_redirects(flow).await;
    auth_testkit::check_redirects(|endpoint| flow(endpoint).client_auth(ClientAuth::Basic)).await;
}
