//! The fault matrix: the outcome of each fault of a token endpoint, for each provider, in each
//! state of a source.
//!
//! [`table`] states the expected outcomes. It is written from the rules (the troubleshooting guide,
//! the documentation of `RetryPolicy`, `ErrorKind`, `HttpClient` and `CachedTokenSource`), never
//! from what the code does. [`cell`] causes one fault on a real socket and compares; [`page`] makes
//! the guide's page from the table.

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
