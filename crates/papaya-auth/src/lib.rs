//! Tokens for the [Papaya Global](https://docs.papayaglobal.com) API: payroll payments.
//!
//! Papaya exchanges an API key and a client secret (in a JSON body) for a bearer token that lives
//! for a day. This crate requests the token, caches it, and refreshes it before it expires.
//!
//! ```no_run
//! use papaya_auth::{CachedTokenSource, Papaya};
//!
//! # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), papaya_auth::Error> {
//! let tokens = CachedTokenSource::new(Papaya::from_env()?)?; // once, at start-up
//! let token = tokens.token().await?;                         // before each call; cached
//! let mut headers = http::HeaderMap::new();
//! token.apply(&mut headers);                                 // sets Authorization
//! # Ok(()) }
//! ```
//!
//! # Environment variables
//!
//! Each variable may be given as `NAME_FILE` instead: the path of a file that holds the value.
//!
//! | variable | |
//! |---|---|
//! | `PAPAYA_API_KEY` | required |
//! | `PAPAYA_CLIENT_SECRET` | required |
//! | `PAPAYA_ENVIRONMENT` | `staging`, or `production` together with `PAPAYA_BASE_URL`; required unless `PAPAYA_BASE_URL` is set |
//! | `PAPAYA_BASE_URL` | the URL that `/token` is appended to; overrides the environment's |
//! | `PAPAYA_BASE_URL_INTERNAL` | instead of `PAPAYA_BASE_URL`, for a host name that only your own network resolves |
//! | `PAPAYA_TOKEN_NAME` | optional; no name is sent by default |
//!
//! [`Config`] reads the same settings from a section of a configuration file.
//!
//! # What the document leaves open, and what this crate does
//!
//! | | the document | this crate |
//! |---|---|---|
//! | P1 | says that key and secret travel in the request's header, and shows them in its body | sends them in the JSON body, and no secret in a header |
//! | P2 | states a staging host and no other | has no default: [`Papaya::staging`], or [`Papaya::new`] with the URL that Papaya gave you |
//! | P3 | its sample response lacks a comma | accepts valid JSON only: such a response is [`ErrorKind::Protocol`] |
//! | P4 | writes `valid_until` without seconds | accepts that, and seconds, a fraction, `Z` or an offset; rounds down; ignores any other form, with a warning |
//! | P5 | answers 201 | accepts 200 too |
//! | P6 | mentions a "Client ID" that no field carries | takes an API key and a client secret |
//! | P7 | answers 401 with "Invalid request" | the status decides: [`ErrorKind::Credentials`]; the text is in [`Error::description`] |
//! | P8 | each request creates a named token at Papaya | sends one request for all callers; sends a name only if [`Papaya::token_name`] is set |
//! | P9 | the token contains a person's e-mail address | reads no claim but the times, and never shows any part of a token |
//! | P10 | says 24 hours, and to rely on `valid_until` | uses `valid_until` or the JWT's own `exp`, whichever is earlier, and never more than a day; with neither, 5 minutes and a warning |
//! | P11 | an older version has a field `expiration` for the lifetime | does not send it |
//! | P12 | does not say whether to retry | at most two attempts, on connect errors, 429 and 5xx; no retry of a request that got no response, since Papaya may have created a token |
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
pub use crate::exchange::Papaya;

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
