//! The flow: client credentials as a form, a bearer token back.

use std::fmt;
use std::str::FromStr;

use auth_core::secret::Charset;
use auth_core::{
    BodyValue, Endpoint, Env, Error, ExposeSecret, Grant, HttpRequest, Identity, TokenExchange,
    TokenRequest, TokenResponse,
};

use crate::credentials::{Credentials, PROVIDER};
use crate::wire::{Granted, Refused};

const PRODUCTION_API: Endpoint = Endpoint::from_static("https://tresorpay.ml/api/public/v1");
const SANDBOX_API: Endpoint =
    Endpoint::from_static("https://recette.tresorpay.finances.ml/api/public/v1");
const DOCUMENTED: Endpoint = Endpoint::from_static(
    "https://auth.finances.ml/realms/tresorpay/protocol/openid-connect/token",
);
const SANDBOX: Endpoint = Endpoint::from_static(
    "https://recette.auth.finances.ml/realms/tresorpay/protocol/openid-connect/token",
);
/// The document's value of `client_scope`, and its picture's of `scope`.
const SCOPE: &str = "tresorpay";

/// TresorPay's flow: client credentials as a form, to the token URL of a Keycloak realm.
///
/// ```
/// use tresorpay_auth::{CachedTokenSource, Credentials, Environment, TresorPay};
///
/// let credentials = Credentials::new("client-0001", "made-up-secret")?;
/// let flow = TresorPay::new(credentials).environment(Environment::Sandbox);
/// let tokens = CachedTokenSource::new(flow)?;
/// assert!(tokens.fresh().is_none()); // nothing is requested before the first `token().await`
/// # Ok::<(), tresorpay_auth::Error>(())
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct TresorPay {
    credentials: Credentials,
    scope: Option<String>,
    client_auth: ClientAuth,
    environment: Environment,
    /// Overrides the environment's.
    token_url: Option<Endpoint>,
}

/// The realm that grants tokens.
///
/// ```
/// use tresorpay_auth::{Credentials, Environment, TokenExchange, TresorPay};
///
/// let credentials = Credentials::new("client-0001", "made-up-secret")?;
/// let flow = TresorPay::new(credentials).environment("Sandbox".parse()?);
/// assert_eq!(flow.request()?.uri().host(), Some("recette.auth.finances.ml"));
/// assert_eq!(Environment::default(), Environment::Production);
/// # Ok::<(), tresorpay_auth::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Environment {
    /// `auth.finances.ml`: the one host that the document states.
    #[default]
    Production,
    /// `recette.auth.finances.ml`: from public sources, unverified.
    Sandbox,
}

/// How the client authenticates (RFC 6749 section 2.3.1).
///
/// ```
/// use tresorpay_auth::{ClientAuth, Credentials, TokenExchange, TresorPay};
///
/// let credentials = Credentials::new("client-0001", "made-up-secret")?;
/// let flow = TresorPay::new(credentials);
/// assert!(!flow.request()?.headers().contains_key("authorization"));
/// let flow = flow.client_auth(ClientAuth::Basic);
/// assert!(flow.request()?.headers().contains_key("authorization"));
/// # Ok::<(), tresorpay_auth::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ClientAuth {
    /// Id and secret in the form: what the document's text shows.
    #[default]
    Form,
    /// Id and secret in `Authorization: Basic`, form-encoded first, and not in the form: what the
    /// document's picture shows. Old Keycloak versions do not decode them.
    Basic,
}

