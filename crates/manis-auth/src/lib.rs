//! Tokens for the [Manis](https://apidoc-v1.maniscloud.com) API: merchant payments.
//!
//! Manis exchanges a merchant id and secret (two headers) for a token. This crate requests the
//! token, caches it, and refreshes it before it expires.
//!
//! ```no_run
//! use manis_auth::{CachedTokenSource, Manis};
//!
//! # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), manis_auth::Error> {
//! let tokens = CachedTokenSource::new(Manis::from_env()?)?; // once, at start-up
//! let token = tokens.token().await?;                        // before each call; cached
//! let mut headers = http::HeaderMap::new();
//! token.apply(&mut headers);                                // sets Authorization
//! # Ok(()) }
//! ```
//!
//! # Environment variables
//!
//! Each variable may be given as `NAME_FILE` instead: the path of a file that holds the value.
//!
//! | variable | |
//! |---|---|
//! | `MANIS_MERCHANT_ID` | required |
//! | `MANIS_SECRET` | required |
//! | `MANIS_BASE_URL` | required: the URL that `/api/v1/auth/token` is appended to |
//! | `MANIS_BASE_URL_INTERNAL` | instead of `MANIS_BASE_URL`, for a host name that only your own network resolves |
//! | `MANIS_EXPIRES_AT_UNIT` | `auto` (default), `seconds`, `millis` or `relative-seconds` |
//!
//! [`Config`] reads the same settings from a section of a configuration file.
//!
//! # What the document leaves open, and what this crate does
//!
//! | | the document | this crate |
//! |---|---|---|
//! | M1 | names no host, and misprints URLs whose host would be `api` or `https` | [`Manis::new`] takes the [`Endpoint`], which refuses such URLs |
//! | M2 | prints the path as `/v1/auth/token` and as `/api/v1/auth/token` | uses the second, which its OpenAPI states; [`Manis::token_path`] sets another |
//! | M3 | `expiresAt` is an integer without a unit | infers the unit from the size, or takes [`Manis::expiry_unit`]; ignores values more than 5 minutes before or 400 days after the response's `Date`, with a warning; the JWT's own `exp`, if earlier, wins |
//! | M4 | states two shapes for a 400 | reads both; the HTTP status counts, not the body's |
//! | M5 | formats `timestamp` in two ways | does not read it |
//! | M6 | calls both headers optional | always sends both |
//! | M7 | does not say what `tokenType` may be, nor how to use the token | accepts `Bearer` in any case and sends `Authorization: Bearer`; another type is [`ErrorKind::Protocol`], unless [`Manis::scheme`] says what to send |
//! | M8 | sends the secret in a header of its own | marks it sensitive and follows no redirect; a proxy or APM agent may log a header it does not know: configure yours to redact `x-secret` |
//! | M9 | does not say which characters id and secret may contain | refuses what a header would alter: spaces, and anything but visible ASCII |
//! | M10 | sends a POST without a body | sends `Content-Length: 0` |
//! | M11 | states 400 and 401, and not which of them wrong credentials get | 401 is [`ErrorKind::Credentials`]; 400 is [`ErrorKind::Request`], with Manis's text in [`Error::description`] and advice to check both |
//!
//! # More
//!
//! The [guides](auth_core::guide) explain each error and what to do about it, how to test your own code,
//! how the engine works and which threats it covers. `auth-sandbox` is a local server that implements the
//! document and fails on command, for your own tests.

#![cfg_attr(docsrs, feature(doc_cfg))] // docs.rs shows which feature brings what

mod config;
mod credentials;
mod exchange;
mod expiry;
#[cfg(feature = "test-util")]
pub mod test_util;
mod wire;

#[cfg(feature = "reqwest-0_13")]
pub use auth_core::ReqwestClient;
pub use auth_core::{
    AccessToken, BODY_LIMIT, Bytes, CachedTokenSource, CachedTokenSourceBuilder, Endpoint, Env,
    Error, ErrorKind, ExposeSecret, HttpClient, HttpRequest, HttpResponse, RefreshPolicy,
    RetryPolicy, SecretString, SharedTokenSource, StaticTokenSource, TokenExchange, TokenSource,
    TokenState, async_trait, blocking,
};
#[cfg(feature = "test-util")]
pub use auth_core::{Clock, ManualClock, ScriptedClient, SystemClock};

pub use crate::config::Config;
pub use crate::credentials::Credentials;
pub use crate::exchange::Manis;
pub use crate::expiry::ExpiryUnit;

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
