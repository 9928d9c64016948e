//! A provider's grant, exactly as the answer states it.

use std::fmt;
use std::time::{Duration, SystemTime};

use http::header::{HeaderName, HeaderValue};
use secrecy::{ExposeSecret, SecretString};

use crate::error::Error;

/// A provider's grant, as the answer states it: the token, its expiry, and headers beside it.
///
/// ```
/// use std::time::Duration;
/// use auth_core::{Expiry, Grant};
///
/// let grant = Grant::bearer("made-up-token", Expiry::After(Duration::from_secs(300)))?;
/// assert!(Grant::bearer("<html>", Expiry::Unknown).is_err());
/// assert!(!format!("{grant:?}").contains("made-up"));
/// # Ok::<(), auth_core::Error>(())
/// ```
pub struct Grant {
    pub(crate) secret: SecretString,
    pub(crate) scheme: String,
    pub(crate) expiry: Expiry,
    pub(crate) headers: Vec<(HeaderName, HeaderValue)>,
    pub(crate) warnings: Vec<&'static str>,
}

/// When a token expires, exactly as the answer states it. The engine makes a deadline of it; flows
/// never do.
///
/// ```
/// use std::time::Duration;
/// use auth_core::Expiry;
///
/// assert_eq!(Expiry::after_seconds(300), Expiry::After(Duration::from_secs(300)));
/// let at = std::time::UNIX_EPOCH + Duration::from_secs(1_767_225_600);
/// assert_eq!(Expiry::at_unix_seconds(1_767_225_600), Expiry::At(at));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Expiry {
    /// This long after the request began.
    After(Duration),
    /// At an instant on the provider's clock.
    At(SystemTime),
    /// Not stated, or not readable.
    Unknown,
}

/// The longest token accepted. RFC 6749 section 5.1 sets no size, so the cap is generous.
const TOKEN_LIMIT: usize = 16 * 1024;

impl Expiry {
    /// A lifetime in seconds, as in `expires_in` of RFC 6749 section 5.1.
    #[must_use]
    pub const fn after_seconds(seconds: u64) -> Self {
        Self::After(Duration::from_secs(seconds))
    }

    /// An instant in Unix seconds; [`Unknown`](Self::Unknown) if the platform cannot represent it.
    #[must_use]
    pub fn at_unix_seconds(seconds: i64) -> Self {
        crate::clock::unix_time(seconds).map_or(Self::Unknown, Self::At)
    }
}

impl Grant {
    /// A bearer token (RFC 6750).
    ///
    /// # Errors
    /// [`ErrorKind::Protocol`](crate::ErrorKind::Protocol) if the token is empty, longer than
    /// 16 KiB, or contains a character that tokens do not have: anything but visible ASCII, and the
    /// brackets, quotes, commas, semicolons and back-slashes of an HTML page or a JSON document.
    /// This is wider than the `b64token` of RFC 6750 section 2.1 on purpose: an opaque token may
    /// contain a bar or a colon.
    pub fn bearer(token: impl Into<SecretString>, expiry: Expiry) -> Result<Self, Error> {
        Self::new("Bearer", token, expiry)
    }

    /// A token with another authentication scheme than `Bearer`.
    ///
    /// # Errors
    /// As for [`bearer`](Self::bearer), and if the scheme is not one word.
    pub fn new(
        scheme: &str,
        token: impl Into<SecretString>,
        expiry: Expiry,
    ) -> Result<Self, Error> {
        let secret = token.into();
        let text = secret.expose_secret();
        let fault = if text.is_empty() {
            "no token"
        } else if text.len() > TOKEN_LIMIT {
            "a token of over 16 KiB"
        } else if begins_with_bearer(text) {
            "a token with its scheme (Bearer) in front: the provider's answer changed; report it"
        } else if !is_token(text.as_bytes()) {
            "a token with characters that tokens do not have"
        } else if scheme.is_empty()
            || !scheme.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
        {
            "a scheme that is not one word"
        } else {
            return Ok(Self {
                secret,
                scheme: scheme.to_owned(),
                expiry,
                headers: Vec::new(),
                warnings: Vec::new(),
            });
        };
        Err(Error::protocol(format!("the answer holds {fault}")))
    }

    /// Adds a header that the API needs beside `Authorization`, in place of one of that name.
    #[must_use]
    pub fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.retain(|(kept, _)| *kept != name);
        self.headers.push((name, value));
        self
    }

    /// Adds a warning for the engine to log: an oddity that did not prevent the token.
    #[must_use]
    pub fn warning(mut self, warning: &'static str) -> Self {
        self.warnings.push(warning);
        self
    }

    /// Returns when the token expires, as the answer states it.
    #[must_use]
    pub fn expiry(&self) -> Expiry {
        self.expiry
    }

    /// Returns the token. Reading it takes [`ExposeSecret`].
    #[must_use]
    pub fn secret(&self) -> &SecretString {
        &self.secret
    }

    /// Returns the authentication scheme.
    #[must_use]
    pub fn scheme(&self) -> &str {
        &self.scheme
    }

    /// Returns the warnings added with [`warning`](Self::warning).
    #[must_use]
    pub fn warnings(&self) -> &[&'static str] {
        &self.warnings
    }
}

impl fmt::Debug for Grant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Grant")
            .field("scheme", &self.scheme)
            .field("secret", &"[redacted]")
            .field("expiry", &self.expiry)
            .field("warnings", &self.warnings)
            .finish()
    }
}

/// Whether `Bearer` stands in front, or alone: as a header's value is written, or a whole header.
fn begins_with_bearer(text: &str) -> bool {
    let mut words = text.split(|c: char| c.is_whitespace() || c == ':').filter(|w| !w.is_empty());
    let is = |word: Option<&str>, name| word.is_some_and(|word| word.eq_ignore_ascii_case(name));
    let first = words.next();
    is(first, "bearer") || (is(first, "authorization") && is(words.next(), "bearer"))
}

/// Whether all bytes are visible ASCII, without the punctuation of an HTML page or a JSON document.
///
/// Written without a branch in the loop, so that the compiler vectorizes it: a token has about a
/// thousand bytes.
fn is_token(text: &[u8]) -> bool {
    const REFUSED: [u8; 15] = *b"\"'(),;<>[\\]`{}\x7f";
    !text.iter().fold(false, |bad, byte| {
        REFUSED.iter().fold(bad | (*byte < 0x21) | (*byte > 0x7e), |bad, no| bad | (byte == no))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scheme_in_front_of_a_token_is_named() {
        for text in
            ["Bearer t", " bearer  t", "BEARER\tt", "Bearer:t", "Bearer", "Authorization: Bearer t"]
        {
            let error = Grant::bearer(text, Expiry::Unknown).unwrap_err();
            assert!(error.message().contains("scheme (Bearer)"), "{text:?}: {error}");
        }
        for text in ["bearer-t", "BearerOfNews", "t.Bearer"] {
            assert!(Grant::bearer(text, Expiry::Unknown).is_ok(), "{text}");
        }
    }

    #[test]
    fn every_byte_is_in_a_token_or_not() {
        let taken: Vec<u8> = (0..=255).filter(|byte| is_token(&[*byte])).collect();
        let expected =
            "!#$%&*+-./0123456789:=?@ABCDEFGHIJKLMNOPQRSTUVWXYZ^_abcdefghijklmnopqrstuvwxyz|~";
        assert_eq!(std::str::from_utf8(&taken).unwrap(), expected);
        for at in 0..100 {
            let mut text = [b'a'; 100];
            text[at] = b'<';
            assert!(!is_token(&text), "{at}");
        }
    }
}
