//! `SSL_CERT_FILE` and `SSL_CERT_DIR`, which replace the system's certificates. The client reads
//! both where both are set.

use std::ffi::OsStr;
use std::path::Path;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;

use super::x509;
use crate::settings::raw;

/// What they lead to.
pub(super) struct Settings {
    /// The first that leads to no certificate, and its value.
    pub(super) wrong: Option<(&'static str, String)>,
    /// The first that leads to one. Without it, and with a wrong one, nothing is trusted.
    pub(super) right: Option<&'static str>,
}

pub(super) fn settings() -> Settings {
    if !cfg!(all(unix, not(target_vendor = "apple"))) {
        // The system's own store is used, and no setting.
        return Settings { wrong: None, right: None };
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
    let (mut wrong, mut right) = (None, None);
    for (name, value, has_any) in file.into_iter().chain(folders) {
        if has_any {
            right = right.or(Some(name));
        } else {
            wrong = wrong.or_else(|| Some((name, value.to_string_lossy().into_owned())));
        }
    }
    Settings { wrong, right }
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
