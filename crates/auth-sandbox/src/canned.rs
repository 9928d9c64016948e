//! A custom response.

use std::fmt;
use std::time::SystemTime;

/// A whole response for [`Fault::Response`](crate::Fault::Response): status, headers and body are
/// sent as they stand, valid or not.
///
/// `Date`, `Content-Length` and `Connection: close` are added unless you name them yourself
/// (`Content-Length` is also omitted beside a `Transfer-Encoding`).
///
/// ```
/// use auth_sandbox::{CannedResponse, Fault};
///
/// let maintenance = CannedResponse::new(503)
///     .header("content-type", "text/plain")
///     .body("back at noon");
/// # let sandbox = auth_sandbox::Sandbox::builder().start_blocking()?;
/// sandbox.digitalpaye().inject(Fault::Response(maintenance));
/// # Ok::<(), auth_sandbox::Error>(())
/// ```
#[derive(Clone, Default)]
pub struct CannedResponse {
    status: u16,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

impl CannedResponse {
    /// A response with this status, no headers and no body.
    pub fn new(status: u16) -> Self {
        Self { status, ..Self::default() }
    }

    /// Adds a header; the same name may be added twice.
    #[must_use]
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    pub(crate) fn status(&self) -> u16 {
        self.status
    }

    /// Sets the body.
    #[must_use]
    pub fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }

    /// The response as it goes on the wire.
    pub(crate) fn to_bytes(&self, date: SystemTime) -> Vec<u8> {
        let phrase = http::StatusCode::from_u16(self.status).map_or("", crate::answer::reason);
        let mut text = format!("HTTP/1.1 {} {phrase}\r\n", self.status);
        let mut line = |name: &str, value: &str| {
            text.push_str(name);
            text.push_str(": ");
            text.push_str(value);
            text.push_str("\r\n");
        };
        for (name, value) in &self.headers {
            line(name, value);
        }
        let names = |wanted: &str| self.headers.iter().any(|(n, _)| n.eq_ignore_ascii_case(wanted));
        if !names("date") {
            line("date", &httpdate::fmt_http_date(date));
        }
        if !names("content-length") && !names("transfer-encoding") {
            line("content-length", &self.body.len().to_string());
        }
        if !names("connection") {
            line("connection", "close");
        }
        text.push_str("\r\n");
        let mut bytes = text.into_bytes();
        bytes.extend_from_slice(&self.body);
        bytes
    }
}

impl fmt::Debug for CannedResponse {
    /// Shows names and sizes only: a test's body or header may contain a token.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.headers.iter().map(|(name, _)| name).collect();
        f.debug_struct("CannedResponse")
            .field("status", &self.status)
            .field("headers", &names)
            .field("body_len", &self.body.len())
            .finish()
    }
}
