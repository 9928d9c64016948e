//! Functions of `std`, into a wiped buffer that is allocated once: growing leaves copies behind.

use secrecy::SecretString;
use zeroize::Zeroizing;

/// As `SecretString::from`, and the original is wiped: a `String` with spare capacity would be
/// reallocated on conversion, which leaves an unwiped copy.
pub(crate) fn moved(text: String) -> SecretString {
    SecretString::from(Zeroizing::new(text).as_str())
}

/// As `String::from_utf8_lossy`.
pub(crate) fn lossy(bytes: &[u8]) -> Zeroizing<String> {
    // The replacement of one invalid byte takes three.
    let mut text = Zeroizing::new(String::with_capacity(3 * bytes.len()));
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        if !chunk.invalid().is_empty() {
            text.push(char::REPLACEMENT_CHARACTER);
        }
    }
    text
}

/// As `str::replace`.
pub(crate) fn replaced(text: &str, from: &str, to: &str) -> Zeroizing<String> {
    let more = to.len().saturating_sub(from.len()) * text.matches(from).count();
    let mut out = Zeroizing::new(String::with_capacity(text.len() + more));
    for (at, part) in text.split(from).enumerate() {
        out.push_str(if at == 0 { "" } else { to });
        out.push_str(part);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_equal_their_std_counterpart_and_never_grow() {
        for bytes in [&b""[..], b"a\xe9b", b"\xff\xff\xff", b"\xe2\x82x", "\u{e9}".as_bytes()] {
            let text = lossy(bytes);
            assert_eq!(*text, String::from_utf8_lossy(bytes));
            assert!(text.capacity() <= 3 * bytes.len());
        }
        for (text, from, to) in
            [("aXbX", "X", "long"), ("aaa", "aa", ""), ("", "a", "b"), ("x", "x", "x")]
        {
            let out = replaced(text, from, to);
            assert_eq!(*out, text.replace(from, to));
            assert!(out.capacity() <= out.len().max(text.len()), "it grew");
        }
    }
}
