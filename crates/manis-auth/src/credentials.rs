//! A merchant id and secret, validated when made.

use std::borrow::Cow;

use auth_core::secret::Charset;
use auth_core::{Env, EnvReader, Error, ExposeSecret, Scrubber, SecretString};

pub(crate) const PROVIDER: &str = "manis";

/// A Manis merchant id and its secret. `Debug` shows neither.
///
/// ```
/// use manis_auth::Credentials;
///
/// let credentials = Credentials::new("merchant-0001", "made-up-secret")?;
/// assert!(!format!("{credentials:?}").contains("0001"));
/// assert!(Credentials::new("merchant 0001", "made-up-secret").is_err());
/// # Ok::<(), manis_auth::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Credentials {
    pub(crate) merchant_id: SecretString,
    pub(crate) secret: SecretString,
    /// What to check if they are rejected.
    pub(crate) origin: Cow<'static, str>,
}

impl Credentials {
    /// Checks the two values.
    ///
    /// # Errors
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) where one is blank, has whitespace at its
    /// start or end, or holds anything but visible ASCII: both travel in headers, which alter or
    /// misread the rest (RFC 9110 section 5.5). Values are never shown.
    pub fn new(
        merchant_id: impl Into<SecretString>,
        secret: impl Into<SecretString>,
    ) -> Result<Self, Error> {
        let check = |name, value: SecretString| {
            let checked = Charset::Header.check(name, value);
            checked.map_err(|unfit| Error::from(unfit).with_provider(PROVIDER))
        };
        Ok(Self {
            merchant_id: check("merchant_id", merchant_id.into())?,
            secret: check("secret", secret.into())?,
            origin: Cow::Borrowed("the credentials that the program gave"),
        })
    }

    /// Reads `MANIS_MERCHANT_ID` and `MANIS_SECRET`, or the files that `MANIS_MERCHANT_ID_FILE` and
    /// `MANIS_SECRET_FILE` name.
    ///
    /// # Errors
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) with everything that is missing or wrong, and
    /// no value.
    pub fn from_env() -> Result<Self, Error> {
        Env::process().read(PROVIDER, Self::read)
    }

    pub(crate) fn read(vars: &mut EnvReader<'_>) -> Option<Self> {
        let merchant_id = vars.required_secret("MANIS_MERCHANT_ID", Charset::Header);
        let secret = vars.required_secret("MANIS_SECRET", Charset::Header);
        let origin = vars.origin(&["MANIS_MERCHANT_ID", "MANIS_SECRET"]);
        Some(Self { merchant_id: merchant_id?, secret: secret?, origin: origin.into() })
    }

    /// What errors must not show.
    pub(crate) fn known(&self) -> Scrubber {
        Scrubber::new([self.secret.expose_secret()]).with_ids([self.merchant_id.expose_secret()])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_that_headers_cannot_carry_are_refused_by_name() {
        for (id, secret, says) in [
            ("", "s", "merchant_id is blank"),
            ("m", " ", "secret is blank"),
            ("m\n", "s", "merchant_id has whitespace"),
            ("m", " s", "secret has whitespace"),
            ("m", "s\r\ns", "secret holds a control character"),
            ("m m", "s", "merchant_id holds a space"),
            ("m", "sé", "secret holds a space or a character outside"),
        ] {
            let error = Credentials::new(id, secret).unwrap_err();
            assert!(error.to_string().contains(says), "{error}");
        }
        assert!(Credentials::new("m:1", "s\"\\!~").is_ok());
    }
}
