//! Why a command ends early, and with which exit code.

use std::io;

use auth_core::{Error, ErrorKind};

use crate::text::Text;

/// Why a command ends early.
#[derive(Debug)]
pub(crate) enum Stop {
    /// The library's error.
    Auth(Box<Failed>),
    /// One of ours: what failed, and what to do.
    Said { code: u8, kind: &'static str, what: Text, advice: Text, values: Vec<String> },
    /// A reader went away. It has read enough.
    Closed,
    /// The output cannot be written.
    Output(io::Error),
    /// All was said already.
    Exit(u8),
    /// A text that is printed as it is, such as help.
    Help(String),
}

/// An error of the library, and how it came.
#[derive(Debug)]
pub(crate) struct Failed {
    pub(crate) error: Error,
    pub(crate) provider: Option<&'static str>,
    /// Whether the provider said it to an earlier call.
    pub(crate) is_remembered: bool,
}

/// Exit codes that no `ErrorKind` has.
pub(crate) const USAGE: u8 = 2;
pub(crate) const CONFIG: u8 = 3;
pub(crate) const STORE: u8 = 11;
pub(crate) const OUTPUT: u8 = 12;
pub(crate) const NOT_RUN: u8 = 126;
pub(crate) const NOT_FOUND: u8 = 127;

/// The exit code of a kind.
pub(crate) const fn code(kind: ErrorKind) -> u8 {
    match kind {
        ErrorKind::Config => CONFIG,
        ErrorKind::Credentials => 4,
        ErrorKind::Request => 5,
        ErrorKind::RateLimited => 6,
        ErrorKind::Unavailable => 7,
        ErrorKind::Connect => 8,
        ErrorKind::Timeout => 9,
        ErrorKind::Protocol => 10,
        ErrorKind::Store => STORE,
        // `Internal`, and kinds to come.
        _ => 1,
    }
}

/// What failed and what to do, by kind.
pub(crate) const fn words(kind: ErrorKind) -> (Text, Text) {
    match kind {
        ErrorKind::Config => (Text::ConfigWhat, Text::ConfigDo),
        ErrorKind::Credentials => (Text::CredentialsWhat, Text::CredentialsDo),
        ErrorKind::Request => (Text::RequestWhat, Text::RequestDo),
        ErrorKind::RateLimited => (Text::RateLimitedWhat, Text::RateLimitedDo),
        ErrorKind::Unavailable => (Text::UnavailableWhat, Text::UnavailableDo),
        ErrorKind::Connect => (Text::ConnectWhat, Text::ConnectDo),
        ErrorKind::Timeout => (Text::TimeoutWhat, Text::TimeoutDo),
        ErrorKind::Protocol => (Text::ProtocolWhat, Text::ProtocolDo),
        ErrorKind::Store => (Text::StoreWhat, Text::StoreDo),
        _ => (Text::InternalWhat, Text::InternalDo),
    }
}

impl Stop {
    pub(crate) fn usage(what: Text, advice: Text, values: &[&str]) -> Self {
        Self::said(USAGE, "Usage", what, advice, values)
    }

    pub(crate) fn config(what: Text, advice: Text, values: &[&str]) -> Self {
        Self::said(CONFIG, "Config", what, advice, values)
    }

    pub(crate) fn said(
        code: u8,
        kind: &'static str,
        what: Text,
        advice: Text,
        values: &[&str],
    ) -> Self {
        let values = values.iter().map(|value| (*value).to_owned()).collect();
        Self::Said { code, kind, what, advice, values }
    }

    pub(crate) fn failed(error: Error, is_remembered: bool) -> Self {
        let provider = error.provider();
        Self::Auth(Box::new(Failed { error, provider, is_remembered }))
    }
}

impl From<Error> for Stop {
    fn from(error: Error) -> Self {
        Self::failed(error, false)
    }
}

impl From<io::Error> for Stop {
    /// Of writing to standard output.
    fn from(error: io::Error) -> Self {
        if error.kind() == io::ErrorKind::BrokenPipe { Self::Closed } else { Self::Output(error) }
    }
}
