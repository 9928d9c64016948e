//! What a certificate says, for people. Nothing here decides whether it is trusted.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use x509_parser::extensions::{GeneralName, ParsedExtension};
use x509_parser::prelude::{ASN1Time, FromDer as _, X509Certificate};
use x509_parser::x509::X509Name;

/// A certificate as a server sent it.
pub(super) struct Read {
    pub(super) subject: String,
    pub(super) issuer: String,
    /// Both names as they stand, to compare.
    pub(super) subject_der: Vec<u8>,
    pub(super) issuer_der: Vec<u8>,
    pub(super) begins: SystemTime,
    pub(super) ends: SystemTime,
    /// The hosts that it is for.
    pub(super) hosts: Vec<String>,
    /// Whether it says where its issuer's certificate is, as those of public authorities do
    /// (RFC 5280 section 4.2.2.1).
    pub(super) names_its_issuers_place: bool,
}

impl Read {
    /// Whether it names itself as its issuer.
    pub(super) fn is_root(&self) -> bool {
        self.subject_der == self.issuer_der
    }
}

/// Reads a certificate; `None` if it is none.
pub(super) fn read(der: &[u8]) -> Option<Read> {
    let (_, certificate) = X509Certificate::from_der(der).ok()?;
    let names = certificate.subject_alternative_name().ok().flatten();
    let hosts = names.map(|names| names.value.general_names.iter().filter_map(host).collect());
    let has_place = |extension: &ParsedExtension<'_>| {
        matches!(extension, ParsedExtension::AuthorityInfoAccess(_))
    };
    Some(Read {
        subject: name(certificate.subject()),
        issuer: name(certificate.issuer()),
        subject_der: certificate.subject().as_raw().to_vec(),
        issuer_der: certificate.issuer().as_raw().to_vec(),
        begins: instant(certificate.validity().not_before),
        ends: instant(certificate.validity().not_after),
        hosts: hosts.unwrap_or_default(),
        names_its_issuers_place: certificate
            .extensions()
            .iter()
            .any(|extension| has_place(extension.parsed_extension())),
    })
}

fn host(name: &GeneralName<'_>) -> Option<String> {
    match name {
        GeneralName::DNSName(name) => Some((*name).to_owned()),
        GeneralName::IPAddress(bytes) => match *bytes {
            [a, b, c, d] => Some(format!("{a}.{b}.{c}.{d}")),
            _ => {
                let bytes: [u8; 16] = (*bytes).try_into().ok()?;
                Some(std::net::Ipv6Addr::from(bytes).to_string())
            }
        },
        _ => None,
    }
}

/// The common name, else the organization, else all of it.
fn name(name: &X509Name<'_>) -> String {
    let common = name.iter_common_name().chain(name.iter_organization());
    let found = common.filter_map(|part| part.as_str().ok()).next();
    found.map_or_else(|| name.to_string(), str::to_owned)
}

fn instant(time: ASN1Time) -> SystemTime {
    let seconds = u64::try_from(time.timestamp()).unwrap_or(0);
    UNIX_EPOCH.checked_add(Duration::from_secs(seconds)).unwrap_or(UNIX_EPOCH)
}
