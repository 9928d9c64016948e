//! An HTTP client for tests, which answers from a script.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use bytes::Bytes;
use http::StatusCode;

use super::{HttpClient, HttpRequest, HttpResponse};
use crate::error::{Error, ErrorKind};
use crate::http::test_status;

/// An [`HttpClient`] that answers from a script of statuses and bodies and counts the requests: a
/// provider for tests, without a socket. Answers have no headers.
///
/// The last line of the script repeats. With an empty script each request fails with
/// [`ErrorKind::Connect`], as if the network were down. Clones share script and count, so a test
/// keeps one and passes another to
/// [`http_client`](crate::CachedTokenSourceBuilder::http_client).
///
/// ```
/// use auth_core::{ErrorKind, HttpClient, HttpRequest, ScriptedClient};
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), auth_core::Error> {
///
/// let client = ScriptedClient::new([(503, ""), (200, r#"{"access_token":"made-up"}"#)]);
/// for status in [503, 200, 200] {
///     assert_eq!(client.send(HttpRequest::default()).await?.status(), status);
/// }
/// assert_eq!(client.requests(), 3);
///
/// client.then([(401, "")]); // from here on
/// assert_eq!(client.send(HttpRequest::default()).await?.status(), 401);
///
/// let down = ScriptedClient::default();
/// let error = down.send(HttpRequest::default()).await.unwrap_err();
/// assert_eq!(error.kind(), ErrorKind::Connect);
/// # Ok(()) }
/// ```
#[derive(Clone, Default)]
pub struct ScriptedClient(Arc<Mutex<Script>>);

#[derive(Default)]
struct Script {
    answers: VecDeque<(StatusCode, Bytes)>,
    requests: usize,
}

impl ScriptedClient {
    /// Makes a client with these answers, in this order.
    ///
    /// # Panics
    /// If a status is not an HTTP status (100 to 999).
    #[track_caller]
    pub fn new<B: Into<Bytes>>(script: impl IntoIterator<Item = (u16, B)>) -> Self {
        let client = Self::default();
        client.then(script);
        client
    }

    /// Replaces the rest of the script; the count continues.
    ///
    /// # Panics
    /// If a status is not an HTTP status (100 to 999).
    #[track_caller]
    pub fn then<B: Into<Bytes>>(&self, script: impl IntoIterator<Item = (u16, B)>) {
        let mut answers = VecDeque::new();
        for (status, body) in script {
            answers.push_back((test_status(status), body.into()));
        }
        self.locked().answers = answers;
    }

    /// Returns how many requests were received.
    #[must_use]
    pub fn requests(&self) -> usize {
        self.locked().requests
    }

    fn locked(&self) -> MutexGuard<'_, Script> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl HttpClient for ScriptedClient {
    async fn send(&self, _: HttpRequest) -> Result<HttpResponse, Error> {
        let mut script = self.locked();
        script.requests += 1;
        let next = match script.answers.len() {
            0 | 1 => script.answers.front().cloned(),
            _ => script.answers.pop_front(),
        };
        let Some((status, body)) = next else {
            return Err(Error::new(ErrorKind::Connect, "no connection: the script is empty"));
        };
        let mut answer = HttpResponse::new(body);
        *answer.status_mut() = status;
        Ok(answer)
    }
}

impl fmt::Debug for ScriptedClient {
    /// Shows only the count: bodies contain tokens.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ScriptedClient({} requests)", self.requests())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_last_line_repeats_and_clones_share_the_count() {
        let client = ScriptedClient::new([(503, "a"), (200, "CANARY")]);
        let other = client.clone();
        for (client, body) in [(&client, "a"), (&other, "CANARY"), (&client, "CANARY")] {
            assert_eq!(client.send(HttpRequest::default()).await.unwrap().body(), body);
        }
        assert_eq!((client.requests(), other.requests()), (3, 3));
        assert_eq!(format!("{client:?}"), "ScriptedClient(3 requests)");
        other.then(Vec::<(u16, Bytes)>::new());
        let error = client.send(HttpRequest::default()).await.unwrap_err();
        assert_eq!((error.kind(), client.requests()), (ErrorKind::Connect, 4));
    }

    #[test]
    #[should_panic(expected = "99 is not an HTTP status")]
    fn a_script_with_an_invalid_status_panics() {
        let _ = ScriptedClient::new([(99, "")]);
    }
}
