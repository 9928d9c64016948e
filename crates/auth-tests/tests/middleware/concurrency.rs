//! Many calls whose token is refused at once, or one after the other.

use std::sync::Arc;

use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use crate::server::{Server, reply};
use crate::surface::ALL;
use crate::world::World;

#[tokio::test]
async fn ten_401s_early_and_late_cost_one_refresh() {
    for surface in ALL {
        let gate = Arc::new(Semaphore::new(0));
        let held = Arc::clone(&gate);
        let api = Server::start(move |request| {
            let held = Arc::clone(&held);
            async move {
                if request.header("authorization") != "Bearer one" {
                    return reply(200, &[], "");
                }
                if request.line.contains("/late") {
                    let _ = held.acquire().await.unwrap();
                }
                reply(401, &[], "")
            }
        });
        let world = World::of(api.await);
        let caller = surface.caller(world.tokens.clone());
        let (mut early, mut late) = (JoinSet::new(), JoinSet::new());
        let spawn = |calls: &mut JoinSet<_>, path| {
            let (caller, url) = (caller.clone(), world.api.url(path));
            calls.spawn(async move { caller.get(url).await.unwrap().status });
        };
        for _ in 0..5 {
            spawn(&mut late, "/late");
        }
        while world.api.requests().len() < 5 {
            tokio::task::yield_now().await;
        }
        for _ in 0..5 {
            spawn(&mut early, "/early");
        }
        assert_eq!(early.join_all().await, [200; 5], "{surface:?}");
        assert_eq!(world.provider.requests(), 2, "{surface:?}");

        gate.add_permits(5);
        assert_eq!(late.join_all().await, [200; 5], "{surface:?}");
        assert_eq!(world.provider.requests(), 2, "{surface:?}");
    }
}

#[tokio::test]
async fn the_rest_of_a_refused_answer_is_read_so_that_its_connection_lives() {
    for surface in ALL {
        for (length, connections) in [(0, 1), (60_000, 1), (70_000, 2)] {
            let body = "x".repeat(length);
            let api = Server::start(move |request| {
                let refused = request.header("authorization") == "Bearer one";
                let answer = if refused { reply(401, &[], &body) } else { reply(200, &[], "") };
                async move { answer }
            });
            let world = World::of(api.await);
            let answer = surface.caller(world.tokens.clone()).get(world.api.url("/")).await;
            assert_eq!(answer.unwrap().status, 200, "{surface:?}, {length}");
            assert_eq!(world.api.connections(), connections, "{surface:?}, {length}");
        }
    }
}
