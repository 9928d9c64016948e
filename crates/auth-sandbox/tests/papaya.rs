//! Papaya Global, compared with its document.

// Test code outside a `#[test]` function, which the lint configuration does not recognise.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod common;

use auth_sandbox::providers::ValidUntil;
use common::{api, jwt, refused, right, start};

const INVALID: &str = "{\n  \"error\": \"Invalid request\"\n}";

#[tokio::test]
async fn the_documented_request_gets_the_documented_answer() {
    let sandbox = start().await;
    let papaya = sandbox.papaya();
    let reply = right(&papaya).send(&papaya).await;
    assert_eq!((reply.status, reply.header("content-type")), (201, Some("application/json")));
    let (header, claims) = jwt(&reply.token());
    assert_eq!((&header["alg"], &header["kid"]), (&"RS256".into(), &"APIKEY0".into()));
    assert!(header["api_token_id"].is_string());
    assert_eq!(claims["sub"], "access");
    assert!(claims["user"]["email"].as_str().unwrap().ends_with("@example.com"));
    let (iat, exp) = (claims["iat"].as_i64().unwrap(), claims["exp"].as_i64().unwrap());
    assert_eq!(exp - iat, 86_400);

    let json = reply.json();
    let minute = jiff::Timestamp::from_second(exp - exp % 60).unwrap();
    let expected = minute.to_string().replace(":00Z", "Z");
    assert_eq!(json["valid_until"], expected, "cut to the minute");
    assert_eq!(json["token_name"].as_str().unwrap().len(), 36, "a random UUID");

    papaya.set_valid_until(ValidUntil::Seconds);
    let precise = right(&papaya).send(&papaya).await;
    let (_, claims) = jwt(&precise.token());
    let expected = jiff::Timestamp::from_second(claims["exp"].as_i64().unwrap()).unwrap();
    assert_eq!(precise.json()["valid_until"], expected.to_string());
}

#[tokio::test]
async fn a_token_carries_the_name_that_was_asked_for_and_names_are_remembered() {
    let sandbox = start().await;
    let papaya = sandbox.papaya();
    let named = |name: &str| {
        let credentials = papaya.credentials();
        right(&papaya).body(&format!(
            r#"{{"api_key":"{}","client_secret":"{}","token_name":"{name}"}}"#,
            credentials.id(),
            credentials.secret(),
        ))
    };
    assert_eq!(named("replica-1").send(&papaya).await.json()["token_name"], "replica-1");
    let random =
        right(&papaya).send(&papaya).await.json()["token_name"].as_str().unwrap().to_owned();
    named("replica-2").send(&papaya).await;
    assert_eq!(papaya.token_names(), ["replica-1".to_owned(), random, "replica-2".to_owned()]);
}

#[tokio::test]
async fn anything_missing_or_wrong_is_one_401_and_no_json_400() {
    let sandbox = start().await;
    let papaya = sandbox.papaya();
    let credentials = papaya.credentials();
    let (id, secret) = (credentials.id(), credentials.secret());
    let call = || right(&papaya);
    let body = |text: &str| call().body(&text.replace("$ID", id).replace("$SECRET", secret));
    let form = format!("api_key={id}&client_secret={secret}");
    let no_json = r#"{"error":"Bad Request","description":"body is not valid JSON","error_code":"PG-4000","sub_code":"001","error_info":{"field":"body"}}"#;
    refused(
        &papaya,
        &[
            ("no key", body(r#"{"client_secret":"$SECRET"}"#), 401, INVALID),
            ("no secret", body(r#"{"api_key":"$ID"}"#), 401, INVALID),
            ("wrong key", body(r#"{"api_key":"x","client_secret":"$SECRET"}"#), 401, INVALID),
            ("wrong secret", body(r#"{"api_key":"$ID","client_secret":"x"}"#), 401, INVALID),
            ("null", body(r#"{"api_key":"$ID","client_secret":null}"#), 401, INVALID),
            (
                "key twice",
                body(r#"{"api_key":"$ID","api_key":"$ID","client_secret":"$SECRET"}"#),
                401,
                INVALID,
            ),
            (
                "a number as name",
                body(r#"{"api_key":"$ID","client_secret":"$SECRET","token_name":7}"#),
                401,
                INVALID,
            ),
            ("an array", body(r#"["$ID","$SECRET"]"#), 401, INVALID),
            (
                "headers, as the prose says",
                call().header("api_key", id).header("client_secret", secret).body("{}"),
                401,
                INVALID,
            ),
            (
                "a form",
                call().replace("Content-Type", "application/x-www-form-urlencoded").body(&form),
                401,
                INVALID,
            ),
            ("no content type", call().without("Content-Type"), 401, INVALID),
            ("no JSON", body("{"), 400, no_json),
            ("empty", body(""), 400, no_json),
            ("PUT", call().method("PUT"), 405, r#"{"error":"Method Not Allowed"}"#),
            ("too long", call().body(&"x".repeat(70_000)), 413, r#"{"error":"Payload Too Large"}"#),
        ],
    )
    .await;
    assert!(papaya.token_names().is_empty());
    let stray = call().target("/v1/token").send(&papaya).await;
    assert_eq!((stray.status, stray.text()), (404, r#"{"error":"Not Found"}"#));
}

#[tokio::test]
async fn the_api_takes_the_token() {
    let sandbox = start().await;
    let papaya = sandbox.papaya();
    let token = right(&papaya).send(&papaya).await.token();
    assert_eq!(api(&papaya, &token).send(&papaya).await.status, 200);
    let refused = api(&papaya, "x").send(&papaya).await;
    assert_eq!((refused.status, refused.text()), (401, INVALID));
}
