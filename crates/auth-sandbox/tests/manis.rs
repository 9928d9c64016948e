//! Manis, compared with its document.

// Test code outside a `#[test]` function, which the lint configuration does not recognise.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod common;

use auth_sandbox::providers::{BadRequestShape, ExpiresAtUnit};
use common::{api, jwt, right, start};

#[tokio::test]
async fn the_documented_request_gets_the_documented_answer() {
    let sandbox = start().await;
    let manis = sandbox.manis();
    let reply = right(&manis).send(&manis).await;
    assert_eq!((reply.status, reply.header("content-type")), (200, Some("application/json")));
    let json = reply.json();
    assert_eq!(json["tokenType"], "Bearer");
    let (header, claims) = jwt(&reply.token());
    assert_eq!(header["alg"], "HS256");
    assert_eq!(json["expiresAt"], claims["exp"]);
    assert_eq!(claims["exp"].as_u64().unwrap() - claims["iat"].as_u64().unwrap(), 3600);
    assert_eq!(claims["sub"], manis.credentials().id());
}

#[tokio::test]
async fn expires_at_counts_in_the_unit_that_was_chosen() {
    let sandbox = start().await;
    let manis = sandbox.manis();
    manis.set_expires_at_unit(ExpiresAtUnit::Millis);
    let reply = right(&manis).send(&manis).await;
    let (_, claims) = jwt(&reply.token());
    assert_eq!(reply.json()["expiresAt"].as_u64(), claims["exp"].as_u64().map(|exp| exp * 1000));
    manis.set_expires_at_unit(ExpiresAtUnit::Relative);
    assert_eq!(right(&manis).send(&manis).await.json()["expiresAt"], 3600);
    assert!(manis.env().contains(&("MANIS_EXPIRES_AT_UNIT", "relative".to_owned())));
}

#[tokio::test]
async fn a_missing_header_is_400_and_a_wrong_one_401() {
    let sandbox = start().await;
    let manis = sandbox.manis();
    let call = || right(&manis);
    let id = manis.credentials().id().to_owned();
    let cases = [
        ("no id", call().without("x-merchant-id"), 400, "x-merchant-id header is required"),
        ("no secret", call().without("x-secret"), 400, "x-secret header is required"),
        ("an empty secret", call().replace("x-secret", ""), 400, "x-secret header is required"),
        (
            "id twice",
            call().header("x-merchant-id", &id),
            400,
            "x-merchant-id header must stand once, in ASCII",
        ),
        ("a body", call().body("{}"), 400, "the body must be empty"),
        ("wrong id", call().replace("x-merchant-id", "x"), 401, "Invalid merchant credentials"),
        ("wrong secret", call().replace("x-secret", "x"), 401, "Invalid merchant credentials"),
        ("no length", call().without_length(), 411, "Content-Length header is required"),
        ("GET", call().method("GET"), 405, "Method Not Allowed"),
        ("too long", call().body(&"x".repeat(70_000)), 413, "Payload Too Large"),
    ];
    for (what, call, status, message) in &cases {
        let reply = call.send(&manis).await;
        let json = reply.json();
        assert_eq!((reply.status, json["message"].as_str()), (*status, Some(*message)), "{what}");
        assert_eq!(json["timestamp"].as_str().unwrap().len(), "2026-01-01".len(), "{what}");
        assert_eq!(json.as_object().unwrap().len(), 2, "{what}");
    }
    let counters = manis.counters();
    assert_eq!((counters.rejected, counters.tokens_issued), (cases.len() as u64, 0));
    assert_eq!(call().target("/v1/auth/token").send(&manis).await.status, 404);
}

#[tokio::test]
async fn a_400_can_take_the_shape_of_the_prose() {
    let sandbox = start().await;
    let manis = sandbox.manis();
    manis.set_bad_request_shape(BadRequestShape::Prose);
    let json = right(&manis).without("x-secret").send(&manis).await.json();
    let keys: Vec<_> = json.as_object().unwrap().keys().cloned().collect();
    assert_eq!(keys, ["detail", "soaCode", "status", "timestamp", "title", "type"]);
    assert_eq!(json["status"], 400);
    let timestamp = json["timestamp"].as_str().unwrap();
    assert_eq!(timestamp.len(), "2026-01-01T00:00:00.000Z".len(), "{timestamp}");
    assert!(timestamp.parse::<jiff::Timestamp>().is_ok(), "{timestamp}");
}

#[tokio::test]
async fn the_api_takes_the_token() {
    let sandbox = start().await;
    let manis = sandbox.manis();
    let token = right(&manis).send(&manis).await.token();
    assert_eq!(api(&manis, &token).send(&manis).await.status, 200);
    assert_eq!(api(&manis, "x").send(&manis).await.status, 401);
    assert_eq!(api(&manis, &token).method("POST").send(&manis).await.status, 405);
}
