//! The seam to the network: one request out, one response in, and the rules that hold for both.
//!
//! [`HttpClient`] is all that the engine knows of HTTP. [`TokenRequest`] builds what goes out, so
//! that every flow sends the same headers and every secret travels in a buffer that is wiped.

use std::fmt;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use async_trait::async_trait;
use bytes::Bytes;
use http::header::{
    ACCEPT, AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE, DATE, HeaderMap, HeaderName, HeaderValue,
    RETRY_AFTER, USER_AGENT,
};
use http::{Method, Request, StatusCode};
use secrecy::{ExposeSecret, SecretString};
use serde::ser::SerializeMap as _;
use zeroize::Zeroizing;

use crate::endpoint::Endpoint;
use crate::error::Error;
use crate::secret::{WipedBuffer, base64_wiped};

#[cfg(feature = "reqwest-0_13")]
pub(crate) mod reqwest;

/// The longest response body that is read: 64 KiB. Longer ones are an error, not a cut token.
pub const BODY_LIMIT: usize = 64 * 1024;

/// Sends one request and returns its response. Implement it to use an HTTP stack of your own.
///
/// An implementation must
/// - follow no redirect: a redirected token request carries its secrets to another host;
/// - send nothing in plain text but to loopback hosts;
/// - stop reading a body at [`BODY_LIMIT`] and fail with [`Error::protocol`];
/// - not decompress, not retry, not cache, not log headers or bodies;
/// - return every status as `Ok`, and failures as [`ErrorKind::Connect`] (nothing was sent),
///   [`ErrorKind::Timeout`] or [`ErrorKind::Unavailable`] (sent, and no answer).
///
/// Time limits are the engine's: it drops the future when an attempt takes too long.
///
/// # If the caller goes away
/// Dropping the future must abandon the request.
///
/// ```
/// use auth_core::{Error, HttpClient, async_trait};
/// use bytes::Bytes;
///
/// /// Answers everything with the same grant: a client for a test.
/// #[derive(Debug)]
/// struct Canned;
///
/// #[async_trait]
/// impl HttpClient for Canned {
///     async fn send(&self, _: http::Request<Bytes>) -> Result<http::Response<Bytes>, Error> {
///         Ok(http::Response::new(Bytes::from_static(br#"{"token":"made-up"}"#)))
///     }
/// }
/// ```
///
/// [`ErrorKind::Connect`]: crate::ErrorKind::Connect
/// [`ErrorKind::Timeout`]: crate::ErrorKind::Timeout
/// [`ErrorKind::Unavailable`]: crate::ErrorKind::Unavailable
#[async_trait]
pub trait HttpClient: fmt::Debug + Send + Sync + 'static {
    /// Sends the request.
    async fn send(&self, request: Request<Bytes>) -> Result<http::Response<Bytes>, Error>;
}

/// An answer to a token request: what a flow reads. `Debug` shows the status and the size alone.
///
/// ```
/// use auth_core::Response;
///
/// let answer = http::Response::builder()
///     .header("date", "Thu, 01 Jan 2026 00:00:00 GMT")
///     .body(bytes::Bytes::from_static(b"{}"))
///     .unwrap();
/// let response = Response::new(answer, std::time::SystemTime::now());
/// assert!(response.server_time() < std::time::SystemTime::now());
/// ```
pub struct Response {
    status: StatusCode,
    headers: HeaderMap,
    body: Bytes,
    received_at: SystemTime,
}

impl Response {
    /// An answer, and what the local wall clock showed when it came.
    #[must_use]
    pub fn new(response: http::Response<Bytes>, received_at: SystemTime) -> Self {
        let (parts, body) = response.into_parts();
        Self {
            status: parts.status,
            headers: parts.headers,
            body,
            received_at,
        }
    }

    /// The HTTP status.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// The headers.
    #[must_use]
    pub fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    /// The body: secret, where the status is a success.
    #[must_use]
    pub fn body(&self) -> &[u8] {
        &self.body
    }

    /// The media type in lower case without parameters: `application/json`.
    #[must_use]
    pub fn media_type(&self) -> Option<String> {
        let value = self.headers.get(CONTENT_TYPE)?.to_str().ok()?;
        let media = value.split(';').next()?.trim().to_ascii_lowercase();
        (!media.is_empty()).then_some(media)
    }

