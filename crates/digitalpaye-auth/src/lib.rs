//! Tokens for the [Digitalpaye](https://docs.digitalpaye.com) API: mobile money in Côte d'Ivoire.
//!
//! Digitalpaye exchanges an API key and secret (HTTP Basic) for a bearer token that lives for ten
//! minutes. This crate requests the token, caches it, and refreshes it before it expires.
//!
//! ```no_run
//! use digitalpaye_auth::{CachedTokenSource, Digitalpaye};
//!
//! # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), digitalpaye_auth::Error> {
//! let tokens = CachedTokenSource::new(Digitalpaye::from_env()?)?; // once, at start-up
//! let token = tokens.token().await?;                              // before each call; cached
//! let mut headers = http::HeaderMap::new();
//! token.apply(&mut headers);                                      // sets Authorization and X-Environment
//! # Ok(()) }
//! ```
//!
//! # Environment variables
//!
//! Each variable may be given as `NAME_FILE` instead: the path of a file that holds the value.
//!
//! | variable | |
//! |---|---|
//! | `DIGITALPAYE_API_KEY` | required |
//! | `DIGITALPAYE_API_SECRET` | required |
//! | `DIGITALPAYE_ENVIRONMENT` | `Production` (default), `Sandbox`, or another value for `X-Environment` |
//! | `DIGITALPAYE_BASE_URL` | default `https://api.digitalpaye.com` |
//! | `DIGITALPAYE_BASE_URL_INTERNAL` | instead of `DIGITALPAYE_BASE_URL`, for a host name that only your own network resolves |
//!
//! [`Config`] reads the same settings from a section of a configuration file.
//!
//! # What the document leaves open, and what this crate does
//!
//! | | the document | this crate |
//! |---|---|---|
//! | D1 | prints a Basic value in its samples that is not valid base64 | builds the header from key and secret; takes no ready-made header |
//! | D2 | lists `X-Environment: Production` and no other value | always sends it; [`Environment::Sandbox`] is unverified; warns when a `live_` key is used with another environment |
//! | D3 | states no lifetime; the sample's is 600 s | uses `exp`, else the JWT's own `exp`, else 600 s |
//! | D4 | `exp` is on the provider's clock | reads it against the response's `Date`, and never beyond the JWT's `exp - iat` |
//! | D5 | does not say how to use the token | sends `Authorization: Bearer`, as both official SDKs do, with `X-Environment` beside it |
//! | D6 | older SDKs read `token` and `exp` at the top level | reads the documented shape first, then that one |
//! | D7 | `statusCode` repeats the HTTP status | both must say success |
//! | D8 | the PHP SDK passes an error body on as if it were a token | tokens and errors are different types; a token with braces is refused |
//! | D9 | says "please try again" for 500; lists no other codes | retries 5xx, obeys `Retry-After`; an unknown 4xx, 403 included, is [`ErrorKind::Request`] |
//! | D10 | each sample sends a different `Content-Type` with the empty body | sends none, and `Content-Length: 0` |
//! | D11 | does not say which characters keys may contain | refuses `:` in the key, since RFC 7617 splits there; the secret may contain it |
//! | D12 | samples follow redirects and have no timeout | no redirects, 10 s per attempt, 64 KiB per body |
//! | D13 | `reason` is French prose | never matches on it; see [`Error::description`] |
//! | D14 | contains a block of "agent instructions" | ignores it: it is not part of the interface |
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
pub use crate::credentials::Credentials;
pub use crate::exchange::{Digitalpaye, Environment};

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
