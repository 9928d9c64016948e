//! The shapes of Digitalpaye's bodies.

use std::time::{Duration, SystemTime};

use auth_core::wire::{Number, Object, Refusal, Text};
use auth_core::{
    Error, ErrorKind, Expiry, ExposeSecret, Grant, JwtTimes, SecretString, TokenResponse,
};
use serde::Deserialize;

/// `{"statusCode", "message", "data": {"token", "exp"}}`, or the older `{"code_status", "token",
/// "exp"}`.
#[derive(Deserialize)]
struct Body {
    #[serde(rename = "statusCode")]
    status_code: Option<Number>,
    code_status: Option<Number>,
    #[serde(default)]
    data: Object<Data>,
    token: Option<SecretString>,
    #[serde(default)]
    exp: Number,
}

#[derive(Deserialize)]
struct Data {
    token: Option<SecretString>,
    #[serde(default)]
    exp: Number,
}

/// The token and its expiry in Unix seconds.
#[derive(Deserialize)]
#[serde(try_from = "Body")]
pub(crate) struct Granted {
    token: SecretString,
    exp: Number,
}

/// The lifetime of the document's sample, for responses that state none.
const USUAL_LIFETIME: Duration = Duration::from_secs(600);

impl Granted {
    pub(crate) fn into_grant(self, answer: &TokenResponse) -> Result<Grant, Error> {
        let expiry = match self.exp.instant() {
            Expiry::At(end) if is_plausible(end, answer) => Expiry::At(end),
            // The engine reads a JWT's own expiry. Without one, the document offers only its sample's
            // lifetime.
            _ if JwtTimes::peek(self.token.expose_secret()).expires_at().is_some() => {
                Expiry::Unknown
            }
            _ => Expiry::After(USUAL_LIFETIME),
        };
        Grant::bearer(self.token, expiry)
    }
}

/// Whether a token may expire then. More than 400 days ahead is not a ten-minute token but a number
/// in another unit.
fn is_plausible(end: SystemTime, response: &TokenResponse) -> bool {
    const LONGEST: Duration = Duration::from_secs(400 * 24 * 60 * 60);
    end.duration_since(response.server_time()).is_ok_and(|left| left <= LONGEST)
        || end <= response.server_time()
}

impl TryFrom<Body> for Granted {
    type Error = &'static str;

    fn try_from(body: Body) -> Result<Self, Self::Error> {
        // Absent, or a 2xx number; anything else is not a success.
        let says_success = |code: Option<Number>| {
            code.is_none_or(|code| code.get().is_some_and(|code| (200..300).contains(&code)))
        };
        if !says_success(body.status_code) || !says_success(body.code_status) {
            return Err("an error inside");
        }
        let is_one = |token: &SecretString| !token.expose_secret().trim().is_empty();
        let nested = body.data.into_inner();
        let nested = nested.and_then(|data| Some((data.token.filter(is_one)?, data.exp)));
        let flat = body.token.filter(is_one).map(|token| (token, body.exp));
        let (token, exp) = nested.or(flat).ok_or("no token inside")?;
        Ok(Self { token, exp })
    }
}

/// `{"statusCode", "message": class name, "reason": prose}`.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(crate) struct Refused {
    message: Text,
    reason: Text,
    /// Not documented: where a gateway in front speaks OAuth.
    error: Text,
}

impl Refused {
    fn has_code(&self, code: &str) -> bool {
        self.code().is_some_and(|own| own.eq_ignore_ascii_case(code))
    }
}

impl Refusal for Refused {
    fn code(&self) -> Option<&str> {
        self.message.get().or_else(|| self.error.get())
    }

    fn description(&self) -> Option<&str> {
        self.reason.get()
    }

    fn kind(&self, answer: &TokenResponse, usual: ErrorKind) -> ErrorKind {
        match answer.status().as_u16() {
            400 if self.has_code("UnauthorizedError") => ErrorKind::Credentials,
            // Not documented, so not known to be about the credentials.
            403 => ErrorKind::Request,
            _ => usual,
        }
    }

    fn kind_in_success(&self, _: &TokenResponse) -> Option<ErrorKind> {
        const CODES: [(&str, ErrorKind); 3] = [
            ("UnauthorizedError", ErrorKind::Credentials),
            ("BadRequestError", ErrorKind::Request),
            ("InternalServerError", ErrorKind::Unavailable),
        ];
        let known = CODES.iter().find(|(code, _)| self.has_code(code)).map(|(_, kind)| *kind);
        known.or_else(|| auth_core::oauth2::kind(self.code()?))
    }

    fn endpoint_setting(&self) -> &'static str {
        "DIGITALPAYE_BASE_URL"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_in_a_success_is_known_by_the_documents_codes_and_the_standards() {
        let kind = |body: &'static str| {
            let answer = TokenResponse::recorded(200, body);
            let read = auth_core::wire::read::<Granted, Refused>("-", &Default::default(), &answer);
            read.err().unwrap().kind()
        };
        for (body, expected) in [
            (r#"{"statusCode":401,"message":"unauthorizedError"}"#, ErrorKind::Credentials),
            (r#"{"statusCode":400,"message":" BadRequestError"}"#, ErrorKind::Request),
            (r#"{"statusCode":500,"message":"InternalServerError"}"#, ErrorKind::Unavailable),
            (r#"{"error":"invalid_client"}"#, ErrorKind::Credentials),
            (r#"{"error":"invalid_scope"}"#, ErrorKind::Request),
            (r#"{"statusCode":401,"message":"Unauthorized"}"#, ErrorKind::Protocol),
        ] {
            assert_eq!(kind(body), expected, "{body}");
        }
    }
}
