//! A client id and secret, or a personal access token; validated when made.

use std::borrow::Cow;
use std::fmt;

use auth_core::secret::Charset;
use auth_core::{
    Endpoint, Env, EnvReader, Error, ExposeSecret, Scrubber, SecretString, StaticTokenSource,
};

pub(crate) const PROVIDER: &str = "digishare";
pub(crate) const DOCUMENTED: Endpoint = Endpoint::from_static("https://api.digishare.ma");
/// The second API host, on the pages about live chat.
const EVENTS: Endpoint = Endpoint::from_static("https://api-app.digishare.ma");
pub(crate) const TOKEN_PATH: &str = "v1/oauth/token";

/// A Digishare client's id and its secret. `Debug` shows neither.
///
/// ```
/// use digishare_auth::Credentials;
///
/// let credentials = Credentials::new("client-0001", "made-up-secret")?;
/// assert!(!format!("{credentials:?}").contains("0001"));
/// assert!(Credentials::new("client-0001", "made-up-secret\n").is_err());
/// # Ok::<(), digishare_auth::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Credentials {
    pub(crate) client_id: SecretString,
    pub(crate) client_secret: SecretString,
    /// What to check if they are rejected.
    pub(crate) origin: Cow<'static, str>,
}

impl Credentials {
    /// Checks the two values.
    ///
    /// # Errors
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) where one is blank, has whitespace at its
    /// start or end, or holds control characters. Values are never shown.
    pub fn new(
        client_id: impl Into<SecretString>,
        client_secret: impl Into<SecretString>,
    ) -> Result<Self, Error> {
        let check = |name, value: SecretString| {
            let checked = Charset::Text.check(name, value);
            checked.map_err(|unfit| Error::from(unfit).with_provider(PROVIDER))
        };
        Ok(Self {
            client_id: check("client_id", client_id.into())?,
            client_secret: check("client_secret", client_secret.into())?,
            origin: Cow::Borrowed("the credentials that the program gave"),
        })
    }

    /// Reads `DIGISHARE_CLIENT_ID` and `DIGISHARE_CLIENT_SECRET`, or the files that
    /// `DIGISHARE_CLIENT_ID_FILE` and `DIGISHARE_CLIENT_SECRET_FILE` name.
    ///
    /// # Errors
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) with everything that is missing or wrong, and
    /// no value.
    pub fn from_env() -> Result<Self, Error> {
        Env::process().read(PROVIDER, Self::read)
    }

    pub(crate) fn read(vars: &mut EnvReader<'_>) -> Option<Self> {
        let client_id = vars.required_secret("DIGISHARE_CLIENT_ID", Charset::Text);
        let client_secret = vars.required_secret("DIGISHARE_CLIENT_SECRET", Charset::Text);
        let origin = vars.origin(&["DIGISHARE_CLIENT_ID", "DIGISHARE_CLIENT_SECRET"]);
        Some(Self { client_id: client_id?, client_secret: client_secret?, origin: origin.into() })
    }

    /// What errors must not show. Passport's ids are numbers or UUIDs and not secret (RFC 6749
    /// section 2.2); anything else in the id's place may be the secret, swapped with the id, and a
    /// database error would quote it.
    pub(crate) fn known(&self) -> Scrubber {
        let (id, secret) = (self.client_id.expose_secret(), self.client_secret.expose_secret());
        let is_number = id.bytes().all(|byte| byte.is_ascii_digit());
        let is_uuid = id.len() == 36 && id.bytes().all(|b| b == b'-' || b.is_ascii_hexdigit());
        if is_number || is_uuid {
            Scrubber::new([secret]).with_ids([id])
        } else {
            Scrubber::new([secret, id])
        }
    }
}

/// A token from Digishare's dashboard (Paramètres > Jetons d'accès personnels), which shows it
/// once. It is never fetched and never refreshed; `Debug` does not show it.
///
/// ```
/// use digishare_auth::{PersonalAccessToken, SharedTokenSource};
///
/// let token = PersonalAccessToken::new("made-up-token")?;
/// assert_eq!(format!("{token:?}"), "PersonalAccessToken([redacted])");
/// let tokens: SharedTokenSource = token.into_source().into();
/// assert!(tokens.fresh().is_some());
/// # Ok::<(), digishare_auth::Error>(())
/// ```
#[derive(Clone)]
pub struct PersonalAccessToken(StaticTokenSource);

