//! What stands between cargo and the registry: a limit like that of crates.io, and a line that can
//! go dead at the worst moment.
//!
//! It speaks as much HTTP as cargo's uploads need: one request a connection, with a length.

use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::registry::{Registry, send_uploads_to};

/// New crates that are taken at once, as crates.io takes 5.
const BURST: usize = 4;
/// And how long each further one takes, as crates.io takes 10 minutes.
const EVERY: SignedDuration = SignedDuration::from_secs(3);

/// The front, for as long as the process runs.
#[derive(Debug)]
pub(super) struct Front {
    pub(super) address: String,
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    taken: usize,
    put_off: usize,
    /// When the next one is taken, once the burst is used up.
    next: Option<Timestamp>,
    /// Of which crate nobody is to hear that it was taken, and whom to tell of it.
    withheld: Option<(String, Sender<()>)>,
}

impl Front {
    /// Listens on a port of its own, before a registry.
    pub(super) fn start(registry: &Registry) -> Result<Self, String> {
        let started = Self::listen(&registry.address, &registry.folder);
        let front = started.map_err(|fault| format!("the front: {fault}"))?;
        send_uploads_to(&front.address, &registry.folder)?;
        Ok(front)
    }

    fn listen(registry: &str, folder: &Path) -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let address = listener.local_addr()?.to_string();
        let state = Arc::new(Mutex::new(State::default()));
        let behind = Arc::new(Behind {
            registry: registry.to_owned(),
            folder: folder.to_owned(),
            front: address.clone(),
            state: Arc::clone(&state),
        });
        thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let behind = Arc::clone(&behind);
                // A client that goes away is what this is for.
                thread::spawn(move || drop(behind.answer(client)));
            }
        });
        Ok(Self { address, state })
    }

    /// Lets the registry take this crate, and answers nobody; tells when that is so.
    pub(super) fn withhold(&self, krate: &str) -> Receiver<()> {
        let (told, reached) = channel();
        self.lock().withheld = Some((krate.to_owned(), told));
        reached
    }

    /// Ends what [`withhold`](Self::withhold) began.
    pub(super) fn answer_again(&self) {
        self.lock().withheld = None;
    }

    /// Uploads that reached the registry.
    pub(super) fn taken(&self) -> usize {
        self.lock().taken
    }

    /// Uploads that met the limit.
    pub(super) fn put_off(&self) -> usize {
        self.lock().put_off
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a connection needs to know.
#[derive(Debug)]
struct Behind {
    registry: String,
    folder: PathBuf,
    front: String,
    state: Arc<Mutex<State>>,
}

impl State {
    /// Whether another new crate is taken now, else until when none is.
    fn admit(&mut self, now: Timestamp) -> Result<(), Timestamp> {
        if let Some(next) = self.next.filter(|next| now < *next) {
            self.put_off += 1;
            return Err(next);
        }
        self.taken += 1;
        if self.taken >= BURST {
            // Whole seconds, as the date of a limit has.
            let next = now.as_second().saturating_add(EVERY.as_secs());
            self.next = Timestamp::from_second(next).ok();
        }
        Ok(())
    }
}

impl Behind {
    fn answer(&self, mut client: TcpStream) -> io::Result<()> {
        let mut reader = BufReader::new(client.try_clone()?);
        let (mut head, mut length) = (Vec::new(), 0);
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
                head.push(line);
            }
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body)?;
        let upload = head.first().is_some_and(|line| line.starts_with("PUT /api/v1/crates/new "));
        let uploaded = if upload { name(&body) } else { None };
        if uploaded.is_some()
            && let Err(until) = self.lock().admit(Timestamp::now())
        {
            return client.write_all(too_many(until).as_bytes());
        }
        let mut upstream = TcpStream::connect(&self.registry)?;
        let head = head.concat() + "connection: close\r\n\r\n";
        upstream.write_all(head.as_bytes())?;
        upstream.write_all(&body)?;
        let mut said = Vec::new();
        upstream.read_to_end(&mut said)?;
        if uploaded.is_some() {
            send_uploads_to(&self.front, &self.folder).map_err(io::Error::other)?;
        }
        let withheld = self.lock().withheld.clone();
        if let Some((_, told)) = withheld.filter(|(krate, _)| Some(krate) == uploaded.as_ref()) {
            let _ = told.send(());
            // Until the other side is gone.
            return reader.read_to_end(&mut Vec::new()).map(drop);
        }
        client.write_all(&said)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The name in an upload: a length of four bytes, then JSON
/// (<https://doc.rust-lang.org/cargo/reference/registry-web-api.html#publish>).
fn name(body: &[u8]) -> Option<String> {
    let (length, rest) = body.split_first_chunk::<4>()?;
    let json = rest.get(..usize::try_from(u32::from_le_bytes(*length)).ok()?)?;
    let told: Value = serde_json::from_slice(json).ok()?;
    told.get("name")?.as_str().map(str::to_owned)
}

/// The words are those of crates.io.
fn too_many(until: Timestamp) -> String {
    let date = until.strftime("%a, %d %b %Y %H:%M:%S GMT");
    let body = format!(
        "{{\"errors\":[{{\"detail\":\"You have published too many new crates in a short period of \
         time. Please try again after {date} and see https://crates.io/docs/rate-limits for more \
         details.\"}}]}}"
    );
    format!(
        "HTTP/1.1 429 Too Many Requests\r\ncontent-type: application/json\r\nretry-after: {date}\r\n\
         connection: close\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_is_taken_and_then_one_at_a_time() {
        let now: Timestamp = "2026-11-22T04:00:00Z".parse().unwrap();
        let mut state = State::default();
        for _ in 0..BURST {
            assert_eq!(state.admit(now), Ok(()));
        }
        assert_eq!(state.admit(now), Err(now + EVERY));
        assert_eq!(state.admit(now + EVERY), Ok(()));
        assert_eq!(state.admit(now + EVERY), Err(now + EVERY + EVERY));
        assert_eq!((state.taken, state.put_off), (BURST + 1, 2));
    }

    #[test]
    fn an_upload_tells_its_name() {
        let json = br#"{"name":"manis-auth","vers":"0.1.0"}"#;
        let mut body = u32::try_from(json.len()).unwrap().to_le_bytes().to_vec();
        body.extend(json);
        body.extend([0; 9]);
        assert_eq!(name(&body), Some("manis-auth".to_owned()));
        assert_eq!(name(&[200, 0, 0, 0, b'{']), None);
    }
}
