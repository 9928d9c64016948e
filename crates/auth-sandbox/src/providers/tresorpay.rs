//! TresorPay: the token endpoint of a Keycloak realm, its checks in Keycloak's order.

mod client;

use std::time::Duration;

use http::header::{AUTHORIZATION, CONTENT_TYPE, WWW_AUTHENTICATE};
use http::{HeaderValue, StatusCode};
use serde::Serialize;

use crate::answer::{Answer, JSON, quoted, reason};
use crate::behaviour::{Behaviour, Paths, Route};
use crate::request::{Field, Request};
use crate::shared::Shared;
use crate::tokens::Term;
use crate::{Provider, jwt, random};

use client::{Form, authenticate};

const REALM: &str = "/realms/tresorpay";
const FORM: &str = "application/x-www-form-urlencoded";

/// Keycloak adds these to every token of the client, requested or not.
const DEFAULT_SCOPES: [&str; 2] = ["profile", "email"];
const OPTIONAL_SCOPES: [&str; 2] = ["openid", "tresorpay"];

/// TresorPay, the provider of [`Sandbox::tresorpay`](crate::Sandbox::tresorpay).
///
/// `POST /realms/tresorpay/protocol/openid-connect/token` with a form of
/// `grant_type=client_credentials`, `client_id` and `client_secret`, or the latter two as Basic
/// (form-urlencoded first, RFC 6749 section 2.3.1).
///
/// * Documented: method, URL, content type, `client_id`, `client_secret`, and `client_scope`, which
///   Keycloak does not know and ignores.
/// * Inferred (Keycloak): everything else, in its order: realm, method, media type, `grant_type`,
///   client, duplicated parameters, scope. The check for https is left out, as Keycloak does for
///   local addresses. Errors outside a grant are HTML if `Accept` names `text/html`.
/// * Chosen: a secret both in the form and as Basic is refused as a duplicated parameter, which
///   RFC 6749 section 2.3 forbids and Keycloak accepts; so are two `Authorization` headers. The
///   client has the scopes `profile`, `email`, `openid` and `tresorpay`.
/// * Made up: the API route, `GET /api/public/v1/ping`. Its errors have the shape of the
///   provider's API. Unlike the real provider, token endpoint and API share one host.
///
/// ```
/// # let sandbox = auth_sandbox::Sandbox::builder().start_blocking()?;
/// let tresorpay = sandbox.tresorpay();
/// assert!(tresorpay.token_url().ends_with("/realms/tresorpay/protocol/openid-connect/token"));
/// assert!(tresorpay.env().iter().any(|(name, _)| *name == "TRESORPAY_TOKEN_URL"));
/// # Ok::<(), auth_sandbox::Error>(())
/// ```
#[derive(Debug)]
pub struct TresorPay {
    /// The service account behind the client.
    subject: String,
    key_id: String,
}

impl Default for TresorPay {
    fn default() -> Self {
        Self { subject: random::uuid(), key_id: random::hex::<16>() }
    }
}

const URL: [&str; 2] = ["TRESORPAY_TOKEN_URL", "TRESORPAY_TOKEN_URL_INTERNAL"];

#[derive(Serialize)]
struct Header<'a> {
    alg: &'static str,
    typ: &'static str,
    kid: &'a str,
}

#[derive(Serialize)]
struct Claims<'a> {
    exp: u64,
    iat: u64,
    jti: String,
    iss: String,
    aud: &'a str,
    sub: &'a str,
    typ: &'static str,
    azp: &'a str,
    acr: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    realm_access: Option<Roles>,
    #[serde(skip_serializing_if = "Option::is_none")]
    scope: Option<&'a str>,
    #[serde(rename = "clientHost")]
    client_host: String,
    email_verified: bool,
    preferred_username: String,
    #[serde(rename = "clientAddress")]
    client_address: String,
    client_id: &'a str,
}

#[derive(Serialize)]
struct Roles {
    roles: [&'static str; 2],
}

#[derive(Serialize)]
struct Success<'a> {
    access_token: &'a str,
    expires_in: i64,
    refresh_expires_in: u64,
    token_type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    id_token: Option<String>,
    #[serde(rename = "not-before-policy")]
    not_before_policy: u64,
    scope: &'a str,
}

impl Behaviour for TresorPay {
    fn provider(&self) -> Provider {
        Provider::TresorPay
    }

    fn lifetime(&self) -> Duration {
        Duration::from_secs(300)
    }

