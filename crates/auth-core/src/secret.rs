//! Secrets: refused when they cannot be sent as they are, wiped when dropped, kept out of text.
//!
//! Three ideas meet here. A secret is checked once, when a `Credentials` is made ([`checked`]). On
//! its way to the wire it lives in a [`WipedBuffer`], so that dropping the request wipes the body
//! and the header values. And text that came from outside passes a [`Scrubber`] before anybody
//! sees it.

mod decode;
mod residue;
mod scrub;
mod unescape;

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::HeaderValue;
pub use secrecy::{ExposeSecret, SecretString};

use zeroize::Zeroizing;

pub use self::scrub::Scrubber;
#[cfg(feature = "reqwest-0_13")]
pub(crate) use self::scrub::printable;
use crate::error::Error;

/// What a value may hold, by the place that it travels in.
///
/// ```
/// use auth_core::secret::{Charset, checked};
///
/// assert!(checked("the secret", "pa\u{df}word", Charset::Text).is_ok());
/// assert!(checked("the secret", "pa\u{df}word", Charset::Header).is_err());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Charset {
    /// Any text without control characters: a JSON or form body, or Basic, carries it encoded.
    Text,
    /// Visible ASCII (`0x21` to `0x7e`) alone: a header carries it as it is (RFC 9110 section
    /// 5.5; a value with other bytes is altered or misread on the way).
    Header,
}

/// Proves that a credential value can be sent as it is, or says what is wrong with it.
///
/// Refuses blank values, surrounding whitespace (a pasted newline is the commonest fault),
/// control characters, and, for [`Charset::Header`], everything that is not visible ASCII. It
/// never trims: a value that was changed silently is a fault that nobody finds. The error names
/// `name` and never the value.
///
/// ```
/// use auth_core::secret::{Charset, checked};
///
/// let error = checked("ACME_SECRET", "made-up-secret\n", Charset::Text).unwrap_err();
/// assert!(error.to_string().contains("ACME_SECRET has whitespace at its start or end"));
/// assert!(!error.to_string().contains("made-up-secret"));
/// ```
///
/// # Errors
/// [`ErrorKind::Config`](crate::ErrorKind::Config).
pub fn checked(
    name: &str,
    value: impl Into<SecretString>,
    charset: Charset,
) -> Result<SecretString, Error> {
    let value = value.into();
    let text = value.expose_secret();
    let fault = if text.trim().is_empty() {
        "is blank"
    } else if text.trim() != text {
        "has whitespace at its start or end: was a newline pasted with it?"
    } else if text.chars().any(char::is_control) {
        "holds a control character"
    } else if text.chars().any(scrub::is_invisible) {
        "holds an invisible character, such as the byte order mark that some editors put at the start of a file: save it without"
    } else if charset == Charset::Header && !text.bytes().all(|b| b.is_ascii_graphic()) {
        "holds a space or a character outside visible ASCII, which a header cannot carry"
    } else {
        return Ok(value);
    };
    Err(Error::config(format!("{name} {fault}")))
}

/// A growing byte buffer that wipes what it held: on drop, and the old storage when it grows.
///
/// A plain `Vec` leaves copies of a secret behind each time it reallocates.
///
/// ```
/// use auth_core::secret::WipedBuffer;
///
/// let mut buffer = WipedBuffer::with_capacity(16);
/// buffer.extend(b"made-up-secret");
/// assert_eq!(format!("{buffer:?}"), "WipedBuffer(14 bytes)");
/// let header = buffer.into_header()?; // no copy
/// assert!(header.is_sensitive());
/// # Ok::<(), auth_core::Error>(())
/// ```
#[derive(Default)]
pub struct WipedBuffer(Zeroizing<Vec<u8>>);

impl WipedBuffer {
    /// An empty buffer with room for `capacity` bytes.
    #[must_use]
    pub fn with_capacity(capacity: usize) -> Self {
        Self(Zeroizing::new(Vec::with_capacity(capacity)))
    }

