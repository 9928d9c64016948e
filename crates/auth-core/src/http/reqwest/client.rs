//! `ReqwestClient`: its settings, its fixed rules, and how it sends one request.

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
use crate::error::cause::innermost;
use crate::error::runtime::shut_down;
use crate::http::{BODY_LIMIT, HttpClient, HttpRequest, HttpResponse};
use crate::panics::contained_call;
use crate::secret::WipedBuffer;

/// The longest time to connect.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// The longest time for one request as a whole. The engine's limit is shorter; this one is for a
/// client that is used without the engine.
const TIMEOUT: Duration = Duration::from_secs(30);
/// The longest time for the body of anything but a success.
const ERROR_BODY_TIMEOUT: Duration = Duration::from_secs(1);

/// Whether a TLS feature of this crate is enabled. If not, the TLS rules below are not compiled, so
/// https is refused, even if another crate enabled TLS in reqwest.
const HAS_TLS: bool =
    cfg!(any(feature = "rustls", feature = "rustls-no-provider", feature = "native-tls"));

/// An [`HttpClient`] over reqwest, with fixed rules that override every setting of yours.
///
/// The rules: no redirects; TLS 1.2 or later with verified certificates; no key log; plain http
/// only to loopback hosts, and never through a proxy; no decompression; no retries of its own; no
/// wire logs; 5 s to connect and 30 s in all; reading stops at 64 KiB of body, and after one second
/// if the status is not a success.
///
/// They hold with every combination of features: without one of this crate's TLS features
/// (`rustls`, `rustls-no-provider`, `native-tls`) https is refused, and with only `native-tls` the
/// TLS library is the system's, even if a setting of yours selects another.
///
/// Cheap to clone; clones share their connections. Sources use [`shared`](Self::shared) unless the
/// builder is given another client, so that a second source sets up no second TLS. Each runtime has
/// its own connections, so a runtime that is not driven blocks no other.
///
/// Proxies are taken from the environment (`HTTPS_PROXY`, `NO_PROXY`) as reqwest does: https goes
/// through them as a tunnel, so a proxy sees host names but never a secret. To disable them, or to
/// add a certificate authority, [`configure`](Self::configure) a client of your own.
///
/// ```
/// use auth_core::ReqwestClient;
///
/// let client = ReqwestClient::configure(|builder| builder.no_proxy())?;
/// # Ok::<(), auth_core::Error>(())
/// ```
#[derive(Clone)]
pub struct ReqwestClient(Arc<Shared>);

struct Shared {
    step: Box<dyn Fn(ClientBuilder) -> ClientBuilder + Send + Sync>,
    is_proved: AtomicBool,
    /// Made when the settings were checked; the first runtime that sends a request takes it.
    first: Mutex<Option<Client>>,
    https: Kept,
}

impl ReqwestClient {
    /// Returns the client that all sources of this process share.
    ///
    /// # Errors
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) if the TLS library cannot be set up. The
    /// next call tries again.
    pub fn shared() -> Result<Self, Error> {
        let shared = Self::unproved();
        shared.prove()?;
        Ok(shared.clone())
    }

    /// Makes a client of your own: `step` sets what you need (a proxy, a certificate authority, a
    /// local address), and the rules above are applied after it.
    ///
    /// `step` is called once now, and once for each further runtime that uses https. Plain http to
    /// loopback hosts ignores your settings.
    ///
    /// One setting escapes the rules: a complete TLS configuration (`tls_backend_preconfigured`)
    /// decides itself how certificates are verified.
    ///
    /// # Errors
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) if reqwest refuses the settings.
    pub fn configure(
        step: impl Fn(ClientBuilder) -> ClientBuilder + Send + Sync + 'static,
    ) -> Result<Self, Error> {
        let client = Self::new(step);
        client.prove()?;
        Ok(client)
    }

    /// The shared client, before its TLS is set up: plain http needs none.
    pub(super) fn unproved() -> &'static Self {
        static SHARED: OnceLock<ReqwestClient> = OnceLock::new();
        SHARED.get_or_init(|| Self::new(|builder| builder))
    }

    fn new(step: impl Fn(ClientBuilder) -> ClientBuilder + Send + Sync + 'static) -> Self {
        Self(Arc::new(Shared {
            step: Box::new(step),
            is_proved: AtomicBool::new(false),
            first: Mutex::default(),
            https: Kept::new(),
        }))
    }

    /// Makes the first https client, unless it was made before. A failure is not cached: a
    /// certificate bundle may be installed, or a file descriptor be free, a moment later.
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

    /// The client for a URL, with connections on the runtime of `key`.
    fn client(&self, uri: &Uri, key: Key) -> Result<Client, Error> {
        static LOOPBACK: Kept = Kept::new();
        match uri.scheme_str() {
            Some("https") if !HAS_TLS => Err(Error::config(
                "https needs one of auth-core's features rustls, rustls-no-provider or native-tls: without one this client cannot enforce certificate checks",
            )),
            Some("https") if key.is_single_use => {
                let make = || build(single_use((self.0.step)(ClientBuilder::new())));
                self.0.https.of(key, make)
            }
            Some("https") => self.0.https.of(key, || {
                let first = self.locked_first().take();
                first.map_or_else(|| build((self.0.step)(ClientBuilder::new())), Ok)
            }),
            // No setting of the user's, and no proxy, which could read the secret.
            _ if is_loopback(uri.host().unwrap_or_default()) => LOOPBACK.of(key, || {
                let builder = without_roots(ClientBuilder::new().no_proxy());
                build(if key.is_single_use { single_use(builder) } else { builder })
            }),
            _ => Err(Error::config("plain http would expose the secret: use https")),
        }
    }
}

