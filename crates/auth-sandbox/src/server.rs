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
use tokio::sync::oneshot;
use tokio::task::JoinSet;

use crate::Error;
use crate::request::Request;
use crate::service::{Outcome, Service};
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
        listeners: Vec<(std::net::TcpListener, Arc<Service>)>,
    ) -> Result<Self, Error> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(Error::Thread)?;
        let listeners = {
            let _context = runtime.enter();
            let tokio_listener = |(listener, service): (std::net::TcpListener, _)| {
                listener.set_nonblocking(true)?;
                Ok((TcpListener::from_std(listener)?, service))
            };
            let all: Result<Vec<_>, _> = listeners.into_iter().map(tokio_listener).collect();
            all.map_err(Error::Thread)?
        };
        let (stop, stopped) = oneshot::channel();
        let thread = std::thread::Builder::new().name("auth-sandbox".to_owned()).spawn(move || {
            runtime.block_on(async move {
                let mut loops = JoinSet::new();
                for (listener, service) in listeners {
                    loops.spawn(accept(listener, service));
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

/// Accepts until it is dropped, and its connections with it.
async fn accept(listener: TcpListener, service: Arc<Service>) {
    let mut connections = JoinSet::new();
    loop {
        let Ok((socket, peer)) = listener.accept().await else {
            // Probably out of file descriptors: give connections time to end.
            tokio::time::sleep(Duration::from_millis(10)).await;
            continue;
        };
        service.shared.count(|seen| seen.connections += 1);
        while connections.try_join_next().is_some() {}
        connections.spawn(connection(socket, peer.ip(), Arc::clone(&service)));
    }
}

/// One connection, from its first request to its end.
async fn connection(socket: TcpStream, peer: IpAddr, service: Arc<Service>) {
    // Without it, single bytes would arrive in groups.
    let _ = socket.set_nodelay(true);
    let taken: Mutex<Option<Act>> = Mutex::new(None);
    let slot = || taken.lock().unwrap_or_else(PoisonError::into_inner);

    let respond = |request: hyper::Request<Incoming>| {
        let (service, slot) = (&service, &slot);
        async move {
            let request = Request::read(request, peer).await.map_err(|_| LetGo)?;
            match service.serve(&request).await {
                Outcome::Answer(answer) => Ok(answer.into_response(service.shared.now())),
                Outcome::Take(act) => {
                    *slot() = Some(act);
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
        Some(act) => wire::perform(act, socket).await,
        None => wire::close(socket).await,
    };
}

/// Why the service gave no response: the connection was taken from hyper.
#[derive(Debug, thiserror::Error)]
#[error("the connection was taken over")]
struct LetGo;
