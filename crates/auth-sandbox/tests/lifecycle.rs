//! What all providers of a sandbox share: starting, stopping, counting, rotating, revoking.

// A test measures by the machine's own clock what the sandbox did by its.
#![allow(clippy::disallowed_methods)]
// Test code outside a `#[test]` function, which the lint configuration does not recognise.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod common;

use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::time::{Duration, SystemTime};

use auth_sandbox::{Counters, Credentials, Error, Fault, Sandbox, Skew};
use common::{Reply, api, exchange, jwt, right, start};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

#[tokio::test]
async fn every_provider_issues_a_token_that_its_api_accepts_and_counts_it() {
    let sandbox = start().await;
    for handle in sandbox.handles() {
        assert_eq!(handle.counters(), Counters::default());
        let first = right(&handle).send(&handle).await.token();
        let second = right(&handle).send(&handle).await.token();
        assert_ne!(first, second, "two tokens of one second differ");
        for token in [&first, &second] {
            assert_eq!(api(&handle, token).send(&handle).await.status, 200, "{handle:?}");
        }
        assert_eq!(api(&handle, "forged").send(&handle).await.status, 401, "{handle:?}");
        assert_eq!(right(&handle).target("/nowhere").send(&handle).await.status, 404);
        let seen = handle.counters();
        assert_eq!((seen.token_requests, seen.tokens_issued, seen.rejected), (2, 2, 0));
        assert_eq!((seen.api_calls, seen.api_accepted, seen.api_rejected), (3, 2, 1));
        assert_eq!((seen.connections, seen.stray_requests, seen.faults_served), (6, 1, 0));
        handle.reset_counters();
        assert_eq!(handle.counters(), Counters::default());
    }
}

#[tokio::test]
async fn a_token_of_one_provider_or_sandbox_opens_no_other() {
    let (one, other) = (start().await, start().await);
    let token = right(&one.manis()).send(&one.manis()).await.token();
    assert_eq!(api(&one.papaya(), &token).send(&one.papaya()).await.status, 401);
    assert_eq!(api(&other.manis(), &token).send(&other.manis()).await.status, 401);
    assert_ne!(one.manis().credentials(), other.manis().credentials());
}

#[tokio::test]
async fn revoked_tokens_are_refused_and_new_ones_accepted() {
    let sandbox = start().await;
    for handle in sandbox.handles() {
        let old = right(&handle).send(&handle).await.token();
        handle.revoke_tokens();
        assert_eq!(api(&handle, &old).send(&handle).await.status, 401, "{handle:?}");
        let new = right(&handle).send(&handle).await.token();
        assert_eq!(api(&handle, &new).send(&handle).await.status, 200, "{handle:?}");
        handle.set_refuse_api_calls(true);
        assert_eq!(api(&handle, &new).send(&handle).await.status, 401, "{handle:?}");
        handle.set_refuse_api_calls(false);
        assert_eq!(api(&handle, &new).send(&handle).await.status, 200, "{handle:?}");
    }
    let digishare = sandbox.digishare();
    digishare.set_refuse_api_calls(true);
    let personal = digishare.personal_access_token();
    assert_eq!(api(&digishare, &personal).send(&digishare).await.status, 401);
}

#[tokio::test]
async fn a_rotated_secret_takes_the_place_of_the_old_one_and_tokens_stay() {
    let sandbox = start().await;
    for handle in sandbox.handles() {
        let old = right(&handle);
        let token = old.send(&handle).await.token();
        let rotated = handle.rotate_secret();
        assert_eq!(old.send(&handle).await.status, 401, "{handle:?}");
        assert_eq!(rotated, handle.credentials());
        right(&handle).send(&handle).await.token();
        assert_eq!(api(&handle, &token).send(&handle).await.status, 200, "{handle:?}");

        handle.accept(Credentials::new("somebody", "else"));
        assert!(right(&handle).send(&handle).await.status < 300, "{handle:?}");
    }
}

