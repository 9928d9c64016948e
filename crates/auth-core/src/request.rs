//! Builds what goes out, so that every flow sends the same headers and every secret travels in a
//! buffer that is wiped.

use std::fmt;

use bytes::Bytes;
use http::header::{
    ACCEPT, AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue,
    USER_AGENT,
};
use http::{Method, Request};
use secrecy::{ExposeSecret, SecretString};
use serde::ser::SerializeMap as _;

use crate::endpoint::Endpoint;
use crate::error::Error;
use crate::secret::{WipedBuffer, base64_wiped, form_encoded};

/// A value of a JSON or form body, told apart by whether it is secret.
///
/// ```
/// use auth_core::BodyValue;
///
/// let grant_type: BodyValue<'_> = "client_credentials".into();
/// assert_eq!(format!("{grant_type:?}"), r#"Public("client_credentials")"#);
///
/// let secret = auth_core::SecretString::from("made-up-secret");
/// assert_eq!(format!("{:?}", BodyValue::from(&secret)), "Secret([redacted])");
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
        Self { url: endpoint.as_str().to_owned(), headers, fault: None }
    }

    /// Sets a header that may be shown.
    #[must_use]
    pub fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.insert(name, value);
        self
    }

    /// Sets a header that must not be shown: marked sensitive (HPACK never indexes it, `Debug`
    /// hides it) and wiped when the request is dropped. A value that no header carries is an error
    /// when the request is completed.
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
        let secret = client_secret.expose_secret();
        let mut pair = WipedBuffer::with_capacity(3 * (client_id.len() + secret.len()) + 1);
        form_encoded(client_id, &mut pair);
        pair.extend(b":");
        form_encoded(secret, &mut pair);
        self.insert_sensitive(AUTHORIZATION, base64_wiped("Basic ", pair.as_slice()));
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
            form_encoded(name, &mut body);
            body.extend(b"=");
            form_encoded(value.expose(), &mut body);
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
            self.headers.insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
        }
        self.headers.insert(CONTENT_LENGTH, HeaderValue::from(body.len()));
        let mut request = Request::new(body.into_bytes());
        *request.method_mut() = Method::POST;
        *request.uri_mut() =
            self.url.parse().map_err(|_| Error::config("the endpoint URL is not valid"))?;
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

    #[test]
    fn basic_is_the_vector_of_the_rfc() {
        // RFC 7617 section 2.
        let request = request().basic("Aladdin", &"open sesame".into()).empty().unwrap();
        let value = request.headers().get(AUTHORIZATION).unwrap();
        assert_eq!(value, "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
        assert!(value.is_sensitive());
    }

    #[test]
    fn basic_for_oauth_clients_is_form_encoded_first() {
        // The vector of Keycloak's BasicAuthHelper.RFC6749 test.
        let request =
            request().form_basic("user", &"secret/with=special?character".into()).empty().unwrap();
        assert_eq!(
            request.headers().get(AUTHORIZATION).unwrap(),
            "Basic dXNlcjpzZWNyZXQlMkZ3aXRoJTNEc3BlY2lhbCUzRmNoYXJhY3Rlcg=="
        );
    }

    #[test]
    fn an_empty_post_has_a_content_length() {
        assert_eq!(request().empty().unwrap().headers().get(CONTENT_LENGTH).unwrap(), "0");
    }

    #[test]
    fn bodies_carry_any_secret_unharmed() {
        let secret = SecretString::from("a+b %/=\u{e9}&x\"\\\u{2028}");
        let form = request().form(&[("client_secret", (&secret).into())]).unwrap();
        assert_eq!(form.body().as_ref(), b"client_secret=a%2Bb+%25%2F%3D%C3%A9%26x%22%5C%E2%80%A8");
        let json = request().json(&[("client_secret", (&secret).into())]).unwrap();
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
        assert!(request().secret_header(name, &"a\r\nb".into()).empty().is_err());
    }
}
