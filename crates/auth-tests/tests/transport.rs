//! The transport rules of `ReqwestClient`, over real sockets.

#![allow(clippy::unwrap_used, clippy::panic, clippy::disallowed_methods)] // a test that cannot go on panics

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use auth_core::{
    BODY_LIMIT, CachedTokenSource, Endpoint, Error, ErrorKind, Expiry, Grant, HttpClient, Identity,
    ReqwestClient, RetryPolicy, SecretString, TokenExchange, TokenRequest, TokenResponse,
};
use auth_tests::canary::texts;
use auth_tests::{Server, response};
use bytes::Bytes;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

const SECRET: &str = "CANARY-transport";

fn request(endpoint: &Endpoint) -> http::Request<Bytes> {
    let name = http::HeaderName::from_static("x-secret");
    TokenRequest::post(endpoint).secret_header(name, &SecretString::from(SECRET)).empty().unwrap()
}

async fn send(endpoint: &Endpoint) -> Result<http::Response<Bytes>, Error> {
    ReqwestClient::shared().unwrap().send(request(endpoint)).await
}

/// A server that reads the head of a request on each connection and then calls `then`.
async fn serve<F, R>(then: F) -> Endpoint
where
    F: Fn(TcpStream) -> R + Send + 'static,
    R: Future<Output = ()> + Send,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = Endpoint::parse(&format!("http://{}", listener.local_addr().unwrap())).unwrap();
    tokio::runtime::Handle::current().spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut head = [0; 4096];
            if stream.read(&mut head).await.is_ok_and(|count| count > 0) {
                then(stream).await;
            }
        }
    });
    endpoint
}

#[tokio::test]
async fn a_client_configured_to_follow_redirects_does_not() {
    let second = Server::answering(response(200, &[], b"{}")).await;
    let location = [("location".to_owned(), second.endpoint().to_string())];
    let first = Server::answering(response(307, &location, b"")).await;
    let client = ReqwestClient::configure(|builder| {
        builder.redirect(reqwest::redirect::Policy::limited(10)).timeout(Duration::from_secs(999))
    })
    .unwrap();
    let get = TokenRequest::get(&first.endpoint()).query(&[("grant_type", "none")]);
    for request in [request(&first.endpoint()), get.empty().unwrap()] {
        let answer = client.send(request).await.unwrap();
        assert_eq!((answer.status().as_u16(), second.connections()), (307, 0));
    }
}

/// Nothing is sent to a host other than loopback.
#[tokio::test]
async fn plain_http_to_another_host_is_refused_by_the_client_too() {
    let mut request = request(&Endpoint::from_static("https://pay.example.com"));
    *request.uri_mut() = "http://192.0.2.1/token".parse().unwrap();
    let error = ReqwestClient::shared().unwrap().send(request).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
}

#[tokio::test]
async fn a_body_without_end_is_cut_off_at_once() {
    let sent = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&sent);
    let endpoint = serve(move |mut stream| {
        let count = Arc::clone(&count);
        async move {
            let head = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";
            stream.write_all(head).await.unwrap();
            let chunk = [&b"1000\r\n"[..], &[b' '; 4096], b"\r\n"].concat();
            while stream.write_all(&chunk).await.is_ok() {
                count.fetch_add(chunk.len(), Ordering::SeqCst);
            }
        }
    })
    .await;
    let began = Instant::now();
    let error = send(&endpoint).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Protocol, "{error}");
    assert!(began.elapsed() < Duration::from_secs(2));
    // The server could send no more than fits into the socket buffers.
    assert!(sent.load(Ordering::SeqCst) < 16 * 1024 * 1024);
}

