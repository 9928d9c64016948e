//! A response before it is written, by hyper or by a fault.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::time::SystemTime;

use bytes::Bytes;
use http::header::{CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, DATE, HeaderName};
use http::{HeaderValue, Response, StatusCode};
use http_body_util::Full;
use serde::Serialize;
use serde_json::ser::{PrettyFormatter, Serializer};

pub(crate) const JSON: &str = "application/json";
pub(crate) const HTML: &str = "text/html; charset=UTF-8";

/// Status, headers and body. `Date` and `Content-Length` are added when it is sent.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    /// Each name once. A list, since a map of headers is too big to hand around in a `Result`.
    pub(crate) headers: Vec<(HeaderName, HeaderValue)>,
    pub(crate) body: Bytes,
    /// Why a request was refused, for the log and the journal.
    pub(crate) why: Option<Cow<'static, str>>,
}

impl Answer {
    pub(crate) fn new(
        status: StatusCode,
        content_type: &'static str,
        body: impl Into<Bytes>,
    ) -> Self {
        let headers = vec![(CONTENT_TYPE, HeaderValue::from_static(content_type))];
        Self { status, headers, body: body.into(), why: None }
    }

    /// No body, and so no content type.
    pub(crate) fn empty(status: StatusCode) -> Self {
        Self { status, headers: Vec::new(), body: Bytes::new(), why: None }
    }

    /// Says why, unless it was said before.
    pub(crate) fn because(mut self, why: impl Into<Cow<'static, str>>) -> Self {
        self.why.get_or_insert_with(|| why.into());
        self
    }

    /// A reverse proxy's error page.
    pub(crate) fn gateway(status: StatusCode) -> Self {
        let title = format!("{} {}", status.as_u16(), reason(status));
        let body = format!(
            "<html>\r\n<head><title>{title}</title></head>\r\n<body>\r\n<center><h1>{title}</h1>\
             </center>\r\n<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n"
        );
        Self::new(status, "text/html", body)
    }

    /// Sets a header, in place of an earlier one of that name.
    pub(crate) fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.retain(|(earlier, _)| *earlier != name);
        self.headers.push((name, value));
        self
    }

    /// Sets a header; skips it if the value is not a valid header value.
    pub(crate) fn header_text(self, name: HeaderName, value: &str) -> Self {
        match HeaderValue::from_str(value) {
            Ok(value) => self.header(name, value),
            Err(_) => self,
        }
    }

    /// RFC 6749 section 5.1: both OAuth servers send these on every response of the token endpoint.
    pub(crate) fn no_store(self) -> Self {
        self.header(http::header::CACHE_CONTROL, HeaderValue::from_static("no-store"))
            .header(http::header::PRAGMA, HeaderValue::from_static("no-cache"))
    }

    /// As hyper sends it, on a connection that stays open.
    pub(crate) fn into_response(self, date: SystemTime) -> Response<Full<Bytes>> {
        let answer = self.header_text(DATE, &httpdate::fmt_http_date(date));
        let mut response = Response::new(Full::new(answer.body));
        *response.status_mut() = answer.status;
        response.headers_mut().extend(answer.headers);
        response
    }

    /// The head as bytes, for faults that write to the socket themselves and then close it.
    pub(crate) fn head(&self, date: Option<SystemTime>, framing: &Framing) -> Vec<u8> {
        let status = self.status;
        let mut head = format!("HTTP/1.1 {} {}\r\n", status.as_u16(), reason(status)).into_bytes();
        let mut line = |name: &str, value: &[u8]| {
            head.extend_from_slice(name.as_bytes());
            head.extend_from_slice(b": ");
            head.extend_from_slice(value);
            head.extend_from_slice(b"\r\n");
        };
        for (name, value) in &self.headers {
            line(name.as_str(), value.as_bytes());
        }
        if let Some(date) = date {
            line(DATE.as_str(), httpdate::fmt_http_date(date).as_bytes());
        }
        match framing {
            Framing::Length => {
                line(CONTENT_LENGTH.as_str(), self.body.len().to_string().as_bytes())
            }
            Framing::Chunked => line("transfer-encoding", b"chunked"),
        }
        line(CONNECTION.as_str(), b"close");
        head.extend_from_slice(b"\r\n");
        head
    }
}

/// How a hand-written head declares its body.
pub(crate) enum Framing {
    Length,
    Chunked,
}

/// `value` as JSON, members in the order of the type, indented as the document prints it.
///
/// It only writes structs of strings and numbers, which cannot fail.
pub(crate) fn pretty(value: &impl Serialize, indent: &'static [u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let formatter = PrettyFormatter::with_indent(indent);
    let _ = value.serialize(&mut Serializer::with_formatter(&mut out, formatter));
    out
}

/// `text` as a JSON string, quotes included.
pub(crate) fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// `text` escaped for an HTML attribute or text.
pub(crate) fn escaped(text: &str) -> String {
    text.chars().fold(String::with_capacity(text.len()), |mut out, c| {
        match c {
            '<' | '>' | '&' | '"' | '\'' => {
                let _ = write!(out, "&#{};", u32::from(c));
            }
            c => out.push(c),
        }
        out
    })
}

/// The phrase of a status, or `Error`.
pub(crate) fn reason(status: StatusCode) -> &'static str {
    status.canonical_reason().unwrap_or("Error")
}
