//! What an exchange logs. That it logs no secret is tested for all five providers by the test
//! `silence` of `auth-tests`.

use std::io::Write;

use super::*;
use crate::ScriptedClient;

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// What is logged while `ask` runs, and what it returns.
async fn logged<T>(ask: impl Future<Output = T>) -> (String, T) {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_ansi(false)
        .with_writer(move || writer.clone())
        .finish();
    // With a single subscriber, tracing caches the interest of the first thread that hits a call
    // site, and the thread of another test has none. With two dispatchers it asks each time.
    let _second = tracing::Dispatch::new(tracing::subscriber::NoSubscriber::default());
    let _guard = tracing::subscriber::set_default(subscriber);
    let result = ask.await;
    let text = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    (text, result)
}

/// In a span, with OpenTelemetry's field names.
#[tokio::test]
async fn every_exchange_logs_its_host_and_its_outcome() {
    let script = [Answer::Status(503, None), Answer::Token(300)];
    let (clock, provider) = (ManualClock::default(), Provider::new(script));
    let source = provider.source(&clock);
    let (text, ()) = logged(async {
        let caller = ask(&source);
        settle().await;
        pass(&clock, SECS(1)).await;
        caller.await.unwrap().unwrap();
    })
    .await;
    let lines: Vec<_> = text.lines().collect();
    let span = r#"token_exchange{provider="acme" http.request.method="POST" server.address="pay.example.com"}"#;
    for (line, parts) in lines.iter().zip([
        [
            " WARN",
            "attempt=1",
            "http.response.status_code=503",
            "error.type=Unavailable",
            "retry_in_ms=",
        ],
        [
            " INFO",
            "attempt=2",
            "http.response.status_code=200",
            "http.request.resend_count=1",
            "lifetime_s=300",
        ],
    ]) {
        for part in parts.iter().chain([&span]) {
            assert!(line.contains(part), "{part} is not in: {line}");
        }
    }
    assert_eq!(lines.len(), 2, "{text}");
    assert!(!text.contains("CANARY") && !text.contains("token-2"), "{text}");
}

/// A flow that sends a GET with a query.
struct Asking(Endpoint);

impl TokenExchange for Asking {
    fn provider(&self) -> &'static str {
        "acme"
    }

    fn identity(&self) -> Identity {
        Identity::new("acme", &self.0, &[])
    }

    fn request(&self) -> Result<HttpRequest, Error> {
        TokenRequest::get(&self.0).query(&[("account", "CANARY-query")]).empty()
    }

    fn read(&self, response: &TokenResponse) -> Result<Grant, Error> {
        let known = Scrubber::default();
        let granted: Granted = wire::read::<_, Refused>("ACME_SECRET", &known, response)?;
        Grant::bearer(granted.token, granted.expires_in.lifetime())
    }
}

/// A query is not a secret by our rules, but another system may put one there. A GET is retried,
/// refused and redirected like a POST.
#[tokio::test]
async fn a_query_shows_in_no_log_and_no_error_and_a_get_is_treated_as_a_post_is() {
    let endpoint = || Endpoint::from_static("https://pay.example.com/token");
    for (status, requests, kind) in [
        (503, 3, ErrorKind::Unavailable),
        (429, 1, ErrorKind::RateLimited),
        (302, 1, ErrorKind::Protocol),
        (400, 1, ErrorKind::Request),
        (401, 1, ErrorKind::Credentials),
    ] {
        let client = ScriptedClient::new([(status, "{}")]);
        let policy = RetryPolicy::default().backoff(Duration::ZERO, Duration::ZERO);
        let source = CachedTokenSource::builder(Asking(endpoint()))
            .http_client(client.clone())
            .clock(ManualClock::default())
            .retry_policy(policy)
            .build()
            .unwrap();
        let (log, outcome) = logged(source.token()).await;
        let error = outcome.unwrap_err();
        assert_eq!((error.kind(), client.requests()), (kind, requests), "{status}");
        let text = format!("{log} {error} {error:?} {error:#?} {source:?}");
        assert!(log.contains(r#"http.request.method="GET""#), "{log}");
        assert!(!text.contains("CANARY") && !text.contains("account"), "{text}");
    }
}

/// The same for `ReqwestClient` and its HTTP library, over a socket that answers once and closes.
#[tokio::test]
async fn a_query_shows_in_no_log_and_no_error_of_the_client() {
    use std::error::Error as _;
    use std::io::Read as _;
    if crate::http::reqwest::default_client(false).is_err() {
        return; // no client is compiled in
    }
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = Endpoint::parse(&format!("http://{}/token", listener.local_addr().unwrap()));
    let server = std::thread::spawn(move || {
        let (mut stream, mut head) = (listener.accept().unwrap().0, [0; 4096]);
        let read = stream.read(&mut head).unwrap();
        let answer = b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 13\r\n\r\n";
        stream.write_all(&[&answer[..], br#"{"token":"t"}"#].concat()).unwrap();
        String::from_utf8_lossy(&head[..read]).into_owned()
    });
    let source = CachedTokenSource::builder(Asking(endpoint.unwrap()));
    let source = source.retry_policy(RetryPolicy::never()).build().unwrap();
    let (first, token) = logged(source.token()).await;
    let sent = server.join().unwrap();
    assert!(sent.starts_with("GET /token?account=CANARY-query HTTP/1.1\r\n"), "{sent}");
    source.invalidate(&token.unwrap());
    let (second, outcome) = logged(source.token()).await;
    let error = outcome.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Connect);
    for part in ["server.address=\"127.0.0.1\" server.port=", "error.cause=\"Connection refused"] {
        assert!(second.contains(part), "{part} is not in: {second}");
    }
    let mut text = format!("{first} {second} {error} {error:?}");
    let mut cause = error.source();
    while let Some(inner) = cause {
        text += &format!(" {inner} {inner:?}");
        cause = inner.source();
    }
    assert!(
        first.contains("TRACE") || first.contains("DEBUG"),
        "the HTTP library logged nothing: {first}"
    );
    assert!(!text.contains("CANARY") && !text.contains("account"), "{text}");
}