/// With and without a `Content-Length`.
#[tokio::test]
async fn a_body_of_64_kib_passes_and_one_byte_more_does_not() {
    for (size, passes) in [(BODY_LIMIT, true), (BODY_LIMIT + 1, false)] {
        let body = vec![b' '; size];
        let stated = Server::answering(response(200, &[], &body)).await;
        assert_eq!(send(&stated.endpoint()).await.is_ok(), passes, "{size}");
        let unstated = [&b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n"[..], &body].concat();
        let unstated = Server::answering(unstated).await;
        assert_eq!(send(&unstated.endpoint()).await.is_ok(), passes, "{size}");
    }
}

/// The status is enough: a timeout instead would be retried, with the rejected secret.
#[tokio::test]
async fn a_refusal_whose_body_never_ends_is_classified_by_its_head() {
    for (head, status) in [
        (&b"HTTP/1.1 401 Unauthorized\r\n\r\n{\"err"[..], 401),
        (b"HTTP/1.1 429 Slow Down\r\nretry-after: 3600\r\ncontent-length: 99\r\n\r\n{\"err", 429),
        (b"HTTP/1.1 503 Busy\r\ntransfer-encoding: chunked\r\n\r\n5\r\n{\"err\r\n", 503),
    ] {
        let endpoint = serve(move |mut stream| async move {
            stream.write_all(head).await.unwrap();
            let _ = stream.read(&mut [0; 1]).await; // until the client closes
        })
        .await;
        let began = Instant::now();
        let answer = send(&endpoint).await.unwrap();
        assert_eq!(answer.status(), status);
        assert_eq!(answer.headers().contains_key("retry-after"), status == 429);
        assert_eq!(answer.body().as_ref(), b"{\"err");
        assert!(began.elapsed() < Duration::from_secs(3), "{:?}", began.elapsed());
    }
}

#[tokio::test]
async fn a_compressed_body_is_not_unpacked() {
    let headers = [("content-encoding".to_owned(), "gzip".to_owned())];
    let bytes = b"\x1f\x8b\x08\0\0\0\0\0\0\x03";
    let server = Server::answering(response(200, &headers, bytes)).await;
    assert_eq!(send(&server.endpoint()).await.unwrap().body().as_ref(), bytes);
    assert!(!server.requests()[0].headers.contains_key("accept-encoding"));
}

/// A proxy would read the secret.
#[tokio::test]
async fn plain_http_to_loopback_uses_no_proxy() {
    let proxy = Server::answering(response(200, &[], b"{}")).await;
    let server = Server::answering(response(200, &[], b"{}")).await;
    let address = proxy.endpoint().to_string();
    let client = ReqwestClient::configure(move |builder| {
        builder.proxy(reqwest::Proxy::all(&address).unwrap())
    });
    client.unwrap().send(request(&server.endpoint())).await.unwrap();
    assert_eq!((proxy.connections(), server.connections()), (0, 1));
}

/// https goes through a proxy as a tunnel, so the proxy only sees the host name.
#[tokio::test]
async fn a_proxy_sees_the_host_and_never_the_secret() {
    let proxy = Server::answering(response(502, &[], b"")).await;
    let address = proxy.endpoint().to_string();
    let client = ReqwestClient::configure(move |builder| {
        builder.proxy(reqwest::Proxy::all(&address).unwrap())
    });
    let request = request(&Endpoint::from_static("https://pay.example.com/token"));
    let error = client.unwrap().send(request).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Connect, "{error}");
    let [seen] = proxy.requests().try_into().unwrap();
    assert_eq!(seen.line, "CONNECT pay.example.com:443 HTTP/1.1");
    assert!(!format!("{seen:?}").contains("CANARY"), "{seen:?}");
}

/// A minimal flow.
struct Plain(Endpoint);

impl TokenExchange for Plain {
    fn provider(&self) -> &'static str {
        "acme"
    }

    fn identity(&self) -> Identity {
        Identity::new("acme", &self.0, &[])
    }

    fn request(&self) -> Result<http::Request<Bytes>, Error> {
        TokenRequest::post(&self.0).empty()
    }

    fn read(&self, _: &TokenResponse) -> Result<Grant, Error> {
        Grant::bearer("made-up-token", Expiry::Unknown)
    }
}

