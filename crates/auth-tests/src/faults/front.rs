//! A TCP socket in front of the sandbox: forwards requests, or answers with bytes that no HTTP
//! server would write.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use socket2::SockRef;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Handle;
use tokio::task::JoinHandle;

/// What the socket does with a connection.
#[derive(Clone, Debug)]
pub struct Script {
    /// What it reads first.
    pub reads: Reads,
    /// What it does then, in this order. At the end it closes the connection normally.
    pub steps: Vec<Step>,
}

/// How much of a request is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reads {
    /// Nothing at all.
    Nothing,
    /// One `read`.
    Something,
    /// All of it.
    Request,
}

/// One action of the socket.
#[derive(Clone, Debug)]
pub enum Step {
    /// Writes these bytes.
    Write(Vec<u8>),
    /// Writes these bytes one at a time, with this pause before each.
    Trickle(Vec<u8>, Duration),
    /// Writes these bytes over and over, until the client closes.
    Endlessly(Vec<u8>),
    /// Waits until the client closes.
    Hold,
    /// Resets the connection (TCP RST).
    Reset,
    /// Forwards the request to the sandbox, and its answer back.
    PassOn,
}

/// The socket. It stops when dropped.
#[derive(Debug)]
pub(super) struct Front {
    address: SocketAddr,
    script: Arc<Mutex<Option<Script>>>,
    served: Arc<AtomicUsize>,
    task: JoinHandle<()>,
}

impl Front {
    /// A socket in front of the sandbox's port, which forwards everything at first.
    pub(super) async fn of(port: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let script = Arc::<Mutex<Option<Script>>>::default();
        let served = Arc::<AtomicUsize>::default();
        let (shared, count) = (Arc::clone(&script), Arc::clone(&served));
        let task = Handle::current().spawn(async move {
            // Dropped with this task, and every connection with it.
            let mut connections = tokio::task::JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                let script = shared.lock().unwrap().clone();
                let pass_on = Script { reads: Reads::Request, steps: vec![Step::PassOn] };
                let script = script.unwrap_or(pass_on);
                connections.spawn(play(stream, port, script, Arc::clone(&count)));
            }
        });
        Self { address, script, served, task }
    }

    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Plays the script from the next connection on; forwards with `None`.
    pub(super) fn set(&self, script: Option<Script>) {
        *self.script.lock().unwrap() = script;
    }

    /// Requests that were not forwarded.
    pub(super) fn served(&self) -> usize {
        self.served.load(Ordering::SeqCst)
    }
}

impl Drop for Front {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Plays the script until its end, or until the client closes.
async fn play(mut stream: TcpStream, port: u16, script: Script, served: Arc<AtomicUsize>) {
    let request = match script.reads {
        Reads::Nothing => Some(Vec::new()),
        Reads::Something => {
            let mut some = vec![0; 4096];
            stream.read(&mut some).await.ok().filter(|count| *count > 0).map(|_| some)
        }
        Reads::Request => read_request(&mut stream).await,
    };
    let Some(request) = request else { return };
    if !script.steps.iter().any(|step| matches!(step, Step::PassOn)) {
        served.fetch_add(1, Ordering::SeqCst);
    }
    for step in script.steps {
        let done = match step {
            Step::Write(bytes) => stream.write_all(&bytes).await,
            Step::Trickle(bytes, pause) => {
                for byte in bytes {
                    tokio::time::sleep(pause).await;
                    if stream.write_all(&[byte]).await.is_err() {
                        return;
                    }
                }
                Ok(())
            }
            Step::Endlessly(bytes) => loop {
                if stream.write_all(&bytes).await.is_err() {
                    return;
                }
                tokio::task::yield_now().await;
            },
            Step::Hold => {
                let mut sink = [0; 1024];
                while stream.read(&mut sink).await.is_ok_and(|count| count > 0) {}
                return;
            }
            Step::Reset => {
                // With a linger time of zero, closing sends RST and drops buffered bytes, so give
                // what was written time to be sent.
                tokio::time::sleep(Duration::from_millis(20)).await;
                let _ = SockRef::from(&stream).set_linger(Some(Duration::ZERO));
                return;
            }
            Step::PassOn => pass_on(&mut stream, port, &request).await,
        };
        if done.is_err() {
            return;
        }
    }
    let _ = stream.shutdown().await;
    // A socket that is closed with unread data sends RST, and the client may lose the answer.
    let mut sink = [0; 1024];
    let drained = async { while stream.read(&mut sink).await.is_ok_and(|count| count > 0) {} };
    let _ = tokio::time::timeout(Duration::from_secs(1), drained).await;
}

/// One whole request, head and body; `None` if the client closed.
async fn read_request(stream: &mut TcpStream) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    loop {
        let mut chunk = [0; 4096];
        let count = stream.read(&mut chunk).await.ok().filter(|count| *count > 0)?;
        bytes.extend_from_slice(&chunk[..count]);
        let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") else { continue };
        let head = String::from_utf8_lossy(&bytes[..end]).to_ascii_lowercase();
        let length = head.lines().find_map(|line| line.strip_prefix("content-length:"));
        let length: usize = length.map_or(0, |length| length.trim().parse().unwrap());
        if bytes.len() >= end + 4 + length {
            return Some(bytes);
        }
    }
}

/// Forwards a request on a new connection that is closed after it, so that the client's pool holds
/// none when a fault begins.
async fn pass_on(stream: &mut TcpStream, port: u16, request: &[u8]) -> std::io::Result<()> {
    let line = request.windows(2).position(|two| two == b"\r\n").unwrap() + 2;
    let text = String::from_utf8_lossy(&request[line..]).to_ascii_lowercase();
    let own: &[u8] =
        if text.contains("connection: close") { b"" } else { b"connection: close\r\n" };
    let mut sandbox = TcpStream::connect(("127.0.0.1", port)).await?;
    sandbox.write_all(&[&request[..line], own, &request[line..]].concat()).await?;
    tokio::io::copy(&mut sandbox, stream).await.map(drop)
}
