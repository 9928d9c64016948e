//! The client that sources share, over reqwest 0.13: the one file that names it.

use std::sync::Arc;

use super::HttpClient;
use crate::error::Error;

#[cfg(feature = "reqwest-0_13")]
pub use self::over_reqwest::ReqwestClient;

/// The client for a source that was given none.
#[cfg(feature = "reqwest-0_13")]
pub(crate) fn default_client() -> Result<Arc<dyn HttpClient>, Error> {
    Ok(Arc::new(ReqwestClient::shared()?))
}

/// The client for a source that was given none.
#[cfg(not(feature = "reqwest-0_13"))]
pub(crate) fn default_client() -> Result<Arc<dyn HttpClient>, Error> {
    Err(Error::config(
        "no HTTP client: hand one to .http_client(..), or turn on the feature reqwest-0_13",
    ))
}

#[cfg(feature = "reqwest-0_13")]
mod over_reqwest {
    use std::net::IpAddr;
    use std::sync::OnceLock;
    use std::time::Duration;

    use async_trait::async_trait;
    use bytes::Bytes;
    use http::Request;
    use reqwest::{Client, ClientBuilder, redirect, retry};

    use super::super::{BODY_LIMIT, HttpClient};
    use crate::error::{Error, ErrorKind};
    use crate::secret::WipedBuffer;

    /// The longest time to make a connection in.
    const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
    /// The longest time for one request as a whole. The engine's own limit is shorter or the same;
    /// this one guards a client that is used without the engine.
    const TIMEOUT: Duration = Duration::from_secs(10);

    /// An [`HttpClient`] over reqwest, with rules that nobody can switch off: no redirects, TLS 1.2 or
    /// later with verified certificates, plain http to loopback hosts alone, no decompression, no
    /// retries of its own, 5 s to connect and 10 s in all, bodies cut at 64 KiB while they stream.
    ///
    /// Cheap to clone; clones share one connection pool. Sources share [`shared`](Self::shared) unless
    /// told otherwise, so that a second source costs no second TLS set-up.
    ///
    /// Proxies are taken from the environment (`HTTPS_PROXY`, `NO_PROXY`) as reqwest does: https goes
    /// through them as a tunnel, so a proxy sees host names and never a secret. To refuse them, or to
    /// add a certificate authority, [`configure`](Self::configure) a client of your own.
    ///
    /// ```
    /// use auth_core::ReqwestClient;
    ///
    /// let client = ReqwestClient::configure(|builder| builder.no_proxy())?;
    /// # Ok::<(), auth_core::Error>(())
    /// ```
    #[derive(Clone, Debug)]
    pub struct ReqwestClient(Client);

    impl ReqwestClient {
        /// The client that all sources of this process share.
        ///
        /// # Errors
        /// [`ErrorKind::Config`] where the TLS library cannot be set up.
        pub fn shared() -> Result<Self, Error> {
            static SHARED: OnceLock<Result<ReqwestClient, Error>> = OnceLock::new();
            SHARED
                .get_or_init(|| Self::configure(|builder| builder))
                .clone()
        }

        /// A client of your own: `step` sets what you need (a proxy, a certificate authority, a local
        /// address) and the rules above are applied after it, so that it cannot weaken them.
        ///
        /// # Errors
        /// [`ErrorKind::Config`] where reqwest refuses the settings.
        pub fn configure(step: impl FnOnce(ClientBuilder) -> ClientBuilder) -> Result<Self, Error> {
            let builder = step(ClientBuilder::new())
                .redirect(redirect::Policy::none())
                .referer(false)
                .retry(retry::never())
                .connect_timeout(CONNECT_TIMEOUT)
                .timeout(TIMEOUT)
                .no_gzip()
                .no_brotli()
                .no_zstd()
                .no_deflate();
            #[cfg(any(
                feature = "rustls",
                feature = "rustls-no-provider",
                feature = "native-tls"
            ))]
            let builder = builder
                .tls_version_min(reqwest::tls::Version::TLS_1_2)
                .tls_danger_accept_invalid_certs(false)
                .tls_danger_accept_invalid_hostnames(false);
            builder.build().map(Self).map_err(|cause| {
                Error::config("the HTTP client could not be set up: check proxy and TLS settings")
                    .with_source(cause.without_url())
            })
        }
    }

    #[async_trait]
    impl HttpClient for ReqwestClient {
        async fn send(&self, request: Request<Bytes>) -> Result<http::Response<Bytes>, Error> {
            let host = request.uri().host().unwrap_or_default().to_owned();
            if request.uri().scheme_str() != Some("https") && !is_loopback(&host) {
                return Err(Error::config(
                    "a secret would travel in plain http: use https",
                ));
            }
            let request = reqwest::Request::try_from(request).map_err(|cause| {
                Error::config("the token request is not valid").with_source(cause.without_url())
            })?;
            let mut response = self
                .0
                .execute(request)
                .await
                .map_err(|cause| failure(cause, &host))?;
            let status = response.status();
            let too_long = || {
                Error::protocol("the answer is longer than 64 KiB, so it is no token response")
                    .with_status(status)
            };
            if response
                .content_length()
                .is_some_and(|length| length > BODY_LIMIT as u64)
            {
                return Err(too_long());
            }
            let mut body = WipedBuffer::default();
            while let Some(chunk) = response
                .chunk()
                .await
                .map_err(|cause| failure(cause, &host))?
            {
                if body.len() + chunk.len() > BODY_LIMIT {
                    return Err(too_long());
                }
                body.extend(&chunk);
            }
            let mut answer = http::Response::new(body.into_bytes());
            *answer.status_mut() = status;
            *answer.headers_mut() = std::mem::take(response.headers_mut());
            Ok(answer)
        }
    }

    /// Tells apart what was surely not sent (Connect) from what may have been (Timeout, Unavailable).
    fn failure(cause: reqwest::Error, host: &str) -> Error {
        let cause = cause.without_url();
        let (kind, text) = if cause.is_connect() && cause.is_timeout() {
            (
                ErrorKind::Connect,
                format!("no connection to {host} in 5 s: check network, proxy and firewall"),
            )
        } else if cause.is_connect() {
            (
                ErrorKind::Connect,
                format!("no connection to {host}: check DNS, network, proxy and TLS chain"),
            )
        } else if cause.is_timeout() {
            (ErrorKind::Timeout, format!("no answer from {host} in time"))
        } else {
            (
                ErrorKind::Unavailable,
                format!("the connection to {host} broke before an answer came"),
            )
        };
        Error::new(kind, text).with_source(cause)
    }

    fn is_loopback(host: &str) -> bool {
        let bare = host.trim_start_matches('[').trim_end_matches(']');
        bare == "localhost"
            || bare.ends_with(".localhost")
            || bare
                .parse::<IpAddr>()
                .is_ok_and(|address| address.is_loopback())
    }
}
