//! Digishare, compared with its document and Passport's bodies.

// Test code outside a `#[test]` function, which the lint configuration does not recognise.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod common;

use auth_sandbox::Fault;
use common::{api, jwt, refused, right, start};

const GRANT: &str = r#"{"error":"unsupported_grant_type","error_description":"The authorization grant type is not supported by the authorization server.","hint":"Check that all required parameters have been provided"}"#;
const CLIENT: &str =
    r#"{"error":"invalid_client","error_description":"Client authentication failed"}"#;
const BROKEN: &str = "{\n    \"message\": \"Bad request.\"\n}";

fn malformed(member: &str) -> String {
    format!(
        r#"{{"error":"invalid_request","error_description":"The request is missing a required parameter, includes an invalid parameter value, includes a parameter more than once, or is otherwise malformed.","hint":"Check the `{member}` parameter"}}"#
    )
}

#[tokio::test]
async fn the_documented_request_gets_the_documented_answer() {
    let sandbox = start().await;
    let digishare = sandbox.digishare();
    let reply = right(&digishare).send(&digishare).await;
    assert_eq!(reply.status, 200);
    assert_eq!(reply.header("content-type"), Some("application/json; charset=UTF-8"));
    assert_eq!(reply.header("cache-control"), Some("no-store"));
    assert_eq!(reply.header("pragma"), Some("no-cache"));
    let opening = r#"{"token_type":"Bearer","expires_in":31536000,"access_token":"ey"#;
    assert!(reply.text().starts_with(opening), "{}", reply.text());

    let (header, claims) = jwt(&reply.token());
    assert_eq!((&header["alg"], &header["typ"]), (&"RS256".into(), &"JWT".into()));
    assert_eq!(claims["aud"], digishare.credentials().id());
    assert_eq!(claims["sub"], claims["aud"], "as league/oauth2-server 9 does");
    for claim in ["iat", "nbf", "exp"] {
        assert!(claims[claim].is_f64(), "{claim} is {}", claims[claim]);
    }
    assert_eq!(&claims["scopes"], &serde_json::json!([]));
}

