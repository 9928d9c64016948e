//! For plain reqwest 0.13: [`send_with`](SendWith::send_with), and the redirect policy of a client
//! that may carry tokens.

mod redirect;
mod run;
mod send;

pub use self::redirect::redirect_policy;
#[cfg(feature = "reqwest-middleware-0_5")]
pub(crate) use self::run::{Transport, run};
pub use self::send::{SendAuth, SendError, SendWith, Sending};
