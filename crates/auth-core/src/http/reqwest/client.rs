//! `ReqwestClient`: its settings, its rules, and one request.

use std::any::Any;
use std::fmt;
use std::net::IpAddr;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use http::Uri;
use http::header::{CONNECTION, HeaderMap};
use reqwest::{Client, ClientBuilder, redirect, retry};
use tokio::runtime::Handle;

use super::failure::{failure, says_shut_down};
use super::kept::{Kept, Key};
use crate::error::Error;
use crate::error::cause::{innermost, shut_down};
use crate::http::{BODY_LIMIT, HttpClient, HttpRequest, HttpResponse};
use crate::secret::WipedBuffer;

/// The longest time to make a connection in.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// The longest time for one request as a whole. The engine's own limit is shorter; this one guards
/// a client that is used without the engine.
const TIMEOUT: Duration = Duration::from_secs(30);
/// The longest time for the body of anything but a success.
const ERROR_BODY_TIMEOUT: Duration = Duration::from_secs(1);

/// Whether a TLS feature of this crate is on. Where it is not, the rules on TLS below cannot be
/// written down, so https is refused, even if another crate turned on TLS in reqwest.
const HAS_TLS: bool =
    cfg!(any(feature = "rustls", feature = "rustls-no-provider", feature = "native-tls"));

/// An [`HttpClient`] over reqwest, with rules that are applied after every setting of yours: no
/// redirects, TLS 1.2 or later with verified certificates, no key log, plain http to loopback hosts
/// alone and then past every proxy, no decompression, no retries of its own, no wire logs, 5 s to
/// connect and 30 s in all, bodies cut at 64 KiB while they stream, and after a second where the
/// status is no success.
///
/// The rules hold in every combination of features: without one of this crate's TLS features
/// (`rustls`, `rustls-no-provider`, `native-tls`) https is refused, and with `native-tls` alone the
/// TLS library is the system's, whatever a setting of yours says.
///
/// Cheap to clone; clones share their connections. Sources share [`shared`](Self::shared) unless
/// told otherwise, so that a second source costs no second TLS set-up. Connections are kept by
/// runtime: one that stands still holds up no other.
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
#[derive(Clone)]
pub struct ReqwestClient(Arc<Inner>);

struct Inner {
    step: Box<dyn Fn(ClientBuilder) -> ClientBuilder + Send + Sync>,
    is_proved: AtomicBool,
    /// Made to prove the settings, and taken by the first runtime that asks.
    first: Mutex<Option<Client>>,
    https: Kept,
}

impl ReqwestClient {
    /// The client that all sources of this process share.
    ///
    /// # Errors
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) where the TLS library cannot be set up. The
    /// next call tries again.
    pub fn shared() -> Result<Self, Error> {
        let shared = Self::unproved();
        shared.prove()?;
        Ok(shared.clone())
    }

    /// A client of your own: `step` sets what you need (a proxy, a certificate authority, a local
    /// address) and the rules above are applied after it. It is called once now and once for each
    /// further runtime that asks over https. Plain http to loopback hosts takes no setting of
    /// yours.
    ///
    /// What no rule can undo: a whole TLS configuration handed to reqwest
    /// (`tls_backend_preconfigured`) verifies as it says itself.
    ///
    /// # Errors
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) where reqwest refuses the settings.
    pub fn configure(
        step: impl Fn(ClientBuilder) -> ClientBuilder + Send + Sync + 'static,
    ) -> Result<Self, Error> {
        let client = Self::new(step);
        client.prove()?;
        Ok(client)
    }

    /// The shared client, without the TLS set-up that proves it: plain http needs none.
    pub(super) fn unproved() -> &'static Self {
        static SHARED: OnceLock<ReqwestClient> = OnceLock::new();
        SHARED.get_or_init(|| Self::new(|builder| builder))
    }

    fn new(step: impl Fn(ClientBuilder) -> ClientBuilder + Send + Sync + 'static) -> Self {
        Self(Arc::new(Inner {
            step: Box::new(step),
            is_proved: AtomicBool::new(false),
            first: Mutex::default(),
            https: Kept::new(),
        }))
    }

    /// Makes the first https client, if none was made yet. A failure is not kept: a certificate
    /// bundle may be installed, or a descriptor be free, a moment later.
    pub(super) fn prove(&self) -> Result<(), Error> {
        if self.0.is_proved.load(Ordering::Acquire) {
            return Ok(());
        }
        let made = build((self.0.step)(ClientBuilder::new()))?;
        let unused = self.locked_first().replace(made);
        self.0.is_proved.store(true, Ordering::Release);
        drop(unused);
        Ok(())
    }

    fn locked_first(&self) -> std::sync::MutexGuard<'_, Option<Client>> {
        self.0.first.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The client for an address, and for connections that live on this runtime.
    fn client(&self, uri: &Uri, key: Key) -> Result<Client, Error> {
        static LOOPBACK: Kept = Kept::new();
        match uri.scheme_str() {
            Some("https") if !HAS_TLS => Err(Error::config(
                "https needs one of the features rustls, rustls-no-provider and native-tls of auth-core: without it this client cannot hold its rules on certificates",
            )),
            Some("https") if key.is_single_use => {
                let make = || build(single_use((self.0.step)(ClientBuilder::new())));
                self.0.https.of(key, make)
            }
            Some("https") => self.0.https.of(key, || {
                let first = self.locked_first().take();
                first.map_or_else(|| build((self.0.step)(ClientBuilder::new())), Ok)
            }),
            // No setting of anybody's, and no proxy, which would read the secret.
            _ if is_loopback(uri.host().unwrap_or_default()) => LOOPBACK.of(key, || {
                let builder = without_roots(ClientBuilder::new().no_proxy());
                build(if key.is_single_use { single_use(builder) } else { builder })
            }),
            _ => Err(Error::config("a secret would travel in plain http: use https")),
        }
    }
}

