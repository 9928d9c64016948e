//! A plain TCP server that keeps its connections open and answers as a closure says.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use auth_core::Endpoint;
use auth_tests::Recorded;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};

/// A server on loopback; it stops when dropped.
pub(crate) struct Server {
    pub(crate) endpoint: Endpoint,
    requests: Arc<Mutex<Vec<Recorded>>>,
    connections: Arc<AtomicUsize>,
    task: JoinHandle<()>,
}

impl Server {
    pub(crate) async fn start<F>(answer: impl Fn(Recorded) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Vec<u8>> + Send,
    {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint =
            Endpoint::parse(&format!("http://{}", listener.local_addr().unwrap())).unwrap();
        let requests = Arc::<Mutex<Vec<Recorded>>>::default();
        let connections = Arc::<AtomicUsize>::default();
        let (seen, count, answer) =
            (Arc::clone(&requests), Arc::clone(&connections), Arc::new(answer));
        let task = tokio::runtime::Handle::current().spawn(async move {
            let mut open = JoinSet::new();
            while let Ok((mut stream, _)) = listener.accept().await {
                count.fetch_add(1, Ordering::SeqCst);
                let (seen, answer) = (Arc::clone(&seen), Arc::clone(&answer));
                open.spawn(async move {
                    let mut unread = Vec::new();
                    while let Some(request) = read(&mut stream, &mut unread).await {
                        seen.lock().unwrap().push(request.clone());
                        let answer = answer(request).await;
                        let closes = answer.windows(17).any(|it| it == b"connection: close");
                        if stream.write_all(&answer).await.is_err() || closes {
                            return;
                        }
                    }
                });
            }
        });
        Self { endpoint, requests, connections, task }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.endpoint)
    }

    pub(crate) fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }

    pub(crate) fn requests(&self) -> Vec<Recorded> {
        self.requests.lock().unwrap().clone()
    }

    /// The `Authorization` of each request, which must be one or none.
    pub(crate) fn authorizations(&self) -> Vec<String> {
        let one = |request: &Recorded| match request.headers.get("authorization") {
            Some(_) => request.header("authorization").to_owned(),
            None => "none".to_owned(),
        };
        self.requests().iter().map(one).collect()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// An answer on a connection that stays open.
pub(crate) fn reply(status: u16, headers: &[(&str, &str)], body: &str) -> Vec<u8> {
    let mut text = format!("HTTP/1.1 {status} x\r\ncontent-length: {}\r\n", body.len());
    for (name, value) in headers {
        text.push_str(&format!("{name}: {value}\r\n"));
    }
    (text + "\r\n" + body).into_bytes()
}

/// The next request of a connection.
async fn read(stream: &mut TcpStream, unread: &mut Vec<u8>) -> Option<Recorded> {
    let head_end = until(stream, unread, b"\r\n\r\n", 0).await?;
    let head = String::from_utf8(unread[..head_end].to_vec()).unwrap();
    let mut lines = head.trim_end().split("\r\n");
    let line = lines.next()?.to_owned();
    let mut headers = BTreeMap::<String, Vec<String>>::new();
    for (name, value) in lines.filter_map(|line| line.split_once(": ")) {
        headers.entry(name.to_ascii_lowercase()).or_default().push(value.to_owned());
    }
    let end = match headers.get("content-length") {
        Some(length) => head_end + length[0].parse::<usize>().unwrap(),
        None if headers.contains_key("transfer-encoding") => {
            until(stream, unread, b"0\r\n\r\n", head_end).await?
        }
        None => head_end,
    };
    while unread.len() < end {
        more(stream, unread).await?;
    }
    let body = String::from_utf8(unread[head_end..end].to_vec()).unwrap();
    unread.drain(..end);
    Some(Recorded { line, headers, body })
}

/// Reads until `mark`, and returns where it ends.
async fn until(
    stream: &mut TcpStream,
    unread: &mut Vec<u8>,
    mark: &[u8],
    from: usize,
) -> Option<usize> {
    loop {
        if let Some(at) = unread[from..].windows(mark.len()).position(|it| it == mark) {
            return Some(from + at + mark.len());
        }
        more(stream, unread).await?;
    }
}

async fn more(stream: &mut TcpStream, unread: &mut Vec<u8>) -> Option<()> {
    let mut chunk = [0; 4096];
    let count = stream.read(&mut chunk).await.ok().filter(|count| *count > 0)?;
    unread.extend_from_slice(&chunk[..count]);
    Some(())
}
