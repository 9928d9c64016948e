//! The control API: what it describes, what it does, and whom it refuses.

// Test code outside a `#[test]` function, which the lint configuration does not recognise.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
// A test measures by the machine's own clock what the sandbox did by its.
#![allow(clippy::disallowed_methods)]

mod common;
mod schema;

use std::time::{Duration, Instant};

use auth_sandbox::{Credentials, Handle, Provider, Sandbox};
use common::{Reply, api, exchange, right};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

async fn steerable() -> Sandbox {
    Sandbox::builder().control(0).start().await.unwrap()
}

fn control_port(sandbox: &Sandbox) -> u16 {
    let url = sandbox.control_url().unwrap();
    url.rsplit_once(':').unwrap().1.split('/').next().unwrap().parse().unwrap()
}

/// Names and values.
type Headers<'a> = &'a [(&'a str, &'a str)];

/// A request with exactly these headers besides its length.
async fn raw(port: u16, method: &str, target: &str, headers: &[(&str, &str)], body: &str) -> Reply {
    let mut text = format!("{method} {target} HTTP/1.1\r\nConnection: close\r\n");
    for (name, value) in headers {
        text += &format!("{name}: {value}\r\n");
    }
    if method != "GET" {
        text += &format!("Content-Length: {}\r\n", body.len());
    }
    exchange(port, (text + "\r\n" + body).as_bytes()).await
}

const LOCAL: (&str, &str) = ("Host", "localhost");
const AS_JSON: (&str, &str) = ("Content-Type", "application/json");

async fn call(sandbox: &Sandbox, method: &str, path: &str, body: Value) -> Value {
    let body = if body.is_null() { String::new() } else { body.to_string() };
    let target = format!("/__sandbox/{path}");
    let reply = raw(control_port(sandbox), method, &target, &[LOCAL, AS_JSON], &body).await;
    assert_eq!(reply.status, 200, "{method} {path}: {}", reply.text());
    reply.json()
}

#[tokio::test]
async fn the_document_and_the_server_agree_on_every_path_method_and_answer() {
    let sandbox = steerable().await;
    let port = control_port(&sandbox);
    for handle in sandbox.handles() {
        right(&handle).send(&handle).await.token();
    }
    let document = call(&sandbox, "GET", "openapi.json", Value::Null).await;
    let mut paths = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        paths.push(path.trim_start_matches("/__sandbox/").to_owned());
        for method in ["GET", "POST", "PUT", "DELETE", "PATCH"] {
            let operation = &item[method.to_lowercase()];
            let example = &operation["requestBody"]["content"]["application/json"]["example"];
            let body = if example.is_null() { "{}".to_owned() } else { example.to_string() };
            let reply = raw(port, method, path, &[LOCAL, AS_JSON], &body).await;
            let said = format!("{method} {path}: {} {}", reply.status, reply.text());
            assert_eq!(reply.status, if operation.is_null() { 405 } else { 200 }, "{said}");
            let answer = if operation.is_null() {
                json!({"$ref": "#/components/schemas/Error"})
            } else {
                operation["responses"]["200"]["content"]["application/json"]["schema"].clone()
            };
            schema::check(&document, &answer, &reply.json())
                .unwrap_or_else(|why| panic!("{said}: {why}"));
        }
    }
    let lost = raw(port, "GET", "/__sandbox/nowhere", &[LOCAL], "").await;
    assert_eq!(lost.status, 404);
    let error = lost.json()["error"].as_str().unwrap().to_owned();
    let mut served: Vec<_> =
        error.rsplit_once("are ").unwrap().1.split(' ').map(str::to_owned).collect();
    served.sort();
    paths.sort();
    assert_eq!(served, paths);
}

