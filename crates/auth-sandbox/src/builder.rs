//! How a sandbox starts.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Duration;

use crate::control::Control;
use crate::journal::Tap;
use crate::listen::listen;
use crate::opening::Opening;
use crate::providers::{Digishare, Digitalpaye, Manis, Papaya, TresorPay};
use crate::server::Server;
use crate::site::Site;
use crate::{Credentials, Error, Provider, Record, Sandbox, jwt};

/// How a sandbox starts; made by [`Sandbox::builder`].
///
/// ```
/// use std::net::Ipv6Addr;
/// use std::time::Duration;
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), auth_sandbox::Error> {
/// let builder = auth_sandbox::Sandbox::builder()
///     .port(0) // any free ones
///     .token_lifetime(Duration::from_secs(60));
/// let sandbox = builder.clone().start().await?;
/// assert!(sandbox.papaya().base_url().starts_with("http://127.0.0.1:"));
///
/// assert!(builder.bind(Ipv6Addr::UNSPECIFIED).start().await.is_err()); // not loopback
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
#[must_use]
pub struct SandboxBuilder {
    pub(crate) address: IpAddr,
    pub(crate) port: u16,
    pub(crate) lifetime: Option<Duration>,
    pub(crate) strict: bool,
    pub(crate) fixed: bool,
    pub(crate) one_port: bool,
    expose: bool,
    advertised: Option<String>,
    control: Option<u16>,
    #[cfg(feature = "tls")]
    tls: bool,
    pub(crate) accounts: Vec<(Provider, Credentials)>,
    personal: Option<String>,
    pub(crate) tap: Option<Tap>,
}

impl Default for SandboxBuilder {
    fn default() -> Self {
        Self {
            address: IpAddr::V4(Ipv4Addr::LOCALHOST),
            port: 0,
            lifetime: None,
            strict: false,
            fixed: false,
            one_port: false,
            expose: false,
            advertised: None,
            control: None,
            #[cfg(feature = "tls")]
            tls: false,
            accounts: Vec::new(),
            personal: None,
            tap: None,
        }
    }
}

impl SandboxBuilder {
    /// Listens on this address; 127.0.0.1 by default, and then on `::1` too where there is one, so that
    /// `localhost` works however it is resolved. An address that is not loopback also needs
    /// [`expose`](Self::expose).
    pub fn bind(mut self, address: impl Into<IpAddr>) -> Self {
        self.address = address.into();
        self
    }

    /// Listens on this port and the four after it, in the order of [`Provider::ALL`].
    /// 0, the default, picks five free ports.
    pub fn port(mut self, first: u16) -> Self {
        self.port = first;
        self
    }

    /// Serves all providers on one port, each below its name: `http://127.0.0.1:8080/manis`.
    ///
    /// ```
    /// let sandbox = auth_sandbox::Sandbox::builder().one_port(true).start_blocking()?;
    /// assert!(sandbox.manis().token_url().ends_with("/manis/api/v1/auth/token"));
    /// assert_eq!(sandbox.manis().port(), sandbox.papaya().port());
    /// # Ok::<(), auth_sandbox::Error>(())
    /// ```
    pub fn one_port(mut self, one_port: bool) -> Self {
        self.one_port = one_port;
        self
    }

    /// Gives every provider's tokens this lifetime in place of the provider's own; see
    /// [`Handle::set_token_lifetime`](crate::Handle::set_token_lifetime).
    pub fn token_lifetime(mut self, lifetime: Duration) -> Self {
        self.lifetime = Some(lifetime);
        self
    }

    /// Refuses every request that differs from the provider's document; off by default.
    ///
    /// The real servers of Digitalpaye, Digishare and Manis accept more than their documents show.
    /// So does the sandbox by default, and [`Handle::remarks`](crate::Handle::remarks) reports it. Turn this on to test that a
    /// client follows the documents.
    ///
    /// ```
    /// let sandbox = auth_sandbox::Sandbox::builder().strict(true).start_blocking()?;
    /// assert!(sandbox.manis().remarks().is_empty());
    /// # Ok::<(), auth_sandbox::Error>(())
    /// ```
    pub fn strict(mut self, strict: bool) -> Self {
        self.strict = strict;
        self
    }

    /// Uses the same made-up credentials at every start: `sandbox-manis` and `sandbox-secret-manis`.
    /// By default they are random, so that a test which mixes up two sandboxes fails.
    ///
    /// ```
    /// let sandbox = auth_sandbox::Sandbox::builder().fixed_credentials(true).start_blocking()?;
    /// assert_eq!(sandbox.papaya().credentials().id(), "sandbox-papaya");
    /// # Ok::<(), auth_sandbox::Error>(())
    /// ```
    pub fn fixed_credentials(mut self, fixed: bool) -> Self {
        self.fixed = fixed;
        self
    }

    /// Accepts these credentials of a provider, in place of the made-up ones. Call it again for
    /// further accounts; thousands work.
    ///
    /// ```
    /// use auth_sandbox::{Credentials, Provider};
    ///
    /// let mut builder = auth_sandbox::Sandbox::builder();
    /// for tenant in 0..1000 {
    ///     let credentials = Credentials::new(format!("tenant-{tenant}"), "made-up");
    ///     builder = builder.account(Provider::Manis, credentials);
    /// }
    /// assert_eq!(builder.start_blocking()?.manis().accounts().len(), 1000);
    /// # Ok::<(), auth_sandbox::Error>(())
    /// ```
    pub fn account(mut self, provider: Provider, credentials: Credentials) -> Self {
        self.accounts.push((provider, credentials));
        self
    }

    /// Accepts this personal access token at Digishare's API.
    pub fn personal_access_token(mut self, token: impl Into<String>) -> Self {
        self.personal = Some(token.into());
        self
    }

    /// Allows an address that other machines can reach.
    ///
    /// The sandbox protects nothing, and anybody who reaches its control API can read its credentials.
    pub fn expose(mut self, expose: bool) -> Self {
        self.expose = expose;
        self
    }

    /// Writes this host into every URL, such as a container's name, and accepts it as `Host` at the
    /// control API. By default it is the address, or loopback where that is unspecified.
    ///
    /// ```
    /// let sandbox = auth_sandbox::Sandbox::builder().advertise("localhost").start_blocking()?;
    /// assert!(sandbox.manis().base_url().starts_with("http://localhost:"));
    /// # Ok::<(), auth_sandbox::Error>(())
    /// ```
    pub fn advertise(mut self, host: impl Into<String>) -> Self {
        self.advertised = Some(host.into());
        self
    }

    /// Serves the control API too, and its page for a browser at `/`, on this port or, with 0, on any free one.
    ///
    /// ```
    /// let sandbox = auth_sandbox::Sandbox::builder().control(0).start_blocking()?;
    /// assert!(sandbox.control_url().unwrap().ends_with("/__sandbox"));
    /// # Ok::<(), auth_sandbox::Error>(())
    /// ```
    pub fn control(mut self, port: u16) -> Self {
        self.control = Some(port);
        self
    }

    /// Speaks TLS, under an authority that is made up at the start: [`Sandbox::authority`]. The
    /// control API stays plain.
    ///
    /// ```
    /// let sandbox = auth_sandbox::Sandbox::builder().tls(true).start_blocking()?;
    /// assert!(sandbox.manis().base_url().starts_with("https://"));
    /// assert!(sandbox.authority().unwrap().starts_with("-----BEGIN CERTIFICATE-----"));
    /// # Ok::<(), auth_sandbox::Error>(())
    /// ```
    #[cfg(feature = "tls")]
    #[cfg_attr(docsrs, doc(cfg(feature = "tls")))]
    pub fn tls(mut self, tls: bool) -> Self {
        self.tls = tls;
        self
    }

    /// Calls this with each request once it has been answered, on the sandbox's own thread: it must
    /// not block.
    ///
    /// ```
    /// let (lines, log) = std::sync::mpsc::channel();
    /// let sandbox = auth_sandbox::Sandbox::builder()
    ///     .on_request(move |record| drop(lines.send(record.to_string())))
    ///     .start_blocking()?;
    /// // ... exercise the client ...
    /// assert!(log.try_iter().all(|line| !line.contains("refused")));
    /// # Ok::<(), auth_sandbox::Error>(())
    /// ```
    pub fn on_request(mut self, tap: impl Fn(&Record) + Send + Sync + 'static) -> Self {
        self.tap = Some(Arc::new(tap));
        self
    }

    /// Starts the sandbox. When this returns, clients may connect.
    ///
    /// # If the caller goes away
    ///
    /// The future completes on its first poll, so it cannot be cancelled halfway.
    ///
    /// # Errors
    ///
    /// See [`Error`].
    pub async fn start(self) -> Result<Sandbox, Error> {
        // Nothing here awaits. The first start in a process generates an RSA key, which takes a tenth
        // of a second: not worth a runtime's blocking pool, which may not exist.
        self.start_blocking()
    }

    /// As [`start`](Self::start), for programs without a runtime.
    ///
    /// # Errors
    ///
    /// See [`Error`].
    pub fn start_blocking(self) -> Result<Sandbox, Error> {
        if !self.address.is_loopback() && !self.expose {
            return Err(Error::NotLoopback(self.address));
        }
        let personal = self.personal.clone();
        let personal = personal.or_else(|| self.fixed.then(|| FIXED_PERSONAL.to_owned()));
        let mut opening = Opening::new(&self)?;
        let digitalpaye = opening.add(Digitalpaye::default())?;
        let digishare = opening.add(Digishare::new(personal))?;
        let tresorpay = opening.add(TresorPay::default())?;
        let papaya = opening.add(Papaya::default())?;
        let manis = opening.add(Manis::default())?;
        let mut sites = opening.sites();

        let mut control_url = None;
        if let Some(port) = self.control {
            let (listeners, address) = listen(self.address, port)?;
            let control = Arc::new(Control {
                handles: [
                    digitalpaye.any(),
                    digishare.any(),
                    tresorpay.any(),
                    papaya.any(),
                    manis.any(),
                ],
                digishare: digishare.clone(),
                advertised: self.advertised.clone(),
            });
            sites.extend(listeners.into_iter().map(|it| (it, Site::Control(Arc::clone(&control)))));
            control_url = Some(format!("http://{}:{}/__sandbox", self.host(), address.port()));
        }
        // Now and not in the first request, which a client may be timing.
        jwt::warm_up();
        #[cfg(feature = "tls")]
        let (tls, authority) = if self.tls {
            let hosts = crate::tls::hosts(self.address, self.advertised.as_deref());
            let (acceptor, authority) = crate::tls::make(&hosts).map_err(Error::Tls)?;
            (Some(acceptor), Some(authority))
        } else {
            (None, None)
        };
        #[cfg(not(feature = "tls"))]
        let authority = None;
        let server = Server::start(
            sites,
            #[cfg(feature = "tls")]
            tls,
        )?;
        Ok(Sandbox {
            digitalpaye,
            digishare,
            tresorpay,
            papaya,
            manis,
            control_url,
            authority,
            _server: server,
        })
    }

    /// The host of every URL.
    pub(crate) fn host(&self) -> String {
        let address = match self.address {
            IpAddr::V4(address) if address.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
            IpAddr::V6(address) if address.is_unspecified() => {
                IpAddr::V6(std::net::Ipv6Addr::LOCALHOST)
            }
            address => address,
        };
        self.advertised.clone().unwrap_or_else(|| match address {
            IpAddr::V4(address) => address.to_string(),
            IpAddr::V6(address) => format!("[{address}]"),
        })
    }

    /// Whether the host of every URL is one that only the user's own network resolves.
    pub(crate) fn is_internal(&self) -> bool {
        let host = self.host();
        let address = host.trim_matches(['[', ']']).parse::<IpAddr>();
        !host.eq_ignore_ascii_case("localhost") && !address.is_ok_and(|it| it.is_loopback())
    }

    pub(crate) fn scheme(&self) -> &'static str {
        #[cfg(feature = "tls")]
        if self.tls {
            return "https";
        }
        "http"
    }
}

/// The personal access token of a sandbox with fixed credentials.
const FIXED_PERSONAL: &str = "sandbox-personal-digishare";

impl fmt::Debug for SandboxBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SandboxBuilder")
            .field("address", &self.address)
            .field("port", &self.port)
            .field("strict", &self.strict)
            .finish_non_exhaustive()
    }
}
