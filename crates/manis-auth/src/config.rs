//! The settings in a section of a configuration file.

use auth_core::{CachedTokenSource, Env, Error, Section, SharedTokenSource};
use serde::Deserialize;

use crate::credentials::PROVIDER;
use crate::exchange::Manis;

/// A section of a configuration file, in any format of serde. It is checked when it becomes a
/// [`Manis`] or a [`SharedTokenSource`]: one error then names all faults, and never a value.
///
/// Each value is a quoted string. Each field may be given as `name_file` instead: the path of a
/// file that holds the value.
///
/// | field | |
/// |---|---|
/// | `merchant_id` | required |
/// | `secret` | required |
/// | `base_url` | required: the URL that `/api/v1/auth/token` is appended to |
/// | `base_url_internal` | instead of `base_url`, for a host name that only your own network resolves |
/// | `expires_at_unit` | `auto` (default), `seconds`, `millis` or `relative-seconds` |
///
/// ```
/// use manis_auth::{Config, Manis};
///
/// let config: Config =
///     serde_json::from_str(r#"{"merchant_id":"merchant-0001","secret":"made-up-secret","base_url":"https://manis.example.com"}"#)?;
/// let flow = Manis::try_from(config)?;
///
/// let typo: Config =
///     serde_json::from_str(r#"{"merchant_id":"merchant-0001","sercet":"made-up-secret","base_url":"https://manis.example.com"}"#)?;
/// let error = Manis::try_from(typo).unwrap_err().to_string();
/// assert!(error.starts_with("manis: set secret (or secret_file); sercet is no setting"));
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

impl TryFrom<Config> for Manis {
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
        let built = CachedTokenSource::rereading(config.into_env(), Manis::read_env)?;
        built.build().map(Self::new)
    }
}
