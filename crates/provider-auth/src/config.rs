//! A section of a configuration file that names its provider.

use auth_core::{Error, ExposeSecret, Section, SharedTokenSource};
use serde::Deserialize;

/// The value of `provider` for each provider that is compiled in.
const PROVIDERS: &[&str] = &[
    #[cfg(feature = "digitalpaye")]
    "digitalpaye",
    #[cfg(feature = "digishare")]
    "digishare",
    #[cfg(feature = "tresorpay")]
    "tresorpay",
    #[cfg(feature = "papaya")]
    "papaya",
    #[cfg(feature = "manis")]
    "manis",
];

/// A section of a configuration file, in any format of serde: `provider` says whose it is, such as
/// `"digitalpaye"`; the other fields are those of that provider's `Config`.
///
/// It is checked when it becomes a [`SharedTokenSource`]: one error then names all faults, and
/// never a value.
#[cfg_attr(feature = "digitalpaye", doc = "```")]
#[cfg_attr(not(feature = "digitalpaye"), doc = "```ignore")]
/// use provider_auth::core::SharedTokenSource;
///
/// let config: provider_auth::Config = serde_json::from_str(
///     r#"{"provider":"digitalpaye","api_key":"key-0001","api_secret":"made-up-secret"}"#,
/// )?;
/// let tokens = SharedTokenSource::try_from(config)?;
/// assert!(tokens.fresh().is_none()); // nothing is requested before the first `token().await`
///
/// let half: provider_auth::Config =
///     serde_json::from_str(r#"{"provider":"digitalpaye","api_key":"key-0001"}"#)?;
/// let error = SharedTokenSource::try_from(half).unwrap_err();
/// assert_eq!(error.to_string(), "digitalpaye: set api_secret (or api_secret_file)");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Deserialize)]
#[serde(transparent)]
pub struct Config(Section);

impl TryFrom<Config> for SharedTokenSource {
    type Error = Error;

    /// A source with the default client, clock and policies.
    fn try_from(config: Config) -> Result<Self, Error> {
        let mut section = config.0;
        let provider = section.take("provider");
        match provider.as_ref().map_or("", |name| name.expose_secret()) {
            #[cfg(feature = "digitalpaye")]
            "digitalpaye" => digitalpaye_auth::Config::from(section).try_into(),
            #[cfg(feature = "digishare")]
            "digishare" => digishare_auth::Config::from(section).try_into(),
            #[cfg(feature = "tresorpay")]
            "tresorpay" => tresorpay_auth::Config::from(section).try_into(),
            #[cfg(feature = "papaya")]
            "papaya" => papaya_auth::Config::from(section).try_into(),
            #[cfg(feature = "manis")]
            "manis" => manis_auth::Config::from(section).try_into(),
            _ => {
                let names = PROVIDERS.join(", ");
                Err(Error::config(format!("set provider, in quotes, to one of {names}")))
            }
        }
    }
}
