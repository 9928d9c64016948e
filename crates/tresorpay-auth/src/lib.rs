//! Tokens for the [TresorPay](https://tresorpay.ml) API: payments to Mali's treasury.
//!
//! TresorPay exchanges a client id and secret (OAuth 2.0 client credentials at a Keycloak realm)
//! for a bearer token that lives some minutes. This crate asks for it, keeps it, and asks again
//! before it ends.
//!
//! ```no_run
//! use tresorpay_auth::{CachedTokenSource, TresorPay};
//!
//! # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), tresorpay_auth::Error> {
//! let tokens = CachedTokenSource::new(TresorPay::from_env()?)?; // once, at start-up
//! let token = tokens.token().await?;                            // before each call; cached
//! let mut headers = http::HeaderMap::new();
//! token.apply(&mut headers);                                    // Authorization
//! # Ok(()) }
//! ```
//!
//! # Environment variables
//!
//! Each may be given as `NAME_FILE`, the name of a file that holds the value.
//!
//! | variable | |
//! |---|---|
//! | `TRESORPAY_CLIENT_ID` | required |
//! | `TRESORPAY_CLIENT_SECRET` | required |
//! | `TRESORPAY_SCOPE` | default `tresorpay`; `none` sends no scope |
//! | `TRESORPAY_ENVIRONMENT` | `production` (default) or `sandbox` |
//! | `TRESORPAY_TOKEN_URL` | the whole token URL, instead of the environment's |
//! | `TRESORPAY_TOKEN_URL_INTERNAL` | instead of `TRESORPAY_TOKEN_URL`, for a host that only your own network knows |
//! | `TRESORPAY_CLIENT_AUTH` | `form` (default) or `basic`: how the client proves who it is |
//!
//! # What the document leaves open, and what this crate does
//!
//! | | the document | this crate |
//! |---|---|---|
//! | T1 | leaves `grant_type` out, without which Keycloak refuses | sends `grant_type=client_credentials` |
//! | T2 | puts the secret into the form; its picture shows Basic | [`ClientAuth::Form`]; [`ClientAuth::Basic`] on request, form-encoded first (RFC 6749 section 2.3.1); never both |
//! | T3 | says `client_scope`, which Keycloak ignores; its picture says scope `tresorpay` | sends both; [`TresorPay::scope`]`(None)` for a client without that scope, named in the error and never tried silently |
//! | T4 | states no lifetime; Keycloak's usual one is 300 s | trusts `expires_in`, and refreshes in proportion to it |
//! | T5 | is silent on Keycloak's `not-before-policy` | a token from before it is revoked at birth: [`ErrorKind::Protocol`]; a kept one has already made room for the new |
//! | T6 | is silent on refresh tokens | are not read, nor are `id_token`s: asking again costs the same (RFC 6749 section 4.4.3) |
//! | T7 | shows no error; Keycloak says a wrong secret in three ways, at 400 and 401 | all are [`ErrorKind::Credentials`]; a client that is set up otherwise is [`ErrorKind::Request`] |
//! | T8 | is silent on prose in `error` ("Realm does not exist") | takes any text: see [`Error::code`] |
//! | T9 | gives one URL; before version 17 Keycloak's began with `/auth` | [`TresorPay::token_url`] takes the whole of it |
//! | T10 | mentions a sandbox and gives no URL | [`Environment::Sandbox`] is from public sources, unverified |
//! | T11 | is silent on TLS; a chain may be incomplete | takes an authority of yours, as [below](#a-certificate-authority-of-your-own); has no switch that stops verification |
//! | T12 | is silent on what the token holds: addresses, among others | reads `iat` and `exp` alone, and shows no claim |
//!
//! # A certificate authority of your own
//!
//! Where the host's TLS chain is incomplete, the error is [`ErrorKind::Connect`]. Hand in the missing
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
pub use crate::exchange::{ClientAuth, Environment, TresorPay};

// Its code hands a certificate to the HTTP client.
#[cfg(all(doctest, feature = "rustls"))]
#[doc = include_str!("../README.md")]
struct Readme;
