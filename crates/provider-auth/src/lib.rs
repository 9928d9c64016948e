// The README's example uses Manis, so it is compiled only with that feature.
#![cfg_attr(any(not(doctest), feature = "manis"), doc = include_str!("../README.md"))]
#![cfg_attr(docsrs, feature(doc_cfg))] // docs.rs shows which feature brings what

#[cfg(any(
    feature = "digitalpaye",
    feature = "digishare",
    feature = "tresorpay",
    feature = "papaya",
    feature = "manis"
))]
mod config;

pub use auth_core as core;
#[cfg(any(feature = "reqwest", feature = "reqwest-middleware", feature = "tower"))]
pub use auth_middleware as middleware;
#[cfg(any(feature = "store", feature = "redis-1"))]
pub use auth_store as store;
#[cfg(feature = "digishare")]
pub use digishare_auth as digishare;
#[cfg(feature = "digitalpaye")]
pub use digitalpaye_auth as digitalpaye;
#[cfg(feature = "manis")]
pub use manis_auth as manis;
#[cfg(feature = "papaya")]
pub use papaya_auth as papaya;
#[cfg(feature = "tresorpay")]
pub use tresorpay_auth as tresorpay;

#[cfg(any(
    feature = "digitalpaye",
    feature = "digishare",
    feature = "tresorpay",
    feature = "papaya",
    feature = "manis"
))]
pub use crate::config::Config;
