//! The flow: Basic from key and secret, a bearer token back.

use std::fmt;
use std::str::FromStr;

use auth_core::{
    Endpoint, Env, Error, ExposeSecret, Grant, HttpRequest, Identity, TokenExchange, TokenRequest,
    TokenResponse,
};
use http::{HeaderName, HeaderValue};

use crate::credentials::{Credentials, PROVIDER};
use crate::wire::{Granted, Refused};

const DOCUMENTED: Endpoint = Endpoint::from_static("https://api.digitalpaye.com");
const TOKEN_PATH: &str = "v1/auth";
pub(crate) const X_ENVIRONMENT: HeaderName = HeaderName::from_static("x-environment");

/// Digitalpaye's flow: `POST /v1/auth` with Basic authentication and `X-Environment`.
///
/// ```
/// use digitalpaye_auth::{CachedTokenSource, Credentials, Digitalpaye, Environment};
///
/// let credentials = Credentials::new("key-0001", "made-up-secret")?;
/// let flow = Digitalpaye::new(credentials).environment(Environment::Sandbox);
/// let tokens = CachedTokenSource::new(flow)?;
/// assert!(tokens.fresh().is_none()); // nothing is requested before the first `token().await`
/// # Ok::<(), digitalpaye_auth::Error>(())
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct Digitalpaye {
    credentials: Credentials,
    environment: Environment,
    endpoint: Endpoint,
}

/// The value of `X-Environment`, on the token request and beside the token on API calls.
///
/// ```
/// use digitalpaye_auth::{Credentials, Digitalpaye, Environment, TokenExchange};
///
/// let credentials = Credentials::new("key-0001", "made-up-secret")?;
/// let flow = Digitalpaye::new(credentials).environment("sandbox".parse()?);
/// assert_eq!(flow.request()?.headers()["x-environment"], "Sandbox");
/// assert_eq!(Environment::default(), Environment::Production);
/// # Ok::<(), digitalpaye_auth::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Environment {
    /// `Production`: the one value that the document states.
    #[default]
    Production,
    /// `Sandbox`: from public integrations, unverified.
    Sandbox,
    /// Another value that Digitalpaye gave you; visible ASCII.
    Other(String),
}

impl Digitalpaye {
    /// The flow for these credentials, in production.
    pub fn new(credentials: Credentials) -> Self {
        Self { credentials, environment: Environment::default(), endpoint: DOCUMENTED }
    }

    /// Reads credentials and options from the environment variables that the crate's front page
    /// lists.
    ///
    /// # Errors
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) with everything that is missing or wrong,
    /// and no value.
    pub fn from_env() -> Result<Self, Error> {
        Self::read_env(&Env::process())
    }

    /// As [`from_env`](Self::from_env), from variables of your own.
    ///
    /// # Errors
    /// As for `from_env`.
    pub fn read_env(env: &Env) -> Result<Self, Error> {
        env.read(PROVIDER, |vars| {
            let credentials = Credentials::read(vars);
            let environment = vars.optional_parsed("DIGITALPAYE_ENVIRONMENT", str::parse);
            let endpoint = vars.optional_endpoint("DIGITALPAYE_BASE_URL", TOKEN_PATH);
            Some(Self {
                credentials: credentials?,
                environment: environment.unwrap_or_default(),
                endpoint: endpoint.unwrap_or(DOCUMENTED),
            })
        })
    }

    /// The environment; production by default.
    pub fn environment(mut self, environment: Environment) -> Self {
        self.environment = environment;
        self
    }

    /// The base URL that `/v1/auth` is appended to; `https://api.digitalpaye.com` by default.
    pub fn endpoint(mut self, endpoint: Endpoint) -> Self {
        self.endpoint = endpoint;
        self
    }

    /// Whether a `live_` key is used outside production.
    fn is_mixed(&self) -> bool {
        self.environment != Environment::Production
            && self.credentials.api_key.expose_secret().starts_with("live_")
    }
}

impl TokenExchange for Digitalpaye {
    fn provider(&self) -> &'static str {
        PROVIDER
    }

    fn identity(&self) -> Identity {
        let account = self.credentials.api_key.expose_secret();
        Identity::new(PROVIDER, &self.endpoint, &[self.environment.as_str(), account])
    }

    fn request(&self) -> Result<HttpRequest, Error> {
        TokenRequest::post(&self.endpoint.with_path(TOKEN_PATH)?)
            .header(X_ENVIRONMENT, self.environment.header()?)
            .basic(self.credentials.api_key.expose_secret(), &self.credentials.api_secret)
            .empty()
    }

    fn read(&self, response: &TokenResponse) -> Result<Grant, Error> {
        let check = &self.credentials.origin;
        let known = self.credentials.known();
        let granted = auth_core::wire::read::<Granted, Refused>(check, &known, response)?;
        let grant = granted.into_grant(response)?.header(X_ENVIRONMENT, self.environment.header()?);
        Ok(if self.is_mixed() {
            grant.warning("a live_ API key is used with an environment other than Production")
        } else {
            grant
        })
    }

    /// The endpoint: the document has one host for tokens and payments.
    fn api_hosts(&self) -> Vec<Endpoint> {
        vec![self.endpoint.clone()]
    }
}

