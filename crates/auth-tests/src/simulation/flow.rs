//! The flow of the simulated source. Its requests state their credentials; its copies are counted.

use std::sync::Arc;

use auth_core::{
    Endpoint, Error, Expiry, Grant, HttpRequest, Identity, Scrubber, TokenExchange, TokenRequest,
    TokenResponse, oauth2, wire,
};
use http::{HeaderName, HeaderValue};

/// The request header with the number of the credentials.
pub(super) const EPOCH: HeaderName = HeaderName::from_static("x-epoch");
/// The answer header with the expiry as an instant, in Unix seconds.
pub(super) const ENDS_AT: HeaderName = HeaderName::from_static("x-ends-at");
/// The status at which the flow panics.
pub(super) const PANICS: u16 = 299;

/// Credentials number `epoch`, of one of two accounts.
pub(super) struct Flow {
    pub(super) epoch: usize,
    pub(super) account: u8,
    /// Its count is the number of places that hold the flow: the engine and each flight.
    pub(super) _alive: Arc<()>,
}

const HOST: Endpoint = Endpoint::from_static("https://pay.example.com/token");

impl TokenExchange for Flow {
    fn provider(&self) -> &'static str {
        "acme"
    }

    fn identity(&self) -> Identity {
        Identity::new("acme", &HOST, &[&self.account.to_string()])
    }

    fn request(&self) -> Result<HttpRequest, Error> {
        TokenRequest::post(&HOST).header(EPOCH, HeaderValue::from(self.epoch)).empty()
    }

    fn read(&self, response: &TokenResponse) -> Result<Grant, Error> {
        if response.status() == PANICS {
            // Not `panic!`: the hook would print each of them.
            std::panic::resume_unwind(Box::new("the flow panics"));
        }
        let known = Scrubber::default();
        let granted =
            wire::read::<oauth2::Granted, oauth2::Refused>("ACME_SECRET", &known, response)?;
        let ends_at = response.headers().get(ENDS_AT).and_then(|at| at.to_str().ok()?.parse().ok());
        let expiry = match ends_at {
            Some(seconds) => Expiry::at_unix_seconds(seconds),
            None => granted.expires_in.lifetime(),
        };
        Grant::bearer(granted.access_token, expiry)
    }
}
