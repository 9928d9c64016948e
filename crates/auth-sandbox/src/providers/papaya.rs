//! Papaya Global: an API key and a client secret in JSON for a named RS256 token of a day.

use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use http::StatusCode;
use serde::Serialize;
use serde_json::Value;

use crate::answer::{Answer, JSON, pretty, reason};
use crate::behaviour::{Behaviour, Paths};
use crate::json::{Object, Unfit};
use crate::request::Request;
use crate::shared::Shared;
use crate::tokens::Term;
use crate::{Handle, Provider, jwt, random};

/// Papaya Global, the provider of [`Sandbox::papaya`](crate::Sandbox::papaya).
///
/// `POST /token` with a JSON body of `api_key`, `client_secret` and, optionally `token_name`.
///
/// * Documented: method, path, members, 201 and its body, a random UUID for a token without a
///   name, and `{"error":"Invalid request"}` with 401, for anything missing or wrong.
/// * From the sample: RS256 with `kid` and `api_token_id`, the claims, 86 400 s, and
///   `valid_until` without seconds: the minute in which the token expires, so up to 59 s early.
/// * Inferred: 400 for a body that is not JSON, in the shape of the provider's other APIs.
/// * Made up: the API route, `GET /v1/payments`; the bodies of 404, 405 and 413.
///
/// ```
/// # let sandbox = auth_sandbox::Sandbox::builder().start_blocking()?;
/// let papaya = sandbox.papaya();
/// // ... exercise the client ...
/// assert!(papaya.token_names().is_empty()); // one name per token that the client requested
/// # Ok::<(), auth_sandbox::Error>(())
/// ```
pub struct Papaya {
    notes: Mutex<Notes>,
    user: String,
}

struct Notes {
    names: Vec<String>,
    valid_until: ValidUntil,
}

/// The precision of `valid_until`.
///
/// ```
/// use auth_sandbox::Sandbox;
/// use auth_sandbox::providers::ValidUntil;
/// # use std::io::{Read, Write};
/// # fn ask(papaya: &auth_sandbox::Handle) -> std::io::Result<String> {
/// #     let (pair, mut answer) = (papaya.credentials(), String::new());
/// #     let (key, secret) = (pair.id(), pair.secret());
/// #     let body = format!(r#"{{"api_key":"{key}","client_secret":"{secret}"}}"#);
/// #     let mut socket = std::net::TcpStream::connect(("127.0.0.1", papaya.port()))?;
/// #     let head = "POST /token HTTP/1.1\r\nHost: localhost\r\nConnection: close";
/// #     let (kind, length) = ("Content-Type: application/json", body.len());
/// #     write!(socket, "{head}\r\n{kind}\r\nContent-Length: {length}\r\n\r\n{body}")?;
/// #     socket.read_to_string(&mut answer)?;
/// #     let stated = answer.split("valid_until").nth(1).unwrap_or(&answer);
/// #     Ok(stated.split('"').nth(2).unwrap_or(stated).to_owned())
/// # }
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
///
/// let sandbox = Sandbox::builder().start_blocking()?;
/// let papaya = sandbox.papaya();
/// // `ask` sends a token request and takes `valid_until` out of the answer.
/// assert_eq!(ask(&papaya.any())?.len(), "2024-07-11T07:48Z".len());
/// papaya.set_valid_until(ValidUntil::Seconds);
/// assert_eq!(ask(&papaya.any())?.len(), "2024-07-11T07:48:31Z".len());
/// # Ok(()) }
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum ValidUntil {
    /// `2024-07-11T07:48Z`, rounded down, as in the document.
    #[default]
    Minutes,
    /// `2024-07-11T07:48:31Z`, as the provider's other pages write timestamps. For tests with
    /// tokens that live for less than a minute.
    Seconds,
}

impl Handle<Papaya> {
    /// The names of all tokens issued so far, in order. Every token request creates one, so a test can
    /// check that its client does not request too many.
    pub fn token_names(&self) -> Vec<String> {
        self.own().notes().names.clone()
    }

    /// Writes `valid_until` with this precision from now on.
    pub fn set_valid_until(&self, precision: ValidUntil) {
        self.own().notes().valid_until = precision;
    }
}

impl Default for Papaya {
    fn default() -> Self {
        let notes = Notes { names: Vec::new(), valid_until: ValidUntil::Minutes };
        Self { notes: Mutex::new(notes), user: random::uuid() }
    }
}

impl fmt::Debug for Papaya {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Papaya").finish_non_exhaustive()
    }
}

#[derive(Serialize)]
struct Header {
    typ: &'static str,
    kid: &'static str,
    api_token_id: String,
    alg: &'static str,
}

#[derive(Serialize)]
struct Claims<'a> {
    iat: u64,
    exp: u64,
    sub: &'static str,
    user: User<'a>,
}

#[derive(Serialize)]
struct User<'a> {
    id: &'a str,
    email: &'static str,
    owner: Owner,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Owner {
    id: &'static str,
    owner_type: &'static str,
}

#[derive(Serialize)]
struct Success<'a> {
    valid_until: String,
    token: &'a str,
    token_name: &'a str,
}

impl Behaviour for Papaya {
    fn provider(&self) -> Provider {
        Provider::Papaya
    }

    fn lifetime(&self) -> Duration {
        Duration::from_secs(86_400)
    }

