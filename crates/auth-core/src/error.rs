//! The one error type: what kind of failure, what to do about it, and nothing secret.
//!
//! All waiters of a flight get the same [`Error`], so it is an `Arc` inside and cheap to clone. Its
//! text is one line in our own words: the provider (added once, by the engine or by
//! [`Env::read`](crate::Env::read)), what failed, what to do. The provider's own words are separate
//! fields, scrubbed and capped; the cause is in `source()`.

#[cfg(any(feature = "reqwest-0_13", feature = "tracing"))]
pub(crate) mod cause;
mod kind;
mod prose;
pub(crate) mod runtime;

use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use http::StatusCode;

pub use self::kind::ErrorKind;
use crate::secret::{Scrubber, Unfit};

/// A failure: its [`ErrorKind`], one line that says what to do, and the provider's own words.
///
/// Cheap to clone: all waiters of one exchange get the same error. `Display` is one lower-case line
/// without a trailing full stop: `{provider}: {what failed}: {what to do}`. The URL of its section
/// in the [guide](crate::guide::troubleshooting) is [`ErrorKind::help_url`]; `Debug` shows it too.
/// The cause is in [`source()`](std::error::Error::source). None of these ever contains a secret, a
/// token, a response body or a URL's query.
///
/// ```
/// use auth_core::{Error, ErrorKind};
///
/// let error = Error::new(ErrorKind::RateLimited, "too many token requests")
///     .with_provider("digishare")
///     .with_retry_after(std::time::Duration::from_secs(37));
/// assert_eq!(error.to_string(), "digishare: too many token requests: retry after 37 s");
/// assert!(error.is_retryable());
/// ```
#[derive(Clone)]
pub struct Error(Arc<Details>);

#[derive(Clone)]
struct Details {
    kind: ErrorKind,
    message: String,
    provider: Option<&'static str>,
    label: Option<Arc<str>>,
    status: Option<StatusCode>,
    endpoint: Option<String>,
    code: Option<String>,
    description: Option<String>,
    request_id: Option<String>,
    retry_after: Option<Duration>,
    source: Option<Cause>,
}

/// A shared cause: `Arc<dyn Error>` is not itself an `Error`.
#[derive(Clone)]
struct Cause(Arc<dyn StdError + Send + Sync>);

/// The longest code kept, in characters. Those of RFC 6749 section 5.2 are under 30.
const CODE_LIMIT: usize = 64;
/// The longest wait that an error states, so that a caller can add it to an instant without
/// overflow.
const LONGEST_WAIT: Duration = Duration::from_secs(60 * 60);
/// The longest text of a provider kept, in characters.
const DESCRIPTION_LIMIT: usize = 512;

