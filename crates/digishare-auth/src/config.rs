//! The settings in a section of a configuration file.

use auth_core::{Env, Error, Section, SharedTokenSource};
use serde::Deserialize;

use crate::credentials::PROVIDER;
use crate::exchange::{Digishare, source_read_env};

/// A section of a configuration file, in any format of serde. It is checked when it becomes a
/// [`Digishare`] or a [`SharedTokenSource`]: one error then names all faults, and never a value.
///
/// Each value is a quoted string. Each field may be given as `name_file` instead: the path of a
/// file that holds the value.
///
/// | field | |
/// |---|---|
/// | `client_id` | required, unless `personal_access_token` is set |
/// | `client_secret` | required with `client_id` |
/// | `scope` | optional; no scope is sent by default |
/// | `base_url` | default `https://api.digishare.ma` |
/// | `base_url_internal` | instead of `base_url`, for a host name that only your own network resolves |
/// | `personal_access_token` | instead of id and secret; not for a [`Digishare`], which fetches tokens |
///
/// ```
/// use digishare_auth::{Config, Digishare};
///
/// let config: Config =
///     serde_json::from_str(r#"{"client_id":"client-0001","client_secret":"made-up-secret"}"#)?;
/// let flow = Digishare::try_from(config)?;
///
/// let typo: Config =
///     serde_json::from_str(r#"{"client_id":"client-0001","sercet":"made-up-secret"}"#)?;
/// let error = Digishare::try_from(typo).unwrap_err().to_string();
/// assert!(error.starts_with("digishare: set client_secret (or client_secret_file); sercet is no setting"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Deserialize)]
#[serde(transparent)]
pub struct Config(Section);

impl Config {
    fn into_env(self) -> Env {
        Env::from_section(PROVIDER, self.0)
    }
}

impl From<Section> for Config {
    fn from(section: Section) -> Self {
        Self(section)
    }
}

impl TryFrom<Config> for Digishare {
    type Error = Error;

    fn try_from(config: Config) -> Result<Self, Error> {
        Self::read_env(&config.into_env())
    }
}

impl TryFrom<Config> for SharedTokenSource {
    type Error = Error;

    /// A source with the default client, clock and policies, which reads the files that the section
    /// names anew for each exchange; or of a personal access token, if that is what the section
    /// gives.
    fn try_from(config: Config) -> Result<Self, Error> {
        source_read_env(&config.into_env())
    }
}
