//! The step `tls`: a handshake with the client's own rules, and what the server's certificates say.
//!
//! rustls hands out no certificate that it refused (<https://github.com/rustls/rustls/issues/1819>),
//! so the verifier is wrapped: it notes what it is shown, and decides nothing.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use auth_core::ErrorKind;
use rustls::client::ResolvesClientCert;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::sign::CertifiedKey;
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, InvalidMessage, OtherError,
    SignatureScheme,
};
use rustls_platform_verifier::Verifier;
use tokio::io::AsyncReadExt as _;
use tokio_rustls::TlsConnector;

use super::finding::{Finding, Step};
use super::line::{Stream, Target};
use super::report::Report;
use super::roots;
use super::x509::{self, Read};
use crate::stop::Stop;
use crate::text::Text;
use crate::when::{now, rfc3339};

/// How early the end of a certificate is warned of.
const EARLY: Duration = Duration::from_secs(14 * 86_400);

/// How soon a server that wants a certificate of ours says so.
const SOON: Duration = Duration::from_secs(1);

/// Notes the certificates of a server, and has another verifier decide.
#[derive(Debug)]
struct Witness {
    verifier: Arc<dyn ServerCertVerifier>,
    shown: Mutex<Vec<CertificateDer<'static>>>,
    /// Whether the server asked for a certificate of ours.
    wants_ours: AtomicBool,
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

/// A server that lets in only clients that it knows asks for a certificate of ours. There is none.
impl ResolvesClientCert for Witness {
    fn resolve(&self, _: &[&[u8]], _: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        self.wants_ours.store(true, Ordering::Relaxed);
        None
    }

