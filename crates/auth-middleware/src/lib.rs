// The README's example makes a client, so it is compiled only with that feature.
#![cfg_attr(any(not(doctest), feature = "reqwest-middleware-0_5"), doc = include_str!("../README.md"))]
#![cfg_attr(docsrs, feature(doc_cfg))]
// docs.rs shows the feature of each item
// Without a feature there are no requests to put a token on.
#![cfg_attr(not(any(feature = "reqwest-0_13", feature = "tower")), allow(dead_code))]

mod auth;
#[cfg(any(feature = "reqwest-0_13", feature = "tower"))]
mod drain;
mod error;
#[cfg(feature = "reqwest-middleware-0_5")]
pub mod guide;
#[cfg(feature = "tower")]
mod layer;
mod log;
#[cfg(feature = "reqwest-0_13")]
pub mod reqwest_0_13;
#[cfg(feature = "reqwest-middleware-0_5")]
pub mod reqwest_middleware_0_5;
mod rules;

pub use crate::auth::{AllowReplay, TokenAuth};
pub use crate::error::{Error, HostNotAllowed, RenewalFailed};
#[cfg(feature = "tower")]
pub use crate::layer::{AuthFuture, AuthLayer, AuthService, CloneBody, EmptyBody};
#[cfg(feature = "reqwest-0_13")]
pub use crate::reqwest_0_13::{SendWith, redirect_policy};
#[cfg(feature = "reqwest-middleware-0_5")]
pub use crate::reqwest_middleware_0_5::{client, client_with};