impl PersonalAccessToken {
    /// Checks the token.
    ///
    /// # Errors
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) where it is blank, longer than 16 KiB, or
    /// holds whitespace or other characters that a token cannot contain. Leave out `Bearer`. The
    /// token is never shown.
    pub fn new(token: impl Into<SecretString>) -> Result<Self, Error> {
        let made = Self::named("personal_access_token", token, DOCUMENTED);
        made.map_err(|error| error.with_provider(PROVIDER))
    }

    /// Reads `DIGISHARE_PERSONAL_ACCESS_TOKEN`, or the file that
    /// `DIGISHARE_PERSONAL_ACCESS_TOKEN_FILE` names; and `DIGISHARE_BASE_URL`, the API that takes it.
    ///
    /// # Errors
    /// [`ErrorKind::Config`](crate::ErrorKind::Config), as for [`new`](Self::new), and where the
    /// variable is not set.
    pub fn from_env() -> Result<Self, Error> {
        Self::read_env(&Env::process())
    }

    pub(crate) fn read_env(env: &Env) -> Result<Self, Error> {
        const NAME: &str = "DIGISHARE_PERSONAL_ACCESS_TOKEN";
        env.read(PROVIDER, |vars| {
            let token = vars.required_secret(NAME, Charset::Header);
            let endpoint = vars.optional_endpoint("DIGISHARE_BASE_URL", TOKEN_PATH);
            vars.keep(Self::named(NAME, token?, endpoint.unwrap_or(DOCUMENTED)))
        })
    }

    fn named(
        name: &str,
        token: impl Into<SecretString>,
        endpoint: Endpoint,
    ) -> Result<Self, Error> {
        let token = Charset::Header.check(name, token)?;
        let source = StaticTokenSource::bearer(token).map_err(|_| {
            Error::config(format!(
                "{name} is longer than 16 KiB, or holds a character that no token holds"
            ))
        })?;
        Ok(Self(api_hosts(endpoint).into_iter().fold(source, StaticTokenSource::api_host)))
    }

    /// The source that hands it out.
    #[must_use]
    pub fn into_source(self) -> StaticTokenSource {
        self.0
    }
}

impl fmt::Debug for PersonalAccessToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PersonalAccessToken([redacted])")
    }
}

/// The API at an endpoint.
pub(crate) fn api_hosts(endpoint: Endpoint) -> Vec<Endpoint> {
    let events = (endpoint == DOCUMENTED).then_some(EVENTS);
    [endpoint].into_iter().chain(events).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use auth_core::TokenSource as _;

    #[test]
    fn an_id_that_is_no_id_is_scrubbed_as_the_secret_that_it_may_be() {
        let scrubbed = |id: &str, text: &str| {
            let credentials = Credentials::new(id, "made-up-secret-1").unwrap();
            credentials.known().scrub(text)
        };
        let swapped = "4fGh7JkL9mNp2QrS";
        assert_eq!(
            scrubbed(swapped, r#"invalid input syntax for uuid: "4fGh7JkL9mNp2QrS""#),
            r#"invalid input syntax for uuid: "[redacted]""#
        );
        assert_eq!(scrubbed("7", "7 errors"), "7 errors");
        let uuid = "9d3c2b1a-0000-4000-8000-00c0ffee0000";
        assert_eq!(scrubbed(uuid, "4000 errors"), "4000 errors");
    }

    #[test]
    fn values_that_a_paste_has_spoilt_are_refused_by_name() {
        for (id, secret, says) in [
            ("", "s", "client_id is blank"),
            ("c", " ", "client_secret is blank"),
            ("c\n", "s", "client_id has whitespace"),
            ("c", "s\u{0}s", "client_secret holds a control character"),
        ] {
            let error = Credentials::new(id, secret).unwrap_err();
            assert!(error.to_string().contains(says), "{error}");
        }
        assert!(Credentials::new("3", "a&b=c+d%e fé").is_ok());
    }

    #[test]
    fn a_token_that_a_paste_has_spoilt_is_refused_and_never_shown() {
        for (token, says) in [
            ("", "is blank"),
            ("CANARY\n", "has whitespace"),
            ("Bearer CANARY", "holds a space"),
            ("{CANARY}", "holds a character that no token holds"),
        ] {
            let error = PersonalAccessToken::new(token).unwrap_err();
            let text = format!("{error} {error:?}");
            assert!(text.contains("personal_access_token"), "{text}");
            assert!(text.contains(says) && !text.contains("CANARY"), "{text}");
        }
    }

    #[test]
    fn a_pasted_token_is_handed_out_as_it_is_and_survives_a_stray_401() {
        let env = Env::from_pairs([("DIGISHARE_PERSONAL_ACCESS_TOKEN", "made-up|token")]);
        let source = PersonalAccessToken::read_env(&env).unwrap().into_source();
        let token = source.fresh().unwrap();
        assert_eq!(token.authorization(), "Bearer made-up|token");
        assert_eq!(token.expires_at(), None);
        source.invalidate(&token);
        assert!(source.fresh().is_some());
    }

    #[test]
    fn a_missing_token_is_named() {
        let error = PersonalAccessToken::read_env(&Env::from_pairs([("", "")])).unwrap_err();
        assert_eq!(
            error.message(),
            "set DIGISHARE_PERSONAL_ACCESS_TOKEN (or DIGISHARE_PERSONAL_ACCESS_TOKEN_FILE)"
        );
    }
}
