//! A request, read to its end, with strict access to its headers.

use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use bytes::{Bytes, BytesMut};
use http::header::{
    ACCEPT, AUTHORIZATION, AsHeaderName, CONTENT_LENGTH, CONTENT_TYPE, HOST, TRANSFER_ENCODING,
};
use http::{HeaderMap, Method, Uri, Version};
use http_body_util::BodyExt as _;
use hyper::body::Incoming;

/// Why a strict sandbox refuses a `POST` with 411.
pub(crate) const NO_LENGTH: &str = "the request has no Content-Length";

/// More than any token request needs; a longer body gets a 413.
const BODY_CAP: usize = 64 * 1024;

/// How much of a too long body is still read and discarded, so that the client receives the 413 and
/// not the reset that closing a socket with unread data causes.
const DRAIN_CAP: usize = 8 * 1024 * 1024;

/// A request, body included.
pub(crate) struct Request {
    pub(crate) method: Method,
    pub(crate) uri: Uri,
    pub(crate) version: Version,
    pub(crate) peer: IpAddr,
    /// `None` if it was longer than the cap.
    pub(crate) body: Option<Bytes>,
    headers: HeaderMap,
    /// Why it was accepted although the document asks for more.
    remarks: Mutex<Vec<&'static str>>,
}

/// A header that must occur exactly once.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Field<'a> {
    Missing,
    One(&'a str),
    /// Twice, or not ASCII text.
    Bad,
}

/// The content of an `Authorization: Basic` header.
pub(crate) enum Basic {
    /// There is none, or it is empty, or of another scheme, or there are two.
    Absent,
    /// The scheme is right, the value is not RFC 7617: wrong alphabet, no padding, no colon.
    Garbled,
    Pair(String, String),
}

impl Request {
    /// Reads the request to its end; the error is the connection's.
    pub(crate) async fn read(
        request: hyper::Request<Incoming>,
        peer: IpAddr,
    ) -> Result<Self, hyper::Error> {
        let (head, mut incoming) = request.into_parts();
        let mut body = BytesMut::new();
        let mut seen = 0;
        while let Some(frame) = incoming.frame().await {
            let Ok(data) = frame?.into_data() else {
                continue;
            };
            seen += data.len();
            if seen <= BODY_CAP {
                body.extend_from_slice(&data);
            } else if seen > DRAIN_CAP {
                break;
            }
        }
        Ok(Self {
            method: head.method,
            uri: head.uri,
            version: head.version,
            peer,
            body: (seen <= BODY_CAP).then(|| body.freeze()),
            headers: head.headers,
            remarks: Mutex::default(),
        })
    }

    pub(crate) fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    /// Remembers why it is accepted although the document asks for more.
    pub(crate) fn remark(&self, reason: &'static str) {
        let mut remarks = self.remarks.lock().unwrap_or_else(PoisonError::into_inner);
        if !remarks.contains(&reason) {
            remarks.push(reason);
        }
    }

    pub(crate) fn remarks(&self) -> Vec<&'static str> {
        self.remarks.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Takes `/name` off the front of the path; false if it is not there.
    pub(crate) fn strip_prefix(&mut self, name: &str) -> bool {
        let rest = self.uri.path_and_query().and_then(|whole| {
            let rest = whole.as_str().strip_prefix('/')?.strip_prefix(name)?;
            match rest.as_bytes().first() {
                None => Some("/".to_owned()),
                Some(b'/') => Some(rest.to_owned()),
                Some(b'?') => Some(format!("/{rest}")),
                Some(_) => None,
            }
        });
        let Some(Ok(uri)) = rest.map(Uri::try_from) else {
            return false;
        };
        self.uri = uri;
        true
    }

    pub(crate) fn path(&self) -> &str {
        self.uri.path()
    }

    pub(crate) fn body(&self) -> &[u8] {
        self.body.as_deref().unwrap_or_default()
    }

    /// RFC 9112 section 3.2: an HTTP/1.1 request names its host, once.
    pub(crate) fn has_host(&self) -> bool {
        self.version < Version::HTTP_11 || matches!(self.header(HOST), Field::One(_))
    }

    pub(crate) fn has(&self, name: impl AsHeaderName) -> bool {
        self.headers.contains_key(name)
    }

