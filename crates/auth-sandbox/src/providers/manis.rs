//! Manis: two headers and no body for an HS256 token.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use http::StatusCode;
use serde::Serialize;

use crate::answer::{Answer, JSON, quoted, reason};
use crate::behaviour::{Behaviour, Paths};
use crate::request::{Field, NO_LENGTH, Request};
use crate::shared::Shared;
use crate::tokens::Term;
use crate::{Handle, Provider, clock, jwt, random};

const MERCHANT_ID: &str = "x-merchant-id";
const SECRET: &str = "x-secret";

const BODY: &str = "the document asks for a request without a body, the real server takes any";

/// Manis, the provider of [`Sandbox::manis`](crate::Sandbox::manis).
///
/// `POST /api/v1/auth/token` with `x-merchant-id`, `x-secret` and no body.
///
/// * Documented: method, path (by the page's OpenAPI), both headers, the members of 200, 400 and
///   401. The page gives two shapes for 400: [`BadRequestShape`] chooses.
/// * Not documented: the unit of `expiresAt`, which [`ExpiresAtUnit`] chooses; the lifetime,
///   3600 s here; the token's format and use (an HS256 JWT as Bearer here).
/// * Made up: all messages, 400 for a missing header and 401 for a wrong one, and the API
///   route, `GET /api/v1/payments`.
/// * Accepted beyond the document: a body, such as `{}`. A [strict](crate::SandboxBuilder::strict) sandbox answers it with
///   400, and a request without `Content-Length: 0` with 411.
///
/// ```
/// use auth_sandbox::providers::{BadRequestShape, ExpiresAtUnit};
///
/// # let sandbox = auth_sandbox::Sandbox::builder().start_blocking()?;
/// let manis = sandbox.manis();
/// manis.set_expires_at_unit(ExpiresAtUnit::Millis);
/// manis.set_bad_request_shape(BadRequestShape::Prose);
/// # Ok::<(), auth_sandbox::Error>(())
/// ```
#[derive(Debug, Default)]
pub struct Manis {
    settings: Mutex<Settings>,
}

#[derive(Debug, Default)]
struct Settings {
    unit: ExpiresAtUnit,
    shape: BadRequestShape,
}

/// The unit of the integer `expiresAt`, which the document does not state.
///
/// ```
/// use auth_sandbox::Sandbox;
/// use auth_sandbox::providers::ExpiresAtUnit;
/// # use std::io::{Read, Write};
/// # fn ask(manis: &auth_sandbox::Handle) -> std::io::Result<String> {
/// #     let (pair, mut answer) = (manis.credentials(), String::new());
/// #     let (id, secret) = (pair.id(), pair.secret());
/// #     let mut socket = std::net::TcpStream::connect(("127.0.0.1", manis.port()))?;
/// #     let head = "POST /api/v1/auth/token HTTP/1.1\r\nHost: localhost\r\nConnection: close";
/// #     let head = format!("{head}\r\nx-merchant-id: {id}\r\nx-secret: {secret}");
/// #     write!(socket, "{head}\r\nContent-Length: 0\r\n\r\n")?;
/// #     socket.read_to_string(&mut answer)?;
/// #     Ok(answer)
/// # }
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
///
/// let sandbox = Sandbox::builder().start_blocking()?;
/// let manis = sandbox.manis();
/// manis.set_expires_at_unit(ExpiresAtUnit::Relative);
/// // `ask` sends a token request.
/// assert!(ask(&manis.any())?.contains(r#""expiresAt":3600,"#));
/// # Ok(()) }
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum ExpiresAtUnit {
    /// Seconds since the Unix epoch.
    #[default]
    Seconds,
    /// Milliseconds since the Unix epoch.
    Millis,
    /// Seconds from now.
    Relative,
}

