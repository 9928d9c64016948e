//! The shapes of the bodies that TresorPay's Keycloak sends.

use auth_core::oauth2;
use auth_core::wire::{Number, Refusal, Text};
use auth_core::{
    Error, ErrorKind, Expiry, ExposeSecret, Grant, JwtTimes, Scrubber, SecretString, TokenResponse,
};
use http::header::WWW_AUTHENTICATE;
use serde::Deserialize;

/// The standard's success (RFC 6749 section 5.1), to which Keycloak adds `not-before-policy`.
#[derive(Deserialize)]
pub(crate) struct Granted {
    #[serde(deserialize_with = "auth_core::wire::token")]
    access_token: SecretString,
    #[serde(default)]
    token_type: Text,
    #[serde(default)]
    expires_in: Number,
    #[serde(default, rename = "not-before-policy")]
    not_before: Number,
}

impl Granted {
    pub(crate) fn into_grant(self, known: &Scrubber) -> Result<Grant, Error> {
        if self.is_revoked() {
            return Err(Error::protocol(
                "a token that was revoked at birth: the realm's not-before policy lies after it",
            ));
        }
        let Self { access_token, token_type, expires_in, .. } = self;
        oauth2::Granted { access_token, token_type, expires_in }.into_grant(known)
    }

    /// Whether the realm has revoked all tokens issued when this one was.
    fn is_revoked(&self) -> bool {
        let issued_at = JwtTimes::peek(self.access_token.expose_secret()).issued_at();
        match (issued_at, self.not_before.instant()) {
            // 0 means no policy; no token is from before 1970.
            (Some(issued_at), Expiry::At(policy)) => issued_at < policy,
            _ => false,
        }
    }
}

/// The standard's error body; where Keycloak has no code, it writes prose in its place.
#[derive(Default, Deserialize)]
#[serde(transparent)]
pub(crate) struct Refused(oauth2::Refused);

/// Beginnings of Keycloak's error texts, in any case, that say more than code and status.
const TEXTS: [(&str, ErrorKind); 10] = [
    ("client not enabled", ErrorKind::Request),
    ("public client", ErrorKind::Request),
    ("bearer-only", ErrorKind::Request),
    ("client secret not provided", ErrorKind::Request),
    ("missing client_id", ErrorKind::Request),
    ("https required", ErrorKind::Request),
    ("invalid method used to get client secret", ErrorKind::Request),
    ("parameter client_assertion", ErrorKind::Request),
    ("dpop proof", ErrorKind::Request),
    ("realm not enabled", ErrorKind::Unavailable),
];

impl Refused {
    fn has_code(&self, codes: &[&str]) -> bool {
        let own = self.code().unwrap_or_default();
        codes.iter().any(|code| own.eq_ignore_ascii_case(code))
    }

    /// The prose, wherever it stands.
    fn text(&self) -> &str {
        self.description().or_else(|| self.code()).unwrap_or_default().trim()
    }

    /// The kind that the body implies, if any.
    fn named_kind(&self) -> Option<ErrorKind> {
        let text = self.text();
        let known = TEXTS.iter().find(|(start, _)| starts_with(text, start));
        let is_user_disabled = starts_with(text, "user ") && ends_with(text, "disabled");
        if let Some((_, kind)) = known {
            Some(*kind)
        } else if self.has_code(&["invalid_client", "unauthorized_client", "invalid_grant"])
            || (self.has_code(&["invalid_request"]) && is_user_disabled)
        {
            Some(ErrorKind::Credentials)
        } else {
            None
        }
    }
}

impl Refusal for Refused {
    fn code(&self) -> Option<&str> {
        self.0.code()
    }

    fn description(&self) -> Option<&str> {
        self.0.description()
    }

    fn kind(&self, answer: &TokenResponse, usual: ErrorKind) -> ErrorKind {
        match answer.status().as_u16() {
            401 if is_challenge(answer) => ErrorKind::Request,
            // 200 and 201 too: a refusal that was sent as a success.
            200 | 201 | 400 | 401 | 403 => self.named_kind().unwrap_or(usual),
            _ => usual,
        }
    }

