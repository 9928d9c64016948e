//! The five flows over a socket: the bytes of their requests, and the outcome of each recorded
//! answer.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)] // helpers of tests are not seen as tests

mod digishare;
mod digitalpaye;
mod manis;
mod papaya;
mod tresorpay;
