//! A byte buffer that is wiped.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::HeaderValue;
use zeroize::Zeroizing;

use super::charset::Unfit;

/// A growable byte buffer that is wiped on drop, and whose old storage is wiped when it grows.
///
/// A plain `Vec` leaves a copy of a secret behind each time it reallocates.
///
/// ```
/// use auth_core::secret::WipedBuffer;
///
/// let mut buffer = WipedBuffer::with_capacity(16);
/// buffer.extend_from_slice(b"made-up-secret");
/// assert_eq!(format!("{buffer:?}"), "WipedBuffer(14 bytes)");
/// let header = buffer.into_header()?; // no copy
/// assert!(header.is_sensitive());
/// # Ok::<(), auth_core::secret::Unfit>(())
/// ```
#[derive(Default)]
pub struct WipedBuffer(Zeroizing<Vec<u8>>);

impl WipedBuffer {
    /// Creates an empty buffer that takes `capacity` bytes without growing.
    #[must_use]
    pub fn with_capacity(capacity: usize) -> Self {
        Self(Zeroizing::new(Vec::with_capacity(capacity)))
    }

    /// Appends bytes. If the buffer has to grow, its old storage is wiped.
    pub fn extend_from_slice(&mut self, bytes: &[u8]) {
        let needed = self.0.len().saturating_add(bytes.len());
        if needed > self.0.capacity() {
            let mut grown = Vec::with_capacity(needed.max(self.0.capacity().saturating_mul(2)));
            grown.extend_from_slice(&self.0);
            self.0 = Zeroizing::new(grown);
        }
        self.0.extend_from_slice(bytes);
    }

    /// Returns the number of bytes.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether the buffer is empty.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns the bytes.
    #[must_use]
    pub fn as_slice(&self) -> &[u8] {
        &self.0
    }

    /// Converts to `Bytes` without a copy. Dropping the last clone wipes the buffer.
    #[must_use]
    pub fn into_bytes(self) -> Bytes {
        Bytes::from_owner(self.0)
    }

    /// Converts to a sensitive header value without a copy. Dropping the last clone wipes the
    /// buffer.
    ///
    /// # Errors
    /// [`Unfit`] if a header cannot carry the bytes.
    pub fn into_header(self) -> Result<HeaderValue, Unfit> {
        let mut value = HeaderValue::from_maybe_shared(self.into_bytes()).map_err(|_| {
            Unfit::new("a header value", "holds a character that a header cannot carry")
        })?;
        value.set_sensitive(true);
        Ok(value)
    }
}

impl std::io::Write for WipedBuffer {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.extend_from_slice(bytes);
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

/// Appends a text in form encoding (`application/x-www-form-urlencoded`).
pub(crate) fn form_encoded(text: &str, buffer: &mut WipedBuffer) {
    for part in form_urlencoded::byte_serialize(text.as_bytes()) {
        buffer.extend_from_slice(part.as_bytes());
    }
}

/// A prefix and the base64 of some bytes, in a buffer that is wiped.
pub(crate) fn base64_wiped(prefix: &str, bytes: &[u8]) -> WipedBuffer {
    let encoded = Zeroizing::new(STANDARD.encode(bytes));
    let mut buffer = WipedBuffer::with_capacity(prefix.len() + encoded.len());
    buffer.extend_from_slice(prefix.as_bytes());
    buffer.extend_from_slice(encoded.as_bytes());
    buffer
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_buffer_keeps_its_bytes_while_it_grows() {
        let mut buffer = WipedBuffer::default();
        for byte in 0..=255u8 {
            buffer.extend_from_slice(&[byte]);
        }
        assert_eq!(buffer.as_slice(), (0..=255u8).collect::<Vec<_>>());
        assert_eq!(format!("{buffer:?}"), "WipedBuffer(256 bytes)");
    }

    /// A `Vec` that grows by itself allocates eight bytes at first, and frees the storage that
    /// it leaves unwiped.
    #[test]
    fn a_buffer_never_grows_in_place_and_only_if_it_must() {
        let mut buffer = WipedBuffer::default();
        assert!(buffer.is_empty());
        let mut capacities = Vec::new();
        for length in 1..=9 {
            buffer.extend_from_slice(b"x");
            assert!(buffer.len() == length && !buffer.is_empty());
            capacities.push(buffer.0.capacity());
        }
        assert_eq!(capacities, [1, 2, 4, 4, 8, 8, 8, 8, 16]);
    }

    #[test]
    fn base64_and_form_encoding_fill_a_buffer() {
        let encoded = base64_wiped("Basic ", b"a:b");
        assert_eq!((encoded.as_slice(), encoded.0.capacity()), (&b"Basic YTpi"[..], 10));
        let mut form = WipedBuffer::default();
        form_encoded("a b&\u{e9}", &mut form);
        assert_eq!(form.into_bytes(), "a+b%26%C3%A9");
    }

    #[test]
    fn a_header_that_cannot_carry_the_bytes_is_refused_without_them() {
        let mut buffer = WipedBuffer::default();
        assert_eq!(std::io::Write::write(&mut buffer, b"CANARY\n").unwrap(), 7);
        std::io::Write::flush(&mut buffer).unwrap();
        let text = buffer.into_header().unwrap_err().to_string();
        assert_eq!(text, "a header value holds a character that a header cannot carry");
    }
}
