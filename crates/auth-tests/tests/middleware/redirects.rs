//! Chains of redirects between the API, A, and another host, B.

use std::sync::{Arc, OnceLock};

use auth_middleware::{SendWith, TokenAuth};
use reqwest::redirect::Policy;

use crate::server::{Server, reply};
use crate::surface::{ALL, Surface, builder};
use crate::world::World;

/// Two servers that send a request along a chain such as `ABA`, from `/0` on, and the status of the
/// last answer.
async fn chain(hosts: &'static str, redirect: u16, last: u16) -> (World, Server) {
    let bases = Arc::<OnceLock<[String; 2]>>::default();
    let start = || {
        let bases = Arc::clone(&bases);
        Server::start(move |request| {
            let hop: usize = request.line.split(['/', ' ']).nth(2).unwrap().parse().unwrap();
            let next = hosts.chars().nth(hop + 1);
            let base = next.map(|host| bases.get().unwrap()[usize::from(host == 'B')].clone());
            async move {
                match base {
                    Some(base) => {
                        reply(redirect, &[("location", &format!("{base}/{}", hop + 1))], "")
                    }
                    None => reply(last, &[], ""),
                }
            }
        })
    };
    let (a, b) = (start().await, start().await);
    bases.set([a.url(""), b.url("")]).unwrap();
    (World::of(a), b)
}

#[tokio::test]
async fn nothing_of_ours_reaches_another_host_on_any_hop() {
    for surface in ALL {
        for redirect in [302, 307] {
            for hosts in ["AB", "ABB", "ABA", "AAB"] {
                let about = format!("{surface:?}, {redirect}, {hosts}");
                let (world, foreign) = chain(hosts, redirect, 200).await;
                let answer = surface.caller(world.tokens.clone()).get(world.api.url("/0")).await;
                assert_eq!(foreign.connections(), 0, "{about}");
                match surface {
                    Surface::Follower => {
                        let error = answer.unwrap_err();
                        assert!(error.contains("does not get the token"), "{about}: {error}");
                    }
                    _ => assert_eq!(answer.unwrap().status, redirect, "{about}"),
                }
                assert!(
                    world.api.authorizations().iter().all(|sent| sent == "Bearer one"),
                    "{about}"
                );
            }
        }
    }
}

#[tokio::test]
async fn a_redirect_within_the_api_is_followed_with_the_token() {
    for surface in ALL.into_iter().filter(|surface| *surface != Surface::Hyper) {
        for redirect in [302, 307] {
            let (world, _) = chain("AAA", redirect, 200).await;
            let answer = surface.caller(world.tokens.clone()).get(world.api.url("/0")).await;
            assert_eq!(answer.unwrap().status, 200, "{surface:?}");
            assert_eq!(world.api.authorizations(), ["Bearer one"; 3], "{surface:?}");
            for request in world.api.requests() {
                assert_eq!(request.header("x-environment"), "Sandbox", "{surface:?}");
            }
        }
    }
}

#[tokio::test]
async fn a_refusal_at_the_end_of_a_chain_within_the_api_ends_the_token() {
    for surface in [Surface::Reqwest, Surface::Middleware, Surface::Follower] {
        let (world, _) = chain("AA", 302, 401).await;
        let answer = surface.caller(world.tokens.clone()).get(world.api.url("/0")).await;
        assert_eq!(answer.unwrap().status, 401, "{surface:?}");
        assert_eq!(world.provider.requests(), 2, "{surface:?}");
        assert_eq!(world.api.authorizations().last().unwrap(), "Bearer two", "{surface:?}");
    }
}

#[tokio::test]
async fn a_chain_ends_after_ten_redirects() {
    for surface in [Surface::Reqwest, Surface::Middleware] {
        let (world, _) = chain("AAAAAAAAAAAAAA", 302, 200).await;
        let error = surface.caller(world.tokens.clone()).get(world.api.url("/0")).await;
        assert!(error.unwrap_err().contains("too many redirects"), "{surface:?}");
        assert_eq!(world.api.requests().len(), 11, "{surface:?}");
    }
}

#[tokio::test]
async fn another_host_of_the_api_is_another_request() {
    for surface in [Surface::Reqwest, Surface::Middleware] {
        let (world, second) = chain("AB", 302, 200).await;
        let auth = TokenAuth::new(world.tokens.clone()).host(second.endpoint.clone());
        let caller = surface.caller(auth);
        assert_eq!(caller.get(world.api.url("/0")).await.unwrap().status, 302, "{surface:?}");
        assert_eq!(caller.get(second.url("/1")).await.unwrap().status, 200, "{surface:?}");
        assert_eq!(second.authorizations(), ["Bearer one"], "{surface:?}");
    }
    let (world, second) = chain("AB", 302, 200).await;
    let auth = TokenAuth::new(world.tokens.clone()).host(second.endpoint.clone());
    let answer = Surface::Follower.caller(auth).get(world.api.url("/0")).await.unwrap();
    assert_eq!((answer.status, second.authorizations()), (200, vec!["Bearer one".to_owned()]));
}

#[tokio::test]
async fn send_with_refuses_a_client_that_is_seen_to_follow_anywhere() {
    let (world, foreign) = chain("ABB", 302, 200).await;
    for policy in [Policy::default(), Policy::limited(3)] {
        let client = builder().redirect(policy).build().unwrap();
        let error = client.get(world.api.url("/0")).send_with(&world.tokens).await.unwrap_err();
        assert!(error.to_string().contains("redirect_policy()"), "{error}");
    }
    assert_eq!((world.api.connections(), foreign.connections()), (0, 0));
    assert_eq!(world.provider.requests(), 0);
}

#[tokio::test]
async fn a_refusal_from_a_foreign_hop_says_nothing_about_the_token() {
    let (world, foreign) = chain("AB", 302, 401).await;
    let anywhere = Policy::custom(|attempt| attempt.follow());
    let client = builder().redirect(anywhere).build().unwrap();
    let answer = client.get(world.api.url("/0")).send_with(&world.tokens).await.unwrap();
    assert_eq!((answer.status().as_u16(), foreign.requests().len()), (401, 1));
    assert_eq!(world.tokens.token().await.unwrap().authorization(), "Bearer one");
    assert_eq!(world.provider.requests(), 1);
}

/// Why there is a policy of ours: what reqwest's own does with a token. If this fails, reqwest has
/// changed, and `send_with` may become more lenient.
#[tokio::test]
async fn reqwest_alone_carries_a_token_to_another_host() {
    let (world, foreign) = chain("ABB", 302, 200).await;
    let client = builder().build().unwrap();
    let headers = world.tokens.token().await.unwrap().header_map();
    client.get(world.api.url("/0")).headers(headers).send().await.unwrap();
    assert_eq!(foreign.authorizations(), ["none", "Bearer one"]);
    for request in foreign.requests() {
        assert_eq!(request.header("x-environment"), "Sandbox");
    }
}
