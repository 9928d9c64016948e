//! Servers that a login may meet instead of the provider: with any certificate, as a proxy, or silent.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use rcgen::{
    BasicConstraints, CertificateParams, CustomExtension, DnType, IsCa, Issuer, KeyPair,
    date_time_ymd,
};
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::CertificateDer;
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig, ServerConnection, StreamOwned};

/// What the provider answers to a request without credentials.
const REFUSAL: &str = "HTTP/1.1 401 Unauthorized\r\ncontent-type: application/json\r\n\
                       content-length: 2\r\nconnection: close\r\n\r\n{}";

/// A certificate, and the key that it is for.
pub(crate) struct Made {
    params: CertificateParams,
    key: KeyPair,
    pub(crate) der: CertificateDer<'static>,
    pub(crate) pem: String,
}

impl Made {
    fn new(params: CertificateParams, issuer: Option<&Self>) -> Self {
        let key = KeyPair::generate().unwrap();
        let made = match issuer {
            Some(issuer) => {
                let issuer = Issuer::from_params(&issuer.params, &issuer.key);
                params.signed_by(&key, &issuer).unwrap()
            }
            None => params.self_signed(&key).unwrap(),
        };
        Self { params, key, der: made.der().clone(), pem: made.pem() }
    }

    /// An authority of this name.
    pub(crate) fn authority(name: &str, issuer: Option<&Self>) -> Self {
        Self::authority_that(name, issuer, |_| {})
    }

    /// The same, with more set by `step`.
    pub(crate) fn authority_that(
        name: &str,
        issuer: Option<&Self>,
        step: impl FnOnce(&mut CertificateParams),
    ) -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, name);
        step(&mut params);
        Self::new(params, issuer)
    }

    /// A certificate for a host, with more set by `step`.
    pub(crate) fn leaf(
        host: &str,
        issuer: Option<&Self>,
        step: impl FnOnce(&mut CertificateParams),
    ) -> Self {
        let mut params = CertificateParams::new(vec![host.to_owned()]).unwrap();
        params.distinguished_name.push(DnType::CommonName, host);
        step(&mut params);
        Self::new(params, issuer)
    }
}

pub(crate) fn valid(params: &mut CertificateParams, from: i32, until: i32) {
    params.not_before = date_time_ymd(from, 1, 1);
    params.not_after = date_time_ymd(until, 1, 1);
}

/// The extension with the place of the issuer's certificate (RFC 5280 section 4.2.2.1).
pub(crate) fn with_place_of_issuer(params: &mut CertificateParams) {
    let url = b"http://authority.example/ca.cer";
    let method = [&[0x06, 8, 0x2b, 6, 1, 5, 5, 7, 48, 2][..], &[0x86, 31], url].concat();
    let access = [&[0x30, u8::try_from(method.len()).unwrap()][..], &method].concat();
    let all = [&[0x30, u8::try_from(access.len()).unwrap()][..], &access].concat();
    let extension = CustomExtension::from_oid_content(&[1, 3, 6, 1, 5, 5, 7, 1, 1], all);
    params.custom_extensions.push(extension);
}

/// Listens on a port of its own, and hands each connection to `serve` on a thread.
pub(crate) fn listen(serve: impl Fn(TcpStream) + Send + Sync + 'static) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let (port, serve) = (listener.local_addr().unwrap().port(), Arc::new(serve));
    thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let serve = Arc::clone(&serve);
            thread::spawn(move || serve(stream));
        }
    });
    port
}

/// A provider behind TLS that shows these certificates, and refuses every request.
pub(crate) fn tls(leaf: &Made, others: &[&Made]) -> u16 {
    tls_that(leaf, others, None, |_| {})
}

