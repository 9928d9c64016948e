//! Nothing secret is said: every line that any crate of the process logs at TRACE, and every text
//! of every error, is searched for every secret and token in every form.

#![allow(clippy::unwrap_used)] // helpers of tests are not seen as tests

use std::error::Error as _;
use std::io::Write;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use auth_sandbox::{CannedResponse, Fault, Handle, Provider, RetryAfter, Sandbox};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use provider_auth::core::{
    CachedTokenSource, Env, Error, ExposeSecret, RetryPolicy, TokenExchange,
};
use provider_auth::{digishare, digitalpaye, manis, papaya, tresorpay};

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Everything that a flow says over a success and a row of failures, and the tokens it got.
async fn say<E: TokenExchange + Clone + std::fmt::Debug>(
    flow: E,
    handle: &Handle,
    said: &mut String,
    tokens: &mut Vec<String>,
) {
    said.push_str(&format!(
        "{flow:?} {flow:#?} {:?} {:?}",
        flow.identity(),
        flow.request().unwrap().headers()
    ));
    let source = CachedTokenSource::builder(flow.clone()).build();
    let source = source.unwrap();
    let token = source.token().await.unwrap();
    tokens.push(token.secret().expose_secret().to_owned());
    said.push_str(&format!("{token:?} {token:#?} {source:?} {:?}", token.authorization()));

    let secret = handle.credentials().secret().to_owned();
    let echo = format!(
        r#"{{"error":"{secret}","message":"{secret}","reason":"{secret}","detail":"{secret}","error_description":"{secret}"}}"#
    );
    let echo =
        |status| Fault::Response(CannedResponse::new(status).body(echo.clone().into_bytes()));
    for fault in [
        Fault::Status(400),
        Fault::Status(401),
        Fault::Status(500),
        Fault::RetryAfter { status: 429, after: RetryAfter::In(Duration::from_secs(1)) },
        Fault::Redirect { status: 307, location: format!("https://h.example/?s={secret}") },
        echo(200),
        echo(400),
        echo(401),
        Fault::Reset,
        Fault::Close,
        Fault::Truncate,
        Fault::Garbage(secret.clone().into_bytes()),
        Fault::Oversize { bytes: 100_000 },
        Fault::Gzip,
        Fault::CaptivePortal,
        Fault::Firewall,
        Fault::Expired(Duration::from_secs(60)),
    ] {
        handle.inject(fault);
        let source = CachedTokenSource::builder(flow.clone()).retry(RetryPolicy::never()).build();
        let error = source.unwrap().token().await.unwrap_err();
        said.push_str(&texts(&error));
    }
    handle.clear_faults();
}

fn texts(error: &Error) -> String {
    let mut texts = format!("{error} {error:?} {error:#?} {:?}", error.description());
    let mut cause = error.source();
    while let Some(inner) = cause {
        texts.push_str(&format!("{inner} {inner:?}"));
        cause = inner.source();
    }
    texts
}

#[tokio::test]
async fn no_secret_and_no_token_is_said_anywhere() {
    let log = Log::default();
    let writer = log.clone();
    tracing_subscriber::fmt()
        .with_max_level(tracing_subscriber::filter::LevelFilter::TRACE)
        .with_writer(move || writer.clone())
        .init();
    let sandbox = Sandbox::builder().strict(true).start().await.unwrap();
    let (mut said, mut secrets) = (String::new(), Vec::new());
    for handle in sandbox.handles() {
        let env = Env::from_pairs(handle.env());
        let (handle, said, tokens) = (&handle, &mut said, &mut secrets);
        match handle.provider() {
            Provider::Digitalpaye => {
                say(digitalpaye::Digitalpaye::read_env(&env).unwrap(), handle, said, tokens).await;
            }
            Provider::Digishare => {
                say(digishare::Digishare::read_env(&env).unwrap(), handle, said, tokens).await;
            }
            Provider::TresorPay => {
                let flow = tresorpay::TresorPay::read_env(&env).unwrap();
                say(flow.clone(), handle, said, tokens).await;
                let basic = flow.client_auth(tresorpay::ClientAuth::Basic);
                say(basic, handle, said, tokens).await;
            }
            Provider::Papaya => {
                say(papaya::Papaya::read_env(&env).unwrap(), handle, said, tokens).await;
            }
            Provider::Manis => {
                say(manis::Manis::read_env(&env).unwrap(), handle, said, tokens).await;
            }
            other => unreachable!("{other}"),
        }
        secrets.push(handle.credentials().secret().to_owned());
        secrets.push(handle.credentials().id().to_owned());
        let pair = format!("{}:{}", handle.credentials().id(), handle.credentials().secret());
        secrets.push(pair);
    }
    let log = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    assert!(log.contains("token granted") && log.contains("hyper"), "the log is not captured");
    for secret in secrets {
        let hex: String = secret.bytes().map(|byte| format!("{byte:02x}")).collect();
        let forms = [STANDARD_NO_PAD.encode(&secret), URL_SAFE_NO_PAD.encode(&secret), hex, secret];
        for (place, text) in [("the log", &log), ("an error or Debug", &said)] {
            for form in &forms {
                assert!(!text.contains(form.as_str()), "{place} says {form}");
            }
        }
    }
    assert!(!log.contains("eyJ") && !said.contains("eyJ"), "a token is said");
}
