//! Every recorded body through the flow, over a real socket.

#![allow(clippy::unwrap_used)] // helpers of tests are not seen as tests

use digishare_auth::{Credentials, Digishare, Endpoint};

const SECRET: &str = "CANARY-digishare-secret";

fn flow(endpoint: Endpoint) -> Digishare {
    Digishare::new(Credentials::new("client-0001", SECRET).unwrap()).endpoint(endpoint)
}

#[tokio::test]
async fn every_body_gets_the_class_that_the_index_names() {
    auth_testkit::check_fixtures("digishare", SECRET, flow).await;
}

#[tokio::test]
async fn no_redirect_is_followed() {
    auth_testkit::check_redirects(flow).await;
}
