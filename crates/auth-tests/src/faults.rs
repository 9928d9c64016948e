//! The fault matrix: what each fault of a token endpoint becomes, for each provider, in each state
//! of a source.
//!
//! [`table`] says what must happen. It is written from the rules (the troubleshooting guide, the
//! documentation of `RetryPolicy`, `ErrorKind`, `HttpClient` and `CachedTokenSource`), never from
//! what the code does. [`cell`] makes one fault happen on a real socket and compares; [`page`] is
//! the guide's page, made of the table alone.

pub mod cell;
mod client;
mod clock;
mod front;
pub mod matrix;
pub mod page;
pub mod place;
mod rule;
pub mod table;

pub use front::{Reads, Script, Step};
pub use rule::{Expected, Memory, Outcome, Row, State, Takes, Tries, Trouble};

fn check(holds: bool, text: impl FnOnce() -> String) -> Result<(), String> {
    if holds { Ok(()) } else { Err(text()) }
}
