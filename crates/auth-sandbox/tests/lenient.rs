//! Requests that real servers accept although their documents do not show them.

// Test code outside a `#[test]` function, which the lint configuration does not recognise.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod common;

use auth_sandbox::{Handle, Sandbox};
use common::{Call, api, basic, right, start};

/// Requests that a document does not describe, each with its remark, if any.
fn undescribed(sandbox: &Sandbox) -> Vec<(&'static str, Handle, Call, Option<&'static str>)> {
    const FORM: &str = "application/x-www-form-urlencoded";
    let (digitalpaye, digishare) = (sandbox.digitalpaye().any(), sandbox.digishare().any());
    let manis = sandbox.manis().any();
    let credentials = digishare.credentials();
    let (id, secret) = (credentials.id(), credentials.secret());
    let grant = "grant_type=client_credentials";
    let form = right(&digishare).replace("Content-Type", FORM);
    let in_form = form.clone().body(&format!("{grant}&client_id={id}&client_secret={secret}"));
    let in_header = form.body(grant).header("Authorization", &basic(&credentials));
    let basic_and_json = right(&digishare)
        .body(r#"{"grant_type":"client_credentials"}"#)
        .header("Authorization", &basic(&credentials));
    vec![
        (
            "no environment",
            digitalpaye.clone(),
            right(&digitalpaye).without("X-Environment"),
            Some("X-Environment"),
        ),
        ("no length", digitalpaye.clone(), right(&digitalpaye).without_length(), None),
        ("a form", digishare.clone(), in_form, Some("reads a form")),
        ("Basic and a form", digishare.clone(), in_header, Some("reads Basic")),
        ("Basic and JSON", digishare.clone(), basic_and_json, Some("reads Basic")),
        ("no Accept", digishare.clone(), right(&digishare).without("Accept"), Some("Accept")),
        ("{}", manis.clone(), right(&manis).body("{}"), Some("without a body")),
        ("no length", manis.clone(), right(&manis).without_length(), None),
    ]
}

#[tokio::test]
async fn what_the_real_servers_take_is_taken_and_remarked_on() {
    let sandbox = Sandbox::start().await.unwrap();
    for (what, handle, call, remark) in undescribed(&sandbox) {
        let name = handle.provider();
        assert_eq!(call.send(&handle).await.status, 200, "{name}: {what}");
        if let Some(remark) = remark {
            let remarks = handle.remarks();
            assert!(remarks.iter().any(|it| it.contains(remark)), "{name}: {what}: {remarks:?}");
        }
    }
    assert_eq!(sandbox.digishare().remarks().len(), 3, "each once");
}

#[tokio::test]
async fn a_strict_sandbox_refuses_the_same_requests() {
    let sandbox = start().await;
    for (what, handle, call, _) in undescribed(&sandbox) {
        let reply = call.send(&handle).await;
        assert_ne!(reply.status, 200, "{}: {what}", handle.provider());
        assert!(handle.remarks().is_empty(), "{}: {what}", handle.provider());
    }
}

#[tokio::test]
async fn the_documented_request_earns_no_remark() {
    let sandbox = Sandbox::start().await.unwrap();
    for handle in sandbox.handles() {
        let token = right(&handle).send(&handle).await.token();
        assert_eq!(api(&handle, &token).send(&handle).await.status, 200);
        assert!(handle.remarks().is_empty(), "{}", handle.provider());
    }
}

#[tokio::test]
async fn wrong_credentials_are_refused_however_they_come() {
    let sandbox = Sandbox::start().await.unwrap();
    let digishare = sandbox.digishare();
    let call = right(&digishare)
        .body(r#"{"grant_type":"client_credentials"}"#)
        .header("Authorization", "Basic eDp5");
    let reply = call.send(&digishare).await;
    assert_eq!(reply.status, 401);
    assert_eq!(reply.header("www-authenticate"), Some("Basic realm=\"OAuth\""));
    // The body overrides the header.
    let both = right(&digishare).header("Authorization", "Basic eDp5");
    assert_eq!(both.send(&digishare).await.status, 200);
}

#[tokio::test]
async fn a_token_without_an_environment_opens_the_api_without_one() {
    let sandbox = Sandbox::start().await.unwrap();
    let digitalpaye = sandbox.digitalpaye();
    let token = right(&digitalpaye).without("X-Environment").send(&digitalpaye).await.token();
    let call = api(&digitalpaye, &token);
    assert_eq!(call.clone().without("X-Environment").send(&digitalpaye).await.status, 200);
    assert_eq!(call.send(&digitalpaye).await.status, 200);
}