/// The same, for the clients of an authority alone where one is given, and with more set by `step`.
pub(crate) fn tls_that(
    leaf: &Made,
    others: &[&Made],
    clients: Option<&Made>,
    step: impl FnOnce(&mut ServerConfig),
) -> u16 {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .unwrap();
    let builder = match clients {
        None => builder.with_no_client_auth(),
        Some(authority) => {
            let mut roots = RootCertStore::empty();
            roots.add(authority.der.clone()).unwrap();
            let roots = Arc::new(roots);
            let verifier = WebPkiClientVerifier::builder_with_provider(roots, provider);
            builder.with_client_cert_verifier(verifier.build().unwrap())
        }
    };
    let chain = std::iter::once(leaf).chain(others.iter().copied());
    let chain: Vec<_> = chain.map(|made| made.der.clone()).collect();
    let key = leaf.key.serialize_der().try_into().unwrap();
    let mut config = builder.with_single_cert(chain, key).unwrap();
    step(&mut config);
    let config = Arc::new(config);
    listen(move |stream| {
        let connection = ServerConnection::new(Arc::clone(&config)).unwrap();
        let mut stream = StreamOwned::new(connection, stream);
        let Some(head) = head(&mut stream) else {
            // Tells the client why, if the handshake failed.
            let _ = stream.conn.write_tls(&mut stream.sock);
            return;
        };
        if head.starts_with("CONNECT") {
            let _ = stream.write_all(b"HTTP/1.1 403 No\r\n\r\n");
        } else {
            let _ = stream.write_all(REFUSAL.as_bytes());
        }
        stream.conn.send_close_notify();
        let _ = stream.flush();
    })
}

/// A provider in the clear that refuses every request, and all that it was sent.
pub(crate) fn recorder() -> (u16, Arc<Mutex<Vec<u8>>>) {
    let all = Arc::<Mutex<Vec<u8>>>::default();
    let record = Arc::clone(&all);
    let port = listen(move |mut stream| {
        stream.set_read_timeout(Some(Duration::from_millis(300))).unwrap();
        let mut answered = false;
        let mut buffer = [0; 4096];
        while let Ok(length @ 1..) = stream.read(&mut buffer) {
            record.lock().unwrap().extend_from_slice(&buffer[..length]);
            if !std::mem::replace(&mut answered, true) {
                let _ = stream.write_all(REFUSAL.as_bytes());
            }
        }
    });
    (port, all)
}

/// A proxy that answers `CONNECT` with this status, and passes bytes on if that is 200.
pub(crate) fn proxy(status: &'static str) -> u16 {
    listen(move |mut client| {
        let Some(head) = head(&mut client) else { return };
        let _ = client.write_all(format!("HTTP/1.1 {status}\r\n\r\n").as_bytes());
        let to = head.split(' ').nth(1).unwrap_or_default();
        let Ok(mut server) = TcpStream::connect(to) else { return };
        if status.starts_with("200") {
            let (mut from, mut back) = (client.try_clone().unwrap(), server.try_clone().unwrap());
            thread::spawn(move || std::io::copy(&mut from, &mut server));
            let _ = std::io::copy(&mut back, &mut client);
        }
    })
}

/// A host that accepts connections and never says anything.
pub(crate) fn silent() -> u16 {
    listen(|stream| {
        thread::sleep(Duration::from_secs(60));
        drop(stream);
    })
}

/// A port whose host answers no further connection, as behind a firewall that drops packets: its
/// queue is full. The streams hold the queue.
pub(crate) fn filtered() -> (u16, TcpListener, Vec<TcpStream>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    rustix::net::listen(&listener, 0).unwrap();
    let address = listener.local_addr().unwrap();
    let soon = Duration::from_millis(200);
    let held = (0..8).map_while(|_| TcpStream::connect_timeout(&address, soon).ok()).collect();
    (address.port(), listener, held)
}

/// A port that nothing listens at.
pub(crate) fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// The head of a request.
fn head(stream: &mut impl std::io::Read) -> Option<String> {
    let (mut head, mut byte) = (Vec::new(), [0]);
    while !head.ends_with(b"\r\n\r\n") {
        match stream.read(&mut byte) {
            Ok(1) => head.push(byte[0]),
            _ => return None,
        }
    }
    String::from_utf8(head).ok()
}
