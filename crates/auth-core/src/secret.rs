//! Secrets: refused when they cannot be sent as they are, wiped when dropped, kept out of text.
//!
//! Three ideas meet here. A secret is checked once, when a `Credentials` is made ([`checked`]). On
//! its way to the wire it lives in a [`WipedBuffer`], so that dropping the request wipes the body
//! and the header values. And text that came from outside passes a [`Scrubber`] before anybody
//! sees it.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};
use bytes::Bytes;
use http::HeaderValue;
pub use secrecy::{ExposeSecret, SecretString};
use zeroize::Zeroizing;

use crate::error::Error;

/// What a value may hold, by the place that it travels in.
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

/// The base64 of some bytes, in a buffer that is wiped.
pub(crate) fn base64_wiped(prefix: &str, bytes: &[u8]) -> WipedBuffer {
    let encoded = Zeroizing::new(STANDARD.encode(bytes));
    let mut buffer = WipedBuffer::with_capacity(prefix.len() + encoded.len());
    buffer.extend(prefix.as_bytes());
    buffer.extend(encoded.as_bytes());
    buffer
}

/// Replaces known secrets in text that came from outside.
///
/// A provider that echoes the request back must not put a secret into our logs. Looked for are
/// each secret raw, in base64 and base64url (padded or not), percent-encoded, form-encoded,
/// escaped as JSON, and in hexadecimal. Anything that looks like a JWT goes too.
///
/// ```
/// use auth_core::Scrubber;
///
/// let known = Scrubber::new(["s3cr3t&value"]);
/// assert_eq!(known.scrub("secret=s3cr3t%26value is wrong"), "secret=[redacted] is wrong");
/// ```
#[derive(Default)]
pub struct Scrubber {
    /// Every written form of every secret, longest first, so that no form leaves a tail of
    /// another behind.
    forms: Vec<Zeroizing<String>>,
    /// Set where a secret is so short that replacing it would shred the text.
    withhold: bool,
}

const REDACTED: &str = "[redacted]";
/// Secrets shorter than this withhold the whole text instead.
const SHORTEST_REPLACED: usize = 4;

impl Scrubber {
    /// A scrubber for these secrets. Blank ones are ignored.
    pub fn new<'a>(secrets: impl IntoIterator<Item = &'a str>) -> Self {
        let mut scrubber = Self::default();
        for secret in secrets {
            scrubber.learn(secret);
        }
        scrubber
            .forms
            .sort_by_key(|form| std::cmp::Reverse(form.len()));
        scrubber
    }

    fn learn(&mut self, secret: &str) {
        if secret.is_empty() {
            return;
        }
        if secret.len() < SHORTEST_REPLACED {
            self.withhold = true;
            return;
        }
        let bytes = secret.as_bytes();
        let mut forms = vec![secret.to_owned(), percent_encoded(bytes)];
        forms.extend(
            form_urlencoded::byte_serialize(bytes)
                .map(str::to_owned)
                .reduce(|a, b| a + &b),
        );
        forms.extend(
            [STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD].map(|e| e.encode(bytes)),
        );
        forms.extend(
            serde_json::to_string(secret)
                .ok()
                .map(|json| json.trim_matches('"').to_owned()),
        );
        forms.push(bytes.iter().map(|b| format!("{b:02x}")).collect());
        for form in forms {
            let lower = percent_lowercase(&form);
            let upper = if form.len() == bytes.len() * 2 {
                form.to_uppercase()
            } else {
                String::new()
            };
            for form in [form, lower, upper] {
                if !form.is_empty() && !self.forms.iter().any(|known| **known == form) {
                    self.forms.push(Zeroizing::new(form));
                }
            }
        }
    }

    /// The text with every known secret, and everything that looks like a JWT, replaced.
    #[must_use]
    pub fn scrub(&self, text: &str) -> String {
        if self.withhold && !text.is_empty() {
            return REDACTED.to_owned();
        }
        let mut text = text.to_owned();
        for form in &self.forms {
            if text.contains(form.as_str()) {
                text = text.replace(form.as_str(), REDACTED);
            }
        }
        without_jwts(&text)
    }
}

