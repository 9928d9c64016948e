//! What only reqwest does: user info in URLs, default headers, timeouts.

use auth_middleware::{SendWith, TokenAuth, client, client_with, redirect_policy};
use http::HeaderMap;
use http::header::{AUTHORIZATION, HeaderValue};
use reqwest::{Method, Request, RequestBuilder};

use crate::surface::{Surface, builder};
use crate::world::{Api, World};

const BOTH: [Surface; 2] = [Surface::Reqwest, Surface::Middleware];

fn with_user_info(url: &str) -> String {
    url.replace("http://", "http://user:pw@")
}

#[tokio::test]
async fn user_info_in_the_url_is_the_callers_own_authorization() {
    for surface in BOTH {
        let world = World::new(Api::RefusesAll).await;
        let url = with_user_info(&world.api.url("/"));
        let answer = surface.caller(world.tokens.clone()).get(url).await.unwrap();
        assert_eq!(answer.status, 401, "{surface:?}");
        assert_eq!(world.api.authorizations(), ["Basic dXNlcjpwdw=="], "{surface:?}");
        assert_eq!(world.provider.requests(), 0, "{surface:?}");
    }
}

/// reqwest reads user info only where it makes the request itself.
#[tokio::test]
async fn user_info_in_a_request_made_by_hand_is_not_sent() {
    let world = World::new(Api::Accepts).await;
    let url: reqwest::Url = with_user_info(&world.api.url("/")).parse().unwrap();
    let api = client(world.tokens.clone()).unwrap();
    api.execute(Request::new(Method::GET, url.clone())).await.unwrap();
    let plain = builder().redirect(redirect_policy()).build().unwrap();
    let request = RequestBuilder::from_parts(plain, Request::new(Method::GET, url));
    request.send_with(&world.tokens).await.unwrap();
    assert_eq!(world.api.authorizations(), ["Bearer one"; 2]);
}

#[tokio::test]
async fn the_token_goes_before_an_authorization_among_the_default_headers() {
    let world = World::new(Api::RefusesFirst).await;
    let value = HeaderValue::from_static("Basic ZGVmYXVsdA==");
    let with_defaults = || {
        let headers = HeaderMap::from_iter([
            (AUTHORIZATION, value.clone()),
            ("x-environment".parse().unwrap(), HeaderValue::from_static("Other")),
        ]);
        builder().redirect(redirect_policy()).default_headers(headers)
    };
    let api = client_with(world.tokens.clone(), with_defaults()).unwrap();
    api.get(world.api.url("/")).send().await.unwrap();
    let plain = with_defaults().build().unwrap();
    plain.get(world.api.url("/")).send_with(&world.tokens).await.unwrap();
    assert_eq!(world.api.authorizations(), ["Bearer one", "Bearer two", "Bearer two"]);
    for request in world.api.requests() {
        assert_eq!(request.header("x-environment"), "Sandbox");
    }
}

#[tokio::test]
async fn a_client_without_hosts_is_not_made() {
    let tokens = auth_core::StaticTokenSource::bearer("made-up").unwrap();
    let error = client(tokens.clone()).unwrap_err();
    assert!(error.to_string().contains("no host may get the token"), "{error}");
    let plain = reqwest::Client::builder().redirect(redirect_policy()).build().unwrap();
    let error = plain.get("https://api.example.com").send_with(&tokens).await.unwrap_err();
    assert!(error.to_string().contains("no host may get the token"), "{error}");
}

/// A proxy would read the token.
#[tokio::test]
async fn plain_http_goes_past_every_proxy() {
    let (world, proxy) = (World::new(Api::Accepts).await, World::new(Api::Accepts).await);
    let all = reqwest::Proxy::all(proxy.api.endpoint.as_str()).unwrap();
    let auth = TokenAuth::new(world.tokens.clone());
    let api = client_with(auth, reqwest::Client::builder().proxy(all)).unwrap();
    assert_eq!(api.get(world.api.url("/")).send().await.unwrap().status(), 200);
    assert_eq!((world.api.requests().len(), proxy.api.connections()), (1, 0));
}
