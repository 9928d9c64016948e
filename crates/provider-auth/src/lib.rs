#![doc = include_str!("../README.md")]

pub use auth_core as core;
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
