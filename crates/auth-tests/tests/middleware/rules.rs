//! The table: what a call does, over every library.

use http::header::AUTHORIZATION;
use http::{HeaderValue, Method};

use crate::surface::{ALL, Call};
use crate::world::{Api, World};

/// One call on a fresh source, and what it comes to.
struct Case {
    says: &'static str,
    api: Api,
    call: fn(String) -> Call,
    status: u16,
    /// The `Authorization` of each request at the API.
    sent: &'static [&'static str],
    /// How often the provider was asked for a token.
    exchanges: usize,
    /// The token of the next call.
    next: &'static str,
}

fn post(url: String) -> Call {
    Call { body: "amount=1", ..Call::new(Method::POST, url) }
}

fn put(url: String) -> Call {
    Call { body: "name=x", ..Call::new(Method::PUT, url) }
}

fn own(url: String) -> Call {
    let mut call = Call::get(url);
    call.headers.insert(AUTHORIZATION, HeaderValue::from_static("Basic b3duOm93bg=="));
    call
}

const CASES: [Case; 12] = [
    Case {
        says: "a call carries a token",
        api: Api::Accepts,
        call: Call::get,
        status: 200,
        sent: &["Bearer one"],
        exchanges: 1,
        next: "Bearer one",
    },
    Case {
        says: "a refused token is renewed, and the call sent once more",
        api: Api::RefusesFirst,
        call: Call::get,
        status: 200,
        sent: &["Bearer one", "Bearer two"],
        exchanges: 2,
        next: "Bearer two",
    },
    Case {
        says: "the answer to the second call is final, and ends no token",
        api: Api::RefusesAll,
        call: Call::get,
        status: 401,
        sent: &["Bearer one", "Bearer two"],
        exchanges: 2,
        next: "Bearer two",
    },
    Case {
        says: "a payment is not sent twice, but its token ends",
        api: Api::RefusesFirst,
        call: post,
        status: 401,
        sent: &["Bearer one"],
        exchanges: 1,
        next: "Bearer two",
    },
    Case {
        says: "a POST is sent twice where the caller allows it",
        api: Api::RefusesFirst,
        call: |url| Call { allow_replay: true, ..post(url) },
        status: 200,
        sent: &["Bearer one", "Bearer two"],
        exchanges: 2,
        next: "Bearer two",
    },
    Case {
        says: "a PUT is sent twice with its body",
        api: Api::RefusesFirst,
        call: put,
        status: 200,
        sent: &["Bearer one", "Bearer two"],
        exchanges: 2,
        next: "Bearer two",
    },
    Case {
        says: "a stream is not sent twice",
        api: Api::RefusesFirst,
        call: |url| Call { is_stream: true, ..put(url) },
        status: 401,
        sent: &["Bearer one"],
        exchanges: 1,
        next: "Bearer two",
    },
    Case {
        says: "nor where the caller allows it",
        api: Api::RefusesFirst,
        call: |url| Call { is_stream: true, allow_replay: true, ..put(url) },
        status: 401,
        sent: &["Bearer one"],
        exchanges: 1,
        next: "Bearer two",
    },
    Case {
        says: "a 403 ends no token",
        api: Api::Forbids,
        call: Call::get,
        status: 403,
        sent: &["Bearer one"],
        exchanges: 1,
        next: "Bearer one",
    },
    Case {
        says: "a 401 for a lack of scope ends no token",
        api: Api::LacksScope,
        call: Call::get,
        status: 401,
        sent: &["Bearer one"],
        exchanges: 1,
        next: "Bearer one",
    },
    Case {
        says: "the caller's own authorization is left alone and costs no token",
        api: Api::Accepts,
        call: own,
        status: 200,
        sent: &["Basic b3duOm93bg=="],
        exchanges: 0,
        next: "Bearer one",
    },
    Case {
        says: "its 401 is the answer",
        api: Api::RefusesAll,
        call: own,
        status: 401,
        sent: &["Basic b3duOm93bg=="],
        exchanges: 0,
        next: "Bearer one",
    },
];

