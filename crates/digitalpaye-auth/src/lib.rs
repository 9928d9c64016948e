//! Tokens for the [Digitalpaye](https://docs.digitalpaye.com) API: mobile money in Côte d'Ivoire.
//!
//! Digitalpaye exchanges an API key and secret (HTTP Basic) for a bearer token that lives ten
//! minutes. This crate asks for it, keeps it, and asks again before it ends.
//!
//! ```no_run
//! use digitalpaye_auth::{CachedTokenSource, Digitalpaye};
//!
//! # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), digitalpaye_auth::Error> {
//! let tokens = CachedTokenSource::new(Digitalpaye::from_env()?)?; // once, at start-up
//! let token = tokens.token().await?;                              // before each call; cached
//! let mut headers = http::HeaderMap::new();
//! token.apply(&mut headers);                                      // Authorization and X-Environment
//! # Ok(()) }
//! ```
//!
//! # Environment variables
//!
//! Each may be given as `NAME_FILE`, the name of a file that holds the value.
//!
//! | variable | |
//! |---|---|
//! | `DIGITALPAYE_API_KEY` | required |
//! | `DIGITALPAYE_API_SECRET` | required |
//! | `DIGITALPAYE_ENVIRONMENT` | `Production` (default), `Sandbox`, or another value for `X-Environment` |
//! | `DIGITALPAYE_BASE_URL` | default `https://api.digitalpaye.com` |
//! | `DIGITALPAYE_BASE_URL_INTERNAL` | instead of `DIGITALPAYE_BASE_URL`, for a host that only your own network knows |
//!
//! # What the document leaves open, and what this crate does
//!
//! | | the document | this crate |
//! |---|---|---|
//! | D1 | prints a Basic value in its samples that is no valid base64 | builds the header from the two typed values; takes no ready-made one |
//! | D2 | lists `X-Environment: Production` and no other value | always sends it; [`Environment::Sandbox`] is unverified; warns when a `live_` key meets another environment |
//! | D3 | states no lifetime; the sample's is 600 s | trusts `exp`; without it the JWT's own `exp`; without either 600 s |
//! | D4 | `exp` is on the provider's clock | is read against the answer's `Date`, and never beyond the JWT's `exp - iat` |
//! | D5 | does not say how to use the token | `Authorization: Bearer`, as both official SDKs do, with `X-Environment` beside it |
//! | D6 | older SDKs read `token` and `exp` at the top level | reads the documented shape first, then that one |
//! | D7 | `statusCode` repeats the HTTP status | both must say success |
//! | D8 | the PHP SDK passes an error body on as if it were a token | a token and an error are different types; a token with braces is refused |
//! | D9 | "please try again" on 500; no other codes | retries 5xx, obeys `Retry-After`; an unknown 4xx, 403 included, is [`ErrorKind::Request`] |
//! | D10 | each sample sends another `Content-Type` with the empty body | sends none, and `Content-Length: 0` |
//! | D11 | does not say what keys may hold | refuses `:` in the key, since RFC 7617 splits there; the secret may hold it |
//! | D12 | samples follow redirects and wait for ever | no redirects, 10 s an attempt, 64 KiB a body |
//! | D13 | `reason` is French prose | is never matched on; see [`Error::description`] |
//! | D14 | a block of "agent instructions" | is no part of the interface |
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

pub use crate::credentials::Credentials;
pub use crate::exchange::{Digitalpaye, Environment};

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
