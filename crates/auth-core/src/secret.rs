//! Secrets: checked when they are read, wiped when they are dropped, and scrubbed from text.
//!
//! A secret is checked once, when a `Credentials` is made ([`Charset::check`]). In a request it is
//! in a [`WipedBuffer`], so that dropping the request wipes the body and the header values. Text
//! from outside passes a [`Scrubber`] before it is shown or logged.

mod buffer;
mod charset;
mod decode;
mod pasted;
mod quoted;
mod residue;
pub(crate) mod scrub;
#[cfg(test)]
mod tests;
mod unescape;
mod wiped;

pub use self::buffer::WipedBuffer;
pub(crate) use self::buffer::{base64_wiped, form_encoded};
pub use self::charset::{Charset, Unfit, is_invisible};
pub use self::pasted::looks_pasted;
pub(crate) use self::pasted::pasting_mark;
pub(crate) use self::quoted::{QUOTED, Written};
pub use self::quoted::{quoted, quoted_opt};
pub(crate) use self::scrub::Scrubber;
#[cfg(any(feature = "reqwest-0_13", feature = "tracing"))]
pub(crate) use self::scrub::printable;
pub(crate) use self::wiped::{lossy, moved, replaced};
