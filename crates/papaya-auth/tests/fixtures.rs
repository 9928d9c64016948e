//! Every recorded body through the flow, over a real socket.

#![allow(clippy::unwrap_used)] // helpers of tests are not seen as tests

use papaya_auth::{Credentials, Endpoint, Papaya};

const SECRET: &str = "CANARY-papaya-secret";

fn flow(endpoint: Endpoint) -> Papaya {
    Papaya::new(Credentials::new("CANARY-key", SECRET).unwrap(), endpoint)
}

#[tokio::test]
async fn every_body_gets_the_class_that_the_index_names() {
    auth_testkit::check_fixtures("papaya", SECRET, flow).await;
}

#[tokio::test]
async fn no_redirect_is_followed() {
    auth_testkit::check_redirects(flow).await;
}
