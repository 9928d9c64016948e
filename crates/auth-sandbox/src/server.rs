//! The accept loops, on their own thread and runtime.
//!
//! Not on the caller's runtime: this way the sandbox also serves tests that block their only thread or
//! pause tokio's clock, and dropping it stops everything before the drop returns, because the tasks are
//! dropped with their runtime.

use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{oneshot, watch};
use tokio::task::JoinSet;
#[cfg(feature = "tls")]
use tokio_rustls::TlsAcceptor;

use crate::Error;
use crate::request::Request;
use crate::service::Outcome;
use crate::site::{Met, Site};
use crate::stream::Stream;
use crate::wire::{self, Act};

/// The approximate limit of a request head: hyper checks after it has read, not before.
const HEAD_CAP: usize = 32 * 1024;

/// A running server. Dropping it stops it, and waits until it has stopped.
#[derive(Debug)]
pub(crate) struct Server {
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    /// Serves each listener with its service. The listeners are already bound, so a client can connect
    /// as soon as this returns.
    pub(crate) fn start(
        listeners: Vec<(std::net::TcpListener, Site)>,
        #[cfg(feature = "tls")] tls: Option<TlsAcceptor>,
    ) -> Result<Self, Error> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(Error::Thread)?;
        let listeners = {
            let _context = runtime.enter();
            let tokio_listener = |(listener, site): (std::net::TcpListener, _)| {
                listener.set_nonblocking(true)?;
                Ok((TcpListener::from_std(listener)?, site))
            };
            let all: Result<Vec<_>, _> = listeners.into_iter().map(tokio_listener).collect();
            all.map_err(Error::Thread)?
        };
        let (stop, stopped) = oneshot::channel();
        let thread = std::thread::Builder::new().name("auth-sandbox".to_owned()).spawn(move || {
            runtime.block_on(async move {
                let mut loops = JoinSet::new();
                for (listener, site) in listeners {
                    let door = Door {
                        #[cfg(feature = "tls")]
                        tls: tls.clone().filter(|_| !matches!(site, Site::Control(_))),
                        site,
                    };
                    loops.spawn(accept(listener, Arc::new(door)));
                }
                let _ = stopped.await;
            });
        });
        Ok(Self { stop: Some(stop), thread: Some(thread.map_err(Error::Thread)?) })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// What a listener leads to.
struct Door {
    #[cfg(feature = "tls")]
    tls: Option<TlsAcceptor>,
    site: Site,
}

impl Door {
    /// TLS, where there is any. `None` if the client will not.
    async fn open(&self, socket: TcpStream) -> Option<Stream> {
        #[cfg(feature = "tls")]
        if let Some(tls) = &self.tls {
            let shaken = tokio::time::timeout(HANDSHAKE, tls.accept(socket)).await;
            return match shaken {
                Ok(Ok(stream)) => Some(Stream::Tls(Box::new(stream))),
                Ok(Err(error)) => {
                    self.site.unshaken(&error.to_string());
                    None
                }
                Err(_) => {
                    self.site.unshaken("it took too long");
                    None
                }
            };
        }
        Some(Stream::Plain(socket))
    }
}

/// How long a client may take for its handshake.
#[cfg(feature = "tls")]
const HANDSHAKE: Duration = Duration::from_secs(10);

/// Accepts until it is dropped, and its connections with it.
async fn accept(listener: TcpListener, door: Arc<Door>) {
    let mut connections = JoinSet::new();
    loop {
        let Ok((socket, peer)) = listener.accept().await else {
            // Probably out of file descriptors: give connections time to end.
            tokio::time::sleep(Duration::from_millis(10)).await;
            continue;
        };
        door.site.connected();
        while connections.try_join_next().is_some() {}
        connections.spawn(connection(socket, peer.ip(), Arc::clone(&door)));
    }
}

/// One connection, from its first request to its end.
async fn connection(socket: TcpStream, peer: IpAddr, door: Arc<Door>) {
    // Without it, single bytes would arrive in groups.
    let _ = socket.set_nodelay(true);
    let Some(socket) = door.open(socket).await else {
        return;
    };
    let site = &door.site;
    let taken: Mutex<Option<(Act, watch::Receiver<()>)>> = Mutex::new(None);
    let slot = || taken.lock().unwrap_or_else(PoisonError::into_inner);
    let met = Met::default();

    let respond = |request: hyper::Request<Incoming>| {
        let (slot, met) = (&slot, &met);
        async move {
            let request = Request::read(request, peer).await.map_err(|_| LetGo)?;
            match site.serve(request, met).await {
                (Outcome::Answer(answer), now) => Ok(answer.into_response(now)),
                (Outcome::Take(act, resets), _) => {
                    *slot() = Some((act, resets));
                    Err(LetGo)
                }
            }
        }
    };
    let mut http = http1::Builder::new()
        .max_buf_size(HEAD_CAP)
        .serve_connection(TokioIo::new(socket), service_fn(|request| Box::pin(respond(request))));
    // An error means that the client sent no HTTP or left, or is our own `LetGo`.
    let _ = std::future::poll_fn(|context| http.poll_without_shutdown(context)).await;
    let act = slot().take();
    let socket = http.into_parts().io.into_inner();
    // The client is gone, so there is nobody to tell.
    let _ = match act {
        // Dropping the socket ends what was held up.
        Some((act, mut resets)) => tokio::select! {
            done = wire::perform(act, socket) => done,
            _ = resets.changed() => Ok(()),
        },
        None => wire::close(socket).await,
    };
}

/// Why the service gave no response: the connection was taken from hyper.
#[derive(Debug, thiserror::Error)]
#[error("the connection was taken over")]
struct LetGo;
