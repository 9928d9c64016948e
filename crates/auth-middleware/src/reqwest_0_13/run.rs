//! One request with a token over reqwest, and once more after a 401.

use std::mem::swap;
use std::time::Duration;

use http::response::Parts;
use reqwest::{Body, Request, Response, StatusCode, Url};
use tokio::time::Instant;

use crate::drain::drain;
use crate::error::Error;
use crate::rules::{Origin, Rules, is_authorized, may_repeat};

/// The host that reqwest names for an answer without a URL: one that a middleware below made.
const NO_URL: &str = "no.url.provided.local";

/// What sends a request: a client, or the rest of a chain of middleware.
pub(crate) trait Transport {
    type Error;

    /// What stopped the request before it was sent.
    fn fail(error: Error) -> Self::Error;

    fn send(
        &mut self,
        request: Request,
    ) -> impl Future<Output = Result<Response, Self::Error>> + Send;
}

/// Sends a request with a token. After a 401 the token is dropped, and the request is sent once
/// more if it may be and there is another token; the answer to that is final.
pub(crate) async fn run<T: Transport>(
    rules: Rules<'_>,
    mut request: Request,
    allow_replay: bool,
    transport: &mut T,
) -> Result<Response, T::Error> {
    let host = rules.listed_host(origin(request.url()), request.headers()).map_err(T::fail)?;
    if is_authorized(request.headers()) {
        return transport.send(request).await;
    }
    let budget = Budget::of(&request);
    let token = budget.cover(rules.token()).await.map_err(T::fail)?;
    let token = token.map_err(|error| T::fail(error.into()))?;
    // A body that is a stream has no clone.
    let again = if may_repeat(request.method(), allow_replay) { request.try_clone() } else { None };
    token.apply(request.headers_mut());
    budget.apply(&mut request);
    let mut answer = transport.send(request).await?;

    // Another host at the end of a chain of redirects did not get the token.
    let refused = answer.status() == StatusCode::UNAUTHORIZED
        && (origin(answer.url()).is_of(host) || answer.url().host_str() == Some(NO_URL))
        && with_head(&mut answer, |head| rules.drop_refused(&token, head));
    let (true, Some(mut again)) = (refused, again) else { return Ok(answer) };
    let renewed = rules.renewed(&token, Some(origin(again.url())), answer.extensions_mut());
    let Some(renewed) = budget.cover(renewed).await.map_err(T::fail)? else { return Ok(answer) };
    drain(Body::from(answer)).await;
    renewed.apply(again.headers_mut());
    budget.apply(&mut again);
    transport.send(again).await
}

fn origin(url: &Url) -> Origin<'_> {
    Origin { scheme: url.scheme(), host: url.host_str().unwrap_or_default(), port: url.port() }
}

/// Shows the head of an answer, whose headers are lent for the while.
fn with_head<T>(answer: &mut Response, read: impl FnOnce(&Parts) -> T) -> T {
    let (mut head, ()) = http::Response::new(()).into_parts();
    head.status = answer.status();
    head.version = answer.version();
    swap(&mut head.headers, answer.headers_mut());
    let read = read(&head);
    swap(&mut head.headers, answer.headers_mut());
    read
}

/// The request's timeout: one for the token, the request, and the request that is sent again.
struct Budget(Option<Instant>);

impl Budget {
    fn of(request: &Request) -> Self {
        Self(request.timeout().and_then(|timeout| Instant::now().checked_add(*timeout)))
    }

    /// Waits for what comes before a request.
    async fn cover<F: Future>(&self, future: F) -> Result<F::Output, Error> {
        match self.0 {
            Some(end) => tokio::time::timeout_at(end, future).await.map_err(|_| Error::Timeout),
            None => Ok(future.await),
        }
    }

