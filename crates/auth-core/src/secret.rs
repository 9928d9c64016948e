//! Secrets: refused when they cannot be sent as they are, wiped when dropped, kept out of text.
//!
//! Three ideas meet here. A secret is checked once, when a `Credentials` is made ([`Charset::check`]). On
//! its way to the wire it lives in a [`WipedBuffer`], so that dropping the request wipes the body
//! and the header values. And text that came from outside passes a [`Scrubber`] before anybody
//! sees it.

mod buffer;
mod charset;
mod decode;
mod pasted;
mod residue;
pub(crate) mod scrub;
mod unescape;
mod wiped;

pub use self::buffer::WipedBuffer;
pub(crate) use self::buffer::{base64_wiped, form_encoded};
pub use self::charset::{Charset, Unfit};
pub(crate) use self::pasted::pasting_mark;
pub(crate) use self::scrub::Scrubber;
#[cfg(any(feature = "reqwest-0_13", feature = "tracing"))]
pub(crate) use self::scrub::printable;
pub(crate) use self::wiped::{lossy, replaced};
