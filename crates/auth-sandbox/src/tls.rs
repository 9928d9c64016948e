//! A certificate for this sandbox, under an authority that is made for it and forgotten.

use std::net::IpAddr;
use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;

/// Why there is no certificate; in practice a host that is no name.
pub(crate) type Trouble = Box<dyn std::error::Error + Send + Sync>;

/// An acceptor whose certificate names `hosts`, and the authority to trust, in PEM.
///
/// The provider of cryptography is named: the process's default may be another one, or none.
pub(crate) fn make(hosts: &[String]) -> Result<(TlsAcceptor, String), Trouble> {
    let mut authority = CertificateParams::default();
    authority.distinguished_name.push(DnType::CommonName, "auth-sandbox, made up: trust in tests");
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    authority.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    let key = KeyPair::generate()?;
    let pem = authority.self_signed(&key)?.pem();
    let issuer = Issuer::new(authority, key);

    let mut server = CertificateParams::new(hosts.to_vec())?;
    server.distinguished_name.push(DnType::CommonName, "auth-sandbox");
    server.use_authority_key_identifier_extension = true;
    let key = KeyPair::generate()?;
    let certificate = server.signed_by(&key, &issuer)?;
    let key = PrivateKeyDer::try_from(key.serialize_der())?;
    let mut config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], key)?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok((TlsAcceptor::from(Arc::new(config)), pem))
}

/// The names of a sandbox: loopback's, the address's, and the one that is advertised.
pub(crate) fn hosts(address: IpAddr, advertised: Option<&str>) -> Vec<String> {
    let loopback = ["localhost", "127.0.0.1", "::1"].map(str::to_owned);
    let own = (!address.is_unspecified()).then(|| address.to_string());
    let mut hosts = loopback.to_vec();
    for host in own.into_iter().chain(advertised.map(str::to_owned)) {
        if !hosts.contains(&host) {
            hosts.push(host);
        }
    }
    hosts
}
