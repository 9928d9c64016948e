//! HTTP by hand: the socket carries exactly what the test wrote.

// Each test file uses a part of this.
#![allow(dead_code)]

use std::time::Duration;

use auth_sandbox::{Credentials, Handle, Provider, Sandbox};
use base64::Engine as _;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// A strict sandbox.
pub(crate) async fn start() -> Sandbox {
    Sandbox::builder().strict(true).start().await.unwrap()
}

/// A request to write; it always contains `Host` and `Connection: close`.
#[derive(Clone)]
pub(crate) struct Call {
    method: String,
    target: String,
    headers: Vec<(String, String)>,
    body: String,
    length: bool,
}

impl Call {
    pub(crate) fn new(method: &str, target: &str) -> Self {
        let (method, target) = (method.to_owned(), target.to_owned());
        Self { method, target, headers: Vec::new(), body: String::new(), length: false }
    }

    pub(crate) fn post(target: &str) -> Self {
        Self { length: true, ..Self::new("POST", target) }
    }

    pub(crate) fn get(target: &str) -> Self {
        Self::new("GET", target)
    }

    pub(crate) fn method(mut self, method: &str) -> Self {
        self.method = method.to_owned();
        self
    }

    pub(crate) fn target(mut self, target: &str) -> Self {
        self.target = target.to_owned();
        self
    }

    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    pub(crate) fn without(mut self, name: &str) -> Self {
        self.headers.retain(|(n, _)| !n.eq_ignore_ascii_case(name));
        self
    }

    pub(crate) fn replace(self, name: &str, value: &str) -> Self {
        self.without(name).header(name, value)
    }

    pub(crate) fn body(mut self, body: &str) -> Self {
        self.body = body.to_owned();
        self
    }

    pub(crate) fn without_length(mut self) -> Self {
        self.length = false;
        self
    }

    pub(crate) fn bytes(&self) -> Vec<u8> {
        let mut text = format!(
            "{} {} HTTP/1.1\r\nHost: sandbox\r\nConnection: close\r\n",
            self.method, self.target
        );
        if self.length {
            text += &format!("Content-Length: {}\r\n", self.body.len());
        }
        for (name, value) in &self.headers {
            text += &format!("{name}: {value}\r\n");
        }
        (text + "\r\n" + &self.body).into_bytes()
    }

    pub(crate) async fn send<P: Send + Sync>(&self, handle: &Handle<P>) -> Reply {
        exchange(handle.port(), &self.bytes()).await
    }

    /// The socket after the request was written.
    pub(crate) async fn open<P: Send + Sync>(&self, handle: &Handle<P>) -> TcpStream {
        let mut socket = TcpStream::connect(("127.0.0.1", handle.port())).await.unwrap();
        socket.write_all(&self.bytes()).await.unwrap();
        socket
    }
}

pub(crate) async fn exchange(port: u16, request: &[u8]) -> Reply {
    let mut socket = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    socket.write_all(request).await.unwrap();
    let mut bytes = Vec::new();
    let end = socket.read_to_end(&mut bytes);
    tokio::time::timeout(Duration::from_secs(10), end)
        .await
        .expect("no end of the answer")
        .unwrap();
    Reply::parse(&bytes)
}

pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Reply {
    pub(crate) fn parse(bytes: &[u8]) -> Self {
        let end = bytes.windows(4).position(|w| w == b"\r\n\r\n").expect("a head");
        let head = std::str::from_utf8(&bytes[..end]).unwrap();
        let mut lines = head.split("\r\n");
        let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
        let headers = lines
            .map(|line| line.split_once(": ").unwrap())
            .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
            .collect();
        Self { status, headers, body: bytes[end + 4..].to_vec() }
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str())
    }

    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|_| panic!("no JSON: {}", self.text()))
    }

    /// The token, from whichever field the provider uses.
    pub(crate) fn token(&self) -> String {
        let json = self.json();
        ["/data/token", "/access_token", "/token"]
            .iter()
            .find_map(|at| json.pointer(at)?.as_str().map(str::to_owned))
            .unwrap_or_else(|| panic!("no token: {} {}", self.status, self.text()))
    }
}

/// Header and claims of a JWT.
pub(crate) fn jwt(token: &str) -> (Value, Value) {
    let parts: Vec<_> = token.split('.').collect();
    assert_eq!(parts.len(), 3, "{token}");
    let decode =
        |part| serde_json::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap();
    (decode(parts[0]), decode(parts[1]))
}

pub(crate) fn basic(credentials: &Credentials) -> String {
    let pair = format!("{}:{}", credentials.id(), credentials.secret());
    format!("Basic {}", BASE64_STANDARD.encode(pair))
}

/// The token request that a provider's document describes.
pub(crate) fn right<P>(handle: &Handle<P>) -> Call {
    let credentials = handle.credentials();
    let (id, secret) = (credentials.id(), credentials.secret());
    match handle.provider() {
        Provider::Digitalpaye => Call::post("/v1/auth")
            .header("X-Environment", "Production")
            .header("Authorization", &basic(&credentials)),
        Provider::Digishare => Call::post("/v1/oauth/token")
            .header("Content-Type", "application/json")
            .header("Accept", "application/json")
            .body(&format!(
                r#"{{"grant_type":"client_credentials","client_id":"{id}","client_secret":"{secret}"}}"#
            )),
        Provider::TresorPay => Call::post("/realms/tresorpay/protocol/openid-connect/token")
            .header("Content-Type", "application/x-www-form-urlencoded")
            .body(&format!(
                "grant_type=client_credentials&client_scope=tresorpay&scope=tresorpay&client_id={id}&client_secret={secret}"
            )),
        Provider::Papaya => Call::post("/token")
            .header("Content-Type", "application/json")
            .body(&format!(r#"{{"api_key":"{id}","client_secret":"{secret}"}}"#)),
        Provider::Manis => {
            Call::post("/api/v1/auth/token").header("x-merchant-id", id).header("x-secret", secret)
        }
        other => panic!("{other} is new here"),
    }
}

/// The API call that a token gives access to.
pub(crate) fn api<P>(handle: &Handle<P>, token: &str) -> Call {
    let path = handle.api_url()[handle.base_url().len()..].to_owned();
    Call::get(&path)
        .header("Authorization", &format!("Bearer {token}"))
        .header("Accept", "application/json")
        .header("X-Environment", "Production")
}

/// Sends each call and expects its status and its exact body.
pub(crate) async fn refused<P: Send + Sync>(handle: &Handle<P>, cases: &[(&str, Call, u16, &str)]) {
    for (what, call, status, body) in cases {
        let reply = call.send(handle).await;
        assert_eq!((reply.status, reply.text()), (*status, *body), "{what}");
        assert!(reply.header("date").is_some(), "{what}: no Date");
    }
    let counters = handle.counters();
    assert_eq!(counters.tokens_issued, 0, "a refusal issued a token");
    assert_eq!(counters.rejected, cases.len() as u64, "{counters:?}");
}