impl Error {
    /// An error of a kind, with one lower-case line that says what failed and what to do.
    ///
    /// `message` must not contain a secret: it is shown as it is.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self(Arc::new(Details {
            kind,
            message: message.into(),
            provider: None,
            label: None,
            status: None,
            endpoint: None,
            code: None,
            description: None,
            request_id: None,
            retry_after: None,
            source: None,
        }))
    }

    /// An error about a setting that is missing or invalid: [`ErrorKind::Config`].
    pub fn config(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Config, message)
    }

    /// An error about an answer that is not as documented: [`ErrorKind::Protocol`].
    pub fn protocol(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Protocol, message)
    }

    /// Adds the provider's name. The engine and [`Env::read`](crate::Env::read) do so; a flow need
    /// not.
    #[must_use]
    pub fn with_provider(self, provider: &'static str) -> Self {
        self.change(|details| details.provider = Some(provider))
    }

    /// Adds the label of the source. The engine does so.
    pub(crate) fn with_label(self, label: Arc<str>) -> Self {
        self.change(|details| details.label = Some(label))
    }

    /// Adds the HTTP status of the answer.
    #[must_use]
    pub fn with_status(self, status: StatusCode) -> Self {
        self.change(|details| details.status = Some(status))
    }

    /// Adds the provider's error code, scrubbed of known secrets, made printable, and cut at 64
    /// characters.
    #[must_use]
    pub fn with_code(self, code: &str, known: &Scrubber) -> Self {
        let code = known.clean(code, CODE_LIMIT);
        self.change(|details| details.code = (!code.is_empty()).then_some(code))
    }

    /// Adds the provider's own words, scrubbed of known secrets, made printable, with URLs reduced
    /// to scheme and host, and cut at a word boundary within 512 characters.
    #[must_use]
    pub fn with_description(self, description: &str, known: &Scrubber) -> Self {
        let text = known.clean(description, usize::MAX);
        let text = prose::cut(&prose::without_paths(&text), DESCRIPTION_LIMIT);
        self.change(|details| details.description = (!text.is_empty()).then_some(text))
    }

    /// Adds the identifier under which the provider logged the request.
    #[must_use]
    pub fn with_request_id(self, id: &str, known: &Scrubber) -> Self {
        let id = known.clean(id, CODE_LIMIT);
        self.change(|details| details.request_id = (!id.is_empty()).then_some(id))
    }

    /// Adds how long to wait before asking again, capped at one hour.
    #[must_use]
    pub fn with_retry_after(self, wait: Duration) -> Self {
        self.change(|details| details.retry_after = Some(wait.min(LONGEST_WAIT)))
    }

    /// For a failure returned while a probe is still in flight: the time left is unknown.
    pub(crate) fn without_retry_after(self) -> Self {
        self.change(|details| details.retry_after = None)
    }

    /// Adds the cause. Its text must not contain a secret or a URL query.
    #[must_use]
    pub fn with_source(self, source: impl StdError + Send + Sync + 'static) -> Self {
        self.change(|details| details.source = Some(Cause(Arc::new(source))))
    }

    /// Adds the host, port and path of the request. The engine does so.
    pub(crate) fn with_endpoint(self, asked: &http::Uri) -> Self {
        let host = asked.authority().map_or("", |authority| authority.as_str());
        let host = host.rsplit('@').next().unwrap_or_default();
        let endpoint = format!("{host}{}", asked.path());
        self.change(|details| details.endpoint = Some(endpoint))
    }

    /// Replaces the message, once every part that it quotes is scrubbed.
    pub(crate) fn with_message(self, message: String) -> Self {
        self.change(|details| details.message = message)
    }

    fn change(mut self, change: impl FnOnce(&mut Details)) -> Self {
        change(Arc::make_mut(&mut self.0));
        self
    }

    /// Returns the kind of the failure.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// Returns what failed and what to do, without the provider and the wait that `Display` adds.
    ///
    /// ```
    /// use auth_core::Error;
    ///
    /// let error = Error::config("set ACME_SECRET").with_provider("acme");
    /// assert_eq!(error.message(), "set ACME_SECRET");
    /// ```
    #[must_use]
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// Whether the failure can pass without anybody acting. See [`ErrorKind::is_retryable`].
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        self.0.kind.is_retryable()
    }

    /// Returns how long to wait before asking again: as the provider asked, or how much is left of
    /// the engine's pause.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        self.0.retry_after
    }

    /// Returns the HTTP status, if there was an answer.
    #[must_use]
    pub fn status(&self) -> Option<StatusCode> {
        self.0.status
    }

    /// Returns the host, port and path of the request, without its query; `None` if none was made.
    #[must_use]
    pub fn endpoint(&self) -> Option<&str> {
        self.0.endpoint.as_deref()
    }

    /// Returns the provider's name, such as `manis`.
    #[must_use]
    pub fn provider(&self) -> Option<&'static str> {
        self.0.provider
    }

    /// Returns the label that the source was given:
    /// [`CachedTokenSourceBuilder::label`](crate::CachedTokenSourceBuilder::label).
    #[must_use]
    pub fn label(&self) -> Option<&str> {
        self.0.label.as_deref()
    }

    /// Returns the provider's error code (`invalid_client`, `UnauthorizedError`): one word of at
    /// most 64 printable characters. Prose in its place becomes the description.
    #[must_use]
    pub fn code(&self) -> Option<&str> {
        self.0.code.as_deref()
    }

    /// Returns the provider's own words, in its language: at most 512 printable characters,
    /// scrubbed of known secrets. For people to read; never match on it.
    #[must_use]
    pub fn description(&self) -> Option<&str> {
        self.0.description.as_deref()
    }

    /// Returns the identifier under which the provider logged the request, for its support.
    #[must_use]
    pub fn request_id(&self) -> Option<&str> {
        self.0.request_id.as_deref()
    }
}

