//! Why a sandbox could not start.

use std::io;
use std::net::{IpAddr, SocketAddr};

/// Why a sandbox could not start. Once started, it does not fail.
///
/// ```
/// # fn main() -> Result<(), auth_sandbox::Error> {
/// let first = auth_sandbox::Sandbox::builder().start_blocking()?;
/// let taken = first.digitalpaye().port();
/// let error = auth_sandbox::Sandbox::builder().port(taken).start_blocking().unwrap_err();
/// assert!(error.to_string().contains("choose another port"));
/// # Ok(())
/// # }
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A port is taken or may not be bound.
    #[error("could not listen on {address}: choose another port, or 0 for any free one")]
    Listen {
        /// Where the sandbox tried to listen.
        address: SocketAddr,
        /// The operating system's error.
        source: io::Error,
    },
    /// Five consecutive ports do not fit above the first one.
    #[error("ports {0} to {0}+4 do not exist: choose a first port of at most 65531, or 0")]
    PortRange(u16),
    /// The sandbox protects nothing, so it stays on this machine unless it is told to be exposed.
    #[error("{0} is not a loopback address: bind to 127.0.0.1 or ::1, or expose the sandbox")]
    NotLoopback(IpAddr),
    /// No certificate could be made, in practice because the advertised host is no name.
    #[cfg(feature = "tls")]
    #[cfg_attr(docsrs, doc(cfg(feature = "tls")))]
    #[error("could not make a certificate: is the advertised host a name?")]
    Tls(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The operating system provided no thread or event loop.
    #[error("could not start the sandbox's own thread")]
    Thread(#[source] io::Error),
}
