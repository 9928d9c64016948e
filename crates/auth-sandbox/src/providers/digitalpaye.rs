//! Digitalpaye: Basic credentials and an environment header for an HS256 token of ten minutes.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use http::StatusCode;
use serde::Serialize;

use crate::answer::{Answer, pretty, quoted};
use crate::behaviour::{Behaviour, Paths};
use crate::request::{Basic, Field, NO_LENGTH, Request};
use crate::shared::Shared;
use crate::tokens::Term;
use crate::{Credentials, Handle, Provider, jwt, random};

const JSON: &str = "application/json; charset=utf-8";
const ENVIRONMENT: &str = "x-environment";
const URL: [&str; 2] = ["DIGITALPAYE_BASE_URL", "DIGITALPAYE_BASE_URL_INTERNAL"];
const PRODUCTION: &str = "Production";

const NO_ENVIRONMENT: &str =
    "the document asks for X-Environment, the real server does without: Production is assumed";

const CREDENTIALS_REQUIRED: &str = "Les identifiants API (apikey et apisecret) sont requis.";
const CREDENTIALS_WRONG: &str =
    "Identifiants API incorrects. Veuillez vérifier votre clé API et votre secret.";
const ENVIRONMENT_REQUIRED: &str = "L'en-tête X-Environment est requis, une seule fois.";
const INTERNAL: &str = "Une erreur est survenue. Veuillez réessayer";

/// Digitalpaye, the provider of [`Sandbox::digitalpaye`](crate::Sandbox::digitalpaye).
///
/// `POST /v1/auth` with `Authorization: Basic` (RFC 7617, decoded strictly), `X-Environment` and no
/// body.
///
/// * Documented: path, method, both headers, the value `Production`, the success body, and the
///   bodies of 400 (credentials missing), 401 (credentials wrong) and 500.
/// * From the sample token: HS256, 600 s, the claims `companyId`, `iat`, `exp`. The sandbox adds
///   `jti`, so that two tokens of the same second differ.
/// * Unverified: the environment `Sandbox`, which a public integration sends. Both are accepted;
///   [`Handle::accept_environments`] changes that.
/// * Made up: the reasons of all other refusals, in the documented shape; 400 for a body; and
///   the API route, `GET /v1/transactions`, which requires the token as Bearer (as both official SDKs
///   send it) and the `X-Environment` that it was issued for.
/// * Accepted beyond the document: a missing `X-Environment`, which the official PHP SDK does not send. A
///   [strict](crate::SandboxBuilder::strict) sandbox answers it with 400, and a request without
///   `Content-Length: 0` with 411, as front ends do.
///
/// ```
/// # let sandbox = auth_sandbox::Sandbox::builder().start_blocking()?;
/// let digitalpaye = sandbox.digitalpaye();
/// digitalpaye.accept_environments(["Production"]); // `Sandbox` is now answered with 400
/// assert!(digitalpaye.token_url().ends_with("/v1/auth"));
/// # Ok::<(), auth_sandbox::Error>(())
/// ```
#[derive(Debug)]
pub struct Digitalpaye {
    environments: Mutex<Vec<String>>,
    company: String,
}

impl Handle<Digitalpaye> {
    /// Accepts these values of `X-Environment` from now on, compared exactly.
    pub fn accept_environments<T: Into<String>>(&self, values: impl IntoIterator<Item = T>) {
        let values = values.into_iter().map(Into::into).collect();
        *self.own().environments.lock().unwrap_or_else(PoisonError::into_inner) = values;
    }
}

impl Default for Digitalpaye {
    fn default() -> Self {
        Self { environments: Mutex::new(environments()), company: random::uuid() }
    }
}

#[derive(Serialize)]
struct Header {
    alg: &'static str,
    typ: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Claims<'a> {
    company_id: &'a str,
    iat: u64,
    exp: u64,
    jti: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Success<'a> {
    status_code: u16,
    message: &'static str,
    data: Data<'a>,
}

#[derive(Serialize)]
struct Data<'a> {
    token: &'a str,
    exp: u64,
}

impl Behaviour for Digitalpaye {
    fn provider(&self) -> Provider {
        Provider::Digitalpaye
    }

    fn lifetime(&self) -> Duration {
        Duration::from_secs(600)
    }

    fn paths(&self) -> Paths {
        Paths { token: "/v1/auth", api: "/v1/transactions" }
    }

