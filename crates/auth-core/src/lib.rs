#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))] // docs.rs shows the feature of each item

pub mod blocking;
mod challenge;
mod clock;
mod endpoint;
mod engine;
mod env;
mod error;
mod exchange;
mod grant;
pub mod guide;
mod http;
mod identity;
mod jwt;
#[cfg(feature = "metrics")]
mod metrics;
pub mod oauth2;
mod observer;
mod panics;
mod pointers;
mod policy;
mod request;
mod resolver;
mod response;
pub mod secret;
mod source;
mod status;
mod store;
mod term;
#[cfg(any(test, feature = "test-util"))]
pub mod test_util;
mod token;
mod trace;
pub mod wire;

pub use ::async_trait::async_trait;
pub use ::bytes::Bytes;
pub use ::secrecy::{ExposeSecret, SecretString};

#[cfg(any(test, feature = "test-util"))]
pub use crate::clock::ManualClock;
pub use crate::clock::{BoxFuture, Clock, SystemClock};
pub use crate::endpoint::Endpoint;
pub use crate::engine::{CachedTokenSource, CachedTokenSourceBuilder};
pub use crate::env::{Env, EnvReader, Section};
pub use crate::error::{Error, ErrorKind};
pub use crate::exchange::TokenExchange;
pub use crate::grant::{Expiry, Grant};
#[cfg(feature = "reqwest-0_13")]
pub use crate::http::reqwest::ReqwestClient;
#[cfg(any(test, feature = "test-util"))]
pub use crate::http::scripted::ScriptedClient;
pub use crate::http::{BODY_LIMIT, HttpClient, HttpRequest, HttpResponse};
pub use crate::identity::Identity;
pub use crate::jwt::JwtTimes;
#[cfg(feature = "metrics")]
pub use crate::metrics::MetricsObserver;
pub use crate::observer::{Event, Observer, Read};
pub use crate::policy::{RefreshPolicy, RetryPolicy};
pub use crate::request::{BodyValue, TokenRequest};
pub use crate::resolver::{Chain, FromEnv, Resolve, Resolver};
pub use crate::response::TokenResponse;
pub use crate::secret::scrub::Scrubber;
pub use crate::source::{SharedTokenSource, StaticTokenSource, TokenSource};
pub use crate::status::{LastFailure, SourceStatus};
pub use crate::store::{Ask, Claim, Generation, Lease, Offered, Settled, StoredToken, TokenStore};
pub use crate::term::TokenState;
pub use crate::token::AccessToken;
