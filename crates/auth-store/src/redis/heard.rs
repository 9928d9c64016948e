//! A stream that remembers how the server began, and how TLS ended: the crate redis does not say.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::trouble::tls_cause;

/// What was heard on a stream.
#[derive(Clone, Debug, Default)]
pub(super) struct Hearing(Arc<Notes>);

#[derive(Debug, Default)]
struct Notes {
    first_byte: OnceLock<u8>,
    tls_error: OnceLock<rustls::Error>,
}

impl Hearing {
    /// The first byte that the server sent, which tells HTTP and TLS from Redis.
    pub(super) fn first_byte(&self) -> Option<u8> {
        self.0.first_byte.get().copied()
    }

    /// Why TLS ended. A server of TLS 1.3 refuses a client's certificate after the handshake.
    pub(super) fn tls_error(&self) -> Option<&rustls::Error> {
        self.0.tls_error.get()
    }
}

pub(super) struct Heard<S> {
    stream: S,
    hearing: Hearing,
}

impl<S> Heard<S> {
    pub(super) fn new(stream: S) -> (Self, Hearing) {
        let hearing = Hearing::default();
        (Self { stream, hearing: hearing.clone() }, hearing)
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Heard<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let poll = Pin::new(&mut self.stream).poll_read(cx, buffer);
        let notes = &self.hearing.0;
        if let Some(byte) = buffer.filled().get(before) {
            notes.first_byte.get_or_init(|| *byte);
        }
        if let Poll::Ready(Err(error)) = &poll
            && let Some(error) = tls_cause(error)
        {
            notes.tls_error.get_or_init(|| error.clone());
        }
        poll
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Heard<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
