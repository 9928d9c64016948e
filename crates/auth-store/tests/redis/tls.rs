//! TLS, with certificates that the test makes, in front of a real server.

use std::sync::Arc;

use auth_store::{RedisBuilder, RedisStore};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair, date_time_ymd};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

use super::server::{Server, free_port};
use super::{ErrorKind, ONE, get, key, put, refusal, shown};

struct Made {
    params: CertificateParams,
    key: KeyPair,
    certificate: rcgen::Certificate,
}

impl Made {
    fn new(params: CertificateParams, issuer: Option<&Self>) -> Self {
        let key = KeyPair::generate().unwrap();
        let certificate = match issuer {
            Some(issuer) => {
                let issuer = Issuer::from_params(&issuer.params, &issuer.key);
                params.signed_by(&key, &issuer).unwrap()
            }
            None => params.self_signed(&key).unwrap(),
        };
        Self { params, key, certificate }
    }

    fn authority() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Self::new(params, None)
    }

    fn leaf(host: &str, issuer: &Self) -> Self {
        Self::new(CertificateParams::new(vec![host.to_owned()]).unwrap(), Some(issuer))
    }

    fn pem(&self) -> String {
        self.certificate.pem()
    }
}

/// TLS on a port of its own, in front of this one. `clients` signs the certificates of clients.
async fn in_front_of(port: u16, leaf: &Made, clients: Option<&Made>) -> u16 {
    front(port, leaf, clients, false).await
}

async fn front(port: u16, leaf: &Made, clients: Option<&Made>, hangs_up: bool) -> u16 {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .unwrap();
    let builder = match clients {
        None => builder.with_no_client_auth(),
        Some(authority) => {
            let mut roots = RootCertStore::empty();
            roots.add(authority.certificate.der().clone()).unwrap();
            let verifier =
                WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider).build();
            builder.with_client_cert_verifier(verifier.unwrap())
        }
    };
    let key = leaf.key.serialize_der().try_into().unwrap();
    let config = builder.with_single_cert(vec![leaf.certificate.der().clone()], key).unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let front = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                let mut first = [0];
                if stream.peek(&mut first).await.is_err() || hangs_up && first != [0x16] {
                    return; // as OpenSSL does
                }
                let Ok(mut stream) = acceptor.accept(stream).await else { return };
                let mut server = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
                let _ = tokio::io::copy_bidirectional(&mut stream, &mut server).await;
            });
        }
    });
    front
}

fn builder(url: &str, authority: &Made) -> RedisBuilder {
    RedisStore::builder(url).key(key()).trust(authority.pem().as_bytes()).unwrap()
}

#[tokio::test]
async fn tls_needs_no_provider_of_the_process_and_trusts_an_authority_of_ones_own() {
    let Some(server) = Server::start(&["--requirepass", "word"]) else { return };
    // A client that took the process's provider would have no cipher; nobody has set another one.
    let mut useless = rustls::crypto::aws_lc_rs::default_provider();
    (useless.cipher_suites, useless.kx_groups) = (Vec::new(), Vec::new());
    assert!(useless.install_default().is_ok());
    let root = Made::authority();
    let front = in_front_of(server.port, &Made::leaf("localhost", &root), None).await;
    let url = format!("rediss://:word@localhost:{front}");
    let store = builder(&url, &root).connect().await.unwrap();
    assert!(put(&store, None, Some(ONE)).await.unwrap());
    server.run("CLIENT KILL TYPE normal SKIPME yes");
    assert_eq!(get(&store).await.unwrap().unwrap(), ONE);
}

#[tokio::test]
async fn a_certificate_that_cannot_be_trusted_gets_no_password_and_the_text_says_why() {
    let (root, other) = (Made::authority(), Made::authority());
    let mut expired = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    (expired.not_before, expired.not_after) =
        (date_time_ymd(2020, 1, 1), date_time_ymd(2021, 1, 1));
    let nobody = free_port();
    for (leaf, says, proves) in [
        (Made::leaf("localhost", &other), "unknown issuer: name its authority in", true),
        (Made::leaf("redis.example.com", &root), "a certificate for another name", true),
        (Made::new(expired, Some(&root)), "is it expired?", false),
    ] {
        let front = in_front_of(nobody, &leaf, None).await;
        let made = builder(&format!("rediss://:CANARY@localhost:{front}"), &root).connect().await;
        let error = match made {
            Ok(store) => get(&store).await.unwrap_err(),
            Err(error) => error,
        };
        assert_eq!(error.kind() == ErrorKind::Config, proves, "{error}");
        let host = format!("localhost:{front}");
        assert!(shown(&error).contains(says) && shown(&error).contains(&host), "{error}");
    }
}

#[tokio::test]
async fn tls_on_one_side_alone_is_named() {
    let Some(server) = Server::start(&[]) else { return };
    let says = refusal(&format!("rediss://:CANARY@127.0.0.1:{}", server.port)).await;
    assert!(says.contains("does not speak TLS: begin the URL with redis://"), "{says}");

    let root = Made::authority();
    for hangs_up in [false, true] {
        let front = front(server.port, &Made::leaf("localhost", &root), None, hangs_up).await;
        let says = refusal(&format!("redis://:CANARY@localhost:{front}")).await;
        assert!(says.contains("answers TLS: begin the URL with rediss://"), "{says}");
    }
}

#[tokio::test]
async fn a_client_certificate_is_presented_where_it_is_asked_for() {
    let Some(server) = Server::start(&[]) else { return };
    let root = Made::authority();
    let mine = Made::leaf("app", &root);
    let front = in_front_of(server.port, &Made::leaf("localhost", &root), Some(&root)).await;
    let url = format!("rediss://localhost:{front}");
    let error = builder(&url, &root).connect().await.unwrap_err();
    assert!(
        shown(&error).contains("wants a client certificate: set AUTH_STORE_REDIS_CERT"),
        "{error}"
    );
    let (chain, own_key) = (mine.pem(), mine.key.serialize_pem());
    let with = builder(&url, &root).client_certificate(chain.as_bytes(), own_key.as_bytes());
    let store = with.unwrap().connect().await.unwrap();
    assert!(put(&store, None, Some(ONE)).await.unwrap());
}
