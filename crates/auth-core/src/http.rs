//! The interface to the network: one request out, one response in, and the rules for both.
//!
//! The engine only knows [`HttpClient`]; a flow only knows [`TokenResponse`](crate::TokenResponse).

use std::fmt;

use async_trait::async_trait;
use bytes::Bytes;

use crate::error::Error;

pub(crate) mod reqwest;
#[cfg(any(test, feature = "test-util"))]
pub(crate) mod scripted;

/// A complete token request, as [`TokenRequest`](crate::TokenRequest) makes it and an
/// [`HttpClient`] sends it. Never print it: `{:?}` shows URL and body, and with them the secret.
///
/// ```
/// use auth_core::{Endpoint, HttpRequest, TokenRequest};
///
/// let endpoint = Endpoint::parse("https://pay.example.com/token")?;
/// let request: HttpRequest = TokenRequest::post(&endpoint).empty()?;
/// assert_eq!(request.uri().host(), Some("pay.example.com"));
/// # Ok::<(), auth_core::Error>(())
/// ```
pub type HttpRequest = http::Request<Bytes>;

/// An answer as an [`HttpClient`] returns it: status, headers and the whole body. A flow gets it as
/// a [`TokenResponse`](crate::TokenResponse).
///
/// ```
/// use auth_core::HttpResponse;
///
/// let mut answer = HttpResponse::new(r#"{"error":"slow_down"}"#.into());
/// *answer.status_mut() = 429.try_into()?; // 200 unless set
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub type HttpResponse = http::Response<Bytes>;

/// The longest response body that is read: 64 KiB. A longer one is an error, not a truncated token.
pub const BODY_LIMIT: usize = 64 * 1024;

/// Sends one request and returns its response. Implement it to use an HTTP stack of your own.
///
/// An implementation must
/// - follow no redirect: a redirected token request would send its secrets to another host;
/// - use plain http only for loopback hosts;
/// - stop reading a body at [`BODY_LIMIT`] and fail with [`Error::protocol`];
/// - send a request with `Connection: close` on a new connection: it must not be sent twice, and
///   the server may close a pooled connection just as the request goes out, so that the client
///   cannot tell whether it was received;
/// - for anything but a success, read the body for one second in all and return what has arrived:
///   status and headers are enough for an error, and a 401 or a `Retry-After` whose body never ends
///   must not become a timeout, which is retried;
/// - not decompress, not retry, not cache, not log headers, bodies or URLs' queries: `{:?}` of a
///   request shows its body, which holds the secret in three of the five flows (headers are marked
///   sensitive);
/// - return every status as `Ok`, and failures as [`ErrorKind::Connect`] (nothing was sent),
///   [`ErrorKind::Timeout`] or [`ErrorKind::Unavailable`] (sent, but no answer).
///
/// The engine sets the time limits: it drops the future when an attempt takes too long.
///
/// ```
/// use auth_core::{Error, HttpClient, HttpRequest, HttpResponse, async_trait};
///
/// /// Answers everything with the same grant: a client for a test.
/// #[derive(Debug)]
/// struct Canned;
///
/// #[async_trait]
/// impl HttpClient for Canned {
///     async fn send(&self, _: HttpRequest) -> Result<HttpResponse, Error> {
///         Ok(HttpResponse::new(r#"{"token":"made-up"}"#.into()))
///     }
/// }
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Error> {
///
/// let answer = Canned.send(HttpRequest::default()).await?;
/// assert_eq!(answer.status(), 200);
/// # Ok(()) }
/// ```
///
/// [`ErrorKind::Connect`]: crate::ErrorKind::Connect
/// [`ErrorKind::Timeout`]: crate::ErrorKind::Timeout
/// [`ErrorKind::Unavailable`]: crate::ErrorKind::Unavailable
#[async_trait]
pub trait HttpClient: fmt::Debug + Send + Sync + 'static {
    /// Sends the request and returns the answer, with any status.
    ///
    /// # If the caller goes away
    /// Dropping the future must abandon the request.
    ///
    /// # Errors
    /// The three kinds above; [`ErrorKind::Protocol`](crate::ErrorKind::Protocol) if the body is
    /// too long.
    async fn send(&self, request: HttpRequest) -> Result<HttpResponse, Error>;
}

/// A status that a test states.
#[track_caller]
pub(crate) fn test_status(status: u16) -> http::StatusCode {
    match http::StatusCode::from_u16(status) {
        Ok(status) => status,
        #[allow(clippy::panic)] // the callers document it
        Err(_) => panic!("{status} is not an HTTP status"),
    }
}
