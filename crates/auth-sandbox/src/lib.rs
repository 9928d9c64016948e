//! A local HTTP server that implements the token endpoints of five payment, payroll and messaging
//! providers, and fails on command.
//!
//! Point a client at it instead of Digitalpaye, Digishare, TresorPay, Papaya Global or Manis. It
//! checks method, path, headers and body, answers with the documented bodies (Passport's and
//! Keycloak's exact ones for the two providers that run those), signs real JWTs, protects one API
//! route with the tokens it issued, counts requests, and keeps a [journal](Sandbox::journal) of them with the
//! reason of each refusal. All credentials are made up, and random for each sandbox.
//!
//! ```
//! use std::io::{Read, Write};
//! use std::net::TcpStream;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! // `Sandbox::start().await` does the same under a runtime.
//! let sandbox = auth_sandbox::Sandbox::builder().start_blocking()?;
//! let manis = sandbox.manis();
//! let credentials = manis.credentials();
//!
//! // Any HTTP client will do; this example uses a bare socket.
//! let mut socket = TcpStream::connect(("127.0.0.1", manis.port()))?;
//! write!(
//!     socket,
//!     "POST /api/v1/auth/token HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\
//!      Content-Length: 0\r\nx-merchant-id: {}\r\nx-secret: {}\r\n\r\n",
//!     credentials.id(),
//!     credentials.secret(),
//! )?;
//! let mut answer = String::new();
//! socket.read_to_string(&mut answer)?;
//!
//! assert!(answer.starts_with("HTTP/1.1 200 OK"));
//! assert!(answer.contains(r#""tokenType":"Bearer""#));
//! assert_eq!(manis.counters().tokens_issued, 1);
//! # Ok(())
//! # }
//! ```
//!
//! # Faults
//!
//! [`Handle::inject`] makes a provider fail until [`Handle::clear_faults`], and
//! [`Handle::inject_times`] for a number of requests. [`Fault`] lists the faults: statuses,
//! `Retry-After`, latency, resets, stalls, slow bodies, truncation, garbage, endless bodies, redirects,
//! wrong clocks, expired tokens.
//!
//! ```
//! use std::time::Duration;
//! use auth_sandbox::{Fault, RetryAfter, Sandbox};
//!
//! # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), auth_sandbox::Error> {
//! let sandbox = Sandbox::start().await?;
//! let papaya = sandbox.papaya();
//!
//! // One outage, then normal operation: does the client retry?
//! papaya.inject_times(Fault::Status(503), 1);
//!
//! // Throttled until `clear_faults`: does it wait?
//! let after = RetryAfter::In(Duration::from_secs(30));
//! papaya.inject(Fault::RetryAfter { status: 429, after });
//! papaya.clear_faults();
//!
//! // The API refuses a token that it accepted before: does the client fetch a new one, once?
//! papaya.revoke_tokens();
//! # Ok(())
//! # }
//! ```
//!
//! # What is documented and what is made up
//!
//! The providers' documents leave much open: no refusal of Digishare's or TresorPay's is
//! documented, no API route of Manis's, no unit for its `expiresAt`. Each type in [`providers`]
//! says which rules come from the provider, which from its software, and which are made up here.
//!
//! The sandbox also accepts requests that the real servers are known to accept although the documents
//! do not describe them; [`Handle::remarks`] reports these. [`SandboxBuilder::strict`] refuses them.
//!
//! # As a program
//!
//! `auth-sandbox` serves the five on ports 8080 to 8084 and prints the environment variables that point
//! a client there. [`Handle::env`] returns the same list. It logs each request on standard error, and what
//! a [`Handle`] does, a control API on port 8090 does for any language ([`SandboxBuilder::control`] starts it in
//! a test): faults, journal, counters, rotations, reset. The README has a line of curl for each. In a browser, `/`
//! of that port is a page that shows the requests as they come, and does the same by click.
//!
//! | provider | variables |
//! |---|---|
//! | Digitalpaye | `DIGITALPAYE_API_KEY`, `DIGITALPAYE_API_SECRET`, `DIGITALPAYE_ENVIRONMENT`, `DIGITALPAYE_BASE_URL` |
//! | Digishare | `DIGISHARE_CLIENT_ID`, `DIGISHARE_CLIENT_SECRET`, `DIGISHARE_BASE_URL` |
//! | TresorPay | `TRESORPAY_CLIENT_ID`, `TRESORPAY_CLIENT_SECRET`, `TRESORPAY_SCOPE`, `TRESORPAY_TOKEN_URL` |
//! | Papaya Global | `PAPAYA_API_KEY`, `PAPAYA_CLIENT_SECRET`, `PAPAYA_BASE_URL` |
//! | Manis | `MANIS_MERCHANT_ID`, `MANIS_SECRET`, `MANIS_BASE_URL`, `MANIS_EXPIRES_AT_UNIT` |
//!
//! The client appends the documented path to a base URL. `TRESORPAY_TOKEN_URL` is whole. Where the host
//! is not loopback ([`SandboxBuilder::advertise`]), the URL's variable ends in `_INTERNAL`: clients ask for a host
//! that only a private network resolves under that name.
//!
//! # Limits
//!
//! It speaks HTTP/1.1 alone, plain or with `SandboxBuilder::tls` (feature `tls`) under an authority that is made
//! for each sandbox. Do not use it to protect anything: the control API shows the credentials.

#![cfg_attr(docsrs, feature(doc_cfg))] // docs.rs shows which feature brings what

mod account;
mod accounts;
mod answer;
mod behaviour;
mod builder;
mod canned;
mod clock;
mod control;
mod counters;
mod credentials;
mod curl;
mod error;
mod fault;
mod gzip;
mod handle;
mod journal;
mod json;
mod jwt;
mod listen;
mod opening;
mod plan;
mod provider;
pub mod providers;
mod random;
mod redact;
mod request;
mod sandbox;
mod server;
mod service;
mod shared;
mod site;
mod stream;
#[cfg(feature = "tls")]
mod tls;
mod tokens;
mod wire;

pub use account::Account;
pub use builder::SandboxBuilder;
pub use canned::CannedResponse;
pub use clock::Skew;
pub use counters::Counters;
pub use credentials::Credentials;
pub use error::Error;
pub use fault::{Fault, RetryAfter};
pub use handle::{AnyProvider, Handle};
pub use journal::{Record, Verdict};
pub use provider::Provider;
pub use sandbox::Sandbox;

/// Compiles the code in the README.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
