//! Promise 18: what is dropped is wiped. The process reads its own memory and looks for the secret
//! and the token after everything that held them is gone.
//!
//! One test in a process of its own, on Linux: other tests would leave copies of their own behind.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::indexing_slicing)] // helpers of tests are not seen as tests

use std::fs::File;
use std::io::{BufRead, BufReader, Read, Seek, SeekFrom, Write};
use std::process::{Command, Stdio};

use auth_core::secret::WipedBuffer;
use auth_core::wire::{self, Number, Refusal, Text};
use auth_core::{
    AccessToken, CachedTokenSource, Endpoint, Error, ExposeSecret, Grant, HttpClient, Identity,
    ReqwestClient, Response, Scrubber, SecretString, TokenExchange, TokenRequest, async_trait,
};
use bytes::Bytes;
use serde::Deserialize;

/// A text that stands nowhere in memory as such: each byte is made from its place.
struct Hidden(u8);

impl Hidden {
    fn byte(&self, at: usize) -> u8 {
        let mixed = (at as u64 + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ (u64::from(self.0) << 40);
        b'A' + u8::try_from((mixed.wrapping_mul(0xBF58_476D_1CE4_E5B9) >> 33) % 26).unwrap()
    }

    fn write(&self, buffer: &mut WipedBuffer) {
        (0..64).for_each(|at| buffer.extend_from_slice(&[self.byte(at)]));
    }

    fn secret(&self) -> SecretString {
        let mut buffer = WipedBuffer::with_capacity(64);
        self.write(&mut buffer);
        SecretString::from(std::str::from_utf8(buffer.as_slice()).unwrap())
    }

    fn is(&self, window: &[u8]) -> bool {
        window.iter().enumerate().all(|(at, byte)| *byte == self.byte(at + 64 - TAIL))
    }
}

/// How much of a hidden text is looked for: its end, since the allocator writes over the beginning
/// of what is freed.
const TAIL: usize = 32;
const MANY: usize = 32;

/// Reads this process's writable memory. All that it needs is allocated once: an allocation while
/// it looks would write over what was freed before.
struct Search {
    maps: String,
    page: Vec<u8>,
}

impl Search {
    fn new() -> Self {
        Self { maps: String::with_capacity(1 << 20), page: vec![0; 1 << 20] }
    }

    /// How often a hidden text stands in memory.
    fn copies(&mut self, hidden: &Hidden) -> usize {
        self.maps.clear();
        File::open("/proc/self/maps").unwrap().read_to_string(&mut self.maps).unwrap();
        let mut memory = File::open("/proc/self/mem").unwrap();
        let page = &mut self.page;
        // What is read must not be found again in the buffer that it is read into.
        let own = page.as_ptr() as u64..page.as_ptr() as u64 + page.len() as u64;
        let mut copies = 0;
        for line in self.maps.lines().filter(|l| l.contains(" rw-p ") && !l.contains("[v")) {
            let (start, end) = line.split_whitespace().next().unwrap().split_once('-').unwrap();
            let parse = |text| u64::from_str_radix(text, 16).unwrap();
            let (start, end) = (parse(start), parse(end));
            for (from, to) in [(start, end.min(own.start)), (start.max(own.end), end)] {
                let mut at = from;
                while at + TAIL as u64 <= to {
                    let room = usize::try_from(to - at).unwrap().min(page.len());
                    memory.seek(SeekFrom::Start(at)).unwrap();
                    let Ok(count @ TAIL..) = memory.read(&mut page[..room]) else {
                        break;
                    };
                    copies += page[..count].windows(TAIL).filter(|w| hidden.is(w)).count();
                    // Overlapping, so that none is missed between two reads.
                    at += (count - TAIL) as u64 + 1;
                }
            }
        }
        page.fill(0);
        copies
    }

    /// Both hidden texts.
    fn both(&mut self) -> (usize, usize) {
        (self.copies(&SECRET), self.copies(&TOKEN))
    }
}

const SECRET: Hidden = Hidden(3);
const TOKEN: Hidden = Hidden(11);

struct Flow(SecretString);

#[derive(Deserialize)]
struct Granted {
    token: SecretString,
    #[serde(default)]
    expires_in: Number,
}

#[derive(Default, Deserialize)]
struct Refused {
    #[serde(default)]
    message: Text,
}

impl Refusal for Refused {
    fn description(&self) -> Option<&str> {
        self.message.get()
    }
}

impl TokenExchange for Flow {
    fn provider(&self) -> &'static str {
        "acme"
    }

    fn identity(&self) -> Identity {
        Identity::new("acme", &Endpoint::from_static("https://pay.example.com"), &[])
    }

    fn request(&self) -> Result<http::Request<Bytes>, Error> {
        TokenRequest::post(&Endpoint::from_static("https://pay.example.com"))
            .secret_header(http::HeaderName::from_static("x-secret"), &self.0)
            .basic("user", &self.0)
            .json(&[("secret", (&self.0).into())])
    }

