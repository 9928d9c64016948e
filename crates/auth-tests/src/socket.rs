//! A TCP server that answers every request with the same bytes and records the requests.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use auth_core::Endpoint;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// A server on loopback; it stops when dropped.
#[derive(Debug)]
pub struct Server {
    endpoint: Endpoint,
    recorded: Arc<Mutex<Vec<Recorded>>>,
    connections: Arc<AtomicUsize>,
    task: JoinHandle<()>,
}

/// One request as received.
#[derive(Clone, Debug)]
pub struct Recorded {
    /// The request line: `POST /v1/auth HTTP/1.1`.
    pub line: String,
    /// The values of each header, by lower-case name.
    pub headers: BTreeMap<String, Vec<String>>,
    /// The body.
    pub body: String,
}

impl Recorded {
    /// The header names, sorted, to check that there are no others.
    #[must_use]
    pub fn header_names(&self) -> Vec<&str> {
        self.headers.keys().map(String::as_str).collect()
    }

    /// A header's single value.
    #[must_use]
    pub fn header(&self, name: &str) -> &str {
        match self.headers.get(name).map(Vec::as_slice) {
            Some([value]) => value,
            other => panic!("{name}: {other:?}"),
        }
    }
}

impl Server {
    /// Answers every request with `response` and closes the connection.
    pub async fn answering(response: Vec<u8>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let recorded = Arc::<Mutex<Vec<Recorded>>>::default();
        let connections = Arc::<AtomicUsize>::default();
        let (seen, count) = (Arc::clone(&recorded), Arc::clone(&connections));
        let runtime = tokio::runtime::Handle::current();
        let task = runtime.spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                count.fetch_add(1, Ordering::SeqCst);
                if let Some(request) = read_request(&mut stream).await {
                    seen.lock().unwrap().push(request);
                }
                // The client may have closed already.
                let _ = stream.write_all(&response).await;
                let _ = stream.shutdown().await;
            }
        });
        let endpoint = Endpoint::parse(&format!("http://{address}")).unwrap();
        Self { endpoint, recorded, connections, task }
    }

    /// Its base URL.
    #[must_use]
    pub fn endpoint(&self) -> Endpoint {
        self.endpoint.clone()
    }

    /// How many connections were made, with or without a request.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }

    /// Every complete request that was received.
    #[must_use]
    pub fn requests(&self) -> Vec<Recorded> {
        self.recorded.lock().unwrap().clone()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// The bytes of a response, with a length unless the status has no body.
#[must_use]
pub fn response(status: u16, headers: &[(String, String)], body: &[u8]) -> Vec<u8> {
    let mut head = format!("HTTP/1.1 {status} x\r\nconnection: close\r\n");
    if status != 204 {
        head.push_str(&format!("content-length: {}\r\n", body.len()));
    }
    for (name, value) in headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    let mut bytes = (head + "\r\n").into_bytes();
    bytes.extend_from_slice(body);
    bytes
}

async fn read_request(stream: &mut TcpStream) -> Option<Recorded> {
    let mut bytes = Vec::new();
    let head_end = loop {
        let mut chunk = [0; 4096];
        let count = stream.read(&mut chunk).await.ok().filter(|count| *count > 0)?;
        bytes.extend_from_slice(&chunk[..count]);
        if let Some(at) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            break at;
        }
    };
    let head = String::from_utf8(bytes[..head_end].to_vec()).unwrap();
    let mut lines = head.split("\r\n");
    let line = lines.next().unwrap().to_owned();
    let mut headers = BTreeMap::<String, Vec<String>>::new();
    for (name, value) in lines.filter_map(|line| line.split_once(": ")) {
        headers.entry(name.to_ascii_lowercase()).or_default().push(value.to_owned());
    }
    let length: usize =
        headers.get("content-length").map_or(0, |values| values[0].parse().unwrap());
    let mut body = bytes[head_end + 4..].to_vec();
    while body.len() < length {
        let mut chunk = [0; 4096];
        let count = stream.read(&mut chunk).await.ok().filter(|count| *count > 0)?;
        body.extend_from_slice(&chunk[..count]);
    }
    Some(Recorded { line, headers, body: String::from_utf8(body).unwrap() })
}
