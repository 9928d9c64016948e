//! Promise 19: what an exchange says to a log. That it says no secret is shown for all five
//! providers by the umbrella crate's test `silence`.

use std::io::Write;

use super::*;

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

/// Promise 19: in a span, with OpenTelemetry's names where it has them.
#[tokio::test]
async fn every_exchange_says_whom_it_asked_and_how_it_went() {
    let log = Log::default();
    let writer = log.clone();
    let subscriber =
        tracing_subscriber::fmt().with_ansi(false).with_writer(move || writer.clone()).finish();
    let _guard = tracing::subscriber::set_default(subscriber);
    let script = [Answer::Status(503, None), Answer::Token(300)];
    let (clock, provider) = (ManualClock::default(), Provider::new(script));
    let source = provider.source(&clock);
    let caller = ask(&source);
    settle().await;
    pass(&clock, SECS(1)).await;
    caller.await.unwrap().unwrap();
    let text = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
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