    fn paths(&self) -> Paths {
        Paths { token: "/token", api: "/v1/payments" }
    }

    fn token(&self, request: &Request, shared: &Shared, term: &Term) -> Result<Answer, Answer> {
        if !request.is_of_type(JSON) {
            return Err(invalid_request().because("Content-Type must be application/json"));
        }
        let object = Object::read(request.body()).map_err(|unfit| match unfit {
            Unfit::Syntax => bad_request().because("the body is no JSON"),
            Unfit::NotAnObject => invalid_request().because("the body is no JSON object"),
            Unfit::Duplicate(_) => invalid_request().because("a member stands twice"),
        })?;
        let (Some(key), Some(secret)) = (object.text("api_key"), object.text("client_secret"))
        else {
            let why = "api_key or client_secret is missing or no text";
            return Err(invalid_request().because(why));
        };
        let credentials = shared.expected(key, secret);
        if key != credentials.id() || secret != credentials.secret() {
            return Err(invalid_request().because(shared.diagnosis(key, secret)));
        }
        let name = match object.get("token_name") {
            None => random::uuid(),
            Some(Value::String(name)) if !name.is_empty() => name.clone(),
            Some(_) => return Err(invalid_request().because("token_name is empty or no text")),
        };
        let header =
            Header { typ: "JWT", kid: "APIKEY0", api_token_id: random::uuid(), alg: "RS256" };
        let owner = Owner { id: "sandbox", owner_type: "org_id" };
        let user = User { id: &self.user, email: "integration@example.com", owner };
        let claims = Claims { iat: term.iat(), exp: term.exp(), sub: "access", user };
        let token = jwt::rs256(&header, &claims)
            .map_err(|_| self.refuse(StatusCode::INTERNAL_SERVER_ERROR, request, shared))?;
        shared.issue(&token, key, term, None);
        let valid_until = {
            let mut notes = self.notes();
            notes.names.push(name.clone());
            written(term.exp(), notes.valid_until)
        };
        let body = Success { valid_until, token: &token, token_name: &name };
        Ok(Answer::new(StatusCode::CREATED, JSON, pretty(&body, b"   ")))
    }

    fn claimed(&self, request: &Request) -> Option<String> {
        let object = Object::read(request.body()).ok()?;
        object.text("api_key").map(str::to_owned)
    }

    fn reset(&self) {
        *self.notes() = Notes { names: Vec::new(), valid_until: ValidUntil::Minutes };
    }

    fn api(&self, request: &Request, shared: &Shared) -> Result<Answer, Answer> {
        match request.bearer() {
            Some(token) if shared.accepts(token, None) => {
                Ok(Answer::new(StatusCode::OK, JSON, r#"{"payments":[]}"#))
            }
            token => Err(invalid_request().because(shared.token_diagnosis(token))),
        }
    }

    fn refuse(&self, status: StatusCode, _: &Request, _: &Shared) -> Answer {
        match status.as_u16() {
            400 => bad_request(),
            401 => invalid_request(),
            404 | 405 | 413 | 500 => {
                Answer::new(status, JSON, format!(r#"{{"error":"{}"}}"#, reason(status)))
            }
            _ => Answer::gateway(status),
        }
    }

    fn env(&self, shared: &Shared) -> Vec<(&'static str, String)> {
        let credentials = shared.credentials();
        vec![
            ("PAPAYA_API_KEY", credentials.id().to_owned()),
            ("PAPAYA_CLIENT_SECRET", credentials.secret().to_owned()),
            (
                shared.url_name(["PAPAYA_BASE_URL", "PAPAYA_BASE_URL_INTERNAL"]),
                shared.base_url.clone(),
            ),
        ]
    }
}

impl Papaya {
    fn notes(&self) -> MutexGuard<'_, Notes> {
        self.notes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn written(exp: u64, precision: ValidUntil) -> String {
    // Past the year 9999, where calendars end, their last instant.
    let exp = i64::try_from(exp).ok().and_then(|exp| jiff::Timestamp::from_second(exp).ok());
    let format = match precision {
        ValidUntil::Minutes => "%Y-%m-%dT%H:%MZ",
        ValidUntil::Seconds => "%Y-%m-%dT%H:%M:%SZ",
    };
    exp.unwrap_or(jiff::Timestamp::MAX).strftime(format).to_string()
}

/// Documented, indented as the document prints it.
fn invalid_request() -> Answer {
    Answer::new(StatusCode::UNAUTHORIZED, JSON, "{\n  \"error\": \"Invalid request\"\n}")
}

fn bad_request() -> Answer {
    let body = r#"{"error":"Bad Request","description":"body is not valid JSON","error_code":"PG-4000","sub_code":"001","error_info":{"field":"body"}}"#;
    Answer::new(StatusCode::BAD_REQUEST, JSON, body)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn valid_until_is_the_minute_in_which_the_token_expires() {
        // The document's own sample: exp 1720684111, written without its 31 seconds.
        assert_eq!(written(1_720_684_111, ValidUntil::Minutes), "2024-07-11T07:48Z");
        assert_eq!(written(1_720_684_111, ValidUntil::Seconds), "2024-07-11T07:48:31Z");
        assert_eq!(written(u64::MAX, ValidUntil::Minutes), "9999-12-30T22:00Z");
    }
}
