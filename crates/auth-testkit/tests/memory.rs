//! Promise 18: what is dropped is wiped. The process reads its own memory and looks for the secret
//! and the token after everything that held them is gone.
//!
//! One test in a process of its own, on Linux: other tests would leave copies of their own behind.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used)] // helpers of tests are not seen as tests

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};

use auth_core::secret::WipedBuffer;
use auth_core::wire::{self, Number, Refusal};
use auth_core::{
    CachedTokenSource, Endpoint, Error, Expiry, ExposeSecret, Grant, HttpClient, Identity,
    Response, Scrubber, SecretString, TokenExchange, TokenRequest, async_trait,
};
use bytes::Bytes;
use serde::Deserialize;

/// A text that stands nowhere in memory as such: each byte is made from its place.
struct Hidden(u8);

impl Hidden {
    fn byte(&self, at: usize) -> u8 {
        b'A' + u8::try_from((at * 7 + usize::from(self.0)) % 26).unwrap()
    }

    fn write(&self, buffer: &mut WipedBuffer) {
        (0..64).for_each(|at| buffer.extend(&[self.byte(at)]));
    }

    fn secret(&self) -> SecretString {
        let mut buffer = WipedBuffer::with_capacity(64);
        self.write(&mut buffer);
        SecretString::from(std::str::from_utf8(buffer.as_slice()).unwrap())
    }

    /// How often it stands in this process's writable memory.
    fn copies(&self) -> usize {
        let maps = std::fs::read_to_string("/proc/self/maps").unwrap();
        let mut memory = File::open("/proc/self/mem").unwrap();
        let mut page = vec![0; 1 << 20];
        // What is read must not be found again in the buffer that it is read into.
        let own = page.as_ptr() as u64..page.as_ptr() as u64 + (1 << 20);
        let mut copies = 0;
        for line in maps
            .lines()
            .filter(|line| line.contains(" rw-p ") && !line.contains("[v"))
        {
            let (start, end) = line
                .split_whitespace()
                .next()
                .unwrap()
                .split_once('-')
                .unwrap();
            let parse = |text| u64::from_str_radix(text, 16).unwrap();
            let (start, end) = (parse(start), parse(end));
            for (from, to) in [(start, end.min(own.start)), (start.max(own.end), end)] {
                let mut at = from;
                while at + 64 <= to {
                    let room = usize::try_from(to - at).unwrap().min(page.len());
                    memory.seek(SeekFrom::Start(at)).unwrap();
                    let Ok(count @ 64..) = memory.read(&mut page[..room]) else {
                        break;
                    };
                    copies += page[..count]
                        .windows(64)
                        .filter(|window| self.is(window))
                        .count();
                    // Overlapping, so that none is missed between two reads.
                    at += count as u64 - 63;
                }
            }
        }
        page.fill(0);
        copies
    }

    fn is(&self, window: &[u8]) -> bool {
        window
            .iter()
            .enumerate()
            .all(|(at, byte)| *byte == self.byte(at))
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
struct Refused {}
impl Refusal for Refused {}

impl TokenExchange for Flow {
    fn provider(&self) -> &'static str {
        "acme"
    }

    fn identity(&self) -> Identity {
        Identity::new(
            "acme",
            &Endpoint::from_static("https://pay.example.com"),
            &[],
        )
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
        let granted: Granted = wire::read::<_, Refused>("acme", "ACME_SECRET", &known, response)?;
        Grant::bearer(granted.token, Expiry::after_seconds(granted.expires_in))
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
        body.extend(text);
        hidden.write(&mut body);
        body.extend(br#""}"#);
        let mut response = http::Response::new(body.into_bytes());
        *response.status_mut() = http::StatusCode::from_u16(self.0).unwrap();
        Ok(response)
    }
}

#[test]
fn what_is_dropped_is_wiped() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .unwrap();
    assert_eq!(
        (SECRET.copies(), TOKEN.copies()),
        (0, 0),
        "the search finds itself"
    );
    let source = CachedTokenSource::builder(Flow(SECRET.secret())).http_client(Canned(200));
    let source = source.build().unwrap();
    let token = runtime.block_on(source.token()).unwrap();
    assert_eq!(
        (SECRET.copies(), TOKEN.copies()),
        (1, 1),
        "one in the flow, one in the header"
    );
    let header = token.authorization();
    drop((token, source));
    assert_eq!(
        (SECRET.copies(), TOKEN.copies()),
        (0, 1),
        "the header is still held"
    );
    drop(header);
    assert_eq!((SECRET.copies(), TOKEN.copies()), (0, 0));

    // An answer that says the secret again.
    let source = CachedTokenSource::builder(Flow(SECRET.secret())).http_client(Canned(401));
    let error = runtime
        .block_on(source.build().unwrap().token())
        .unwrap_err();
    assert_eq!(
        (SECRET.copies(), error.status().unwrap().as_u16()),
        (0, 401)
    );
}