#[tokio::test]
async fn every_fault_of_the_document_can_be_set_seen_and_cleared() {
    let sandbox = steerable().await;
    let document = call(&sandbox, "GET", "openapi.json", Value::Null).await;
    let kinds = document["components"]["schemas"]["Fault"]["oneOf"].as_array().unwrap();
    assert_eq!(kinds.len(), 20);
    for kind in kinds {
        let mut fault = schema::sample(kind);
        match fault["kind"].as_str().unwrap() {
            "retry_after" => fault["seconds"] = json!(2),
            "garbage" => fault["text"] = json!("x"),
            _ => {}
        }
        let asked = json!({"provider": "manis", "fault": fault, "times": 7, "delay": 0.5});
        let set = call(&sandbox, "POST", "faults", asked).await;
        let set = &set["faults"][0];
        assert_eq!(set["fault"]["kind"], fault["kind"]);
        assert_eq!((&set["provider"], &set["times"]), (&json!("manis"), &json!(7)));
        let shape = json!({"$ref": "#/components/schemas/FaultSet"});
        schema::check(&document, &shape, set).unwrap_or_else(|why| panic!("{set}: {why}"));
        let left = call(&sandbox, "DELETE", "faults?provider=manis", Value::Null).await;
        assert_eq!(left, json!({"faults": []}));
    }
}

#[tokio::test]
async fn a_fault_hits_one_account_or_all_of_a_provider() {
    let mut builder = Sandbox::builder().control(0);
    for at in 0..1000 {
        let pair = Credentials::new(format!("shop-{at}"), format!("made-up-{at}"));
        builder = builder.account(Provider::Manis, pair);
    }
    let sandbox = builder.start().await.unwrap();
    let manis = sandbox.manis();
    let ask = |at: usize| {
        let call = right(&manis).replace("x-merchant-id", &format!("shop-{at}"));
        call.replace("x-secret", &format!("made-up-{at}"))
    };
    let fault = json!({"kind": "status", "status": 503});
    let asked = json!({"provider": "manis", "account": "shop-999", "fault": fault});
    call(&sandbox, "POST", "faults", asked).await;
    assert_eq!(ask(999).send(&manis).await.status, 503);
    assert_eq!(ask(998).send(&manis).await.status, 200);
    assert_eq!(ask(0).replace("x-secret", "made-up-1").send(&manis).await.status, 401);
    // An account's own fault comes before the provider's.
    let common = json!({"kind": "status", "status": 500});
    call(&sandbox, "POST", "faults", json!({"provider": "manis", "fault": common})).await;
    assert_eq!(ask(999).send(&manis).await.status, 503);
    call(&sandbox, "DELETE", "faults?account=shop-999", Value::Null).await;
    assert_eq!(ask(999).send(&manis).await.status, 500);
    call(&sandbox, "DELETE", "faults", Value::Null).await;
    let token = ask(999).send(&manis).await.token();
    let other = ask(998).send(&manis).await.token();

    let revoked = json!({"provider": "manis", "account": "shop-999"});
    call(&sandbox, "POST", "revoke", revoked).await;
    assert_eq!(api(&manis, &token).send(&manis).await.status, 401);
    assert_eq!(api(&manis, &other).send(&manis).await.status, 200);
    let rotated = json!({"provider": "manis", "account": "shop-998", "secret": "new"});
    call(&sandbox, "POST", "rotate", rotated).await;
    assert_eq!(ask(998).send(&manis).await.status, 401);
    assert_eq!(ask(998).replace("x-secret", "new").send(&manis).await.status, 200);
    let seen = call(&sandbox, "GET", "accounts?account=shop-999", Value::Null).await;
    assert_eq!(seen["accounts"][0]["counters"]["token_requests"], 4);
}

#[tokio::test]
async fn faults_by_number_are_exact_under_concurrency() {
    let sandbox = steerable().await;
    let manis = sandbox.manis();
    let fault = json!({"kind": "status", "status": 503});
    call(&sandbox, "POST", "faults", json!({"provider": "manis", "fault": fault, "times": 37}))
        .await;
    let mut calls = tokio::task::JoinSet::new();
    for _ in 0..200 {
        let manis = manis.clone();
        calls.spawn(async move { right(&manis).send(&manis).await.status });
    }
    let statuses = calls.join_all().await;
    assert_eq!(statuses.iter().filter(|status| **status == 503).count(), 37);
    assert_eq!(statuses.iter().filter(|status| **status == 200).count(), 163);
}

