//! The shapes of Digitalpaye's bodies.

use auth_core::wire::{Maybe, Number, Refusal, Text};
use auth_core::{ErrorKind, Response, SecretString};
use serde::Deserialize;

/// `{"statusCode", "message", "data": {"token", "exp"}}`, or the older `{"code_status", "token",
/// "exp"}`.
#[derive(Deserialize)]
struct Body {
    #[serde(rename = "statusCode")]
    status_code: Option<Number>,
    code_status: Option<Number>,
    #[serde(default)]
    data: Maybe<Data>,
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
    pub(crate) token: SecretString,
    pub(crate) exp: Number,
}

impl TryFrom<Body> for Granted {
    type Error = &'static str;

    fn try_from(body: Body) -> Result<Self, Self::Error> {
        // Absent, or a number of 2xx; a word in its place says something else.
        let says_success = |code: Option<Number>| {
            code.is_none_or(|code| code.get().is_some_and(|code| (200..300).contains(&code)))
        };
        if !says_success(body.status_code) || !says_success(body.code_status) {
            return Err("an error inside");
        }
        let nested = body.data.0.and_then(|data| Some((data.token?, data.exp)));
        let flat = body.token.map(|token| (token, body.exp));
        let (token, exp) = nested.or(flat).ok_or("no token inside")?;
        Ok(Self { token, exp })
    }
}

/// `{"statusCode", "message": class name, "reason": prose}`.
#[derive(Default, Deserialize)]
pub(crate) struct Refused {
    #[serde(default)]
    message: Text,
    #[serde(default)]
    reason: Text,
}

impl Refusal for Refused {
    fn code(&self) -> Option<&str> {
        self.message.get()
    }

    fn description(&self) -> Option<&str> {
        self.reason.get()
    }

    fn kind(&self, answer: &Response, usual: ErrorKind) -> ErrorKind {
        match (answer.status().as_u16(), self.code()) {
            (400, Some("UnauthorizedError")) => ErrorKind::Credentials,
            // Not documented, so not known to be about the credentials.
            (403, _) => ErrorKind::Request,
            _ => usual,
        }
    }

    fn kind_in_success(&self, _: &Response) -> Option<ErrorKind> {
        (self.code()? == "UnauthorizedError").then_some(ErrorKind::Credentials)
    }

    fn endpoint_setting(&self) -> &'static str {
        "DIGITALPAYE_BASE_URL"
    }
}
