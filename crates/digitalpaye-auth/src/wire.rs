//! The shapes of Digitalpaye's bodies.

use auth_core::wire::{Maybe, Number, Refusal, Text};
use auth_core::{Error, ErrorKind, Response, SecretString};
use serde::Deserialize;

/// `{"statusCode", "message", "data": {"token", "exp"}}`, or the older `{"code_status", "token",
/// "exp"}`.
#[derive(Deserialize)]
pub(crate) struct Granted {
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

impl Granted {
    /// The token and its expiry in Unix seconds.
    pub(crate) fn into_parts(self) -> Result<(SecretString, Number), Error> {
        let fault = |what| Err(Error::protocol(format!("undocumented answer (200): {what}")));
        // Absent, or a number of 2xx; a word in its place says something else.
        let says_success = |code: Option<Number>| {
            code.is_none_or(|code| code.get().is_some_and(|code| (200..300).contains(&code)))
        };
        if !says_success(self.status_code) || !says_success(self.code_status) {
            return fault("an error inside");
        }
        let nested = self.data.0.and_then(|data| Some((data.token?, data.exp)));
        let flat = self.token.map(|token| (token, self.exp));
        match nested.or(flat) {
            Some(parts) => Ok(parts),
            None => fault("no token inside"),
        }
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
}
