//! The settings of the examples.

use std::error::Error;
use std::sync::OnceLock;

use auth_sandbox::{Provider, Sandbox};
use provider_auth::core::Env;

/// The variables by which a provider's settings are recognised.
#[must_use]
pub const fn variables(provider: Provider) -> &'static [&'static str] {
    match provider {
        Provider::Digitalpaye => &[
            "DIGITALPAYE_API_KEY",
            "DIGITALPAYE_API_SECRET",
            "DIGITALPAYE_ENVIRONMENT",
            "DIGITALPAYE_BASE_URL",
        ],
        Provider::Digishare => &[
            "DIGISHARE_CLIENT_ID",
            "DIGISHARE_CLIENT_SECRET",
            "DIGISHARE_PERSONAL_ACCESS_TOKEN",
            "DIGISHARE_BASE_URL",
        ],
        Provider::TresorPay => &[
            "TRESORPAY_CLIENT_ID",
            "TRESORPAY_CLIENT_SECRET",
            "TRESORPAY_SCOPE",
            "TRESORPAY_ENVIRONMENT",
            "TRESORPAY_TOKEN_URL",
        ],
        Provider::Papaya => &[
            "PAPAYA_API_KEY",
            "PAPAYA_CLIENT_SECRET",
            "PAPAYA_TOKEN_NAME",
            "PAPAYA_ENVIRONMENT",
            "PAPAYA_BASE_URL",
        ],
        Provider::Manis => {
            &["MANIS_MERCHANT_ID", "MANIS_SECRET", "MANIS_BASE_URL", "MANIS_EXPIRES_AT_UNIT"]
        }
        _ => &[],
    }
}

/// A provider's settings: from this process's environment if any of them is set there; otherwise from
/// the embedded sandbox, together with the URL of its protected API route.
///
/// Your own service does not need this: it calls `from_env()`.
///
/// # Errors
/// Where the sandbox cannot be started.
pub fn settings(provider: Provider) -> Result<(Env, Option<String>), Box<dyn Error>> {
    let process = Env::process();
    if process.any_set(variables(provider)) {
        return Ok((process, None));
    }
    let handle = sandbox()?.handle(provider);
    Ok((Env::from_pairs(handle.env()), Some(handle.api_url())))
}

/// Makes the sandbox's API refuse the tokens that it has issued so far.
///
/// # Errors
/// Where the sandbox cannot be started.
pub fn revoke_tokens(provider: Provider) -> Result<(), Box<dyn Error>> {
    sandbox()?.handle(provider).revoke_tokens();
    Ok(())
}

/// The sandbox of this process, on its own thread.
fn sandbox() -> Result<&'static Sandbox, Box<dyn Error>> {
    static SANDBOX: OnceLock<Result<Sandbox, String>> = OnceLock::new();
    SANDBOX
        .get_or_init(|| {
            Sandbox::builder().strict(true).start_blocking().map_err(|fault| fault.to_string())
        })
        .as_ref()
        .map_err(|fault| fault.as_str().into())
}

/// A client for the sandbox's API: no proxy and no redirects, since each call carries the token.
///
/// # Errors
/// Where the TLS library cannot be set up.
pub fn api_client() -> Result<reqwest::Client, Box<dyn Error>> {
    let builder = reqwest::Client::builder().no_proxy();
    Ok(builder.redirect(reqwest::redirect::Policy::none()).build()?)
}

#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct Readme;

#[cfg(doctest)]
#[doc = include_str!("../../README.fr.md")]
struct ReadmeFr;
