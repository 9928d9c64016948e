//! The string type for decoded bodies: wiped on drop, and when it grows.

use std::cmp::Ordering;
use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, Visitor};
use zeroize::Zeroizing;

use super::shapes::reads_as;

/// A text field that accepts any JSON value: a string or a number is kept, anything else reads as
/// absent. So one field of an unexpected type does not make an error body unreadable.
///
/// Wiped on drop, since a provider may echo the secret. A `String` is not wiped, nor are the
/// buffers of `#[serde(untagged)]` and `#[serde(flatten)]`: use none of these in a body.
///
/// ```
/// use auth_core::wire::Text;
///
/// let read = |json| serde_json::from_str::<Text>(json).unwrap().get().map(str::to_owned);
/// assert_eq!(read(r#""invalid_client""#).as_deref(), Some("invalid_client"));
/// assert_eq!(read("4001").as_deref(), Some("4001"));
/// assert_eq!(read(r#"{"reason":"x"}"#), None);
/// ```
#[derive(Default, Clone)]
pub struct Text(Option<Zeroizing<String>>);

impl Text {
    /// Returns the text, if there is one, without the blanks around it: no provider means them, least of
    /// all in a code.
    #[must_use]
    pub fn get(&self) -> Option<&str> {
        self.0.as_ref().map(|text| text.trim())
    }

    /// Appends to the text. If it has to grow, the old storage is wiped, unlike that of a `String`.
    ///
    /// ```
    /// use auth_core::wire::Text;
    ///
    /// let mut text = Text::default();
    /// text.push_str("no client");
    /// text.push_str(" of that name");
    /// assert_eq!(text.get(), Some("no client of that name"));
    /// ```
    pub fn push_str(&mut self, more: &str) {
        let text = self.0.get_or_insert_default();
        let needed = text.len().saturating_add(more.len());
        if needed > text.capacity() {
            let mut grown = String::with_capacity(needed.max(text.capacity().saturating_mul(2)));
            grown.push_str(text);
            *text = Zeroizing::new(grown);
        }
        text.push_str(more);
    }
}

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "Text([unscrubbed])" } else { "Text()" })
    }
}

impl PartialEq for Text {
    fn eq(&self, other: &Self) -> bool {
        self.get() == other.get()
    }
}

impl Eq for Text {}

impl PartialOrd for Text {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Text {
    /// Orders by the text, so that it can be a map key; an absent text comes first.
    fn cmp(&self, other: &Self) -> Ordering {
        self.get().cmp(&other.get())
    }
}

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct AnyShape;
        impl<'de> Visitor<'de> for AnyShape {
            type Value = Text;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text")
            }

            fn visit_str<E>(self, text: &str) -> Result<Text, E> {
                Ok(kept(text.to_owned())) // exact capacity, so it is never reallocated
            }

            fn visit_string<E>(self, text: String) -> Result<Text, E> {
                Ok(kept(text))
            }

            fn visit_i64<E>(self, number: i64) -> Result<Text, E> {
                Ok(kept(number.to_string()))
            }

            fn visit_u64<E>(self, number: u64) -> Result<Text, E> {
                Ok(kept(number.to_string()))
            }

            fn visit_f64<E>(self, number: f64) -> Result<Text, E> {
                let number = serde_json::Number::from_f64(number);
                Ok(number.map_or_else(Text::default, |number| kept(number.to_string())))
            }

            reads_as!(Text::default() => bool unit seq map);
        }
        deserializer.deserialize_any(AnyShape)
    }
}

fn kept(text: String) -> Text {
    let text = Zeroizing::new(text);
    Text((!text.trim().is_empty()).then_some(text))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn strings_and_numbers_are_kept_and_other_values_are_absent() {
        for (json, text) in [
            (r#""a b""#, Some("a b")),
            (r#"" a b\n""#, Some("a b")),
            (r#"" \n""#, None),
            (r#""\u00e9\"""#, Some("\u{e9}\"")),
            ("-7", Some("-7")),
            ("18446744073709551615", Some("18446744073709551615")),
            ("0.5", Some("0.5")),
            ("true", None),
            ("null", None),
            ("[[1]]", None),
        ] {
            assert_eq!(serde_json::from_str::<Text>(json).unwrap().get(), text, "{json}");
            let value: serde_json::Value = serde_json::from_str(json).unwrap();
            assert_eq!(serde_json::from_value::<Text>(value).unwrap().get(), text, "{json}");
        }
    }

    #[test]
    fn texts_are_ordered_map_keys() {
        let read: BTreeMap<Text, u8> = serde_json::from_str(r#"{"b":1,"a":2,"b":3}"#).unwrap();
        let read: Vec<_> = read.iter().map(|(key, value)| (key.get().unwrap(), *value)).collect();
        assert_eq!(read, [("a", 2), ("b", 3)]);
        let of = |text: &str| kept(text.to_owned());
        assert!(of("a") < of("b") && Text::default() < of("a"));
        assert!(of("a") == of(" a ") && of("a") != of("b") && Text::default() == of(" "));
    }

    #[test]
    fn a_text_shows_only_whether_there_is_one() {
        assert_eq!(format!("{:?}", kept("CANARY".to_owned())), "Text([unscrubbed])");
        assert_eq!(format!("{:?}", Text::default()), "Text()");
    }

    #[test]
    fn a_text_keeps_its_content_while_it_grows() {
        let mut text = Text::default();
        (0..100).for_each(|_| text.push_str("\u{e9}b"));
        assert_eq!(text.get().unwrap(), "\u{e9}b".repeat(100));
    }

    /// A `String` that grows by itself allocates eight bytes at first, and frees the storage
    /// that it leaves unwiped.
    #[test]
    fn a_text_never_grows_in_place_and_only_if_it_must() {
        let mut text = Text::default();
        let mut capacities = Vec::new();
        for _ in 0..9 {
            text.push_str("x");
            capacities.push(text.0.as_ref().unwrap().capacity());
        }
        assert_eq!(capacities, [1, 2, 4, 4, 8, 8, 8, 8, 16]);
    }
}
