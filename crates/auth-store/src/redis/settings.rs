//! What a store was opened with, and what of it may change.

use std::sync::{Arc, Mutex, PoisonError};

use auth_core::{Env, EnvReader, Error};
use rustls::ClientConfig;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls_platform_verifier::Verifier;

use super::trouble::Trouble;
use super::url::Url;
use crate::key::StoreKey;

pub(super) const URL: &str = "AUTH_STORE_REDIS_URL";
pub(super) const KEY: &str = "AUTH_STORE_KEY";
pub(super) const CA: &str = "AUTH_STORE_REDIS_CA";
pub(super) const CERT: &str = "AUTH_STORE_REDIS_CERT";
pub(super) const CERT_KEY: &str = "AUTH_STORE_REDIS_CERT_KEY";

/// What every dial needs.
pub(super) struct Settings {
    /// The URL as it was at the start.
    start: Arc<Url>,
    /// Where it is read again, if it may change.
    env: Option<Env>,
    in_the_clear: bool,
    certificates: Certificates,
    tls: Mutex<Option<Arc<ClientConfig>>>,
}

/// Certificates besides those of the system.
#[derive(Default)]
pub(super) struct Certificates {
    pub(super) roots: Vec<CertificateDer<'static>>,
    pub(super) client: Option<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>)>,
}

impl Settings {
    pub(super) fn new(
        start: Url,
        env: Option<Env>,
        in_the_clear: bool,
        certificates: Certificates,
    ) -> Result<Self, Error> {
        let start = Arc::new(start);
        let settings = Self { start, env, in_the_clear, certificates, tls: Mutex::default() };
        settings.check(&settings.start)?;
        if settings.start.has_tls {
            settings.client_config()?;
        }
        Ok(settings)
    }

    pub(super) fn host(&self) -> &str {
        &self.start.address
    }

    /// The URL as it is now.
    pub(super) fn url(&self) -> Result<Arc<Url>, Trouble> {
        let Some(env) = &self.env else {
            return Ok(Arc::clone(&self.start));
        };
        let url = read_url(env).and_then(|url| self.check(&url).map(|()| url));
        url.map(Arc::new).map_err(|error| Trouble::stale_setting(&error))
    }

    fn check(&self, url: &Url) -> Result<(), Error> {
        if url.has_tls || self.in_the_clear || url.is_loopback() {
            return Ok(());
        }
        Err(Error::config(format!(
            "redis:// to {} would send the password where others can read it: begin the URL with \
             rediss://, or allow it with in_the_clear()",
            url.address
        )))
    }

    pub(super) fn tls(&self) -> Result<Arc<ClientConfig>, Trouble> {
        self.client_config().map_err(|error| Trouble::stale_setting(&error))
    }

    /// Made once: reading the system's certificates takes milliseconds.
    fn client_config(&self) -> Result<Arc<ClientConfig>, Error> {
        let mut made = self.tls.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(config) = &*made {
            return Ok(Arc::clone(config));
        }
        let config = Arc::new(self.certificates.config()?);
        *made = Some(Arc::clone(&config));
        Ok(config)
    }
}

impl Certificates {
    /// The provider is named, never the process's: that may be none, or two.
    fn config(&self) -> Result<ClientConfig, Error> {
        let wrong = |what: &str| {
            let text = format!("TLS for the token store cannot be set up: {what}");
            move |error: rustls::Error| Error::config(text).with_source(error)
        };
        let provider = Arc::new(aws_lc_rs::default_provider());
        let verifier = if self.roots.is_empty() {
            Verifier::new(Arc::clone(&provider))
        } else {
            Verifier::new_with_extra_roots(self.roots.iter().cloned(), Arc::clone(&provider))
        };
        let verifier = verifier.map_err(wrong("the system has no certificates to trust"))?;
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(wrong("no protocol version"))?
            .dangerous() // rustls calls any verifier of one's own so; this one verifies
            .with_custom_certificate_verifier(Arc::new(verifier));
        match &self.client {
            None => Ok(config.with_no_client_auth()),
            Some((chain, key)) => config
                .with_client_auth_cert(chain.clone(), key.clone_key())
                .map_err(wrong("the client certificate and its key do not fit")),
        }
    }
}

/// Everything that the environment says.
pub(super) struct Read {
    pub(super) url: Url,
    pub(super) key: Option<StoreKey>,
    pub(super) certificates: Certificates,
}

pub(super) fn read(env: &Env) -> Result<Read, Error> {
    env.read("auth-store", |vars| {
        let url = vars.required_parsed(URL, Url::parse);
        let rest = rest(vars);
        let (key, roots, chain, own) = rest;
        let client = match (chain, own) {
            (Some(chain), Some(own)) => Some((chain, own)),
            (None, None) => None,
            _ => {
                let half = format!("set both {CERT} and {CERT_KEY}, or neither");
                vars.keep::<()>(Err(Error::config(half)));
                None
            }
        };
        let certificates = Certificates { roots: roots.unwrap_or_default(), client };
        Some(Read { url: url?, key, certificates })
    })
}

/// The URL alone, whatever became of the other settings.
fn read_url(env: &Env) -> Result<Url, Error> {
    let mut url = None;
    let read = env.read("auth-store", |vars| {
        url = vars.required_parsed(URL, Url::parse);
        // Asked for too, so that none of them is an unknown field of a section.
        rest(vars);
        Some(())
    });
    match (url, read) {
        (Some(url), _) => Ok(url),
        (None, Err(error)) => Err(error),
        (None, Ok(())) => Err(Error::config(format!("set {URL}"))),
    }
}

type Rest = (
    Option<StoreKey>,
    Option<Vec<CertificateDer<'static>>>,
    Option<Vec<CertificateDer<'static>>>,
    Option<PrivateKeyDer<'static>>,
);

fn rest(vars: &mut EnvReader<'_>) -> Rest {
    (
        vars.optional_parsed(KEY, StoreKey::from_base64),
        vars.optional_parsed(CA, |pem| certificates(pem.as_bytes())),
        vars.optional_parsed(CERT, |pem| certificates(pem.as_bytes())),
        vars.optional_parsed(CERT_KEY, |pem| private_key(pem.as_bytes())),
    )
}

pub(super) fn certificates(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, Error> {
    let read: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    match read {
        Ok(found) if !found.is_empty() => Ok(found),
        _ => Err(Error::config("no certificate in PEM (-----BEGIN CERTIFICATE-----)")),
    }
}

pub(super) fn private_key(pem: &[u8]) -> Result<PrivateKeyDer<'static>, Error> {
    PrivateKeyDer::from_pem_slice(pem)
        .map_err(|_| Error::config("no private key in PEM (-----BEGIN PRIVATE KEY-----)"))
}
