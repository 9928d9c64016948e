//! An API key and secret, validated when made.

use std::borrow::Cow;

use auth_core::secret::Charset;
use auth_core::{Env, EnvReader, Error, ExposeSecret, Scrubber, SecretString};

pub(crate) const PROVIDER: &str = "digitalpaye";

/// A Digitalpaye API key and its secret. `Debug` shows neither.
///
/// ```
/// use digitalpaye_auth::Credentials;
///
/// let credentials = Credentials::new("key-0001", "made-up-secret")?;
/// assert!(!format!("{credentials:?}").contains("0001"));
/// assert!(Credentials::new("key:0001", "made-up-secret").is_err());
/// # Ok::<(), digitalpaye_auth::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Credentials {
    pub(crate) api_key: SecretString,
    pub(crate) api_secret: SecretString,
    /// What to check if they are rejected.
    pub(crate) origin: Cow<'static, str>,
}

impl Credentials {
    /// Checks the two values.
    ///
    /// # Errors
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) where one is blank, has whitespace at its
    /// start or end, or holds control characters, or where the key holds a colon: Basic
    /// authentication splits there (RFC 7617 section 2). Values are never shown.
    pub fn new(
        api_key: impl Into<SecretString>,
        api_secret: impl Into<SecretString>,
    ) -> Result<Self, Error> {
        let check = |name, value: SecretString| {
            let checked = Charset::Text.check(name, value);
            checked.map_err(|unfit| Error::from(unfit).with_provider(PROVIDER))
        };
        let api_key = without_colon("api_key", check("api_key", api_key.into())?);
        Ok(Self {
            api_key: api_key.map_err(|error| error.with_provider(PROVIDER))?,
            api_secret: check("api_secret", api_secret.into())?,
            origin: Cow::Borrowed("the credentials that the program gave"),
        })
    }

    /// Reads `DIGITALPAYE_API_KEY` and `DIGITALPAYE_API_SECRET`, or the files that
    /// `DIGITALPAYE_API_KEY_FILE` and `DIGITALPAYE_API_SECRET_FILE` name.
    ///
    /// # Errors
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) with everything that is missing or wrong, and
    /// no value.
    pub fn from_env() -> Result<Self, Error> {
        Env::process().read(PROVIDER, Self::read)
    }

    pub(crate) fn read(vars: &mut EnvReader<'_>) -> Option<Self> {
        let key = vars.required_secret("DIGITALPAYE_API_KEY", Charset::Text);
        let key = key.and_then(|key| vars.keep(without_colon("DIGITALPAYE_API_KEY", key)));
        let secret = vars.required_secret("DIGITALPAYE_API_SECRET", Charset::Text);
        let origin = vars.origin(&["DIGITALPAYE_API_KEY", "DIGITALPAYE_API_SECRET"]);
        Some(Self { api_key: key?, api_secret: secret?, origin: origin.into() })
    }

    /// What errors must not show.
    pub(crate) fn known(&self) -> Scrubber {
        let (key, secret) = (self.api_key.expose_secret(), self.api_secret.expose_secret());
        Scrubber::new([secret]).with_ids([key]).with_pair(key, secret)
    }
}

/// Basic authentication splits at the first colon (RFC 7617 section 2).
fn without_colon(name: &str, key: SecretString) -> Result<SecretString, Error> {
    if key.expose_secret().contains(':') {
        return Err(Error::config(format!(
            "{name} holds a colon, which Basic authentication cannot carry: is it key:secret in one?"
        )));
    }
    Ok(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_that_basic_cannot_carry_are_refused_by_name() {
        for (key, secret, says) in [
            ("", "s", "api_key is blank"),
            ("k", " ", "api_secret is blank"),
            ("k\n", "s", "api_key has whitespace"),
            ("k", "s\u{0}s", "api_secret holds a control character"),
            ("k:k", "s", "api_key holds a colon"),
        ] {
            let error = Credentials::new(key, secret).unwrap_err();
            assert!(error.to_string().contains(says), "{error}");
        }
        assert!(Credentials::new("clé", "s:s").is_ok());
    }
}
