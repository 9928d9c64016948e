//! Tokens for the [Digishare](https://docs.digishare.ma) API: messaging in Morocco.
//!
//! Digishare exchanges a client id and secret (OAuth 2.0 client credentials, as JSON) for a bearer
//! token that lives for a year. This crate requests the token, caches it, and refreshes it before
//! it expires.
//!
//! ```no_run
//! use digishare_auth::{CachedTokenSource, Digishare};
//!
//! # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), digishare_auth::Error> {
//! let tokens = CachedTokenSource::new(Digishare::from_env()?)?; // once, at start-up
//! let token = tokens.token().await?;                            // before each call; cached
//! let mut headers = http::HeaderMap::new();
//! token.apply(&mut headers);                                    // sets Authorization
//! # Ok(()) }
//! ```
//!
//! # A token that lives for a year
//!
//! Such a token outlives a rotated secret and a revoked client. The flow therefore keeps a token for
//! one day at most ([`RefreshPolicy::max_age`] changes that), so a rotated secret is noticed within a
//! day. When the API answers 401 `Unauthenticated.`,
//! [`auth-middleware`](https://docs.rs/auth-middleware) renews the token and sends the request once
//! more. With an HTTP client of your own, call [`invalidate`](CachedTokenSource::invalidate):
//!
//! ```no_run
//! use digishare_auth::{CachedTokenSource, Digishare};
//!
//! # fn call_the_api(_: http::HeaderValue) -> http::StatusCode { http::StatusCode::OK }
//! # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), digishare_auth::Error> {
//! let tokens = CachedTokenSource::new(Digishare::from_env()?)?;
//!
//! let token = tokens.token().await?;
//! if call_the_api(token.authorization()) == http::StatusCode::UNAUTHORIZED {
//!     tokens.invalidate(&token);                                // this token, never a newer one
//!     call_the_api(tokens.token().await?.authorization());
//! }
//! # Ok(()) }
//! ```
//!
//! # A personal access token
//!
//! A [`PersonalAccessToken`] needs no exchange; it becomes a [`StaticTokenSource`], which is never
//! refreshed. [`source_from_env`] uses whichever of the two the environment variables set.
//!
//! # Environment variables
//!
//! Each variable may be given as `NAME_FILE` instead: the path of a file that holds the value.
//!
//! | variable | |
//! |---|---|
//! | `DIGISHARE_CLIENT_ID` | required |
//! | `DIGISHARE_CLIENT_SECRET` | required |
//! | `DIGISHARE_SCOPE` | optional; no scope is sent by default |
//! | `DIGISHARE_BASE_URL` | default `https://api.digishare.ma` |
//! | `DIGISHARE_BASE_URL_INTERNAL` | instead of `DIGISHARE_BASE_URL`, for a host name that only your own network resolves |
//! | `DIGISHARE_PERSONAL_ACCESS_TOKEN` | instead of id and secret, for [`PersonalAccessToken`] and [`source_from_env`] |
//!
//! [`Config`] reads the same settings from a section of a configuration file.
//!
//! # What the document leaves open, and what this crate does
//!
//! | | the document | this crate |
//! |---|---|---|
//! | G1 | shows two ways to authenticate on one page | supports both, as [`Credentials`] and [`PersonalAccessToken`]; each becomes a [`TokenSource`] |
//! | G2 | wants JSON where RFC 6749 wants a form | sends JSON; [`BodyFormat::Form`] sends a form |
//! | G3 | a token lives for a year, longer than its secret may | see [above](#a-token-that-lives-for-a-year) |
//! | G4 | its sample sends no `Accept`; without it an error may be an HTML page | always sends `Accept: application/json`; follows no redirect |
//! | G5 | mentions no scope | sends none unless [`Digishare::scope`] is set |
//! | G6 | its sample token is a placeholder | accepts any token, JWT or opaque; a JWT's own `exp` can only shorten its lifetime |
//! | G7 | shows no error; in the public OpenAPI `error` is prose | [`Error::code`] holds codes only, prose goes to [`Error::description`]; the status decides the kind |
//! | G8 | states no rate limit; Laravel counts by address, so everything behind one NAT shares it | obeys `Retry-After`, sends one request at a time, with jitter; never retries a 400 or 401 |
//! | G9 | other pages name a second API host, `api-app.digishare.ma` | sends credentials to [`Digishare::endpoint`] only, and names both hosts as its API ([`TokenSource::api_hosts`]): `auth-middleware` sends tokens to no other |
//! | G10 | writes `Bearer`; RFC 6749 section 5.1 ignores case | accepts any case; refuses another type or none |
//!
//! The provider's public OpenAPI names `https://dev.api.digishare.ma` for tests (unverified): pass it
//! to [`Digishare::endpoint`] or set `DIGISHARE_BASE_URL`.
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
pub use crate::credentials::{Credentials, PersonalAccessToken};
pub use crate::exchange::{BodyFormat, Digishare, source_from_env, source_read_env};

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
