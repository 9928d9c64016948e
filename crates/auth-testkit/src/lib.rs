//! What the provider crates' tests share, so that one table serves all five.
//!
//! Not published. The bodies under `fixtures/` are the providers' documented ones and the edges of
//! what they may send, each with its status, headers, the time at which it was sent, and the class
//! that it must get; every token in them is made up. The socket here is plain TCP on purpose: it
//! shows the bytes, and a mistake of an HTTP library cannot hide in both ends.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)] // tests alone use it

mod fixtures;
#[cfg(target_os = "linux")]
pub mod memory;
mod redirects;
mod socket;

pub use fixtures::{Fixture, check_fixtures, error_texts, fixtures};
pub use redirects::check_redirects;
pub use socket::{Recorded, Server, response};