impl TresorPay {
    /// The flow for these credentials, in production.
    pub fn new(credentials: Credentials) -> Self {
        Self {
            credentials,
            scope: Some(SCOPE.to_owned()),
            client_auth: ClientAuth::default(),
            environment: Environment::default(),
            token_url: None,
        }
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
            let scope = vars.optional_text("TRESORPAY_SCOPE", Charset::Text);
            let environment = vars.optional_parsed("TRESORPAY_ENVIRONMENT", str::parse);
            let token_url = vars.optional_endpoint("TRESORPAY_TOKEN_URL", "");
            let client_auth = vars.optional_parsed("TRESORPAY_CLIENT_AUTH", str::parse);
            let scope = scope.unwrap_or_else(|| SCOPE.to_owned());
            Some(Self {
                credentials: credentials?,
                scope: (!scope.eq_ignore_ascii_case("none")).then_some(scope),
                client_auth: client_auth.unwrap_or_default(),
                environment: environment.unwrap_or_default(),
                token_url,
            })
        })
    }

    /// The scope to request, several separated by spaces; `tresorpay` by default. `None` sends none,
    /// for a client whose request is refused with `invalid_scope`.
    pub fn scope(mut self, scope: Option<&str>) -> Self {
        self.scope = scope.map(str::to_owned);
        self
    }

    /// How the client authenticates; in the form by default.
    pub fn client_auth(mut self, client_auth: ClientAuth) -> Self {
        self.client_auth = client_auth;
        self
    }

    /// The environment; production by default.
    pub fn environment(mut self, environment: Environment) -> Self {
        self.environment = environment;
        self
    }

    /// The whole token URL; nothing is appended. By default
    /// `https://auth.finances.ml/realms/tresorpay/protocol/openid-connect/token`. It overrides
    /// [`environment`](Self::environment), whichever was set first.
    pub fn token_url(mut self, url: Endpoint) -> Self {
        self.token_url = Some(url);
        self
    }

    fn asked(&self) -> Endpoint {
        let given = self.token_url.clone();
        given.unwrap_or_else(|| self.environment.token_url())
    }
}

impl TokenExchange for TresorPay {
    fn provider(&self) -> &'static str {
        PROVIDER
    }

    fn identity(&self) -> Identity {
        let account = self.credentials.client_id.expose_secret();
        let scope = self.scope.as_deref().unwrap_or_default();
        Identity::new(PROVIDER, &self.asked(), &[scope, account])
    }

    fn request(&self) -> Result<HttpRequest, Error> {
        let scope = self.scope.as_deref().map(proved).transpose()?;
        let (id, secret) = (&self.credentials.client_id, &self.credentials.client_secret);
        let mut fields: Vec<(&str, BodyValue<'_>)> =
            vec![("grant_type", "client_credentials".into()), ("client_scope", SCOPE.into())];
        fields.extend(scope.as_deref().map(|scope| ("scope", scope.into())));
        let request = TokenRequest::post(&self.asked());
        match self.client_auth {
            ClientAuth::Form => {
                fields.extend([("client_id", id.into()), ("client_secret", secret.into())]);
                request.form(&fields)
            }
            // RFC 6749 section 2.3: never two methods in one request.
            ClientAuth::Basic => request.form_basic(id.expose_secret(), secret).form(&fields),
        }
    }

    fn read(&self, response: &TokenResponse) -> Result<Grant, Error> {
        let check = &self.credentials.origin;
        let known = self.credentials.known();
        auth_core::wire::read::<Granted, Refused>(check, &known, response)?.into_grant(&known)
    }

    /// The host of the token URL and, unless that was set, the environment's API. The sandbox's is from
    /// the provider's pages on GitHub, unverified.
    fn api_hosts(&self) -> Vec<Endpoint> {
        let api = match self.environment {
            Environment::Production => PRODUCTION_API,
            Environment::Sandbox => SANDBOX_API,
        };
        let documented = self.token_url.is_none().then_some(api);
        [self.asked()].into_iter().chain(documented).collect()
    }
}

/// Checks that the scope can be sent unchanged.
fn proved(scope: &str) -> Result<String, Error> {
    Charset::Text.check("the scope", scope)?;
    Ok(scope.to_owned())
}

impl Environment {
    /// The name, as `TRESORPAY_ENVIRONMENT` takes it.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Production => "production",
            Self::Sandbox => "sandbox",
        }
    }

    fn token_url(self) -> Endpoint {
        match self {
            Self::Production => DOCUMENTED,
            Self::Sandbox => SANDBOX,
        }
    }
}

impl ClientAuth {
    /// The name, as `TRESORPAY_CLIENT_AUTH` takes it.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Form => "form",
            Self::Basic => "basic",
        }
    }
}

impl fmt::Display for ClientAuth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for ClientAuth {
    type Err = Error;

    /// The two names in any case.
    fn from_str(name: &str) -> Result<Self, Error> {
        match name.to_ascii_lowercase().as_str() {
            "form" => Ok(Self::Form),
            "basic" => Ok(Self::Basic),
            _ => Err(Error::config("the client authentication is neither form nor basic")),
        }
    }
}

impl fmt::Display for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Environment {
    type Err = Error;

