//! The five flows over a socket: what stands on the wire, and what each recorded answer becomes.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)] // helpers of tests are not seen as tests

mod digishare;
mod digitalpaye;
mod manis;
mod papaya;
mod tresorpay;
