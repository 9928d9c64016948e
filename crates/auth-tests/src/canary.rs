//! Whether a text shows a secret, in any encoding.
//!
//! Each secret, identifier, pair and token of a test is a [`Canary`]: a text that occurs nowhere
//! else. A [`Hunt`] searches all output for each canary in all its [forms](forms::FORMS): errors
//! and their causes, `Debug` of everything, and what [`Capture`] records, which is each line that
//! any crate logs at `TRACE` and each panic message. None of this knows how `auth-core` scrubs.

mod capture;
pub mod forms;
mod hunt;

use std::error::Error as _;
use std::fmt::Write as _;

use auth_core::Error;
use auth_sandbox::{Credentials, Provider};

pub use self::capture::Capture;
pub use self::hunt::{Find, Hunt};

/// A text that must not be shown.
#[derive(Clone, Debug)]
pub struct Canary {
    /// What it is, for the report of a leak.
    pub name: String,
    /// The text.
    pub text: String,
    /// How much of it counts as a leak.
    pub sort: Sort,
}

/// How much of a canary counts as a leak.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sort {
    /// A secret: any eight letters and digits of it in a row.
    Secret,
    /// A token, which is long: about two dozen of its letters and digits in a row, raw; and its end
    /// in every form.
    Token,
    /// An identifier, or a pair that begins with one: all of it.
    Whole,
}

/// The canaries of one account.
#[derive(Clone, Debug)]
pub struct Account {
    /// The credentials that the sandbox accepts.
    pub credentials: Credentials,
    /// Secret, identifier and pair.
    pub canaries: [Canary; 3],
}

impl Account {
    /// Makes a new, unique account. Its secret contains every character that some encoding escapes
    /// and that a header can carry.
    #[must_use]
    pub fn new(provider: Provider, what: &str) -> Self {
        let letters = |count| -> String { (0..count).map(|_| fastrand::alphanumeric()).collect() };
        let signs = ["/", "+", "&", "=", "\"", "<", "%", "'", "\\", "-"];
        let mut secret = letters(6);
        for sign in signs {
            secret = format!("{secret}{sign}{}", letters(5));
        }
        let hex = |count| -> String { (0..count).map(|_| fastrand::digit(16)).collect() };
        let id = match provider {
            // Passport's ids are UUIDs; anything else in that field is refused as a swapped secret.
            Provider::Digishare => {
                format!("{}-{}-4{}-8{}-{}", hex(8), hex(4), hex(3), hex(3), hex(12))
            }
            _ => format!("id7{}", letters(14)),
        };
        let canary = |part: &str, text: String, sort| {
            let name = format!("{part} of {provider}, {what}");
            Canary { name, text, sort }
        };
        let canaries = [
            canary("the secret", secret.clone(), Sort::Secret),
            canary("the id", id.clone(), Sort::Whole),
            canary("the pair", format!("{id}:{secret}"), Sort::Whole),
        ];
        Self { credentials: Credentials::new(id, secret), canaries }
    }
}

/// Every text of an error: `Display`, `Debug` plain and pretty, each part, and all its causes.
#[must_use]
pub fn texts(error: &Error) -> String {
    let mut texts = format!("{error}\n{error:?}\n{error:#?}\n{}\n", error.message());
    let parts = [error.code(), error.description(), error.request_id(), error.endpoint()];
    for part in parts.into_iter().flatten() {
        writeln!(texts, "{part}").unwrap();
    }
    let mut cause = error.source();
    while let Some(error) = cause {
        writeln!(texts, "{error}\n{error:?}\n{error:#?}").unwrap();
        cause = error.source();
    }
    texts
}