    pub(crate) fn header(&self, name: impl AsHeaderName) -> Field<'_> {
        let mut values = self.headers.get_all(name).iter();
        match (values.next(), values.next()) {
            (None, _) => Field::Missing,
            (Some(value), None) => value.to_str().map_or(Field::Bad, Field::One),
            (Some(_), Some(_)) => Field::Bad,
        }
    }

    /// Whether the request declares its body's length. Many front ends answer 411 to a `POST` that does
    /// not, even if the body is empty.
    pub(crate) fn announces_length(&self) -> bool {
        self.has(CONTENT_LENGTH) || self.has(TRANSFER_ENCODING)
    }

    /// Whether the request declares an empty body with `Content-Length: 0`.
    pub(crate) fn is_bodiless(&self) -> bool {
        self.header(CONTENT_LENGTH) == Field::One("0") && !self.has(TRANSFER_ENCODING)
    }

    /// Whether the body is empty, however it was declared.
    pub(crate) fn is_empty(&self) -> bool {
        self.body().is_empty()
    }

    /// Whether `Content-Type` is `essence`, once, in UTF-8 if it names a charset.
    pub(crate) fn is_of_type(&self, essence: &str) -> bool {
        let Field::One(value) = self.header(CONTENT_TYPE) else {
            return false;
        };
        let mut parts = value.split(';').map(str::trim);
        parts.next().is_some_and(|first| first.eq_ignore_ascii_case(essence))
            && parts.all(|parameter| match parameter.split_once('=') {
                Some((name, charset)) if name.eq_ignore_ascii_case("charset") => {
                    charset.trim_matches('"').eq_ignore_ascii_case("utf-8")
                }
                _ => false,
            })
    }

    /// Laravel's `wantsJson`: the client's preferred media type is JSON.
    pub(crate) fn wants_json(&self) -> bool {
        let best = self.accepted().into_iter().reduce(|best, next| {
            // Of equal weights, the first wins.
            if next.1 > best.1 { next } else { best }
        });
        best.is_some_and(|(media, _)| media.contains("/json") || media.contains("+json"))
    }

    /// Keycloak's `isHtmlRequest`: `text/html` by name, a wildcard does not count.
    pub(crate) fn wants_html(&self) -> bool {
        self.accepted().iter().any(|(media, _)| media == "text/html" || media == "text/*")
    }

    fn accepted(&self) -> Vec<(String, f32)> {
        let values = self.headers.get_all(ACCEPT).iter().filter_map(|value| value.to_str().ok());
        values
            .flat_map(|value| value.split(','))
            .filter_map(|item| {
                let mut parts = item.split(';').map(str::trim);
                let media = parts.next().filter(|media| !media.is_empty())?;
                let quality = parts.find_map(|part| part.strip_prefix("q=")?.parse().ok());
                Some((media.to_ascii_lowercase(), quality.unwrap_or(1.0)))
            })
            .collect()
    }

    /// The token of an `Authorization: Bearer` header (RFC 6750 section 2.1).
    pub(crate) fn bearer(&self) -> Option<&str> {
        self.authorization("bearer").filter(|token| !token.is_empty())
    }

    /// The pair of an `Authorization: Basic` header (RFC 7617), decoded strictly.
    pub(crate) fn basic(&self) -> Basic {
        let Some(encoded) = self.authorization("basic").filter(|value| !value.is_empty()) else {
            return Basic::Absent;
        };
        let pair = BASE64_STANDARD.decode(encoded).ok().and_then(|bytes| {
            let text = String::from_utf8(bytes).ok()?;
            let (id, secret) = text.split_once(':')?;
            Some((id.to_owned(), secret.to_owned()))
        });
        pair.map_or(Basic::Garbled, |(id, secret)| Basic::Pair(id, secret))
    }

    /// The part after the scheme and one space. Schemes ignore case (RFC 9110 section 11.1).
    fn authorization(&self, scheme: &str) -> Option<&str> {
        let Field::One(value) = self.header(AUTHORIZATION) else {
            return None;
        };
        let (name, rest) = value.split_once(' ')?;
        name.eq_ignore_ascii_case(scheme).then_some(rest)
    }
}