#[tokio::test]
async fn every_library_follows_the_table() {
    for surface in ALL {
        for case in &CASES {
            let about = format!("{surface:?}: {}", case.says);
            let world = World::new(case.api).await;
            let caller = surface.caller(world.tokens.clone());
            let call = (case.call)(world.api.url("/pay?id=1"));
            let answer = caller.call(&call).await.unwrap();

            assert_eq!(answer.status, case.status, "{about}");
            assert!(answer.renewal_failed.is_none(), "{about}");
            assert_eq!(world.api.authorizations(), case.sent, "{about}");
            assert_eq!(world.provider.requests(), case.exchanges, "{about}");
            for request in world.api.requests() {
                assert!(request.body.contains(call.body), "{about}: {request:?}");
                let flow = request.headers.get("x-environment").map(|it| it[0].as_str());
                let has_token = request.header("authorization").starts_with("Bearer");
                assert_eq!(flow, has_token.then_some("Sandbox"), "{about}");
            }
            let next = world.tokens.token().await.unwrap().authorization();
            assert_eq!(next, case.next, "{about}");
        }
    }
}

#[tokio::test]
async fn an_api_that_always_refuses_costs_one_more_token_and_then_none() {
    for surface in ALL {
        let world = World::new(Api::RefusesAll).await;
        let caller = surface.caller(world.tokens.clone());
        for calls in 2..6 {
            let answer = caller.get(world.api.url("/")).await.unwrap();
            assert_eq!((answer.status, world.api.requests().len()), (401, calls), "{surface:?}");
            assert_eq!(world.provider.requests(), 2, "{surface:?}");
        }
        let sent = world.api.authorizations();
        assert_eq!(sent, ["Bearer one", "Bearer two", "Bearer two", "Bearer two", "Bearer two"]);
        // Once the pause is over, one more.
        world.clock.advance(std::time::Duration::from_secs(2));
        caller.get(world.api.url("/")).await.unwrap();
        assert_eq!(world.api.authorizations()[5..], ["Bearer two", "Bearer three"], "{surface:?}");
    }
}

#[tokio::test]
async fn a_token_that_is_granted_again_is_not_sent_again() {
    for surface in ALL {
        let world = World::new(Api::RefusesAll).await;
        world.provider.then([(200, "one")]);
        let answer = surface.caller(world.tokens.clone()).get(world.api.url("/")).await.unwrap();
        assert_eq!(answer.status, 401, "{surface:?}");
        assert_eq!(world.api.authorizations(), ["Bearer one"], "{surface:?}");
    }
}

#[tokio::test]
async fn a_failed_renewal_leaves_the_401_as_it_came_and_its_error_beside_it() {
    for surface in ALL {
        let world = World::new(Api::RefusesAll).await;
        world.provider.then([(200, "one"), (403, "")]);
        let answer = surface.caller(world.tokens.clone()).get(world.api.url("/")).await.unwrap();
        assert_eq!(answer.status, 401, "{surface:?}");
        assert_eq!(world.api.authorizations(), ["Bearer one"], "{surface:?}");
        let failed = answer.renewal_failed.unwrap();
        assert_eq!(failed.error().kind(), auth_core::ErrorKind::Credentials, "{surface:?}");
    }
}

#[tokio::test]
async fn without_a_token_nothing_is_sent() {
    for surface in ALL {
        let world = World::new(Api::Accepts).await;
        world.provider.then([(403, "")]);
        let caller = surface.caller(world.tokens.clone());
        let error = caller.get(world.api.url("/")).await.unwrap_err();
        assert!(error.starts_with("acme: no token today"), "{surface:?}: {error}");
        assert_eq!(world.api.connections(), 0, "{surface:?}");
    }
}

#[tokio::test]
async fn another_host_gets_nothing_and_costs_no_token() {
    for surface in ALL {
        let (world, other) = (World::new(Api::Accepts).await, World::new(Api::Accepts).await);
        let caller = surface.caller(world.tokens.clone());
        for call in [Call::get, post, own] {
            let error = caller.call(&call(other.api.url("/path?query=1"))).await.unwrap_err();
            let expected = format!(
                "{} does not get the token (only {})",
                other.api.endpoint, world.api.endpoint
            );
            assert!(error.contains(&expected), "{surface:?}: {error}");
            assert!(!error.contains("path") && !error.contains("query"), "{surface:?}: {error}");
        }
        assert_eq!((other.api.connections(), world.provider.requests()), (0, 0), "{surface:?}");
    }
}
