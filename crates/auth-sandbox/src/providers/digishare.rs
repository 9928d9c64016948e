//! Digishare: Laravel Passport behind one JSON request, and personal access tokens.

use std::fmt;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use http::header::{ALLOW, AUTHORIZATION, HeaderName, LOCATION, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderValue, StatusCode};
use serde::Serialize;

use crate::answer::{Answer, HTML, JSON, escaped, quoted};
use crate::behaviour::{Behaviour, Paths};
use crate::json::{Object, Unfit};
use crate::request::{Basic, Request};
use crate::shared::Shared;
use crate::tokens::Term;
use crate::{Handle, Provider, clock, jwt, random};

const MALFORMED: &str = "The request is missing a required parameter, includes an invalid \
    parameter value, includes a parameter more than once, or is otherwise malformed.";

const FORM: &str = "application/x-www-form-urlencoded";

const NO_ACCEPT: &str =
    "the document asks for Accept: application/json, the real server does without";
const AS_FORM: &str = "the document asks for a JSON body, the real server reads a form too";
const BASIC: &str =
    "the document asks for the credentials in the body, the real server reads Basic too";

/// Digishare, the provider of [`Sandbox::digishare`](crate::Sandbox::digishare).
///
/// `POST /v1/oauth/token` with a JSON body of `grant_type`, `client_id` and `client_secret`.
///
/// * Documented: path, method, `Content-Type`, the three members, the success body, and the API
///   route `GET /v1/campaigns` with either kind of token. The provider's public OpenAPI adds the
///   401 of the API, 400, 422, 429 and 500.
/// * Recorded from Laravel 11 with Passport 13: broken JSON, a missing secret, `sub`, 404, 413, 503.
/// * Inferred (Laravel Passport): every other body and header, RS256, `iat`, `nbf` and `exp` with
///   microseconds, the redirect of the API route to `/login` for a caller that does not ask for
///   JSON.
/// * Accepted beyond the document, as Passport does: a form instead of JSON, credentials in
///   `Authorization: Basic`, a missing `Accept`. In a [strict](crate::SandboxBuilder::strict) sandbox a form has no parameters,
///   an `Authorization` header is `invalid_client`, and without `Accept: application/json` the
///   token route redirects to `/login` as guarded routes do.
/// * Chosen: a duplicate member is `invalid_request`. No scope is documented, so any is
///   `invalid_scope`.
///
/// ```
/// # let sandbox = auth_sandbox::Sandbox::builder().start_blocking()?;
/// let digishare = sandbox.digishare();
/// let pasted = digishare.personal_access_token();
/// assert_ne!(digishare.rotate_personal_access_token(), pasted); // the API now refuses `pasted`
/// # Ok::<(), auth_sandbox::Error>(())
/// ```
pub struct Digishare {
    personal: Mutex<String>,
    /// What a reset goes back to.
    first: String,
}

impl Handle<Digishare> {
    /// The personal access token that the API route accepts beside issued tokens.
    pub fn personal_access_token(&self) -> String {
        self.own().personal()
    }

    /// Replaces the personal access token with a new random one; the API refuses the old one.
    pub fn rotate_personal_access_token(&self) -> String {
        let token = new_personal();
        *self.own().personal.lock().unwrap_or_else(PoisonError::into_inner) = token.clone();
        token
    }
}

impl Digishare {
    /// With this personal access token, or else a random one.
    pub(crate) fn new(personal: Option<String>) -> Self {
        let first = personal.unwrap_or_else(new_personal);
        Self { personal: Mutex::new(first.clone()), first }
    }
}

impl fmt::Debug for Digishare {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Digishare").finish_non_exhaustive()
    }
}

const URL: [&str; 2] = ["DIGISHARE_BASE_URL", "DIGISHARE_BASE_URL_INTERNAL"];

#[derive(Serialize)]
struct Header {
    typ: &'static str,
    alg: &'static str,
}

#[derive(Serialize)]
struct Claims<'a> {
    aud: &'a str,
    jti: String,
    iat: f64,
    nbf: f64,
    exp: f64,
    sub: &'a str,
    scopes: [&'static str; 0],
}

#[derive(Serialize)]
struct Success<'a> {
    token_type: &'static str,
    expires_in: i64,
    access_token: &'a str,
}

impl Behaviour for Digishare {
    fn provider(&self) -> Provider {
        Provider::Digishare
    }

    fn lifetime(&self) -> Duration {
        Duration::from_secs(31_536_000)
    }

    fn paths(&self) -> Paths {
        Paths { token: "/v1/oauth/token", api: "/v1/campaigns" }
    }