#[tokio::test]
async fn no_web_page_can_steer_or_read_it() {
    let sandbox = Sandbox::builder().control(0).advertise("sandbox").start().await.unwrap();
    let port = control_port(&sandbox);
    let own = format!("http://localhost:{port}");
    let host = format!("localhost:{port}");
    let cases: [(&str, Headers<'_>, u16); 14] = [
        ("its own page", &[("Host", &host), ("Origin", &own), AS_JSON], 200),
        ("curl", &[("Host", &host), AS_JSON], 200),
        ("the advertised name", &[("Host", "sandbox:8090"), AS_JSON], 200),
        ("an address", &[("Host", "192.0.2.7:8090"), AS_JSON], 200),
        ("a name that was rebound", &[("Host", "evil.example"), AS_JSON], 403),
        ("its port too", &[("Host", "evil.example:80"), AS_JSON], 403),
        ("a name that begins as ours", &[("Host", "localhost.evil.example"), AS_JSON], 403),
        ("no host", &[AS_JSON], 403),
        ("two hosts", &[("Host", &host), ("Host", "evil.example"), AS_JSON], 403),
        ("another origin", &[("Host", &host), ("Origin", "http://evil.example"), AS_JSON], 403),
        ("a sandboxed frame", &[("Host", &host), ("Origin", "null"), AS_JSON], 403),
        ("another port", &[("Host", &host), ("Origin", "http://localhost:1"), AS_JSON], 403),
        ("another site", &[("Host", &host), ("Sec-Fetch-Site", "cross-site"), AS_JSON], 403),
        ("a form", &[("Host", &host), ("Content-Type", "text/plain")], 415),
    ];
    for (what, headers, status) in cases {
        let reply =
            raw(port, "POST", "/__sandbox/rotate", headers, r#"{"provider":"manis"}"#).await;
        assert_eq!(reply.status, status, "{what}: {}", reply.text());
        assert_eq!(reply.header("x-frame-options"), Some("DENY"), "{what}");
        let policy = reply.header("content-security-policy").unwrap();
        assert!(
            policy.starts_with("default-src 'none'") && policy.contains("frame-ancestors 'none'")
        );
        assert!(reply.header("access-control-allow-origin").is_none());
        if status == 403 {
            let read = raw(port, "GET", "/__sandbox/journal", headers, "").await;
            assert_eq!(read.status, 403, "{what}");
            let gone = raw(port, "DELETE", "/__sandbox/journal", headers, "").await;
            assert_eq!(gone.status, 403, "{what}");
            let set = raw(port, "PUT", "/__sandbox/api", headers, r#"{"refuse":true}"#).await;
            assert_eq!(set.status, 403, "{what}");
        }
    }
    let form = [("Host", host.as_str()), ("Content-Type", "text/plain")];
    let set = raw(port, "PUT", "/__sandbox/api", &form, r#"{"refuse":true}"#).await;
    assert_eq!(set.status, 415);
    // A target that is a whole URL is held to the same.
    for (target, status) in [
        (format!("http://{host}/__sandbox/journal"), 200),
        ("http://sandbox/__sandbox/journal".to_owned(), 200),
        ("http://evil.example/__sandbox/journal".to_owned(), 403),
        (format!("http://localhost@evil.example:{port}/__sandbox/journal"), 403),
    ] {
        assert_eq!(raw(port, "GET", &target, &[LOCAL], "").await.status, status, "{target}");
    }
    for target in ["/__sandbox/reset?x", "/__sandbox/rotate", "/__sandbox/revoke"] {
        assert_eq!(raw(port, "GET", target, &[LOCAL], "").await.status, 405, "{target}");
    }
}

#[tokio::test]
async fn credentials_that_no_header_and_no_shell_can_hold_are_refused() {
    let sandbox = steerable().await;
    let port = control_port(&sandbox);
    let before = sandbox.manis().credentials();
    for (path, body) in [
        ("accounts", json!({"provider": "manis", "id": ""})),
        ("accounts", json!({"provider": "manis", "id": "a\nb"})),
        ("accounts", json!({"provider": "manis", "id": "a", "secret": "\u{7f}"})),
        ("rotate", json!({"provider": "manis", "secret": ""})),
        ("rotate", json!({"provider": "manis", "secret": "a\r\nx-secret: b"})),
    ] {
        let target = format!("/__sandbox/{path}");
        let reply = raw(port, "POST", &target, &[LOCAL, AS_JSON], &body.to_string()).await;
        assert_eq!(reply.status, 400, "{body}");
        assert!(reply.text().contains("is empty or no plain text"), "{}", reply.text());
    }
    assert_eq!(sandbox.manis().accounts(), [before]);
}

#[tokio::test]
async fn a_browser_gets_a_page_that_loads_from_here_alone_and_curl_a_text() {
    let sandbox = steerable().await;
    let port = control_port(&sandbox);
    let html = ("Accept", "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8");
    let page = raw(port, "GET", "/", &[LOCAL, html], "").await;
    assert_eq!(page.header("content-type"), Some("text/html; charset=UTF-8"));
    let policy = page.header("content-security-policy").unwrap();
    assert!(policy.contains("script-src 'self';") && !policy.contains("unsafe"), "{policy}");
    let mut left = vec![("/".to_owned(), page.text().to_owned())];
    let mut loaded = Vec::new();
    while let Some((from, text)) = left.pop() {
        for before in ["src=\"", "href=\"/", "from \"."] {
            for rest in text.split(before).skip(1) {
                let path = format!("/{}", rest.split('"').next().unwrap().trim_start_matches('/'));
                if loaded.contains(&path) {
                    continue;
                }
                let part = raw(port, "GET", &path, &[LOCAL], "").await;
                assert_eq!(part.status, 200, "{from} loads {path}");
                let policy = part.header("content-security-policy").unwrap();
                assert!(!policy.contains("self"), "{path}: {policy}");
                left.push((path.clone(), part.text().to_owned()));
                loaded.push(path);
            }
        }
    }
    assert_eq!(loaded.len(), 9, "{loaded:?}");
    for accept in [&[LOCAL][..], &[LOCAL, ("Accept", "*/*")]] {
        let text = raw(port, "GET", "/", accept, "").await;
        assert_eq!(text.header("content-type"), Some("text/plain; charset=utf-8"));
        assert!(text.text().contains("/__sandbox/journal"));
    }
    // A link from elsewhere leads to the page; its parts are for the page alone.
    let (evil, linked) = (("Host", "evil.example"), ("Sec-Fetch-Site", "cross-site"));
    for (target, headers, status) in [
        ("/", [LOCAL, html, linked], 200),
        ("/page.js", [LOCAL, html, linked], 403),
        ("/", [evil, html, html], 403),
        ("/page.js", [evil, html, html], 403),
    ] {
        assert_eq!(raw(port, "GET", target, &headers, "").await.status, status, "{target}");
    }
    assert_eq!(raw(port, "POST", "/", &[LOCAL, AS_JSON], "{}").await.status, 404);
}

#[tokio::test]
async fn the_journal_shows_no_credential_not_even_a_foreign_one() {
    let sandbox = steerable().await;
    let foreign = ["hunter2", "live9f8e7d6c5b4a", "eyJhbGciOiJub25lIn0.e30.c2ln"];
    let mut secrets: Vec<_> = foreign.map(str::to_owned).to_vec();
    for handle in sandbox.handles() {
        let token = right(&handle).send(&handle).await.token();
        api(&handle, &token).send(&handle).await;
        secrets.extend([token, handle.credentials().secret().to_owned()]);
        let own = handle.credentials().secret().to_owned();
        let path = handle.token_url()[handle.base_url().len()..].to_owned();
        for secret in foreign.iter().copied().chain([own.as_str()]) {
            for call in [
                right(&handle).header("x-api-token", secret).header("Cookie", secret),
                right(&handle).header("x-merchant-id", secret).header("User-Agent", own.as_str()),
                right(&handle)
                    .body(&format!(r#"{{"a":[{{"pass":"{secret}"}}],"client_id":"{secret}"}}"#)),
                right(&handle).body(&format!("{{\"client_secret\":\"{secret}\"")),
                right(&handle).body(&format!("client_id={secret}&anything={secret}")),
                right(&handle).target(&format!("{path}?token={secret}")),
                right(&handle).header("Authorization", secret),
            ] {
                call.send(&handle).await;
            }
        }
    }
    // A word without a digit cannot be told from a path.
    right(&sandbox.manis()).target(&format!("/{}/x", foreign[1])).send(&sandbox.manis()).await;
    let journal = call(&sandbox, "GET", "journal", Value::Null).await;
    assert_eq!(journal["records"].as_array().unwrap().len(), 5 * (2 + 4 * 7) + 1);
    let text = journal.to_string();
    for secret in &secrets {
        assert!(!text.contains(secret.as_str()), "{secret}");
    }
    for line in sandbox.journal() {
        let line = line.to_string();
        assert!(!secrets.iter().any(|secret| line.contains(secret.as_str())), "{line}");
    }
}

#[tokio::test]
async fn the_journal_shows_no_own_secret_though_it_is_a_plain_word_in_an_odd_place() {
    let sandbox = steerable().await;
    let (manis, digishare) = (sandbox.manis(), sandbox.digishare());
    let path = "/api/v1/auth/token";
    for secret in ["sesame", "open sesame", "open/sesame", "it's sesame"] {
        let encoded = secret.replace(' ', "%20").replace('\'', "%27");
        manis.accept(Credentials::new("shop", secret));
        let own = right(&manis);
        let form = ("Content-Type", "application/x-www-form-urlencoded");
        let calls = |secret: &str| {
            vec![
                own.clone().header("User-Agent", secret),
                own.clone().header("Accept", &format!("text/plain {secret}")),
                own.clone().target(&format!("/{encoded}/x")),
                own.clone().target(&format!("{path}?scope={encoded}")),
                own.clone().target(&format!("{path}?{encoded}=x")),
                own.clone().body(&json!({"a": [{secret: "x"}], "scope": secret}).to_string()),
                own.clone().header(form.0, form.1).body(&format!("{encoded}=x&scope={encoded}")),
            ]
        };
        for call in calls(secret) {
            call.send(&manis).await;
        }
        // Nor one that is kept for an overlap, nor the one of before.
        manis.account("shop").unwrap().rotate_secret();
        for call in calls(secret) {
            call.send(&manis).await;
        }
    }
    right(&manis).header("sesame", "x").method("SESAME").send(&manis).await;
    right(&digishare)
        .body(r#"{"client_id": "x", "sesame": 1, "pin": 77553311}"#)
        .send(&digishare)
        .await;
    manis.accept(Credentials::new("shop", "sesame"));
    right(&manis).header("sesame", "x").send(&manis).await;
    let digitalpaye = sandbox.digitalpaye();
    right(&digitalpaye).replace("X-Environment", "abracadabra").send(&digitalpaye).await;
    let records = call(&sandbox, "GET", "journal", Value::Null).await["records"].take();
    let records = records.as_array().unwrap();
    assert_eq!(records.len(), 4 * 14 + 4);
    for record in records {
        let text = record.to_string();
        let name = record["headers"].to_string().contains("[\"sesame\"");
        let foreign = record["method"] == "[other]" || record["provider"] == "digishare";
        assert!(foreign || (!text.contains("sesame") && !name), "{text}");
        assert!(!text.contains("SESAME") && !text.contains("77553311"), "{text}");
        assert!(!text.contains("abracadabra"), "{text}");
    }
}

#[tokio::test]
async fn the_journal_is_bounded_and_says_what_is_gone() {
    let sandbox = steerable().await;
    let mut socket = TcpStream::connect(("127.0.0.1", sandbox.manis().port())).await.unwrap();
    for _ in 0..1007 {
        socket.write_all(b"GET /api/v1/payments HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
        assert!(socket.read(&mut [0; 4096]).await.unwrap() > 0);
    }
    let journal = call(&sandbox, "GET", "journal?limit=2", Value::Null).await;
    assert_eq!((&journal["gone"], &journal["newest"]), (&json!(7), &json!(1007)));
    let numbers: Vec<_> =
        journal["records"].as_array().unwrap().iter().map(|it| &it["number"]).collect();
    assert_eq!(numbers, [&json!(1006), &json!(1007)]);
    assert_eq!(journal["oldest"], 8);
    let newer = call(&sandbox, "GET", "journal?after=1004&provider=manis", Value::Null).await;
    assert_eq!(newer["records"].as_array().unwrap().len(), 3);
    call(&sandbox, "DELETE", "journal", Value::Null).await;
    let journal = call(&sandbox, "GET", "journal", Value::Null).await;
    assert_eq!((&journal["oldest"], &journal["newest"]), (&json!(1008), &json!(1007)));
}

async fn set(sandbox: &Sandbox, fault: Value) {
    call(sandbox, "POST", "faults", json!({"fault": fault})).await;
}

#[tokio::test]
async fn a_reset_is_as_a_fresh_start_for_those_that_wait_too() {
    let sandbox = steerable().await;
    let manis = sandbox.manis();
    let before = manis.credentials();
    let mut held = Vec::new();
    for fault in [
        json!({"kind": "stall"}),
        json!({"kind": "latency", "seconds": 600}),
        json!({"kind": "drip", "seconds": 600}),
    ] {
        set(&sandbox, fault).await;
        held.push(right(&manis).open(&manis).await);
        while manis.counters().faults_served < held.len() as u64 {
            tokio::task::yield_now().await;
        }
    }
    call(&sandbox, "POST", "rotate", json!({"provider": "manis"})).await;
    call(&sandbox, "PUT", "clock", json!({"seconds": -3600})).await;
    call(&sandbox, "PUT", "lifetime", json!({"seconds": 1})).await;
    call(&sandbox, "POST", "accounts", json!({"provider": "manis", "id": "more"})).await;
    call(&sandbox, "PUT", "api", json!({"refuse": true})).await;
    // What one provider alone has.
    let personal = sandbox.digishare().personal_access_token();
    sandbox.digishare().rotate_personal_access_token();
    sandbox.digitalpaye().accept_environments(["Moon"]);
    call(&sandbox, "POST", "reset", json!({})).await;
    assert_eq!(sandbox.digishare().personal_access_token(), personal);
    let digitalpaye = sandbox.digitalpaye();
    assert_eq!(right(&digitalpaye).send(&digitalpaye).await.status, 200);
    for mut socket in held {
        let mut rest = Vec::new();
        let end = tokio::time::timeout(Duration::from_secs(5), socket.read_to_end(&mut rest)).await;
        assert!(end.is_ok(), "it still waits");
    }
    assert_eq!(manis.credentials(), before);
    let state = call(&sandbox, "GET", "providers", Value::Null).await["providers"][4].clone();
    assert_eq!((&state["clock"], &state["lifetime"]), (&json!(0.0), &json!(3600.0)));
    assert_eq!((&state["accounts"], &state["api_refuses"]), (&json!(1), &json!(false)));
    assert_eq!(manis.counters(), auth_sandbox::Counters::default());
    // Digitalpaye's, of just now.
    assert_eq!(sandbox.journal().len(), 1);
    let token = right(&manis).send(&manis).await.token();
    assert_eq!(api(&manis, &token).send(&manis).await.status, 200);
}

#[tokio::test]
async fn clocks_lifetimes_overlaps_refusals_and_counters_are_set_and_set_back() {
    let sandbox = steerable().await;
    let manis = sandbox.manis();
    let all = [LOCAL, AS_JSON];
    let span = async || {
        let claims = common::jwt(&right(&manis).send(&manis).await.token()).1;
        claims["exp"].as_u64().unwrap() - claims["iat"].as_u64().unwrap()
    };
    call(&sandbox, "PUT", "lifetime", json!({"provider": "manis", "seconds": 5})).await;
    assert_eq!(span().await, 5);
    call(&sandbox, "PUT", "lifetime", json!({})).await;
    assert_eq!(span().await, 3600);

    let off = async || {
        let reply = right(&manis).send(&manis).await;
        let date = httpdate::parse_http_date(reply.header("date").unwrap()).unwrap();
        std::time::SystemTime::now().duration_since(date).unwrap_or_default().as_secs()
    };
    call(&sandbox, "PUT", "clock", json!({"seconds": -3600})).await;
    assert!((3590..3700).contains(&off().await));
    call(&sandbox, "PUT", "clock", json!({"seconds": 0})).await;
    assert!(off().await < 100);

    let token = right(&manis).send(&manis).await.token();
    for (refuse, status) in [(true, 401), (false, 200)] {
        call(&sandbox, "PUT", "api", json!({"refuse": refuse})).await;
        assert_eq!(api(&manis, &token).send(&manis).await.status, status);
    }
    let old = right(&manis);
    for (overlap, status) in [(true, 200), (false, 401)] {
        call(&sandbox, "POST", "rotate", json!({"provider": "manis", "overlap": overlap})).await;
        assert_eq!(old.send(&manis).await.status, status);
        assert_eq!(right(&manis).send(&manis).await.status, 200);
    }
    call(&sandbox, "DELETE", "counters", Value::Null).await;
    assert_eq!(manis.counters(), auth_sandbox::Counters::default());
    let none = json!({"fault": {"kind": "stall"}, "times": 0}).to_string();
    let reply = raw(control_port(&sandbox), "POST", "/__sandbox/faults", &all, &none).await;
    assert_eq!(reply.status, 400);
    assert_eq!(call(&sandbox, "GET", "faults", Value::Null).await, json!({"faults": []}));
}

#[tokio::test]
async fn a_client_that_gives_up_waiting_is_in_the_journal() {
    let sandbox = steerable().await;
    let manis = sandbox.manis();
    set(&sandbox, json!({"kind": "latency", "seconds": 600})).await;
    let socket = right(&manis).open(&manis).await;
    while manis.counters().faults_served == 0 {
        tokio::task::yield_now().await;
    }
    assert!(sandbox.journal().is_empty());
    drop(socket);
    let begun = Instant::now();
    while sandbox.journal().is_empty() {
        assert!(begun.elapsed() < Duration::from_secs(5), "no record");
        tokio::task::yield_now().await;
    }
    let line = sandbox.journal()[0].to_string();
    assert!(
        line.contains("- fault for") && line.contains("latency, and the connection ended"),
        "{line}"
    );
}

#[tokio::test]
async fn stalls_and_drips_cost_other_requests_nothing() {
    let sandbox = steerable().await;
    let manis = sandbox.manis();
    let mut held = Vec::new();
    for fault in [json!({"kind": "stall"}), json!({"kind": "drip", "seconds": 0.05})] {
        set(&sandbox, fault).await;
        for _ in 0..100 {
            held.push(right(&manis).open(&manis).await);
        }
    }
    let begun = Instant::now();
    while manis.counters().faults_served < 200 {
        assert!(begun.elapsed() < Duration::from_secs(10), "the stalled hold up the next");
        tokio::task::yield_now().await;
    }
    call(&sandbox, "DELETE", "faults", Value::Null).await;
    let begun = Instant::now();
    for _ in 0..20 {
        assert_eq!(right(&manis).send(&manis).await.status, 200);
    }
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
}

#[tokio::test]
async fn one_port_serves_all_and_counts_as_five_do() {
    let sandbox = Sandbox::builder().one_port(true).strict(true).start().await.unwrap();
    for handle in sandbox.handles() {
        let below = |call: common::Call, url: &str| {
            call.target(url.split_once(&format!(":{}", handle.port())).unwrap().1)
        };
        let token = below(right(&handle), &handle.token_url()).send(&handle).await.token();
        let call = below(api(&handle, &token), &handle.api_url());
        assert_eq!(call.send(&handle).await.status, 200);
        let seen = handle.counters();
        assert_eq!((seen.connections, seen.tokens_issued, seen.api_accepted), (2, 1, 1));
    }
    let manis = sandbox.manis();
    manis.reset_counters();
    let mut socket = TcpStream::connect(("127.0.0.1", manis.port())).await.unwrap();
    for _ in 0..2 {
        socket.write_all(b"GET /manis/x HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
        assert!(socket.read(&mut [0; 4096]).await.unwrap() > 0);
    }
    assert_eq!((manis.counters().connections, manis.counters().stray_requests), (1, 2));
    let lost = right(&manis).target("/manisx/api/v1/auth/token").send(&manis).await;
    assert_eq!((lost.status, lost.json()["providers"].as_array().unwrap().len()), (404, 5));
    right(&manis).send(&manis).await;
    let lines: Vec<_> = sandbox.journal().iter().rev().take(2).map(|it| it.to_string()).collect();
    assert!(lines[0].contains("- POST /api/v1/auth/token 404 stray: the path begins"), "{lines:?}");
    assert!(lines[1].contains("- POST [not shown] 404 stray"), "{lines:?}");
}

#[tokio::test]
async fn localhost_is_answered_on_both_its_addresses() {
    let Ok(_) = std::net::TcpListener::bind("[::1]:0") else {
        return;
    };
    let sandbox = Sandbox::start().await.unwrap();
    for handle in sandbox.handles() {
        assert!(TcpStream::connect(("::1", handle.port())).await.is_ok(), "{handle:?}");
    }
    // Where another program has that port, `localhost` would lead there. The port of 127.0.0.1 may be
    // another test's.
    let refused = async || {
        let other = std::net::TcpListener::bind("[::1]:0").unwrap();
        let port = other.local_addr().unwrap().port();
        let error = Sandbox::builder().one_port(true).port(port).start().await.unwrap_err();
        error.to_string().contains(&format!("[::1]:{port}"))
    };
    assert!(refused().await || refused().await || refused().await);
}

/// What the server says to these headers, up to the end of the connection.
async fn offered(
    manis: &Handle<auth_sandbox::providers::Manis>,
    headers: &str,
    body: &str,
) -> String {
    let pair = manis.credentials();
    let text = format!(
        "POST /api/v1/auth/token HTTP/1.1\r\nHost: x\r\nx-merchant-id: {}\r\nx-secret: {}\r\n{headers}\r\n",
        pair.id(),
        pair.secret()
    );
    let mut socket = TcpStream::connect(("127.0.0.1", manis.port())).await.unwrap();
    socket.write_all(text.as_bytes()).await.unwrap();
    let mut said = vec![0; 1024];
    let read = socket.read(&mut said).await.unwrap();
    said.truncate(read);
    socket.write_all(body.as_bytes()).await.unwrap();
    socket.read_to_end(&mut said).await.unwrap();
    String::from_utf8(said).unwrap()
}

#[tokio::test]
async fn an_offer_to_upgrade_is_ignored_and_an_expectation_is_met() {
    let sandbox = Sandbox::start().await.unwrap();
    let manis = sandbox.manis();
    let h2c = "Connection: Upgrade, HTTP2-Settings, close\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n\
               Content-Length: 0\r\n";
    let said = offered(&manis, h2c, "").await;
    assert!(said.starts_with("HTTP/1.1 200 OK"), "{said}");
    let expects = "Connection: close\r\nExpect: 100-continue\r\nContent-Length: 2\r\n";
    let said = offered(&manis, expects, "{}").await;
    assert!(said.starts_with("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK"), "{said}");
}
