//! The five flows over a socket: the bytes of their requests, and the outcome of each recorded
//! answer.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)] // helpers of tests are not seen as tests

mod digishare;
mod digitalpaye;
mod manis;
mod papaya;
mod tresorpay;

use auth_core::Endpoint;
use auth_sandbox::{Credentials, Provider};
use auth_tests::flows::{ALL, AnyFlow, Shape, at, variables};
use auth_tests::{check_fixtures, check_redirects};

const SECRET: &str = "CANARY-made-up-secret";

/// A provider's flow at any endpoint.
fn made(provider: Provider, shape: Shape) -> impl Fn(Endpoint) -> AnyFlow {
    let mut variables = variables(provider, &Credentials::new("CANARY-0001", SECRET));
    // The sandbox's unit, while the answers below come in every unit.
    variables.retain(|(name, _)| *name != "MANIS_EXPIRES_AT_UNIT");
    move |endpoint| at(provider, shape, &variables, &endpoint).exchange
}

#[tokio::test]
async fn every_body_gets_the_class_that_the_index_names() {
    for (provider, shape) in ALL {
        check_fixtures(provider.name(), SECRET, made(provider, shape)).await;
    }
}

#[tokio::test]
async fn no_redirect_is_followed() {
    for (provider, shape) in ALL {
        check_redirects(made(provider, shape)).await;
    }
}
