//! Builds token requests: the same headers for every flow, and secrets only in buffers that are
//! wiped.

mod value;

use std::fmt;

use http::Method;
use http::header::{
    ACCEPT, AUTHORIZATION, CACHE_CONTROL, CONTENT_LENGTH, CONTENT_TYPE, HeaderMap, HeaderName,
    HeaderValue, USER_AGENT,
};
use secrecy::{ExposeSecret, SecretString};
use serde::ser::SerializeMap as _;

pub use self::value::BodyValue;
use crate::endpoint::Endpoint;
use crate::error::Error;
use crate::http::HttpRequest;
use crate::secret::{WipedBuffer, base64_wiped, form_encoded};

/// Builds a token request.
///
/// It sets `Accept: application/json`, a fixed `User-Agent`, `Cache-Control: no-store`, and a
/// `Content-Length` even if the body of a POST is empty. Secrets are in buffers that are wiped.
/// `Debug` shows the method, the URL without its query, and the headers that are not secret.
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
pub struct TokenRequest {
    method: Method,
    url: String,
    /// As it is sent, without the question mark.
    query: String,
    headers: HeaderMap,
    fault: Option<Error>,
}

impl TokenRequest {
    /// Begins a POST to an endpoint, as RFC 6749 section 3.2 requires.
    #[must_use]
    pub fn post(endpoint: &Endpoint) -> Self {
        let mut headers = HeaderMap::new();
        // Without this Laravel redirects to a login page, and Keycloak answers with HTML.
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        headers.insert(
            USER_AGENT,
            HeaderValue::from_static(concat!("auth-core/", env!("CARGO_PKG_VERSION"))),
        );
        // RFC 9111 section 5.2.1.5: no cache on the way may store the token.
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        Self {
            method: Method::POST,
            url: endpoint.as_str().to_owned(),
            query: String::new(),
            headers,
            fault: None,
        }
    }

    /// Begins a GET, for the few providers that document one.
    ///
    /// It has no body, so its secret goes into a header. `Cache-Control: no-store` (RFC 9111
    /// section 5.2.1.5) forbids caches on the way to store the token. Retries, redirects and time
    /// limits are as for [`post`](Self::post).
    ///
    /// ```
    /// use auth_core::{Endpoint, TokenRequest};
    ///
    /// let endpoint = Endpoint::parse("https://pay.example.com/oauth/token")?;
    /// let request = TokenRequest::get(&endpoint)
    ///     .query(&[("grant_type", "client_credentials")])
    ///     .basic("made-up-key", &"made-up-secret".into())
    ///     .empty()?;
    /// let url = "https://pay.example.com/oauth/token?grant_type=client_credentials";
    /// assert_eq!((request.method().as_str(), request.uri().to_string().as_str()), ("GET", url));
    /// # Ok::<(), auth_core::Error>(())
    /// ```
    #[must_use]
    pub fn get(endpoint: &Endpoint) -> Self {
        let get = Self { method: Method::GET, ..Self::post(endpoint) };
        get.header(CACHE_CONTROL, HeaderValue::from_static("no-store"))
    }

    /// Appends fields to the URL's query, form-encoded.
    ///
    /// **Never a secret.** Proxies, gateways and servers log URLs, so credentials go into a header
    /// or the body (RFC 6749 section 2.3.1 forbids them in the URL). Even so this crate never shows
    /// a query: not in `Debug`, not in an error, not in a log line.
    ///
    /// ```
    /// use auth_core::{Endpoint, TokenRequest};
    ///
    /// let endpoint = Endpoint::parse("https://pay.example.com/token")?;
    /// let request = TokenRequest::post(&endpoint).query(&[("realm", "a b&c")]);
    /// assert!(!format!("{request:?}").contains("realm"));
    /// assert_eq!(request.empty()?.uri().query(), Some("realm=a+b%26c"));
    /// # Ok::<(), auth_core::Error>(())
    /// ```
    #[must_use]
    pub fn query(mut self, fields: &[(&str, &str)]) -> Self {
        let mut query = form_urlencoded::Serializer::new(self.query);
        self.query = query.extend_pairs(fields).finish();
        self
    }

