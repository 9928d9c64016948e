//! Setting up `ReqwestClient` when something is missing: root certificates, a driver.

#![allow(clippy::unwrap_used, clippy::panic, clippy::disallowed_methods)] // a test that cannot go on panics

use std::process::Command;
use std::time::Duration;

use auth_core::{
    Clock as _, Endpoint, Error, ErrorKind, HttpClient as _, HttpResponse, ReqwestClient,
    SystemClock, TokenRequest,
};
use auth_tests::{Server, response};
use base64::Engine as _;

async fn send(endpoint: &Endpoint) -> Result<HttpResponse, Error> {
    let client = ReqwestClient::configure(|builder| builder)?;
    client.send(TokenRequest::post(endpoint).empty()?).await
}

/// The part of the next test that runs in a process whose certificate bundle is missing at first.
#[test]
fn in_a_process_without_roots() {
    let Some(bundle) = std::env::var_os("AUTH_TEST_BUNDLE") else { return };
    for _ in 0..2 {
        let error = ReqwestClient::shared().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config);
        for word in ["ca-certificates", "SSL_CERT_FILE"] {
            assert!(error.to_string().contains(word), "{error}");
        }
    }
    let key = rcgen::KeyPair::generate().unwrap();
    let root = rcgen::CertificateParams::new(Vec::new()).unwrap().self_signed(&key).unwrap();
    let text = base64::engine::general_purpose::STANDARD.encode(root.der());
    let pem = format!("-----BEGIN CERTIFICATE-----\n{text}\n-----END CERTIFICATE-----\n");
    std::fs::write(bundle, pem).unwrap();
    ReqwestClient::shared().unwrap();
}

#[test]
fn a_certificate_bundle_that_is_installed_later_is_found() {
    let bundle = std::env::temp_dir().join(format!("auth-roots-{}.pem", std::process::id()));
    let _ = std::fs::remove_file(&bundle);
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "in_a_process_without_roots", "--nocapture"])
        .env("AUTH_TEST_BUNDLE", &bundle)
        .env("SSL_CERT_FILE", &bundle)
        .env_remove("SSL_CERT_DIR")
        .output()
        .unwrap();
    let _ = std::fs::remove_file(&bundle);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// The part of the next test that runs in a process without a certificate bundle.
#[test]
fn over_plain_http_without_roots() {
    let Some(endpoint) = std::env::var_os("AUTH_TEST_PLAIN") else { return };
    let endpoint = Endpoint::parse(endpoint.to_str().unwrap()).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let tokens = auth_core::CachedTokenSource::new(Plain(endpoint)).unwrap();
    runtime.block_on(tokens.token()).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn plain_http_to_this_machine_needs_no_roots() {
    let server = Server::answering(response(200, &[], b"{}")).await;
    let mut command = Command::new(std::env::current_exe().unwrap());
    command
        .args(["--exact", "over_plain_http_without_roots", "--nocapture"])
        .env("AUTH_TEST_PLAIN", server.endpoint().to_string())
        .env("SSL_CERT_FILE", "/nonexistent")
        .env_remove("SSL_CERT_DIR");
    let output = tokio::task::spawn_blocking(move || command.output()).await.unwrap().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(server.connections(), 1);
}

/// A minimal flow.
struct Plain(Endpoint);

impl auth_core::TokenExchange for Plain {
    fn provider(&self) -> &'static str {
        "acme"
    }

    fn identity(&self) -> auth_core::Identity {
        auth_core::Identity::new("acme", &self.0, &[])
    }

    fn request(&self) -> Result<auth_core::HttpRequest, Error> {
        TokenRequest::post(&self.0).empty()
    }

    fn read(&self, _: &auth_core::TokenResponse) -> Result<auth_core::Grant, Error> {
        auth_core::Grant::bearer("made-up-token", auth_core::Expiry::Unknown)
    }
}

#[test]
fn on_a_runtime_without_a_driver_the_error_names_the_missing_one() {
    let servers = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let server = servers.block_on(Server::answering(response(200, &[], b"{}")));
    let (mut no_io, mut no_time) = (
        tokio::runtime::Builder::new_current_thread(),
        tokio::runtime::Builder::new_current_thread(),
    );
    for (builder, driver) in
        [(no_io.enable_time(), "enable_io"), (no_time.enable_io(), "enable_time")]
    {
        let runtime = builder.build().unwrap();
        let error = runtime.block_on(send(&server.endpoint())).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config);
        assert!(error.to_string().contains(driver), "{error}");
        // Also through a source, whose own timers must not panic first.
        let tokens = auth_core::CachedTokenSource::new(Plain(server.endpoint())).unwrap();
        let error = runtime.block_on(tokens.token()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config, "{error}");
        assert!(error.to_string().contains(driver), "{error}");
    }
    assert_eq!(server.requests().len(), 0);
}

#[test]
fn a_sleep_needs_no_time_driver() {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async { SystemClock.sleep(Duration::from_millis(1)).await });
}

#[test]
fn a_runtime_that_was_shut_down_is_named_and_the_next_caller_is_served() {
    let servers = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let server = servers.block_on(Server::answering(response(200, &[], b"{}")));
    let tokens = auth_core::CachedTokenSource::new(Plain(server.endpoint())).unwrap();
    let gone = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let handle = gone.handle().clone();
    drop(gone);
    let error = handle.block_on(tokens.token()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config, "{error}");
    assert!(error.to_string().contains("shut down"), "{error}");
    assert!(servers.block_on(tokens.token()).is_ok(), "nothing is remembered of it");
}

#[test]
fn a_sleep_goes_on_where_its_runtime_was_shut_down() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let entered = runtime.enter();
    let sleep = SystemClock.sleep(Duration::from_millis(20));
    drop(entered);
    drop(runtime);
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(sleep);
}
