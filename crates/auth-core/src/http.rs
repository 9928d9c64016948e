//! The seam to the network: one request out, one response in, and the rules that hold for both.
//!
//! [`HttpClient`] is all that the engine knows of HTTP; [`TokenResponse`](crate::TokenResponse) is all that a
//! flow does.

use std::fmt;

use async_trait::async_trait;
use bytes::Bytes;

use crate::error::Error;

pub(crate) mod reqwest;
#[cfg(any(test, feature = "test-util"))]
pub(crate) mod scripted;

/// A token request, complete: what [`TokenRequest`](crate::TokenRequest) makes and an
/// [`HttpClient`] sends. Never print it: `{:?}` shows URL and body, and may so show the secret.
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

/// An answer as an [`HttpClient`] returns it: status, headers and the whole body. A flow reads it
/// as a [`TokenResponse`](crate::TokenResponse).
///
/// ```
/// use auth_core::HttpResponse;
///
/// let mut answer = HttpResponse::new(r#"{"error":"slow_down"}"#.into());
/// *answer.status_mut() = 429.try_into()?; // 200 unless set
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub type HttpResponse = http::Response<Bytes>;

/// The longest response body that is read: 64 KiB. Longer ones are an error, not a cut token.
pub const BODY_LIMIT: usize = 64 * 1024;

/// Sends one request and returns its response. Implement it to use an HTTP stack of your own.
///
/// An implementation must
/// - follow no redirect: a redirected token request carries its secrets to another host;
/// - send nothing in plain text but to loopback hosts;
/// - stop reading a body at [`BODY_LIMIT`] and fail with [`Error::protocol`];
/// - send a request with `Connection: close` on a connection of its own: it must not be sent twice,
///   and a kept connection may be closed by the server just as the request goes out, which leaves
///   open whether it was received;
/// - for anything but a success, give the body one second in all and then return what there is of
///   it: status and headers say what a caller needs, and a 401 or a `Retry-After` whose body never
///   ends must not turn into a timeout, which is sent again;
/// - not decompress, not retry, not cache, not log headers, bodies or URLs' queries: `{:?}` of a
///   request shows its body, which holds the secret in three of the five flows (headers are marked
///   sensitive);
/// - return every status as `Ok`, and failures as [`ErrorKind::Connect`] (nothing was sent),
///   [`ErrorKind::Timeout`] or [`ErrorKind::Unavailable`] (sent, and no answer).
///
/// Time limits are the engine's: it drops the future when an attempt takes too long.
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
    /// Sends the request, and returns the answer whatever its status.
    ///
    /// # If the caller goes away
    /// Dropping the future must abandon the request.
    ///
    /// # Errors
    /// The three kinds above, and [`ErrorKind::Protocol`](crate::ErrorKind::Protocol) for a body
    /// that is too long.
    async fn send(&self, request: HttpRequest) -> Result<HttpResponse, Error>;
}

/// A status that a test states.
#[track_caller]
pub(crate) fn test_status(status: u16) -> http::StatusCode {
    match http::StatusCode::from_u16(status) {
        Ok(status) => status,
        #[allow(clippy::panic)] // the callers document it
        Err(_) => panic!("{status} is no HTTP status"),
    }
}