    fn advice(&self, answer: &TokenResponse) -> Option<&'static str> {
        if self.has_code(&["invalid_scope"]) {
            return Some(
                "the client lacks the scope: have it assigned, or send none with .scope(None) or TRESORPAY_SCOPE=none",
            );
        }
        // Some versions put the message into the code, and boilerplate into the description.
        let (code, text) = (self.code().unwrap_or_default(), self.text());
        let says = |start: &str| starts_with(text, start) || starts_with(code, start);
        if says("realm not enabled") {
            Some("TresorPay has switched the realm off: ask them when it is back")
        } else if says("https required") {
            Some("the token URL must begin with https://")
        } else if says("dpop proof") {
            Some(
                "the client demands a proof of possession (DPoP), which this crate does not make: ask TresorPay for a client without",
            )
        } else if says("parameter client_assertion") {
            Some(
                "the client is set up for another proof than a secret: ask TresorPay for one with a secret",
            )
        } else if says("invalid method used to get client secret") {
            Some(if contains(text, "client_secret_basic") {
                "the client takes its secret by Basic alone: set .client_auth(ClientAuth::Basic) or TRESORPAY_CLIENT_AUTH=basic"
            } else {
                "the client takes its secret in the form alone: set .client_auth(ClientAuth::Form) or TRESORPAY_CLIENT_AUTH=form"
            })
        } else if says("client secret") || says("missing client_id") {
            Some(
                "id or secret did not arrive; try the other .client_auth(..) or TRESORPAY_CLIENT_AUTH",
            )
        } else if says("realm") || matches!(answer.status().as_u16(), 404..=406) {
            Some(
                "check TRESORPAY_TOKEN_URL, which is given whole; since version 17 Keycloak has no /auth in front of /realms",
            )
        } else if auth_core::wire::usual_kind(answer).is_retryable() {
            None // an outage is no reason to check the settings
        } else if text.is_empty() {
            Some("check the token URL, and try the other .client_auth(..) or TRESORPAY_CLIENT_AUTH")
        } else if self.has_code(&["invalid_client", "unauthorized_client"]) {
            Some("ask TresorPay to allow the client a service account")
        } else {
            None
        }
    }
}

/// Ignores case, without a lower-case copy: the text may contain the secret.
fn starts_with(text: &str, start: &str) -> bool {
    text.get(..start.len()).is_some_and(|own| own.eq_ignore_ascii_case(start))
}

fn ends_with(text: &str, end: &str) -> bool {
    let start = text.len().saturating_sub(end.len());
    text.get(start..).is_some_and(|own| own.eq_ignore_ascii_case(end))
}

fn contains(text: &str, part: &str) -> bool {
    text.char_indices().any(|(at, _)| text.get(at..).is_some_and(|rest| starts_with(rest, part)))
}

