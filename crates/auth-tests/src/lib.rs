//! Tests that span the crates: the five flows with every fault, and a search for leaked secrets.
//!
//! - [`faults`]: every fault, in every state of a source, for every provider, against a readable
//!   table (`cargo xtask faults`);
//! - [`simulation`]: the engine with simulated runtimes, callers, provider and time
//!   (`cargo xtask simulate`);
//! - [`canary`]: whether a text shows a secret, in any encoding;
//! - [`fixtures()`]: the recorded answers of `fixtures/`, each with the kind of error that it must
//!   become; every token in them is made up;
//! - [`Server`]: plain TCP on purpose, so that a mistake of an HTTP library cannot be on both ends;
//! - [`memory`]: a search through the memory of this process for secrets that were not wiped;
//! - [`flows`]: the five flows from the sandbox's variables, as one type.
//!
//! There are programs too: `conformance`, the flows against real servers
//! (`cargo xtask conformance`), and `fleet`, many processes on real stores (`cargo xtask fleet`).

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)] // only for tests

pub mod canary;
pub mod faults;
mod fixtures;
pub mod flows;
#[cfg(target_os = "linux")]
pub mod memory;
mod redirects;
pub mod simulation;
mod socket;

pub use fixtures::{Fixture, check_fixtures, fixtures};
pub use redirects::check_redirects;
pub use socket::{Recorded, Server, response};