/// A second source even reuses the connection of the first.
#[tokio::test]
async fn sources_share_one_client_unless_told_otherwise() {
    let connections = Arc::<AtomicUsize>::default();
    let count = Arc::clone(&connections);
    let endpoint = serve(move |stream| {
        count.fetch_add(1, Ordering::SeqCst);
        keep_answering(stream)
    })
    .await;
    for _ in 0..3 {
        let source = CachedTokenSource::new(Plain(endpoint.clone())).unwrap();
        source.token().await.unwrap();
    }
    assert_eq!(connections.load(Ordering::SeqCst), 1);
}

/// A server may close a pooled connection just as the next request is sent, and then it is unknown
/// whether the request was received. A flow that must not ask twice uses no pooled connection, not
/// even one of another flow.
#[tokio::test]
async fn a_flow_that_must_not_resend_uses_no_pooled_connection() {
    let connections = Arc::<AtomicUsize>::default();
    let count = Arc::clone(&connections);
    let endpoint = serve(move |stream| {
        count.fetch_add(1, Ordering::SeqCst);
        keep_answering(stream)
    })
    .await;
    send(&endpoint).await.unwrap(); // leaves a connection behind
    for number in 2..=3 {
        let source = CachedTokenSource::builder(Plain(endpoint.clone()))
            .retry_policy(RetryPolicy::default().resend_unanswered(false));
        source.build().unwrap().token().await.unwrap();
        assert_eq!(connections.load(Ordering::SeqCst), number);
    }
}

/// Answers on a connection until the other side closes it.
async fn keep_answering(mut stream: TcpStream) {
    let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}";
    let _ = stream.write_all(answer).await;
    // In a task, so that further connections are accepted too.
    tokio::runtime::Handle::current().spawn(async move {
        let mut request = [0; 4096];
        while stream.read(&mut request).await.is_ok_and(|count| count > 0) {
            let _ = stream.write_all(answer).await;
        }
    });
}

/// A pooled connection is a task of the runtime that opened it. If that runtime is not driven any
/// more, another one must not use the connection.
#[test]
fn a_runtime_that_is_not_driven_blocks_no_other() {
    let runtime = || tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let servers = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let endpoint = servers.block_on(serve(keep_answering));
    let (parked, driven) = (runtime(), runtime());
    parked.block_on(send(&endpoint)).unwrap();
    let began = Instant::now();
    driven.block_on(send(&endpoint)).unwrap();
    assert!(began.elapsed() < Duration::from_secs(2), "{:?}", began.elapsed());
    drop(parked);
}

#[test]
fn without_a_tokio_runtime_the_error_says_so() {
    let client = ReqwestClient::shared().unwrap();
    let endpoint = Endpoint::from_static("https://pay.example.com");
    let mut call = std::pin::pin!(client.send(request(&endpoint)));
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    let std::task::Poll::Ready(Err(error)) = call.as_mut().poll(&mut context) else { panic!() };
    assert_eq!(error.kind(), ErrorKind::Config);
}

#[tokio::test]
async fn failures_distinguish_requests_that_were_sent_from_those_that_were_not() {
    // Nothing listens there: bound and dropped again.
    let free = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let refused = Endpoint::parse(&format!("http://{free}/token?")).is_err();
    assert!(refused, "a query is refused before anything is sent");
    let nobody = Endpoint::parse(&format!("http://{free}/CANARY-path")).unwrap();
    let closing = serve(|stream| async move { drop(stream) }).await;
    let truncating = serve(|mut stream| async move {
        stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\n{\"to").await.unwrap();
    })
    .await;
    let babbling = serve(|mut stream| async move {
        stream.write_all(b"\0\0\0 this is no HTTP \0\0\0\r\n\r\n").await.unwrap();
    })
    .await;
    for (endpoint, kind) in [
        (nobody, ErrorKind::Connect),
        (closing, ErrorKind::Unavailable),
        (truncating, ErrorKind::Unavailable),
        (babbling, ErrorKind::Protocol),
    ] {
        let error = send(&endpoint).await.unwrap_err();
        assert_eq!(error.kind(), kind, "{error}");
        assert!(!texts(&error).contains("CANARY"), "{}", texts(&error));
    }
}

