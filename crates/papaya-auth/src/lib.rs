//! Tokens for the [Papaya Global](https://docs.papayaglobal.com) API: payroll payments.
//!
//! Papaya exchanges an API key and a client secret (in a JSON body) for a bearer token that lives
//! a day. This crate asks for it, keeps it, and asks again before it ends.
//!
//! ```no_run
//! use papaya_auth::{CachedTokenSource, Papaya};
//!
//! # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), papaya_auth::Error> {
//! let tokens = CachedTokenSource::new(Papaya::from_env()?)?; // once, at start-up
//! let token = tokens.token().await?;                         // before each call; cached
//! let mut headers = http::HeaderMap::new();
//! token.apply(&mut headers);                                 // Authorization
//! # Ok(()) }
//! ```
//!
//! # Environment variables
//!
//! Each may be given as `NAME_FILE`, the name of a file that holds the value.
//!
//! | variable | |
//! |---|---|
//! | `PAPAYA_API_KEY` | required |
//! | `PAPAYA_CLIENT_SECRET` | required |
//! | `PAPAYA_ENVIRONMENT` | `staging`, or `production` with `PAPAYA_BASE_URL` beside it; required without `PAPAYA_BASE_URL` |
//! | `PAPAYA_BASE_URL` | the URL that `/token` is appended to, whatever the environment; default the environment's |
//! | `PAPAYA_BASE_URL_INTERNAL` | instead of `PAPAYA_BASE_URL`, for a host that only your own network knows |
//! | `PAPAYA_TOKEN_NAME` | not sent by default |
//!
//! # What the document leaves open, and what this crate does
//!
//! | | the document | this crate |
//! |---|---|---|
//! | P1 | says that key and secret travel in the request's header, and shows them in its body | sends them in the JSON body, and nothing secret in a header |
//! | P2 | states a staging host and no other | has no default: [`Papaya::staging`], or [`Papaya::new`] with the URL that Papaya gave you |
//! | P3 | its sample answer lacks a comma | reads JSON alone: such an answer is [`ErrorKind::Protocol`] |
//! | P4 | writes `valid_until` without seconds | reads it so, and with seconds, a fraction, `Z` or an offset; rounds down; ignores any other form, and warns |
//! | P5 | answers 201 | takes 200 too |
//! | P6 | speaks of a "Client ID" that no field is for | takes an API key and a client secret |
//! | P7 | answers 401 with "Invalid request" | the status decides: [`ErrorKind::Credentials`]; the text stands in [`Error::description`] |
//! | P8 | each request makes a named token at Papaya | asks once for all callers; sends a name only where [`Papaya::token_name`] is set |
//! | P9 | the token holds a person's e-mail address | no claim but the times is read, and no part of a token is ever shown |
//! | P10 | says 24 hours, and to rely on `valid_until` | trusts `valid_until` and the JWT's own `exp`, the earlier; without either 5 minutes and a warning |
//! | P11 | an older one has a field `expiration` for the lifetime | does not send it |
//! | P12 | does not say whether to retry | two attempts, on connect errors, 429 and 5xx; none after a request that got no answer, since a token may have been made |
//!
//! # More
//!
//! [`auth_core::guide`] says what each error means and what to do, how to test your own code, how
//! the engine works, and what it defends against. `auth-sandbox` is a server that behaves as the
//! document says and fails on command, for your own tests.

#![cfg_attr(docsrs, feature(doc_cfg))] // docs.rs shows which feature brings what

mod credentials;
mod exchange;
mod expiry;
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
pub use crate::exchange::Papaya;

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
