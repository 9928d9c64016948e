//! The default client, over reqwest 0.13. Only this module names reqwest.

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

/// The client of a source that was built without one; all such sources share it. TLS is only set up
/// if the source uses https: plain http to a loopback host needs none.
#[cfg(feature = "reqwest-0_13")]
pub(crate) fn default_client(is_plain: bool) -> Result<Arc<dyn HttpClient>, Error> {
    static DEFAULT: std::sync::OnceLock<Arc<ReqwestClient>> = std::sync::OnceLock::new();
    let client = DEFAULT.get_or_init(|| Arc::new(ReqwestClient::unproved().clone()));
    if !is_plain {
        client.prove()?;
    }
    Ok(Arc::<ReqwestClient>::clone(client))
}

/// Fails: a source needs a client, and none is compiled in.
#[cfg(not(feature = "reqwest-0_13"))]
pub(crate) fn default_client(_is_plain: bool) -> Result<Arc<dyn HttpClient>, Error> {
    Err(Error::config(
        "no HTTP client: pass one to .http_client(..), or enable auth-core's feature reqwest-0_13",
    ))
}

#[cfg(all(test, feature = "reqwest-0_13"))]
mod tests {
    use super::*;

    #[test]
    fn sources_built_without_a_client_share_one() {
        assert!(Arc::ptr_eq(&default_client(true).unwrap(), &default_client(true).unwrap()));
    }
}