    /// The two names in any case.
    fn from_str(name: &str) -> Result<Self, Error> {
        match name.to_ascii_lowercase().as_str() {
            "production" => Ok(Self::Production),
            "sandbox" => Ok(Self::Sandbox),
            _ => Err(Error::config("the environment is neither production nor sandbox")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: (&str, &str) = ("TRESORPAY_CLIENT_ID", "client-0001");
    const SECRET: (&str, &str) = ("TRESORPAY_CLIENT_SECRET", "made-up-secret");

    fn flow() -> TresorPay {
        TresorPay::new(Credentials::new("client-0001", "made-up-secret").unwrap())
    }

    fn from_env(options: &[(&str, &str)]) -> Result<TresorPay, Error> {
        let pairs = [ID, SECRET].iter().chain(options).copied();
        TresorPay::read_env(&Env::from_pairs(pairs))
    }

    fn same(one: &TresorPay, other: &TresorPay) -> bool {
        let (one_request, other_request) = (one.request().unwrap(), other.request().unwrap());
        one.identity() == other.identity()
            && one_request.uri() == other_request.uri()
            && one_request.body() == other_request.body()
    }

    #[test]
    fn all_that_is_wrong_with_the_environment_comes_in_one_error() {
        let env = Env::from_pairs([
            ID,
            ("TRESORPAY_SCOPE", " "),
            ("TRESORPAY_ENVIRONMENT", "CANARY"),
            ("TRESORPAY_TOKEN_URL", "http://x"),
        ]);
        let text = TresorPay::read_env(&env).unwrap_err().to_string();
        for part in [
            "tresorpay: set TRESORPAY_CLIENT_SECRET (or",
            "; TRESORPAY_SCOPE is blank",
            "; TRESORPAY_ENVIRONMENT: the environment is neither production nor sandbox",
            "; TRESORPAY_TOKEN_URL: ",
        ] {
            assert!(text.contains(part) && !text.contains("CANARY"), "{text}");
        }
    }

    #[test]
    fn the_environment_variables_make_the_flow() {
        let own = "https://sso.example.com/auth/realms/tresorpay/token";
        let endpoint = || Endpoint::parse(own).unwrap();
        for (options, set) in [
            (vec![], flow()),
            (vec![("TRESORPAY_SCOPE", "openid a")], flow().scope(Some("openid a"))),
            (vec![("TRESORPAY_SCOPE", "None")], flow().scope(None)),
            (vec![("TRESORPAY_ENVIRONMENT", "SANDBOX")], flow().environment(Environment::Sandbox)),
            (vec![("TRESORPAY_TOKEN_URL", own)], flow().token_url(endpoint())),
        ] {
            assert!(same(&from_env(&options).unwrap(), &set), "{options:?}");
            assert_eq!(same(&flow(), &set), options.is_empty(), "{options:?}");
        }
    }

    #[test]
    fn an_endpoint_wins_over_the_environment_whichever_was_set_first() {
        let own = "https://sso.example.com/token";
        let endpoint = || Endpoint::parse(own).unwrap();
        for flow in [
            flow().token_url(endpoint()).environment(Environment::Sandbox),
            flow().environment(Environment::Sandbox).token_url(endpoint()),
            from_env(&[("TRESORPAY_TOKEN_URL", own), ("TRESORPAY_ENVIRONMENT", "sandbox")])
                .unwrap(),
        ] {
            assert_eq!(flow.request().unwrap().uri(), own);
        }
    }

    #[test]
    fn each_environment_has_its_token_url() {
        for (environment, host) in [
            (Environment::Production, "auth.finances.ml"),
            (Environment::Sandbox, "recette.auth.finances.ml"),
        ] {
            let url = format!("https://{host}/realms/tresorpay/protocol/openid-connect/token");
            let request = flow().environment(environment).request().unwrap();
            assert_eq!(request.uri(), url.as_str());
        }
    }

    #[test]
    fn a_blank_scope_is_refused() {
        for scope in ["", " ", "a\n"] {
            assert!(flow().scope(Some(scope)).request().is_err(), "{scope:?}");
        }
    }

    #[test]
    fn a_client_at_a_realm_with_a_scope_is_whose_tokens_these_are() {
        let other_secret = Credentials::new("client-0001", "another-secret").unwrap();
        assert_eq!(flow().identity(), TresorPay::new(other_secret).identity());
        let other_client = Credentials::new("client-0002", "made-up-secret").unwrap();
        for other in [
            TresorPay::new(other_client),
            flow().scope(None),
            flow().environment(Environment::Sandbox),
        ] {
            assert_ne!(flow().identity(), other.identity(), "{other:?}");
        }
        let debug = format!("{:?}", flow());
        assert!(!debug.contains("0001") && !debug.contains("made-up"), "{debug}");
    }
}
