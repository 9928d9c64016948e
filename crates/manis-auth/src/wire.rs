//! The shapes of Manis's bodies.

use auth_core::wire::{Number, Refusal, Text, expect_bearer};
use auth_core::{Error, Expiry, Grant, Scrubber, SecretString, TokenResponse};
use serde::Deserialize;

use crate::expiry::ExpiryUnit;

/// `{"token", "expiresAt", "tokenType"}`.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Granted {
    #[serde(deserialize_with = "auth_core::wire::token")]
    token: SecretString,
    #[serde(default)]
    expires_at: Number,
    #[serde(default)]
    token_type: Text,
}

impl Granted {
    /// The token under `scheme`; without one, it must be a bearer token.
    pub(crate) fn into_grant(
        self,
        unit: ExpiryUnit,
        scheme: Option<&str>,
        answer: &TokenResponse,
        known: &Scrubber,
    ) -> Result<Grant, Error> {
        let end = self.expires_at.get();
        let expiry = end.map_or(Expiry::Unknown, |end| unit.read(end, answer.server_time()));
        if scheme.is_none() {
            expect_bearer(self.token_type.get(), known).map_err(|error| {
                let text = error.message();
                Error::protocol(format!("{text}: if the API takes it, set .scheme(..)"))
            })?;
        }
        let grant = Grant::new(scheme.unwrap_or("Bearer"), self.token, expiry)?;
        Ok(match expiry {
            Expiry::Unknown => {
                grant.warning("expiresAt is missing, no number, or too far from now to be believed")
            }
            _ => grant,
        })
    }
}

/// `{"message", "timestamp"}`, or `{"timestamp", "title", "type", "status", "soaCode", "detail"}`,
/// or `{"error"}` from a failing JVM server. Timestamps come in two formats and are not read; nor is
/// `status`, since HTTP states it.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct Refused {
    soa_code: Text,
    detail: Text,
    message: Text,
    error: Text,
    title: Text,
}

impl Refusal for Refused {
    fn code(&self) -> Option<&str> {
        // Where a gateway in front speaks OAuth, its code stands under `error`.
        let is_code = |error: &&str| auth_core::oauth2::kind(error).is_some();
        self.soa_code.get().or_else(|| self.error.get().filter(is_code))
    }

    fn description(&self) -> Option<&str> {
        [&self.detail, &self.message, &self.error, &self.title].into_iter().find_map(Text::get)
    }

    fn advice(&self, answer: &TokenResponse) -> Option<&'static str> {
        // The document states neither the status of wrong credentials nor host and path. An outage
        // has to do with none of them.
        let is_outage = auth_core::wire::usual_kind(answer).is_retryable();
        let check = "check the merchant id, the secret, the endpoint and the token path";
        (!is_outage).then_some(check)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_documented_shapes_of_an_error_are_read() {
        let refused = |texts: &[(&str, &str)]| {
            let map = texts.iter().copied();
            let map = serde::de::value::MapDeserializer::<_, serde::de::value::Error>::new(map);
            Refused::deserialize(map).unwrap()
        };
        let day = ("timestamp", "2026-01-01");
        let prose = [
            ("timestamp", "2026-01-01T00:00:00.000Z"),
            ("title", "Bad Request"),
            ("type", "about:blank"),
            ("status", "200"),
            ("soaCode", "AUTH-0001"),
            ("detail", "no id"),
        ];
        for (body, code, description) in [
            (refused(&prose), Some("AUTH-0001"), Some("no id")),
            (refused(&prose[..4]), None, Some("Bad Request")),
            (refused(&[("message", "no id"), day]), None, Some("no id")),
            (refused(&[("error", "oops"), day]), None, Some("oops")),
            (
                refused(&[("error", "invalid_client"), day]),
                Some("invalid_client"),
                Some("invalid_client"),
            ),
            (refused(&[day]), None, None),
        ] {
            assert_eq!((body.code(), body.description()), (code, description));
        }
    }

    #[test]
    fn an_outage_is_no_reason_to_check_the_settings() {
        let advice = |status| Refused::default().advice(&TokenResponse::recorded(status, ""));
        for (status, is_given) in [(400, true), (404, true), (408, false), (500, false)] {
            assert_eq!(advice(status).is_some(), is_given, "{status}");
        }
    }
}
