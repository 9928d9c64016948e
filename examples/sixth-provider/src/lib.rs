//! SahelPay, a made-up provider: an app key and secret for a token that lives for half an hour.

use auth_core::secret::Charset;
use auth_core::wire::{self, Number, Refusal, Text};
pub use auth_core::{CachedTokenSource, Endpoint, Env, Error, ErrorKind, SharedTokenSource};
use auth_core::{ExposeSecret, Grant, HttpRequest, Identity, Scrubber, SecretString};
use auth_core::{TokenExchange, TokenRequest, TokenResponse};
use serde::Deserialize;

const PROVIDER: &str = "sahelpay";
const LIVE: Endpoint = Endpoint::from_static("https://api.sahelpay.example");
const TOKEN_PATH: &str = "v2/sessions";

/// An app key and its secret. `Debug` shows neither: `SecretString` redacts it.
#[derive(Clone, Debug)]
struct Credentials(SecretString, SecretString);

/// The flow: `POST /v2/sessions` with key and secret in a JSON body.
#[derive(Clone, Debug)]
pub struct SahelPay {
    credentials: Credentials,
    endpoint: Endpoint,
    branch: Option<String>,
}

impl SahelPay {
    /// Reads `SAHELPAY_APP_KEY`, `SAHELPAY_APP_SECRET` and, if set, `SAHELPAY_BASE_URL`.
    pub fn read_env(env: &Env) -> Result<Self, Error> {
        env.read(PROVIDER, |vars| {
            let key = vars.required_secret("SAHELPAY_APP_KEY", Charset::Text);
            let secret = vars.required_secret("SAHELPAY_APP_SECRET", Charset::Text);
            let endpoint = vars.optional_endpoint("SAHELPAY_BASE_URL", TOKEN_PATH).unwrap_or(LIVE);
            Some(Self { credentials: Credentials(key?, secret?), endpoint, branch: None })
        })
    }

    /// The branch whose sales the token gives access to; the whole company's by default.
    pub fn branch(self, branch: impl Into<String>) -> Self {
        Self { branch: Some(branch.into()), ..self }
    }
}

impl TokenExchange for SahelPay {
    fn provider(&self) -> &'static str {
        PROVIDER
    }

    fn identity(&self) -> Identity {
        let branch = self.branch.as_deref().unwrap_or_default();
        Identity::new(PROVIDER, &self.endpoint, &[self.credentials.0.expose_secret(), branch])
    }

    fn request(&self) -> Result<HttpRequest, Error> {
        let Credentials(key, secret) = &self.credentials;
        let mut fields = vec![("app_key", key.into()), ("app_secret", secret.into())];
        fields.extend(self.branch.as_deref().map(|branch| ("branch", branch.into())));
        TokenRequest::post(&self.endpoint.with_path(TOKEN_PATH)?).json(&fields)
    }

    fn read(&self, response: &TokenResponse) -> Result<Grant, Error> {
        let Credentials(key, secret) = &self.credentials;
        let known = Scrubber::new([key.expose_secret(), secret.expose_secret()]);
        let check = "SAHELPAY_APP_KEY and SAHELPAY_APP_SECRET";
        let granted: Granted = wire::read::<_, Refused>(check, &known, response)?;
        Grant::bearer(granted.token, granted.valid_for.lifetime())
    }
}

/// `{"token", "valid_for": seconds}`, with 201.
#[derive(Deserialize)]
struct Granted {
    token: SecretString,
    #[serde(default)]
    valid_for: Number,
}

/// `{"code", "message"}`.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Refused {
    code: Text,
    message: Text,
}

impl Refusal for Refused {
    fn code(&self) -> Option<&str> {
        self.code.get()
    }
    fn description(&self) -> Option<&str> {
        self.message.get()
    }
    fn kind(&self, answer: &TokenResponse, usual: ErrorKind) -> ErrorKind {
        match (answer.status().as_u16(), self.code()) {
            (400, Some("unknown_app")) => ErrorKind::Credentials, // a wrong key
            (403, Some("address_not_listed")) => ErrorKind::Request, // the key is right
            _ => usual,
        }
    }
}
