//! The client that sources share, over reqwest 0.13: the one file that names it.

use std::sync::Arc;

use super::HttpClient;
use crate::error::Error;

#[cfg(feature = "reqwest-0_13")]
pub use self::over_reqwest::ReqwestClient;

/// The client for a source that was given none: the same one for all of them.
#[cfg(feature = "reqwest-0_13")]
pub(crate) fn default_client() -> Result<Arc<dyn HttpClient>, Error> {
    static DEFAULT: std::sync::OnceLock<Arc<dyn HttpClient>> = std::sync::OnceLock::new();
    if let Some(client) = DEFAULT.get() {
        return Ok(Arc::clone(client));
    }
    let client = ReqwestClient::shared()?;
    Ok(Arc::clone(DEFAULT.get_or_init(|| Arc::new(client))))
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
    use std::fmt;
    use std::net::IpAddr;
    use std::sync::{Arc, Mutex, OnceLock, PoisonError};
    use std::time::Duration;

    use async_trait::async_trait;
    use reqwest::{Client, ClientBuilder, redirect, retry};
    use tokio::runtime::{Handle, Id};

    use super::super::{BODY_LIMIT, HttpClient, HttpRequest, HttpResponse};
    use crate::error::{Error, ErrorKind};
    use crate::secret::WipedBuffer;

    /// The longest time to make a connection in.
    const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
    /// The longest time for one request as a whole. The engine's own limit is shorter; this one
    /// guards a client that is used without the engine.
    const TIMEOUT: Duration = Duration::from_secs(30);
    /// Runtimes whose connections are kept; the least recent goes first.
    const RUNTIMES_KEPT: usize = 16;

    /// An [`HttpClient`] over reqwest, with rules that are applied after every setting of yours: no
    /// redirects, TLS 1.2 or later with verified certificates, plain http to loopback hosts alone
    /// and then past every proxy, no decompression, no retries of its own, no wire logs, 5 s to
    /// connect and 30 s in all, bodies cut at 64 KiB while they stream.
    ///
    /// Cheap to clone; clones share their connections. Sources share [`shared`](Self::shared)
    /// unless told otherwise, so that a second source costs no second TLS set-up. Connections are
    /// kept by runtime: one that stands still holds up no other.
    ///
    /// Proxies are taken from the environment (`HTTPS_PROXY`, `NO_PROXY`) as reqwest does: https
    /// goes through them as a tunnel, so a proxy sees host names and never a secret. To refuse
    /// them, or to add a certificate authority, [`configure`](Self::configure) a client of your
    /// own.
    ///
    /// ```
    /// use auth_core::ReqwestClient;
    ///
    /// let client = ReqwestClient::configure(|builder| builder.no_proxy())?;
    /// # Ok::<(), auth_core::Error>(())
    /// ```
    #[derive(Clone)]
    pub struct ReqwestClient(Arc<Inner>);

    struct Inner {
        step: Box<dyn Fn(ClientBuilder) -> ClientBuilder + Send + Sync>,
        /// Made to prove the settings, and taken by the first runtime that asks.
        first: Mutex<Option<Client>>,
        by_runtime: Mutex<Vec<(Id, Client)>>,
    }

    impl ReqwestClient {
        /// The client that all sources of this process share.
        ///
        /// # Errors
        /// [`ErrorKind::Config`] where the TLS library cannot be set up.
        pub fn shared() -> Result<Self, Error> {
            static SHARED: OnceLock<Result<ReqwestClient, Error>> = OnceLock::new();
            SHARED.get_or_init(|| Self::configure(|builder| builder)).clone()
        }

        /// A client of your own: `step` sets what you need (a proxy, a certificate authority, a
        /// local address) and the rules above are applied after it. It is called once now and once
        /// for each further runtime.
        ///
        /// What no rule can undo: a whole TLS configuration handed to reqwest
        /// (`tls_backend_preconfigured`) verifies as it says itself.
        ///
        /// # Errors
        /// [`ErrorKind::Config`] where reqwest refuses the settings.
        pub fn configure(
            step: impl Fn(ClientBuilder) -> ClientBuilder + Send + Sync + 'static,
        ) -> Result<Self, Error> {
            let first = build(step(ClientBuilder::new()))?;
            Ok(Self(Arc::new(Inner {
                step: Box::new(step),
                first: Mutex::new(Some(first)),
                by_runtime: Mutex::default(),
            })))
        }

        /// The client whose connections live on this runtime. A connection is a task; on a runtime
        /// that nobody drives it would keep whoever picks it from the pool waiting.
        fn of(&self, runtime: Id) -> Result<Client, Error> {
            let mut kept = self.0.by_runtime.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some((_, client)) = kept.iter().find(|(id, _)| *id == runtime) {
                return Ok(client.clone());
            }
            let first = self.0.first.lock().unwrap_or_else(PoisonError::into_inner).take();
            let client = match first {
                Some(client) => client,
                None => build((self.0.step)(ClientBuilder::new()))?,
            };
            if kept.len() >= RUNTIMES_KEPT {
                kept.remove(0);
            }
            kept.push((runtime, client.clone()));
            Ok(client)
        }

        /// The client for plain http to this very machine: no setting of anybody's, and no proxy,
        /// which would read the secret.
        fn loopback() -> Result<Self, Error> {
            static LOOPBACK: OnceLock<Result<ReqwestClient, Error>> = OnceLock::new();
            LOOPBACK.get_or_init(|| Self::configure(ClientBuilder::no_proxy)).clone()
        }
    }

    /// Applies the rules last.
    fn build(builder: ClientBuilder) -> Result<Client, Error> {
        let builder = builder
            .redirect(redirect::Policy::none())
            .referer(false)
            .retry(retry::never())
            .connection_verbose(false)
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(TIMEOUT)
            .no_gzip()
            .no_brotli()
            .no_zstd()
            .no_deflate();
        #[cfg(any(feature = "rustls", feature = "rustls-no-provider", feature = "native-tls"))]
        let builder = builder
            .tls_version_min(reqwest::tls::Version::TLS_1_2)
            .tls_danger_accept_invalid_certs(false)
            .tls_danger_accept_invalid_hostnames(false);
        #[cfg(any(feature = "rustls", feature = "rustls-no-provider"))]
        let builder = builder.tls_sslkeylogfile(false);
        builder.build().map_err(|cause| {
            Error::config("the HTTP client could not be set up: check proxy and TLS settings")
                .with_source(cause.without_url())
        })
    }

    #[async_trait]
    impl HttpClient for ReqwestClient {
        async fn send(&self, request: HttpRequest) -> Result<HttpResponse, Error> {
            let Ok(runtime) = Handle::try_current() else {
                return Err(Error::config(
                    "this HTTP client needs a tokio runtime: call from one, or hand in an HttpClient of your own",
                ));
            };
            let host = request.uri().host().unwrap_or_default().to_owned();
            let client = match request.uri().scheme_str() {
                Some("https") => self.of(runtime.id())?,
                _ if is_loopback(&host) => Self::loopback()?.of(runtime.id())?,
                _ => {
                    return Err(Error::config("a secret would travel in plain http: use https"));
                }
            };
            let request = reqwest::Request::try_from(request).map_err(|cause| {
                Error::config("the token request is not valid").with_source(cause.without_url())
            })?;
            let mut response =
                client.execute(request).await.map_err(|cause| failure(cause, &host))?;
            let body = read_body(&mut response, &host).await?;
            let mut answer = HttpResponse::new(body.into_bytes());
            *answer.status_mut() = response.status();
            *answer.headers_mut() = std::mem::take(response.headers_mut());
            Ok(answer)
        }
    }

    /// Reads a body up to the limit. Of a success all of it is needed; of anything else the status
    /// says most, and what could be read of the body will do.
    async fn read_body(response: &mut reqwest::Response, host: &str) -> Result<WipedBuffer, Error> {
        let status = response.status();
        let mut body = WipedBuffer::default();
        loop {
            let chunk = match response.chunk().await {
                Ok(Some(chunk)) => chunk,
                Ok(None) => return Ok(body),
                Err(cause) if status.is_success() => return Err(failure(cause, host)),
                Err(_) => return Ok(body),
            };
            let room = BODY_LIMIT - body.len();
            if let Some(fitting) = chunk.get(..room)
                && chunk.len() > room
            {
                if status.is_success() {
                    let text = "the answer is longer than 64 KiB, so it is no token response";
                    return Err(Error::protocol(text).with_status(status));
                }
                body.extend(fitting);
                return Ok(body);
            }
            body.extend(&chunk);
        }
    }

    /// Tells apart what was surely not sent (Connect) from what may have been (Timeout,
    /// Unavailable).
    fn failure(cause: reqwest::Error, host: &str) -> Error {
        let cause = cause.without_url();
        let (kind, text) = if cause.is_builder() {
            let text = "the HTTP client cannot send this request: is a TLS feature turned on (rustls, native-tls)?";
            (ErrorKind::Config, text.to_owned())
        } else if cause.is_connect() && cause.is_timeout() {
            let text = format!("no connection to {host} in 5 s: check network, proxy and firewall");
            (ErrorKind::Connect, text)
        } else if cause.is_connect() {
            let text = format!("no connection to {host}: check DNS, network, proxy and TLS chain");
            (ErrorKind::Connect, text)
        } else if cause.is_timeout() {
            (ErrorKind::Timeout, format!("no answer from {host} in time"))
        } else {
            let text = format!("the connection to {host} broke before an answer came");
            (ErrorKind::Unavailable, text)
        };
        Error::new(kind, text).with_source(cause)
    }

    fn is_loopback(host: &str) -> bool {
        let bare = host.trim_start_matches('[').trim_end_matches(']');
        bare == "localhost" || bare.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
    }

    impl fmt::Debug for ReqwestClient {
        // reqwest's own shows default headers, which may hold a secret.
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.debug_struct("ReqwestClient").finish_non_exhaustive()
        }
    }
}

#[cfg(all(test, feature = "reqwest-0_13"))]
mod tests {
    use super::*;

    #[test]
    fn sources_that_are_given_no_client_have_the_same_one() {
        assert!(Arc::ptr_eq(&default_client().unwrap(), &default_client().unwrap()));
    }
}
