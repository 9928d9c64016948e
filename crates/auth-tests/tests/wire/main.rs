//! The five flows over a socket: the bytes of their requests, and the outcome of each recorded
//! answer.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)] // helpers of tests are not seen as tests

mod digishare;
mod digitalpaye;
mod manis;
mod papaya;
mod tresorpay;

use std::sync::Arc;

use auth_core::{Bytes, Clock as _, Endpoint, SystemClock, TokenExchange as _, TokenResponse};
use auth_sandbox::{Credentials, Provider};
use auth_tests::flows::{ALL, AnyFlow, NOWHERE, Shape, at, variables};
use auth_tests::{check_fixtures, check_redirects};
use digishare_auth::Digishare;
use digitalpaye_auth::Digitalpaye;
use manis_auth::Manis;
use papaya_auth::Papaya;
use tresorpay_auth::TresorPay;

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

#[test]
fn a_rejection_names_the_variables_that_hold_the_credentials() {
    let answer = http::Response::builder().status(401).body(Bytes::new()).unwrap();
    let answer = TokenResponse::new(answer, SystemClock.wall());
    for (provider, shape) in ALL {
        let variables = variables(provider, &Credentials::new("CANARY-0001", SECRET));
        let flow = at(provider, shape, &variables, &Endpoint::parse(NOWHERE).unwrap());
        let error = flow.exchange.read(&answer).unwrap_err();
        let named = variables.iter().filter(|(_, value)| value == "CANARY-0001" || value == SECRET);
        assert_eq!(named.clone().count(), 2, "{provider}");
        for (name, _) in named {
            assert!(error.message().contains(name), "{error}: {name}");
        }
    }
}

#[test]
fn a_rejection_of_credentials_in_the_code_names_no_variable() {
    let answer = http::Response::builder().status(401).body(Bytes::new()).unwrap();
    let answer = TokenResponse::new(answer, SystemClock.wall());
    let host = || Endpoint::parse(NOWHERE).unwrap();
    let flows: [AnyFlow; 5] = [
        Arc::new(Digitalpaye::new(digitalpaye_auth::Credentials::new("id-1", SECRET).unwrap())),
        Arc::new(Digishare::new(digishare_auth::Credentials::new("id-1", SECRET).unwrap())),
        Arc::new(TresorPay::new(tresorpay_auth::Credentials::new("id-1", SECRET).unwrap())),
        Arc::new(Papaya::new(papaya_auth::Credentials::new("id-1", SECRET).unwrap(), host())),
        Arc::new(Manis::new(manis_auth::Credentials::new("id-1", SECRET).unwrap(), host())),
    ];
    for flow in flows {
        let error = flow.read(&answer).unwrap_err();
        let start = "credentials rejected (401): check the credentials that the program gave";
        assert!(error.message().starts_with(start), "{error}");
    }
}
