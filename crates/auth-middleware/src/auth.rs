//! What all three ways to attach a token take: a source, and the hosts that may get its tokens.

use auth_core::{Endpoint, SharedTokenSource, TokenSource};

#[cfg(any(feature = "reqwest-middleware-0_5", feature = "tower"))]
use crate::error::Error;
use crate::rules::Rules;

/// A source of tokens, and the hosts that get them: the source's own [`api_hosts`], and those that
/// you add.
///
/// Every function of this crate that takes one also takes a plain source.
///
/// Only the origin of a host counts: scheme, host name and port, where an entry without a port
/// means the scheme's own. Plain http is for loopback hosts, which are on no list unless you add
/// them.
///
/// The source is asked for its hosts once, here. If `replace_exchange` moves it to another
/// environment, make another `TokenAuth` and another client.
///
/// ```
/// use auth_core::{Endpoint, StaticTokenSource};
/// use auth_middleware::TokenAuth;
///
/// let tokens = StaticTokenSource::bearer("made-up")?; // knows no hosts
/// let auth = TokenAuth::new(tokens)
///     .host(Endpoint::parse("https://api.example.com")?)
///     .host(Endpoint::parse("http://127.0.0.1:8080")?); // a server in a test
/// assert_eq!(auth.hosts().len(), 2);
/// # Ok::<(), auth_core::Error>(())
/// ```
///
/// [`api_hosts`]: TokenSource::api_hosts
#[derive(Clone, Debug)]
pub struct TokenAuth {
    source: SharedTokenSource,
    hosts: Vec<Endpoint>,
}

impl TokenAuth {
    /// Takes a source and the hosts that it names.
    pub fn new(source: impl TokenSource) -> Self {
        let hosts = source.api_hosts();
        Self { source: SharedTokenSource::new(source), hosts }
    }

    /// Adds a host that gets the token.
    ///
    /// The server there can use the token, so add only hosts of the provider and of your own.
    #[must_use]
    pub fn host(mut self, host: Endpoint) -> Self {
        self.hosts.push(host);
        self
    }

    /// Returns the hosts that get the token.
    #[must_use]
    pub fn hosts(&self) -> &[Endpoint] {
        &self.hosts
    }

    /// Fails if no request could ever get a token.
    #[cfg(any(feature = "reqwest-middleware-0_5", feature = "tower"))]
    pub(crate) fn checked(self) -> Result<Self, Error> {
        if self.hosts.is_empty() { Err(Error::NoHosts) } else { Ok(self) }
    }

    pub(crate) fn rules(&self) -> Rules<'_> {
        Rules { source: &self.source, hosts: &self.hosts }
    }
}

impl<S: TokenSource> From<S> for TokenAuth {
    fn from(source: S) -> Self {
        Self::new(source)
    }
}

/// Allows one request to be sent a second time after a 401, although its method is not idempotent:
/// an extension of the request.
///
/// Without it only GET, HEAD, OPTIONS, TRACE, PUT and DELETE are sent again (RFC 9110 section
/// 9.2.2). A POST may be a payment: a server can act on a request and still answer 401, and a second
/// one would pay twice. Allow it where the API checks the token before anything else, or where an
/// idempotency key makes the second one harmless.
///
/// ```
/// use auth_middleware::AllowReplay;
///
/// // With tower. With reqwest-middleware: `api.post(url).with_extension(AllowReplay)`.
/// let mut request = http::Request::post("https://api.example.com/search").body(())?;
/// request.extensions_mut().insert(AllowReplay);
/// # Ok::<(), http::Error>(())
/// ```
#[derive(Clone, Copy, Debug)]
#[allow(clippy::exhaustive_structs)] // there is nothing that it could hold
pub struct AllowReplay;
