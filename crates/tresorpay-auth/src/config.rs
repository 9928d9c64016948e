//! The settings in a section of a configuration file.

use auth_core::{CachedTokenSource, Env, Error, Section, SharedTokenSource};
use serde::Deserialize;

use crate::credentials::PROVIDER;
use crate::exchange::TresorPay;

/// A section of a configuration file, in any format of serde. It is checked when it becomes a
/// [`TresorPay`] or a [`SharedTokenSource`]: one error then names all faults, and never a value.
///
/// Each value is a quoted string. Each field may be given as `name_file` instead: the path of a
/// file that holds the value.
///
/// | field | |
/// |---|---|
/// | `client_id` | required |
/// | `client_secret` | required |
/// | `scope` | default `tresorpay`; `none` sends no scope |
/// | `environment` | `production` (default) or `sandbox` |
/// | `token_url` | the whole token URL; overrides the environment's |
/// | `token_url_internal` | instead of `token_url`, for a host name that only your own network resolves |
/// | `client_auth` | `form` (default) or `basic`: how the client authenticates |
///
/// ```
/// use tresorpay_auth::{Config, TresorPay};
///
/// let config: Config =
///     serde_json::from_str(r#"{"client_id":"client-0001","client_secret":"made-up-secret"}"#)?;
/// let flow = TresorPay::try_from(config)?;
///
/// let typo: Config =
///     serde_json::from_str(r#"{"client_id":"client-0001","sercet":"made-up-secret"}"#)?;
/// let error = TresorPay::try_from(typo).unwrap_err().to_string();
/// assert!(error.starts_with("tresorpay: set client_secret (or client_secret_file); sercet is no setting"));
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

impl TryFrom<Config> for TresorPay {
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
        let built = CachedTokenSource::rereading(config.into_env(), TresorPay::read_env)?;
        built.build().map(Self::new)
    }
}
