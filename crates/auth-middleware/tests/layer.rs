//! What a layer allows for all its requests.

#![cfg(feature = "tower")]
#![allow(clippy::unwrap_used, clippy::indexing_slicing)] // helpers of tests are not seen as tests

use std::sync::atomic::{AtomicU32, Ordering};

use auth_core::{AccessToken, Endpoint, Error, StaticTokenSource, TokenSource, async_trait};
use auth_middleware::AuthLayer;
use http_body_util::Full;
use tower::{Layer, ServiceExt};

type Body = Full<&'static [u8]>;

/// Grants `token-0`, and the next one after each invalidation.
#[derive(Debug, Default)]
struct Renewing(AtomicU32);

#[async_trait]
impl TokenSource for Renewing {
    async fn token(&self) -> Result<AccessToken, Error> {
        let number = self.0.load(Ordering::SeqCst);
        StaticTokenSource::bearer(format!("token-{number}"))?.token().await
    }

    fn invalidate(&self, _: &AccessToken) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }

    fn api_hosts(&self) -> Vec<Endpoint> {
        vec![Endpoint::from_static("https://api.example.com")]
    }
}

#[tokio::test]
async fn a_layer_may_allow_every_post_to_be_sent_again() {
    for (allowed, status) in [(false, 401), (true, 200)] {
        let layer = AuthLayer::new(Renewing::default()).unwrap();
        let layer = if allowed { layer.allow_replay() } else { layer };
        let service = tower::service_fn(async |request: http::Request<Body>| {
            let is_old = request.headers()["authorization"] == "Bearer token-0";
            let answer = http::Response::builder().status(if is_old { 401 } else { 200 });
            Ok::<_, std::io::Error>(answer.body(Body::default()).unwrap())
        });
        let service = layer.clone_body(|body: &Body| Some(*body)).layer(service);
        let payment = http::Request::post("https://api.example.com/").body(Body::new(b"1 XOF"));
        assert_eq!(service.oneshot(payment.unwrap()).await.unwrap().status(), status);
    }
}
