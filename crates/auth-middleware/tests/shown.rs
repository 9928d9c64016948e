//! No secret is shown, and the token is marked so that HTTP libraries show none either.

#![cfg(all(feature = "reqwest-middleware-0_5", feature = "tower"))]
#![allow(clippy::unwrap_used, clippy::indexing_slicing)] // helpers of tests are not seen as tests

use auth_core::{Endpoint, StaticTokenSource};
use auth_middleware::reqwest_middleware_0_5::TokenMiddleware;
use auth_middleware::{AuthLayer, Error, SendWith, TokenAuth};
use http_body_util::Empty;
use tower::{Layer, ServiceExt};

type Body = Empty<&'static [u8]>;

fn auth() -> TokenAuth {
    let tokens = StaticTokenSource::bearer("CANARY-token").unwrap();
    TokenAuth::new(tokens).host(Endpoint::parse("https://api.example.com/v1").unwrap())
}

fn get(url: &str) -> http::Request<Body> {
    http::Request::get(url).body(Body::new()).unwrap()
}

#[test]
fn nothing_shows_the_token() {
    let service = tower::service_fn(async |_: http::Request<Body>| {
        Ok::<_, std::io::Error>(http::Response::new(Body::new()))
    });
    let layer = AuthLayer::new(auth()).unwrap();
    let service = layer.layer(service);
    let client = reqwest::Client::builder().build().unwrap();
    let auth = auth();
    let shown = [
        format!("{auth:?}"),
        format!("{layer:?}"),
        format!("{service:?}"),
        format!("{:?}", service.oneshot(get("https://api.example.com/"))),
        format!("{:?}", TokenMiddleware::new(auth.clone()).unwrap()),
        format!("{:?}", auth_middleware::client(auth.clone()).unwrap()),
        format!("{:?}", client.get("https://api.example.com/").send_with(&auth)),
    ];
    assert!(shown[0].contains("https://api.example.com/v1"), "{}", shown[0]);
    for text in shown {
        assert!(!text.contains("CANARY"), "{text}");
    }
}

#[tokio::test]
async fn over_tower_the_token_is_marked_sensitive() {
    let service = tower::service_fn(async |request: http::Request<Body>| {
        assert!(request.headers()["authorization"].is_sensitive());
        Ok::<_, std::io::Error>(http::Response::new(Body::new()))
    });
    let service = AuthLayer::new(auth()).unwrap().layer(service);
    service.oneshot(get("https://api.example.com/")).await.unwrap();
}

#[tokio::test]
async fn what_is_not_sent_is_named_without_path_query_or_user_info() {
    let service = AuthLayer::new(auth()).unwrap().layer(tower::service_fn(
        async |_: http::Request<Body>| -> Result<http::Response<Body>, std::io::Error> {
            Err(std::io::Error::other("sent"))
        },
    ));
    let allowed = "(only https://api.example.com)";
    for (url, names) in [
        ("https://user:pw@evil.example.com/CANARY?key=CANARY", "https://evil.example.com does not"),
        ("https://evil.example.com:8443/", "https://evil.example.com:8443 does not get the token"),
        ("http://api.example.com/", "http://api.example.com does not get the token"),
        ("https://api.example.com@evil.example.com/", "https://evil.example.com does not"),
    ] {
        let error = service.clone().oneshot(get(url)).await.unwrap_err();
        let error = error.downcast::<Error>().unwrap();
        let text = error.to_string();
        assert!(text.starts_with(names) && text.contains(allowed), "{url}: {text}");
        let shown = format!("{text} {error:?}");
        assert!(!shown.contains("CANARY") && !shown.contains("pw"), "{url}: {shown}");
    }
    for url in [
        "/relative",
        "https://api.example.com:99999/",
        "https://api.example.com:443x/",
        "https://com:443com/",
    ] {
        let error = service.clone().oneshot(get(url)).await.unwrap_err();
        assert!(error.to_string().contains("give the whole URL"), "{url}: {error}");
    }
}
