//! The flow: client credentials as JSON, a bearer token back.

use std::time::Duration;

use auth_core::oauth2::Granted;
use auth_core::secret::Charset;
use auth_core::{
    BodyValue, CachedTokenSource, Endpoint, Env, Error, ExposeSecret, Grant, HttpRequest, Identity,
    RefreshPolicy, SharedTokenSource, TokenExchange, TokenRequest, TokenResponse,
};

use crate::credentials::{
    Credentials, DOCUMENTED, PROVIDER, PersonalAccessToken, TOKEN_PATH, api_hosts,
};
use crate::wire::Refused;

/// How long a token is kept by default, so that a rotated secret is noticed.
const A_DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// Digishare's flow: `POST /v1/oauth/token` with client credentials as JSON.
///
/// ```
/// use digishare_auth::{CachedTokenSource, Credentials, Digishare};
///
/// let credentials = Credentials::new("client-0001", "made-up-secret")?;
/// let flow = Digishare::new(credentials).scope("campaigns:read");
/// let tokens = CachedTokenSource::new(flow)?;
/// assert!(tokens.fresh().is_none()); // nothing is requested before the first `token().await`
/// # Ok::<(), digishare_auth::Error>(())
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct Digishare {
    credentials: Credentials,
    scope: Option<String>,
    body_format: BodyFormat,
    endpoint: Endpoint,
}

/// The format of the token request's body.
///
/// ```
/// use digishare_auth::{BodyFormat, Credentials, Digishare, TokenExchange};
///
/// let credentials = Credentials::new("client-0001", "made-up-secret")?;
/// let flow = Digishare::new(credentials);
/// assert_eq!(flow.request()?.headers()["content-type"], "application/json");
/// let flow = flow.body_format(BodyFormat::Form);
/// assert_eq!(flow.request()?.headers()["content-type"], "application/x-www-form-urlencoded");
/// # Ok::<(), digishare_auth::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum BodyFormat {
    /// `application/json`: what the document shows.
    #[default]
    Json,
    /// `application/x-www-form-urlencoded`: what RFC 6749 section 4.4.2 requires. Passport 10, 12 and
    /// 13 accept it.
    Form,
}

impl Digishare {
    /// The flow for these credentials.
    pub fn new(credentials: Credentials) -> Self {
        Self { credentials, scope: None, body_format: BodyFormat::default(), endpoint: DOCUMENTED }
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
            let scope = vars.optional_text("DIGISHARE_SCOPE", Charset::Text);
            let endpoint = vars.optional_endpoint("DIGISHARE_BASE_URL", TOKEN_PATH);
            Some(Self {
                credentials: credentials?,
                scope,
                body_format: BodyFormat::default(),
                endpoint: endpoint.unwrap_or(DOCUMENTED),
            })
        })
    }

    /// The scope to request, several separated by spaces; none by default, since the document
    /// mentions none.
    pub fn scope(mut self, scope: impl Into<String>) -> Self {
        self.scope = Some(scope.into());
        self
    }

    /// The format of the request's body; JSON by default.
    pub fn body_format(mut self, format: BodyFormat) -> Self {
        self.body_format = format;
        self
    }

    /// The base URL that `/v1/oauth/token` is appended to; `https://api.digishare.ma` by default.
    pub fn endpoint(mut self, endpoint: Endpoint) -> Self {
        self.endpoint = endpoint;
        self
    }
}