    fn paths(&self) -> Paths {
        Paths {
            token: "/realms/tresorpay/protocol/openid-connect/token",
            api: "/api/public/v1/ping",
        }
    }

    /// The realm is looked up before anything else.
    fn route(&self, request: &Request, shared: &Shared) -> Route {
        let Paths { token, api } = self.paths();
        let path = request.path();
        if path == token && request.uri.query().is_none() {
            return Route::Token;
        }
        if path == api {
            return Route::Api;
        }
        let realm = path.strip_prefix("/realms/").map(|rest| rest.split('/').next());
        Route::Nowhere(match realm {
            Some(Some(name)) if name != "tresorpay" && !request.wants_html() => {
                let body = r#"{"error":"Realm does not exist"}"#;
                Answer::new(StatusCode::NOT_FOUND, JSON, body)
            }
            _ => self.refuse(StatusCode::NOT_FOUND, request, shared),
        })
    }

    fn token(&self, request: &Request, shared: &Shared, term: &Term) -> Result<Answer, Answer> {
        // Without a content type there is no form; with another one no method matches.
        let form = match request.header(CONTENT_TYPE) {
            Field::Missing => Form::empty(),
            _ if request.is_of_type(FORM) => Form::read(request.body()),
            _ => {
                let refusal = self.refuse(StatusCode::UNSUPPORTED_MEDIA_TYPE, request, shared);
                return Err(refusal.because("Content-Type must be a form's"));
            }
        };
        match form.first("grant_type") {
            Some("client_credentials") => {}
            Some(_) => {
                return Err(bad_request("unsupported_grant_type", "Unsupported grant_type")
                    .because("grant_type must be client_credentials"));
            }
            None => {
                return Err(bad_request("invalid_request", "Missing form parameter: grant_type")
                    .because("the form has no grant_type"));
            }
        }
        let client = authenticate(request, &form, shared)?;
        if form.has_duplicates() || (request.has(AUTHORIZATION) && form.has("client_secret")) {
            return Err(bad_request("invalid_request", "duplicated parameter")
                .because("a parameter stands twice, or the secret in header and form"));
        }
        let requested = form.first("scope").unwrap_or_default();
        let scope = grant(requested).ok_or_else(|| {
            bad_request("invalid_scope", &format!("Invalid scopes: {requested}"))
                .because("a scope is not the client's: tresorpay or openid")
        })?;
        self.issue(request, shared, term, [&client, &scope])
            .ok_or_else(|| self.refuse(StatusCode::INTERNAL_SERVER_ERROR, request, shared))
    }

    fn claimed(&self, request: &Request) -> Option<String> {
        client::claimed(request)
    }

