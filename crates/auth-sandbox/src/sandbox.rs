//! The sandbox: five listeners, five providers, one server.

use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use crate::behaviour::Behaviour;
use crate::providers::{Digishare, Digitalpaye, Manis, Papaya, TresorPay};
use crate::server::Server;
use crate::service::Service;
use crate::shared::Shared;
use crate::{Error, Handle, Provider, jwt};

/// Five providers on five loopback ports, serving until dropped.
///
/// It runs on its own thread, so it works with any runtime or none. Dropping it stops the server and
/// closes every connection before the drop returns.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), auth_sandbox::Error> {
/// let sandbox = auth_sandbox::Sandbox::start().await?;
/// let manis = sandbox.manis();
/// println!("POST {}", manis.token_url());
///
/// drop(sandbox);
/// assert!(std::net::TcpStream::connect(("127.0.0.1", manis.port())).is_err());
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Sandbox {
    digitalpaye: Handle<Digitalpaye>,
    digishare: Handle<Digishare>,
    tresorpay: Handle<TresorPay>,
    papaya: Handle<Papaya>,
    manis: Handle<Manis>,
    // Held for its `Drop`.
    _server: Server,
}

impl Sandbox {
    /// Starts a sandbox on free ports of 127.0.0.1.
    ///
    /// # If the caller goes away
    ///
    /// The future completes on its first poll, so it cannot be cancelled halfway.
    ///
    /// # Errors
    ///
    /// [`Error::Listen`] or [`Error::Thread`] if the operating system has no port or thread left.
    pub async fn start() -> Result<Self, Error> {
        Self::builder().start().await
    }

    /// A sandbox with a fixed port, another address, or short-lived tokens.
    pub fn builder() -> SandboxBuilder {
        SandboxBuilder::default()
    }

    /// Digitalpaye: Basic credentials for a JWT of ten minutes.
    pub fn digitalpaye(&self) -> Handle<Digitalpaye> {
        self.digitalpaye.clone()
    }

    /// Digishare: OAuth 2 client credentials in JSON, and a personal access token.
    pub fn digishare(&self) -> Handle<Digishare> {
        self.digishare.clone()
    }

    /// TresorPay: a Keycloak realm.
    pub fn tresorpay(&self) -> Handle<TresorPay> {
        self.tresorpay.clone()
    }

    /// Papaya Global: an API key and a client secret in JSON for a named token.
    pub fn papaya(&self) -> Handle<Papaya> {
        self.papaya.clone()
    }

    /// Manis: two headers for a token.
    pub fn manis(&self) -> Handle<Manis> {
        self.manis.clone()
    }

    /// The handle of one provider, by name.
    pub fn handle(&self, provider: Provider) -> Handle {
        match provider {
            Provider::Digitalpaye => self.digitalpaye.any(),
            Provider::Digishare => self.digishare.any(),
            Provider::TresorPay => self.tresorpay.any(),
            Provider::Papaya => self.papaya.any(),
            Provider::Manis => self.manis.any(),
        }
    }

    /// All five, in the order of [`Provider::ALL`].
    pub fn handles(&self) -> [Handle; 5] {
        Provider::ALL.map(|provider| self.handle(provider))
    }
}

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
#[derive(Clone, Debug)]
#[must_use]
pub struct SandboxBuilder {
    address: IpAddr,
    port: u16,
    lifetime: Option<Duration>,
    strict: bool,
}

impl Default for SandboxBuilder {
    fn default() -> Self {
        Self { address: IpAddr::V4(Ipv4Addr::LOCALHOST), port: 0, lifetime: None, strict: false }
    }
}

impl SandboxBuilder {
    /// Listens on this loopback address; 127.0.0.1 by default.
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

    /// Gives every provider's tokens this lifetime in place of the provider's own; see
    /// [`Handle::set_token_lifetime`].
    pub fn token_lifetime(mut self, lifetime: Duration) -> Self {
        self.lifetime = Some(lifetime);
        self
    }

    /// Refuses every request that differs from the provider's document; off by default.
    ///
    /// The real servers of Digitalpaye, Digishare and Manis accept more than their documents show.
    /// So does the sandbox by default, and [`Handle::remarks`] reports it. Turn this on to test that a
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
        if !self.address.is_loopback() {
            return Err(Error::NotLoopback(self.address));
        }
        let mut services = Vec::new();
        let mut last = 0;
        let mut port = || {
            let port = self.port.checked_add(last).ok_or(Error::PortRange(self.port));
            last += 1;
            port.map(|port| if self.port == 0 { 0 } else { port })
        };
        let digitalpaye = self.open(Digitalpaye::default(), port()?, &mut services)?;
        let digishare = self.open(Digishare::default(), port()?, &mut services)?;
        let tresorpay = self.open(TresorPay::default(), port()?, &mut services)?;
        let papaya = self.open(Papaya::default(), port()?, &mut services)?;
        let manis = self.open(Manis::default(), port()?, &mut services)?;
        // Now and not in the first request, which a client may be timing.
        jwt::warm_up();
        let server = Server::start(services)?;
        Ok(Sandbox { digitalpaye, digishare, tresorpay, papaya, manis, _server: server })
    }

    /// Binds one provider's port.
    fn open<P: Behaviour>(
        &self,
        provider: P,
        port: u16,
        services: &mut Vec<(TcpListener, Arc<Service>)>,
    ) -> Result<Handle<P>, Error> {
        let wanted = SocketAddr::new(self.address, port);
        let refused = |source| Error::Listen { address: wanted, source };
        let listener = TcpListener::bind(wanted).map_err(refused)?;
        let address = listener.local_addr().map_err(refused)?;
        let lifetime = self.lifetime.unwrap_or_else(|| provider.lifetime());
        let shared = Arc::new(Shared::new(provider.provider(), address, lifetime, self.strict));
        let own = Arc::new(provider);
        let behaviour: Arc<dyn Behaviour> = Arc::<P>::clone(&own);
        let service = Service { shared: Arc::clone(&shared), behaviour };
        services.push((listener, Arc::new(service)));
        Ok(Handle::new(shared, own))
    }
}
