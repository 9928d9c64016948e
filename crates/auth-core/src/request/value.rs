//! Values of a request body: public or secret.

use std::fmt;

use secrecy::{ExposeSecret, SecretString};

/// A value of a JSON or form body, public or secret.
///
/// ```
/// use auth_core::BodyValue;
///
/// let grant_type: BodyValue<'_> = "client_credentials".into();
/// assert_eq!(format!("{grant_type:?}"), r#"Public("client_credentials")"#);
///
/// let secret = auth_core::SecretString::from("made-up-secret");
/// assert_eq!(format!("{:?}", BodyValue::from(&secret)), "Secret([redacted])");
/// ```
#[derive(Clone, Copy)]
#[non_exhaustive]
pub enum BodyValue<'a> {
    /// `Debug` shows it.
    Public(&'a str),
    /// `Debug` hides it.
    Secret(&'a SecretString),
}

impl<'a> BodyValue<'a> {
    pub(super) fn expose(self) -> &'a str {
        match self {
            Self::Public(text) => text,
            Self::Secret(secret) => secret.expose_secret(),
        }
    }
}

impl<'a> From<&'a str> for BodyValue<'a> {
    fn from(text: &'a str) -> Self {
        Self::Public(text)
    }
}

impl<'a> From<&'a SecretString> for BodyValue<'a> {
    fn from(secret: &'a SecretString) -> Self {
        Self::Secret(secret)
    }
}

impl fmt::Debug for BodyValue<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Public(text) => f.debug_tuple("Public").field(text).finish(),
            Self::Secret(_) => f.write_str("Secret([redacted])"),
        }
    }
}