    fn api(&self, request: &Request, shared: &Shared) -> Result<Answer, Answer> {
        match request.bearer() {
            Some(token) if shared.accepts(token, None) => {
                Ok(Answer::new(StatusCode::OK, JSON, r#"{"status":"UP"}"#))
            }
            _ => {
                let instance = quoted(request.path());
                let body = format!(
                    "{{\n    \"type\": \"https://www.jhipster.tech/problem/problem-with-message\",\
                     \n    \"title\": \"Unauthorized\",\n    \"status\": 401,\
                     \n    \"instance\": {instance},\n    \"message\": \"error.http.401\"\n}}"
                );
                let challenge = HeaderValue::from_static("Bearer");
                Err(Answer::new(StatusCode::UNAUTHORIZED, "application/problem+json", body)
                    .header(WWW_AUTHENTICATE, challenge)
                    .because(shared.token_diagnosis(request.bearer())))
            }
        }
    }

    fn refuse(&self, status: StatusCode, request: &Request, _: &Shared) -> Answer {
        match status.as_u16() {
            400 => bad_request("invalid_request", "Missing form parameter: grant_type"),
            401 => wrong_secret(),
            403 => oauth(status, "access_denied", "Realm not enabled"),
            404 | 405 | 413 | 415 if request.wants_html() => page(status),
            404 | 405 | 413 | 415 => {
                let body = format!(r#"{{"error":"HTTP {} {}"}}"#, status.as_u16(), reason(status));
                Answer::new(status, JSON, body)
            }
            500 => {
                let description = "For more on this error consult the server log.";
                oauth(status, "unknown_error", description)
            }
            _ => Answer::gateway(status),
        }
    }

    fn env(&self, shared: &Shared) -> Vec<(&'static str, String)> {
        let credentials = shared.credentials();
        vec![
            ("TRESORPAY_CLIENT_ID", credentials.id().to_owned()),
            ("TRESORPAY_CLIENT_SECRET", credentials.secret().to_owned()),
            ("TRESORPAY_SCOPE", "tresorpay".to_owned()),
            (shared.url_name(URL), format!("{}{}", shared.base_url, self.paths().token)),
        ]
    }
}

impl TresorPay {
    /// `None` if signing failed.
    fn issue(
        &self,
        request: &Request,
        shared: &Shared,
        term: &Term,
        [id, scope]: [&str; 2],
    ) -> Option<Answer> {
        let header = Header { alg: "RS256", typ: "JWT", kid: &self.key_id };
        let access = Claims {
            exp: term.exp(),
            iat: term.iat(),
            jti: format!("trrtcc:{}", random::uuid()),
            iss: format!("{}{REALM}", shared.base_url),
            aud: "account",
            sub: &self.subject,
            typ: "Bearer",
            azp: id,
            acr: "1",
            realm_access: Some(Roles { roles: ["offline_access", "uma_authorization"] }),
            scope: Some(scope),
            client_host: request.peer.to_string(),
            email_verified: false,
            preferred_username: format!("service-account-{id}"),
            client_address: request.peer.to_string(),
            client_id: id,
        };
        let token = jwt::rs256(&header, &access).ok()?;
        let id_token = if scope.split(' ').any(|name| name == "openid") {
            let identity = Claims {
                aud: id,
                typ: "ID",
                jti: random::uuid(),
                realm_access: None,
                scope: None,
                ..access
            };
            Some(jwt::rs256(&header, &identity).ok()?)
        } else {
            None
        };
        shared.issue(&token, id, term, None);
        let body = Success {
            access_token: &token,
            expires_in: term.expires_in(),
            refresh_expires_in: 0,
            token_type: "Bearer",
            id_token,
            not_before_policy: 0,
            scope,
        };
        let body = serde_json::to_vec(&body).ok()?;
        Some(Answer::new(StatusCode::OK, JSON, body).no_store())
    }
}

/// The scope of the token, or `None` if a requested scope is not the client's.
fn grant(requested: &str) -> Option<String> {
    let asked: Vec<_> = requested.split_ascii_whitespace().collect();
    let known = |name: &&str| DEFAULT_SCOPES.contains(name) || OPTIONAL_SCOPES.contains(name);
    if !asked.iter().all(known) {
        return None;
    }
    let [openid, tresorpay] = OPTIONAL_SCOPES.map(|name| asked.contains(&name).then_some(name));
    let granted = openid.into_iter().chain(DEFAULT_SCOPES).chain(tresorpay);
    Some(granted.collect::<Vec<_>>().join(" "))
}

fn oauth(status: StatusCode, code: &str, description: &str) -> Answer {
    let description = quoted(description);
    let body = format!(r#"{{"error":"{code}","error_description":{description}}}"#);
    Answer::new(status, JSON, body).no_store()
}

fn bad_request(code: &str, description: &str) -> Answer {
    oauth(StatusCode::BAD_REQUEST, code, description)
}

fn wrong_secret() -> Answer {
    let description = "Invalid client or Invalid client credentials";
    oauth(StatusCode::UNAUTHORIZED, "unauthorized_client", description)
}

/// Keycloak's error page, without its theme.
fn page(status: StatusCode) -> Answer {
    let text = if status == StatusCode::NOT_FOUND { "Page not found" } else { reason(status) };
    let body = format!(
        "<!DOCTYPE html>\n<html class=\"login-pf\" lang=\"en\" dir=\"ltr\">\n<head>\n    \
         <meta charset=\"utf-8\">\n    <title>We are sorry...</title>\n</head>\n<body>\n\
         <div id=\"kc-error-message\">\n    <p class=\"instruction\">{text}</p>\n</div>\n\
         </body>\n</html>\n"
    );
    Answer::new(status, "text/html;charset=utf-8", body)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_scopes_of_the_client_are_granted_and_no_others() {
        assert_eq!(grant("").as_deref(), Some("profile email"));
        assert_eq!(grant("tresorpay").as_deref(), Some("profile email tresorpay"));
        assert_eq!(grant("openid").as_deref(), Some("openid profile email"));
        assert_eq!(grant("tresorpay admin"), None);
    }
}