/// Uses a new connection for each request: none is pooled, and none carries two at once.
fn single_use(builder: ClientBuilder) -> ClientBuilder {
    builder.pool_max_idle_per_host(0).http1_only()
}

/// Plain http needs no certificates, so none are read from disk.
fn without_roots(builder: ClientBuilder) -> ClientBuilder {
    #[cfg(any(feature = "rustls", feature = "rustls-no-provider", feature = "native-tls"))]
    let builder = builder.tls_certs_only([]);
    builder
}

/// Applies the fixed rules and builds the client.
fn build(builder: ClientBuilder) -> Result<Client, Error> {
    let builder = builder
        .redirect(redirect::Policy::none())
        .referer(false)
        .retry(retry::never())
        .connection_verbose(false)
        .connect_timeout(CONNECT_TIMEOUT)
        .timeout(TIMEOUT)
        // Old servers send these, and every other client accepts them.
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
    // Another crate may have enabled rustls, whose key log can only be disabled with its feature.
    #[cfg(all(
        feature = "native-tls",
        not(any(feature = "rustls", feature = "rustls-no-provider"))
    ))]
    let builder = builder.tls_backend_native();
    // reqwest panics if rustls has no crypto provider.
    match contained_call(|| builder.build()) {
        Some(Ok(client)) => Ok(client),
        Some(Err(cause)) => {
            let cause = cause.without_url();
            let text = format!(
                "the HTTP client could not be set up ({}): install `ca-certificates` or set SSL_CERT_FILE, and check proxy and TLS settings",
                innermost(&cause)
            );
            Err(Error::config(text).with_source(cause))
        }
        None => Err(Error::config(
            "the HTTP client could not be set up, its TLS library panicked: with the feature rustls-no-provider, install a rustls crypto provider before the first client is made",
        )),
    }
}

#[async_trait]
impl HttpClient for ReqwestClient {
    async fn send(&self, request: HttpRequest) -> Result<HttpResponse, Error> {
        let Ok(runtime) = Handle::try_current() else {
            return Err(Error::config(
                "this HTTP client needs a tokio runtime: call it from one, or pass in an HttpClient of your own",
            ));
        };
        let at = address(request.uri());
        let is_single_use = asks_to_close(request.headers());
        let client = self.client(request.uri(), Key { runtime: runtime.id(), is_single_use })?;
        let request = reqwest::Request::try_from(request).map_err(|cause| {
            Error::config("the token request is not a valid HTTP request")
                .with_source(cause.without_url())
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

/// Turns a panic about the runtime into an error: tokio panics if a runtime lacks its driver for
/// sockets or for time, or was shut down, and offers no way to check first. Every other panic continues.
async fn with_drivers<T>(send: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
    let mut send = std::pin::pin!(send);
    std::future::poll_fn(|cx| {
        match catch_unwind(AssertUnwindSafe(|| send.as_mut().poll(cx))) {
            Ok(poll) => poll,
            // The future is not polled again after a panic.
            Err(payload) => match runtime_fault(&*payload) {
                Some(error) => std::task::Poll::Ready(Err(error)),
                None => resume_unwind(payload),
            },
        }
    })
    .await
}

/// What is wrong with the runtime, if a panic of tokio's says so. The payload is searched, never shown.
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

/// The body of an answer, up to the limit. A success needs all of it. For errors status and headers
/// are enough, so a body that does not end in time is cut.
async fn read_body(response: &mut reqwest::Response, at: &str) -> Result<WipedBuffer, Error> {
    let mut body = WipedBuffer::default();
    if response.status().is_success() {
        read(response, &mut body, BODY_LIMIT + 1).await.map_err(|cause| failure(cause, at))?;
        if body.len() > BODY_LIMIT {
            let text = "the answer is longer than 64 KiB, so it is not a token response";
            return Err(Error::protocol(text).with_status(response.status()));
        }
    } else {
        let reading = read(response, &mut body, BODY_LIMIT);
        let _ = tokio::time::timeout(ERROR_BODY_TIMEOUT, reading).await;
    }
    Ok(body)
}

/// Reads to the end, or until `limit` bytes have arrived.
async fn read(
    response: &mut reqwest::Response,
    body: &mut WipedBuffer,
    limit: usize,
) -> Result<(), reqwest::Error> {
    while let Some(chunk) = response.chunk().await? {
        let left = limit.saturating_sub(body.len());
        body.extend_from_slice(chunk.get(..left).unwrap_or(&chunk));
        if body.len() >= limit {
            break;
        }
    }
    Ok(())
}

/// Whether a request asks for `Connection: close` (RFC 9112 section 9.6).
fn asks_to_close(headers: &HeaderMap) -> bool {
    headers.get(CONNECTION).is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"close"))
}

/// The host and port of a request, for error texts.
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
    // reqwest's `Debug` shows default headers, which may contain a secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReqwestClient").finish_non_exhaustive()
    }
}

// Each test needs its own features: `cargo test -p auth-core --no-default-features --features ..`.
#[cfg(test)]
mod tests {
    #[cfg(not(any(feature = "rustls", feature = "rustls-no-provider", feature = "native-tls")))]
    #[tokio::test]
    async fn https_is_refused_without_a_tls_feature_of_this_crate() {
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