/// The shape of a 400; the document has two.
///
/// ```
/// use auth_sandbox::Sandbox;
/// use auth_sandbox::providers::BadRequestShape;
/// # use std::io::{Read, Write};
/// # fn ask(manis: &auth_sandbox::Handle) -> std::io::Result<String> {
/// #     let (pair, mut answer) = (manis.credentials(), String::new());
/// #     let (id, secret) = (pair.id(), "");
/// #     let mut socket = std::net::TcpStream::connect(("127.0.0.1", manis.port()))?;
/// #     let head = "POST /api/v1/auth/token HTTP/1.1\r\nHost: localhost\r\nConnection: close";
/// #     let head = format!("{head}\r\nx-merchant-id: {id}\r\nx-secret: {secret}");
/// #     write!(socket, "{head}\r\nContent-Length: 0\r\n\r\n")?;
/// #     socket.read_to_string(&mut answer)?;
/// #     Ok(answer)
/// # }
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
///
/// let sandbox = Sandbox::builder().start_blocking()?;
/// let manis = sandbox.manis();
/// manis.set_bad_request_shape(BadRequestShape::Prose);
/// // `ask` sends a token request with an empty secret.
/// assert!(ask(&manis.any())?.contains("soaCode"));
/// # Ok(()) }
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum BadRequestShape {
    /// `{message, timestamp}`, the timestamp a date: the page's OpenAPI.
    #[default]
    OpenApi,
    /// `{timestamp, title, type, status, soaCode, detail}`: the page's prose.
    Prose,
}

impl Handle<Manis> {
    /// Sends `expiresAt` in this unit from now on.
    pub fn set_expires_at_unit(&self, unit: ExpiresAtUnit) {
        self.own().settings().unit = unit;
    }

    /// Answers 400 in this shape from now on.
    pub fn set_bad_request_shape(&self, shape: BadRequestShape) {
        self.own().settings().shape = shape;
    }
}

#[derive(Serialize)]
struct Header {
    alg: &'static str,
    typ: &'static str,
}

#[derive(Serialize)]
struct Claims<'a> {
    sub: &'a str,
    iat: u64,
    exp: u64,
    jti: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Success<'a> {
    token: &'a str,
    expires_at: i64,
    token_type: &'static str,
}

impl Behaviour for Manis {
    fn provider(&self) -> Provider {
        Provider::Manis
    }

    fn lifetime(&self) -> Duration {
        Duration::from_secs(3600)
    }

    fn paths(&self) -> Paths {
        Paths { token: "/api/v1/auth/token", api: "/api/v1/payments" }
    }

    fn token(&self, request: &Request, shared: &Shared, term: &Term) -> Result<Answer, Answer> {
        if shared.strict && !request.announces_length() {
            return Err(self
                .refuse(StatusCode::LENGTH_REQUIRED, request, shared)
                .because(NO_LENGTH));
        }
        let bodiless = if shared.strict { request.is_bodiless() } else { request.is_empty() };
        if !bodiless && !shared.overlooks(request, BODY) {
            return Err(self.bad_request(shared, "the body must be empty"));
        }
        let required = |name: &str| match request.header(name) {
            Field::One(value) if !value.is_empty() => Ok(value),
            Field::One(_) | Field::Missing => {
                Err(self.bad_request(shared, &format!("{name} header is required")))
            }
            Field::Bad => {
                Err(self.bad_request(shared, &format!("{name} header must stand once, in ASCII")))
            }
        };
        let (id, secret) = (required(MERCHANT_ID)?, required(SECRET)?);
        let credentials = shared.expected(id, secret);
        if id != credentials.id() || secret != credentials.secret() {
            let refusal = self.refuse(StatusCode::UNAUTHORIZED, request, shared);
            return Err(refusal.because(shared.diagnosis(id, secret)));
        }
        let header = Header { alg: "HS256", typ: "JWT" };
        let (iat, exp) = (term.iat(), term.exp());
        let claims = Claims { sub: id, iat, exp, jti: random::uuid() };
        let token = jwt::hs256(&header, &claims)
            .map_err(|_| self.refuse(StatusCode::INTERNAL_SERVER_ERROR, request, shared))?;
        shared.issue(&token, id, term, None);
        let exp = i64::try_from(exp).unwrap_or(i64::MAX);
        let expires_at = match self.settings().unit {
            ExpiresAtUnit::Seconds => exp,
            ExpiresAtUnit::Millis => exp.saturating_mul(1000),
            ExpiresAtUnit::Relative => term.expires_in(),
        };
        let body = Success { token: &token, expires_at, token_type: "Bearer" };
        let body = serde_json::to_vec(&body).unwrap_or_default();
        Ok(Answer::new(StatusCode::OK, JSON, body))
    }

