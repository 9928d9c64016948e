//! The interface of everything measured: a source of complete `Authorization` headers.

use std::future::Future;

use auth_core::{CachedTokenSource, ReqwestClient, SharedTokenSource};
use auth_store::{MemoryBackend, SharedStore};
use http::HeaderValue;

use crate::flow::Flow;
use crate::{Failed, Outcome};

/// A get returns the complete header.
pub(crate) trait Get: Send + Sync + 'static {
    fn get(&self) -> impl Future<Output = Result<HeaderValue, Failed>> + Send;
}

/// Our source, with the type of its flow.
#[derive(Debug)]
pub(crate) struct Typed(pub(crate) CachedTokenSource<Flow>);

impl Typed {
    /// A source with default policies on this client.
    pub(crate) fn new(url: &str, client: &ReqwestClient) -> Outcome<Self> {
        let source =
            CachedTokenSource::builder(Flow::new(url)?).http_client(client.clone()).build()?;
        Ok(Self(source))
    }

    /// The same with a store.
    pub(crate) fn stored(url: &str, client: &ReqwestClient) -> Outcome<Self> {
        let store = SharedStore::unsealed(MemoryBackend::default());
        let builder = CachedTokenSource::builder(Flow::new(url)?).store(store);
        Ok(Self(builder.http_client(client.clone()).build()?))
    }
}

impl Get for Typed {
    async fn get(&self) -> Result<HeaderValue, Failed> {
        Ok(self.0.token().await?.authorization())
    }
}

/// Our source, erased.
#[derive(Debug)]
pub(crate) struct Erased(pub(crate) SharedTokenSource);

impl Get for Erased {
    async fn get(&self) -> Result<HeaderValue, Failed> {
        Ok(self.0.token().await?.authorization())
    }
}

/// The client of our sources, without the proxies of the environment.
pub(crate) fn client() -> Outcome<ReqwestClient> {
    Ok(ReqwestClient::configure(|builder| builder.no_proxy())?)
}
