//! Parts of a replica's source that say or measure what passes through them.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use auth_core::{
    Ask, BoxFuture, Claim, Clock, Error, Event, HttpClient, HttpRequest, HttpResponse, Lease,
    Observer, Offered, Read, ReqwestClient, Settled, SystemClock, TokenStore,
};

use super::say;
use crate::time::{Queue, Took};

/// A store whose claims and leases are announced.
#[derive(Debug)]
pub(crate) struct Watched<S> {
    store: S,
    /// Whether the last claim found another process's lease, so that the next one is no new flight.
    waits: AtomicBool,
}

impl<S> Watched<S> {
    pub(crate) fn new(store: S) -> Self {
        Self { store, waits: AtomicBool::new(false) }
    }
}

#[async_trait]
impl<S: TokenStore> TokenStore for Watched<S> {
    async fn claim(&self, ask: &Ask<'_>) -> Claim {
        if !self.waits.load(Ordering::SeqCst) {
            say("claims");
        }
        let claim = self.store.claim(ask).await;
        self.waits.store(matches!(claim, Claim::Held { .. }), Ordering::SeqCst);
        if matches!(claim, Claim::Lease(_)) {
            say("leased");
        }
        claim
    }

    async fn renew(&self, ask: &Ask<'_>, lease: &Lease) {
        self.store.renew(ask, lease).await;
    }

    async fn settle(&self, ask: &Ask<'_>, lease: Option<Lease>, token: &Offered<'_>) -> Settled {
        self.store.settle(ask, lease, token).await
    }

    async fn release(&self, ask: &Ask<'_>, lease: Lease, said: Option<&Error>) {
        self.store.release(ask, lease, said).await;
    }
}

/// How long the last exchange took.
#[derive(Clone, Debug, Default)]
pub(crate) struct Exchanges(Arc<Mutex<Took>>);

impl Exchanges {
    pub(crate) fn last(&self) -> Took {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn set(&self, took: Took) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = took;
    }
}

/// A client that measures exchanges.
#[derive(Debug)]
pub(crate) struct Timed {
    client: ReqwestClient,
    exchanges: Exchanges,
}

impl Timed {
    pub(crate) fn new(exchanges: Exchanges) -> Result<Self, Error> {
        Ok(Self { client: ReqwestClient::shared()?, exchanges })
    }
}

#[async_trait]
impl HttpClient for Timed {
    async fn send(&self, request: HttpRequest) -> Result<HttpResponse, Error> {
        let queue = Queue::of_this_thread();
        let meter = queue.start();
        let answer = self.client.send(request).await;
        let took = meter.took();
        self.exchanges.set(took);
        let granted = answer.as_ref().is_ok_and(|answer| answer.status().is_success());
        if granted {
            say(&format!("granted {}", took.all.as_micros()));
        }
        answer
    }
}

/// The machine's clock with a wall clock that somebody set wrong, by so many seconds.
#[derive(Debug)]
pub(crate) struct Shifted(pub(crate) i64);

impl Clock for Shifted {
    fn monotonic(&self) -> Duration {
        SystemClock.monotonic()
    }

    fn wall(&self) -> SystemTime {
        let by = Duration::from_secs(self.0.unsigned_abs());
        if self.0 < 0 { SystemClock.wall() - by } else { SystemClock.wall() + by }
    }

    fn sleep(&self, span: Duration) -> BoxFuture<'static, ()> {
        SystemClock.sleep(span)
    }
}

/// How the last call got its token.
#[derive(Clone, Debug, Default)]
pub(crate) struct Seen(Arc<Mutex<Option<Read>>>);

impl Seen {
    pub(crate) fn last(&self) -> Option<Read> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

impl Observer for Seen {
    fn observe(&self, _: &'static str, event: &Event) {
        if let Event::Read(read) = event {
            *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(*read);
        }
    }
}
