//! The flow of the loopback endpoint, written like one of a provider crate.

use std::time::Duration;

use auth_core::wire::{self, Number, Refusal, Text};
use auth_core::{
    Endpoint, Error, Expiry, ExposeSecret, Grant, Identity, Scrubber, SecretString, TokenExchange,
    TokenRequest, TokenResponse,
};
use bytes::Bytes;
use serde::Deserialize;

/// Posts a secret as JSON, reads a token and its lifetime in milliseconds.
#[derive(Clone, Debug)]
pub(crate) struct Flow {
    endpoint: Endpoint,
    account: &'static str,
    secret: SecretString,
}

impl Flow {
    pub(crate) fn new(url: &str) -> Result<Self, Error> {
        Ok(Self { endpoint: Endpoint::parse(url)?, account: "a", secret: "made-up-secret".into() })
    }

    /// The same for another account, so that replacing the exchange drops the token.
    pub(crate) fn account(mut self, account: &'static str) -> Self {
        self.account = account;
        self
    }
}

#[derive(Deserialize)]
struct Granted {
    token: SecretString,
    #[serde(default)]
    expires_in_ms: Number,
}

#[derive(Default, Deserialize)]
struct Refused {
    #[serde(default)]
    error: Text,
}

impl Refusal for Refused {
    fn code(&self) -> Option<&str> {
        self.error.get()
    }
}

impl TokenExchange for Flow {
    fn provider(&self) -> &'static str {
        "loopback"
    }

    fn identity(&self) -> Identity {
        Identity::new("loopback", &self.endpoint, &[self.account])
    }

    fn request(&self) -> Result<http::Request<Bytes>, Error> {
        TokenRequest::post(&self.endpoint).json(&[("secret", (&self.secret).into())])
    }

    fn read(&self, response: &TokenResponse) -> Result<Grant, Error> {
        let known = Scrubber::new([self.secret.expose_secret()]);
        let granted: Granted = wire::read::<_, Refused>("nothing", &known, response)?;
        let lifetime = granted.expires_in_ms.get().and_then(|ms| ms.try_into().ok());
        let expiry =
            lifetime.map_or(Expiry::Unknown, |ms| Expiry::After(Duration::from_millis(ms)));
        Grant::bearer(granted.token, expiry)
    }
}