/// A connection of its own for each request: none is kept, and none carries two at once.
fn single_use(builder: ClientBuilder) -> ClientBuilder {
    builder.pool_max_idle_per_host(0).http1_only()
}

/// Plain http trusts nobody, so no certificate is read from the disk.
fn without_roots(builder: ClientBuilder) -> ClientBuilder {
    #[cfg(any(feature = "rustls", feature = "rustls-no-provider", feature = "native-tls"))]
    let builder = builder.tls_certs_only([]);
    builder
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
        // What old servers send, and every other client takes.
        .http1_allow_spaces_after_header_name_in_responses(true)
        .http1_allow_obsolete_multiline_headers_in_responses(true)
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
    // Rustls, which another crate may have turned on, keeps a key log that only its feature can
    // turn off.
    #[cfg(all(
        feature = "native-tls",
        not(any(feature = "rustls", feature = "rustls-no-provider"))
    ))]
    let builder = builder.tls_backend_native();
    // reqwest panics where rustls has no crypto provider.
    match catch_unwind(AssertUnwindSafe(|| builder.build())) {
        Ok(Ok(client)) => Ok(client),
        Ok(Err(cause)) => {
            let cause = cause.without_url();
            let text = format!(
                "the HTTP client could not be set up ({}): install `ca-certificates` or set SSL_CERT_FILE, and check proxy and TLS settings",
                innermost(&cause)
            );
            Err(Error::config(text).with_source(cause))
        }
        Err(_) => Err(Error::config(
            "the HTTP client could not be set up, its TLS library panicked: with the feature rustls-no-provider, install a crypto provider of rustls before the first client",
        )),
    }
}

#[async_trait]
impl HttpClient for ReqwestClient {
    async fn send(&self, request: HttpRequest) -> Result<HttpResponse, Error> {
        let Ok(runtime) = Handle::try_current() else {
            return Err(Error::config(
                "this HTTP client needs a tokio runtime: call from one, or hand in an HttpClient of your own",
            ));
        };
        let at = address(request.uri());
        let is_single_use = asks_to_close(request.headers());
        let client = self.client(request.uri(), Key { runtime: runtime.id(), is_single_use })?;
        let request = reqwest::Request::try_from(request).map_err(|cause| {
            Error::config("the token request is not valid").with_source(cause.without_url())
        })?;
        with_drivers(async {
            let mut response = client.execute(request).await.map_err(|e| failure(e, &at))?;
            let body = read_body(&mut response, &at).await?;
            let mut answer = HttpResponse::new(body.into_bytes());
            *answer.status_mut() = response.status();
            *answer.headers_mut() = std::mem::take(response.headers_mut());
            Ok(answer)
        })
        .await
    }
}