impl Environment {
    /// The value as it is sent.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Production => "Production",
            Self::Sandbox => "Sandbox",
            Self::Other(name) => name,
        }
    }

    fn header(&self) -> Result<HeaderValue, Error> {
        let name = self.as_str();
        let fault =
            || Error::config("the environment is blank or holds a character outside visible ASCII");
        if name.is_empty() || !name.bytes().all(|b| b.is_ascii_graphic()) {
            return Err(fault());
        }
        HeaderValue::from_str(name).map_err(|_| fault())
    }
}

impl FromStr for Environment {
    type Err = Error;

    /// Known names in any case; other names unchanged, if a header can carry them.
    fn from_str(name: &str) -> Result<Self, Error> {
        let environment = match name.to_ascii_lowercase().as_str() {
            "production" => Self::Production,
            "sandbox" => Self::Sandbox,
            _ => Self::Other(name.to_owned()),
        };
        environment.header().map(|_| environment)
    }
}

impl fmt::Display for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flow() -> Digitalpaye {
        Digitalpaye::new(Credentials::new("live_0001", "made-up-secret").unwrap())
    }

    #[test]
    fn all_that_is_wrong_with_the_environment_comes_in_one_error() {
        let env =
            Env::from_pairs([("DIGITALPAYE_API_KEY", "k"), ("DIGITALPAYE_BASE_URL", "http://x")]);
        let text = Digitalpaye::read_env(&env).unwrap_err().to_string();
        for part in ["digitalpaye: set DIGITALPAYE_API_SECRET (or", "; DIGITALPAYE_BASE_URL: "] {
            assert!(text.contains(part), "{text}");
        }
    }

    #[test]
    fn a_live_key_outside_production_is_remarked_upon() {
        assert!(!flow().is_mixed());
        assert!(flow().environment(Environment::Sandbox).is_mixed());
    }

    #[test]
    fn an_environment_that_no_header_carries_is_refused() {
        for name in ["", "Pro duction", "Pröd", "a\r\nb"] {
            assert!(name.parse::<Environment>().is_err(), "{name:?}");
            let other = Environment::Other(name.to_owned());
            assert!(flow().environment(other).request().is_err(), "{name:?}");
        }
    }

    #[test]
    fn the_environment_variables_make_the_flow() {
        let read = |more: &[(&str, &str)]| {
            let both = [("DIGITALPAYE_API_KEY", "k"), ("DIGITALPAYE_API_SECRET", "s")];
            Digitalpaye::read_env(&Env::from_pairs(both.iter().chain(more).copied())).unwrap()
        };
        let made = read(&[]).request().unwrap();
        assert_eq!(made.uri(), "https://api.digitalpaye.com/v1/auth");
        assert_eq!(made.headers()["authorization"], "Basic azpz");
        assert_eq!(made.headers()["x-environment"], "Production");
        let made = read(&[
            ("DIGITALPAYE_ENVIRONMENT", "SANDBOX"),
            ("DIGITALPAYE_BASE_URL", "https://pay.example.com/base"),
        ]);
        assert_eq!(made.request().unwrap().uri(), "https://pay.example.com/base/v1/auth");
        assert_eq!(made.request().unwrap().headers()["x-environment"], "Sandbox");
    }

    #[test]
    fn a_key_at_a_host_in_an_environment_is_whose_tokens_these_are() {
        let other_secret = Credentials::new("live_0001", "another-secret").unwrap();
        assert_eq!(flow().identity(), Digitalpaye::new(other_secret).identity());
        let other_key = Credentials::new("live_0002", "made-up-secret").unwrap();
        let host = Endpoint::parse("https://pay.example.com").unwrap();
        for other in [
            Digitalpaye::new(other_key),
            flow().environment(Environment::Sandbox),
            flow().endpoint(host),
        ] {
            assert_ne!(flow().identity(), other.identity(), "{other:?}");
        }
        let debug = format!("{:?}", flow());
        assert!(!debug.contains("0001") && !debug.contains("made-up"), "{debug}");
    }
}
