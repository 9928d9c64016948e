//! The client that sources share, over reqwest 0.13: the one module that names it.

use std::sync::Arc;

use super::HttpClient;
use crate::error::Error;

#[cfg(feature = "reqwest-0_13")]
mod client;
#[cfg(feature = "reqwest-0_13")]
mod failure;
#[cfg(feature = "reqwest-0_13")]
mod kept;

#[cfg(feature = "reqwest-0_13")]
pub use self::client::ReqwestClient;

/// The client for a source that was given none: the same one for all of them. A source that asks in
/// plain http (a loopback host) needs no TLS, so none is set up for it.
#[cfg(feature = "reqwest-0_13")]
pub(crate) fn default_client(is_plain: bool) -> Result<Arc<dyn HttpClient>, Error> {
    static DEFAULT: std::sync::OnceLock<Arc<ReqwestClient>> = std::sync::OnceLock::new();
    let client = DEFAULT.get_or_init(|| Arc::new(ReqwestClient::unproved().clone()));
    if !is_plain {
        client.prove()?;
    }
    Ok(Arc::<ReqwestClient>::clone(client))
}

/// The client for a source that was given none.
#[cfg(not(feature = "reqwest-0_13"))]
pub(crate) fn default_client(_is_plain: bool) -> Result<Arc<dyn HttpClient>, Error> {
    Err(Error::config(
        "no HTTP client: hand one to .http_client(..), or turn on the feature reqwest-0_13",
    ))
}

#[cfg(all(test, feature = "reqwest-0_13"))]
mod tests {
    use super::*;

    #[test]
    fn sources_that_are_given_no_client_have_the_same_one() {
        assert!(Arc::ptr_eq(&default_client(true).unwrap(), &default_client(true).unwrap()));
    }
}