/// Keycloak's response to a Basic header that it cannot read: a challenge and no body.
fn is_challenge(answer: &TokenResponse) -> bool {
    let mut challenges = answer.headers().get_all(WWW_AUTHENTICATE).iter();
    let is_basic = |value: &http::HeaderValue| {
        let scheme = value.as_bytes().get(..5);
        scheme.is_some_and(|scheme| scheme.eq_ignore_ascii_case(b"basic"))
    };
    answer.body().trim_ascii().is_empty() && challenges.any(is_basic)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Credentials, Error, TokenExchange as _, TresorPay};

    const BASIC_ONLY: &str = "Invalid method used to get client secret. Client requires method 'client_secret_basic' to obtain client secret from the request";

    fn refusal(status: u16, challenge: &'static str, body: &str) -> Error {
        let mut answer = auth_core::HttpResponse::new(body.to_owned().into());
        *answer.status_mut() = http::StatusCode::from_u16(status).unwrap();
        let challenge = http::HeaderValue::from_static(challenge);
        answer.headers_mut().insert(WWW_AUTHENTICATE, challenge);
        let answer = TokenResponse::new(answer, std::time::UNIX_EPOCH);
        let credentials = Credentials::new("client-0001", "made-up-secret").unwrap();
        TresorPay::new(credentials).read(&answer).unwrap_err()
    }

    #[test]
    fn a_token_from_before_the_realms_policy_is_no_token() {
        // {"alg":"none"} . {"iat":1000,"exp":1600} . no signature
        let jwt = "eyJhbGciOiJub25lIn0.eyJpYXQiOjEwMDAsImV4cCI6MTYwMH0.";
        for (token, policy, is_revoked) in [
            (jwt, "1001", true),
            (jwt, "\"1001\"", true),
            (jwt, "1000", false),
            (jwt, "0", false),
            (jwt, "-1", false),
            (jwt, "null", false),
            ("made-up-opaque-token", "1001", false),
        ] {
            let body = format!(
                r#"{{"access_token":"{token}","token_type":"Bearer","not-before-policy":{policy}}}"#
            );
            let answer = TokenResponse::recorded(200, body);
            let credentials = Credentials::new("client-0001", "made-up-secret").unwrap();
            let read = TresorPay::new(credentials).read(&answer);
            assert_eq!(read.is_err(), is_revoked, "{token} {policy}");
        }
    }

    #[test]
    fn texts_and_codes_say_more_than_the_status() {
        use ErrorKind::{Credentials, RateLimited, Request, Unavailable};
        let service_account = "not allowed to retrieve service account";
        for (statuses, code, description, kind) in [
            (&[400, 401][..], "unauthorized_client", "Invalid client secret", Credentials),
            (&[400, 401], "UNAUTHORIZED_CLIENT", "", Credentials),
            (&[400, 401], "invalid_client", "Invalid client credentials", Credentials),
            (&[400, 401], "invalid_grant", "Invalid user credentials", Credentials),
            (&[400, 401], "invalid_request", "User 'service-account-x' disabled", Credentials),
            (&[400, 401], "unauthorized_client", "Client not enabled to x", Request),
            (&[400, 401], "invalid_client", &format!("Public client {service_account}"), Request),
            (&[400, 401], "unauthorized_client", "bearer-only not allowed", Request),
            (&[400, 401], "unauthorized_client", "Client secret not provided in request", Request),
            (&[400, 401], "invalid_client", "Missing client_id parameter", Request),
            (&[400], "invalid_request", "duplicated parameter", Request),
            (&[400], "invalid_scope", "Invalid scopes: tresorpay", Request),
            (&[401, 403], "access_denied", "", Credentials),
            (&[403], "invalid_request", "HTTPS required", Request),
            (&[403], "access_denied", "Realm not enabled", Unavailable),
            (&[403], "Realm not enabled", "", Unavailable),
            (&[404], "Realm does not exist", "", Request),
            (&[404], "invalid_client", "", Request),
            (&[401], "unauthorized_client", BASIC_ONLY, Request),
            (&[400], "invalid_client", "Parameter client_assertion_type is missing", Request),
            (&[400], "invalid_request", "DPoP proof is missing", Request),
            (&[429], "invalid_client", "", RateLimited),
            (&[500, 503], "unauthorized_client", "Public client", Unavailable),
        ] {
            let body = format!(r#"{{"error":"{code}","error_description":"{description}"}}"#);
            for status in statuses {
                let found = refusal(*status, "Bearer", &body).kind();
                assert_eq!(found, kind, "{status} {body}");
            }
        }
    }

    #[test]
    fn a_wrong_path_has_one_advice_and_a_realm_that_is_off_says_so() {
        for (status, body) in [
            (404, r#"{"error":"Unable to find matching target resource method"}"#),
            (404, r#"{"error":"HTTP 404 Not Found"}"#),
            (405, r#"{"error":"HTTP 405 Method Not Allowed"}"#),
            (406, ""),
        ] {
            let error = refusal(status, "Bearer", body);
            assert!(error.message().contains("no /auth in front of /realms"), "{error}");
            assert_eq!(error.message().matches(&status.to_string()).count(), 1, "{error}");
            assert_eq!(error.code(), None);
        }
        let off = r#"{"error":"access_denied","error_description":"Realm not enabled"}"#;
        let error = refusal(403, "Bearer", off);
        assert_eq!(error.kind(), ErrorKind::Unavailable);
        assert!(error.message().contains("switched the realm off"), "{error}");
    }

    #[test]
    fn a_challenge_without_a_body_is_about_the_request() {
        use ErrorKind::{Credentials, Request};
        for (challenge, body, kind) in [
            (r#"Basic realm="tresorpay""#, "", Request),
            (r#"basic realm="tresorpay""#, "\r\n", Request),
            ("Bearer", "", Credentials),
            (r#"Basic realm="tresorpay""#, r#"{"error":"invalid_client"}"#, Credentials),
        ] {
            assert_eq!(refusal(401, challenge, body).kind(), kind, "{challenge} {body}");
        }
    }

    #[test]
    fn a_refusal_says_what_to_do_about_it() {
        let boilerplate = "For more on this error consult the server log.";
        for (code, description, says) in [
            ("unauthorized_client", BASIC_ONLY, "TRESORPAY_CLIENT_AUTH=basic"),
            ("invalid_client", "Parameter client_assertion_type is missing", "another proof"),
            ("invalid_request", "DPoP proof is missing", "DPoP"),
            ("invalid_request", "HTTPS required", "https://"),
            ("Realm does not exist", boilerplate, "TRESORPAY_TOKEN_URL"),
            ("invalid_scope", "Invalid scopes: tresorpay", ".scope(None)"),
            ("Realm does not exist", "", "TRESORPAY_TOKEN_URL, which is given whole"),
            ("unauthorized_client", "Public client not allowed", "a service account"),
            ("invalid_client", "Missing client_id parameter", "did not arrive"),
            ("invalid_request", "duplicated parameter", "check the options"),
            ("", "", "check the token URL, and"),
        ] {
            let body = format!(r#"{{"error":"{code}","error_description":"{description}"}}"#);
            let text = refusal(400, "Bearer", &body).to_string();
            assert!(text.contains(says), "{text}");
        }
    }

    #[test]
    fn an_outage_is_no_reason_to_check_the_settings() {
        for (status, body) in [(408, ""), (503, r#"{"error":"invalid_client"}"#)] {
            let error = refusal(status, "Bearer", body);
            assert!(error.message().ends_with(')'), "{error}");
        }
    }
}
