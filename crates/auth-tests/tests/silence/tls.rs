//! The flows over https, with a client configured to log every byte.

use std::sync::Arc;

use auth_core::{CachedTokenSource, ReqwestClient, RetryPolicy};
use auth_tests::canary::Account;
use auth_tests::flows::{ALL, at, variables};
use auth_tests::response;
use rcgen::{CertificateParams, KeyPair};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;

use crate::Said;

pub(crate) async fn all() -> Said {
    let mut said = Said::default();
    let key = KeyPair::generate().unwrap();
    let params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    let certificate = params.self_signed(&key).unwrap().der().clone();
    let root = reqwest::Certificate::from_der(&certificate).unwrap();
    let config = ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(vec![certificate], PrivateKeyDer::Pkcs8(key.serialize_der().into()))
        .unwrap();
    for (provider, shape) in ALL {
        let account = Account::new(provider, &format!("{shape:?}, TLS"));
        let url = server(config.clone(), account.credentials.secret().to_owned()).await;
        let (url, variables) = (url.parse().unwrap(), variables(provider, &account.credentials));
        for trusts in [true, false] {
            let root = root.clone();
            let client = ReqwestClient::configure(move |builder| {
                let builder = builder.no_proxy().connection_verbose(true);
                if trusts { builder.tls_certs_merge([root.clone()]) } else { builder }
            });
            let source = CachedTokenSource::builder(at(provider, shape, &variables, &url).exchange)
                .http_client(client.unwrap())
                .retry_policy(RetryPolicy::never())
                .build()
                .unwrap();
            said.outcome("nobody", &source.token().await);
        }
        said.canaries.extend(account.canaries);
    }
    said
}

/// Answers with the secret as the token, as its type, and in a header.
async fn server(config: ServerConfig, secret: String) -> String {
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let secret = serde_json::to_string(&secret).unwrap();
    let body = format!(r#"{{"message":{secret},"token":{secret},"token_type":{secret}}}"#);
    let headers = [("x-request-id".to_owned(), secret.trim_matches('"').to_owned())];
    let answer = response(200, &headers, body.as_bytes());
    tokio::runtime::Handle::current().spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let Ok(mut stream) = acceptor.accept(stream).await else { continue };
            let _ = stream.read(&mut [0; 4096]).await;
            let _ = stream.write_all(&answer).await;
            let _ = stream.shutdown().await;
        }
    });
    format!("https://localhost:{port}")
}
