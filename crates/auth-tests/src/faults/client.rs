//! The real HTTP client, with counters, and redirected to another port if the fault is one of
//! connecting.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock};

use async_trait::async_trait;
use auth_core::{Error, HttpClient, HttpRequest, HttpResponse, ReqwestClient};
use http::Uri;

/// The client of all cells: each new one would set up TLS again.
pub(super) fn client() -> &'static ReqwestClient {
    static CLIENT: OnceLock<ReqwestClient> = OnceLock::new();
    CLIENT.get_or_init(|| ReqwestClient::configure(|builder| builder.no_proxy()).unwrap())
}

/// `ReqwestClient`, with counts of requests sent and of requests over.
#[derive(Clone, Debug)]
pub(super) struct CountedClient {
    sent: Arc<AtomicUsize>,
    over: Arc<AtomicUsize>,
    /// Scheme and authority to use in place of the request's own.
    astray: Arc<Mutex<Option<(&'static str, String)>>>,
}

impl CountedClient {
    pub(super) fn new() -> Self {
        Self { sent: Arc::default(), over: Arc::default(), astray: Arc::default() }
    }

    pub(super) fn sent(&self) -> usize {
        self.sent.load(Ordering::SeqCst)
    }

    /// Requests that were answered, failed or abandoned.
    pub(super) fn over(&self) -> usize {
        self.over.load(Ordering::SeqCst)
    }

    pub(super) fn go_astray(&self, to: Option<(&'static str, String)>) {
        *self.astray.lock().unwrap() = to;
    }
}

/// Counts on drop, since the future of an attempt that times out is dropped.
struct Over<'a>(&'a AtomicUsize);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

#[async_trait]
impl HttpClient for CountedClient {
    async fn send(&self, mut request: HttpRequest) -> Result<HttpResponse, Error> {
        self.sent.fetch_add(1, Ordering::SeqCst);
        let _over = Over(&self.over);
        let astray = self.astray.lock().unwrap().clone();
        if let Some((scheme, authority)) = astray {
            let path = request.uri().path().to_owned();
            let uri = Uri::builder().scheme(scheme).authority(authority).path_and_query(path);
            *request.uri_mut() = uri.build().unwrap();
        }
        client().send(request).await
    }
}
