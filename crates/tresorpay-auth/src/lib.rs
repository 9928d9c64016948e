//! Tokens for the [TresorPay](https://tresorpay.ml) API: payments to Mali's treasury.
//!
//! TresorPay exchanges a client id and secret (OAuth 2.0 client credentials at a Keycloak realm)
//! for a bearer token that lives for some minutes. This crate requests the token, caches it, and
//! refreshes it before it expires.
//!
//! ```no_run
//! use tresorpay_auth::{CachedTokenSource, TresorPay};
//!
//! # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), tresorpay_auth::Error> {
//! let tokens = CachedTokenSource::new(TresorPay::from_env()?)?; // once, at start-up
//! let token = tokens.token().await?;                            // before each call; cached
//! let mut headers = http::HeaderMap::new();
//! token.apply(&mut headers);                                    // sets Authorization
//! # Ok(()) }
//! ```
//!
//! # Environment variables
//!
//! Each variable may be given as `NAME_FILE` instead: the path of a file that holds the value.
//!
//! | variable | |
//! |---|---|
//! | `TRESORPAY_CLIENT_ID` | required |
//! | `TRESORPAY_CLIENT_SECRET` | required |
//! | `TRESORPAY_SCOPE` | default `tresorpay`; `none` sends no scope |
//! | `TRESORPAY_ENVIRONMENT` | `production` (default) or `sandbox` |
//! | `TRESORPAY_TOKEN_URL` | the whole token URL; overrides the environment's |
//! | `TRESORPAY_TOKEN_URL_INTERNAL` | instead of `TRESORPAY_TOKEN_URL`, for a host name that only your own network resolves |
//! | `TRESORPAY_CLIENT_AUTH` | `form` (default) or `basic`: how the client authenticates |
//!
//! [`Config`] reads the same settings from a section of a configuration file.
//!
//! # What the document leaves open, and what this crate does
//!
//! | | the document | this crate |
//! |---|---|---|
//! | T1 | leaves out `grant_type`, which Keycloak requires | sends `grant_type=client_credentials` |
//! | T2 | puts the secret into the form; its picture shows Basic | [`ClientAuth::Form`] by default; [`ClientAuth::Basic`] form-encodes both values first (RFC 6749 section 2.3.1); never both |
//! | T3 | says `client_scope`, which Keycloak ignores; its picture says scope `tresorpay` | sends both; a client without that scope gets an error that says to use [`TresorPay::scope`]`(None)`, which is never tried silently |
//! | T4 | states no lifetime; Keycloak's usual one is 300 s | uses `expires_in`, and refreshes in proportion to it |
//! | T5 | does not mention Keycloak's `not-before-policy` | a token issued before it is already revoked: [`ErrorKind::Protocol`] |
//! | T6 | does not mention refresh tokens | reads neither refresh tokens nor `id_token`s: a new request costs the same (RFC 6749 section 4.4.3) |
//! | T7 | shows no error; Keycloak reports a wrong secret in three ways, with 400 and 401 | all are [`ErrorKind::Credentials`]; a client that is configured differently is [`ErrorKind::Request`] |
//! | T8 | does not mention prose in `error` ("Realm does not exist") | accepts any text: see [`Error::code`] |
//! | T9 | gives one URL; before version 17 Keycloak's paths began with `/auth` | [`TresorPay::token_url`] takes the whole URL |
//! | T10 | mentions a sandbox and gives no URL | [`Environment::Sandbox`] is from public sources, unverified |
//! | T11 | does not mention TLS; the host's chain may be incomplete | accepts an extra authority, see [below](#a-certificate-authority-of-your-own); has no switch that turns verification off |
//! | T12 | does not say what the token contains: network addresses, among others | reads `iat` and `exp` only, and shows no claim |
//!
//! # A certificate authority of your own
//!
//! If the host's TLS chain is incomplete, the error is [`ErrorKind::Connect`]. Pass the missing
//! certificate; it is trusted beside the platform's:
//!
//! ```no_run
//! # #[cfg(feature = "rustls")] mod with_tls {
//! use tresorpay_auth::{CachedTokenSource, ReqwestClient, TresorPay};
//!
//! fn tokens() -> Result<CachedTokenSource<TresorPay>, Box<dyn std::error::Error>> {
//!     let missing = reqwest::Certificate::from_pem(&std::fs::read("authority.pem")?)?;
//!     let client =
//!         ReqwestClient::configure(move |builder| builder.tls_certs_merge([missing.clone()]))?;
//!     Ok(CachedTokenSource::builder(TresorPay::from_env()?).http_client(client).build()?)
//! }
//! # }
//! ```
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
pub use crate::exchange::{ClientAuth, Environment, TresorPay};

// Its code hands a certificate to the HTTP client.
#[cfg(all(doctest, feature = "rustls"))]
#[doc = include_str!("../README.md")]
struct Readme;
