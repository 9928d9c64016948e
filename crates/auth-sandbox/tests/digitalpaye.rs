//! Digitalpaye, compared with its document.

// Test code outside a `#[test]` function, which the lint configuration does not recognise.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod common;

use base64::Engine as _;
use base64::prelude::{BASE64_STANDARD, BASE64_STANDARD_NO_PAD};
use common::{Call, api, basic, jwt, refused, right, start};

const MISSING: &str = "{\n    \"statusCode\": 400,\n    \"message\": \"BadRequestError\",\n    \"reason\": \"Les identifiants API (apikey et apisecret) sont requis.\"\n}";
const WRONG: &str = "{\n    \"statusCode\": 401,\n    \"message\": \"UnauthorizedError\",\n    \"reason\": \"Identifiants API incorrects. Veuillez vérifier votre clé API et votre secret.\"\n}";

#[tokio::test]
async fn the_documented_request_gets_the_documented_answer() {
    let sandbox = start().await;
    let digitalpaye = sandbox.digitalpaye();
    let reply = right(&digitalpaye).send(&digitalpaye).await;
    assert_eq!(reply.status, 200);
    assert_eq!(reply.header("content-type"), Some("application/json; charset=utf-8"));
    let json = reply.json();
    assert_eq!((&json["statusCode"], &json["message"]), (&200.into(), &"Successful".into()));
    let (header, claims) = jwt(&reply.token());
    assert_eq!((&header["alg"], &header["typ"]), (&"HS256".into(), &"JWT".into()));
    assert_eq!(claims["exp"].as_u64().unwrap() - claims["iat"].as_u64().unwrap(), 600);
    assert_eq!(claims["exp"], json["data"]["exp"]);
    assert_eq!(claims["companyId"].as_str().unwrap().len(), 36);
    // The document prints "statusCode" first, and four spaces in front of it.
    assert!(reply.text().starts_with("{\n    \"statusCode\": 200,"), "{}", reply.text());
}

#[tokio::test]
async fn missing_credentials_are_400_and_wrong_ones_401() {
    let sandbox = start().await;
    let digitalpaye = sandbox.digitalpaye();
    let call = || right(&digitalpaye);
    let auth = |value: &str| call().replace("Authorization", value);
    let credentials = digitalpaye.credentials();
    let pair = format!("{}:{}", credentials.id(), credentials.secret());
    let coded = |text: &str| format!("Basic {}", BASE64_STANDARD.encode(text));
    let unpadded = format!("Basic {}", BASE64_STANDARD_NO_PAD.encode(&pair));
    assert_ne!(unpadded, basic(&credentials), "the pair needs padding");
    refused(
        &digitalpaye,
        &[
            ("none", call().without("Authorization"), 400, MISSING),
            ("empty", auth(""), 400, MISSING),
            ("scheme alone", auth("Basic"), 400, MISSING),
            ("another scheme", auth("Bearer abc"), 400, MISSING),
            ("twice", call().header("Authorization", &basic(&credentials)), 400, MISSING),
            ("wrong secret", auth(&coded(&format!("{}:nope", credentials.id()))), 401, WRONG),
            ("wrong key", auth(&coded(&format!("nope:{}", credentials.secret()))), 401, WRONG),
            ("no colon", auth(&coded("nocolon")), 401, WRONG),
            ("no padding", auth(&unpadded), 401, WRONG),
            ("not base64", auth("Basic @@@@"), 401, WRONG),
            ("space before", auth(&basic(&credentials).replace(' ', "  ")), 401, WRONG),
            (
                "81 characters, as the document's own samples",
                auth(&format!("Basic {}=", "A".repeat(80))),
                401,
                WRONG,
            ),
        ],
    )
    .await;
}

#[tokio::test]
async fn the_environment_header_and_the_empty_body_are_required() {
    let sandbox = start().await;
    let digitalpaye = sandbox.digitalpaye();
    let call = || right(&digitalpaye);
    let cases = [
        ("no environment", call().without("X-Environment"), 400, "BadRequestError"),
        ("unknown one", call().replace("X-Environment", "production"), 400, "BadRequestError"),
        ("twice", call().header("X-Environment", "Production"), 400, "BadRequestError"),
        ("a body", call().body("x"), 400, "BadRequestError"),
        (
            "chunked",
            call().without_length().header("Transfer-Encoding", "chunked").body("0\r\n\r\n"),
            400,
            "BadRequestError",
        ),
        ("no length", call().without_length(), 411, "LengthRequiredError"),
        ("GET", call().method("GET"), 405, "MethodNotAllowedError"),
        ("too long", call().body(&"x".repeat(70_000)), 413, "PayloadTooLargeError"),
    ];
    for (what, call, status, message) in cases {
        let reply = call.send(&digitalpaye).await;
        assert_eq!(reply.status, status, "{what}");
        let json = reply.json();
        assert_eq!(json["statusCode"], status, "{what}");
        assert_eq!(json["message"], message, "{what}");
        assert!(!json["reason"].as_str().unwrap().is_empty(), "{what}");
    }
    assert_eq!(digitalpaye.counters().tokens_issued, 0);

    for target in ["/v1/auth/", "/V1/auth", "/v1/auth?x=1", "/auth", "/"] {
        let reply = call().target(target).send(&digitalpaye).await;
        assert_eq!(
            (reply.status, reply.json()["message"].as_str()),
            (404, Some("NotFoundError")),
            "{target}"
        );
    }
    assert_eq!(digitalpaye.counters().stray_requests, 5);
}

#[tokio::test]
async fn accepted_environments_can_be_chosen() {
    let sandbox = start().await;
    let digitalpaye = sandbox.digitalpaye();
    let test = || right(&digitalpaye).replace("X-Environment", "Sandbox");
    assert_eq!(test().send(&digitalpaye).await.status, 200);
    digitalpaye.accept_environments(["Production"]);
    assert_eq!(test().send(&digitalpaye).await.status, 400);
}

#[tokio::test]
async fn the_api_wants_the_token_and_the_environment_that_it_was_issued_for() {
    let sandbox = start().await;
    let digitalpaye = sandbox.digitalpaye();
    let token = right(&digitalpaye).send(&digitalpaye).await.token();
    let call = || api(&digitalpaye, &token);
    let none = Call::get("/v1/transactions").header("X-Environment", "Production");
    let cases = [
        (call(), 200),
        (call().without("X-Environment"), 400),
        (call().replace("X-Environment", "Sandbox"), 401),
        (none, 401),
        (api(&digitalpaye, "forged"), 401),
        (call().header("Authorization", "Bearer other"), 401),
        (call().method("DELETE"), 405),
    ];
    for (call, status) in cases {
        assert_eq!(call.send(&digitalpaye).await.status, status);
    }
    let counters = digitalpaye.counters();
    assert_eq!((counters.api_calls, counters.api_accepted, counters.api_rejected), (7, 1, 6));
}