/// The server does not speak HTTP, so a retry with the secret is useless.
#[tokio::test]
async fn a_head_that_is_not_http_is_a_protocol_error_and_sent_once() {
    let many = "x-a: b\r\n".repeat(101);
    for head in [
        format!("HTTP/1.1 200 OK\r\n{many}content-length: 2\r\n\r\n{{}}").into_bytes(),
        b"HTTP/2.0 200 OK\r\ncontent-length: 2\r\n\r\n{}".to_vec(),
        b"SSH-2.0-OpenSSH_9.6\r\n".to_vec(),
        b"\x15\x03\x01\0\x02\x02\x50".to_vec(), // a TLS alert
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n{}".to_vec(),
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\n{}zz".to_vec(),
    ] {
        let requests = Arc::<AtomicUsize>::default();
        let (count, sent) = (Arc::clone(&requests), head.clone());
        let endpoint = serve(move |mut stream| {
            count.fetch_add(1, Ordering::SeqCst);
            let head = sent.clone();
            async move { stream.write_all(&head).await.unwrap() }
        })
        .await;
        let source = CachedTokenSource::new(Plain(endpoint.clone())).unwrap();
        let error = source.token().await.unwrap_err();
        let text = String::from_utf8_lossy(&head);
        assert_eq!(error.kind(), ErrorKind::Protocol, "{text}: {error}");
        let at = endpoint.to_string().replace("http://", "");
        assert!(error.to_string().contains(at.trim_end_matches('/')), "{error}");
        assert_eq!(requests.load(Ordering::SeqCst), 1, "{text}");
    }
}

/// SSH and SMTP servers send first.
#[tokio::test]
async fn a_server_that_sends_first_is_a_protocol_error_too() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = Endpoint::parse(&format!("http://{}", listener.local_addr().unwrap())).unwrap();
    tokio::runtime::Handle::current().spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let _ = stream.write_all(b"220 mail.example.com ESMTP\r\n").await;
            let _ = stream.read(&mut [0; 4096]).await;
        }
    });
    let error = send(&endpoint).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Protocol, "{error}");
}

#[tokio::test]
async fn a_space_before_the_colon_and_a_folded_header_are_accepted() {
    for head in [
        &b"HTTP/1.1 200 OK\r\ncontent-length : 2\r\n\r\n{}"[..],
        b"HTTP/1.1 200 OK\r\nx-a: b\r\n c\r\ncontent-length: 2\r\n\r\n{}",
    ] {
        let endpoint =
            serve(move |mut stream| async move { stream.write_all(head).await.unwrap() }).await;
        assert_eq!(send(&endpoint).await.unwrap().body().as_ref(), b"{}");
    }
}

/// Causes with different remedies have different texts, and each names host and port.
#[tokio::test]
async fn failures_to_connect_name_host_port_and_cause() {
    let free = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let plain = serve(|mut stream| async move {
        let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await;
    })
    .await;
    let plain = plain.to_string().replace("http://", "https://");
    for (url, at, words) in [
        (format!("http://{free}"), free.to_string(), "connection refused by"),
        ("https://no-such-host.invalid".into(), "no-such-host.invalid:443".into(), "no address"),
        (plain.clone(), plain.replace("https://", ""), "does not speak TLS"),
    ] {
        let mut request = request(&Endpoint::from_static("https://pay.example.com"));
        *request.uri_mut() = url.parse().unwrap();
        let client = ReqwestClient::configure(|builder| builder.no_proxy()).unwrap();
        let error = client.send(request).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Connect, "{error}");
        let (text, at) = (error.to_string(), at.trim_end_matches('/'));
        assert!(text.contains(at) && text.contains(words), "{text}");
        assert!(!texts(&error).contains("CANARY"), "{text}");
    }
}