impl From<Unfit> for Error {
    /// [`ErrorKind::Config`].
    fn from(unfit: Unfit) -> Self {
        Self::config(unfit.to_string())
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.provider(), self.label()) {
            (Some(provider), Some(label)) => write!(f, "{provider} ({label}): ")?,
            (Some(speaker), None) | (None, Some(speaker)) => write!(f, "{speaker}: ")?,
            (None, None) => {}
        }
        f.write_str(self.message())?;
        // The path is probably wrong, so show it.
        if let (Some(404..=406), Some(asked)) = (self.status().map(|s| s.as_u16()), self.endpoint())
        {
            write!(f, " (asked {asked})")?;
        }
        if let Some(wait) = self.retry_after() {
            // Rounded up, so that it never says "retry after 0 s".
            let secs = wait.as_secs().saturating_add(u64::from(wait.subsec_nanos() > 0));
            write!(f, ": retry after {secs} s")?;
        }
        Ok(())
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = f.debug_struct("Error");
        debug.field("kind", &self.kind()).field("message", &self.message());
        let texts = [
            ("provider", self.provider()),
            ("label", self.label()),
            ("endpoint", self.endpoint()),
            ("code", self.code()),
            ("description", self.description()),
            ("request_id", self.request_id()),
        ];
        if let Some(status) = self.status() {
            debug.field("status", &status.as_u16());
        }
        for (name, text) in texts {
            if let Some(text) = text {
                debug.field(name, &text);
            }
        }
        if let Some(wait) = self.retry_after() {
            debug.field("retry_after", &wait);
        }
        if let Some(source) = &self.0.source {
            debug.field("source", &source.to_string());
        }
        // `Debug` is what a `main` that returns the error prints.
        debug.field("see", &self.kind().help_url()).finish()
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.source.as_ref().map(|cause| cause as &(dyn StdError + 'static))
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl fmt::Debug for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

impl StdError for Cause {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.source()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn provider_text_is_scrubbed_capped_and_printable() {
        let known = Scrubber::new(["hunter2-hunter2"]);
        let text =
            format!("bad secret hunter2-hunter2\u{1b}[31m\r\nX-Injected: 1{}", "é".repeat(600));
        let error = Error::new(ErrorKind::Request, "refused").with_description(&text, &known);
        let shown = error.description().unwrap();
        assert!(shown.starts_with("bad secret [redacted]"), "{shown}");
        assert!(!shown.contains(char::is_control));
        assert_eq!(shown.chars().count(), DESCRIPTION_LIMIT);
    }

    #[test]
    fn the_cause_is_in_the_chain_and_not_in_the_text() {
        let cause = std::io::Error::other("connection refused");
        let error = Error::new(ErrorKind::Connect, "could not connect").with_source(cause);
        assert_eq!(error.to_string(), "could not connect");
        assert_eq!(error.source().unwrap().to_string(), "connection refused");
    }

    #[test]
    fn a_text_is_one_line_and_the_guides_url_stands_in_debug_alone() {
        let wait = Duration::from_millis(1_200);
        let error = Error::new(ErrorKind::Unavailable, "no luck").with_provider("acme");
        let url = ErrorKind::Unavailable.help_url();
        assert_eq!(error.to_string(), "acme: no luck");
        let error = error.with_retry_after(wait);
        assert_eq!(error.to_string(), "acme: no luck: retry after 2 s");
        assert_eq!(error.message(), "no luck");
        assert!(format!("{error:?}").contains(url));
    }

    #[test]
    fn no_wait_is_longer_than_an_hour() {
        let wait = |wait| Error::config("x").with_retry_after(wait).retry_after().unwrap();
        assert_eq!(wait(Duration::MAX), Duration::from_secs(3_600));
        assert_eq!(wait(Duration::from_secs(37)), Duration::from_secs(37));
    }

    #[test]
    fn a_clone_is_the_same_allocation() {
        let error = Error::config("x");
        assert!(Arc::ptr_eq(&error.0, &error.clone().0));
    }
}
