//! TresorPay, compared with Keycloak's bodies.

// Test code outside a `#[test]` function, which the lint configuration does not recognise.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod common;

use auth_sandbox::Credentials;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use common::{Call, api, jwt, refused, right, start};

const NO_GRANT: &str =
    r#"{"error":"invalid_request","error_description":"Missing form parameter: grant_type"}"#;
const TWICE: &str = r#"{"error":"invalid_request","error_description":"duplicated parameter"}"#;
const SECRET: &str = r#"{"error":"unauthorized_client","error_description":"Invalid client or Invalid client credentials"}"#;
const CLIENT: &str = r#"{"error":"invalid_client","error_description":"Invalid client or Invalid client credentials"}"#;

#[tokio::test]
async fn a_client_credentials_request_gets_keycloaks_answer() {
    let sandbox = start().await;
    let tresorpay = sandbox.tresorpay();
    let reply = right(&tresorpay).send(&tresorpay).await;
    assert_eq!((reply.status, reply.header("content-type")), (200, Some("application/json")));
    assert_eq!(reply.header("cache-control"), Some("no-store"));
    assert_eq!(reply.header("pragma"), Some("no-cache"));
    let ending = r#"","expires_in":300,"refresh_expires_in":0,"token_type":"Bearer","not-before-policy":0,"scope":"profile email tresorpay"}"#;
    assert!(reply.text().ends_with(ending), "{}", reply.text());

    let (header, claims) = jwt(&reply.token());
    assert_eq!((&header["alg"], header["kid"].is_string()), (&"RS256".into(), true));
    assert_eq!(claims["exp"].as_u64().unwrap() - claims["iat"].as_u64().unwrap(), 300);
    assert_eq!(claims["iss"], format!("{}/realms/tresorpay", tresorpay.base_url()));
    let id = tresorpay.credentials().id().to_owned();
    assert_eq!((&claims["azp"], &claims["client_id"]), (&id.as_str().into(), &id.as_str().into()));
    assert_eq!(claims["preferred_username"], format!("service-account-{id}"));
    assert_eq!(claims["clientAddress"], "127.0.0.1");
    let names = claims.as_object().unwrap().len();
    assert_eq!(names, 16, "the claims of a Keycloak service account: {claims}");
}

#[tokio::test]
async fn an_id_token_comes_with_openid_alone() {
    let sandbox = start().await;
    let tresorpay = sandbox.tresorpay();
    let body = |scope: &str| {
        let credentials = tresorpay.credentials();
        let (id, secret) = (credentials.id(), credentials.secret());
        right(&tresorpay).body(&format!(
            "grant_type=client_credentials&client_id={id}&client_secret={secret}{scope}"
        ))
    };
    let plain = body("").send(&tresorpay).await.json();
    assert_eq!((plain["scope"].as_str(), plain.get("id_token")), (Some("profile email"), None));
    let openid = body("&scope=openid").send(&tresorpay).await.json();
    assert_eq!(openid["scope"], "openid profile email");
    let (_, claims) = jwt(openid["id_token"].as_str().unwrap());
    assert_eq!(claims["typ"], "ID");
}

