//! A URL that was checked to be safe to send secrets to.
//!
//! The URL is checked once, when it is parsed. The check is deliberately narrow: URL parsers
//! disagree about odd spellings (`https:/api`, `127.1`, `%61pi`, back-slashes), and the parser of
//! the HTTP *client* decides where a secret goes. Every URL accepted here means the same to all.

mod host;
mod origin;
mod path;

use std::borrow::Cow;
use std::fmt;
use std::num::NonZeroU16;
use std::str::FromStr;

use http::Uri;

use self::host::Host;
use self::origin::split_port;
use self::path::{ends_with, is_dots, is_path_byte};
use crate::error::Error;
use crate::secret::pasting_mark;

/// A URL to send secrets to: https (or http to loopback), a public host, no user info, no query.
///
/// ```
/// use auth_core::Endpoint;
///
/// let endpoint = Endpoint::parse("https://pay.example.com/gateway/")?;
/// assert_eq!(endpoint.join("v1/auth").as_str(), "https://pay.example.com/gateway/v1/auth");
///
/// for refused in [
///     "http://pay.example.com",        // plain http
///     "https:/api/v1/auth/token",      // a misprint whose host would be "api"
///     "https://user:pw@example.com",   // credentials in a URL
///     "https://example.com/?key=1",    // a query
///     "https://10.0.0.1",              // an address, which public certificates do not cover
/// ] {
///     assert!(Endpoint::parse(refused).is_err(), "{refused}");
/// }
/// assert!(Endpoint::parse("http://127.0.0.1:8080").is_ok()); // loopback, for tests
/// # Ok::<(), auth_core::Error>(())
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Endpoint {
    /// `scheme://host[:port][/path]`, without a trailing slash.
    url: Cow<'static, str>,
    /// The offset of the path in `url`.
    path_start: usize,
}

/// Whether hosts of a private network are accepted.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Hosts {
    Public,
    Internal,
}

impl Endpoint {
    /// The documented endpoint of a provider, as a constant of a flow: a lower-case https origin,
    /// with or without a path, and without a trailing slash.
    ///
    /// # Panics
    /// If the text is anything else. Call it in a `const`, where that is a compile error.
    #[must_use]
    #[allow(clippy::indexing_slicing)] // each index is below the length that the loop checks
    pub const fn from_static(url: &'static str) -> Self {
        let bytes = url.as_bytes();
        let (scheme, mut at) = (b"https://", 0);
        let mut path_start = bytes.len();
        while at < bytes.len() {
            let plain = matches!(bytes[at], b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'/')
                || (at == 5 && bytes[at] == b':');
            assert!(
                plain && (at >= scheme.len() || bytes[at] == scheme[at]),
                "not a plain https URL"
            );
            if at >= scheme.len() && bytes[at] == b'/' && path_start == bytes.len() {
                path_start = at;
            }
            at += 1;
        }
        assert!(at > scheme.len() && bytes[at - 1] != b'/', "no host, or a slash at the end");
        Self { url: Cow::Borrowed(url), path_start }
    }

