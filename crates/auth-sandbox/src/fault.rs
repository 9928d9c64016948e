//! The faults of a token endpoint.

use std::time::Duration;

use crate::{CannedResponse, Skew};

/// A fault of a provider's token endpoint, applied with
/// [`Handle::inject`](crate::Handle::inject) or [`Handle::inject_times`](crate::Handle::inject_times).
///
/// A fault applies only to requests to the token endpoint, after they were read to their end, so the
/// counters include them. Faults of "the normal answer" still check the request: an invalid request
/// gets its error, altered in the same way.
///
/// ```
/// use std::time::Duration;
/// use auth_sandbox::{Fault, RetryAfter};
///
/// # let sandbox = auth_sandbox::Sandbox::builder().start_blocking()?;
/// let manis = sandbox.manis();
/// manis.inject_times(Fault::Status(500).delayed(Duration::from_millis(50)), 1); // slow, and fails
/// manis.inject_times(Fault::Reset, 2);                                          // then two resets
/// let after = RetryAfter::In(Duration::from_secs(2));
/// manis.inject(Fault::RetryAfter { status: 429, after });                       // then throttled
/// # Ok::<(), auth_sandbox::Error>(())
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Fault {
    /// This status with the provider's documented body for it, or else a reverse proxy's page. A number
    /// that no final response can have (below 200, above 999) counts as 500.
    Status(u16),
    /// As [`Status`](Self::Status), with a `Retry-After` header.
    RetryAfter {
        /// The status, usually 429 or 503.
        status: u16,
        /// The header's value.
        after: RetryAfter,
    },
    /// A custom response, byte for byte.
    Response(CannedResponse),
    /// A redirect with an empty body.
    Redirect {
        /// 301, 302, 303, 307 or 308.
        status: u16,
        /// The `Location`, as it stands.
        location: String,
    },
    /// 200 and an HTML page that asks the user to log in to a network.
    CaptivePortal,
    /// 403 and the HTML page of a web application firewall.
    Firewall,
    /// The normal answer, this much later.
    Latency(Duration),
    /// Another fault, this much later: what [`delayed`](Self::delayed) makes.
    Delayed {
        /// How much later.
        by: Duration,
        /// The delayed fault.
        fault: Box<Self>,
    },
    /// No answer: the connection is reset (TCP RST).
    Reset,
    /// No answer: the connection is closed normally (TCP FIN).
    Close,
    /// No answer, and the connection stays open until the client gives up.
    Stall,
    /// The head of the normal answer, then nothing until the client gives up.
    StallAfterHeaders,
    /// The normal answer, its body one byte at a time.
    Drip {
        /// How long to wait before each byte.
        pause: Duration,
    },
    /// The normal answer, cut off in the middle of its body: `Content-Length` states more.
    Truncate,
    /// These bytes in place of an HTTP response, then the end of the connection.
    Garbage(Vec<u8>),
    /// 200, and a chunked body that begins as JSON and goes on for this many bytes:
    /// with `u64::MAX`, until the client hangs up.
    Oversize {
        /// The length of the body.
        bytes: u64,
    },
    /// The normal answer, gzip-encoded although the client did not accept that.
    Gzip,
    /// The normal answer, its `Date` header alone skewed. For a provider whose whole clock is
    /// wrong, see [`Handle::set_clock_skew`](crate::Handle::set_clock_skew).
    SkewedDate(Skew),
    /// The normal answer without a `Date` header.
    NoDate,
    /// The normal answer, with a token of this lifetime.
    Lifetime(Duration),
    /// The normal answer, with a token that expired this long ago.
    Expired(Duration),
}

/// What a `Retry-After` header says (RFC 9110 section 10.2.3).
///
/// ```
/// use auth_sandbox::{Fault, RetryAfter};
///
/// # let sandbox = auth_sandbox::Sandbox::builder().start_blocking()?;
/// let after = RetryAfter::Text("soon".to_owned()); // clients must ignore it
/// sandbox.digishare().inject(Fault::RetryAfter { status: 503, after });
/// # Ok::<(), auth_sandbox::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RetryAfter {
    /// A number of seconds, rounded down.
    In(Duration),
    /// An HTTP date, this far from the provider's now.
    At(Duration),
    /// Any text, valid or not.
    Text(String),
}

impl Fault {
    /// This fault, `by` later.
    #[must_use]
    pub fn delayed(self, by: Duration) -> Self {
        Self::Delayed { by, fault: Box::new(self) }
    }

    /// The word for it in the log and in the control API.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::Status(_) => "status",
            Self::RetryAfter { .. } => "retry_after",
            Self::Response(_) => "response",
            Self::Redirect { .. } => "redirect",
            Self::CaptivePortal => "captive_portal",
            Self::Firewall => "firewall",
            Self::Latency(_) => "latency",
            Self::Delayed { fault, .. } => fault.kind(),
            Self::Reset => "reset",
            Self::Close => "close",
            Self::Stall => "stall",
            Self::StallAfterHeaders => "stall_after_headers",
            Self::Drip { .. } => "drip",
            Self::Truncate => "truncate",
            Self::Garbage(_) => "garbage",
            Self::Oversize { .. } => "oversize",
            Self::Gzip => "gzip",
            Self::SkewedDate(_) => "skewed_date",
            Self::NoDate => "no_date",
            Self::Lifetime(_) => "lifetime",
            Self::Expired(_) => "expired",
        }
    }

    /// The delays in front of a fault, added up, and the fault behind them.
    pub(crate) fn split(self) -> (Duration, Option<Self>) {
        let mut delay = Duration::ZERO;
        let mut fault = self;
        while let Self::Delayed { by, fault: inner } = fault {
            delay = delay.saturating_add(by);
            fault = *inner;
        }
        match fault {
            Self::Latency(by) => (delay.saturating_add(by), None),
            fault => (delay, Some(fault)),
        }
    }
}