#[tokio::test]
async fn each_wrong_request_gets_keycloaks_body() {
    let sandbox = start().await;
    let tresorpay = sandbox.tresorpay();
    let credentials = tresorpay.credentials();
    let (id, secret) = (credentials.id(), credentials.secret());
    let call = || right(&tresorpay);
    let form = |text: &str| call().body(&text.replace("$ID", id).replace("$SECRET", secret));
    let grant = |text: &str| form(&format!("grant_type=client_credentials&{text}"));
    let basic = |pair: &str| format!("Basic {}", BASE64_STANDARD.encode(pair));
    let right_basic = basic(&format!("{id}:{secret}"));
    let no_secret = r#"{"error":"unauthorized_client","error_description":"Client secret not provided in request"}"#;
    let no_client =
        r#"{"error":"invalid_client","error_description":"Missing client_id parameter"}"#;
    let scope =
        r#"{"error":"invalid_scope","error_description":"Invalid scopes: tresorpay admin"}"#;
    let grant_type =
        r#"{"error":"unsupported_grant_type","error_description":"Unsupported grant_type"}"#;
    let media = r#"{"error":"HTTP 415 Unsupported Media Type"}"#;
    refused(
        &tresorpay,
        &[
            (
                "the document's own curl",
                form("client_scope=tresorpay&client_id=$ID&client_secret=$SECRET"),
                400,
                NO_GRANT,
            ),
            ("no content type", call().without("Content-Type"), 400, NO_GRANT),
            ("JSON", call().replace("Content-Type", "application/json").body("{}"), 415, media),
            ("two content types", call().header("Content-Type", "text/plain"), 415, media),
            (
                "another grant type",
                form("grant_type=password&client_id=$ID&client_secret=$SECRET"),
                400,
                grant_type,
            ),
            ("grant type before client", form("grant_type=password&client_id=x"), 400, grant_type),
            ("no client", grant("client_secret=$SECRET"), 400, no_client),
            ("no secret", grant("client_id=$ID"), 401, no_secret),
            ("unknown client", grant("client_id=x&client_secret=$SECRET"), 401, CLIENT),
            ("wrong secret", grant("client_id=$ID&client_secret=x"), 401, SECRET),
            (
                "client before duplicates",
                grant("client_id=$ID&client_secret=x&scope=openid&scope=openid"),
                401,
                SECRET,
            ),
            (
                "scope twice",
                grant("client_id=$ID&client_secret=$SECRET&scope=openid&scope=email"),
                400,
                TWICE,
            ),
            (
                "grant type twice",
                grant("grant_type=client_credentials&client_id=$ID&client_secret=$SECRET"),
                400,
                TWICE,
            ),
            (
                "duplicates before scope",
                grant("client_id=$ID&client_secret=$SECRET&scope=x&scope=y"),
                400,
                TWICE,
            ),
            (
                "an unknown scope",
                grant("client_id=$ID&client_secret=$SECRET&scope=tresorpay+admin"),
                400,
                scope,
            ),
            (
                "form and Basic at once",
                grant("client_id=$ID&client_secret=$SECRET").header("Authorization", &right_basic),
                400,
                TWICE,
            ),
            (
                "wrong secret as Basic",
                grant("x=y").header("Authorization", &basic(&format!("{id}:x"))),
                401,
                SECRET,
            ),
            ("garbled Basic", grant("x=y").header("Authorization", "Basic @@"), 401, ""),
            ("GET", call().method("GET"), 405, r#"{"error":"HTTP 405 Method Not Allowed"}"#),
            (
                "too long",
                call().body(&"x".repeat(70_000)),
                413,
                r#"{"error":"HTTP 413 Payload Too Large"}"#,
            ),
        ],
    )
    .await;
    let garbled = grant("x=y").header("Authorization", "Negotiate abc").send(&tresorpay).await;
    assert_eq!(garbled.header("www-authenticate"), Some("Basic realm=\"tresorpay\""));
}

#[tokio::test]
async fn basic_credentials_are_form_urlencoded_inside() {
    let sandbox = start().await;
    let tresorpay = sandbox.tresorpay();
    tresorpay.accept(Credentials::new("user", "secret/with=special?character"));
    let call = right(&tresorpay).body("grant_type=client_credentials&scope=tresorpay");
    // Keycloak's own test vector.
    let vector = "Basic dXNlcjpzZWNyZXQlMkZ3aXRoJTNEc3BlY2lhbCUzRmNoYXJhY3Rlcg==";
    let with = |value: &str| call.clone().header("Authorization", value);
    assert_eq!(with(vector).send(&tresorpay).await.status, 200);
    let raw = format!("Basic {}", BASE64_STANDARD.encode("user:secret/with=special?character"));
    assert_eq!(with(&raw).send(&tresorpay).await.status, 401);
}

#[tokio::test]
async fn realms_and_paths_that_are_not_there_are_404_and_html_on_request() {
    let sandbox = start().await;
    let tresorpay = sandbox.tresorpay();
    let realm = r#"{"error":"Realm does not exist"}"#;
    let path = r#"{"error":"HTTP 404 Not Found"}"#;
    let cases = [
        ("/realms/other/protocol/openid-connect/token", realm),
        ("/realms/tresorpay/protocol/openid-connect/tokens", path),
        ("/auth/realms/tresorpay/protocol/openid-connect/token", path),
        ("/realms/tresorpay/protocol/openid-connect/token?x=1", path),
    ];
    for (target, body) in cases {
        let reply = right(&tresorpay).target(target).send(&tresorpay).await;
        assert_eq!((reply.status, reply.text()), (404, body), "{target}");
        let html = right(&tresorpay).target(target).header("Accept", "text/html, */*");
        let reply = html.send(&tresorpay).await;
        assert!(reply.text().contains("Page not found"), "{target}");
    }
    let oauth = right(&tresorpay).header("Accept", "text/html").body("").send(&tresorpay).await;
    assert_eq!(oauth.text(), NO_GRANT, "errors of a grant are always JSON");
}

#[tokio::test]
async fn the_api_takes_the_token() {
    let sandbox = start().await;
    let tresorpay = sandbox.tresorpay();
    let token = right(&tresorpay).send(&tresorpay).await.token();
    assert_eq!(api(&tresorpay, &token).send(&tresorpay).await.status, 200);
    let refused = Call::get("/api/public/v1/ping").send(&tresorpay).await;
    assert_eq!(refused.status, 401);
    assert_eq!(refused.header("content-type"), Some("application/problem+json"));
    assert_eq!(refused.json()["message"], "error.http.401");
}
