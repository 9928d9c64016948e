//! The step `tls`: a handshake with the client's own rules, and what the server's certificates say.
//!
//! rustls hands out no certificate that it refused (<https://github.com/rustls/rustls/issues/1819>),
//! so the verifier is wrapped: it notes what it is shown, and decides nothing.

use std::error::Error as StdError;
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use auth_core::ErrorKind;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, InvalidMessage, SignatureScheme,
};
use rustls_platform_verifier::Verifier;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use super::finding::{Finding, Step};
use super::line::Target;
use super::report::Report;
use super::x509::{self, Read};
use crate::settings::variable;
use crate::stop::Stop;
use crate::text::Text;
use crate::when::{now, rfc3339};

/// How early the end of a certificate is warned of.
const EARLY: Duration = Duration::from_secs(14 * 86_400);

/// Notes the certificates of a server, and has another verifier decide.
#[derive(Debug)]
struct Witness {
    verifier: Arc<dyn ServerCertVerifier>,
    shown: Mutex<Vec<CertificateDer<'static>>>,
}

impl ServerCertVerifier for Witness {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let all = std::iter::once(end_entity).chain(intermediates);
        *self.shown.lock().unwrap_or_else(PoisonError::into_inner) =
            all.map(|certificate| certificate.clone().into_owned()).collect();
        self.verifier.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.verifier.verify_tls12_signature(message, cert, dss)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.verifier.verify_tls13_signature(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.verifier.supported_verify_schemes()
    }
}

/// Says whether the server can be spoken to.
pub(super) async fn examine(
    report: &mut Report<'_>,
    target: &Target,
    stream: Option<TcpStream>,
) -> Result<bool, Stop> {
    if !target.is_tls {
        report.tell(Finding::skip(Step::Tls, Text::DoctorPlain, &[]))?;
        return Ok(true);
    }
    let Some(stream) = stream else {
        report.tell(Finding::skip(Step::Tls, Text::DoctorOtherProxy, &[]))?;
        return Ok(true);
    };
    let wrong_setting = wrong_setting();
    let provider = Arc::new(aws_lc_rs::default_provider());
    let finding = match Verifier::new(Arc::clone(&provider)) {
        Err(error) => wrong_setting.unwrap_or_else(|| {
            let texts = (Text::DoctorNoRoots, Text::DoctorNoRootsDo);
            Finding::failure(Step::Tls, ErrorKind::Config, texts, &[&error.to_string()])
        }),
        Ok(verifier) => {
            let witness =
                Arc::new(Witness { verifier: Arc::new(verifier), shown: Mutex::default() });
            let shaken = handshake(report, target, stream, (provider, &witness)).await;
            let shown = witness.shown.lock().unwrap_or_else(PoisonError::into_inner);
            let chain: Vec<_> = shown.iter().filter_map(|it| x509::read(it)).collect();
            match shaken {
                Ok(version) => good(&version, &chain),
                Err(Fault::Certificate(error)) => match error {
                    CertificateError::UnknownIssuer | CertificateError::BadSignature => {
                        wrong_setting.unwrap_or_else(|| refused(&error, &chain, target))
                    }
                    error => refused(&error, &chain, target),
                },
                Err(Fault::Other(texts, said)) => {
                    let values = [target.host.as_str(), &said];
                    Finding::failure(Step::Tls, ErrorKind::Connect, texts, &values)
                }
            }
        }
    };
    let is_good = !finding.is_failure();
    report.tell(finding)?;
    Ok(is_good)
}

enum Fault {
    Certificate(CertificateError),
    Other((Text, Text), String),
}

/// The version that was agreed on.
async fn handshake(
    report: &Report<'_>,
    target: &Target,
    stream: TcpStream,
    (provider, witness): (Arc<CryptoProvider>, &Arc<Witness>),
) -> Result<String, Fault> {
    let broken = |error: &dyn StdError| {
        Fault::Other((Text::DoctorTlsBroken, Text::DoctorTlsBrokenDo), error.to_string())
    };
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| broken(&error))?
        .dangerous() // rustls calls any verifier of one's own so; this one has another verify
        .with_custom_certificate_verifier(Arc::<Witness>::clone(witness))
        .with_no_client_auth();
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    let name = ServerName::try_from(target.host.clone()).map_err(|error| broken(&error))?;
    let shaken = TlsConnector::from(Arc::new(config)).connect(name, stream);
    let error = match report.within(Step::Tls, shaken).await {
        Some(Ok(stream)) => {
            let version = stream.get_ref().1.protocol_version().and_then(|it| it.as_str());
            return Ok(version.unwrap_or("TLS").replace("TLSv1_", "TLS 1."));
        }
        None => {
            let texts = (Text::DoctorTlsSilent, Text::DoctorTlsSilentDo);
            return Err(Fault::Other(texts, report.limit()));
        }
        Some(Err(error)) => error,
    };
    let cause = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
    Err(match cause {
        Some(rustls::Error::InvalidCertificate(error)) => Fault::Certificate(error.clone()),
        Some(rustls::Error::InvalidMessage(InvalidMessage::InvalidContentType)) => {
            Fault::Other((Text::DoctorNoTls, Text::DoctorNoTlsDo), String::new())
        }
        Some(rustls::Error::AlertReceived(alert)) => {
            let texts = (Text::DoctorTlsAlert, Text::DoctorTlsAlertDo);
            Fault::Other(texts, format!("{alert:?}"))
        }
        Some(other) => broken(other),
        None if error.kind() == io::ErrorKind::UnexpectedEof => {
            let texts = (Text::DoctorTlsBroken, Text::DoctorTlsBrokenDo);
            Fault::Other(texts, "unexpected end of file".to_owned())
        }
        None => broken(&error),
    })
}

