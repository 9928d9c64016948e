//! The five providers, one file each: what they accept and what they answer.
//!
//! The types here name the provider of a [`Handle`](crate::Handle). Each one's documentation says
//! which rules are the provider's own, which are inferred from its software, and which the
//! sandbox made up because the document states none.

mod digishare;
mod digitalpaye;
mod manis;
mod papaya;
mod tresorpay;

pub use digishare::Digishare;
pub use digitalpaye::Digitalpaye;
pub use manis::{BadRequestShape, ExpiresAtUnit, Manis};
pub use papaya::{Papaya, ValidUntil};
pub use tresorpay::TresorPay;
