//! What went wrong with a server, in our words: its host, the first word of its answer, what to do.

use std::error::Error as StdError;
use std::io;

use ::redis::ServerError;
use auth_core::{Error, ErrorKind};

use super::heard::Hearing;

/// Why a call failed.
#[derive(Debug)]
pub(super) struct Trouble {
    text: String,
    /// Whether it is an answer that proves a setting wrong, so that only a person can mend it.
    pub(super) proves: bool,
    /// Whether another connection may do better.
    pub(super) condemns: bool,
    /// Whether it is an answer in TLS.
    pub(super) heard_tls: bool,
}

/// What a server may answer, and what to do.
const ANSWERS: &[(&str, &str, Verdict)] = &[
    ("WRONGPASS", "check the user and the password in the URL", Verdict::Setting),
    ("NOAUTH", "write the password into the URL: rediss://user:password@host", Verdict::Setting),
    (
        "NOPERM",
        "allow the URL's user what the store needs: ~pa1:* +eval +time +get +getrange +set +del",
        Verdict::Setting,
    ),
    ("DENIED", "it is in protected mode, without a password: set one", Verdict::Setting),
    ("MOVED", "it is part of a cluster, which this version does not support", Verdict::Setting),
    ("ASK", "it is part of a cluster, which this version does not support", Verdict::Setting),
    ("CROSSSLOT", "it is part of a cluster, which this version does not support", Verdict::Setting),
    ("READONLY", "it is a replica: name the primary", Verdict::Server),
    ("MASTERDOWN", "it is a replica that lost its primary", Verdict::Server),
    ("CLUSTERDOWN", "its cluster is down", Verdict::Server),
    ("LOADING", "it is still loading its data", Verdict::Server),
    ("OOM", "its memory is full: raise maxmemory, or set a policy of eviction", Verdict::Passing),
    ("MISCONF", "it cannot write its snapshot to disk: see its log", Verdict::Passing),
    ("NOREPLICAS", "it has too few replicas to accept a write", Verdict::Passing),
    ("BUSY", "another client's script keeps it busy", Verdict::Passing),
];

#[derive(Clone, Copy)]
enum Verdict {
    /// A setting is wrong.
    Setting,
    /// This server is the wrong one by now; another connection may lead to the right one.
    Server,
    /// It would say the same on any connection.
    Passing,
}

impl Trouble {
    pub(super) fn of(text: impl Into<String>) -> Self {
        Self { text: text.into(), proves: false, condemns: true, heard_tls: false }
    }

    /// The text begins with the host.
    pub(super) fn broken(host: &str, what: &str) -> Self {
        Self::of(format!("the token store at {host} {what}"))
    }

    pub(super) fn setting(host: &str, what: &str) -> Self {
        Self { proves: true, ..Self::broken(host, what) }
    }

    /// What a person reads at start-up.
    pub(super) fn at_start(self) -> Error {
        let kind = if self.proves { ErrorKind::Config } else { ErrorKind::Store };
        Error::new(kind, self.text)
    }

    /// An error like any other of the store.
    pub(super) fn passing(self) -> Error {
        Error::new(ErrorKind::Store, self.text)
    }

    /// A setting that was right at the start and is not any more, such as in a rotated file.
    pub(super) fn stale_setting(error: &Error) -> Self {
        Self::of(format!("the token store's settings have changed: {}", error.message()))
    }

    /// An answer to a command. Nothing of it is shown but a word: the rest may name the user.
    pub(super) fn said(host: &str, error: &ServerError) -> Self {
        Self::answer(host, error.code(), error.details().unwrap_or_default())
    }

    fn answer(host: &str, code: &str, details: &str) -> Self {
        // A server before 7.0 answers `ERR Error running script (...): ...: -READONLY ...`.
        let known = |word: &str| {
            let word = word.trim_start_matches('-').trim_end_matches(':');
            ANSWERS.iter().find(|(known, ..)| *known == word)
        };
        let inner =
            || (code == "ERR").then(|| details.split_whitespace().find_map(known)).flatten();
        if let Some((word, advice, verdict)) = known(code).or_else(inner) {
            return Self {
                text: format!("the token store at {host} answered {word}: {advice}"),
                proves: matches!(verdict, Verdict::Setting),
                condemns: !matches!(verdict, Verdict::Passing),
                heard_tls: false,
            };
        }
        let has = |text: &str| details.contains(text);
        // How servers say NOPERM inside a script: Redis, and Valkey.
        if has("user executing the script can't") || has("ACL failure in script") {
            return Self::answer(host, "NOPERM", "");
        }
        if has("unknown command") {
            return Self::setting(host, "does not know EVAL: the store needs its scripts");
        }
        if has("max number of clients") {
            return Self::broken(host, "has as many clients as it takes: raise its maxclients");
        }
        let is_word = code.len() <= 20 && code.bytes().all(|byte| byte.is_ascii_uppercase());
        let word = if is_word && !code.is_empty() { code } else { "an error" };
        Self::broken(host, &format!("answered {word}: see its log"))
    }

