//! The flow: merchant id and secret in two headers, a token back.

use auth_core::{
    Endpoint, Env, Error, ExposeSecret, Grant, HttpRequest, Identity, TokenExchange, TokenRequest,
    TokenResponse,
};
use http::HeaderName;

use crate::credentials::{Credentials, PROVIDER};
use crate::expiry::ExpiryUnit;
use crate::wire::{Granted, Refused};

const TOKEN_PATH: &str = "api/v1/auth/token";
const X_MERCHANT_ID: HeaderName = HeaderName::from_static("x-merchant-id");
const X_SECRET: HeaderName = HeaderName::from_static("x-secret");

/// Manis's flow: `POST /api/v1/auth/token` with `x-merchant-id` and `x-secret`.
///
/// ```
/// use manis_auth::{CachedTokenSource, Credentials, Endpoint, Manis};
///
/// let credentials = Credentials::new("merchant-0001", "made-up-secret")?;
/// let flow = Manis::new(credentials, Endpoint::parse("https://manis.example.com")?);
/// let tokens = CachedTokenSource::new(flow)?;
/// assert!(tokens.fresh().is_none()); // nothing is requested before the first `token().await`
/// # Ok::<(), manis_auth::Error>(())
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct Manis {
    credentials: Credentials,
    endpoint: Endpoint,
    token_path: String,
    expiry_unit: ExpiryUnit,
    scheme: Option<String>,
}

impl Manis {
    /// The flow for these credentials at this base URL; the document states none.
    pub fn new(credentials: Credentials, endpoint: Endpoint) -> Self {
        Self {
            credentials,
            endpoint,
            token_path: TOKEN_PATH.to_owned(),
            expiry_unit: ExpiryUnit::default(),
            scheme: None,
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
            let endpoint = vars.required_endpoint("MANIS_BASE_URL", TOKEN_PATH);
            let expiry_unit = vars.optional_parsed("MANIS_EXPIRES_AT_UNIT", str::parse);
            let flow = Self::new(credentials?, endpoint?);
            Some(flow.expiry_unit(expiry_unit.unwrap_or_default()))
        })
    }

    /// The path that is appended to the base URL; `api/v1/auth/token` by default.
    pub fn token_path(mut self, path: impl Into<String>) -> Self {
        self.token_path = path.into();
        self
    }

    /// The unit of `expiresAt`; inferred from its size by default.
    pub fn expiry_unit(mut self, unit: ExpiryUnit) -> Self {
        self.expiry_unit = unit;
        self
    }

    /// The scheme to send before the token, whatever `tokenType` says. By default `Bearer`, and a
    /// token of another type is an error.
    ///
    /// A scheme that is not one word is an error when a source is built.
    pub fn scheme(mut self, scheme: impl Into<String>) -> Self {
        self.scheme = Some(scheme.into());
        self
    }
}

