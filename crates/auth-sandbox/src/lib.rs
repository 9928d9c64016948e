//! A real HTTP server on loopback that behaves as the token endpoints of five payment and
//! messaging providers do, and misbehaves on command.
//!
//! Point a client at it in place of Digitalpaye, Digishare, TresorPay, Papaya Global or Manis. It
//! checks method, path, headers and body, answers with the bodies that the provider
//! documents (Passport's and Keycloak's exact ones for the two providers that run those), signs
//! real JWTs, guards one API route with the tokens it issued, and counts what it saw. All
//! credentials are made up, and random for each sandbox.
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
//! // Any HTTP client will do; here is the barest one.
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
//! [`Handle::inject`] makes a provider misbehave until told otherwise,
//! [`Handle::inject_times`] for a number of requests. [`Fault`] lists the ways: statuses,
//! `Retry-After`, latency, resets, stalls, drips, truncation, garbage, floods, redirects, wrong
//! clocks, tokens that are dead on arrival.
//!
//! ```
//! use std::time::Duration;
//! use auth_sandbox::{Fault, RetryAfter, Sandbox};
//!
//! # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), auth_sandbox::Error> {
//! let sandbox = Sandbox::start().await?;
//! let papaya = sandbox.papaya();
//!
//! // One outage, then all is well: does the client retry?
//! papaya.inject_times(Fault::Status(503), 1);
//!
//! // Throttled until further notice: does it wait?
//! let after = RetryAfter::In(Duration::from_secs(30));
//! papaya.inject(Fault::RetryAfter { status: 429, after });
//! papaya.clear_faults();
//!
//! // The API refuses what it accepted a moment ago: does it fetch a new token, once?
//! papaya.revoke_tokens();
//! # Ok(())
//! # }
//! ```
//!
//! # What is documented and what is made up
//!
//! The providers' documents leave much open: no refusal of Digishare's or TresorPay's is
//! documented, no API route of Manis's, no unit for its `expiresAt`. Each type in [`providers`]
//! says what comes from the provider, what from the software behind it, and what from us.
//!
//! It takes what the real servers are known to take beside what the documents show, and
//! [`Handle::remarks`] then says what was missing; [`SandboxBuilder::strict`] holds a client to the
//! documents.
//!
//! # As a program
//!
//! `auth-sandbox --port 8080` serves the five on ports 8080 to 8084 and prints the environment
//! variables that point a client there. [`Handle::env`] returns the same list.
//! `--strict` refuses what the documents do not describe; without it, standard error says what was
//! overlooked.
//!
//! | provider | variables |
//! |---|---|
//! | Digitalpaye | `DIGITALPAYE_API_KEY`, `DIGITALPAYE_API_SECRET`, `DIGITALPAYE_ENVIRONMENT`, `DIGITALPAYE_BASE_URL` |
//! | Digishare | `DIGISHARE_CLIENT_ID`, `DIGISHARE_CLIENT_SECRET`, `DIGISHARE_BASE_URL` |
//! | TresorPay | `TRESORPAY_CLIENT_ID`, `TRESORPAY_CLIENT_SECRET`, `TRESORPAY_SCOPE`, `TRESORPAY_TOKEN_URL` |
//! | Papaya Global | `PAPAYA_API_KEY`, `PAPAYA_CLIENT_SECRET`, `PAPAYA_BASE_URL` |
//! | Manis | `MANIS_MERCHANT_ID`, `MANIS_SECRET`, `MANIS_BASE_URL`, `MANIS_EXPIRES_AT_UNIT` |
//!
//! A base URL is an origin; the client appends the documented path. `TRESORPAY_TOKEN_URL` is whole.
//!
//! # What it is not
//!
//! It speaks plain HTTP/1.1 and listens on loopback alone, so it cannot test a client's TLS. It
//! holds no real secret and guards nothing: do not put anything behind it.

#![cfg_attr(docsrs, feature(doc_cfg))] // docs.rs shows which feature brings what

mod answer;
mod behaviour;
mod canned;
mod clock;
mod counters;
mod credentials;
mod error;
mod fault;
mod gzip;
mod handle;
mod json;
mod jwt;
mod plan;
mod provider;
pub mod providers;
mod random;
mod request;
mod sandbox;
mod server;
mod service;
mod shared;
mod tokens;
mod wire;

pub use canned::CannedResponse;
pub use clock::Skew;
pub use counters::Counters;
pub use credentials::Credentials;
pub use error::Error;
pub use fault::{Fault, RetryAfter};
pub use handle::{AnyProvider, Handle};
pub use provider::Provider;
pub use sandbox::{Sandbox, SandboxBuilder};

/// Compiles the code in the README.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
