//! A refused token that cannot be renewed is logged: the caller may look at the status alone.

#![cfg(all(feature = "tower", feature = "tracing"))]
#![allow(clippy::unwrap_used)] // helpers of tests are not seen as tests

use std::io::Write;
use std::sync::{Arc, Mutex};

use auth_core::{AccessToken, Endpoint, ErrorKind, StaticTokenSource, TokenSource, async_trait};
use auth_middleware::{AuthLayer, RenewalFailed, TokenAuth};
use http_body_util::Empty;
use tower::{Layer, ServiceExt};

type Body = Empty<&'static [u8]>;

/// Grants one token, and no other.
#[derive(Debug, Default)]
struct Once(Mutex<bool>);

#[async_trait]
impl TokenSource for Once {
    async fn token(&self) -> Result<AccessToken, auth_core::Error> {
        if std::mem::replace(&mut *self.0.lock().unwrap(), true) {
            return Err(auth_core::Error::new(ErrorKind::Credentials, "credentials rejected"));
        }
        StaticTokenSource::bearer("CANARY-token")?.token().await
    }

    fn invalidate(&self, _: &AccessToken) {}

    fn api_hosts(&self) -> Vec<Endpoint> {
        vec![Endpoint::from_static("https://api.example.com")]
    }
}

#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn a_failed_renewal_is_logged_with_the_host_and_no_secret() {
    let lines = Lines::default();
    let writer = lines.clone();
    let subscriber =
        tracing_subscriber::fmt().with_writer(move || writer.clone()).with_ansi(false).finish();
    let _guard = tracing::subscriber::set_default(subscriber);

    let service = tower::service_fn(async |_: http::Request<Body>| {
        let mut answer = http::Response::new(Body::new());
        *answer.status_mut() = http::StatusCode::UNAUTHORIZED;
        Ok::<_, std::io::Error>(answer)
    });
    let service = AuthLayer::new(TokenAuth::new(Once::default())).unwrap().layer(service);
    let request = http::Request::get("https://api.example.com/path?key=CANARY");
    let answer = service.oneshot(request.body(Body::new()).unwrap()).await.unwrap();
    assert_eq!(answer.status(), 401);
    let failed = answer.extensions().get::<RenewalFailed>().unwrap();
    assert_eq!(failed.error().to_string(), "credentials rejected");

    let text = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
    for part in ["WARN", "and there is no other: credentials rejected", "api.example.com"] {
        assert!(text.contains(part), "{part}: {text}");
    }
    assert!(!text.contains("CANARY") && !text.contains("path"), "{text}");
}
