//! Tokens for the [Digishare](https://docs.digishare.ma) API: messaging in Morocco.
//!
//! Digishare exchanges a client id and secret (OAuth 2.0 client credentials, as JSON) for a bearer
//! token that lives a year. This crate asks for it, keeps it, and asks again before it ends.
//!
//! ```no_run
//! use digishare_auth::{CachedTokenSource, Digishare};
//!
//! # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), digishare_auth::Error> {
//! let tokens = CachedTokenSource::new(Digishare::from_env()?)?; // once, at start-up
//! let token = tokens.token().await?;                            // before each call; cached
//! let mut headers = http::HeaderMap::new();
//! token.apply(&mut headers);                                    // Authorization
//! # Ok(()) }
//! ```
//!
//! # A token that lives a year
//!
//! Such a token outlives a rotated secret and a revoked client, so its end will hardly ever be what
//! ends it: the API answers 401 `Unauthenticated.` instead. Say so with
//! [`invalidate`](CachedTokenSource::invalidate) and ask once more, and let no token grow older
//! than a day, so that a rotated secret is noticed.
//!
//! ```no_run
//! use std::time::Duration;
//! use digishare_auth::{CachedTokenSource, Digishare, RefreshPolicy};
//!
//! # fn call_the_api(_: http::HeaderValue) -> http::StatusCode { http::StatusCode::OK }
//! # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), digishare_auth::Error> {
//! let daily = RefreshPolicy::default().max_age(Duration::from_secs(24 * 60 * 60));
//! let tokens = CachedTokenSource::builder(Digishare::from_env()?).refresh_policy(daily).build()?;
//!
//! let token = tokens.token().await?;
//! if call_the_api(token.authorization()) == http::StatusCode::UNAUTHORIZED {
//!     tokens.invalidate(&token);                                // this very token, no newer one
//!     call_the_api(tokens.token().await?.authorization());
//! }
//! # Ok(()) }
//! ```
//!
//! # A token that you paste
//!
//! A [`PersonalAccessToken`] needs no exchange; it becomes a [`StaticTokenSource`], which is never
//! refreshed. [`source_from_env`] takes whichever of the two ways the environment names.
//!
//! # Environment variables
//!
//! Each may be given as `NAME_FILE`, the name of a file that holds the value.
//!
//! | variable | |
//! |---|---|
//! | `DIGISHARE_CLIENT_ID` | required |
//! | `DIGISHARE_CLIENT_SECRET` | required |
//! | `DIGISHARE_SCOPE` | not sent by default |
//! | `DIGISHARE_BASE_URL` | default `https://api.digishare.ma` |
//! | `DIGISHARE_BASE_URL_INTERNAL` | instead of `DIGISHARE_BASE_URL`, for a host that only your own network knows |
//! | `DIGISHARE_PERSONAL_ACCESS_TOKEN` | instead of id and secret, for [`PersonalAccessToken`] and [`source_from_env`] |
//!
//! # What the document leaves open, and what this crate does
//!
//! | | the document | this crate |
//! |---|---|---|
//! | G1 | shows two ways to authenticate on one page | [`PersonalAccessToken`] and [`Credentials`]; either ends in a [`TokenSource`] |
//! | G2 | wants JSON where RFC 6749 wants a form | sends JSON; [`BodyFormat::Form`] on request |
//! | G3 | a token lives a year, longer than the secret that it was bought with | see [above](#a-token-that-lives-a-year) |
//! | G4 | its sample sends no `Accept`; the token route does without, but an error may then be a page | always sends it; follows no redirect |
//! | G5 | knows no scope | sends none, unless [`Digishare::scope`] is set |
//! | G6 | its sample token is a placeholder | takes any token, JWT or opaque; a JWT's own `exp` can only shorten its life |
//! | G7 | shows no error; in the public OpenAPI `error` is prose | [`Error::code`] is a code or nothing, prose goes to [`Error::description`]; the status decides |
//! | G8 | its limits are not stated; Laravel counts by address, so that all behind one NAT share them | obeys `Retry-After`, one request at a time, jitter; 400 and 401 are never tried again |
//! | G9 | other pages name a second API host, `api-app.digishare.ma` | sends credentials to [`Digishare::endpoint`] alone; you choose where tokens go: `api.digishare.ma`, that one, and no other |
//! | G10 | writes `Bearer`, which RFC 6749 section 5.1 reads in any case | takes any case, refuses other types and none |
//!
//! The provider's public OpenAPI names `https://dev.api.digishare.ma` for tests (unverified): hand
//! it to [`Digishare::endpoint`] or set `DIGISHARE_BASE_URL`.
//!
//! # More
//!
//! [`auth_core::guide`] says what each error means and what to do, how to test your own code, how
//! the engine works, and what it defends against. `auth-sandbox` is a server that behaves as the
//! document says and fails on command, for your own tests.

#![cfg_attr(docsrs, feature(doc_cfg))] // docs.rs shows which feature brings what

mod credentials;
mod exchange;
mod wire;

#[cfg(feature = "reqwest-0_13")]
pub use auth_core::ReqwestClient;
pub use auth_core::{
    AccessToken, BODY_LIMIT, Bytes, CachedTokenSource, CachedTokenSourceBuilder, Endpoint, Env,
    Error, ErrorKind, ExposeSecret, HttpClient, HttpRequest, HttpResponse, RefreshPolicy,
    RetryPolicy, SecretString, SharedTokenSource, StaticTokenSource, TokenExchange, TokenSource,
    TokenState, async_trait,
};

pub use crate::credentials::{Credentials, PersonalAccessToken};
pub use crate::exchange::{BodyFormat, Digishare, source_from_env, source_read_env};

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
