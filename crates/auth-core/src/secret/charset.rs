//! The characters that a credential value may contain.

use secrecy::{ExposeSecret, SecretString};

/// The characters that a credential value may contain, by its place in the request.
///
/// ```
/// use auth_core::secret::Charset;
///
/// assert!(Charset::Text.check("the secret", "pa\u{df}word").is_ok());
/// assert!(Charset::Header.check("the secret", "pa\u{df}word").is_err());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Charset {
    /// Any text without control characters, for a JSON or form body or for Basic, which encode it.
    Text,
    /// Only visible ASCII (`0x21` to `0x7e`), for a header, which does not encode it (RFC 9110
    /// section 5.5: other bytes are altered or misread on the way).
    Header,
}

impl Charset {
    /// Checks that a credential value can be sent unchanged.
    ///
    /// Refuses blank values, surrounding whitespace (a pasted newline is the most common mistake),
    /// control and invisible characters, and, for [`Charset::Header`], anything but visible ASCII.
    /// It never trims: a silently changed value is hard to debug. The error contains `name`, never
    /// the value.
    ///
    /// ```
    /// use auth_core::secret::Charset;
    ///
    /// let error = Charset::Text.check("ACME_SECRET", "made-up-secret\n").unwrap_err();
    /// assert!(error.to_string().contains("ACME_SECRET has whitespace at its start or end"));
    /// assert!(!error.to_string().contains("made-up-secret"));
    /// ```
    ///
    /// # Errors
    /// [`Unfit`], which `?` converts to an [`Error`](crate::Error) of
    /// [`ErrorKind::Config`](crate::ErrorKind::Config).
    pub fn check(self, name: &str, value: impl Into<SecretString>) -> Result<SecretString, Unfit> {
        let value = value.into();
        let text = value.expose_secret();
        let fault = if text.trim().is_empty() {
            "is blank"
        } else if text.trim() != text {
            "has whitespace at its start or end: was a newline pasted with it?"
        } else if text.chars().any(char::is_control) {
            "holds a control character"
        } else if text.chars().any(is_invisible) {
            "holds an invisible character, such as the byte order mark that some editors put at the start of a file: save it without one"
        } else if self == Self::Header && !text.bytes().all(|b| b.is_ascii_graphic()) {
            "holds a space or a character outside visible ASCII, which a header cannot carry"
        } else {
            return Ok(value);
        };
        Err(Unfit::new(name, fault))
    }
}

/// Why a value cannot be sent unchanged: its name and the reason, never the value.
///
/// ```
/// use auth_core::{Error, ErrorKind};
/// use auth_core::secret::Charset;
///
/// let unfit = Charset::Text.check("ACME_KEY", "").unwrap_err();
/// assert_eq!(unfit.to_string(), "ACME_KEY is blank");
/// assert_eq!(Error::from(unfit).kind(), ErrorKind::Config);
/// ```
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{name} {fault}")]
pub struct Unfit {
    name: String,
    fault: &'static str,
}

impl Unfit {
    pub(super) fn new(name: &str, fault: &'static str) -> Self {
        Self { name: name.to_owned(), fault }
    }
}

/// Whether a character is invisible: soft hyphens, zero-width characters, fillers, direction marks,
/// variation selectors, tags, and the byte order mark. For a program that shows texts of others.
///
/// ```
/// use auth_core::secret::is_invisible;
/// assert!(is_invisible('\u{202e}')); // turns what follows around
/// assert!(!is_invisible('é') && !is_invisible(' '));
/// ```
#[must_use]
pub fn is_invisible(c: char) -> bool {
    matches!(
        c,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
            | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}'
            | '\u{ffa0}' | '\u{e0000}'..='\u{e0fff}'
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_that_cannot_be_sent_unchanged_is_refused_by_name_and_never_shown() {
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
            let error = charset.check("the secret", value).unwrap_err();
            let text = format!("{error} {error:?}");
            assert!(text.contains("the secret") && text.contains(says), "{value:?}: {text}");
            assert!(value.trim().is_empty() || !text.contains(value));
        }
        for (value, charset) in [("secr\u{e9}t with spaces", Text), ("s-e.c_r~e!t", Header)] {
            assert!(charset.check("the secret", value).is_ok());
        }
    }
}
