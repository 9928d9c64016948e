//! The engine under the provider crates: it keeps a bearer token so that you never think of it.
//!
//! Use it through a provider crate (`digitalpaye-auth`, `digishare-auth`, `tresorpay-auth`,
//! `papaya-auth`, `manis-auth`); each re-exports what its users need. Come here to write a flow of
//! your own, an HTTP client of your own, or a test with time of your own.
//!
//! A provider says *what to send* and *how to read the answer*: a [`TokenExchange`], two pure
//! functions. This crate decides *when to ask, how often, what to keep and whom to tell*: a
//! [`CachedTokenSource`].
//!
//! ```
//! use auth_core::{CachedTokenSource, SharedTokenSource, TokenExchange};
//!
//! # fn doc(flow: impl TokenExchange) -> Result<(), auth_core::Error> {
//! let tokens: SharedTokenSource = CachedTokenSource::new(flow)?.into();
//! # Ok(()) }
//! ```
//!
//! # Features
//!
//! | feature | default | brings |
//! |---|---|---|
//! | `reqwest-0_13` | yes | [`ReqwestClient`], the HTTP client that sources share |
//! | `rustls` | yes | its TLS: rustls with the platform's certificates |
//! | `native-tls`, `rustls-no-provider` | no | other TLS for it, passed through to reqwest |
//! | `tracing` | yes | spans and events on every exchange |
//! | `test-util` | no | [`ManualClock`]: time that tests move by hand |

#![cfg_attr(
    not(any(test, feature = "test-util")),
    allow(rustdoc::broken_intra_doc_links)
)]
#![cfg_attr(not(feature = "reqwest-0_13"), allow(rustdoc::broken_intra_doc_links))]

mod cache;
mod clock;
mod endpoint;
mod env;
mod error;
mod exchange;
mod http;
mod jwt;
mod policy;
mod request;
pub mod secret;
mod source;
mod token;
mod trace;
pub mod wire;

pub use ::async_trait::async_trait;

pub use crate::cache::{CachedTokenSource, CachedTokenSourceBuilder};
#[cfg(any(test, feature = "test-util"))]
pub use crate::clock::ManualClock;
pub use crate::clock::{BoxFuture, Clock, SystemClock};
pub use crate::endpoint::Endpoint;
pub use crate::env::{Env, EnvReader};
pub use crate::error::{Error, ErrorKind};
pub use crate::exchange::{Expiry, Grant, Identity, TokenExchange};
#[cfg(feature = "reqwest-0_13")]
pub use crate::http::reqwest::ReqwestClient;
pub use crate::http::{BODY_LIMIT, HttpClient, Response};
pub use crate::jwt::{JwtTimes, unix_time};
pub use crate::policy::{RefreshPolicy, RetryPolicy};
pub use crate::request::{BodyValue, TokenRequest};
pub use crate::secret::{ExposeSecret, Scrubber, SecretString};
pub use crate::source::{SharedTokenSource, StaticTokenSource, TokenSource};
pub use crate::token::{AccessToken, TokenState};