    /// Leaves the request what is left. reqwest counts it until the end of the body.
    fn apply(&self, request: &mut Request) {
        if let Some(end) = self.0 {
            let left = end.saturating_duration_since(Instant::now());
            *request.timeout_mut() = Some(left.max(Duration::from_nanos(1)));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use auth_core::{AccessToken, Endpoint, StaticTokenSource, TokenSource, async_trait};
    use reqwest::{Method, ResponseBuilderExt};

    use super::*;

    const HOST: Endpoint = Endpoint::from_static("https://api.example.com");

    /// Grants another token each time, after a second.
    #[derive(Debug, Default)]
    struct Slow(Mutex<u32>);

    #[async_trait]
    impl TokenSource for Slow {
        async fn token(&self) -> Result<AccessToken, auth_core::Error> {
            tokio::time::sleep(Duration::from_secs(1)).await;
            let number = {
                let mut number = self.0.lock().unwrap();
                *number += 1;
                *number
            };
            StaticTokenSource::bearer(format!("CANARY-{number}"))?.token().await
        }

        fn invalidate(&self, _: &AccessToken) {}
    }

    /// Answers each request with a 401, after three seconds.
    #[derive(Default)]
    struct Refuses {
        requests: Vec<Request>,
        names_no_url: bool,
    }

    impl Transport for Refuses {
        type Error = Error;

        fn fail(error: Error) -> Error {
            error
        }

        async fn send(&mut self, request: Request) -> Result<Response, Error> {
            tokio::time::sleep(Duration::from_secs(3)).await;
            let mut answer = http::Response::builder().status(401);
            if !self.names_no_url {
                answer = answer.url(request.url().clone());
            }
            self.requests.push(request);
            Ok(answer.header("x-trace", "kept").body("no").unwrap().into())
        }
    }

    async fn get(timeout: Option<u64>, refuses: &mut Refuses) -> Result<Response, Error> {
        send(Method::GET, timeout, refuses).await
    }

    async fn send(
        method: Method,
        timeout: Option<u64>,
        refuses: &mut Refuses,
    ) -> Result<Response, Error> {
        let mut request = Request::new(method, HOST.as_str().parse().unwrap());
        if let Some(timeout) = timeout {
            *request.timeout_mut() = Some(Duration::from_secs(timeout));
        }
        let source = Slow::default();
        run(Rules { source: &source, hosts: &[HOST] }, request, false, refuses).await
    }

    #[tokio::test(start_paused = true)]
    async fn one_timeout_covers_the_token_the_request_and_the_second_request() {
        let mut refuses = Refuses::default();
        let answer = get(Some(10), &mut refuses).await.unwrap();
        let left = |request: &Request| request.timeout().map(Duration::as_secs);
        let left: Vec<_> = refuses.requests.iter().map(left).collect();
        assert_eq!((left, answer.status().as_u16()), (vec![Some(9), Some(5)], 401));

        let mut refuses = Refuses::default();
        get(None, &mut refuses).await.unwrap();
        assert!(refuses.requests.iter().all(|request| request.timeout().is_none()));
    }

    #[tokio::test(start_paused = true)]
    async fn a_timeout_ends_the_wait_for_a_token() {
        let began = Instant::now();
        let mut refuses = Refuses::default();
        // In four seconds there is a token and an answer to it, and no time for another token.
        for (timeout, requests) in [(0, 0), (4, 1)] {
            let error = get(Some(timeout), &mut refuses).await.unwrap_err();
            assert!(matches!(error, Error::Timeout), "{error}");
            assert_eq!(refuses.requests.len(), requests);
        }
        assert_eq!(began.elapsed().as_secs(), 4);
    }

    /// Such as one of a cache, or of a user's own test.
    #[tokio::test(start_paused = true)]
    async fn an_answer_that_names_no_url_is_the_apis() {
        let mut refuses = Refuses { names_no_url: true, ..Refuses::default() };
        get(None, &mut refuses).await.unwrap();
        assert_eq!(refuses.requests.len(), 2);
    }

    #[tokio::test(start_paused = true)]
    async fn a_refusal_that_is_the_answer_keeps_its_headers() {
        let answer = send(Method::POST, None, &mut Refuses::default()).await.unwrap();
        assert_eq!(answer.status(), 401);
        assert_eq!(answer.headers()["x-trace"], "kept");
    }

    #[tokio::test(start_paused = true)]
    async fn the_token_is_marked_sensitive_and_shown_nowhere() {
        let mut refuses = Refuses::default();
        let answer = get(None, &mut refuses).await.unwrap();
        for request in &refuses.requests {
            assert!(request.headers()["authorization"].is_sensitive());
        }
        let shown = format!("{answer:?} {:?}", refuses.requests);
        assert!(!shown.contains("CANARY"), "{shown}");
    }
}
