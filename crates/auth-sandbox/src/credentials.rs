//! The made-up credentials that a provider of the sandbox accepts.

use std::fmt;

use crate::{Provider, random};

/// The credentials that one provider of the sandbox accepts: made up, random for each sandbox.
///
/// All five providers identify a client by an id and a secret, under different names:
///
/// | provider | [`id`](Self::id) | [`secret`](Self::secret) |
/// |---|---|---|
/// | Digitalpaye | `api_key` | `api_secret` |
/// | Digishare | `client_id` | `client_secret` |
/// | TresorPay | `client_id` | `client_secret` |
/// | Papaya Global | `api_key` | `client_secret` |
/// | Manis | `x-merchant-id` | `x-secret` |
///
/// `Debug` shows the id and hides the secret.
///
/// ```
/// use auth_sandbox::Credentials;
///
/// let credentials = Credentials::new("merchant", "p@ss word");
/// assert!(!format!("{credentials:?}").contains("p@ss"));
///
/// # let sandbox = auth_sandbox::Sandbox::builder().start_blocking()?;
/// sandbox.papaya().accept(credentials); // does the client encode them correctly?
/// assert_eq!(sandbox.papaya().credentials().secret(), "p@ss word");
/// # Ok::<(), auth_sandbox::Error>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    id: String,
    secret: String,
}

impl Credentials {
    /// Credentials of your choice, for [`Handle::accept`](crate::Handle::accept).
    pub fn new(id: impl Into<String>, secret: impl Into<String>) -> Self {
        Self { id: id.into(), secret: secret.into() }
    }

    /// Random ones. The prefix shows that they are not real.
    pub(crate) fn random() -> Self {
        Self::new(format!("sandbox-{}", random::hex::<6>()), Self::random_secret())
    }

    /// The same at every start. The words show that they are not real.
    pub(crate) fn fixed(provider: Provider) -> Self {
        Self::new(format!("sandbox-{provider}"), format!("sandbox-secret-{provider}"))
    }

    pub(crate) fn random_secret() -> String {
        format!("sandbox-secret-{}", random::hex::<16>())
    }

    /// The id, which is not secret.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The secret.
    pub fn secret(&self) -> &str {
        &self.secret
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials").field("id", &self.id).finish_non_exhaustive()
    }
}
