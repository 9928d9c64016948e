//! The faults that answer: wrong statuses, pages, clocks and lifetimes.

// A test measures by the machine's own clock what the sandbox did by its.
#![allow(clippy::disallowed_methods)]
// Test code outside a `#[test]` function, which the lint configuration does not recognise.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod common;

use std::time::{Duration, Instant, SystemTime};

use auth_sandbox::{CannedResponse, Fault, Handle, RetryAfter, Skew};
use common::{Reply, api, jwt, right, start};
use tokio::io::AsyncReadExt as _;
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

fn date(reply: &Reply) -> SystemTime {
    httpdate::parse_http_date(reply.header("date").unwrap()).unwrap()
}

#[tokio::test]
async fn a_status_comes_with_the_body_that_the_provider_documents() {
    let sandbox = start().await;
    let cases = [
        (sandbox.digitalpaye().any(), 500, r#""message": "InternalServerError""#),
        (sandbox.digitalpaye().any(), 401, r#""message": "UnauthorizedError""#),
        (sandbox.digishare().any(), 500, "{\n    \"message\": \"Server Error\"\n}"),
        (sandbox.digishare().any(), 422, "The given data was invalid."),
        (sandbox.digishare().any(), 403, "Forbidden."),
        (sandbox.tresorpay().any(), 500, r#"{"error":"unknown_error","#),
        (sandbox.tresorpay().any(), 403, r#"{"error":"access_denied","#),
        (sandbox.papaya().any(), 401, "Invalid request"),
        (sandbox.manis().any(), 500, r#"{"message":"Internal Server Error","#),
    ];
    for (handle, status, body) in cases {
        handle.inject_times(Fault::Status(status), 1);
        let reply = right(&handle).send(&handle).await;
        assert_eq!(reply.status, status, "{handle:?}");
        assert!(reply.text().contains(body), "{handle:?}: {}", reply.text());
    }
    for handle in sandbox.handles() {
        handle.reset_counters();
        handle.inject(Fault::Status(502));
        for _ in 0..3 {
            let reply = right(&handle).send(&handle).await;
            assert_eq!((reply.status, reply.header("content-type")), (502, Some("text/html")));
            assert!(reply.text().contains("502 Bad Gateway"), "{}", reply.text());
        }
        handle.clear_faults();
        assert!(right(&handle).send(&handle).await.status < 300);
        let counters = handle.counters();
        assert_eq!((counters.token_requests, counters.faults_served), (4, 3));
        assert_eq!((counters.tokens_issued, counters.rejected), (1, 0));
    }
    let manis = sandbox.manis();
    manis.inject(Fault::Status(101));
    assert_eq!(right(&manis).send(&manis).await.status, 500, "no final response has 101");
}

#[tokio::test]
async fn counted_faults_end_by_themselves() {
    let sandbox = start().await;
    let papaya = sandbox.papaya();
    papaya.inject_times(Fault::Status(500), 2);
    papaya.inject_times(Fault::Firewall, 1);
    let mut statuses = Vec::new();
    for _ in 0..4 {
        statuses.push(right(&papaya).send(&papaya).await.status);
    }
    assert_eq!(statuses, [500, 500, 403, 201]);
}

#[tokio::test]
async fn retry_after_comes_in_seconds_as_a_date_or_as_any_text() {
    let sandbox = start().await;
    let digishare = sandbox.digishare();
    let after = |after| Fault::RetryAfter { status: 429, after };
    let ask = async |fault| {
        digishare.inject(fault);
        let reply = right(&digishare).send(&digishare).await;
        let count = reply.headers.iter().filter(|(name, _)| name == "retry-after").count();
        assert_eq!((reply.status, count), (429, 1));
        let value = reply.header("retry-after").unwrap().to_owned();
        (reply, value)
    };
    assert_eq!(ask(Fault::Status(429)).await.1, "60", "the OpenAPI's own");
    assert_eq!(ask(after(RetryAfter::In(Duration::from_secs(7)))).await.1, "7");
    assert_eq!(ask(after(RetryAfter::Text("soon".to_owned()))).await.1, "soon");
    let (reply, value) = ask(after(RetryAfter::At(Duration::from_secs(90)))).await;
    let distance = httpdate::parse_http_date(&value).unwrap().duration_since(date(&reply)).unwrap();
    assert!((89..=91).contains(&distance.as_secs()), "{distance:?}");
}

#[tokio::test]
async fn a_canned_response_is_sent_as_it_stands() {
    let sandbox = start().await;
    let manis = sandbox.manis();
    let canned = CannedResponse::new(418).header("X-Twice", "1").header("X-Twice", "2").body("tea");
    manis.inject(Fault::Response(canned));
    let text = String::from_utf8(raw(&manis).await).unwrap();
    assert!(
        text.starts_with("HTTP/1.1 418 I'm a teapot\r\nX-Twice: 1\r\nX-Twice: 2\r\ndate: "),
        "{text}"
    );
    assert!(text.ends_with("content-length: 3\r\nconnection: close\r\n\r\ntea"), "{text}");

    let canned = CannedResponse::new(200).header("Content-Length", "99").header("Date", "never");
    manis.inject(Fault::Response(canned));
    let text = String::from_utf8(raw(&manis).await).unwrap();
    assert_eq!(text.matches("ength").count(), 1, "{text}");
    assert!(text.contains("Date: never\r\n") && !text.contains("date: "), "{text}");
}

#[tokio::test]
async fn a_redirect_names_its_target_and_nothing_else() {
    let sandbox = start().await;
    let tresorpay = sandbox.tresorpay();
    for status in [301, 302, 303, 307, 308] {
        tresorpay.inject(Fault::Redirect { status, location: "http://127.0.0.1:1/x".to_owned() });
        let reply = right(&tresorpay).send(&tresorpay).await;
        assert_eq!(
            (reply.status, reply.header("location")),
            (status, Some("http://127.0.0.1:1/x"))
        );
        assert!(reply.body.is_empty());
    }
}

#[tokio::test]
async fn html_pages_of_gateways_answer_200_and_403() {
    let sandbox = start().await;
    let manis = sandbox.manis();
    for (fault, status, word) in
        [(Fault::CaptivePortal, 200, "Wi-Fi"), (Fault::Firewall, 403, "blocked")]
    {
        manis.inject(fault);
        let reply = right(&manis).send(&manis).await;
        assert_eq!(
            (reply.status, reply.header("content-type")),
            (status, Some("text/html; charset=UTF-8"))
        );
        assert!(reply.text().contains(word));
    }
}

#[tokio::test]
async fn latency_delays_the_normal_answer_and_delays_add_up() {
    let sandbox = start().await;
    let manis = sandbox.manis();
    manis.inject_times(Fault::Latency(SOON), 1);
    manis.inject_times(Fault::Status(500).delayed(SOON).delayed(SOON), 1);
    let begun = Instant::now();
    assert_eq!(right(&manis).send(&manis).await.status, 200);
    assert!(begun.elapsed() >= SOON);
    let begun = Instant::now();
    assert_eq!(right(&manis).send(&manis).await.status, 500);
    assert!(begun.elapsed() >= SOON * 2);
}

#[tokio::test]
async fn a_gzip_body_is_labelled_and_real() {
    let sandbox = start().await;
    let manis = sandbox.manis();
    manis.inject(Fault::Gzip);
    let reply = right(&manis).send(&manis).await;
    assert_eq!(reply.header("content-encoding"), Some("gzip"));
    // One stored block between a head of ten bytes and a tail of eight.
    assert_eq!(&reply.body[..4], &[0x1f, 0x8b, 8, 0]);
    assert_eq!(reply.body[10], 1, "the last block, stored");
    let length = usize::from(u16::from_le_bytes([reply.body[11], reply.body[12]]));
    let stored = &reply.body[15..15 + length];
    assert!(stored.starts_with(b"{\"token\":"));
    assert_eq!(reply.body.len(), 15 + length + 8);
}

#[tokio::test]
async fn the_date_header_can_be_wrong_or_missing_while_the_token_is_right() {
    let sandbox = start().await;
    let manis = sandbox.manis();
    let hour = Duration::from_secs(3600);
    let now = SystemTime::now();
    for (skew, wanted) in [(Skew::Ahead(hour), now + hour), (Skew::Behind(hour), now - hour)] {
        manis.inject(Fault::SkewedDate(skew));
        let reply = right(&manis).send(&manis).await;
        assert_eq!(reply.headers.iter().filter(|(name, _)| name == "date").count(), 1);
        let off = date(&reply).duration_since(wanted).unwrap_or_else(|error| error.duration());
        assert!(off < Duration::from_secs(5), "{off:?}");
        let iat = jwt(&reply.token()).1["iat"].as_u64().unwrap();
        let now = now.duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs();
        assert!(iat.abs_diff(now) < 5, "the token's own clock is right");
    }
    manis.inject(Fault::NoDate);
    let reply = right(&manis).send(&manis).await;
    assert_eq!((reply.status, reply.header("date")), (200, None));
}

#[tokio::test]
async fn tokens_can_be_short_lived_or_dead_on_arrival() {
    let sandbox = start().await;
    for handle in sandbox.handles() {
        handle.inject_times(Fault::Expired(Duration::from_secs(30)), 1);
        let reply = right(&handle).send(&handle).await;
        let token = reply.token();
        let exp = jwt(&token).1["exp"].as_f64().unwrap();
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs_f64();
        assert!((now - exp - 30.0).abs() < 5.0, "{handle:?}: {exp} at {now}");
        if let Some(expires_in) = reply.json().get("expires_in") {
            assert_eq!(*expires_in, -30);
        }
        assert_eq!(api(&handle, &token).send(&handle).await.status, 401, "{handle:?}");

        handle.inject_times(Fault::Lifetime(SOON), 1);
        let token = right(&handle).send(&handle).await.token();
        tokio::time::sleep(SOON).await;
        assert_eq!(api(&handle, &token).send(&handle).await.status, 401, "{handle:?}");
    }
}

#[tokio::test]
async fn a_wrong_request_is_wrong_under_a_fault_as_well() {
    let sandbox = start().await;
    let manis = sandbox.manis();
    manis.inject(Fault::Latency(Duration::from_millis(1)));
    assert_eq!(right(&manis).without("x-secret").send(&manis).await.status, 400);
    manis.inject(Fault::NoDate);
    assert_eq!(right(&manis).without("x-secret").send(&manis).await.status, 400);
    assert_eq!(manis.counters().rejected, 2);
}
