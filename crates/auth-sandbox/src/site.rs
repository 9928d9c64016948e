//! What a port leads to: one provider, all of them below a path each, or the control API.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, SystemTime};

use http::StatusCode;

use crate::Provider;
use crate::answer::{Answer, JSON};
use crate::behaviour::Paths;
use crate::clock;
use crate::control::Control;
use crate::journal::{Record, Verdict};
use crate::redact;
use crate::request::Request;
use crate::service::{Outcome, Service};

/// What a listener serves.
pub(crate) enum Site {
    Provider(Arc<Service>),
    /// Each below a path that is its name.
    OnePort(Vec<Arc<Service>>),
    Control(Arc<Control>),
}

/// Which providers a connection has spoken to, as bits: on one port, that is when it counts.
#[derive(Default)]
pub(crate) struct Met(AtomicUsize);

impl Site {
    /// A connection was accepted.
    pub(crate) fn connected(&self) {
        if let Self::Provider(service) = self {
            service.shared.count(None, |seen| seen.connections += 1);
        }
    }

    /// A connection came to nothing, as its client would not shake hands.
    #[cfg(feature = "tls")]
    pub(crate) fn unshaken(&self, why: &str) {
        let (first, provider) = match self {
            Self::Provider(service) => (Some(service), Some(service.shared.provider)),
            Self::OnePort(services) => (services.first(), None),
            Self::Control(_) => (None, None),
        };
        if let Some(service) = first {
            let reason = format!(
                "the handshake failed ({why}): does the client ask over https and trust the authority?"
            );
            service.shared.journal.enter(bare(provider, "TLS".to_owned(), reason));
        }
    }

    /// The answer, and the time that it states.
    pub(crate) async fn serve(&self, mut request: Request, met: &Met) -> (Outcome, SystemTime) {
        let service = match self {
            Self::Provider(service) => service,
            Self::Control(control) => {
                return (Outcome::Answer(control.answer(&request)), clock::wall());
            }
            Self::OnePort(services) => {
                let found = services
                    .iter()
                    .enumerate()
                    .find(|(_, service)| request.strip_prefix(service.shared.provider.name()));
                let Some((at, service)) = found else {
                    lost(services, &request);
                    return (Outcome::Answer(directory(services)), clock::wall());
                };
                if met.0.fetch_or(1 << at, Ordering::Relaxed) & (1 << at) == 0 {
                    service.shared.count(None, |seen| seen.connections += 1);
                }
                service
            }
        };
        (service.serve(&request).await, service.shared.now())
    }
}

/// Enters a request that is no provider's into the journal. It may be meant for any of them, so nothing
/// is shown of it that is not in a document.
fn lost(services: &[Arc<Service>], request: &Request) {
    let known = services.iter().any(|service| {
        let Paths { token, api } = service.behaviour.paths();
        request.path() == token || request.path() == api
    });
    if let Some(first) = services.first() {
        first.shared.journal.enter(Record {
            path: if known { request.path() } else { "[not shown]" }.to_owned(),
            status: Some(404),
            verdict: Verdict::Stray,
            ..bare(
                None,
                redact::method(request),
                "the path begins with no provider's name".to_owned(),
            )
        });
    }
}

/// A refusal of which nothing more is known.
fn bare(provider: Option<Provider>, method: String, reason: String) -> Record {
    Record {
        number: 0,
        at: clock::wall(),
        provider,
        account: None,
        method,
        path: "-".to_owned(),
        headers: Vec::new(),
        body: String::new(),
        status: None,
        verdict: Verdict::Refused,
        reason: Some(reason),
        remarks: Vec::new(),
        took: Duration::ZERO,
    }
}

/// What is answered below no provider's path.
fn directory(services: &[Arc<Service>]) -> Answer {
    let urls: Vec<_> = services.iter().map(|service| service.shared.base_url.as_str()).collect();
    let body = serde_json::json!({
        "error": "no provider is at this path",
        "providers": urls,
    });
    Answer::new(StatusCode::NOT_FOUND, JSON, body.to_string())
}
