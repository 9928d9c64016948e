//! The flow: key and secret in a JSON body, a bearer token back.

use std::time::Duration;

use auth_core::secret::Charset;
use auth_core::{
    BodyValue, Endpoint, Env, Error, ExposeSecret, Grant, HttpRequest, Identity, RefreshPolicy,
    RetryPolicy, TokenExchange, TokenRequest, TokenResponse,
};

use crate::credentials::{Credentials, PROVIDER};
use crate::wire::{Granted, Refused};

const STAGING: Endpoint =
    Endpoint::from_static("https://authentication-service.staging.pay.papayaglobal.work");
const TOKEN_PATH: &str = "token";
const NO_PRODUCTION: &str =
    "no production host is documented: ask Papaya for it and set PAPAYA_BASE_URL";
const NOWHERE: &str = "no place to ask is set: set PAPAYA_ENVIRONMENT=staging, or the URL that Papaya gave you as PAPAYA_BASE_URL";
/// A token's documented lifetime.
const A_DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// Papaya Global's flow: `POST /token` with key and secret in a JSON body.
///
/// The document states a [staging](Self::staging) host and no other. For production, ask Papaya for the
/// URL and pass it to [`new`](Self::new).
///
/// ```
/// use papaya_auth::{CachedTokenSource, Credentials, Papaya};
///
/// let credentials = Credentials::new("key-0001", "made-up-secret")?;
/// let flow = Papaya::staging(credentials);
/// let tokens = CachedTokenSource::new(flow)?;
/// assert!(tokens.fresh().is_none()); // nothing is requested before the first `token().await`
/// # Ok::<(), papaya_auth::Error>(())
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct Papaya {
    credentials: Credentials,
    endpoint: Endpoint,
    token_name: Option<String>,
}

impl Papaya {
    /// The flow for these credentials at this base URL; `/token` is appended to it.
    pub fn new(credentials: Credentials, endpoint: Endpoint) -> Self {
        Self { credentials, endpoint, token_name: None }
    }

    /// The flow for these credentials in staging, the one host that the document states.
    pub fn staging(credentials: Credentials) -> Self {
        Self::new(credentials, STAGING)
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
            let known = vars.optional_parsed("PAPAYA_ENVIRONMENT", known_host);
            let endpoint = vars.optional_endpoint("PAPAYA_BASE_URL", TOKEN_PATH);
            let endpoint = endpoint.or_else(|| known.clone().flatten());
            if endpoint.is_none() && !env.any_set(&["PAPAYA_BASE_URL", "PAPAYA_BASE_URL_INTERNAL"])
            {
                let fault = match known {
                    Some(_) => Some(NO_PRODUCTION),
                    None if env.any_set(&["PAPAYA_ENVIRONMENT"]) => None, // reported already
                    None => Some(NOWHERE),
                };
                vars.keep(fault.map_or(Ok(()), |text| Err(Error::config(text))));
            }
            let token_name = vars.optional_text("PAPAYA_TOKEN_NAME", Charset::Text);
            Some(Self { credentials: credentials?, endpoint: endpoint?, token_name })
        })
    }

    /// The name under which Papaya keeps each token; unless it is set, Papaya picks a random UUID.
    ///
    /// The document does not say what happens to two tokens of one name: give each replica its own.
    /// A name that is blank, has whitespace at its start or end, or holds control characters is an
    /// error when a source is built.
    pub fn token_name(mut self, name: impl Into<String>) -> Self {
        self.token_name = Some(name.into());
        self
    }
}

/// The documented host of an environment, if there is one.
fn known_host(environment: &str) -> Result<Option<Endpoint>, Error> {
    match environment.to_ascii_lowercase().as_str() {
        "staging" => Ok(Some(STAGING)),
        "production" => Ok(None),
        _ => Err(Error::config("the environment is neither staging nor production")),
    }
}