    fn has_certs(&self) -> bool {
        false
    }
}

/// Says whether the server can be spoken to.
pub(super) async fn examine(
    report: &mut Report<'_>,
    target: &Target,
    stream: Stream,
) -> Result<bool, Stop> {
    if !target.is_tls {
        report.tell(Finding::skip(Step::Tls, Text::DoctorPlain, &[]))?;
        return Ok(true);
    }
    let shaken = handshake(report, Step::Tls, &target.host, stream).await;
    let is_good = shaken.is_ok();
    report.tell(shaken.map_or_else(|finding| finding, |(_, finding)| finding))?;
    Ok(is_good)
}

/// A TLS connection by the rules of the real client, with what was found; or why there is none.
pub(super) async fn handshake(
    report: &Report<'_>,
    step: Step,
    host: &str,
    stream: Stream,
) -> Result<(Stream, Finding), Finding> {
    let failure =
        |texts, said: &str| Finding::failure(step, ErrorKind::Connect, texts, &[host, said]);
    let broken = |said: &str| failure((Text::DoctorTlsBroken, Text::DoctorTlsBrokenDo), said);
    let provider = Arc::new(aws_lc_rs::default_provider());
    let verifier = match Verifier::new(Arc::clone(&provider)) {
        Ok(verifier) => Arc::new(verifier),
        Err(error) => return Err(no_roots(step, &error)),
    };
    let witness =
        Arc::new(Witness { verifier, shown: Mutex::default(), wants_ours: AtomicBool::new(false) });
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| broken(&error.to_string()))?
        .dangerous() // rustls calls any verifier of one's own so; this one has another verify
        .with_custom_certificate_verifier(Arc::<Witness>::clone(&witness))
        .with_client_cert_resolver(Arc::<Witness>::clone(&witness));
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    let name = ServerName::try_from(host.to_owned());
    let name = name.map_err(|error| broken(&error.to_string()))?;
    let shaken = async {
        let mut stream = TlsConnector::from(Arc::new(config)).connect(name, stream).await?;
        if witness.wants_ours.load(Ordering::Relaxed) {
            // TLS 1.3 refuses a client after the handshake; a server that needs none says nothing.
            let answer = tokio::time::timeout(SOON, stream.read(&mut [0])).await;
            if answer.unwrap_or(Ok(1))? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
        Ok::<_, io::Error>(stream)
    };
    let shaken = report.within(step, shaken).await;
    let shown = witness.shown.lock().unwrap_or_else(PoisonError::into_inner);
    let chain: Vec<_> = shown.iter().filter_map(|it| x509::read(it)).collect();
    let error = match shaken {
        Some(Ok(stream)) => {
            let version = stream.get_ref().1.protocol_version().and_then(|it| it.as_str());
            let version = version.unwrap_or("TLS").replace("TLSv1_", "TLS 1.");
            let finding = good(step, &version, &chain);
            return Ok((Box::new(stream), finding));
        }
        None => {
            let texts = (Text::DoctorTlsSilent, Text::DoctorTlsSilentDo);
            return Err(failure(texts, &report.limit()));
        }
        Some(Err(error)) => error,
    };
    let cause = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
    let wants_ours = witness.wants_ours.load(Ordering::Relaxed);
    Err(match cause {
        Some(rustls::Error::InvalidCertificate(error)) => refused(step, error, &chain, host),
        _ if wants_ours => failure((Text::DoctorClientCert, Text::DoctorClientCertDo), ""),
        Some(rustls::Error::InvalidMessage(InvalidMessage::InvalidContentType)) => {
            failure((Text::DoctorNoTls, Text::DoctorNoTlsDo), "")
        }
        Some(rustls::Error::AlertReceived(alert)) => {
            failure((Text::DoctorTlsAlert, Text::DoctorTlsAlertDo), &format!("{alert:?}"))
        }
        Some(rustls::Error::PeerIncompatible(why)) => {
            failure((Text::DoctorTlsAlert, Text::DoctorTlsAlertDo), &format!("{why:?}"))
        }
        Some(other) => broken(&other.to_string()),
        None if error.kind() == io::ErrorKind::UnexpectedEof => broken("unexpected end of file"),
        None => broken(&error.to_string()),
    })
}

fn good(step: Step, version: &str, chain: &[Read]) -> Finding {
    let Some(first) = chain.first() else {
        return Finding::good(step, Text::DoctorLine, &[version]);
    };
    let left = first.ends.duration_since(now()).unwrap_or_default();
    let days = (left.as_secs() / 86_400).to_string();
    let values = [version, &first.issuer, &days];
    // One that lives for days is renewed in its last third.
    let lifetime = first.ends.duration_since(first.begins).unwrap_or_default();
    if left < EARLY.min(lifetime / 3) {
        let texts = (Text::DoctorTls, Text::DoctorTlsEndsDo);
        return Finding::warning(step, texts, &values);
    }
    Finding::good(step, Text::DoctorTls, &values)
}

fn no_roots(step: Step, error: &rustls::Error) -> Finding {
    match roots::settings().wrong {
        Some((name, value)) => wrong_setting(step, name, &value),
        None => {
            let texts = (Text::DoctorNoRoots, Text::DoctorNoRootsDo);
            Finding::failure(step, ErrorKind::Config, texts, &[&error.to_string()])
        }
    }
}

fn wrong_setting(step: Step, name: &str, value: &str) -> Finding {
    let texts = (Text::DoctorRootsSetting, Text::DoctorRootsSettingDo);
    Finding::failure(step, ErrorKind::Config, texts, &[name, value])
}

/// Nobody whom this machine trusts has signed it.
fn unknown(step: Step, chain: &[Read], first: &Read) -> Finding {
    let failure =
        |texts, values: &[&str]| Finding::failure(step, ErrorKind::Connect, texts, values);
    // The last certificate of the path from the server's own: servers send others, too.
    let mut last = first;
    for _ in chain {
        let issuer = chain.iter().find(|it| it.subject_der == last.issuer_der);
        last = issuer.unwrap_or(last);
    }
    let roots::Settings { wrong, right } = roots::settings();
    match (wrong, right) {
        (Some((name, value)), None) => return wrong_setting(step, name, &value),
        (Some((name, value)), Some(_)) => {
            let texts = (Text::DoctorUnknownBeside, Text::DoctorUnknownBesideDo);
            return failure(texts, &[&last.issuer, name, &value]);
        }
        (None, _) => {}
    }
    if first.is_root() {
        return failure((Text::DoctorSelfSigned, Text::DoctorSelfSignedDo), &[&first.subject]);
    }
    // One certificate of a public authority: its own is missing.
    let is_alone = chain.len() == 1 && first.names_its_issuers_place;
    let found = if is_alone { Text::DoctorNoIntermediate } else { Text::DoctorUnknownIssuer };
    let advice = match (is_alone, right) {
        (true, None) => Text::DoctorNoIntermediateDo,
        (true, Some(_)) => Text::DoctorNoIntermediateThereDo,
        (false, None) => Text::DoctorUnknownIssuerDo,
        (false, Some(_)) => Text::DoctorUnknownIssuerThereDo,
    };
    failure((found, advice), &[&last.issuer, right.unwrap_or_default()])
}

/// Why a certificate was refused.
fn refused(step: Step, error: &CertificateError, chain: &[Read], host: &str) -> Finding {
    let today = rfc3339(now()).unwrap_or_default();
    let Some(first) = chain.first() else {
        let texts = (Text::DoctorTlsBroken, Text::DoctorCertificateDo);
        return Finding::failure(step, ErrorKind::Connect, texts, &[host, &error.to_string()]);
    };
    let at = |instant| rfc3339(instant).unwrap_or_default();
    // An intermediate may be the one whose time is over. An old one that is sent without need may
    // have ended long ago, so the first counts.
    let ended = chain.iter().find(|it| it.ends < now()).unwrap_or(first);
    let begun = chain.iter().find(|it| it.begins > now()).unwrap_or(first);
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
            (texts, vec![hosts, host.to_owned(), first.issuer.clone()])
        }
        CertificateError::Revoked => {
            ((Text::DoctorRevoked, Text::DoctorRevokedDo), vec![first.subject.clone()])
        }
        CertificateError::UnknownIssuer | CertificateError::BadSignature => {
            return unknown(step, chain, first);
        }
        // What `openssl req -x509` makes unless told otherwise. No trust helps it.
        CertificateError::Other(OtherError(cause)) if cause.to_string() == "CaUsedAsEndEntity" => {
            let texts = (Text::DoctorAuthorityItself, Text::DoctorAuthorityItselfDo);
            (texts, vec![first.subject.clone()])
        }
        CertificateError::Other(OtherError(cause)) => {
            let texts = (Text::DoctorCertificate, Text::DoctorCertificateDo);
            (texts, vec![cause.to_string(), first.issuer.clone()])
        }
        error => {
            let texts = (Text::DoctorCertificate, Text::DoctorCertificateDo);
            (texts, vec![error.to_string(), first.issuer.clone()])
        }
    };
    let values: Vec<_> = values.iter().map(String::as_str).collect();
    Finding::failure(step, ErrorKind::Connect, texts, &values)
}

#[cfg(test)]
mod tests {
    use super::super::finding::State;
    use super::*;

    #[test]
    fn a_certificate_that_should_have_been_renewed_is_a_warning() {
        const DAY: Duration = Duration::from_secs(86_400);
        for (lifetime, left, expected) in [
            (365, 20, State::Good),
            (365, 10, State::Warning),
            (90, 10, State::Warning),
            // Short ones are renewed in their last third.
            (6, 3, State::Good),
            (6, 1, State::Warning),
        ] {
            let ends = now() + left * DAY;
            let read = Read {
                subject: String::new(),
                issuer: String::new(),
                subject_der: Vec::new(),
                issuer_der: Vec::new(),
                begins: ends - lifetime * DAY,
                ends,
                hosts: Vec::new(),
                names_its_issuers_place: false,
            };
            let found = good(Step::Tls, "TLS 1.3", &[read]).state;
            assert_eq!(found, expected, "{left} of {lifetime} days");
        }
    }
}
