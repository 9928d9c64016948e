//! A token endpoint on loopback, in its own thread: cheap, with a request counter, and configurable
//! at run time.
//!
//! It implements only the HTTP that the client needs: keep-alive, `Content-Length`, one write per
//! answer. The text of each token contains its expiry, so that a scenario can detect an expired
//! one.

use std::fmt::Write as _;
use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::sync::{Arc, LazyLock};
use std::time::{Duration, Instant};

use http::HeaderValue;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;

use crate::Outcome;
use crate::timing::now;

/// The length of every token, in characters.
pub(crate) const TOKEN_LENGTH: usize = 1_024;

/// How the endpoint answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Mood {
    /// A token.
    Grants,
    /// Status 500.
    Fails,
    /// It closes the connection without an answer.
    HangsUp,
    /// It reads the request and never answers.
    Silent,
}

/// The endpoint; it stops when dropped.
#[derive(Debug)]
pub(crate) struct Loopback {
    address: SocketAddr,
    dials: Arc<Dials>,
    _stop: oneshot::Sender<()>,
}

#[derive(Debug)]
struct Dials {
    requests: AtomicU64,
    latency: AtomicU64,
    lifetime: AtomicU64,
    mood: AtomicU8,
}

impl Loopback {
    /// Listens on a free port. By default it answers at once, with tokens of an hour.
    pub(crate) fn start() -> Outcome<Self> {
        let dials = Arc::new(Dials {
            requests: AtomicU64::new(0),
            latency: AtomicU64::new(0),
            lifetime: AtomicU64::new(3_600_000),
            mood: AtomicU8::new(Mood::Grants as u8),
        });
        let socket = std::net::TcpListener::bind("127.0.0.1:0")?;
        socket.set_nonblocking(true)?;
        let address = socket.local_addr()?;
        let (stop, stopped) = oneshot::channel();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let turned = Arc::clone(&dials);
        std::thread::spawn(move || {
            runtime.block_on(async {
                tokio::select! {
                    _ = accept(socket, turned) => {}
                    _ = stopped => {}
                }
            });
        });
        Ok(Self { address, dials, _stop: stop })
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}/token", self.address)
    }

    /// Sets how long each answer takes.
    pub(crate) fn latency(self, latency: Duration) -> Self {
        let latency = u64::try_from(latency.as_millis()).unwrap_or(u64::MAX);
        self.dials.latency.store(latency, Ordering::Relaxed);
        self
    }

    /// Sets how long tokens live, counted from the arrival of the request.
    pub(crate) fn lifetime(self, lifetime: Duration) -> Self {
        let lifetime = u64::try_from(lifetime.as_millis()).unwrap_or(u64::MAX);
        self.dials.lifetime.store(lifetime, Ordering::Relaxed);
        self
    }

    pub(crate) fn turn(&self, mood: Mood) {
        self.dials.mood.store(mood as u8, Ordering::Relaxed);
    }

    /// Requests received since the last call.
    pub(crate) fn take_requests(&self) -> u64 {
        self.dials.requests.swap(0, Ordering::Relaxed)
    }
}

/// Whether the token in this header has expired.
pub(crate) fn has_ended(authorization: &HeaderValue) -> bool {
    let ends =
        authorization.to_str().ok().and_then(|text| text.split('.').nth(1)?.parse::<u128>().ok());
    ends.is_none_or(|ends| age().as_micros() >= ends)
}

/// A unique token that expires after `lifetime`.
pub(crate) fn token(serial: u64, lifetime: Duration) -> String {
    let ends = (age() + lifetime).as_micros();
    let mut token = String::with_capacity(TOKEN_LENGTH);
    // Writing to a string cannot fail.
    let _ = write!(token, "{serial:010}.{ends:020}.");
    let padding = TOKEN_LENGTH.saturating_sub(token.len());
    token.push_str(PADDING.get(..padding).unwrap_or_default());
    token
}

/// The padding of tokens.
static PADDING: LazyLock<String> = LazyLock::new(|| "x".repeat(TOKEN_LENGTH));

/// The time since the first call.
fn age() -> Duration {
    static ORIGIN: LazyLock<Instant> = LazyLock::new(now);
    now().duration_since(*ORIGIN)
}

async fn accept(socket: std::net::TcpListener, dials: Arc<Dials>) -> io::Result<()> {
    let listener = TcpListener::from_std(socket)?;
    loop {
        let (socket, _) = listener.accept().await?;
        socket.set_nodelay(true)?;
        tokio::spawn(serve(socket, Arc::clone(&dials)));
    }
}

/// Answers one request after the other on one connection.
async fn serve(mut socket: TcpStream, dials: Arc<Dials>) -> io::Result<()> {
    let mut buffer = Vec::with_capacity(4_096);
    while read_request(&mut socket, &mut buffer).await? {
        let serial = dials.requests.fetch_add(1, Ordering::Relaxed);
        let lifetime = dials.lifetime.load(Ordering::Relaxed);
        let token = token(serial, Duration::from_millis(lifetime));
        // The answer is decided when the request arrives, so that a request in an outage fails.
        let mood = dials.mood.load(Ordering::Relaxed);
        let latency = dials.latency.load(Ordering::Relaxed);
        if latency > 0 {
            tokio::time::sleep(Duration::from_millis(latency)).await;
        }
        let (status, body) = match mood {
            m if m == Mood::HangsUp as u8 => return Ok(()),
            m if m == Mood::Silent as u8 => std::future::pending().await,
            m if m == Mood::Fails as u8 => {
                ("500 Internal Server Error", r#"{"error":"down"}"#.to_owned())
            }
            _ => ("200 OK", format!(r#"{{"token":"{token}","expires_in_ms":{lifetime}}}"#)),
        };
        let answer = format!(
            "HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        );
        socket.write_all(answer.as_bytes()).await?;
    }
    Ok(())
}

/// Reads and discards one request; `false` if the client closed.
async fn read_request(socket: &mut TcpStream, buffer: &mut Vec<u8>) -> io::Result<bool> {
    loop {
        if let Some(length) = request_length(buffer) {
            buffer.drain(..length);
            return Ok(true);
        }
        if socket.read_buf(buffer).await? == 0 {
            return Ok(false);
        }
    }
}

/// The length of the request at the start of the buffer, if it is complete.
fn request_length(buffer: &[u8]) -> Option<usize> {
    let head = buffer.windows(4).position(|w| w == b"\r\n\r\n")?;
    let text = std::str::from_utf8(buffer.get(..head)?).ok()?;
    let body = text
        .lines()
        .filter_map(|line| line.split_once(':'))
        .find(|(name, _)| name.eq_ignore_ascii_case("content-length"))
        .and_then(|(_, value)| value.trim().parse().ok())
        .unwrap_or(0);
    let length = head + 4 + body;
    (buffer.len() >= length).then_some(length)
}
