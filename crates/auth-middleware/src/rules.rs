//! The rules, once for all HTTP libraries: who gets the token, what a refusal is, what is sent again.

use auth_core::{AccessToken, Endpoint, TokenSource};
use http::header::{AUTHORIZATION, HOST};
use http::response::Parts;
use http::uri::Authority;
use http::{Extensions, HeaderMap, Method, StatusCode};

use crate::error::{Error, HostNotAllowed, RenewalFailed};
use crate::log;

/// A source, and the hosts that get its tokens.
#[derive(Clone, Copy)]
pub(crate) struct Rules<'a> {
    pub(crate) source: &'a dyn TokenSource,
    pub(crate) hosts: &'a [Endpoint],
}

/// Where a request goes, as the HTTP library that sends it parsed the URL.
#[derive(Clone, Copy)]
pub(crate) struct Origin<'a> {
    pub(crate) scheme: &'a str,
    pub(crate) host: &'a str,
    pub(crate) port: Option<u16>,
}

impl Origin<'_> {
    pub(crate) fn is_of(self, host: &Endpoint) -> bool {
        host.is_same_origin(self.scheme, self.host, self.port)
    }
}

impl<'a> Rules<'a> {
    /// Returns the listed host that a request goes to. Asked before there is a token, so that a
    /// request to anywhere else costs no exchange.
    ///
    /// A `Host` of the caller's must name the same host: behind one address there may be many servers,
    /// and that header chooses among them.
    pub(crate) fn listed_host(
        self,
        to: Origin<'_>,
        headers: &HeaderMap,
    ) -> Result<&'a Endpoint, Error> {
        let listed =
            self.hosts.iter().find(|host| to.is_of(host)).ok_or_else(|| self.refuse(to))?;
        for named in headers.get_all(HOST) {
            let named = Authority::try_from(named.as_bytes()).ok();
            let named = named.as_ref().map_or(Origin { host: "", ..to }, |named| Origin {
                host: named.host(),
                port: named.port_u16(),
                ..to
            });
            if !named.is_of(listed) {
                return Err(self.refuse(named));
            }
        }
        Ok(listed)
    }

    fn refuse(self, to: Origin<'_>) -> Error {
        Error::HostNotAllowed(HostNotAllowed::new(to, self.hosts))
    }

    /// Returns a token that may be kept while the request is under way.
    pub(crate) async fn token(self) -> Result<AccessToken, auth_core::Error> {
        match self.fresh() {
            Some(token) => Ok(token),
            None => self.source.token().await,
        }
    }

    /// Returns the token if none has to be fetched.
    pub(crate) fn fresh(self) -> Option<AccessToken> {
        // The clone holds a reference count. What `fresh` returns may hold one of the few slots
        // that each thread has for short reads, and a request is not short.
        let token = self.source.fresh()?;
        Some(AccessToken::clone(&token))
    }

    /// Drops the token that was sent, if the answer refuses it. Returns whether it does.
    pub(crate) fn drop_refused(self, sent: &AccessToken, answer: &Parts) -> bool {
        let refused =
            answer.status == StatusCode::UNAUTHORIZED && self.source.refuses_token(answer);
        if refused {
            self.source.invalidate(sent);
        }
        refused
    }

    /// Returns a token other than the refused one, or `None` if the source has no other: it may
    /// hold back a further exchange, or know one token only. If the exchange fails, that is logged,
    /// and stands in the extensions of the 401, which is then the answer.
    pub(crate) async fn renewed(
        self,
        refused: &AccessToken,
        to: Option<Origin<'_>>,
        answer: &mut Extensions,
    ) -> Option<AccessToken> {
        match self.token().await {
            // A provider may grant the same bytes again, which the API has just refused.
            Ok(token) => (token.authorization() != refused.authorization()).then_some(token),
            Err(error) => {
                log::renewal_failed(to, &error);
                answer.insert(RenewalFailed::new(error));
                None
            }
        }
    }
}

/// Whether the caller brought an `Authorization`, which is then left alone, as is its 401.
pub(crate) fn is_authorized(headers: &HeaderMap) -> bool {
    headers.contains_key(AUTHORIZATION)
}