    fn claimed(&self, request: &Request) -> Option<String> {
        match request.header(MERCHANT_ID) {
            Field::One(id) => Some(id.to_owned()),
            Field::Missing | Field::Bad => None,
        }
    }

    fn reset(&self) {
        *self.settings() = Settings::default();
    }

    fn api(&self, request: &Request, shared: &Shared) -> Result<Answer, Answer> {
        match request.bearer() {
            Some(token) if shared.accepts(token, None) => {
                Ok(Answer::new(StatusCode::OK, JSON, r#"{"payments":[]}"#))
            }
            token => Err(message(StatusCode::UNAUTHORIZED, "Invalid or expired token", shared)
                .because(shared.token_diagnosis(token))),
        }
    }

    fn refuse(&self, status: StatusCode, _: &Request, shared: &Shared) -> Answer {
        match status.as_u16() {
            400 => self.bad_request(shared, "Bad Request"),
            401 => message(status, "Invalid merchant credentials", shared),
            411 => message(status, "Content-Length header is required", shared),
            404 | 405 | 413 | 500 => message(status, reason(status), shared),
            _ => Answer::gateway(status),
        }
    }

    fn env(&self, shared: &Shared) -> Vec<(&'static str, String)> {
        let credentials = shared.credentials();
        let unit = match self.settings().unit {
            ExpiresAtUnit::Seconds => "seconds",
            ExpiresAtUnit::Millis => "millis",
            ExpiresAtUnit::Relative => "relative",
        };
        vec![
            ("MANIS_MERCHANT_ID", credentials.id().to_owned()),
            ("MANIS_SECRET", credentials.secret().to_owned()),
            (
                shared.url_name(["MANIS_BASE_URL", "MANIS_BASE_URL_INTERNAL"]),
                shared.base_url.clone(),
            ),
            ("MANIS_EXPIRES_AT_UNIT", unit.to_owned()),
        ]
    }
}

impl Manis {
    fn settings(&self) -> MutexGuard<'_, Settings> {
        self.settings.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn bad_request(&self, shared: &Shared, detail: &str) -> Answer {
        let status = StatusCode::BAD_REQUEST;
        let answer = match self.settings().shape {
            BadRequestShape::OpenApi => message(status, detail, shared),
            BadRequestShape::Prose => {
                let timestamp = stamp(shared, "%Y-%m-%dT%H:%M:%S%.3fZ");
                let detail = quoted(detail);
                let body = format!(
                    r#"{{"timestamp":"{timestamp}","title":"Bad Request","type":"about:blank","status":400,"soaCode":"AUTH-0001","detail":{detail}}}"#
                );
                Answer::new(status, JSON, body)
            }
        };
        answer.because(detail.to_owned())
    }
}

/// The OpenAPI's error: a message and a date.
fn message(status: StatusCode, text: &str, shared: &Shared) -> Answer {
    let (text, date) = (quoted(text), stamp(shared, "%Y-%m-%d"));
    Answer::new(status, JSON, format!(r#"{{"message":{text},"timestamp":"{date}"}}"#))
}

fn stamp(shared: &Shared, format: &str) -> String {
    let now = i64::try_from(clock::since_epoch(shared.now()).as_millis()).ok();
    let now = now.and_then(|now| jiff::Timestamp::from_millisecond(now).ok());
    now.unwrap_or(jiff::Timestamp::MAX).strftime(format).to_string()
}