    /// Appends bytes. Old storage is wiped if the buffer has to grow.
    pub fn extend(&mut self, bytes: &[u8]) {
        let needed = self.0.len().saturating_add(bytes.len());
        if needed > self.0.capacity() {
            let mut grown = Vec::with_capacity(needed.max(self.0.capacity().saturating_mul(2)));
            grown.extend_from_slice(&self.0);
            self.0 = Zeroizing::new(grown);
        }
        self.0.extend_from_slice(bytes);
    }

    /// The number of bytes held.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether nothing is held.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The bytes held.
    #[must_use]
    pub fn as_slice(&self) -> &[u8] {
        &self.0
    }

    /// Shares the buffer without copying it; the last clone wipes it.
    #[must_use]
    pub fn into_bytes(self) -> Bytes {
        Bytes::from_owner(self.0)
    }

    /// Makes a sensitive header value of the buffer without copying it; the last clone wipes it.
    ///
    /// # Errors
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) where the bytes cannot stand in a header.
    pub fn into_header(self) -> Result<HeaderValue, Error> {
        let mut value = HeaderValue::from_maybe_shared(self.into_bytes())
            .map_err(|_| Error::config("a header value holds a character that headers refuse"))?;
        value.set_sensitive(true);
        Ok(value)
    }
}

impl std::io::Write for WipedBuffer {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.extend(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl fmt::Debug for WipedBuffer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "WipedBuffer({} bytes)", self.len())
    }
}

/// A text as a form body writes it (`application/x-www-form-urlencoded`), in a buffer that is wiped.
pub(crate) fn form_encoded(text: &str, buffer: &mut WipedBuffer) {
    for part in form_urlencoded::byte_serialize(text.as_bytes()) {
        buffer.extend(part.as_bytes());
    }
}

/// The base64 of some bytes, in a buffer that is wiped.
pub(crate) fn base64_wiped(prefix: &str, bytes: &[u8]) -> WipedBuffer {
    let encoded = Zeroizing::new(STANDARD.encode(bytes));
    let mut buffer = WipedBuffer::with_capacity(prefix.len() + encoded.len());
    buffer.extend(prefix.as_bytes());
    buffer.extend(encoded.as_bytes());
    buffer
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ErrorKind;

    #[test]
    fn a_value_that_cannot_be_sent_as_it_is_is_refused_by_name_and_never_shown() {
        use Charset::{Header, Text};
        for (value, charset, says) in [
            ("", Text, "blank"),
            ("  ", Text, "blank"),
            ("CANARY\n", Text, "whitespace at its start or end"),
            (" CANARY", Header, "whitespace at its start or end"),
            ("CAN\u{0}ARY", Text, "control character"),
            ("CAN\rARY", Header, "control character"),
            ("\u{feff}CANARY", Text, "byte order mark"),
            ("CAN\u{200b}ARY", Header, "invisible character"),
            ("CAN ARY", Header, "visible ASCII"),
            ("CANAR\u{e9}Y", Header, "visible ASCII"),
        ] {
            let error = checked("the secret", value, charset).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Config);
            let text = format!("{error} {error:?}");
            assert!(text.contains("the secret") && text.contains(says), "{value:?}: {text}");
            assert!(value.trim().is_empty() || !text.contains(value));
        }
        for (value, charset) in [("secr\u{e9}t with spaces", Text), ("s-e.c_r~e!t", Header)] {
            assert!(checked("the secret", value, charset).is_ok());
        }
    }

    #[test]
    fn a_buffer_keeps_its_bytes_while_it_grows() {
        let mut buffer = WipedBuffer::default();
        for byte in 0..=255u8 {
            buffer.extend(&[byte]);
        }
        assert_eq!(buffer.as_slice(), (0..=255u8).collect::<Vec<_>>());
        assert_eq!(format!("{buffer:?}"), "WipedBuffer(256 bytes)");
    }
}
