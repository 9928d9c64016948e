//! The settings in a section of a configuration file.

use auth_core::{CachedTokenSource, Env, Error, Section, SharedTokenSource};
use serde::Deserialize;

use crate::credentials::PROVIDER;
use crate::exchange::Papaya;

/// A section of a configuration file, in any format of serde. It is checked when it becomes a
/// [`Papaya`] or a [`SharedTokenSource`]: one error then names all faults, and never a value.
///
/// Each value is a quoted string. Each field may be given as `name_file` instead: the path of a
/// file that holds the value.
///
/// | field | |
/// |---|---|
/// | `api_key` | required |
/// | `client_secret` | required |
/// | `environment` | `staging`, or `production` together with `base_url`; required unless `base_url` is set |
/// | `base_url` | the URL that `/token` is appended to; overrides the environment's |
/// | `base_url_internal` | instead of `base_url`, for a host name that only your own network resolves |
/// | `token_name` | optional; no name is sent by default |
///
/// ```
/// use papaya_auth::{Config, Papaya};
///
/// let config: Config =
///     serde_json::from_str(r#"{"api_key":"key-0001","client_secret":"made-up-secret","environment":"staging"}"#)?;
/// let flow = Papaya::try_from(config)?;
///
/// let typo: Config =
///     serde_json::from_str(r#"{"api_key":"key-0001","sercet":"made-up-secret","environment":"staging"}"#)?;
/// let error = Papaya::try_from(typo).unwrap_err().to_string();
/// assert!(error.starts_with("papaya: set client_secret (or client_secret_file); sercet is no setting"));
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

impl TryFrom<Config> for Papaya {
    type Error = Error;

    fn try_from(config: Config) -> Result<Self, Error> {
        Self::read_env(&config.into_env())
    }
}

impl TryFrom<Config> for SharedTokenSource {
    type Error = Error;

    /// A source with the default client, clock and policies, which reads the files that the section
    /// names anew for each exchange.
    fn try_from(config: Config) -> Result<Self, Error> {
        let built = CachedTokenSource::rereading(config.into_env(), Papaya::read_env)?;
        built.build().map(Self::new)
    }
}
