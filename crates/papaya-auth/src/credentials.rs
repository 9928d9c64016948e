//! An API key and client secret, validated when made.

use std::borrow::Cow;

use auth_core::secret::Charset;
use auth_core::{Env, EnvReader, Error, ExposeSecret, Scrubber, SecretString};

pub(crate) const PROVIDER: &str = "papaya";

/// A Papaya Global API key and its client secret. `Debug` shows neither.
///
/// ```
/// use papaya_auth::Credentials;
///
/// let credentials = Credentials::new("key-0001", "made-up-secret")?;
/// assert!(!format!("{credentials:?}").contains("0001"));
/// assert!(Credentials::new("key-0001\n", "made-up-secret").is_err());
/// # Ok::<(), papaya_auth::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Credentials {
    pub(crate) api_key: SecretString,
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
        api_key: impl Into<SecretString>,
        client_secret: impl Into<SecretString>,
    ) -> Result<Self, Error> {
        let check = |name, value: SecretString| {
            let checked = Charset::Text.check(name, value);
            checked.map_err(|unfit| Error::from(unfit).with_provider(PROVIDER))
        };
        Ok(Self {
            api_key: check("api_key", api_key.into())?,
            client_secret: check("client_secret", client_secret.into())?,
            origin: Cow::Borrowed("the credentials that the program gave"),
        })
    }

    /// Reads `PAPAYA_API_KEY` and `PAPAYA_CLIENT_SECRET`, or the files that `PAPAYA_API_KEY_FILE`
    /// and `PAPAYA_CLIENT_SECRET_FILE` name.
    ///
    /// # Errors
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) with everything that is missing or wrong, and
    /// no value.
    pub fn from_env() -> Result<Self, Error> {
        Env::process().read(PROVIDER, Self::read)
    }

    pub(crate) fn read(vars: &mut EnvReader<'_>) -> Option<Self> {
        let api_key = vars.required_secret("PAPAYA_API_KEY", Charset::Text);
        let client_secret = vars.required_secret("PAPAYA_CLIENT_SECRET", Charset::Text);
        let origin = vars.origin(&["PAPAYA_API_KEY", "PAPAYA_CLIENT_SECRET"]);
        Some(Self { api_key: api_key?, client_secret: client_secret?, origin: origin.into() })
    }

    /// What errors must not show.
    pub(crate) fn known(&self) -> Scrubber {
        Scrubber::new([self.client_secret.expose_secret()]).with_ids([self.api_key.expose_secret()])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_that_are_pasting_faults_are_refused_by_name() {
        for (key, secret, says) in [
            ("", "s", "api_key is blank"),
            ("k", " ", "client_secret is blank"),
            ("k\n", "s", "api_key has whitespace"),
            ("k", "s\u{0}s", "client_secret holds a control character"),
        ] {
            let error = Credentials::new(key, secret).unwrap_err();
            assert!(error.to_string().contains(says), "{error}");
        }
        assert!(Credentials::new("clé:k", "s\"\\\u{2028}s").is_ok());
    }
}
