//! What a source says of what it does: to the log, to the observer, and in its status.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::clock::Moment;
use crate::error::{Error, ErrorKind};
use crate::observer::{Event, Observer, Read};
use crate::panics::contained_call;
use crate::secret::scrub::printable;
use crate::term::Term;

/// The longest label, in characters.
const LABEL_LIMIT: usize = 64;

/// Who speaks, and to whom.
#[derive(Debug)]
pub(super) struct Report {
    pub(super) provider: &'static str,
    /// Which account this is, in the user's own words: one printable line.
    pub(super) label: Option<Arc<str>>,
    pub(super) observer: Option<Arc<dyn Observer>>,
    requests: AtomicU64,
}

impl Report {
    pub(super) fn new(
        provider: &'static str,
        label: Option<&str>,
        observer: Option<Arc<dyn Observer>>,
    ) -> Self {
        let label = label.map(|label| printable(label, LABEL_LIMIT));
        // Blanks may have stood behind what is invisible.
        let label =
            label.as_deref().map(str::trim).filter(|label| !label.is_empty()).map(Arc::from);
        Self { provider, label, observer, requests: AtomicU64::new(0) }
    }

    /// The error with who speaks: the provider and the label.
    pub(super) fn sign(&self, error: Error) -> Error {
        let error = error.with_provider(self.provider);
        match &self.label {
            Some(label) => error.with_label(Arc::clone(label)),
            None => error,
        }
    }

    /// Runs one exchange inside its span.
    pub(super) fn exchange<F: Future>(
        &self,
        method: &http::Method,
        host: &str,
        future: F,
    ) -> impl Future<Output = F::Output> + use<F> {
        crate::trace::exchange(self.provider, self.label.as_deref(), method, host, future)
    }

    pub(super) fn sends(&self) {
        self.requests.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn requests(&self) -> u64 {
        self.requests.load(Ordering::Relaxed)
    }

    /// A request got no token.
    pub(super) fn refused(&self, kind: ErrorKind, latency: Duration) {
        // With `Config` nothing was sent.
        if kind != ErrorKind::Config {
            self.tell(|| Event::Request { outcome: Err(kind), latency });
        }
    }

    /// An attempt failed; `pause` is the time until the next one, if there is one.
    pub(super) fn failed(&self, attempt: u32, error: &Error, pause: Option<Duration>) {
        crate::trace::attempt_failed(self.provider, attempt, error, pause);
    }

    pub(super) fn granted(
        &self,
        attempt: u32,
        status: u16,
        lifetime: Duration,
        latency: Duration,
        term: &Term,
    ) {
        crate::trace::granted(self.provider, self.label.as_deref(), attempt, status, lifetime);
        self.tell(|| Event::Request { outcome: Ok(()), latency });
        self.tell(|| Event::Granted { expires_at: term.expires_at() });
    }

    /// A token that another process got was taken from the store.
    pub(super) fn adopted(&self, term: &Term, now: Moment) {
        let left = term.expires_in(now).unwrap_or_default();
        crate::trace::adopted(self.provider, self.label.as_deref(), left);
        self.tell(|| Event::Adopted { expires_at: term.expires_at() });
    }

    /// The provider refused another process, so nothing was sent.
    pub(super) fn told(&self, error: &Error, left: Duration) {
        crate::trace::told(self.provider, error, left);
    }

    /// An oddity that did not prevent the token.
    pub(super) fn remark(&self, remark: &'static str) {
        crate::trace::remark(self.provider, self.label.as_deref(), remark);
    }

    /// The resolver found no credentials: those of before are used.
    pub(super) fn unread(&self, error: &Error) {
        crate::trace::unread(self.provider, self.label.as_deref(), error);
    }

    pub(super) fn remembered(&self, kind: ErrorKind, pause: Duration) {
        self.tell(|| Event::Remembered { kind, pause });
    }

    #[inline]
    pub(super) fn read(&self, read: Read) {
        self.tell(|| Event::Read(read));
    }

    #[inline]
    fn tell(&self, event: impl FnOnce() -> Event) {
        if let Some(observer) = &self.observer {
            // A bug in what only counts must not cost a token.
            contained_call(|| observer.observe(self.provider, &event()));
        }
    }
}
