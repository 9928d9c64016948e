//! The bodies of RFC 6749 section 5, which two of the five providers and most others send.
//!
//! A flow that follows the standard needs no types of its own:
//!
//! ```
//! use auth_core::{Error, ErrorKind, Grant, TokenResponse, Scrubber, oauth2, wire};
//!
//! fn read(response: &TokenResponse) -> Result<Grant, Error> {
//!     let known = Scrubber::new(["made-up-secret"]);
//!     let check = "ACME_CLIENT_ID and ACME_CLIENT_SECRET";
//!     let granted = wire::read::<oauth2::Granted, oauth2::Refused>(check, &known, response)?;
//!     granted.into_grant(&known)
//! }
//!
//! let body = r#"{"access_token":"made-up","token_type":"bearer","expires_in":300}"#;
//! assert!(read(&TokenResponse::recorded(200, body)).is_ok());
//! let error = read(&TokenResponse::recorded(400, r#"{"error":"invalid_client"}"#)).unwrap_err();
//! assert_eq!(error.kind(), ErrorKind::Credentials);
//! # Ok::<(), Error>(())
//! ```

use serde::Deserialize;

use crate::error::{Error, ErrorKind};
use crate::grant::Grant;
use crate::response::TokenResponse;
use secrecy::SecretString;

use crate::secret::Scrubber;
pub use crate::wire::codes::kind;
use crate::wire::{Number, Refusal, Text, expect_bearer};

/// A success: `{"access_token", "token_type", "expires_in"}` (RFC 6749 section 5.1). Other fields
/// are not read; a refresh token would be one more secret to protect, without use.
///
/// ```
/// use auth_core::{TokenResponse, Scrubber, oauth2, wire};
///
/// let known = Scrubber::new(["made-up-secret"]);
/// let body = r#"{"access_token":"made-up","token_type":"Bearer","expires_in":"300"}"#;
/// let answer = TokenResponse::recorded(200, body);
/// let granted = wire::read::<oauth2::Granted, oauth2::Refused>("ACME_SECRET", &known, &answer)?;
/// assert_eq!(granted.expires_in.get(), Some(300));
/// let grant = granted.into_grant(&known)?;
/// # Ok::<(), auth_core::Error>(())
/// ```
#[derive(Debug, Deserialize)]
pub struct Granted {
    /// The token.
    #[serde(deserialize_with = "crate::wire::token")]
    pub access_token: SecretString,
    /// Its type, in upper or lower case; required by the RFC.
    #[serde(default)]
    pub token_type: Text,
    /// Its lifetime in seconds; recommended by the RFC.
    #[serde(default)]
    pub expires_in: Number,
}

impl Granted {
    /// Makes a grant of a bearer token.
    ///
    /// # Errors
    /// [`ErrorKind::Protocol`] if the type is not `Bearer` or missing, and as for
    /// [`Grant::bearer`].
    pub fn into_grant(self, known: &Scrubber) -> Result<Grant, Error> {
        expect_bearer(self.token_type.get(), known)?;
        Grant::bearer(self.access_token, self.expires_in.lifetime())
    }
}

/// An error: `{"error", "error_description"}` (RFC 6749 section 5.2).
///
/// ```
/// use auth_core::{TokenResponse, Scrubber, oauth2, wire};
///
/// let body = r#"{"error":"invalid_scope","error_description":"Unknown scope"}"#;
/// let answer = TokenResponse::recorded(400, body);
/// let error = wire::refused::<oauth2::Refused>("ACME_SECRET", &Scrubber::default(), &answer);
/// assert_eq!(error.description(), Some("Unknown scope"));
/// ```
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Refused {
    /// The code.
    pub error: Text,
    /// The provider's own words.
    pub error_description: Text,
}

impl Refusal for Refused {
    fn code(&self) -> Option<&str> {
        self.error.get()
    }

    fn description(&self) -> Option<&str> {
        self.error_description.get()
    }

    /// By the code if the status is 400 or 401: the RFC allows either for the same fault.
    fn kind(&self, answer: &TokenResponse, usual: ErrorKind) -> ErrorKind {
        match answer.status().as_u16() {
            400 | 401 => self.code().and_then(kind).unwrap_or(usual),
            _ => usual,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire;

    fn read(status: u16, body: &str) -> Result<Grant, Error> {
        let known = Scrubber::new(["made-up-secret"]);
        let answer = TokenResponse::recorded(status, body.to_owned());
        wire::read::<Granted, Refused>("ACME_SECRET", &known, &answer)?.into_grant(&known)
    }

    #[test]
    fn the_code_decides_the_kind_of_a_400_or_401() {
        use ErrorKind::{Credentials, Request, Unavailable};
        for (status, code, kind) in [
            (400, "invalid_client", Credentials),
            (401, "invalid_client", Credentials),
            (401, "Invalid_Scope", Request),
            (401, "unauthorized_client", Request),
            (401, "something_else", Credentials),
            (400, "something_else", Request),
            (503, "invalid_client", Unavailable),
        ] {
            let body = format!(r#"{{"error":"{code}","error_description":"No such scope"}}"#);
            let error = read(status, &body).unwrap_err();
            assert_eq!((error.kind(), error.code()), (kind, Some(code)), "{status}");
            assert_eq!(error.description(), Some("No such scope"));
        }
    }

    #[test]
    fn a_success_that_holds_a_refusal_instead_of_a_token_is_that_refusal() {
        use ErrorKind::{Credentials, Protocol, Request};
        for (body, kind) in [
            (r#"{"error":"invalid_client","error_description":"x"}"#, Credentials),
            (r#"{"error":"invalid_scope"}"#, Request),
            (r#"{"access_token":"","error":"invalid_client"}"#, Credentials),
            (r#"{"access_token":null,"error":"invalid_client"}"#, Credentials),
            (r#"{"error":"something_else"}"#, Protocol),
            (r#"{"error":null}"#, Protocol),
            ("{}", Protocol),
        ] {
            let error = read(200, body).unwrap_err();
            assert_eq!(error.kind(), kind, "{body}");
            assert_eq!(error.status().unwrap(), 200);
        }
        let both = r#"{"access_token":"t","token_type":"Bearer","error":"invalid_client"}"#;
        assert!(read(200, both).is_ok(), "a token is a token");
    }
}