impl TokenExchange for Manis {
    fn provider(&self) -> &'static str {
        PROVIDER
    }

    fn identity(&self) -> Identity {
        let account = self.credentials.merchant_id.expose_secret();
        Identity::new(
            PROVIDER,
            &self.endpoint.join(&self.token_path),
            &[self.scheme.as_deref().unwrap_or_default(), account],
        )
    }

    fn request(&self) -> Result<HttpRequest, Error> {
        let is_word =
            |s: &String| !s.is_empty() && s.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
        if !self.scheme.as_ref().is_none_or(is_word) {
            return Err(Error::config("the scheme is not one word"));
        }
        TokenRequest::post(&self.endpoint.with_path(&self.token_path)?)
            .secret_header(X_MERCHANT_ID, &self.credentials.merchant_id)
            .secret_header(X_SECRET, &self.credentials.secret)
            .empty()
    }

    fn read(&self, response: &TokenResponse) -> Result<Grant, Error> {
        let check = &self.credentials.origin;
        let known = self.credentials.known();
        let granted = auth_core::wire::read::<Granted, Refused>(check, &known, response)?;
        granted.into_grant(self.expiry_unit, self.scheme.as_deref(), response, &known)
    }

    /// The endpoint: the document has one base URL for the token and the API.
    fn api_hosts(&self) -> Vec<Endpoint> {
        vec![self.endpoint.clone()]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use auth_core::ErrorKind;
    use auth_core::Expiry;

    fn flow() -> Manis {
        let credentials = Credentials::new("merchant-0001", "made-up-secret").unwrap();
        Manis::new(credentials, Endpoint::parse("https://manis.example.com/gate").unwrap())
    }

    fn url(flow: &Manis) -> String {
        flow.request().unwrap().uri().to_string()
    }

    fn read(flow: &Manis, body: &'static str) -> Result<Grant, Error> {
        flow.read(&TokenResponse::recorded(200, body))
    }

    #[test]
    fn all_that_is_wrong_with_the_environment_comes_in_one_error() {
        let error =
            Manis::read_env(&Env::from_pairs([("MANIS_EXPIRES_AT_UNIT", "CANARY")])).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config);
        assert_eq!(
            error.message(),
            "set MANIS_MERCHANT_ID (or MANIS_MERCHANT_ID_FILE) and MANIS_SECRET (or MANIS_SECRET_FILE) and MANIS_BASE_URL (or MANIS_BASE_URL_FILE); MANIS_EXPIRES_AT_UNIT: the unit is none of auto, seconds, millis and relative-seconds"
        );
    }

    #[test]
    fn a_url_that_the_document_misprints_is_refused_under_its_variable() {
        for (url, says) in [
            ("https://api/v1/auth/token", "host of one word"),
            ("https:/", "does not begin with https://"),
            ("https://https/api", "has a scheme where its host should be"),
            ("http://manis.example.com", "plain http"),
        ] {
            let env = Env::from_pairs([("MANIS_MERCHANT_ID", "m"), ("MANIS_BASE_URL", url)]);
            let text = Manis::read_env(&env).unwrap_err().to_string();
            let start = "manis: set MANIS_SECRET (or MANIS_SECRET_FILE); MANIS_BASE_URL: ";
            assert!(text.starts_with(start) && text.contains(says), "{url}: {text}");
        }
    }

    #[test]
    fn the_environment_variables_make_the_flow() {
        let both = [
            ("MANIS_MERCHANT_ID", "m"),
            ("MANIS_SECRET", "s"),
            ("MANIS_BASE_URL", "https://manis.example.com"),
        ];
        for (name, unit) in [
            ("", ExpiryUnit::Auto),
            ("AUTO", ExpiryUnit::Auto),
            ("seconds", ExpiryUnit::Seconds),
            ("Millis", ExpiryUnit::Millis),
            ("relative-seconds", ExpiryUnit::RelativeSeconds),
            ("relative", ExpiryUnit::RelativeSeconds),
        ] {
            let env = Env::from_pairs(both.into_iter().chain([("MANIS_EXPIRES_AT_UNIT", name)]));
            let flow = Manis::read_env(&env).unwrap();
            assert_eq!(flow.expiry_unit, unit, "{name}");
            assert_eq!(url(&flow), "https://manis.example.com/api/v1/auth/token");
        }
    }

    #[test]
    fn the_path_is_appended_to_the_base_url() {
        assert_eq!(url(&flow()), "https://manis.example.com/gate/api/v1/auth/token");
        let other = flow().token_path("/v1/auth/token");
        assert_eq!(url(&other), "https://manis.example.com/gate/v1/auth/token");
    }

    #[test]
    fn a_merchant_at_a_url_under_a_scheme_is_whose_tokens_these_are() {
        let identity = flow().identity();
        assert_eq!(identity, flow().expiry_unit(ExpiryUnit::Millis).identity());
        assert_ne!(identity, flow().token_path("test/token").identity());
        assert_ne!(identity, flow().scheme("JWT").identity());
    }

    #[test]
    fn both_headers_are_marked_sensitive() {
        let request = flow().request().unwrap();
        for name in [X_MERCHANT_ID, X_SECRET] {
            assert!(request.headers()[&name].is_sensitive(), "{name}");
        }
        assert!(!format!("{request:?} {:?}", flow()).contains("0001"));
    }

    #[test]
    fn an_expiry_that_is_not_believed_is_remarked_upon() {
        for (body, notes) in [
            (r#"{"token":"t","tokenType":"Bearer","expiresAt":1767229200}"#, 0),
            (r#"{"token":"t","tokenType":"Bearer","expiresAt":"1767229200.9"}"#, 0),
            (r#"{"token":"t","tokenType":"Bearer","expiresAt":4102444800}"#, 1),
            (r#"{"token":"t","tokenType":"Bearer","expiresAt":"2026-01-01T01:00:00Z"}"#, 1),
            (r#"{"token":"t","tokenType":"Bearer","expiresAt":null}"#, 1),
            (r#"{"token":"t","tokenType":"Bearer"}"#, 1),
        ] {
            let grant = read(&flow(), body).unwrap();
            assert_eq!(grant.warnings().len(), notes, "{body}");
            assert_eq!(grant.expiry() == Expiry::Unknown, notes == 1, "{body}");
        }
    }

    #[test]
    fn another_token_type_is_an_error_that_names_it_unless_a_scheme_is_set() {
        let jwt = r#"{"token":"t","tokenType":"JWT","expiresAt":60}"#;
        let none = r#"{"token":"t","expiresAt":60}"#;
        let lower = r#"{"token":"t","tokenType":"bearer","expiresAt":60}"#;
        assert_eq!(read(&flow(), lower).unwrap().scheme(), "Bearer");
        for (body, says) in [(jwt, "\"JWT\""), (none, "no token type")] {
            let error = read(&flow(), body).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Protocol);
            let text = error.message();
            assert!(text.contains(says) && text.ends_with("set .scheme(..)"), "{text}");
        }
        for body in [jwt, none, lower] {
            assert_eq!(read(&flow().scheme("JWT"), body).unwrap().scheme(), "JWT");
        }
        for scheme in ["", "two words", "J\r\nWT", "é"] {
            let error = flow().scheme(scheme).request().unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Config, "{scheme:?}");
        }
    }
}