    /// Sets a header that `Debug` may show.
    #[must_use]
    pub fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.insert(name, value);
        self
    }

    /// Sets a secret header: marked sensitive (HPACK never indexes it, `Debug` hides it) and wiped
    /// when the request is dropped. A value that a header cannot carry is reported when the request
    /// is completed.
    #[must_use]
    pub fn secret_header(mut self, name: HeaderName, value: &SecretString) -> Self {
        let mut buffer = WipedBuffer::with_capacity(value.expose_secret().len());
        buffer.extend_from_slice(value.expose_secret().as_bytes());
        self.insert_sensitive(name, buffer);
        self
    }

    /// Sets `Authorization: Basic` from user and password (RFC 7617), in UTF-8 and as they are.
    ///
    /// The user must not contain a colon; check that when the credentials are made. For OAuth
    /// clients both parts are form-encoded first: see [`form_basic`](Self::form_basic).
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
        pair.extend_from_slice(b":");
        form_encoded(secret, &mut pair);
        self.insert_sensitive(AUTHORIZATION, base64_wiped("Basic ", pair.as_slice()));
        self
    }

    fn insert_sensitive(&mut self, name: HeaderName, value: WipedBuffer) {
        match value.into_header() {
            Ok(value) => drop(self.headers.insert(name, value)),
            Err(fault) => self.fault = Some(fault.into()),
        }
    }

    /// Completes the request without a body. A POST gets the `Content-Length: 0` that RFC 9110
    /// section 8.6 asks for and that HTTP libraries leave out.
    ///
    /// # Errors
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) if a header cannot be sent.
    pub fn empty(self) -> Result<HttpRequest, Error> {
        self.complete(None, WipedBuffer::default())
    }

    /// Completes the request with a flat JSON object.
    ///
    /// # Errors
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) if a header cannot be sent, or if the
    /// request is a GET.
    pub fn json(self, fields: &[(&str, BodyValue<'_>)]) -> Result<HttpRequest, Error> {
        let mut body = WipedBuffer::with_capacity(512);
        let mut serializer = serde_json::Serializer::new(&mut body);
        let written = serde::Serializer::serialize_map(&mut serializer, Some(fields.len()))
            .and_then(|mut map| {
                fields
                    .iter()
                    .try_for_each(|(name, value)| map.serialize_entry(name, value.expose()))?;
                map.end()
            });
        // Writing strings into memory does not fail.
        written.map_err(|_| Error::config("the request body could not be written as JSON"))?;
        self.complete(Some("application/json"), body)
    }

    /// Completes the request with a form body (`application/x-www-form-urlencoded`, UTF-8).
    ///
    /// # Errors
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) if a header cannot be sent, or if the
    /// request is a GET.
    pub fn form(self, fields: &[(&str, BodyValue<'_>)]) -> Result<HttpRequest, Error> {
        let mut body = WipedBuffer::with_capacity(512);
        for (index, (name, value)) in fields.iter().enumerate() {
            body.extend_from_slice(if index == 0 { b"" } else { b"&" });
            form_encoded(name, &mut body);
            body.extend_from_slice(b"=");
            form_encoded(value.expose(), &mut body);
        }
        self.complete(Some("application/x-www-form-urlencoded"), body)
    }

    /// Completes the request with a body of your own (nested JSON, numbers, XML) and its media
    /// type. The buffer is sent without a copy and wiped when the request is dropped.
    ///
    /// Write the secrets directly into the buffer, as below: `format!` or `serde_json::json!` would
    /// leave a copy that is not wiped.
    ///
    /// ```
    /// use auth_core::{ExposeSecret, SecretString};
    /// use auth_core::secret::WipedBuffer;
    /// use auth_core::{Endpoint, TokenRequest};
    ///
    /// #[derive(serde::Serialize)]
    /// struct Login<'a> { client: Client<'a>, minutes: u32 }
    /// #[derive(serde::Serialize)]
    /// struct Client<'a> { secret: &'a str }
    ///
    /// let endpoint = Endpoint::parse("https://pay.example.com/login")?;
    /// let secret = SecretString::from("made-up-secret");
    /// let login = Login { client: Client { secret: secret.expose_secret() }, minutes: 30 };
    /// let mut body = WipedBuffer::with_capacity(256);
    /// serde_json::to_writer(&mut body, &login)?;
    /// let request = TokenRequest::post(&endpoint).body("application/json", body)?;
    /// assert_eq!(request.body(), r#"{"client":{"secret":"made-up-secret"},"minutes":30}"#);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) if a header or the media type cannot be
    /// sent, or if the request is a GET.
    pub fn body(self, media_type: &str, body: WipedBuffer) -> Result<HttpRequest, Error> {
        self.complete(Some(media_type), body)
    }

    fn complete(
        mut self,
        media_type: Option<&str>,
        body: WipedBuffer,
    ) -> Result<HttpRequest, Error> {
        if let Some(fault) = self.fault {
            return Err(fault);
        }
        if let Some(media_type) = media_type {
            if self.method == Method::GET {
                // RFC 9110 section 9.3.1: servers may refuse a GET with a body, or ignore the body.
                return Err(Error::config("a GET carries no body: complete it with empty()"));
            }
            let value = HeaderValue::from_str(media_type).map_err(|_| {
                Error::config("the media type holds a character that a header cannot carry")
            })?;
            self.headers.insert(CONTENT_TYPE, value);
        }
        if self.method != Method::GET {
            self.headers.insert(CONTENT_LENGTH, HeaderValue::from(body.len()));
        }
        if !self.query.is_empty() {
            self.url.push('?');
            self.url.push_str(&self.query);
        }
        let mut request = HttpRequest::new(body.into_bytes());
        *request.method_mut() = self.method;
        *request.uri_mut() =
            self.url.parse().map_err(|_| Error::config("the endpoint URL is not valid"))?;
        *request.headers_mut() = self.headers;
        Ok(request)
    }
}

impl fmt::Debug for TokenRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenRequest")
            .field("method", &self.method)
            .field("url", &self.url)
            .field("headers", &self.headers)
            .finish_non_exhaustive()
    }
}

