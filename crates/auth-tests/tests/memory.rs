//! Dropped secrets are wiped: the process searches its own memory for the secret and the token
//! after everything that held them is dropped.
//!
//! One test in its own process, on Linux: other tests would leave copies too.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::indexing_slicing)] // helpers of tests are not seen as tests

use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Command, Stdio};

use auth_core::secret::WipedBuffer;
use auth_core::wire::{self, Number, Refusal, Text};
use auth_core::{
    AccessToken, CachedTokenSource, Endpoint, Error, ExposeSecret, Grant, HttpClient, Identity,
    ReqwestClient, Scrubber, SecretString, TokenExchange, TokenRequest, TokenResponse, async_trait,
};
use auth_tests::memory::{Hidden, Search};
use bytes::Bytes;
use serde::Deserialize;

const MANY: usize = 32;
const SECRET: Hidden = Hidden::new(3);
const TOKEN: Hidden = Hidden::new(11);

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

    fn read(&self, response: &TokenResponse) -> Result<Grant, Error> {
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
            200 => (br#"{"expires_in":300,"token":""#, TOKEN),
            _ => (br#"{"message":""#, SECRET),
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
    assert_eq!(search.copies([SECRET, TOKEN]), [0, 0], "the search finds itself");
    // Many of each: the allocator reuses some of the freed blocks at once, but never all.
    let plain: Vec<Vec<u8>> =
        (0..MANY).map(|_| SECRET.secret().expose_secret().as_bytes().to_vec()).collect();
    drop(plain);
    assert!(search.copies([SECRET])[0] > 0, "the search does not find freed memory");
    // Fills the freed blocks.
    drop((0..4 * MANY).map(|_| vec![7_u8; 64]).collect::<Vec<_>>());
    assert_eq!(search.copies([SECRET, TOKEN]), [0, 0]);

    // A buffer that is reallocated leaves nothing behind.
    for _ in 0..MANY {
        let mut buffer = WipedBuffer::default();
        SECRET.write(&mut buffer);
        buffer.extend_from_slice(&[b'.'; 4096]);
    }
    assert_eq!(search.copies([SECRET, TOKEN]), [0, 0]);

    let sources: Vec<_> = (0..MANY)
        .map(|_| CachedTokenSource::builder(Flow(SECRET.secret())).http_client(Canned(200)))
        .map(|builder| builder.build().unwrap())
        .collect();
    let tokens: Vec<_> =
        sources.iter().map(|source| runtime.block_on(source.token()).unwrap()).collect();
    assert_eq!(
        search.copies([SECRET, TOKEN]),
        [MANY, MANY],
        "one in each flow, one in each header"
    );
    let headers: Vec<_> = tokens.iter().map(AccessToken::authorization).collect();
    drop((tokens, sources));
    assert_eq!(search.copies([SECRET, TOKEN]), [0, MANY], "the headers are still held");
    drop(headers);
    assert_eq!(search.copies([SECRET, TOKEN]), [0, 0]);

    // Answers that echo the secret.
    for _ in 0..MANY {
        let source = CachedTokenSource::builder(Flow(SECRET.secret())).http_client(Canned(401));
        let error = runtime.block_on(source.build().unwrap().token()).unwrap_err();
        assert_eq!(error.description(), Some("[redacted]"));
    }
    assert_eq!(search.copies([SECRET, TOKEN]), [0, 0]);
}

/// Measures the copies that the HTTP library leaves, which this crate cannot wipe.
///
/// The server is another process, since its copies would be found here too.
#[test]
#[ignore = "measures: cargo test -p auth-tests --test memory -- --ignored --nocapture measured"]
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
    println!("secret, token in memory with the answer held: {:?}", search.copies([SECRET, TOKEN]));
    drop(answer);
    println!("with the answer dropped: {:?}", search.copies([SECRET, TOKEN]));
    drop(runtime);
    println!(
        "with the runtime, and so the connection, dropped: {:?}",
        search.copies([SECRET, TOKEN])
    );
    server.kill().unwrap();
    server.wait().unwrap();
}

/// Answers one request with the token.
#[test]
#[ignore = "the server of the measurement"]
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
    let _ = stream.read(&mut request); // until the client closes
}
