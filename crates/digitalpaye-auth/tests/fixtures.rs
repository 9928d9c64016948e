//! Every recorded body through the flow, over a real socket.

#![allow(clippy::unwrap_used)] // helpers of tests are not seen as tests

use digitalpaye_auth::{Credentials, Digitalpaye, Endpoint};

const SECRET: &str = "CANARY-digitalpaye-secret";

fn flow(endpoint: Endpoint) -> Digitalpaye {
    Digitalpaye::new(Credentials::new("CANARY-key", SECRET).unwrap()).endpoint(endpoint)
}

#[tokio::test]
async fn every_body_gets_the_class_that_the_index_names() {
    auth_testkit::check_fixtures("digitalpaye", SECRET, flow).await;
}

#[tokio::test]
async fn no_redirect_is_followed() {
    auth_testkit::check_redirects(flow).await;
}
