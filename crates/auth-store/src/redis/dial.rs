//! Makes a connection: names, TCP, TLS. The crate redis could, with the TLS provider of the process,
//! and panics where there is none or two.

use std::future::{Future, poll_fn};
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::task::Poll;

use auth_core::BoxFuture;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::net::{TcpStream, lookup_host};
use tokio_rustls::TlsConnector;

use super::link::Link;
use super::settings::Settings;
use super::trouble::Trouble;
use super::url::Url;

/// How many addresses of one name are tried.
const ADDRESSES: usize = 8;

/// # If the caller goes away
/// Nothing stays.
pub(super) async fn dial(settings: &Settings) -> Result<Link, Trouble> {
    let url = settings.url()?;
    let url: &Url = &url;
    let stream = tcp(url).await?;
    if !url.has_tls {
        return Link::open(stream, url).await;
    }
    let stream = tls(stream, url, settings.tls()?).await?;
    Link::open(stream, url).await
}

/// Connects to all addresses of the name at once; the first to answer is taken.
async fn tcp(url: &Url) -> Result<TcpStream, Trouble> {
    let unreached = |error: io::Error| Trouble::unreached(&url.address, &error);
    let connect = async {
        let addresses = lookup_host((url.host.as_str(), url.port)).await?;
        let attempts = addresses.take(ADDRESSES).map(|address| {
            let attempt: BoxFuture<'_, _> = Box::pin(TcpStream::connect(address));
            attempt
        });
        first_of(attempts.collect()).await
    };
    // tokio panics in a runtime whose I/O is not enabled.
    let Some(connected) = contained(connect).await else {
        return Err(Trouble::of(
            "the Redis store needs a tokio runtime with I/O: enable it (enable_all)",
        ));
    };
    let stream = connected.map_err(unreached)?;
    stream.set_nodelay(true).map_err(unreached)?;
    Ok(stream)
}

async fn tls(
    stream: TcpStream,
    url: &Url,
    config: Arc<ClientConfig>,
) -> Result<tokio_rustls::client::TlsStream<TcpStream>, Trouble> {
    let name = ServerName::try_from(url.host.clone())
        .map_err(|_| Trouble::setting(&url.address, "has a name that no certificate can have"))?;
    let made = TlsConnector::from(config).connect(name, stream).await;
    made.map_err(|error| Trouble::handshake(&url.address, &error))
}

/// Whether the server has TLS where the URL has none, or the reverse. It is not told who we are.
pub(super) async fn is_other_kind(settings: &Settings, url: &Url) -> bool {
    if url.has_tls { is_plain(url).await.unwrap_or(false) } else { has_tls(settings, url).await }
}

async fn is_plain(url: &Url) -> Option<bool> {
    let stream = tcp(url).await.ok()?;
    stream.writable().await.ok()?;
    stream.try_write(b"PING\r\n").ok()?;
    let mut first = [0];
    stream.readable().await.ok()?;
    stream.try_read(&mut first).ok()?;
    // A password that is missing, or protected mode, is an answer too: `-NOAUTH`, `-DENIED`.
    Some(matches!(first, [b'+' | b'-']))
}

async fn has_tls(settings: &Settings, url: &Url) -> bool {
    let (Ok(stream), Ok(config)) = (tcp(url).await, settings.tls()) else {
        return false;
    };
    match tls(stream, url, config).await {
        Ok(_) => true,
        Err(trouble) => trouble.heard_tls,
    }
}

/// The first success, or the last failure.
async fn first_of<T>(mut attempts: Vec<BoxFuture<'_, io::Result<T>>>) -> io::Result<T> {
    let mut last = io::Error::from(io::ErrorKind::NotFound);
    poll_fn(move |cx| {
        let mut outcome = None;
        attempts.retain_mut(|attempt| match attempt.as_mut().poll(cx) {
            Poll::Pending => true,
            Poll::Ready(Ok(value)) => {
                outcome = Some(value);
                false
            }
            Poll::Ready(Err(error)) => {
                last = error;
                false
            }
        });
        match outcome {
            Some(value) => Poll::Ready(Ok(value)),
            None if attempts.is_empty() => Poll::Ready(Err(last.kind().into())),
            None => Poll::Pending,
        }
    })
    .await
}

/// A future's output, or `None` if it panicked. Its payload is neither read nor dropped.
async fn contained<F: Future>(future: F) -> Option<F::Output> {
    let mut future = Box::pin(future);
    poll_fn(move |cx| {
        // Not polled again after a panic, so its broken state is never observed.
        match catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(cx))) {
            Ok(poll) => poll.map(Some),
            Err(payload) => {
                std::mem::forget(payload);
                Poll::Ready(None)
            }
        }
    })
    .await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_address_that_is_silent_or_fails_does_not_stop_another() {
        let attempts: Vec<BoxFuture<'_, io::Result<u8>>> = vec![
            Box::pin(std::future::pending()),
            Box::pin(async { Err(io::ErrorKind::ConnectionRefused.into()) }),
            Box::pin(async {
                tokio::task::yield_now().await;
                Ok(3)
            }),
        ];
        assert_eq!(first_of(attempts).await.unwrap(), 3);
        let attempts: Vec<BoxFuture<'_, io::Result<u8>>> =
            vec![Box::pin(async { Err(io::ErrorKind::ConnectionRefused.into()) })];
        let error = first_of(attempts).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::ConnectionRefused);
        assert!(first_of::<u8>(Vec::new()).await.is_err());
    }
}