    pub(super) fn refused_login(host: &str, error: &ServerError) -> Self {
        let details = error.details().unwrap_or_default();
        match error.code() {
            "ERR" if details.contains("max number of clients") => Self::said(host, error),
            "ERR" if details.contains("without any password") => {
                Self::setting(host, "has no password: leave it out of the URL")
            }
            "ERR" if details.contains("wrong number of arguments") => {
                Self::setting(host, "knows no users: leave the user out of the URL (:password@)")
            }
            "ERR" => Self::setting(host, "refused the password in the URL"),
            _ => Self::said(host, error),
        }
    }

    /// `None` if it may still be a server that serves us.
    pub(super) fn refused_hello(host: &str, error: &ServerError) -> Option<Self> {
        let is_full = error.details().is_some_and(|text| text.contains("max number of clients"));
        let is_decisive = !matches!(error.code(), "ERR" | "NOPERM" | "NOPROTO");
        (is_decisive || is_full).then(|| Self::said(host, error))
    }

    pub(super) fn refused_database(host: &str, error: &ServerError, database: u16) -> Self {
        match error.code() {
            "ERR" => Self::setting(host, &format!("has no database {database}")),
            "NOPERM" => {
                let what = format!(
                    "answered NOPERM to the database {database} of the URL: leave it out, or allow \
                     the user +select"
                );
                Self::setting(host, &what)
            }
            _ => Self::said(host, error),
        }
    }

    pub(super) fn sentinel(host: &str) -> Self {
        Self::setting(host, "is a Sentinel, which keeps no records: name the primary itself")
    }

    /// A connection that broke. What was heard on it says more than the crate's error, which is
    /// "broken pipe" whenever its task has ended.
    pub(super) fn io(host: &str, heard: &Hearing) -> Self {
        if let Some(error) = heard.tls_error() {
            return Self::tls(host, error);
        }
        match heard.first_byte() {
            None => Self::broken(
                host,
                "closed the connection without an answer: is it a Redis server, and without TLS?",
            ),
            Some(b'H' | b'<') => {
                Self::setting(host, "answers HTTP and not Redis: check the host and the port")
            }
            // The types of a TLS record: alert and handshake.
            Some(0x15 | 0x16) => Self::setting(host, "answers TLS: begin the URL with rediss://"),
            Some(byte) if !b"+-:$*_%~>,#(!=|".contains(&byte) => {
                Self::setting(host, "is no Redis server: check the host and the port")
            }
            Some(_) => Self::broken(host, "closed the connection"),
        }
    }

    /// A connection that was not made.
    pub(super) fn unreached(host: &str, error: &io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::ConnectionRefused => {
                Self::broken(host, "refused the connection: is it running?")
            }
            kind => Self::broken(host, &format!("cannot be reached ({kind})")),
        }
    }

    pub(super) fn no_tls(host: &str) -> Self {
        Self::setting(host, "does not speak TLS: begin the URL with redis://, or turn its TLS on")
    }

    pub(super) fn wants_tls(host: &str) -> Self {
        Self::setting(host, "answers TLS: begin the URL with rediss://")
    }

    /// A TLS handshake that failed.
    pub(super) fn handshake(host: &str, error: &io::Error) -> Self {
        match tls_cause(error) {
            Some(tls) => Self::tls(host, tls),
            None => Self::broken(host, "closed the connection in the TLS handshake"),
        }
    }

    fn tls(host: &str, error: &rustls::Error) -> Self {
        use rustls::{AlertDescription as Alert, CertificateError as Reason, Error as Tls};
        let heard_tls = matches!(error, Tls::InvalidCertificate(_) | Tls::AlertReceived(_));
        let trouble = match error {
            Tls::InvalidMessage(_) => Self::no_tls(host),
            Tls::InvalidCertificate(Reason::UnknownIssuer | Reason::BadSignature) => Self::setting(
                host,
                "has a certificate of an unknown issuer: name its authority in AUTH_STORE_REDIS_CA",
            ),
            Tls::InvalidCertificate(
                Reason::NotValidForName | Reason::NotValidForNameContext { .. },
            ) => Self::setting(host, "has a certificate for another name"),
            Tls::InvalidCertificate(_) => {
                Self::broken(host, "has a certificate that is not accepted: is it expired?")
            }
            Tls::AlertReceived(Alert::CertificateRequired) => Self::setting(
                host,
                "wants a client certificate: set AUTH_STORE_REDIS_CERT and AUTH_STORE_REDIS_CERT_KEY",
            ),
            Tls::AlertReceived(alert) => Self::broken(host, &format!("refused TLS ({alert:?})")),
            _ => Self::broken(host, "and this process do not agree on TLS"),
        };
        Self { heard_tls, ..trouble }
    }
}

/// The TLS error inside an I/O error.
pub(super) fn tls_cause<'a>(error: &'a (dyn StdError + 'static)) -> Option<&'a rustls::Error> {
    let mut error = error;
    loop {
        if let Some(tls) = error.downcast_ref() {
            return Some(tls);
        }
        // `source` of an I/O error skips the error that it wraps.
        let wrapped = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        error = match wrapped {
            Some(wrapped) => wrapped,
            None => error.source()?,
        };
    }
}