/// Whether a request may be sent a second time, as far as its method is concerned.
pub(crate) fn may_repeat(method: &Method, allowed: bool) -> bool {
    allowed || method.is_idempotent()
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use auth_core::{StaticTokenSource, async_trait};

    use super::*;

    /// Takes every answer for a refusal, and counts the tokens that it drops.
    #[derive(Debug, Default)]
    struct Strict {
        dropped: AtomicUsize,
    }

    #[async_trait]
    impl TokenSource for Strict {
        async fn token(&self) -> Result<AccessToken, auth_core::Error> {
            StaticTokenSource::bearer("made-up")?.token().await
        }

        fn invalidate(&self, _: &AccessToken) {
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }

        fn refuses_token(&self, _: &Parts) -> bool {
            true
        }
    }

    #[tokio::test]
    async fn nothing_but_a_401_drops_a_token_whatever_the_source_says() {
        let source = Strict::default();
        let rules = Rules { source: &source, hosts: &[] };
        let sent = source.token().await.unwrap();
        for (status, dropped) in [(200, 0), (302, 0), (403, 0), (500, 0), (401, 1)] {
            let (mut answer, ()) = http::Response::new(()).into_parts();
            answer.status = StatusCode::from_u16(status).unwrap();
            assert_eq!(rules.drop_refused(&sent, &answer), dropped == 1, "{status}");
            assert_eq!(source.dropped.load(Ordering::Relaxed), dropped, "{status}");
        }
    }

    #[test]
    fn only_a_listed_origin_gets_the_token() {
        let source = StaticTokenSource::bearer("made-up").unwrap();
        let hosts = ["https://api.example.com/v1", "http://127.0.0.1:8080", "http://[::1]:8080"]
            .map(|url| Endpoint::parse(url).unwrap());
        let rules = Rules { source: &source, hosts: &hosts };
        let none = HeaderMap::new();
        let is_listed =
            |(scheme, host, port)| rules.listed_host(Origin { scheme, host, port }, &none).is_ok();
        for good in [
            ("https", "api.example.com", None),
            ("https", "API.example.com", Some(443)),
            ("http", "127.0.0.1", Some(8080)),
            ("http", "[::1]", Some(8080)),
        ] {
            assert!(is_listed(good), "{good:?}");
        }
        for bad in [
            ("http", "api.example.com", None),
            ("http", "api.example.com", Some(443)),
            ("https", "api.example.com", Some(8443)),
            ("https", "api.example.com.", None),
            ("https", "api.example.com.evil.com", None),
            ("https", "evil-api.example.com", None),
            ("https", "example.com", None),
            ("http", "127.0.0.1", None),
            ("https", "127.0.0.1", Some(8080)),
            ("http", "localhost", Some(8080)),
            ("ftp", "api.example.com", None),
            ("https", "", None),
        ] {
            assert!(!is_listed(bad), "{bad:?}");
        }
    }

    #[test]
    fn a_host_header_that_names_another_host_gets_no_token() {
        let source = StaticTokenSource::bearer("made-up").unwrap();
        let hosts = [Endpoint::parse("https://api.example.com").unwrap()];
        let rules = Rules { source: &source, hosts: &hosts };
        let to = Origin { scheme: "https", host: "api.example.com", port: None };
        for (named, is_listed) in [
            ("api.example.com", true),
            ("API.example.com:443", true),
            ("api.example.com:8443", false),
            ("evil.example.com", false),
            ("", false),
            ("api.example.com, evil.example.com", false),
        ] {
            let headers = HeaderMap::from_iter([(HOST, named.parse().unwrap())]);
            assert_eq!(rules.listed_host(to, &headers).is_ok(), is_listed, "{named:?}");
        }
        let mut both = HeaderMap::from_iter([(HOST, "api.example.com".parse().unwrap())]);
        both.append(HOST, "evil.example.com".parse().unwrap());
        let error = rules.listed_host(to, &both).unwrap_err().to_string();
        assert!(error.starts_with("https://evil.example.com does not get the token"), "{error}");
    }

    #[test]
    fn idempotent_methods_are_sent_again_and_others_when_allowed() {
        for method in ["GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"] {
            assert!(may_repeat(&method.parse().unwrap(), false), "{method}");
        }
        for method in ["POST", "PATCH", "CONNECT", "PAY"] {
            let method = method.parse().unwrap();
            assert!(!may_repeat(&method, false) && may_repeat(&method, true), "{method}");
        }
    }
}