#[tokio::test]
async fn in_an_overlap_the_old_secret_and_the_new_one_are_good() {
    let sandbox = start().await;
    for handle in sandbox.handles() {
        let (old, before) = (right(&handle), handle.credentials());
        handle.rotate_secret();
        let new = right(&handle);
        assert_eq!(old.send(&handle).await.status, 401, "{handle:?}");
        handle.also_accept(before);
        for request in [&old, &new] {
            assert!(request.send(&handle).await.status < 300, "{handle:?}");
        }
        handle.accept(handle.credentials());
        assert_eq!(old.send(&handle).await.status, 401, "{handle:?}");
        assert!(new.send(&handle).await.status < 300, "{handle:?}");
    }
}

#[tokio::test]
async fn lifetimes_can_be_set_for_all_or_for_one() {
    let lifetime = Duration::from_secs(42);
    let sandbox = Sandbox::builder().token_lifetime(lifetime).start().await.unwrap();
    let span = |reply: &Reply| {
        let claims = jwt(&reply.token()).1;
        (claims["exp"].as_f64().unwrap() - claims["iat"].as_f64().unwrap()).round()
    };
    for handle in sandbox.handles() {
        assert_eq!(span(&right(&handle).send(&handle).await), 42.0, "{handle:?}");
        handle.set_token_lifetime(Duration::from_secs(7));
        assert_eq!(span(&right(&handle).send(&handle).await), 7.0, "{handle:?}");
        handle.set_token_lifetime(Duration::MAX);
        let forever = right(&handle).send(&handle).await.token();
        assert_eq!(api(&handle, &forever).send(&handle).await.status, 200, "{handle:?}");
    }
}

#[tokio::test]
async fn a_skewed_clock_writes_its_own_time_everywhere() {
    let sandbox = start().await;
    let day = Duration::from_secs(86_400);
    for handle in sandbox.handles() {
        handle.set_clock_skew(Skew::Behind(day));
        let reply = right(&handle).send(&handle).await;
        let date = httpdate::parse_http_date(reply.header("date").unwrap()).unwrap();
        let date = date.duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs_f64();
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs_f64();
        assert!((now - date - 86_400.0).abs() < 5.0, "{handle:?}");
        let token = reply.token();
        let iat = jwt(&token).1["iat"].as_f64().unwrap();
        assert!((iat - date).abs() < 5.0, "{handle:?}: Date and iat agree");
        assert_eq!(api(&handle, &token).send(&handle).await.status, 200, "in force all the same");
    }
}

