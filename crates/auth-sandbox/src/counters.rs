//! A provider's counters.

/// A snapshot of a provider's counters, taken with [`Handle::counters`](crate::Handle::counters).
///
/// Every field counts since the sandbox started, or since
/// [`Handle::reset_counters`](crate::Handle::reset_counters).
///
/// ```
/// # use std::io::{Read, Write};
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let sandbox = auth_sandbox::Sandbox::builder().start_blocking()?;
/// let manis = sandbox.manis();
/// let before = manis.counters();
/// // ... exercise the client: here, one that sends no secret ...
/// # let mut socket = std::net::TcpStream::connect(("127.0.0.1", manis.port()))?;
/// # let head = "POST /api/v1/auth/token HTTP/1.1\r\nHost: localhost\r\nConnection: close";
/// # write!(socket, "{head}\r\nContent-Length: 0\r\n\r\n")?;
/// # socket.read_to_end(&mut Vec::new())?;
/// let after = manis.counters();
/// assert_eq!(after.token_requests - before.token_requests, 1);
/// assert_eq!((after.tokens_issued, after.rejected), (0, 1));
/// # Ok(()) }
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Counters {
    /// TCP connections accepted. Zero if the client sent nothing.
    pub connections: u64,
    /// Requests to the token endpoint, successful or not.
    pub token_requests: u64,
    /// Tokens issued, including those in a response that a fault then spoiled.
    pub tokens_issued: u64,
    /// Token requests that were invalid or carried wrong credentials, and got no token.
    pub rejected: u64,
    /// Token requests that a fault was applied to.
    pub faults_served: u64,
    /// Requests to the guarded API route.
    pub api_calls: u64,
    /// API calls with a valid token.
    pub api_accepted: u64,
    /// API calls that were refused.
    pub api_rejected: u64,
    /// Requests to any other path.
    pub stray_requests: u64,
}
