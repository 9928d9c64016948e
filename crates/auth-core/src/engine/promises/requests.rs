//! What is sent, and how long an answer may be.

use super::*;
use crate::BODY_LIMIT;
use http::HeaderMap;

/// Keeps the headers that it was sent, and gives each request the same answer.
#[derive(Clone, Debug)]
struct Recorder {
    sent: Arc<Mutex<Vec<HeaderMap>>>,
    status: u16,
    body: String,
}

impl Recorder {
    fn new(status: u16, body: String) -> Self {
        Self { sent: Arc::default(), status, body }
    }

    fn source(&self, flow: Acme) -> CachedTokenSource<Acme> {
        let builder = CachedTokenSource::builder(flow).http_client(self.clone());
        builder.clock(ManualClock::default()).build().unwrap()
    }
}

#[async_trait]
impl HttpClient for Recorder {
    async fn send(&self, request: HttpRequest) -> Result<HttpResponse, Error> {
        self.sent.lock().unwrap().push(request.headers().clone());
        let answer = http::Response::builder().status(self.status);
        Ok(answer.body(self.body.clone().into()).unwrap())
    }
}

/// A pooled connection that the server has just closed would call for a resend.
#[tokio::test]
async fn only_a_flow_that_must_not_be_sent_twice_asks_for_a_connection_of_its_own() {
    for (resend, connection) in [(true, None), (false, Some("close"))] {
        let client = Recorder::new(200, r#"{"token":"t","expires_in":300}"#.to_owned());
        let retry = RetryPolicy::default().resend_unanswered(resend);
        client.source(Acme { retry, ..Acme::default() }).token().await.unwrap();
        let sent = client.sent.lock().unwrap();
        let found = sent[0].get("connection").map(|value| value.to_str().unwrap());
        assert_eq!((sent.len(), found), (1, connection));
    }
}

/// A client of the caller's own may read more than [`BODY_LIMIT`].
#[tokio::test]
async fn a_success_longer_than_the_limit_is_refused_and_an_error_is_judged_by_its_status() {
    for (status, length, outcome) in [
        (200, BODY_LIMIT, None),
        (200, BODY_LIMIT + 1, Some((ErrorKind::Protocol, "longer than 64 KiB"))),
        (401, BODY_LIMIT + 1, Some((ErrorKind::Credentials, "credentials rejected"))),
    ] {
        let body = |rest| format!(r#"{{"token":"t","expires_in":300,"rest":"{rest}"}}"#);
        let body = body("x".repeat(length - body(String::new()).len()));
        assert_eq!(body.len(), length);
        let found = Recorder::new(status, body).source(Acme::default()).token().await;
        match (found, outcome) {
            (Ok(token), None) => assert_eq!(text(&token), "t"),
            (Err(error), Some((kind, says))) => {
                assert_eq!(error.kind(), kind, "{error}");
                assert!(error.message().contains(says), "{error}");
            }
            (found, _) => panic!("{status}, {length} bytes: {found:?}"),
        }
    }
}
