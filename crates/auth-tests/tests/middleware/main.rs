//! A token on every request, over each HTTP library: one table of cases, run over all of them, on
//! raw sockets that record what arrives.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)] // helpers of tests are not seen as tests

mod concurrency;
mod end_to_end;
mod redirects;
mod reqwest_only;
mod rules;
mod server;
mod surface;
mod world;