#[tokio::test]
async fn each_wrong_request_gets_passports_body() {
    let sandbox = start().await;
    let digishare = sandbox.digishare();
    let credentials = digishare.credentials();
    let (id, secret) = (credentials.id(), credentials.secret());
    let call = || right(&digishare);
    let body = |text: &str| call().body(&text.replace("$ID", id).replace("$SECRET", secret));
    let with = |members: &str| body(&format!(r#"{{"grant_type":"client_credentials",{members}}}"#));
    let form = format!("grant_type=client_credentials&client_id={id}&client_secret={secret}");
    let [no_id, no_secret, twice, bad_scope] =
        ["client_id", "client_secret", "client_id", "scope"].map(malformed);
    let scope = r#"{"error":"invalid_scope","error_description":"The requested scope is invalid, unknown, or malformed","hint":"Check the `campaigns:write` scope"}"#;
    refused(
        &digishare,
        &[
            ("no grant type", body(r#"{"client_id":"$ID","client_secret":"$SECRET"}"#), 400, GRANT),
            ("another grant type", body(r#"{"grant_type":"password","client_id":"$ID","client_secret":"$SECRET"}"#), 400, GRANT),
            ("a form", call().replace("Content-Type", "application/x-www-form-urlencoded").body(&form), 400, GRANT),
            ("no content type", call().without("Content-Type"), 400, GRANT),
            ("two content types", call().header("Content-Type", "application/json"), 400, GRANT),
            ("another charset", call().replace("Content-Type", "application/json; charset=latin1"), 400, GRANT),
            ("no JSON", body("{"), 400, BROKEN),
            ("a JSON text", body("\"x\""), 400, BROKEN),
            ("a JSON array", body("[]"), 400, GRANT),
            ("empty", body(""), 400, GRANT),
            ("no client id", with(r#""client_secret":"$SECRET""#), 400, &no_id),
            ("a number as client id", with(r#""client_id":1,"client_secret":"$SECRET""#), 400, &no_id),
            ("an empty secret", with(r#""client_id":"$ID","client_secret":"""#), 400, &no_secret),
            ("client id twice", with(r#""client_id":"$ID","client_id":"$ID","client_secret":"$SECRET""#), 400, &twice),
            ("no secret", with(r#""client_id":"$ID""#), 400, &no_secret),
            ("a wrong id and no secret", with(r#""client_id":"x""#), 401, CLIENT),
            ("a wrong secret", with(r#""client_id":"$ID","client_secret":"x""#), 401, CLIENT),
            ("a wrong id", with(r#""client_id":"x","client_secret":"$SECRET""#), 401, CLIENT),
            ("a scope", with(r#""client_id":"$ID","client_secret":"$SECRET","scope":"campaigns:write""#), 400, scope),
            ("scopes in a list", with(r#""client_id":"$ID","client_secret":"$SECRET","scope":[]"#), 400, &bad_scope),
            ("Basic as well", call().header("Authorization", "Basic eDp5"), 401, CLIENT),
            ("GET", call().method("GET"), 405, "{\n    \"message\": \"The GET method is not supported for route v1/oauth/token. Supported methods: POST.\"\n}"),
            ("too long", call().body(&"x".repeat(70_000)), 413, "{\n    \"message\": \"\"\n}"),
        ],
    )
    .await;
    let challenged = call().header("Authorization", "Basic eDp5").send(&digishare).await;
    assert_eq!(challenged.header("www-authenticate"), Some("Basic realm=\"OAuth\""));
}

#[tokio::test]
async fn who_does_not_ask_for_json_first_is_sent_to_the_login_page() {
    let sandbox = start().await;
    let digishare = sandbox.digishare();
    for accept in
        ["*/*", "text/html", "text/html, application/json", "application/json;q=0.5, text/html"]
    {
        let reply = right(&digishare).replace("Accept", accept).send(&digishare).await;
        assert_eq!(reply.status, 302, "{accept}");
        assert_eq!(
            reply.header("location"),
            Some(format!("{}/login", digishare.base_url()).as_str())
        );
        assert!(reply.header("content-type").unwrap().starts_with("text/html"));
    }
    assert_eq!(right(&digishare).without("Accept").send(&digishare).await.status, 302);
    for accept in [
        "application/json, text/html",
        "application/vnd.api+json",
        "text/html;q=0.5, application/json",
    ] {
        let reply = right(&digishare).replace("Accept", accept).send(&digishare).await;
        assert_eq!(reply.status, 200, "{accept}");
    }
}

#[tokio::test]
async fn the_api_takes_issued_and_personal_tokens() {
    let sandbox = start().await;
    let digishare = sandbox.digishare();
    let issued = right(&digishare).send(&digishare).await.token();
    let personal = digishare.personal_access_token();
    for token in [&issued, &personal] {
        assert_eq!(api(&digishare, token).send(&digishare).await.status, 200);
    }
    let replaced = digishare.rotate_personal_access_token();
    assert_eq!(api(&digishare, &replaced).send(&digishare).await.status, 200);
    let refused = api(&digishare, &personal).send(&digishare).await;
    assert_eq!((refused.status, refused.text()), (401, r#"{"message":"Unauthenticated."}"#));
    let login = api(&digishare, &personal).without("Accept").send(&digishare).await;
    assert_eq!(login.status, 302);
}

#[tokio::test]
async fn maintenance_is_laravels_own_answer() {
    let sandbox = start().await;
    let digishare = sandbox.digishare();
    digishare.inject(Fault::Status(503));
    let reply = right(&digishare).send(&digishare).await;
    assert_eq!(
        (reply.status, reply.text()),
        (503, "{\n    \"message\": \"Service Unavailable\"\n}")
    );
}