    fn token(&self, request: &Request, shared: &Shared, term: &Term) -> Result<Answer, Answer> {
        if shared.strict && !request.announces_length() {
            return Err(self
                .refuse(StatusCode::LENGTH_REQUIRED, request, shared)
                .because(NO_LENGTH));
        }
        let bodiless = if shared.strict { request.is_bodiless() } else { request.is_empty() };
        if !bodiless {
            return Err(bad_request("Le corps doit être vide, avec Content-Length: 0.")
                .because("the body must be empty"));
        }
        let environment = environment(request, shared)?;
        if !self.knows(environment) {
            return Err(bad_request("L'en-tête X-Environment est inconnu.")
                .because("X-Environment has a value that is not accepted: Production or Sandbox"));
        }
        let key = match request.basic() {
            Basic::Absent => {
                let why = "no Authorization: Basic header, or an empty one";
                return Err(bad_request(CREDENTIALS_REQUIRED).because(why));
            }
            Basic::Garbled => {
                let why = "the Authorization: Basic header is not base64 of key:secret";
                return Err(unauthorized(CREDENTIALS_WRONG).because(why));
            }
            Basic::Pair(key, secret) => {
                if shared.expected(&key, &secret) != Credentials::new(&*key, &*secret) {
                    let why = shared.diagnosis(&key, &secret);
                    return Err(unauthorized(CREDENTIALS_WRONG).because(why));
                }
                key
            }
        };
        let header = Header { alg: "HS256", typ: "JWT" };
        let (iat, exp) = (term.iat(), term.exp());
        let claims = Claims { company_id: &self.company, iat, exp, jti: random::uuid() };
        let token = jwt::hs256(&header, &claims)
            .map_err(|_| self.refuse(StatusCode::INTERNAL_SERVER_ERROR, request, shared))?;
        shared.issue(&token, &key, term, Some(environment));
        let data = Data { token: &token, exp };
        let body = Success { status_code: 200, message: "Successful", data };
        Ok(Answer::new(StatusCode::OK, JSON, pretty(&body, b"    ")))
    }

    fn claimed(&self, request: &Request) -> Option<String> {
        match request.basic() {
            Basic::Pair(key, _) => Some(key),
            Basic::Absent | Basic::Garbled => None,
        }
    }

    fn reset(&self) {
        *self.environments.lock().unwrap_or_else(PoisonError::into_inner) = environments();
    }

    fn api(&self, request: &Request, shared: &Shared) -> Result<Answer, Answer> {
        let environment = environment(request, shared)?;
        let token = request
            .bearer()
            .ok_or_else(|| unauthorized("Jeton requis.").because(shared.token_diagnosis(None)))?;
        if !shared.accepts(token, Some(environment)) {
            let why = shared.token_diagnosis(Some(token));
            return Err(unauthorized("Jeton invalide ou expiré.").because(why));
        }
        let body = r#"{"statusCode":200,"message":"Successful","data":[]}"#;
        Ok(Answer::new(StatusCode::OK, JSON, body))
    }

    fn refuse(&self, status: StatusCode, _: &Request, _: &Shared) -> Answer {
        match status.as_u16() {
            400 => bad_request(CREDENTIALS_REQUIRED),
            401 => unauthorized(CREDENTIALS_WRONG),
            404 => error(status, "NotFoundError", "Ressource introuvable."),
            405 => error(status, "MethodNotAllowedError", "Méthode non autorisée."),
            411 => error(status, "LengthRequiredError", "L'en-tête Content-Length est requis."),
            413 => error(status, "PayloadTooLargeError", "Le corps est trop long."),
            500 => error(status, "InternalServerError", INTERNAL),
            _ => Answer::gateway(status),
        }
    }

    fn env(&self, shared: &Shared) -> Vec<(&'static str, String)> {
        let credentials = shared.credentials();
        vec![
            ("DIGITALPAYE_API_KEY", credentials.id().to_owned()),
            ("DIGITALPAYE_API_SECRET", credentials.secret().to_owned()),
            ("DIGITALPAYE_ENVIRONMENT", "Production".to_owned()),
            (shared.url_name(URL), shared.base_url.clone()),
        ]
    }
}

impl Digitalpaye {
    fn knows(&self, environment: &str) -> bool {
        let known = self.environments.lock().unwrap_or_else(PoisonError::into_inner);
        known.iter().any(|value| value == environment)
    }
}

fn environments() -> Vec<String> {
    ["Production", "Sandbox"].map(str::to_owned).to_vec()
}

/// The environment of a request, or the one that the server assumes.
fn environment<'a>(request: &'a Request, shared: &Shared) -> Result<&'a str, Answer> {
    match request.header(ENVIRONMENT) {
        Field::One(value) => Ok(value),
        Field::Missing if shared.overlooks(request, NO_ENVIRONMENT) => Ok(PRODUCTION),
        Field::Missing | Field::Bad => {
            let why = "the X-Environment header must stand once";
            Err(bad_request(ENVIRONMENT_REQUIRED).because(why))
        }
    }
}

fn bad_request(reason: &str) -> Answer {
    error(StatusCode::BAD_REQUEST, "BadRequestError", reason)
}

fn unauthorized(reason: &str) -> Answer {
    error(StatusCode::UNAUTHORIZED, "UnauthorizedError", reason)
}

/// Indented as the document prints it.
fn error(status: StatusCode, message: &str, reason: &str) -> Answer {
    let body = format!(
        "{{\n    \"statusCode\": {},\n    \"message\": {},\n    \"reason\": {}\n}}",
        status.as_u16(),
        quoted(message),
        quoted(reason),
    );
    Answer::new(status, JSON, body)
}