    fn token(&self, request: &Request, shared: &Shared, term: &Term) -> Result<Answer, Answer> {
        if !request.wants_json() && !shared.overlooks(request, NO_ACCEPT) {
            return Err(to_login(shared).because("no Accept: application/json"));
        }
        let object = parameters(request, shared)?;
        if object.text("grant_type") != Some("client_credentials") {
            return Err(unsupported_grant_type().because("grant_type must be client_credentials"));
        }
        // The body overrides the header.
        let header = match request.basic() {
            Basic::Pair(id, secret) if shared.overlooks(request, BASIC) => Some((id, secret)),
            _ => None,
        };
        let header = header.as_ref();
        let id = object.text("client_id").or_else(|| header.map(|(id, _)| id.as_str()));
        let id = id.filter(|id| !id.is_empty()).ok_or_else(|| {
            invalid_request("client_id").because("client_id is missing, empty or no text")
        })?;
        let secret = match object.get("client_secret") {
            None => header.map(|(_, secret)| secret.as_str()).unwrap_or_default(),
            Some(value) => value.as_str().ok_or_else(|| invalid_request("client_secret"))?,
        };
        let refused = || {
            let challenge = HeaderValue::from_static(r#"Basic realm="OAuth""#);
            let answer = invalid_client().because(shared.diagnosis(id, secret));
            if request.has(AUTHORIZATION) {
                answer.header(WWW_AUTHENTICATE, challenge)
            } else {
                answer
            }
        };
        // league/oauth2-server 9 looks up the client first; no secret is malformed.
        let credentials = shared.expected(id, secret);
        if id != credentials.id() {
            return Err(refused());
        }
        if secret.is_empty() {
            return Err(invalid_request("client_secret"));
        }
        if secret != credentials.secret() || (shared.strict && request.has(AUTHORIZATION)) {
            return Err(refused());
        }
        match object.get("scope").map(|scope| scope.as_str()) {
            None | Some(Some("")) => {}
            Some(Some(scope)) => {
                let first = scope.split(' ').next().unwrap_or(scope);
                return Err(invalid_scope(first).because("no scope exists here"));
            }
            Some(None) => return Err(invalid_request("scope")),
        }
        let (iat, exp) = term.micros();
        let claims =
            Claims { aud: id, jti: random::hex::<40>(), iat, nbf: iat, exp, sub: id, scopes: [] };
        let token = jwt::rs256(&Header { typ: "JWT", alg: "RS256" }, &claims)
            .map_err(|_| self.refuse(StatusCode::INTERNAL_SERVER_ERROR, request, shared))?;
        shared.issue(&token, id, term, None);
        let body =
            Success { token_type: "Bearer", expires_in: term.expires_in(), access_token: &token };
        let body = serde_json::to_vec(&body).unwrap_or_default();
        Ok(Answer::new(StatusCode::OK, "application/json; charset=UTF-8", body).no_store())
    }

    fn claimed(&self, request: &Request) -> Option<String> {
        let object = if request.is_of_type(FORM) {
            Object::of_form(request.body())
        } else {
            Object::read(request.body()).unwrap_or_else(|_| Object::empty())
        };
        object.text("client_id").map(str::to_owned).or_else(|| match request.basic() {
            Basic::Pair(id, _) => Some(id),
            Basic::Absent | Basic::Garbled => None,
        })
    }

    fn reset(&self) {
        let first = self.first.clone();
        *self.personal.lock().unwrap_or_else(PoisonError::into_inner) = first;
    }

    fn api(&self, request: &Request, shared: &Shared) -> Result<Answer, Answer> {
        let accepted = request.bearer().is_some_and(|token| {
            let personal = !shared.api_refuses() && token == self.personal();
            personal || shared.accepts(token, None)
        });
        match (accepted, request.wants_json()) {
            (true, _) => Ok(json(StatusCode::OK, r#"{"data":[]}"#)),
            (false, json_wanted) => {
                let answer = if json_wanted {
                    json(StatusCode::UNAUTHORIZED, r#"{"message":"Unauthenticated."}"#)
                } else {
                    to_login(shared)
                };
                Err(answer.because(shared.token_diagnosis(request.bearer())))
            }
        }
    }

    fn refuse(&self, status: StatusCode, request: &Request, shared: &Shared) -> Answer {
        match status.as_u16() {
            302 => to_login(shared),
            400 => bad_payload(),
            401 => invalid_client(),
            403 => json(
                status,
                r#"{"message":"Forbidden. You do not have permission to access this resource."}"#,
            ),
            404 => message(status, &format!("The route {} could not be found.", route(request))),
            405 => {
                let supported =
                    if request.path() == self.paths().api { "GET, HEAD" } else { "POST" };
                let text = format!(
                    "The {} method is not supported for route {}. Supported methods: {supported}.",
                    request.method,
                    route(request),
                );
                message(status, &text).header(ALLOW, HeaderValue::from_static(supported))
            }
            413 => message(status, ""),
            422 => json(
                status,
                r#"{"message":"The given data was invalid.","errors":{"grant_type":["The grant type field is required."]}}"#,
            ),
            429 => throttled(shared),
            500 => message(status, "Server Error"),
            503 => message(status, "Service Unavailable"),
            _ => Answer::gateway(status),
        }
    }

    fn env(&self, shared: &Shared) -> Vec<(&'static str, String)> {
        let credentials = shared.credentials();
        vec![
            ("DIGISHARE_CLIENT_ID", credentials.id().to_owned()),
            ("DIGISHARE_CLIENT_SECRET", credentials.secret().to_owned()),
            (shared.url_name(URL), shared.base_url.clone()),
        ]
    }
}

impl Digishare {
    fn personal(&self) -> String {
        self.personal.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

fn new_personal() -> String {
    format!("sandbox-personal-{}", random::hex::<20>())
}

/// The route as Laravel prints it: without the first slash.
fn route(request: &Request) -> &str {
    request.path().trim_start_matches('/')
}

/// The body, as Laravel 11 reads it: an empty body and a list have no members, a form is as good as
/// JSON, and anything else is not read.
fn parameters(request: &Request, shared: &Shared) -> Result<Object, Answer> {
    if request.is_of_type(FORM) && shared.overlooks(request, AS_FORM) {
        return Ok(Object::of_form(request.body()));
    }
    if !request.is_of_type(JSON) || request.is_empty() {
        return Ok(Object::empty());
    }
    Object::read(request.body()).or_else(|unfit| match unfit {
        Unfit::Duplicate(member) => Err(invalid_request(&member)),
        Unfit::NotAnObject if request.body().trim_ascii_start().starts_with(b"[") => {
            Ok(Object::empty())
        }
        Unfit::Syntax | Unfit::NotAnObject => {
            Err(message(StatusCode::BAD_REQUEST, "Bad request.")
                .because("the body is no JSON object"))
        }
    })
}

fn json(status: StatusCode, body: impl Into<bytes::Bytes>) -> Answer {
    Answer::new(status, JSON, body)
}

/// Laravel's own errors, indented.
fn message(status: StatusCode, text: &str) -> Answer {
    json(status, format!("{{\n    \"message\": {}\n}}", quoted(text)))
}

/// Passport's errors, compact.
fn oauth(status: StatusCode, code: &str, description: &str, hint: Option<&str>) -> Answer {
    let hint = hint.map(|hint| format!(",\"hint\":{}", quoted(hint))).unwrap_or_default();
    let description = quoted(description);
    let body = format!(r#"{{"error":"{code}","error_description":{description}{hint}}}"#);
    json(status, body)
}

fn unsupported_grant_type() -> Answer {
    oauth(
        StatusCode::BAD_REQUEST,
        "unsupported_grant_type",
        "The authorization grant type is not supported by the authorization server.",
        Some("Check that all required parameters have been provided"),
    )
}

fn invalid_request(member: &str) -> Answer {
    let hint = format!("Check the `{member}` parameter");
    oauth(StatusCode::BAD_REQUEST, "invalid_request", MALFORMED, Some(&hint))
        .because("a parameter is missing, doubled or no text")
}

fn invalid_client() -> Answer {
    oauth(StatusCode::UNAUTHORIZED, "invalid_client", "Client authentication failed", None)
}

fn invalid_scope(scope: &str) -> Answer {
    oauth(
        StatusCode::BAD_REQUEST,
        "invalid_scope",
        "The requested scope is invalid, unknown, or malformed",
        Some(&format!("Check the `{scope}` scope")),
    )
}

fn bad_payload() -> Answer {
    let body = r#"{"error":"Invalid request payload.","details":"Cannot parse JSON body."}"#;
    json(StatusCode::BAD_REQUEST, body)
}

/// The OpenAPI's 429, its four headers included.
fn throttled(shared: &Shared) -> Answer {
    let reset = clock::since_epoch(shared.now()).as_secs() + 60;
    let body = r#"{"message":"Too many requests. Please try again later."}"#;
    json(StatusCode::TOO_MANY_REQUESTS, body)
        .header(RETRY_AFTER, HeaderValue::from_static("60"))
        .header(HeaderName::from_static("x-ratelimit-limit"), HeaderValue::from_static("60"))
        .header(HeaderName::from_static("x-ratelimit-remaining"), HeaderValue::from_static("0"))
        .header(HeaderName::from_static("x-ratelimit-reset"), HeaderValue::from(reset))
}

/// Symfony's redirect page.
fn to_login(shared: &Shared) -> Answer {
    let target = format!("{}/login", shared.base_url);
    let safe = escaped(&target);
    let body = format!(
        "<!DOCTYPE html>\n<html>\n    <head>\n        <meta charset=\"UTF-8\" />\n        \
         <meta http-equiv=\"refresh\" content=\"0;url='{safe}'\" />\n\n        \
         <title>Redirecting to {safe}</title>\n    </head>\n    <body>\n        \
         Redirecting to <a href=\"{safe}\">{safe}</a>.\n    </body>\n</html>"
    );
    Answer::new(StatusCode::FOUND, HTML, body).header_text(LOCATION, &target)
}