    fn read(&self, response: &Response) -> Result<Grant, Error> {
        let known =
            Scrubber::new([self.0.expose_secret()]).with_pair("user", self.0.expose_secret());
        let granted: Granted = wire::read::<_, Refused>("ACME_SECRET", &known, response)?;
        Grant::bearer(granted.token, granted.expires_in.lifetime())
    }
}

#[derive(Debug)]
struct Canned(u16);

#[async_trait]
impl HttpClient for Canned {
    async fn send(&self, _: http::Request<Bytes>) -> Result<http::Response<Bytes>, Error> {
        let (text, hidden): (&[u8], _) = match self.0 {
            200 => (br#"{"expires_in":300,"token":""#, &TOKEN),
            _ => (br#"{"message":""#, &SECRET),
        };
        let mut body = WipedBuffer::default();
        body.extend_from_slice(text);
        hidden.write(&mut body);
        body.extend_from_slice(br#""}"#);
        let mut response = http::Response::new(body.into_bytes());
        *response.status_mut() = http::StatusCode::from_u16(self.0).unwrap();
        Ok(response)
    }
}

#[test]
fn what_is_dropped_is_wiped() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let mut search = Search::new();
    assert_eq!(search.both(), (0, 0), "the search finds itself");
    // Many of each: the allocator gives some of what is freed away at once, and never all of it.
    let plain: Vec<Vec<u8>> =
        (0..MANY).map(|_| (0..64).map(|at| SECRET.byte(at)).collect()).collect();
    drop(plain);
    assert!(search.copies(&SECRET) > 0, "the search is blind to what was freed");
    // Takes the place of what was freed.
    drop((0..4 * MANY).map(|_| vec![7_u8; 64]).collect::<Vec<_>>());
    assert_eq!(search.both(), (0, 0));

    // A buffer that has to move leaves nothing where it was.
    for _ in 0..MANY {
        let mut buffer = WipedBuffer::default();
        SECRET.write(&mut buffer);
        buffer.extend_from_slice(&[b'.'; 4096]);
    }
    assert_eq!(search.both(), (0, 0));

    let sources: Vec<_> = (0..MANY)
        .map(|_| CachedTokenSource::builder(Flow(SECRET.secret())).http_client(Canned(200)))
        .map(|builder| builder.build().unwrap())
        .collect();
    let tokens: Vec<_> =
        sources.iter().map(|source| runtime.block_on(source.token()).unwrap()).collect();
    assert_eq!(search.both(), (MANY, MANY), "one in each flow, one in each header");
    let headers: Vec<_> = tokens.iter().map(AccessToken::authorization).collect();
    drop((tokens, sources));
    assert_eq!(search.both(), (0, MANY), "the headers are still held");
    drop(headers);
    assert_eq!(search.both(), (0, 0));

    // Answers that say the secret again.
    for _ in 0..MANY {
        let source = CachedTokenSource::builder(Flow(SECRET.secret())).http_client(Canned(401));
        let error = runtime.block_on(source.build().unwrap().token()).unwrap_err();
        assert_eq!(error.description(), Some("[redacted]"));
    }
    assert_eq!(search.both(), (0, 0));
}

/// What the HTTP library copies is not ours to wipe: this says how much of it there is.
///
/// The server is another process, since its copies would be found here too.
#[test]
#[ignore = "measures: cargo test -p auth-testkit --test memory -- --ignored --nocapture measured"]
fn measured_what_the_http_library_leaves_behind() {
    let mut server = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "the_other_end", "--ignored", "--nocapture"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(server.stdout.take().unwrap()).lines().map_while(Result::ok);
    let address =
        lines.filter_map(|line| line.split_once("listens on ").map(|(_, a)| a.to_owned()));
    let address = address.take(1).next().unwrap();
    let endpoint = Endpoint::parse(&format!("http://{address}")).unwrap();
    let mut search = Search::new();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let request = TokenRequest::post(&endpoint)
        .secret_header(http::HeaderName::from_static("x-secret"), &SECRET.secret())
        .json(&[("secret", (&SECRET.secret()).into())]);
    let client = ReqwestClient::shared().unwrap();
    let answer = runtime.block_on(client.send(request.unwrap())).unwrap();
    println!("secret, token in memory with the answer held: {:?}", search.both());
    drop(answer);
    println!("with the answer dropped: {:?}", search.both());
    drop(runtime);
    println!("with the runtime, and so the connection, dropped: {:?}", search.both());
    server.kill().unwrap();
    server.wait().unwrap();
}

/// Answers one request with the token.
#[test]
#[ignore = "the other end of the measurement"]
fn the_other_end() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    println!("listens on {}", listener.local_addr().unwrap());
    let (mut stream, _) = listener.accept().unwrap();
    let mut request = [0; 4096];
    let _ = stream.read(&mut request).unwrap();
    let token = TOKEN.secret();
    let body = format!(r#"{{"token":"{}"}}"#, token.expose_secret());
    let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", body.len());
    stream.write_all((head + &body).as_bytes()).unwrap();
    let _ = stream.read(&mut request); // until the other side is done
}