/// Tokio panics where a runtime lacks the driver for sockets or for time, or was shut down, and
/// offers no way to ask first. Every other panic goes on.
async fn with_drivers<T>(send: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
    let mut send = std::pin::pin!(send);
    std::future::poll_fn(|cx| {
        match catch_unwind(AssertUnwindSafe(|| send.as_mut().poll(cx))) {
            Ok(poll) => poll,
            // What panicked is not polled again.
            Err(payload) => match runtime_fault(&*payload) {
                Some(error) => std::task::Poll::Ready(Err(error)),
                None => resume_unwind(payload),
            },
        }
    })
    .await
}

/// What is wrong with the runtime, where a panic of tokio's says so. The payload is read and never
/// shown.
fn runtime_fault(payload: &(dyn Any + Send)) -> Option<Error> {
    let text = payload
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| payload.downcast_ref::<&'static str>().copied())?;
    if says_shut_down(text) {
        return Some(shut_down());
    }
    let driver = ["enable_io", "enable_time"].into_iter().find(|driver| text.contains(driver))?;
    Some(Error::config(format!(
        "the tokio runtime lacks a driver that this HTTP client needs: call {driver} or enable_all on its builder"
    )))
}

/// The body of an answer, up to the limit. A success needs all of it. For anything else the status
/// and the headers are the news, so a body that does not end in time is cut where it stands.
async fn read_body(response: &mut reqwest::Response, at: &str) -> Result<WipedBuffer, Error> {
    let mut body = WipedBuffer::default();
    if response.status().is_success() {
        read(response, &mut body, BODY_LIMIT + 1).await.map_err(|cause| failure(cause, at))?;
        if body.len() > BODY_LIMIT {
            let text = "the answer is longer than 64 KiB, so it is no token response";
            return Err(Error::protocol(text).with_status(response.status()));
        }
    } else {
        let reading = read(response, &mut body, BODY_LIMIT);
        let _ = tokio::time::timeout(ERROR_BODY_TIMEOUT, reading).await;
    }
    Ok(body)
}

/// Reads until the end, or until `limit` bytes are there.
async fn read(
    response: &mut reqwest::Response,
    body: &mut WipedBuffer,
    limit: usize,
) -> Result<(), reqwest::Error> {
    while let Some(chunk) = response.chunk().await? {
        let room = limit.saturating_sub(body.len());
        body.extend_from_slice(chunk.get(..room).unwrap_or(&chunk));
        if body.len() >= limit {
            break;
        }
    }
    Ok(())
}

/// Whether a request wants a connection of its own (RFC 9112 section 9.6).
fn asks_to_close(headers: &HeaderMap) -> bool {
    headers.get(CONNECTION).is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"close"))
}

/// The host and port of a request, for a text.
fn address(uri: &Uri) -> String {
    let standard = if uri.scheme_str() == Some("https") { 443 } else { 80 };
    let port = uri.port_u16().unwrap_or(standard);
    format!("{}:{port}", uri.host().unwrap_or_default())
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

// Each for one set of features: `cargo test -p auth-core --no-default-features --features ..`.
#[cfg(test)]
mod tests {
    #[cfg(not(any(feature = "rustls", feature = "rustls-no-provider", feature = "native-tls")))]
    #[tokio::test]
    async fn https_is_refused_where_no_feature_of_ours_sets_the_rules_on_certificates() {
        use super::*;
        let mut request = HttpRequest::default();
        *request.uri_mut() = Uri::from_static("https://localhost:1/token");
        let client = ReqwestClient::configure(|builder| builder).unwrap();
        let error = client.send(request).await.unwrap_err();
        assert_eq!(error.kind(), crate::ErrorKind::Config);
        assert!(error.to_string().contains("rustls-no-provider"), "{error}");
    }

    #[cfg(all(
        feature = "rustls-no-provider",
        not(any(feature = "rustls", feature = "native-tls"))
    ))]
    #[test]
    fn without_a_crypto_provider_the_error_says_so() {
        let error = super::ReqwestClient::shared().unwrap_err();
        assert_eq!(error.kind(), crate::ErrorKind::Config);
        assert!(error.to_string().contains("crypto provider"), "{error}");
    }
}