fn basic(user: &str, password: &str) -> WipedBuffer {
    let mut pair = WipedBuffer::with_capacity(user.len() + 1 + password.len());
    pair.extend_from_slice(user.as_bytes());
    pair.extend_from_slice(b":");
    pair.extend_from_slice(password.as_bytes());
    base64_wiped("Basic ", pair.as_slice())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request() -> TokenRequest {
        TokenRequest::post(&Endpoint::parse("https://pay.example.com/token").unwrap())
    }

    #[test]
    fn basic_matches_the_vector_of_the_rfc() {
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
    fn a_get_has_no_body_and_no_length_and_is_not_cached() {
        let get = || TokenRequest::get(&Endpoint::from_static("https://pay.example.com/token"));
        let request = get().empty().unwrap();
        assert_eq!((request.method(), request.body().len()), (&Method::GET, 0));
        assert_eq!(request.uri(), "https://pay.example.com/token");
        assert!(!request.headers().contains_key(CONTENT_LENGTH));
        assert_eq!(request.headers().get(CACHE_CONTROL).unwrap(), "no-store");
        for refused in
            [get().json(&[]), get().form(&[]), get().body("text/xml", WipedBuffer::default())]
        {
            assert!(refused.unwrap_err().message().starts_with("a GET carries no body"));
        }
    }

    #[test]
    fn a_query_is_encoded_and_appended_with_or_without_a_path() {
        for (endpoint, url) in [
            ("https://pay.example.com", "https://pay.example.com/?a=b%26c&d=%3F%23+%C3%A9&e="),
            ("https://pay.example.com/x", "https://pay.example.com/x?a=b%26c&d=%3F%23+%C3%A9&e="),
        ] {
            let request = TokenRequest::post(&Endpoint::parse(endpoint).unwrap());
            let request = request.query(&[("a", "b&c"), ("d", "?# \u{e9}")]).query(&[("e", "")]);
            assert_eq!(request.empty().unwrap().uri(), url);
        }
        let none = request().query(&[]).empty().unwrap();
        assert_eq!(none.uri(), "https://pay.example.com/token");
    }

    #[test]
    fn a_body_of_your_own_is_sent_as_it_is_and_with_its_media_type() {
        let body = |text: &str| {
            let mut body = WipedBuffer::default();
            body.extend_from_slice(text.as_bytes());
            body
        };
        let sent = request().body("text/xml; charset=utf-8", body("<login/>")).unwrap();
        assert_eq!(sent.body(), "<login/>");
        assert_eq!(sent.headers().get(CONTENT_TYPE).unwrap(), "text/xml; charset=utf-8");
        assert_eq!(sent.headers().get(CONTENT_LENGTH).unwrap(), "8");
        let error = request().body("text/xml\r\nx: y", body("")).unwrap_err();
        assert_eq!(error.kind(), crate::ErrorKind::Config);
    }

    #[test]
    fn bodies_carry_any_secret_unchanged() {
        let secret = SecretString::from("a+b %/=\u{e9}&x\"\\\u{2028}");
        let form = request().form(&[("client_secret", (&secret).into())]).unwrap();
        assert_eq!(form.body().as_ref(), b"client_secret=a%2Bb+%25%2F%3D%C3%A9%26x%22%5C%E2%80%A8");
        let json = request().json(&[("client_secret", (&secret).into())]).unwrap();
        let read: serde_json::Value = serde_json::from_slice(json.body()).unwrap();
        assert_eq!(read["client_secret"], secret.expose_secret());
    }

    #[test]
    fn neither_a_secret_header_nor_a_query_shows_in_a_debug() {
        let building = request()
            .query(&[("a", "CANARY-3")])
            .secret_header(HeaderName::from_static("x-secret"), &"CANARY-1".into());
        let shown = format!("{building:?} {building:#?}");
        assert!(!shown.contains("CANARY") && shown.contains("pay.example.com/token"), "{shown}");
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
