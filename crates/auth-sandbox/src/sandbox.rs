//! The sandbox: five listeners, five providers, one server.

use std::sync::Arc;

use crate::providers::{Digishare, Digitalpaye, Manis, Papaya, TresorPay};
use crate::server::Server;
use crate::{Error, Handle, Provider, Record, SandboxBuilder};

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
    pub(crate) digitalpaye: Handle<Digitalpaye>,
    pub(crate) digishare: Handle<Digishare>,
    pub(crate) tresorpay: Handle<TresorPay>,
    pub(crate) papaya: Handle<Papaya>,
    pub(crate) manis: Handle<Manis>,
    pub(crate) control_url: Option<String>,
    pub(crate) authority: Option<String>,
    // Held for its `Drop`.
    pub(crate) _server: Server,
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

    /// The base URL of the control API, if it was [asked for](SandboxBuilder::control), such as
    /// `http://127.0.0.1:8090/__sandbox`.
    pub fn control_url(&self) -> Option<&str> {
        self.control_url.as_deref()
    }

    /// The certificate of the authority that a client must trust, in PEM, if there is TLS.
    pub fn authority(&self) -> Option<&str> {
        self.authority.as_deref()
    }

    /// The last thousand requests, oldest first, with nothing secret in them.
    ///
    /// ```
    /// let sandbox = auth_sandbox::Sandbox::builder().start_blocking()?;
    /// assert!(sandbox.journal().is_empty());
    /// # Ok::<(), auth_sandbox::Error>(())
    /// ```
    pub fn journal(&self) -> Vec<Arc<Record>> {
        self.manis.shared().journal.pages().records.iter().cloned().collect()
    }

    /// [Resets](Handle::reset) every provider, and clears the journal.
    ///
    /// ```
    /// use auth_sandbox::Fault;
    ///
    /// let sandbox = auth_sandbox::Sandbox::builder().start_blocking()?;
    /// let credentials = sandbox.manis().credentials();
    /// sandbox.manis().inject(Fault::Stall);
    /// sandbox.manis().rotate_secret();
    /// sandbox.reset();
    /// assert_eq!(sandbox.manis().credentials(), credentials);
    /// # Ok::<(), auth_sandbox::Error>(())
    /// ```
    pub fn reset(&self) {
        self.handles().iter().for_each(Handle::reset);
        self.manis.shared().journal.clear();
    }

    /// All five, in the order of [`Provider::ALL`].
    pub fn handles(&self) -> [Handle; 5] {
        Provider::ALL.map(|provider| self.handle(provider))
    }
}