impl TokenExchange for Digishare {
    fn provider(&self) -> &'static str {
        PROVIDER
    }

    fn identity(&self) -> Identity {
        let account = self.credentials.client_id.expose_secret();
        let scope = self.scope.as_deref().unwrap_or_default();
        Identity::new(PROVIDER, &self.endpoint, &[scope, account])
    }

    fn request(&self) -> Result<HttpRequest, Error> {
        let scope = self.scope.as_deref().map(proved).transpose()?;
        let mut fields: Vec<(&str, BodyValue<'_>)> = vec![
            ("grant_type", "client_credentials".into()),
            ("client_id", (&self.credentials.client_id).into()),
            ("client_secret", (&self.credentials.client_secret).into()),
        ];
        fields.extend(scope.as_deref().map(|scope| ("scope", scope.into())));
        let request = TokenRequest::post(&self.endpoint.with_path(TOKEN_PATH)?);
        match self.body_format {
            BodyFormat::Json => request.json(&fields),
            BodyFormat::Form => request.form(&fields),
        }
    }

    fn read(&self, response: &TokenResponse) -> Result<Grant, Error> {
        let check = &self.credentials.origin;
        let known = self.credentials.known();
        auth_core::wire::read::<Granted, Refused>(check, &known, response)?.into_grant(&known)
    }

    /// The endpoint and, with the documented one, the host of the live-chat events (G9).
    fn api_hosts(&self) -> Vec<Endpoint> {
        api_hosts(self.endpoint.clone())
    }

    /// Keeps a token for a day at most: it lives for a year, and a rotated secret should be noticed.
    fn refresh_policy(&self) -> RefreshPolicy {
        RefreshPolicy::default().max_age(A_DAY)
    }
}

/// Checks that the scope can be sent unchanged.
fn proved(scope: &str) -> Result<String, Error> {
    Charset::Text.check("the scope", scope)?;
    Ok(scope.to_owned())
}

