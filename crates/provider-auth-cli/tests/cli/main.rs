//! The command as its users call it, on a sandbox of its own for each test.

// Helpers of tests are not seen as tests; times are measured by the machine's own clock.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stderr,
    clippy::disallowed_methods
)]

mod children;
mod curl;
mod doctor;
mod errors;
mod leaks;
mod pages;
mod peers;
mod places;
mod prompts;
mod tokens;
mod world;
