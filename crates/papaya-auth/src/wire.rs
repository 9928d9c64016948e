//! The shapes of Papaya's bodies.

use auth_core::wire::{Refusal, Text};
use auth_core::{Error, Expiry, Grant, SecretString};
use serde::Deserialize;

use crate::expiry::instant;

/// `{"valid_until", "token", "token_name"}`.
#[derive(Deserialize)]
pub(crate) struct Granted {
    #[serde(deserialize_with = "auth_core::wire::token")]
    token: SecretString,
    #[serde(default)]
    valid_until: Text,
}

impl Granted {
    pub(crate) fn into_grant(self) -> Result<Grant, Error> {
        match self.valid_until.get().and_then(instant) {
            Some(end) => Grant::bearer(self.token, Expiry::At(end)),
            None => Ok(Grant::bearer(self.token, Expiry::Unknown)?
                .warning("valid_until is missing or not of the documented form")),
        }
    }
}

/// `{"error": prose}`; newer responses may add `{"description", "error_code"}`.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(crate) struct Refused {
    error: Text,
    description: Text,
    error_code: Text,
}

impl Refusal for Refused {
    fn code(&self) -> Option<&str> {
        // `error` is prose in the document; a single word could be a code.
        let word = || self.error.get().filter(|text| !text.contains(char::is_whitespace));
        self.error_code.get().or_else(word)
    }

    fn description(&self) -> Option<&str> {
        self.description.get().or_else(|| self.error.get())
    }

    fn endpoint_setting(&self) -> &'static str {
        "PAPAYA_BASE_URL"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_a_code_and_prose_is_prose() {
        let refused = |error: &str, description: &str, error_code: &str| {
            let texts =
                [("error", error), ("description", description), ("error_code", error_code)];
            let given = texts.into_iter().filter(|(_, text)| !text.is_empty());
            let map = serde::de::value::MapDeserializer::<_, serde::de::value::Error>::new(given);
            Refused::deserialize(map).unwrap()
        };
        for (body, code, description) in [
            (refused("Invalid request", "", ""), None, Some("Invalid request")),
            (
                refused("Bad Request", "x is required", "PG-4000"),
                Some("PG-4000"),
                Some("x is required"),
            ),
            (refused("invalid_request", "", ""), Some("invalid_request"), Some("invalid_request")),
            (refused("", "", ""), None, None),
        ] {
            assert_eq!((body.code(), body.description()), (code, description));
        }
    }
}
