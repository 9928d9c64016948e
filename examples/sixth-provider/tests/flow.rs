//! The flow over a real socket: the request, every documented response, and that none leaks a secret.

use std::error::Error as _;
use std::process::Command;
use std::time::Duration;

use auth_core::{Clock as _, ManualClock, RetryPolicy, TokenExchange as _};
use httpmock::{Method::POST, Mock, MockServer};
use sahelpay_auth::ErrorKind::{
    self, Config, Credentials, Protocol, RateLimited, Request, Unavailable,
};
use sahelpay_auth::{CachedTokenSource, Env, Error, SahelPay};

const KEY: &str = "made-up-key-0001";
const SECRET: &str = "made-up-secret";
const GRANTED: &str = r#"{"token":"made-up-token","valid_for":1800}"#;

/// Responses of SahelPay, and of gateways in between, and what each must become: a token with this
/// lifetime in seconds, or an error.
const ANSWERS: [(u16, &str, Result<u64, ErrorKind>); 20] = [
    (201, GRANTED, Ok(1_800)),
    (200, GRANTED, Ok(1_800)),
    (201, r#"{"token":"made-up-token","valid_for":"1800","more":[]}"#, Ok(1_800)),
    (201, r#"{"token":"made-up-token"}"#, Ok(300)), // not stated: five minutes
    (201, r#"{"token":"made-up-token","valid_for":0}"#, Err(Protocol)),
    (201, r#"{"token":"","valid_for":1800}"#, Err(Protocol)),
    (201, r#"{"token":{"made-up-token":1800}}"#, Err(Protocol)),
    (201, r#"["made-up-token",1800]"#, Err(Protocol)),
    (201, "<html>Log in to this network: made-up-token</html>", Err(Protocol)),
    (204, "", Err(Protocol)),
    (302, "", Err(Protocol)),
    (400, r#"{"code":"unknown_app","message":"no app made-up-key-0001"}"#, Err(Credentials)),
    (400, r#"{"code":"malformed","message":"app_secret=made-up-secret"}"#, Err(Request)),
    (401, r#"{"code":"wrong_secret","message":"not made-up-secret"}"#, Err(Credentials)),
    (401, "", Err(Credentials)),
    (403, r#"{"code":"address_not_listed","message":"192.0.2.1"}"#, Err(Request)),
    (403, "<html>Blocked: made-up-secret</html>", Err(Protocol)),
    (429, r#"{"code":"slow_down","message":"made-up-secret"}"#, Err(RateLimited)),
    (500, r#"{"code":["made-up-secret"],"message":7}"#, Err(Unavailable)),
    (503, "made-up-secret", Err(Unavailable)),
];

fn flow(server: &MockServer) -> SahelPay {
    let variables = [
        ("SAHELPAY_APP_KEY", KEY.to_owned()),
        ("SAHELPAY_APP_SECRET", SECRET.to_owned()),
        ("SAHELPAY_BASE_URL", server.base_url()),
    ];
    SahelPay::read_env(&Env::from_pairs(variables)).unwrap()
}

async fn answering<'a>(server: &'a MockServer, status: u16, body: &str) -> Mock<'a> {
    let answer = |when: httpmock::When, then: httpmock::Then| {
        when.method(POST).path("/v2/sessions");
        then.status(status).header("content-type", "application/json").body(body);
    };
    server.mock_async(answer).await
}

/// Every text that an error has.
fn texts(error: &Error) -> String {
    let mut texts = format!("{error} {error:?} {error:#?}");
    let mut cause = error.source();
    while let Some(inner) = cause {
        texts += &format!(" {inner} {inner:?}");
        cause = inner.source();
    }
    texts
}

#[tokio::test]
async fn the_request_is_the_documented_one_and_the_token_is_kept() {
    let server = MockServer::start_async().await;
    let mock = server
        .mock_async(|when, then| {
            when.method(POST)
                .path("/v2/sessions")
                .header("accept", "application/json")
                .header("content-type", "application/json")
                .body(
                    r#"{"app_key":"made-up-key-0001","app_secret":"made-up-secret","branch":"bamako-1"}"#,
                );
            then.status(201).header("content-type", "application/json").body(GRANTED);
        })
        .await;
    let tokens = CachedTokenSource::new(flow(&server).branch("bamako-1")).unwrap();
    for _ in 0..2 {
        assert_eq!(tokens.token().await.unwrap().authorization(), "Bearer made-up-token");
    }
    mock.assert_calls_async(1).await;
}

#[tokio::test]
async fn every_answer_becomes_what_it_should_and_shows_no_secret() {
    let server = MockServer::start_async().await;
    for (status, body, expected) in ANSWERS {
        let mock = answering(&server, status, body).await;
        let clock = ManualClock::default();
        let source = CachedTokenSource::builder(flow(&server)).clock(clock.clone());
        let tokens = source.retry_policy(RetryPolicy::never()).build().unwrap();
        let found = match tokens.token().await {
            Ok(token) => {
                let ends = token.expires_at().unwrap();
                Ok(ends.duration_since(clock.wall()).unwrap().as_secs())
            }
            Err(error) => {
                let texts = texts(&error);
                assert!(!texts.contains("made-up"), "{status} {body}: {texts}");
                Err(error.kind())
            }
        };
        assert_eq!(found, expected, "{status} {body}");
        mock.delete_async().await;
    }
}

#[tokio::test]
async fn a_hundred_callers_cost_one_request() {
    let server = MockServer::start_async().await;
    let mock = server
        .mock_async(|when, then| {
            when.method(POST);
            then.status(201).delay(Duration::from_millis(50)).body(GRANTED);
        })
        .await;
    let tokens = CachedTokenSource::new(flow(&server)).unwrap();
    let mut callers = tokio::task::JoinSet::new();
    for _ in 0..100 {
        let tokens = tokens.clone();
        callers.spawn(async move { tokens.token().await });
    }
    for outcome in callers.join_all().await {
        outcome.unwrap();
    }
    mock.assert_calls_async(1).await;
}

#[tokio::test]
async fn a_refusal_says_what_to_check_and_keeps_the_providers_words() {
    let server = MockServer::start_async().await;
    let body = r#"{"code":"wrong_secret","message":"made-up-secret is not right"}"#;
    let mock = answering(&server, 401, body).await;
    let error = CachedTokenSource::new(flow(&server)).unwrap().token().await.unwrap_err();
    let text = error.to_string();
    let start = "sahelpay: credentials rejected (401 wrong_secret): check SAHELPAY_APP_KEY and ";
    assert!(text.starts_with(start), "{text}");
    assert_eq!(error.code(), Some("wrong_secret"));
    assert_eq!(error.description(), Some("[redacted] is not right"));
    mock.assert_calls_async(1).await; // not tried again
}

#[test]
fn half_an_environment_names_what_is_missing_and_shows_no_value() {
    let half = [("SAHELPAY_APP_SECRET", SECRET), ("SAHELPAY_BASE_URL", "http://made-up.example")];
    let error = SahelPay::read_env(&Env::from_pairs(half)).unwrap_err();
    let texts = texts(&error);
    assert_eq!(error.kind(), Config);
    assert!(texts.contains("set SAHELPAY_APP_KEY (or SAHELPAY_APP_KEY_FILE)"), "{texts}");
    assert!(texts.contains("SAHELPAY_BASE_URL: the endpoint URL is plain http"), "{texts}");
    assert!(!texts.contains("made-up"), "{texts}");
}

#[tokio::test]
async fn tokens_of_a_branch_are_not_those_of_the_company() {
    let server = MockServer::start_async().await;
    let company = flow(&server);
    assert_eq!(company.identity(), company.clone().identity());
    assert_ne!(company.identity(), company.clone().branch("bamako-1").identity());
}

#[tokio::test]
async fn neither_debug_nor_the_program_shows_a_secret_or_the_token() {
    let server = MockServer::start_async().await;
    let _mock = answering(&server, 201, GRANTED).await;
    let flow = format!("{:?}", flow(&server));
    assert!(flow.contains("127.0.0.1") && !flow.contains("made-up"), "{flow}");

    let output = Command::new(env!("CARGO_BIN_EXE_sahelpay-auth"))
        .env("SAHELPAY_APP_KEY", KEY)
        .env("SAHELPAY_APP_SECRET", SECRET)
        .env("SAHELPAY_BASE_URL", server.base_url())
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && text.starts_with("sahelpay: Fresh"), "{text}");
    assert!(!text.contains("made-up"), "{text}");
}