    /// Parses a URL and checks that it is safe to send secrets to.
    ///
    /// Refuses, with a reason: plain http (except to `localhost`, `127.0.0.0/8` and `[::1]`), user
    /// info, a query, a fragment, hosts of one label (`https://api`), IP addresses, hosts with
    /// other characters than ASCII letters, digits, hyphens and underscores (write an international
    /// name in its `xn--` form), and paths with `..`, `//` or characters that need encoding.
    ///
    /// # Errors
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) that says what to write instead. It does not
    /// repeat the URL, which may hold a password.
    pub fn parse(url: &str) -> Result<Self, Error> {
        Self::prove(url, Hosts::Public, "use Endpoint::parse_internal")
    }

    /// As [`parse`](Self::parse), but also accepts hosts of your own network: one label
    /// (`https://auth-proxy`) and IP addresses. Still https.
    ///
    /// # Errors
    /// [`ErrorKind::Config`](crate::ErrorKind::Config), as for `parse`.
    pub fn parse_internal(url: &str) -> Result<Self, Error> {
        Self::prove(url, Hosts::Internal, "")
    }

    /// As `parse`, for a setting. `internal` names the setting for hosts of the user's own network.
    pub(crate) fn parse_setting(url: &str, internal: &str) -> Result<Self, Error> {
        Self::prove(url, Hosts::Public, &format!("set {internal} instead"))
    }

    fn prove(url: &str, hosts: Hosts, otherwise: &str) -> Result<Self, Error> {
        let refuse = |why: &str| Err(Error::config(format!("the endpoint URL {why}")));
        if url.trim() != url || url.is_empty() {
            return refuse("is blank, or has whitespace at its start or end");
        }
        if let Some(mark) = pasting_mark(url) {
            return refuse(&format!("is not a URL: {mark}"));
        }
        if !url.bytes().all(|b| b.is_ascii_graphic()) || url.contains('\\') {
            return refuse("holds a space, a back-slash, a control or a non-ASCII character");
        }
        let Some((scheme, rest)) = url.split_once("://") else {
            return refuse(
                "does not begin with https:// and a host, such as https://pay.example.com",
            );
        };
        let secure = match scheme.to_ascii_lowercase().as_str() {
            "https" => true,
            "http" => false,
            _ => return refuse("must begin with https://"),
        };
        if url.contains('#') {
            return refuse("has a fragment (#...): remove it (RFC 6749 section 3.2)");
        }
        if url.contains('?') {
            return refuse("has a query (?...): remove it");
        }
        let authority_end = rest.find('/').unwrap_or(rest.len());
        let (authority, path) = rest.split_at(authority_end);
        if authority.contains('@') {
            return refuse("holds user info (user:password@): credentials go into Credentials");
        }
        let (host, port) = split_port(authority);
        let host = host.to_ascii_lowercase();
        if port.is_some_and(|p| p.parse::<NonZeroU16>().is_err() || p.starts_with('+')) {
            return refuse("has a port that is not a number from 1 to 65535");
        }
        let Some(parsed) = Host::parse(&host) else {
            return refuse("has no valid host: write it in letters, digits, hyphens and dots");
        };
        let loopback = match parsed {
            Host::Address(address) => address.is_loopback(),
            Host::Name { .. } => host == "localhost",
        };
        // Checked first, since no other form of the host would fix it.
        if !secure && !loopback {
            return refuse("is plain http: use https (http is for loopback hosts only)");
        }
        match parsed {
            _ if loopback => {}
            Host::Name { .. } if matches!(host.as_str(), "http" | "https") => {
                return refuse(
                    "has a scheme where its host should be (https://https/...), a misprint in the provider's document: ask the provider for its host",
                );
            }
            Host::Address(_) if hosts == Hosts::Public => {
                return refuse(&format!(
                    "names an IP address, which public certificates do not cover: use the host name, or {otherwise}"
                ));
            }
            Host::Name { labels } if labels < 2 && hosts == Hosts::Public => {
                return refuse(&format!(
                    "has a host of one word (https://api/...), which is not a public host (a misprint in the provider's document?): ask the provider for its host, or {otherwise}"
                ));
            }
            _ => {}
        }
        if path.contains("//") || path.split('/').any(is_dots) || !path.bytes().all(is_path_byte) {
            return refuse("has a path with //, a dot segment, or characters that need encoding");
        }
        let scheme = if secure { "https" } else { "http" };
        // The scheme's own port is left out, so that one server has one spelling.
        let usual = if secure { 443 } else { 80 };
        let port = port.and_then(|port| port.parse::<u16>().ok()).filter(|port| *port != usual);
        let port = port.map(|port| format!(":{port}")).unwrap_or_default();
        let origin = format!("{scheme}://{host}{port}");
        let proved =
            Self { path_start: origin.len(), url: Cow::Owned(origin + path.trim_end_matches('/')) };
        // The HTTP client reads the URL with this parser, so it must accept it too.
        match Uri::from_str(&proved.url) {
            Ok(_) => Ok(proved),
            Err(_) => refuse("is not a valid URL"),
        }
    }

    /// Appends path segments; an existing path is kept.
    ///
    /// `path` is a documented path such as `v1/auth`. It cannot change the host or leave the base
    /// path: empty and dot segments are skipped, and bytes that could end a path are
    /// percent-encoded.
    #[must_use]
    pub fn join(&self, path: &str) -> Self {
        let mut url = String::from(self.as_str());
        for segment in path.split('/').filter(|s| !s.is_empty() && !is_dots(s)) {
            url.push('/');
            for byte in segment.bytes() {
                if is_path_byte(byte) {
                    url.push(char::from(byte));
                } else {
                    url.push_str(&format!("%{byte:02X}"));
                }
            }
        }
        Self { url: Cow::Owned(url), path_start: self.path_start }
    }

    /// Appends a flow's documented path as [`join`](Self::join) does, unless the URL already ends
    /// in it.
    ///
    /// ```
    /// use auth_core::Endpoint;
    ///
    /// let base = Endpoint::parse("https://pay.example.com/gateway")?;
    /// assert_eq!(base.with_path("v1/auth")?.as_str(), "https://pay.example.com/gateway/v1/auth");
    /// assert!(base.with_path("v1/auth")?.with_path("v1/auth").is_err());
    /// # Ok::<(), auth_core::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) if the endpoint already ends in that path:
    /// the whole token URL was given where a base URL belongs.
    pub fn with_path(&self, path: &str) -> Result<Self, Error> {
        let joined = self.join(path);
        let added = joined.as_str().get(self.as_str().len()..).unwrap_or_default();
        if !added.is_empty() && ends_with(self.as_str(), added) {
            return Err(Error::config(format!(
                "the endpoint URL ends in {added}, which is appended to it: remove that path"
            )));
        }
        Ok(joined)
    }

    /// Returns the URL.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.url
    }

    /// Returns the host, with its port if the URL has one: for logs and messages.
    #[must_use]
    pub fn host(&self) -> &str {
        let origin = self.url.get(..self.path_start).unwrap_or_default();
        origin.split_once("://").map_or(origin, |(_, host)| host)
    }

    /// Whether the scheme is http, which is only allowed for loopback hosts.
    #[must_use]
    pub fn is_plain_http(&self) -> bool {
        self.url.starts_with("http://")
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.url)
    }
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Endpoint({})", self.url)
    }
}

