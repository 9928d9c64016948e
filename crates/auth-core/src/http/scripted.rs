//! A client that answers from a script, for tests that need no server.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use bytes::Bytes;
use http::StatusCode;

use super::{HttpClient, HttpRequest, HttpResponse};
use crate::error::{Error, ErrorKind};
use crate::http::test_status;

/// An [`HttpClient`] that answers from a script of statuses and bodies, and counts: a provider for
/// tests, without a socket. Answers have no headers.
///
/// The script's last line stands for ever. An empty script is a network that is down: each request
/// fails with [`ErrorKind::Connect`]. Clones share script and count, so that a test keeps one and
/// hands the other to [`http_client`](crate::CachedTokenSourceBuilder::http_client).
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
    /// A client with these answers, in this order.
    ///
    /// # Panics
    /// Where one is no HTTP status (100 to 999).
    #[track_caller]
    pub fn new<B: Into<Bytes>>(script: impl IntoIterator<Item = (u16, B)>) -> Self {
        let client = Self::default();
        client.then(script);
        client
    }

    /// Replaces what is left of the script; the count goes on.
    ///
    /// # Panics
    /// Where one is no HTTP status (100 to 999).
    #[track_caller]
    pub fn then<B: Into<Bytes>>(&self, script: impl IntoIterator<Item = (u16, B)>) {
        let mut answers = VecDeque::new();
        for (status, body) in script {
            answers.push_back((test_status(status), body.into()));
        }
        self.locked().answers = answers;
    }

    /// How many requests came in.
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
    /// The count alone: bodies hold tokens.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ScriptedClient({} requests)", self.requests())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_last_line_stands_for_ever_and_clones_share_the_count() {
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
    #[should_panic(expected = "99 is no HTTP status")]
    fn a_script_with_a_status_that_is_none_is_a_test_that_is_written_wrong() {
        let _ = ScriptedClient::new([(99, "")]);
    }
}