/// A source from the environment: `DIGISHARE_PERSONAL_ACCESS_TOKEN`, or `DIGISHARE_CLIENT_ID` and
/// `DIGISHARE_CLIENT_SECRET` with the options that the crate's front page lists. A fetched token is
/// kept for a day at most; files that the variables name are read anew for each exchange.
///
/// ```no_run
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), digishare_auth::Error> {
/// let tokens = digishare_auth::source_from_env()?; // once, at start-up
/// let token = tokens.token().await?;               // before each call
/// # Ok(()) }
/// ```
///
/// # Errors
/// [`ErrorKind::Config`](crate::ErrorKind::Config) where both are set, or neither, or one
/// is incomplete; and, as for [`CachedTokenSource::new`], where there is no HTTP client.
pub fn source_from_env() -> Result<SharedTokenSource, Error> {
    source_read_env(&Env::process())
}

/// As [`source_from_env`], from variables of your own.
///
/// ```
/// use digishare_auth::{Env, source_read_env};
///
/// let pasted = Env::from_pairs([("DIGISHARE_PERSONAL_ACCESS_TOKEN", "made-up-token")]);
/// assert!(source_read_env(&pasted)?.fresh().is_some());
///
/// let half = Env::from_pairs([("DIGISHARE_CLIENT_ID", "client-0001")]);
/// let error = source_read_env(&half).unwrap_err();
/// assert!(error.to_string().contains("set DIGISHARE_CLIENT_SECRET"));
/// # Ok::<(), digishare_auth::Error>(())
/// ```
///
/// # Errors
/// As for `source_from_env`.
pub fn source_read_env(env: &Env) -> Result<SharedTokenSource, Error> {
    let is_pasted = env.any_set(&["DIGISHARE_PERSONAL_ACCESS_TOKEN"]);
    let is_fetched = env.any_set(&["DIGISHARE_CLIENT_ID", "DIGISHARE_CLIENT_SECRET"]);
    let fault = |text| Err(env.fault(PROVIDER, text));
    match (is_pasted, is_fetched) {
        (true, true) => fault(
            "DIGISHARE_PERSONAL_ACCESS_TOKEN is set beside DIGISHARE_CLIENT_ID or DIGISHARE_CLIENT_SECRET: unset one of the two ways",
        ),
        (false, false) => fault(
            "set DIGISHARE_PERSONAL_ACCESS_TOKEN, or DIGISHARE_CLIENT_ID and DIGISHARE_CLIENT_SECRET (or one of them with _FILE)",
        ),
        (true, false) => Ok(PersonalAccessToken::read_env(env)?.into_source().into()),
        (false, true) => {
            let built = CachedTokenSource::rereading(env.clone(), Digishare::read_env)?;
            built.build().map(SharedTokenSource::new)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: (&str, &str) = ("DIGISHARE_CLIENT_ID", "client-0001");
    const SECRET: (&str, &str) = ("DIGISHARE_CLIENT_SECRET", "made-up-secret");
    const PASTED: (&str, &str) = ("DIGISHARE_PERSONAL_ACCESS_TOKEN", "made-up-token");

    fn flow() -> Digishare {
        Digishare::new(Credentials::new("client-0001", "made-up-secret").unwrap())
    }

    #[test]
    fn all_that_is_wrong_with_the_environment_comes_in_one_error() {
        let env =
            Env::from_pairs([ID, ("DIGISHARE_BASE_URL", "http://x"), ("DIGISHARE_SCOPE", " ")]);
        let text = Digishare::read_env(&env).unwrap_err().to_string();
        for part in [
            "digishare: set DIGISHARE_CLIENT_SECRET (or",
            "; DIGISHARE_SCOPE is blank",
            "; DIGISHARE_BASE_URL: ",
        ] {
            assert!(text.contains(part), "{text}");
        }
    }

    #[test]
    fn the_environment_variables_make_the_flow() {
        let options =
            [("DIGISHARE_SCOPE", "a b"), ("DIGISHARE_BASE_URL", "https://dev.api.digishare.ma")];
        let env = Env::from_pairs([ID, SECRET].into_iter().chain(options));
        let request = Digishare::read_env(&env).unwrap().request().unwrap();
        let url = "https://dev.api.digishare.ma/v1/oauth/token";
        assert_eq!(request.uri(), url);
        let set =
            flow().scope("a b").endpoint(Endpoint::parse("https://dev.api.digishare.ma").unwrap());
        assert_eq!(request.body(), set.request().unwrap().body());
        assert_eq!(Digishare::read_env(&env).unwrap().identity(), set.identity());
        assert_ne!(set.identity(), flow().identity());
    }

    #[test]
    fn the_default_endpoint_is_the_documented_one() {
        let url = "https://api.digishare.ma/v1/oauth/token";
        assert_eq!(flow().request().unwrap().uri(), url);
    }

    #[test]
    fn a_blank_scope_is_refused() {
        for scope in ["", " ", "a\n"] {
            assert!(flow().scope(scope).request().is_err(), "{scope:?}");
        }
    }

    #[test]
    fn one_way_to_authenticate_is_taken_and_two_or_none_are_named() {
        for (pairs, says) in [
            (vec![], "set DIGISHARE_PERSONAL_ACCESS_TOKEN, or DIGISHARE_CLIENT_ID and"),
            (vec![PASTED, ID, SECRET], "DIGISHARE_PERSONAL_ACCESS_TOKEN is set beside"),
            (vec![PASTED, SECRET], "DIGISHARE_PERSONAL_ACCESS_TOKEN is set beside"),
            (vec![ID], "set DIGISHARE_CLIENT_SECRET (or"),
        ] {
            let error = source_read_env(&Env::from_pairs(pairs)).unwrap_err();
            assert_eq!(error.kind(), auth_core::ErrorKind::Config);
            let text = error.to_string();
            assert!(text.starts_with("digishare: ") && text.contains(says), "{text}");
        }
        let pasted = source_read_env(&Env::from_pairs([PASTED])).unwrap();
        assert_eq!(pasted.fresh().unwrap().authorization(), "Bearer made-up-token");
        let fetched = source_read_env(&Env::from_pairs([ID, SECRET])).unwrap();
        assert!(fetched.fresh().is_none());
    }

    #[test]
    fn a_client_at_a_host_with_a_scope_is_whose_tokens_these_are() {
        let flow = || Digishare::new(Credentials::new("client-0001", "made-up-secret").unwrap());
        let other_secret = Credentials::new("client-0001", "another-secret").unwrap();
        assert_eq!(flow().identity(), Digishare::new(other_secret).identity());
        let other_client = Credentials::new("client-0002", "made-up-secret").unwrap();
        let host = Endpoint::parse("https://pay.example.com").unwrap();
        for other in [Digishare::new(other_client), flow().scope("a"), flow().endpoint(host)] {
            assert_ne!(flow().identity(), other.identity(), "{other:?}");
        }
        let debug = format!("{:?}", flow());
        assert!(!debug.contains("0001") && !debug.contains("made-up"), "{debug}");
    }
}
