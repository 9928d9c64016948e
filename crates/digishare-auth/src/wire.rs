//! The shapes of Digishare's bodies.

use std::collections::BTreeMap;

use auth_core::wire::{Object, Refusal, Text};
use auth_core::{ErrorKind, TokenResponse};
use serde::Deserialize;
use serde::de::IgnoredAny;

/// An error body, from any part of Laravel.
#[derive(Default, Deserialize)]
#[serde(from = "Body")]
pub(crate) struct Refused {
    code: Text,
    description: Text,
    request_id: Text,
}

/// Passport's `{"error": code, "error_description", "hint"}`, and the API's `{"error": prose,
/// "details"}`, `{"message", "errors": {field: [prose]}}` and `{"message", "request_id"}`.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Body {
    error: Text,
    error_description: Text,
    message: Text,
    details: Text,
    hint: Text,
    errors: Object<BTreeMap<Text, IgnoredAny>>,
    request_id: Text,
}

impl From<Body> for Refused {
    fn from(body: Body) -> Self {
        let is_prose = body.error.get().is_some_and(|error| !is_code(error));
        let (code, prose) =
            if is_prose { (Text::default(), body.error) } else { (body.error, Text::default()) };
        let names = body.errors.into_inner().unwrap_or_default();
        let mut fields = Text::default();
        for name in names.keys().filter_map(Text::get) {
            fields.push_str(if fields.get().is_none() { "Fields: " } else { ", " });
            fields.push_str(name);
        }
        let mut description = Text::default();
        for part in
            [&prose, &body.error_description, &body.message, &body.details, &body.hint, &fields]
        {
            let said = description.get().unwrap_or_default();
            // Passport 8 repeats the description under `message`.
            let Some(part) = part.get().filter(|part| !said.contains(part)) else {
                continue;
            };
            let between = match said.chars().next_back() {
                None => "",
                Some('.') => " ",
                Some(_) => ". ",
            };
            description.push_str(between);
            description.push_str(part);
        }
        Self { code, description, request_id: body.request_id }
    }
}

/// Whether a text is a single word, like the codes of RFC 6749 section 5.2.
fn is_code(text: &str) -> bool {
    text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-')
}

impl Refused {
    fn has_code(&self, code: &str) -> bool {
        self.code().is_some_and(|own| own.eq_ignore_ascii_case(code))
    }
}

impl Refusal for Refused {
    fn code(&self) -> Option<&str> {
        self.code.get()
    }

    fn description(&self) -> Option<&str> {
        self.description.get()
    }

    fn request_id(&self) -> Option<&str> {
        self.request_id.get()
    }

    fn kind(&self, answer: &TokenResponse, usual: ErrorKind) -> ErrorKind {
        match answer.status().as_u16() {
            _ if usual.is_retryable() => usual,
            _ if self.has_code("invalid_client") || self.has_code("invalid_grant") => {
                ErrorKind::Credentials
            }
            // The API's "no permission": the credentials were accepted.
            403 => ErrorKind::Request,
            _ => usual,
        }
    }

    fn endpoint_setting(&self) -> &'static str {
        "DIGISHARE_BASE_URL"
    }

    fn advice(&self, answer: &TokenResponse) -> Option<&'static str> {
        // Passport on PostgreSQL fails with 500 if the id is not a UUID (SQLSTATE 22P02).
        if answer.status() == 500 {
            return Some(
                "if it lasts, check DIGISHARE_CLIENT_ID: cut or swapped, it makes their server fail",
            );
        }
        if self.has_code("invalid_scope") {
            Some("leave .scope(..) away, or name one that the client has")
        } else if self.has_code("unauthorized_client") {
            Some("ask Digishare to allow the client the client credentials grant")
        } else if self.has_code("invalid_request") || self.has_code("unsupported_grant_type") {
            Some("a field did not arrive; try .body_format(BodyFormat::Form)")
        } else {
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Credentials, Digishare, Error, TokenExchange as _};

    fn refusal(status: u16, body: &'static str) -> Error {
        let credentials = Credentials::new("client-0001", "made-up-secret").unwrap();
        Digishare::new(credentials).read(&TokenResponse::recorded(status, body)).unwrap_err()
    }

    #[test]
    fn the_status_decides_and_a_code_may_say_more() {
        use ErrorKind::{Credentials, Protocol, RateLimited, Request, Unavailable};
        for (status, body, kind) in [
            (400, r#"{"error":"invalid_client"}"#, Credentials),
            (403, r#"{"error":"Invalid_Client"}"#, Credentials),
            (422, r#"{"error":"invalid_client"}"#, Credentials),
            (400, r#"{"error":"invalid_grant"}"#, Credentials),
            (401, r#"{"error":"access_denied"}"#, Credentials),
            (401, r#"{"message":"Unauthenticated."}"#, Credentials),
            (401, "", Credentials),
            (400, r#"{"error":"unauthorized_client"}"#, Request),
            (400, r#"{"error":"invalid client"}"#, Request),
            (403, r#"{"message":"Forbidden."}"#, Request),
            (403, "<html>", Protocol),
            (404, "<html>", Request),
            (429, r#"{"error":"invalid_client"}"#, RateLimited),
            (500, r#"{"error":"invalid_client"}"#, Unavailable),
            (500, r#"{"message":"Route [login] not defined."}"#, Unavailable),
        ] {
            assert_eq!(refusal(status, body).kind(), kind, "{status} {body}");
        }
    }

    #[test]
    fn all_that_a_body_says_is_kept_once() {
        for (body, code, description) in [
            (
                r#"{"error":"invalid_scope","error_description":"Unknown","hint":"Check it","message":"Unknown"}"#,
                Some("invalid_scope"),
                Some("Unknown. Check it"),
            ),
            (
                r#"{"error":"Invalid payload.","details":"Position 42."}"#,
                None,
                Some("Invalid payload. Position 42."),
            ),
            (r#"{"error":"Invalid payload.","details":null}"#, None, Some("Invalid payload.")),
            (
                r#"{"message":"Invalid.","errors":{"scope":["x"],"client_id":["y","z"]}}"#,
                None,
                Some("Invalid. Fields: client_id, scope"),
            ),
            (r#"{"message":"Invalid.","errors":["x"]}"#, None, Some("Invalid.")),
            (r#"{"error":{"code":7},"errors":{}}"#, None, None),
            (r#"["invalid_client"]"#, None, None),
        ] {
            let error = refusal(400, body);
            assert_eq!(error.code(), code, "{body}");
            assert_eq!(error.description(), description, "{body}");
        }
        let error = refusal(500, r#"{"message":"x","request_id":"a1b2-c3"}"#);
        assert_eq!(error.request_id(), Some("a1b2-c3"));
    }

    #[test]
    fn a_refusal_says_what_to_do_about_it() {
        for (body, says) in [
            (r#"{"error":"invalid_scope"}"#, "leave .scope(..) away"),
            (r#"{"error":"unauthorized_client"}"#, "ask Digishare to allow"),
            (r#"{"error":"invalid_request"}"#, "BodyFormat::Form"),
            (r#"{"error":"Some prose."}"#, "check the options and the endpoint"),
        ] {
            let text = refusal(400, body).to_string();
            assert!(text.contains(says), "{text}");
        }
    }
}
