//! What was asked and what became of it: the last requests, without their secrets.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use crate::{Provider, random};

/// How many requests the journal keeps.
pub(crate) const KEPT: usize = 1000;

/// What became of a request.
///
/// ```
/// use auth_sandbox::Verdict;
///
/// assert_eq!(Verdict::Granted.to_string(), "granted");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Verdict {
    /// A token request that got a token.
    Granted,
    /// An API call whose token was good.
    Accepted,
    /// A token request or API call that was refused; the reason says why.
    Refused,
    /// A fault spoke in the provider's place.
    Fault,
    /// Nothing is at this path.
    Stray,
}

impl Verdict {
    /// The verdict in one word, in lower case.
    pub fn name(self) -> &'static str {
        match self {
            Self::Granted => "granted",
            Self::Accepted => "accepted",
            Self::Refused => "refused",
            Self::Fault => "fault",
            Self::Stray => "stray",
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A request and what became of it, with nothing secret in it: see
/// [`Sandbox::journal`](crate::Sandbox::journal).
///
/// `Display` is one line, as the program logs it.
///
/// ```
/// # use std::io::{Read, Write};
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let sandbox = auth_sandbox::Sandbox::builder().start_blocking()?;
/// let mut socket = std::net::TcpStream::connect(("127.0.0.1", sandbox.manis().port()))?;
/// write!(socket, "GET /nowhere HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")?;
/// # socket.read_to_end(&mut Vec::new())?;
///
/// let journal = sandbox.journal();
/// let record = journal.last().unwrap();
/// assert_eq!((record.path.as_str(), record.status), ("/nowhere", Some(404)));
/// assert!(record.to_string().contains("manis GET /nowhere 404 stray"));
/// # Ok(()) }
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Record {
    /// Counts from 1 since the sandbox started, through resets and cleared journals.
    pub number: u64,
    /// When it was answered, by the machine's clock.
    pub at: SystemTime,
    /// Which provider was asked; `None` if a sandbox [on one port](crate::SandboxBuilder::one_port) was asked
    /// below no provider's path.
    pub provider: Option<Provider>,
    /// The account, if the request named one that the provider has.
    pub account: Option<String>,
    /// The method.
    pub method: String,
    /// Path and query, redacted.
    pub path: String,
    /// The headers, redacted.
    pub headers: Vec<(String, String)>,
    /// The body, redacted, or why it is not shown.
    pub body: String,
    /// The status of the answer; `None` if a fault sent none.
    pub status: Option<u16>,
    /// What became of it.
    pub verdict: Verdict,
    /// Why it was refused, or how it failed.
    pub reason: Option<String>,
    /// Why it was accepted although the document asks for more.
    pub remarks: Vec<&'static str>,
    /// How long it took until the answer, in a fault's case until the fault.
    pub took: Duration,
}

impl fmt::Display for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { method, path, verdict, .. } = self;
        let provider = self.provider.map_or("-", Provider::name);
        let now = jiff::Timestamp::try_from(self.at).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
        write!(f, "{} {provider} {method} ", now.strftime("%H:%M:%S%.3fZ"))?;
        write!(f, "{}", path.escape_debug())?;
        match self.status {
            Some(status) => write!(f, " {status} {verdict}")?,
            None => write!(f, " - {verdict}")?,
        }
        if let Some(account) = &self.account {
            let to = if *verdict == Verdict::Granted { "to" } else { "for" };
            write!(f, " {to} {}", account.escape_debug())?;
        }
        if let Some(reason) = &self.reason {
            write!(f, ": {}", reason.escape_debug())?;
        }
        for remark in &self.remarks {
            write!(f, " ({remark})")?;
        }
        if self.took >= Duration::from_millis(100) {
            write!(f, " after {} ms", self.took.as_millis())?;
        }
        Ok(())
    }
}

/// Called with each record.
pub(crate) type Tap = Arc<dyn Fn(&Record) + Send + Sync>;

/// The last records, and how many are gone.
pub(crate) struct Journal {
    /// Another one at each start, so that a reader who comes back tells whose numbers these are.
    pub(crate) run: String,
    tap: Option<Tap>,
    pages: Mutex<Pages>,
}

#[derive(Default)]
pub(crate) struct Pages {
    pub(crate) records: VecDeque<Arc<Record>>,
    /// The number of the newest record, still there or not.
    pub(crate) newest: u64,
    /// How many were dropped because newer ones came.
    pub(crate) gone: u64,
}

impl Journal {
    pub(crate) fn new(tap: Option<Tap>) -> Self {
        Self { run: random::hex::<8>(), tap, pages: Mutex::default() }
    }

    /// Enters a record under the next number.
    pub(crate) fn enter(&self, mut record: Record) {
        let record = {
            let mut pages = self.pages();
            pages.newest += 1;
            record.number = pages.newest;
            let record = Arc::new(record);
            pages.records.push_back(Arc::clone(&record));
            if pages.records.len() > KEPT {
                pages.records.pop_front();
                pages.gone += 1;
            }
            record
        };
        if let Some(tap) = &self.tap {
            tap(&record);
        }
    }

    pub(crate) fn pages(&self) -> MutexGuard<'_, Pages> {
        self.pages.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Forgets all records. Numbers go on, so that a reader's place stays good.
    pub(crate) fn clear(&self) {
        let mut pages = self.pages();
        pages.records.clear();
        pages.gone = 0;
    }
}