impl AsRef<str> for Endpoint {
    fn as_ref(&self) -> &str {
        self.as_str()
    }
}

impl TryFrom<&str> for Endpoint {
    type Error = Error;

    /// As [`parse`](Self::parse).
    fn try_from(text: &str) -> Result<Self, Error> {
        Self::parse(text)
    }
}

impl FromStr for Endpoint {
    type Err = Error;

    fn from_str(url: &str) -> Result<Self, Error> {
        Self::parse(url)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unsafe_or_misprinted_url_is_refused_with_a_reason() {
        for (url, says) in [
            ("https://api/v1/auth/token", "host of one word"),
            ("https:/", "does not begin with https://"),
            ("https:/api/v1", "does not begin with https://"),
            ("https://https/api/v1/auth/token", "has a scheme where its host should be"),
            ("https://", "no valid host"),
            ("https:///api", "no valid host"),
            ("api.example.com", "does not begin with https://"),
            ("ftp://example.com", "must begin with https://"),
            ("http://example.com", "plain http"),
            ("http://10.0.0.1", "plain http"),
            ("http://sandbox:8080", "plain http"),
            ("https://192.168.1.1/x", "IP address"),
            ("https://[2001:db8::1]", "IP address"),
            ("https://127.1", "no valid host"),
            ("https://2130706433", "no valid host"),
            ("https://0x7f.0x1", "no valid host"),
            ("https://ex_ample-.com", "no valid host"),
            ("https://%61pi.example.com", "no valid host"),
            ("https://user:pw@example.com", "user info"),
            ("https://example.com\\@evil.com", "back-slash"),
            ("https://example.com#x", "fragment"),
            ("https://example.com?x=1", "query"),
            ("https://example.com:99999", "port"),
            ("https://example.com:0", "port"),
            ("\"https://example.com\"", "in quotes"),
            ("${ACME_URL}", "nothing has filled in"),
            ("ACME_URL=https://example.com", "NAME="),
            ("https://example.com/a/../b", "dot segment"),
            ("https://example.com/%2e%2E/b", "dot segment"),
            ("https://example.com//b", "//"),
            (" https://example.com", "whitespace"),
            ("https://ex\u{e4}mple.com", "non-ASCII"),
        ] {
            let error = Endpoint::parse(url).unwrap_err();
            assert!(error.to_string().contains(says), "{url}: {error}");
            assert!(!error.to_string().contains("pw@"), "{error}");
        }
    }

    #[test]
    fn good_urls_are_kept_as_they_are() {
        for (url, normal) in [
            ("https://api.example.com", "https://api.example.com"),
            ("HTTPS://API.Example.com/", "https://api.example.com"),
            ("https://api.example.com:8443/base/", "https://api.example.com:8443/base"),
            ("http://localhost:8080", "http://localhost:8080"),
            ("http://127.0.0.2", "http://127.0.0.2"),
            ("http://[::1]:80/x", "http://[::1]/x"),
            ("https://api.example.com:443", "https://api.example.com"),
            ("https://api.example.com:0443/x", "https://api.example.com/x"),
            ("https://api.example.com:80", "https://api.example.com:80"),
            ("http://localhost:443", "http://localhost:443"),
            ("https://xn--exmple-cua.com", "https://xn--exmple-cua.com"),
        ] {
            assert_eq!(Endpoint::parse(url).unwrap().as_str(), normal);
        }
        assert!(Endpoint::parse_internal("https://auth-proxy:8443").is_ok());
        assert!(Endpoint::parse_internal("https://10.0.0.1").is_ok());
        assert!(Endpoint::parse_internal("http://10.0.0.1").is_err());
        assert!(Endpoint::parse_internal("https://https/api").is_err());
    }

    #[test]
    fn a_documented_endpoint_is_the_one_that_parses() {
        for url in ["https://api.example.com", "https://auth.example.com/realms/x/token"] {
            assert_eq!(Endpoint::from_static(url), Endpoint::parse(url).unwrap());
            assert_eq!(Endpoint::from_static(url).host(), Endpoint::parse(url).unwrap().host());
        }
    }

    #[test]
    fn joining_keeps_the_base_path_and_cannot_leave_the_host() {
        let base = Endpoint::parse("https://example.com/gateway").unwrap();
        for (path, joined) in [
            ("v1/auth", "https://example.com/gateway/v1/auth"),
            ("/v1/auth/", "https://example.com/gateway/v1/auth"),
            ("//evil.com/x", "https://example.com/gateway/evil.com/x"),
            ("../../x", "https://example.com/gateway/x"),
            ("a?b#c", "https://example.com/gateway/a%3Fb%23c"),
        ] {
            assert_eq!(base.join(path).as_str(), joined);
            assert_eq!(base.join(path).host(), "example.com");
        }
    }
}