impl TokenExchange for Papaya {
    fn provider(&self) -> &'static str {
        PROVIDER
    }

    fn identity(&self) -> Identity {
        // The host tells the environments apart.
        Identity::new(PROVIDER, &self.endpoint, &[self.credentials.api_key.expose_secret()])
    }

    fn request(&self) -> Result<HttpRequest, Error> {
        let name = match self.token_name.as_deref() {
            Some(name) => Some(Charset::Text.check("token_name", name)?),
            None => None,
        };
        let mut fields: Vec<(&str, BodyValue<'_>)> = vec![
            ("api_key", (&self.credentials.api_key).into()),
            ("client_secret", (&self.credentials.client_secret).into()),
        ];
        if let Some(name) = &name {
            fields.push(("token_name", name.into()));
        }
        TokenRequest::post(&self.endpoint.with_path(TOKEN_PATH)?).json(&fields)
    }

    fn read(&self, response: &TokenResponse) -> Result<Grant, Error> {
        let check = format!(
            "{}, and that they are this environment's (a missing field may be answered alike)",
            self.credentials.origin
        );
        let known = self.credentials.known();
        auth_core::wire::read::<Granted, Refused>(&check, &known, response)?.into_grant()
    }

    /// The endpoint alone: the document does not name the host of the API.
    fn api_hosts(&self) -> Vec<Endpoint> {
        vec![self.endpoint.clone()]
    }

    /// Keeps a token for a day at most, as documented: a later expiry comes from a wrong clock.
    fn refresh_policy(&self) -> RefreshPolicy {
        RefreshPolicy::default().max_age(A_DAY)
    }

    /// Two attempts, and no retry of a request that got no response: Papaya creates a named token for
    /// each request it receives.
    fn retry_policy(&self) -> RetryPolicy {
        RetryPolicy::default().max_attempts(2).resend_unanswered(false)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use auth_core::{ErrorKind, Expiry};

    fn flow() -> Papaya {
        Papaya::staging(Credentials::new("key-0001", "made-up-secret").unwrap())
    }

    fn url(flow: Papaya) -> String {
        flow.request().unwrap().uri().to_string()
    }

    #[test]
    fn a_token_is_kept_for_a_day_at_most() {
        assert_eq!(flow().refresh_policy(), RefreshPolicy::default().max_age(A_DAY));
    }

    #[test]
    fn all_that_is_wrong_with_the_environment_comes_in_one_error() {
        for (pairs, parts) in [
            (
                vec![],
                vec![
                    "papaya: set PAPAYA_API_KEY (or PAPAYA_API_KEY_FILE) and PAPAYA_CLIENT_SECRET (or",
                    "; no place to ask is set: set ",
                    "PAPAYA_ENVIRONMENT=staging",
                    "PAPAYA_BASE_URL",
                ],
            ),
            (
                vec![
                    ("PAPAYA_API_KEY", "k"),
                    ("PAPAYA_ENVIRONMENT", "CANARY"),
                    ("PAPAYA_TOKEN_NAME", "a\nb"),
                ],
                vec![
                    "papaya: set PAPAYA_CLIENT_SECRET (or",
                    "; PAPAYA_ENVIRONMENT: the environment is neither staging nor production",
                    "; PAPAYA_TOKEN_NAME holds a control character",
                ],
            ),
            (
                vec![("PAPAYA_ENVIRONMENT", "production"), ("PAPAYA_API_KEY", "k")],
                vec!["; no production host is documented: ask Papaya for it and set "],
            ),
            (
                vec![("PAPAYA_BASE_URL", "http://x"), ("PAPAYA_API_KEY", "k")],
                vec!["; PAPAYA_BASE_URL: "],
            ),
        ] {
            let error = Papaya::read_env(&Env::from_pairs(pairs.clone())).unwrap_err();
            let text = error.to_string();
            assert_eq!(error.kind(), ErrorKind::Config);
            for part in parts {
                assert!(text.contains(part), "{part}: {text}");
            }
            assert!(!text.contains("CANARY"), "{text}");
            let set = pairs
                .iter()
                .any(|(name, _)| *name == "PAPAYA_ENVIRONMENT" || *name == "PAPAYA_BASE_URL");
            assert_eq!(text.contains("no place to ask"), !set, "{text}");
        }
    }

    #[test]
    fn the_environment_variables_make_the_flow() {
        let made = |more: &[(&str, &str)]| {
            let both = [("PAPAYA_API_KEY", "k"), ("PAPAYA_CLIENT_SECRET", "s")];
            Papaya::read_env(&Env::from_pairs(both.iter().chain(more).copied())).unwrap()
        };
        let staging = made(&[("PAPAYA_ENVIRONMENT", "STAGING"), ("PAPAYA_TOKEN_NAME", "r-1")]);
        let body = staging.request().unwrap().into_body();
        assert_eq!(body, r#"{"api_key":"k","client_secret":"s","token_name":"r-1"}"#);
        assert_eq!(
            url(staging),
            "https://authentication-service.staging.pay.papayaglobal.work/token"
        );
        let own = ("PAPAYA_BASE_URL", "https://pay.example.com/base");
        for more in [&[own][..], &[own, ("PAPAYA_ENVIRONMENT", "production")]] {
            assert_eq!(url(made(more)), "https://pay.example.com/base/token");
        }
    }

    #[test]
    fn a_token_name_that_is_a_pasting_fault_is_refused_before_anything_is_sent() {
        for name in ["", " ", "a\n", "a\u{0}b"] {
            let flow = flow().token_name(name);
            let error = flow.request().unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Config);
            assert!(error.to_string().contains("token_name"), "{error}");
        }
    }

    #[test]
    fn a_valid_until_that_is_not_read_is_remarked_upon() {
        for (body, notes) in [
            (r#"{"token":"t","valid_until":"2024-07-11T07:48Z"}"#, 0),
            (r#"{"token":"t","valid_until":"2024-07-11T07:48"}"#, 1),
            (r#"{"token":"t","valid_until":1720684080}"#, 1),
            (r#"{"token":"t","valid_until":null}"#, 1),
            (r#"{"token":"t"}"#, 1),
        ] {
            let grant = flow().read(&TokenResponse::recorded(200, body)).unwrap();
            assert_eq!(grant.warnings().len(), notes, "{body}");
            assert_eq!(grant.expiry() == Expiry::Unknown, notes == 1, "{body}");
        }
    }

    #[test]
    fn a_key_at_a_host_is_whose_tokens_these_are() {
        let staging = flow();
        let named = staging.clone().token_name("replica-1");
        assert_eq!(staging.identity(), named.identity());
        let elsewhere = Endpoint::parse("https://pay.example.com").unwrap();
        let elsewhere = Papaya::new(staging.credentials.clone(), elsewhere);
        assert_ne!(staging.identity(), elsewhere.identity());
        let debug = format!("{staging:?}");
        assert!(debug.contains("staging") && !debug.contains("0001") && !debug.contains("made-up"));
    }
}
