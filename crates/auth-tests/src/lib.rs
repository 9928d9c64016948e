//! Tests that span the crates: the flows against everything that can go wrong, and what is said of
//! secrets on the way.
//!
//! - [`faults`]: every fault, in every state of a source, for every provider, against a table that a
//!   person can read (`cargo xtask faults`);
//! - [`simulation`]: the engine in a simulated world (`cargo xtask simulate`);
//! - [`canary`]: whether a text shows a secret, in whatever way it is written;
//! - [`flows`]: the five flows from the sandbox's variables, as one type.
//!
//! A program beside them: `conformance`, the flows against real servers (`cargo xtask conformance`).

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)] // tests alone use it

pub mod canary;
pub mod faults;
pub mod flows;
pub mod simulation;
