//! No registry for loopback has a limit like that of crates.io, or a line that can go dead at the
//! worst moment: this stands before one.
//!
//! It speaks as much HTTP as cargo's uploads need: one request a connection, with a length.

use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

use jiff::Timestamp;
use serde_json::Value;

use super::registry::{Registry, send_uploads_to};

/// New crates that are taken at once, as crates.io takes 5.
const BURST: usize = 4;
/// And seconds that each further one takes, as crates.io takes 10 minutes.
const EVERY: i64 = 3;

/// The front, for as long as the process runs.
#[derive(Clone, Debug)]
pub(super) struct Front {
    registry: String,
    folder: PathBuf,
    address: String,
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
pub(super) struct State {
    /// Uploads that reached the registry, and those that met the limit.
    pub(super) taken: usize,
    pub(super) put_off: usize,
    /// When the next one is taken, once the burst is used up.
    next: Option<Timestamp>,
    /// Of which crate nobody is to hear that it was taken, and whether that came to pass.
    pub(super) withhold: Option<&'static str>,
    pub(super) withheld: bool,
}

impl Front {
    /// Listens on a port of its own, before a registry.
    pub(super) fn start(registry: &Registry) -> Result<Self, String> {
        let listener = TcpListener::bind("127.0.0.1:0");
        let listener = listener.map_err(|fault| format!("the front: {fault}"))?;
        let address = listener.local_addr().map(|it| it.to_string()).unwrap_or_default();
        let (behind, folder) = (registry.address.clone(), registry.folder.clone());
        let front = Self { registry: behind, folder, address, state: Arc::default() };
        let shared = front.clone();
        thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let shared = shared.clone();
                // A client that goes away is what this is for.
                thread::spawn(move || drop(shared.answer(client)));
            }
        });
        send_uploads_to(&front.address, &front.folder)?;
        Ok(front)
    }

    fn answer(&self, mut client: TcpStream) -> io::Result<()> {
        let mut reader = BufReader::new(client.try_clone()?);
        let (mut head, mut length) = (String::new(), 0);
        loop {
            let mut line = String::new();
            reader.read_line(&mut line)?;
            let lower = line.to_ascii_lowercase();
            if let Some(value) = lower.strip_prefix("content-length:") {
                length = value.trim().parse().unwrap_or(0);
            }
            if lower.starts_with("expect:") {
                client.write_all(b"HTTP/1.1 100 Continue\r\n\r\n")?;
            } else if line.trim_end().is_empty() {
                break;
            } else if !lower.starts_with("connection:") {
                head += &line;
            }
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body)?;
        let uploaded = if head.starts_with("PUT ") { name(&body) } else { None };
        let limit = uploaded.as_ref().and_then(|_| self.lock().admit(Timestamp::now()));
        if let Some(until) = limit {
            return client.write_all(too_many(until).as_bytes());
        }
        let mut upstream = TcpStream::connect(&self.registry)?;
        upstream.write_all((head + "connection: close\r\n\r\n").as_bytes())?;
        upstream.write_all(&body)?;
        let mut said = Vec::new();
        upstream.read_to_end(&mut said)?;
        if uploaded.is_some() {
            send_uploads_to(&self.address, &self.folder).map_err(io::Error::other)?;
            if self.lock().withhold == uploaded.as_deref() {
                self.lock().withheld = true;
                // Until the other side is gone.
                return reader.read_to_end(&mut Vec::new()).map(drop);
            }
        }
        client.write_all(&closing(&said))
    }

    /// What it has seen, and is to do.
    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Whether another new crate is taken now, else until when none is.
    fn admit(&mut self, now: Timestamp) -> Option<Timestamp> {
        if let Some(next) = self.next.filter(|next| now < *next) {
            self.put_off += 1;
            return Some(next);
        }
        self.taken += 1;
        // Whole seconds, as the date of a limit has.
        let next = Timestamp::from_second(now.as_second() + EVERY).ok();
        self.next = next.filter(|_| self.taken >= BURST);
        None
    }
}

/// The name in an upload: a length of four bytes, then JSON
/// (<https://doc.rust-lang.org/cargo/reference/registry-web-api.html#publish>).
fn name(body: &[u8]) -> Option<String> {
    let (length, rest) = body.split_first_chunk::<4>()?;
    let json = rest.get(..usize::try_from(u32::from_le_bytes(*length)).ok()?)?;
    let told: Value = serde_json::from_slice(json).ok()?;
    told["name"].as_str().map(str::to_owned)
}

/// An answer that says that its connection ends with it: else cargo may send its next upload into it.
fn closing(said: &[u8]) -> Vec<u8> {
    let status = said.windows(2).position(|end| end == b"\r\n").map_or(0, |at| at + 2);
    let (status, rest) = said.split_at(status);
    [status, b"connection: close\r\n", rest].concat()
}

/// The words are those of crates.io.
fn too_many(until: Timestamp) -> String {
    let date = until.strftime("%a, %d %b %Y %H:%M:%S GMT");
    let body = format!(
        "{{\"errors\":[{{\"detail\":\"You have published too many new crates in a short period of \
         time. Please try again after {date} and see https://crates.io/docs/rate-limits for more \
         details.\"}}]}}"
    );
    let head =
        "HTTP/1.1 429 Too Many Requests\r\ncontent-type: application/json\r\nconnection: close";
    format!("{head}\r\ncontent-length: {}\r\n\r\n{body}", body.len())
}
