//! A client id and secret, validated when made.

use std::borrow::Cow;

use auth_core::secret::Charset;
use auth_core::{Env, EnvReader, Error, ExposeSecret, Scrubber, SecretString};

pub(crate) const PROVIDER: &str = "tresorpay";

/// A TresorPay client's id and its secret. `Debug` shows neither.
///
/// ```
/// use tresorpay_auth::Credentials;
///
/// let credentials = Credentials::new("client-0001", "made-up-secret")?;
/// assert!(!format!("{credentials:?}").contains("0001"));
/// assert!(Credentials::new("client-0001", "made-up-secret\n").is_err());
/// # Ok::<(), tresorpay_auth::Error>(())
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

    /// Reads `TRESORPAY_CLIENT_ID` and `TRESORPAY_CLIENT_SECRET`, or the files that
    /// `TRESORPAY_CLIENT_ID_FILE` and `TRESORPAY_CLIENT_SECRET_FILE` name.
    ///
    /// # Errors
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) with everything that is missing or wrong, and
    /// no value.
    pub fn from_env() -> Result<Self, Error> {
        Env::process().read(PROVIDER, Self::read)
    }

    pub(crate) fn read(vars: &mut EnvReader<'_>) -> Option<Self> {
        let client_id = vars.required_secret("TRESORPAY_CLIENT_ID", Charset::Text);
        let client_secret = vars.required_secret("TRESORPAY_CLIENT_SECRET", Charset::Text);
        let origin = vars.origin(&["TRESORPAY_CLIENT_ID", "TRESORPAY_CLIENT_SECRET"]);
        Some(Self { client_id: client_id?, client_secret: client_secret?, origin: origin.into() })
    }

    /// What errors must not show: the secret, and the pair as Basic sends it. The id alone is not
    /// secret (RFC 6749 section 2.2).
    pub(crate) fn known(&self) -> Scrubber {
        let (id, secret) = (self.client_id.expose_secret(), self.client_secret.expose_secret());
        Scrubber::new([secret]).with_ids([id]).with_pair(id, secret)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
        assert!(Credentials::new("client:0001", "a&b=c+d%e fé").is_ok());
    }

    #[test]
    fn a_basic_header_that_comes_back_is_scrubbed() {
        let known = Credentials::new("user", "secret/with=special?character").unwrap().known();
        // The vector of Keycloak's BasicAuthHelper.RFC6749 test.
        let header = "Basic dXNlcjpzZWNyZXQlMkZ3aXRoJTNEc3BlY2lhbCUzRmNoYXJhY3Rlcg==";
        assert_eq!(known.scrub(header), "Basic [redacted]");
        assert_eq!(known.scrub("user"), "user");
    }
}