fn good(version: &str, chain: &[Read]) -> Finding {
    let Some(first) = chain.first() else {
        return Finding::good(Step::Tls, Text::DoctorLine, &[version]);
    };
    let left = first.ends.duration_since(now()).unwrap_or_default();
    let days = (left.as_secs() / 86_400).to_string();
    let values = [version, &first.issuer, &days];
    if left < EARLY {
        let texts = (Text::DoctorTls, Text::DoctorTlsEndsDo);
        return Finding::warning(Step::Tls, texts, &values);
    }
    Finding::good(Step::Tls, Text::DoctorTls, &values)
}

/// Why a certificate was refused.
fn refused(error: &CertificateError, chain: &[Read], target: &Target) -> Finding {
    let today = rfc3339(now()).unwrap_or_default();
    let (Some(first), Some(last)) = (chain.first(), chain.last()) else {
        let texts = (Text::DoctorTlsBroken, Text::DoctorTlsBrokenDo);
        let values = [target.host.as_str(), &error.to_string()];
        return Finding::failure(Step::Tls, ErrorKind::Connect, texts, &values);
    };
    let at = |instant| rfc3339(instant).unwrap_or_default();
    // An intermediate may be the one whose time is over.
    let ended = chain.iter().min_by_key(|it| it.ends).unwrap_or(first);
    let begun = chain.iter().max_by_key(|it| it.begins).unwrap_or(first);
    let (texts, values) = match error {
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
            let texts = (Text::DoctorExpired, Text::DoctorExpiredDo);
            (texts, vec![ended.subject.clone(), at(ended.ends), today])
        }
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            let texts = (Text::DoctorNotYet, Text::DoctorNotYetDo);
            (texts, vec![begun.subject.clone(), at(begun.begins), today])
        }
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            let texts = (Text::DoctorWrongHost, Text::DoctorWrongHostDo);
            let mut hosts = first.hosts.clone();
            hosts.truncate(5);
            let hosts = if hosts.is_empty() { first.subject.clone() } else { hosts.join(", ") };
            (texts, vec![hosts, target.host.clone(), first.issuer.clone()])
        }
        CertificateError::Revoked => {
            ((Text::DoctorRevoked, Text::DoctorRevokedDo), vec![first.subject.clone()])
        }
        CertificateError::UnknownIssuer | CertificateError::BadSignature if first.is_root => {
            ((Text::DoctorSelfSigned, Text::DoctorSelfSignedDo), vec![first.subject.clone()])
        }
        // One certificate of a public authority: its own is missing.
        CertificateError::UnknownIssuer if chain.len() == 1 && first.names_its_issuers_place => {
            let texts = (Text::DoctorNoIntermediate, Text::DoctorNoIntermediateDo);
            (texts, vec![first.issuer.clone()])
        }
        CertificateError::UnknownIssuer | CertificateError::BadSignature => {
            ((Text::DoctorUnknownIssuer, Text::DoctorUnknownIssuerDo), vec![last.issuer.clone()])
        }
        error => {
            let texts = (Text::DoctorCertificate, Text::DoctorCertificateDo);
            (texts, vec![error.to_string(), first.issuer.clone()])
        }
    };
    let values: Vec<_> = values.iter().map(String::as_str).collect();
    Finding::failure(Step::Tls, ErrorKind::Connect, texts, &values)
}

/// A setting of the certificates to trust that leads to none: what follows from it looks like an
/// interception, and is none.
fn wrong_setting() -> Option<Finding> {
    if !cfg!(all(unix, not(target_vendor = "apple"))) {
        return None; // The system's own store is used, and no setting.
    }
    let wrong = |name: &str, path: &str| {
        let texts = (Text::DoctorRootsSetting, Text::DoctorRootsSettingDo);
        Some(Finding::failure(Step::Tls, ErrorKind::Config, texts, &[name, path]))
    };
    if let Some(path) = variable("SSL_CERT_FILE") {
        let text = std::fs::read(&path).unwrap_or_default();
        let begin = b"-----BEGIN CERTIFICATE-----";
        if !text.windows(begin.len()).any(|part| part == begin) {
            return wrong("SSL_CERT_FILE", &path);
        }
    }
    let folders = variable("SSL_CERT_DIR")?;
    let mut paths = std::env::split_paths(&folders);
    let has_any = |path: PathBuf| std::fs::read_dir(path).is_ok_and(|mut it| it.next().is_some());
    if paths.any(has_any) { None } else { wrong("SSL_CERT_DIR", &folders) }
}