    /// What the provider's clock showed when it answered.
    ///
    /// The `Date` header (RFC 9110 section 6.6.1) where there is one, since absolute expiries are
    /// on that clock and ours may be wrong. It counts whole seconds: where our clock agrees with it
    /// to the second ours supplies the fraction, else the second is taken as over, which errs to
    /// the safe side. Without the header, our clock.
    #[must_use]
    pub fn server_time(&self) -> SystemTime {
        let Some(date) = self.date() else {
            return self.received_at;
        };
        let next = date + Duration::from_secs(1);
        if (date..next).contains(&self.received_at) {
            self.received_at
        } else {
            next
        }
    }

    fn date(&self) -> Option<SystemTime> {
        let date = httpdate::parse_http_date(self.headers.get(DATE)?.to_str().ok()?).ok()?;
        // A clock that was never set shows 1970; ours can only be better.
        (date > UNIX_EPOCH + Duration::from_secs(1_000_000_000)).then_some(date)
    }

    /// How long the provider asks to be left in peace (RFC 9110 section 10.2.3): seconds, or a
    /// date read against the provider's own clock. Dates in the past and garbage are no wish.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        let value = self.headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
        if !value.is_empty() && value.bytes().all(|b| b.is_ascii_digit()) {
            // A number too large for the type is a wish for very long; caps are the engine's.
            return Some(Duration::from_secs(
                value.parse().unwrap_or(u64::from(u32::MAX)),
            ));
        }
        let date = httpdate::parse_http_date(value).ok()?;
        date.duration_since(self.date().unwrap_or(self.received_at))
            .ok()
    }
}

impl fmt::Debug for Response {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Response")
            .field("status", &self.status.as_u16())
            .field("media_type", &self.media_type())
            .field("body_bytes", &self.body.len())
            .finish()
    }
}

/// A value of a JSON or form body, told apart by whether it is secret.
///
/// ```
/// use auth_core::BodyValue;
/// let value: BodyValue<'_> = "client_credentials".into();
/// assert_eq!(format!("{value:?}"), r#"Public("client_credentials")"#);
/// ```
#[derive(Clone, Copy)]
#[non_exhaustive]
pub enum BodyValue<'a> {
    /// May be shown.
    Public(&'a str),
    /// Never shown.
    Secret(&'a SecretString),
}

impl<'a> BodyValue<'a> {
    fn expose(&self) -> &'a str {
        match self {
            Self::Public(text) => text,
            Self::Secret(secret) => secret.expose_secret(),
        }
    }
}

impl<'a> From<&'a str> for BodyValue<'a> {
    fn from(text: &'a str) -> Self {
        Self::Public(text)
    }
}

impl<'a> From<&'a SecretString> for BodyValue<'a> {
    fn from(secret: &'a SecretString) -> Self {
        Self::Secret(secret)
    }
}

impl fmt::Debug for BodyValue<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Public(text) => f.debug_tuple("Public").field(text).finish(),
            Self::Secret(_) => f.write_str("Secret([redacted])"),
        }
    }
}

/// Builds a token request: POST, `Accept: application/json`, a fixed `User-Agent`, a
/// `Content-Length` even where the body is empty, and secrets in buffers that are wiped.
///
/// ```
/// use auth_core::{Endpoint, TokenRequest};
///
/// let endpoint = Endpoint::parse("https://pay.example.com/token")?;
/// let request = TokenRequest::post(&endpoint)
///     .form(&[("grant_type", "client_credentials".into()), ("scope", "a b&c".into())])?;
/// assert_eq!(request.body().as_ref(), b"grant_type=client_credentials&scope=a+b%26c");
/// # Ok::<(), auth_core::Error>(())
/// ```
#[derive(Debug)]
pub struct TokenRequest {
    url: String,
    headers: HeaderMap,
    fault: Option<Error>,
}

impl TokenRequest {
    /// A POST to an endpoint. Token requests are never anything else (RFC 6749 section 3.2).
    #[must_use]
    pub fn post(endpoint: &Endpoint) -> Self {
        let mut headers = HeaderMap::new();
        // Laravel answers with a login redirect and Keycloak with a page where this is missing.
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        headers.insert(
            USER_AGENT,
            HeaderValue::from_static(concat!("auth-core/", env!("CARGO_PKG_VERSION"))),
        );
        Self {
            url: endpoint.as_str().to_owned(),
            headers,
            fault: None,
        }
    }

