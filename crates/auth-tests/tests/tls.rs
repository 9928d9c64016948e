//! Real TLS: which certificates `ReqwestClient` trusts, and its errors for the others.

#![allow(clippy::unwrap_used, clippy::panic, clippy::disallowed_methods)] // a test that cannot go on panics

use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use auth_core::{
    Endpoint, Error, ErrorKind, HttpClient as _, HttpRequest, HttpResponse, ReqwestClient,
    SecretString, TokenRequest,
};
use auth_tests::canary::texts;
use auth_tests::response;
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair, date_time_ymd};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

fn request(endpoint: &Endpoint) -> HttpRequest {
    let name = http::HeaderName::from_static("x-secret");
    let secret = SecretString::from("CANARY-tls");
    TokenRequest::post(endpoint).secret_header(name, &secret).empty().unwrap()
}

/// A certificate, and the key that it is for.
struct Made {
    params: CertificateParams,
    key: KeyPair,
    der: CertificateDer<'static>,
}

impl Made {
    /// Signed by `issuer`, or self-signed.
    fn new(params: CertificateParams, issuer: Option<&Self>) -> Self {
        let key = KeyPair::generate().unwrap();
        let certificate = match issuer {
            Some(issuer) => {
                let issuer = Issuer::from_params(&issuer.params, &issuer.key);
                params.signed_by(&key, &issuer).unwrap()
            }
            None => params.self_signed(&key).unwrap(),
        };
        let der = certificate.der().clone();
        Self { params, key, der }
    }

    fn authority(issuer: Option<&Self>) -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let name = if issuer.is_some() { "intermediate" } else { "root" };
        params.distinguished_name.push(rcgen::DnType::CommonName, name);
        Self::new(params, issuer)
    }

    fn root(&self) -> reqwest::Certificate {
        reqwest::Certificate::from_der(&self.der).unwrap()
    }
}

fn leaf(host: &str) -> CertificateParams {
    CertificateParams::new(vec![host.to_owned()]).unwrap()
}

/// A TLS server on `localhost` with this certificate. Counts the decrypted bytes that it reads.
async fn server(leaf: &Made) -> (Endpoint, Arc<AtomicUsize>) {
    let config = ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(
            vec![leaf.der.clone()],
            PrivateKeyDer::Pkcs8(leaf.key.serialize_der().into()),
        )
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let read = Arc::<AtomicUsize>::default();
    let count = Arc::clone(&read);
    tokio::runtime::Handle::current().spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let Ok(mut stream) = acceptor.accept(stream).await else {
                continue;
            };
            let mut head = [0; 4096];
            count.fetch_add(stream.read(&mut head).await.unwrap_or(0), Ordering::SeqCst);
            let _ = stream.write_all(&response(200, &[], b"{}")).await;
            let _ = stream.shutdown().await;
        }
    });
    (Endpoint::parse(&format!("https://localhost:{port}")).unwrap(), read)
}

/// Sends with a client that trusts one more authority, and is configured to skip verification.
async fn send(endpoint: &Endpoint, root: reqwest::Certificate) -> Result<HttpResponse, Error> {
    let client = ReqwestClient::configure(move |builder| {
        builder
            .tls_certs_merge([root.clone()])
            .tls_danger_accept_invalid_certs(true)
            .tls_danger_accept_invalid_hostnames(true)
    });
    client?.send(request(endpoint)).await
}

#[tokio::test]
async fn a_certificate_that_cannot_be_verified_gets_no_secret_and_the_text_says_why() {
    let (root, namesake) = (Made::authority(None), Made::authority(None));
    let intermediate = Made::authority(Some(&root));
    let mut expired = leaf("localhost");
    expired.not_before = date_time_ymd(2020, 1, 1);
    expired.not_after = date_time_ymd(2021, 1, 1);
    let mut early = leaf("localhost");
    early.not_before = date_time_ymd(2999, 1, 1);
    early.not_after = date_time_ymd(3000, 1, 1);
    // rustls reports self-signed, unknown issuer and missing intermediate alike.
    let issuer = ["ca-certificates", "ReqwestClient::configure", "intermediate certificate"];
    let clock = ["clock", "name", "not accepted"];
    for (case, certificate, words) in [
        ("self-signed", Made::new(leaf("localhost"), None), issuer),
        ("an issuer's namesake", Made::new(leaf("localhost"), Some(&namesake)), issuer),
        ("missing intermediate", Made::new(leaf("localhost"), Some(&intermediate)), issuer),
        ("expired", Made::new(expired, Some(&root)), clock),
        ("not valid yet", Made::new(early, Some(&root)), clock),
        ("another host", Made::new(leaf("pay.example.com"), Some(&root)), clock),
    ] {
        let (endpoint, read) = server(&certificate).await;
        let error = send(&endpoint, root.root()).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Connect, "{case}: {error}");
        assert_eq!(read.load(Ordering::SeqCst), 0, "{case}");
        let port = endpoint.to_string().replace("https://", "");
        for word in words.into_iter().chain([port.trim_end_matches('/')]) {
            assert!(error.to_string().contains(word), "{case}, {word}: {error}");
        }
        assert!(!texts(&error).contains("CANARY"), "{}", texts(&error));
    }
}

#[tokio::test]
async fn an_added_authority_is_trusted() {
    let root = Made::authority(None);
    let (endpoint, read) = server(&Made::new(leaf("localhost"), Some(&root))).await;
    assert_eq!(send(&endpoint, root.root()).await.unwrap().status(), 200);
    assert!(read.load(Ordering::SeqCst) > 0);
    // No other client trusts it.
    ReqwestClient::shared().unwrap().send(request(&endpoint)).await.unwrap_err();
}

/// The part of the next test that runs in a process with a key log.
#[tokio::test]
async fn in_a_process_with_a_key_log() {
    if std::env::var_os("AUTH_TEST_KEY_LOG").is_none() {
        return;
    }
    let root = Made::authority(None);
    let (endpoint, _) = server(&Made::new(leaf("localhost"), Some(&root))).await;
    let client = ReqwestClient::configure(move |builder| {
        builder.tls_certs_merge([root.root()]).tls_sslkeylogfile(true)
    });
    client.unwrap().send(request(&endpoint)).await.unwrap();
}

#[test]
fn a_client_configured_to_log_its_keys_does_not() {
    let file = std::env::temp_dir().join(format!("auth-keys-{}.log", std::process::id()));
    let _ = std::fs::remove_file(&file);
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "in_a_process_with_a_key_log", "--nocapture"])
        .env("AUTH_TEST_KEY_LOG", "1")
        .env("SSLKEYLOGFILE", &file)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let was_written = file.exists();
    let _ = std::fs::remove_file(&file);
    assert!(!was_written);
}
