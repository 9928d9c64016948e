//! The kinds of failure, and the section of the guide for each.

use std::fmt;

/// The URL of a section. rustdoc makes the anchor from the heading, in lower case.
macro_rules! section {
    ($anchor:literal) => {
        concat!(
            "https://docs.rs/auth-core/",
            env!("CARGO_PKG_VERSION"),
            "/auth_core/guide/troubleshooting/index.html#",
            $anchor
        )
    };
}

/// The kind of a failure, which says who has to act.
///
/// | kind | meaning | retry? | what to do |
/// |---|---|---|---|
/// | [`Config`](Self::Config) | nothing was sent: a setting is missing or invalid | no | fix the setting that the text names |
/// | [`Credentials`](Self::Credentials) | the provider rejected the credentials | no | a person checks them with the provider |
/// | [`Request`](Self::Request) | the provider refused the request itself | no | check options (scope, environment, endpoint); else report a bug |
/// | [`RateLimited`](Self::RateLimited) | too many requests | after [`Error::retry_after`](crate::Error::retry_after) | share one source; ask less |
/// | [`Unavailable`](Self::Unavailable) | the provider is down or broke the connection | yes | wait; the engine retries and probes |
/// | [`Connect`](Self::Connect) | no connection was made | yes | check DNS, proxy, firewall, TLS chain |
/// | [`Timeout`](Self::Timeout) | no answer in time | yes | wait; check the network |
/// | [`Protocol`](Self::Protocol) | an answer that is not as documented | no | look for a proxy or portal in between; else report it |
/// | [`Store`](Self::Store) | a token store failed | yes | check the store |
/// | [`Internal`](Self::Internal) | a flow or an HTTP client panicked | no | report the bug to its author |
///
/// ```
/// use auth_core::{Error, ErrorKind};
///
/// fn page_someone(error: &Error) -> bool {
///     matches!(error.kind(), ErrorKind::Config | ErrorKind::Credentials | ErrorKind::Request)
/// }
/// assert!(page_someone(&Error::new(ErrorKind::Config, "no endpoint is set")));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// A setting is missing or invalid; nothing was sent. Do not retry: the text names the
    /// variable, option or URL to fix.
    Config,
    /// The provider rejected the credentials. Do not retry, a person must act: the secret was
    /// rotated, revoked, mistyped, or belongs to another environment. The engine remembers the
    /// rejection (30 s, doubling to 5 min) so that a fleet does not lock the account.
    Credentials,
    /// The provider accepted the credentials but refused the request: an unknown scope, a wrong
    /// path, a client without that grant. Do not retry: fix an option, or report a bug of the flow.
    Request,
    /// Too many requests. Retry after [`Error::retry_after`](crate::Error::retry_after), as the
    /// engine does.
    RateLimited,
    /// The provider is down or overloaded, or the connection broke after it was made. It passes by
    /// itself: the engine retries and then probes.
    Unavailable,
    /// No connection could be made (DNS, connection refused, TLS, proxy), so nothing was sent.
    /// Retry.
    Connect,
    /// The request was sent, or a flight was under way, and no answer came in time. Retry.
    Timeout,
    /// The answer is not as documented: a redirect, an HTML page, an invalid token, an expiry in
    /// the past. Not retried at once, since asking again rarely changes the answer.
    Protocol,
    /// A token store, such as one of your own behind a source, could not be read or written. Retry.
    Store,
    /// The flow or the HTTP client panicked: a bug in one of them. The engine remembers it as a
    /// rejection, since asking again meets the same bug.
    Internal,
}

impl fmt::Display for ErrorKind {
    /// The variant's name, for logs and labels: `RateLimited`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

impl ErrorKind {
    /// Whether this kind of failure can pass without anybody acting.
    #[must_use]
    pub const fn is_retryable(self) -> bool {
        matches!(
            self,
            Self::RateLimited | Self::Unavailable | Self::Connect | Self::Timeout | Self::Store
        )
    }

    /// Returns the URL of this kind's section in the
    /// [troubleshooting guide](crate::guide::troubleshooting) of this version. `Debug` of an error
    /// and the log event of a failed attempt show it.
    ///
    /// ```
    /// use auth_core::ErrorKind;
    ///
    /// let url = ErrorKind::Credentials.help_url();
    /// assert!(url.starts_with("https://docs.rs/auth-core/"));
    /// assert!(url.ends_with("/guide/troubleshooting/index.html#credentials"));
    /// ```
    #[must_use]
    pub const fn help_url(self) -> &'static str {
        match self {
            Self::Config => section!("config"),
            Self::Credentials => section!("credentials"),
            Self::Request => section!("request"),
            Self::RateLimited => section!("ratelimited"),
            Self::Unavailable => section!("unavailable"),
            Self::Connect => section!("connect"),
            Self::Timeout => section!("timeout"),
            Self::Protocol => section!("protocol"),
            Self::Store => section!("store"),
            Self::Internal => section!("internal"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GUIDE: &str = include_str!("../../docs/troubleshooting.md");

    /// Enumerates the kinds; the compiler asks for a new one here.
    fn after(kind: ErrorKind) -> Option<ErrorKind> {
        Some(match kind {
            ErrorKind::Config => ErrorKind::Credentials,
            ErrorKind::Credentials => ErrorKind::Request,
            ErrorKind::Request => ErrorKind::RateLimited,
            ErrorKind::RateLimited => ErrorKind::Unavailable,
            ErrorKind::Unavailable => ErrorKind::Connect,
            ErrorKind::Connect => ErrorKind::Timeout,
            ErrorKind::Timeout => ErrorKind::Protocol,
            ErrorKind::Protocol => ErrorKind::Store,
            ErrorKind::Store => ErrorKind::Internal,
            ErrorKind::Internal => return None,
        })
    }

    #[test]
    fn the_guide_has_a_section_for_every_kind_where_its_url_points() {
        let headings: Vec<_> = GUIDE
            .lines()
            .filter_map(|line| line.strip_prefix('#'))
            .map(|line| line.trim_start_matches('#').trim())
            .collect();
        let kinds: Vec<_> =
            std::iter::successors(Some(ErrorKind::Config), |kind| after(*kind)).collect();
        assert_eq!(kinds.len(), 10);
        for kind in kinds {
            let name = format!("{kind:?}");
            // A second heading of that name would get a different anchor.
            let found = headings.iter().filter(|heading| heading.eq_ignore_ascii_case(&name));
            assert_eq!(found.count(), 1, "{name}");
            let (page, anchor) = kind.help_url().split_once('#').unwrap();
            assert_eq!(anchor, name.to_ascii_lowercase());
            assert!(
                page.contains(concat!("/auth-core/", env!("CARGO_PKG_VERSION"), "/")),
                "{page}"
            );
        }
    }
}