    /// Sets a header that may be shown.
    #[must_use]
    pub fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.insert(name, value);
        self
    }

    /// Sets a header that must not be shown: marked sensitive (HPACK never indexes it, `Debug`
    /// hides it) and wiped when the request is dropped.
    #[must_use]
    pub fn secret_header(mut self, name: HeaderName, value: &SecretString) -> Self {
        let mut buffer = WipedBuffer::with_capacity(value.expose_secret().len());
        buffer.extend(value.expose_secret().as_bytes());
        self.insert_sensitive(name, buffer);
        self
    }

    /// Sets `Authorization: Basic` from the two parts (RFC 7617), in UTF-8 and as they are.
    ///
    /// The user part must not hold a colon; a `Credentials` type has proved that. For OAuth
    /// clients the parts are form-encoded first: see [`form_basic`](Self::form_basic).
    #[must_use]
    pub fn basic(mut self, user: &str, password: &SecretString) -> Self {
        self.insert_sensitive(AUTHORIZATION, basic(user, password.expose_secret()));
        self
    }

    /// Sets `Authorization: Basic` from an OAuth client's id and secret, each form-encoded first
    /// (RFC 6749 section 2.3.1).
    #[must_use]
    pub fn form_basic(mut self, client_id: &str, client_secret: &SecretString) -> Self {
        let encode = |text: &str| -> Zeroizing<String> {
            Zeroizing::new(form_urlencoded::byte_serialize(text.as_bytes()).collect())
        };
        let (id, secret) = (encode(client_id), encode(client_secret.expose_secret()));
        self.insert_sensitive(AUTHORIZATION, basic(&id, &secret));
        self
    }

    fn insert_sensitive(&mut self, name: HeaderName, value: WipedBuffer) {
        match value.into_header() {
            Ok(value) => drop(self.headers.insert(name, value)),
            Err(fault) => self.fault = Some(fault),
        }
    }

    /// Completes the request without a body, with the `Content-Length: 0` that a POST owes
    /// (RFC 9110 section 8.6) and that HTTP libraries leave out.
    ///
    /// # Errors
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) where a header cannot be sent.
    pub fn empty(self) -> Result<Request<Bytes>, Error> {
        self.complete(None, WipedBuffer::default())
    }

    /// Completes the request with a flat JSON object.
    ///
    /// # Errors
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) where a header cannot be sent.
    pub fn json(self, fields: &[(&str, BodyValue<'_>)]) -> Result<Request<Bytes>, Error> {
        let mut body = WipedBuffer::with_capacity(512);
        let mut serializer = serde_json::Serializer::new(&mut body);
        let written = serde::Serializer::serialize_map(&mut serializer, Some(fields.len()))
            .and_then(|mut map| {
                fields
                    .iter()
                    .try_for_each(|(name, value)| map.serialize_entry(name, value.expose()))?;
                map.end()
            });
        // Strings into memory cannot fail; the error would quote nothing, and is not kept.
        written.map_err(|_| Error::config("the request body could not be written as JSON"))?;
        self.complete(Some("application/json"), body)
    }

    /// Completes the request with a form body (`application/x-www-form-urlencoded`, UTF-8).
    ///
    /// # Errors
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) where a header cannot be sent.
    pub fn form(self, fields: &[(&str, BodyValue<'_>)]) -> Result<Request<Bytes>, Error> {
        let mut body = WipedBuffer::with_capacity(512);
        for (index, (name, value)) in fields.iter().enumerate() {
            body.extend(if index == 0 { b"" } else { b"&" });
            for part in form_urlencoded::byte_serialize(name.as_bytes()) {
                body.extend(part.as_bytes());
            }
            body.extend(b"=");
            for part in form_urlencoded::byte_serialize(value.expose().as_bytes()) {
                body.extend(part.as_bytes());
            }
        }
        self.complete(Some("application/x-www-form-urlencoded"), body)
    }

    fn complete(
        mut self,
        media_type: Option<&'static str>,
        body: WipedBuffer,
    ) -> Result<Request<Bytes>, Error> {
        if let Some(fault) = self.fault {
            return Err(fault);
        }
        if let Some(media_type) = media_type {
            self.headers
                .insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
        }
        self.headers
            .insert(CONTENT_LENGTH, HeaderValue::from(body.len()));
        let mut request = Request::new(body.into_bytes());
        *request.method_mut() = Method::POST;
        *request.uri_mut() = self
            .url
            .parse()
            .map_err(|_| Error::config("the endpoint URL is not valid"))?;
        *request.headers_mut() = self.headers;
        Ok(request)
    }
}

fn basic(user: &str, password: &str) -> WipedBuffer {
    let mut pair = WipedBuffer::with_capacity(user.len() + 1 + password.len());
    pair.extend(user.as_bytes());
    pair.extend(b":");
    pair.extend(password.as_bytes());
    base64_wiped("Basic ", pair.as_slice())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request() -> TokenRequest {
        TokenRequest::post(&Endpoint::parse("https://pay.example.com/token").unwrap())
    }

    fn answer(headers: &[(HeaderName, &str)], received_at: SystemTime) -> Response {
        let mut response = http::Response::new(Bytes::new());
        for (name, value) in headers {
            response
                .headers_mut()
                .insert(name.clone(), HeaderValue::from_str(value).unwrap());
        }
        Response::new(response, received_at)
    }

    #[test]
    fn basic_is_the_vector_of_the_rfc() {
        // RFC 7617 section 2.
        let request = request()
            .basic("Aladdin", &"open sesame".into())
            .empty()
            .unwrap();
        let value = request.headers().get(AUTHORIZATION).unwrap();
        assert_eq!(value, "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
        assert!(value.is_sensitive());
    }

    #[test]
    fn basic_for_oauth_clients_is_form_encoded_first() {
        // The vector of Keycloak's BasicAuthHelper.RFC6749 test.
        let request = request()
            .form_basic("user", &"secret/with=special?character".into())
            .empty()
            .unwrap();
        assert_eq!(
            request.headers().get(AUTHORIZATION).unwrap(),
            "Basic dXNlcjpzZWNyZXQlMkZ3aXRoJTNEc3BlY2lhbCUzRmNoYXJhY3Rlcg=="
        );
    }

    #[test]
    fn an_empty_post_has_a_content_length() {
        assert_eq!(
            request()
                .empty()
                .unwrap()
                .headers()
                .get(CONTENT_LENGTH)
                .unwrap(),
            "0"
        );
    }

    #[test]
    fn bodies_carry_any_secret_unharmed() {
        let secret = SecretString::from("a+b %/=\u{e9}&x\"\\\u{2028}");
        let form = request()
            .form(&[("client_secret", (&secret).into())])
            .unwrap();
        assert_eq!(
            form.body().as_ref(),
            b"client_secret=a%2Bb+%25%2F%3D%C3%A9%26x%22%5C%E2%80%A8"
        );
        let json = request()
            .json(&[("client_secret", (&secret).into())])
            .unwrap();
        let read: serde_json::Value = serde_json::from_slice(json.body()).unwrap();
        assert_eq!(read["client_secret"], secret.expose_secret());
    }

    #[test]
    fn a_secret_header_shows_in_no_debug() {
        let request = request()
            .secret_header(HeaderName::from_static("x-secret"), &"CANARY-1".into())
            .json(&[("secret", (&SecretString::from("CANARY-2")).into())])
            .unwrap();
        let shown = format!("{:?}", request.headers());
        assert!(!shown.contains("CANARY"), "{shown}");
    }

    #[test]
    fn a_header_that_cannot_be_sent_is_an_error_not_a_panic() {
        let name = HeaderName::from_static("x-secret");
        assert!(
            request()
                .secret_header(name, &"a\r\nb".into())
                .empty()
                .is_err()
        );
    }

    #[test]
    fn retry_after_is_read_as_seconds_or_as_a_date() {
        let now = UNIX_EPOCH + Duration::from_secs(1_767_225_600); // 2026-01-01T00:00:00Z
        let later = "Thu, 01 Jan 2026 00:02:00 GMT";
        for (value, wait) in [
            ("120", Some(120)),
            ("0", Some(0)),
            (later, Some(120)),
            ("Wed, 31 Dec 2025 23:00:00 GMT", None),
            ("-5", None),
            ("soon", None),
            ("", None),
            ("99999999999999999999999", Some(u64::from(u32::MAX))),
        ] {
            let found = answer(&[(RETRY_AFTER, value)], now).retry_after();
            assert_eq!(found, wait.map(Duration::from_secs), "{value}");
        }
        // A wrong local clock does not stretch a date: the provider's own counts.
        let skewed = answer(
            &[
                (RETRY_AFTER, later),
                (DATE, "Thu, 01 Jan 2026 00:00:00 GMT"),
            ],
            now - Duration::from_secs(86_400),
        );
        assert_eq!(skewed.retry_after(), Some(Duration::from_secs(120)));
    }

    #[test]
    fn the_servers_clock_is_its_date_header_with_our_fraction() {
        let date = UNIX_EPOCH + Duration::from_secs(1_767_225_600);
        let header = (DATE, "Thu, 01 Jan 2026 00:00:00 GMT");
        let agreeing = date + Duration::from_millis(300);
        let wrong = date + Duration::from_secs(3_600);
        assert_eq!(answer(&[header.clone()], agreeing).server_time(), agreeing);
        assert_eq!(
            answer(&[header], wrong).server_time(),
            date + Duration::from_secs(1)
        );
        assert_eq!(answer(&[], wrong).server_time(), wrong);
        assert_eq!(answer(&[(DATE, "garbage")], wrong).server_time(), wrong);
    }
}