impl fmt::Debug for Scrubber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scrubber").finish_non_exhaustive()
    }
}

fn percent_encoded(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len() * 3);
    for byte in bytes {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(byte) {
            out.push(char::from(*byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

/// The same with the hexadecimal digits of each `%XX` in lower case.
fn percent_lowercase(text: &str) -> String {
    let mut after_percent = 0;
    text.chars()
        .map(|c| {
            after_percent = if c == '%' {
                2
            } else {
                i32::max(after_percent - 1, -1)
            };
            if c != '%' && after_percent >= 0 {
                c.to_ascii_lowercase()
            } else {
                c
            }
        })
        .collect()
}

/// Replaces runs of base64url and dots that begin as every JWT does: `eyJ` is `{"`.
fn without_jwts(text: &str) -> String {
    let in_token = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find("eyJ") {
        let (before, from) = rest.split_at(start);
        let end = from.find(|c| !in_token(c)).unwrap_or(from.len());
        let (token, after) = from.split_at(end);
        out.push_str(before);
        out.push_str(if token.len() > 20 { REDACTED } else { token });
        rest = after;
    }
    out + rest
}

/// Text fit for one line of a log: no control characters, no escapes, no direction overrides, at
/// most `limit` characters.
pub(crate) fn printable(text: &str, limit: usize) -> String {
    let invisible = |c: &char| {
        c.is_control()
            || matches!(*c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
    };
    let spaced = text.replace(['\r', '\n', '\t'], " ");
    spaced
        .trim()
        .chars()
        .filter(|c| !invisible(c))
        .take(limit)
        .collect()
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
            ("CAN ARY", Header, "visible ASCII"),
            ("CANAR\u{e9}Y", Header, "visible ASCII"),
        ] {
            let error = checked("the secret", value, charset).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Config);
            let text = format!("{error} {error:?}");
            assert!(
                text.contains("the secret") && text.contains(says),
                "{value:?}: {text}"
            );
            assert!(value.trim().is_empty() || !text.contains(value));
        }
        for (value, charset) in [("secr\u{e9}t with spaces", Text), ("s-e.c_r~e!t", Header)] {
            assert!(checked("the secret", value, charset).is_ok());
        }
    }

    #[test]
    fn every_written_form_of_a_secret_is_scrubbed() {
        let secret = "p\u{e4}ss/w\"rd=+&%";
        let known = Scrubber::new([secret]);
        let bytes = secret.as_bytes();
        let hex: String = bytes.iter().map(|b| format!("{b:02x}")).collect();
        for form in [
            secret.to_owned(),
            STANDARD.encode(bytes),
            URL_SAFE_NO_PAD.encode(bytes),
            percent_encoded(bytes),
            percent_lowercase(&percent_encoded(bytes)),
            form_urlencoded::byte_serialize(bytes).collect(),
            serde_json::to_string(secret)
                .unwrap()
                .trim_matches('"')
                .to_owned(),
            hex.to_uppercase(),
            hex,
        ] {
            assert_eq!(known.scrub(&format!("<{form}>")), "<[redacted]>", "{form}");
        }
    }

    #[test]
    fn a_token_in_a_providers_text_is_scrubbed() {
        let text = "sent eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhIn0.c2lnbmF0dXJl back; eyJ is short";
        assert_eq!(
            Scrubber::default().scrub(text),
            "sent [redacted] back; eyJ is short"
        );
    }

    #[test]
    fn a_secret_too_short_to_replace_withholds_the_text() {
        assert_eq!(Scrubber::new(["ab"]).scrub("about"), "[redacted]");
    }

    #[test]
    fn escapes_and_direction_overrides_do_not_reach_a_log() {
        assert_eq!(printable("a\u{1b}[31mb\u{202e}c\r\nd", 99), "a[31mbc  d");
        assert_eq!(printable("ééé", 2), "éé");
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