#[tokio::test]
async fn a_connection_serves_many_requests() {
    let sandbox = start().await;
    let manis = sandbox.manis();
    let mut socket = TcpStream::connect(("127.0.0.1", manis.port())).await.unwrap();
    for _ in 0..3 {
        socket.write_all(b"GET /nowhere HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
        let mut head = Vec::new();
        while !head.ends_with(b"}") {
            head.push(socket.read_u8().await.unwrap());
        }
        assert!(head.starts_with(b"HTTP/1.1 404"));
    }
    assert_eq!(manis.counters().connections, 1);
    assert_eq!(manis.counters().stray_requests, 3);
}

#[tokio::test]
async fn what_is_no_http_is_refused_and_the_server_lives_on() {
    let sandbox = start().await;
    let manis = sandbox.manis();
    let long = format!("GET / HTTP/1.1\r\nHost: x\r\nX: {}\r\n\r\n", "x".repeat(400_000));
    let cases: [(&[u8], u16); 4] = [
        (b"nonsense\r\n\r\n", 400),
        (b"POST /api/v1/auth/token HTTP/1.1\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", 400),
        (b"POST /api/v1/auth/token HTTP/1.1\r\nHost: a\r\nHost: b\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", 400),
        (long.as_bytes(), 431),
    ];
    for (request, status) in cases {
        let reply = exchange(manis.port(), request).await;
        assert_eq!(
            reply.status,
            status,
            "{}",
            String::from_utf8_lossy(&request[..20.min(request.len())])
        );
        assert!(reply.header("date").is_some());
    }
    assert_eq!(right(&manis).send(&manis).await.status, 200);
}

#[tokio::test]
async fn dropping_the_sandbox_stops_it_before_the_drop_returns() {
    let sandbox = start().await;
    let manis = sandbox.manis();
    manis.inject(Fault::Stall);
    let mut stalled = right(&manis).open(&manis).await;
    while manis.counters().faults_served == 0 {
        tokio::task::yield_now().await;
    }
    drop(sandbox);
    let end = stalled.read(&mut [0]).await;
    assert!(matches!(end, Ok(0) | Err(_)), "the connection is still open");
    assert_eq!(manis.counters().token_requests, 1, "a handle outlives the server");
}

#[tokio::test]
async fn a_dropped_sandbox_listens_no_more() {
    // On its own address, so that no other test is given a port that has just become free.
    let own = if cfg!(target_os = "linux") { [127, 0, 0, 2] } else { [127, 0, 0, 1] };
    let sandbox = Sandbox::builder().bind(own).start().await.unwrap();
    let addresses = sandbox.handles().map(|handle| SocketAddr::from((own, handle.port())));
    for address in addresses {
        assert!(std::net::TcpStream::connect(address).is_ok(), "{address}");
    }
    drop(sandbox);
    for address in addresses {
        assert!(std::net::TcpStream::connect(address).is_err(), "{address}");
    }
}

#[tokio::test]
async fn ports_can_be_chosen_and_errors_say_what_to_do() {
    let taken = start().await;
    let error = Sandbox::builder().port(taken.manis().port()).start().await.unwrap_err();
    assert!(matches!(error, Error::Listen { .. }), "{error:?}");
    let error = Sandbox::builder().port(65_533).start().await.unwrap_err();
    assert!(matches!(error, Error::PortRange(65_533)), "{error:?}");
    let error = Sandbox::builder().bind([0, 0, 0, 0]).start().await.unwrap_err();
    assert!(matches!(error, Error::NotLoopback(_)), "{error:?}");
    for error in [Error::PortRange(1), Error::NotLoopback(IpAddr::V6(Ipv6Addr::UNSPECIFIED))] {
        let text = error.to_string();
        assert!(!text.contains('\n') && !text.ends_with('.'), "{text}");
    }
}

#[tokio::test]
async fn an_environment_points_at_its_provider_with_what_it_accepts() {
    let sandbox = start().await;
    for handle in sandbox.handles() {
        let env = handle.env();
        let values: Vec<_> = env.iter().map(|(_, value)| value.as_str()).collect();
        let credentials = handle.credentials();
        assert!(values.contains(&credentials.id()) && values.contains(&credentials.secret()));
        assert!(values.iter().any(|value| value.starts_with(handle.base_url())), "{values:?}");
        let prefix = handle.provider().name().to_uppercase();
        assert!(env.iter().all(|(name, _)| name.starts_with(&prefix)), "{env:?}");
        assert!(handle.token_url().starts_with(handle.base_url()));
        assert!(handle.api_url().starts_with(handle.base_url()));
    }
    let url = sandbox.tresorpay().token_url();
    assert!(sandbox.tresorpay().env().contains(&("TRESORPAY_TOKEN_URL", url)));
}

#[tokio::test]
async fn nothing_that_can_be_printed_shows_a_secret_or_a_token() {
    let sandbox = start().await;
    let mut secrets = vec![sandbox.digishare().personal_access_token()];
    for handle in sandbox.handles() {
        handle.inject(Fault::Latency(Duration::ZERO));
        secrets.push(handle.credentials().secret().to_owned());
        secrets.push(right(&handle).send(&handle).await.token());
    }
    let canned = auth_sandbox::CannedResponse::new(200).header("x", "canary-1").body("canary-2");
    secrets.extend(["canary-1".to_owned(), "canary-2".to_owned()]);
    let mut printed =
        format!("{sandbox:#?} {:?} {:?}", Fault::Response(canned), sandbox.digishare());
    for handle in sandbox.handles() {
        printed += &format!("{handle:?} {:?} {:?}", handle.credentials(), handle.counters());
    }
    for secret in secrets {
        assert!(!printed.contains(&secret), "{secret} in {printed}");
    }
}

#[test]
fn it_needs_no_runtime() {
    let sandbox = Sandbox::builder().start_blocking().unwrap();
    assert!(std::net::TcpStream::connect(("127.0.0.1", sandbox.papaya().port())).is_ok());
}
