//! Faults that need the bare socket: resets, stalls, truncated responses.
//!
//! hyper reads the request. An error from the service then makes it release the connection, and the
//! socket comes back here with nothing written to it.

use std::io;
use std::time::Duration;

use socket2::SockRef;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::stream::Stream;

/// What to do with a socket instead of answering through hyper. The socket is closed afterwards.
pub(crate) enum Act {
    /// TCP RST.
    Reset,
    /// These bytes, then nothing until the client hangs up.
    Hold(Vec<u8>),
    /// These bytes, then an orderly close.
    Send(Vec<u8>),
    /// A head, then a body one byte at a time.
    Drip { head: Vec<u8>, body: Vec<u8>, pause: Duration },
    /// A head that declares chunks, then this many bytes of a JSON string that does not end.
    Flood { head: Vec<u8>, bytes: u64 },
}

/// Performs it. An error means that the client went away first, which is allowed.
pub(crate) async fn perform(act: Act, mut socket: Stream) -> io::Result<()> {
    match act {
        // With a linger time of zero, closing sends RST and drops what is still buffered.
        Act::Reset => return SockRef::from(socket.tcp()).set_linger(Some(Duration::ZERO)),
        Act::Hold(bytes) => {
            socket.write_all(&bytes).await?;
            return wait_for_hang_up(&mut socket).await;
        }
        Act::Send(bytes) => socket.write_all(&bytes).await?,
        Act::Drip { head, body, pause } => {
            socket.write_all(&head).await?;
            for byte in body {
                tokio::time::sleep(pause).await;
                socket.write_all(&[byte]).await?;
            }
        }
        Act::Flood { head, bytes } => {
            socket.write_all(&head).await?;
            flood(&mut socket, bytes).await?;
        }
    }
    socket.shutdown().await
}

/// Closes in an orderly way: a socket that is closed with unread data sends RST, and the client may
/// lose a response that it has not read yet, such as 431.
pub(crate) async fn close(mut socket: Stream) -> io::Result<()> {
    socket.shutdown().await?;
    tokio::time::timeout(PATIENCE, wait_for_hang_up(&mut socket)).await.unwrap_or(Ok(()))
}

/// For a client that neither reads nor hangs up.
const PATIENCE: Duration = Duration::from_secs(1);

/// Only a read shows that the other side has closed.
async fn wait_for_hang_up(socket: &mut Stream) -> io::Result<()> {
    let mut sink = [0; 1024];
    while socket.read(&mut sink).await? > 0 {}
    Ok(())
}

async fn flood(socket: &mut Stream, bytes: u64) -> io::Result<()> {
    const CHUNK: usize = 16 * 1024;
    let mut opening: &[u8] = br#"{"token":""#;
    let mut left = bytes;
    while left > 0 {
        let size = usize::try_from(left).map_or(CHUNK, |left| left.min(CHUNK));
        let mut chunk = format!("{size:x}\r\n").into_bytes();
        let opened = opening.len().min(size);
        chunk.extend(opening.iter().take(opened));
        chunk.resize(chunk.len() + size - opened, b'a');
        chunk.extend_from_slice(b"\r\n");
        opening = opening.get(opened..).unwrap_or_default();
        socket.write_all(&chunk).await?;
        left -= u64::try_from(size).unwrap_or(left);
    }
    socket.write_all(b"0\r\n\r\n").await
}
