//! `SSL_CERT_FILE` and `SSL_CERT_DIR`, which replace the system's certificates. The client reads
//! both where both are set.

use std::ffi::OsStr;
use std::path::Path;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;

use super::x509;
use crate::settings::raw;

/// A setting that leads to no certificate.
pub(super) struct Wrong {
    pub(super) name: &'static str,
    pub(super) value: String,
    /// Whether nothing at all is trusted, since no other setting leads to one.
    pub(super) is_alone: bool,
}

/// The first setting that leads to no certificate.
pub(super) fn wrong() -> Option<Wrong> {
    if !cfg!(all(unix, not(target_vendor = "apple"))) {
        return None; // The system's own store is used, and no setting.
    }
    let file = raw("SSL_CERT_FILE").map(|path| {
        let has_any = has_certificate(path.as_ref());
        ("SSL_CERT_FILE", path, has_any)
    });
    // An empty one counts as not set, unlike an empty name of a file.
    let folders = raw("SSL_CERT_DIR").filter(|folders| !folders.is_empty()).map(|folders| {
        let has_any = folders_have_any(&folders);
        ("SSL_CERT_DIR", folders, has_any)
    });
    let settings: Vec<_> = file.into_iter().chain(folders).collect();
    let is_alone = !settings.iter().any(|(_, _, has_any)| *has_any);
    let (name, value, _) = settings.into_iter().find(|(_, _, has_any)| !has_any)?;
    Some(Wrong { name, value: value.to_string_lossy().into_owned(), is_alone })
}

fn folders_have_any(folders: &OsStr) -> bool {
    std::env::split_paths(folders).any(|folder| {
        let files = std::fs::read_dir(folder).into_iter().flatten().flatten();
        files.map(|file| file.path()).any(|path| path.is_file() && has_certificate(&path))
    })
}

fn has_certificate(path: &Path) -> bool {
    let found = CertificateDer::pem_file_iter(path).into_iter().flatten().flatten();
    found.into_iter().any(|certificate| x509::read(&certificate).is_some())
}
