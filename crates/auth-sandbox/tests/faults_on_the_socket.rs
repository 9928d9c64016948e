//! The faults that need the bare socket: resets, stalls, truncated responses.

// A test measures by the machine's own clock what the sandbox did by its.
#![allow(clippy::disallowed_methods)]
// Test code outside a `#[test]` function, which the lint configuration does not recognise.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod common;

use std::io::ErrorKind;
use std::time::{Duration, Instant};

use auth_sandbox::{Fault, Handle};
use common::{Reply, right, start};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::time::timeout;

const SOON: Duration = Duration::from_millis(40);
const LATER: Duration = Duration::from_secs(10);

/// Reads everything until the server closes.
async fn raw<P: Send + Sync>(handle: &Handle<P>) -> Vec<u8> {
    let mut socket = right(handle).open(handle).await;
    let mut bytes = Vec::new();
    timeout(LATER, socket.read_to_end(&mut bytes)).await.unwrap().unwrap();
    bytes
}

#[tokio::test]
async fn a_reset_is_a_reset_and_a_close_is_none() {
    let sandbox = start().await;
    let manis = sandbox.manis();
    manis.inject_times(Fault::Reset, 1);
    let mut socket = right(&manis).open(&manis).await;
    let error = timeout(LATER, socket.read_u8()).await.unwrap().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConnectionReset);

    manis.inject_times(Fault::Close, 1);
    assert!(raw(&manis).await.is_empty());
    assert_eq!(manis.counters().token_requests, 2, "both were read before");
}

#[tokio::test]
async fn a_stall_says_nothing_or_only_the_head() {
    let sandbox = start().await;
    let manis = sandbox.manis();
    manis.inject_times(Fault::Stall, 1);
    let mut socket = right(&manis).open(&manis).await;
    assert!(timeout(SOON, socket.read_u8()).await.is_err(), "something came");

    manis.inject_times(Fault::StallAfterHeaders, 1);
    let mut socket = right(&manis).open(&manis).await;
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(timeout(LATER, socket.read_u8()).await.unwrap().unwrap());
    }
    assert!(head.starts_with(b"HTTP/1.1 200 OK\r\n"));
    assert!(timeout(SOON, socket.read_u8()).await.is_err(), "a body came");
}

#[tokio::test]
async fn a_drip_takes_its_time_and_arrives_whole() {
    let sandbox = start().await;
    let manis = sandbox.manis();
    let pause = Duration::from_micros(200);
    manis.inject(Fault::Drip { pause });
    let begun = Instant::now();
    let reply = Reply::parse(&raw(&manis).await);
    assert!(begun.elapsed() >= pause * u32::try_from(reply.body.len()).unwrap());
    assert_eq!(reply.header("content-length"), Some(reply.body.len().to_string().as_str()));
    assert!(reply.token().len() > 50);
}

#[tokio::test]
async fn a_truncated_answer_promises_more_than_it_holds() {
    let sandbox = start().await;
    let manis = sandbox.manis();
    manis.inject(Fault::Truncate);
    let reply = Reply::parse(&raw(&manis).await);
    let promised: usize = reply.header("content-length").unwrap().parse().unwrap();
    assert!(!reply.body.is_empty() && reply.body.len() < promised);
    assert_eq!(manis.counters().tokens_issued, 1, "it was issued all the same");
}

#[tokio::test]
async fn garbage_is_sent_as_it_is() {
    let sandbox = start().await;
    let manis = sandbox.manis();
    manis.inject(Fault::Garbage(b"\x15\x03\x01 not http".to_vec()));
    assert_eq!(raw(&manis).await, b"\x15\x03\x01 not http");
}

#[tokio::test]
async fn a_flood_has_the_length_that_was_asked_for_or_no_end() {
    let sandbox = start().await;
    let manis = sandbox.manis();
    manis.inject_times(Fault::Oversize { bytes: 100_000 }, 1);
    let reply = Reply::parse(&raw(&manis).await);
    assert_eq!(reply.header("transfer-encoding"), Some("chunked"));
    let (mut rest, mut body) = (&reply.body[..], Vec::new());
    loop {
        let end = rest.windows(2).position(|w| w == b"\r\n").unwrap();
        let size = usize::from_str_radix(std::str::from_utf8(&rest[..end]).unwrap(), 16).unwrap();
        if size == 0 {
            break;
        }
        body.extend_from_slice(&rest[end + 2..end + 2 + size]);
        rest = &rest[end + 4 + size..];
    }
    assert_eq!(body.len(), 100_000);
    assert!(body.starts_with(br#"{"token":"aaaa"#));

    manis.inject_times(Fault::Oversize { bytes: u64::MAX }, 1);
    let mut socket = right(&manis).open(&manis).await;
    let mut sink = vec![0; 1 << 20];
    timeout(LATER, socket.read_exact(&mut sink)).await.unwrap().unwrap();
    drop(socket);
    assert_eq!(right(&manis).send(&manis).await.status, 200, "the server outlives it");
}

#[tokio::test]
async fn one_stalled_client_does_not_hold_up_another() {
    let sandbox = start().await;
    let manis = sandbox.manis();
    manis.inject_times(Fault::Stall, 1);
    let mut stalled = right(&manis).open(&manis).await;
    while manis.counters().faults_served == 0 {
        tokio::task::yield_now().await;
    }
    assert_eq!(right(&manis).send(&manis).await.status, 200);
    stalled.shutdown().await.unwrap();
    assert_eq!(timeout(LATER, stalled.read(&mut [0])).await.unwrap().unwrap(), 0);
}
