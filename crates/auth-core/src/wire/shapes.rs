//! Fields as providers write them: numbers in quotes, lists or words in place of objects.

use std::fmt;
use std::marker::PhantomData;

use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserializer, MapAccess, Visitor};

/// Visitor methods that accept a value of another type and return `$value` instead.
macro_rules! reads_as {
    ($value:expr; bool) => {
        fn visit_bool<E>(self, _: bool) -> Result<Self::Value, E> {
            Ok($value)
        }
    };
    ($value:expr; unit) => {
        fn visit_unit<E>(self) -> Result<Self::Value, E> {
            Ok($value)
        }
    };
    ($value:expr; number) => {
        fn visit_i64<E>(self, _: i64) -> Result<Self::Value, E> {
            Ok($value)
        }

        fn visit_u64<E>(self, _: u64) -> Result<Self::Value, E> {
            Ok($value)
        }

        fn visit_f64<E>(self, _: f64) -> Result<Self::Value, E> {
            Ok($value)
        }
    };
    ($value:expr; text) => {
        fn visit_str<E>(self, _: &str) -> Result<Self::Value, E> {
            Ok($value)
        }
    };
    ($value:expr; seq) => {
        fn visit_seq<A: serde::de::SeqAccess<'de>>(
            self,
            mut seq: A,
        ) -> Result<Self::Value, A::Error> {
            while seq.next_element::<serde::de::IgnoredAny>()?.is_some() {}
            Ok($value)
        }
    };
    ($value:expr; map) => {
        fn visit_map<A: serde::de::MapAccess<'de>>(
            self,
            mut map: A,
        ) -> Result<Self::Value, A::Error> {
            use serde::de::IgnoredAny;
            while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
            Ok($value)
        }
    };
    ($value:expr => $($shape:ident)+) => {
        $(reads_as!($value; $shape);)+
    };
}
pub(super) use reads_as;

use crate::grant::Expiry;

/// A JSON object, read as `T`. A derived struct alone would also accept an array, field by field,
/// which no provider means.
///
/// ```
/// use auth_core::wire::RequiredObject;
///
/// #[derive(Debug, serde::Deserialize)]
/// struct Granted { token: String }
///
/// let granted: RequiredObject<Granted> = serde_json::from_str(r#"{"token":"t"}"#)?;
/// assert_eq!(granted.get().token, "t");
/// assert!(serde_json::from_str::<RequiredObject<Granted>>(r#"["t"]"#).is_err());
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Default, Clone, Copy)]
pub struct RequiredObject<T>(T);

impl<T> RequiredObject<T> {
    /// Returns the object.
    pub const fn get(&self) -> &T {
        &self.0
    }

    /// Returns the object.
    pub fn into_inner(self) -> T {
        self.0
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for RequiredObject<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct OnlyMap<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for OnlyMap<T> {
            type Value = RequiredObject<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
                T::deserialize(MapAccessDeserializer::new(map)).map(RequiredObject)
            }

            // serde's default message would quote the text, in memory that is not wiped.
            fn visit_str<E: serde::de::Error>(self, _: &str) -> Result<Self::Value, E> {
                Err(E::custom("a text where an object is expected"))
            }
        }
        deserializer.deserialize_any(OnlyMap(PhantomData))
    }
}

/// A whole number as providers write it: an integer, a float (rounded down), or either in quotes.
///
/// Anything else (`null`, `true`, `"soon"`, a list) reads as absent, so that an odd expiry means
/// the short default lifetime, not the loss of the token. Numbers beyond 64 bits saturate; a number
/// that no double can represent (`1e400`) makes the whole body unreadable.
///
/// ```
/// use auth_core::Expiry;
/// use auth_core::wire::Number;
///
/// let read = |json| serde_json::from_str::<Number>(json).unwrap().get();
/// assert_eq!(read("300"), Some(300));
/// assert_eq!(read("\"300\""), Some(300));
/// assert_eq!(read("299.9"), Some(299));
/// assert_eq!(read("true"), None);
///
/// let expires_in: Number = serde_json::from_str("300").unwrap();
/// assert_eq!(expires_in.lifetime(), Expiry::after_seconds(300));
/// ```
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Number(Option<i64>);

impl Number {
    /// Returns the number, if there is one.
    #[must_use]
    pub const fn get(self) -> Option<i64> {
        self.0
    }

    /// Returns the number as a lifetime in seconds: a negative one is zero, an absent one unknown.
    #[must_use]
    pub fn lifetime(self) -> Expiry {
        self.get().map_or(Expiry::Unknown, |seconds| {
            Expiry::after_seconds(u64::try_from(seconds).unwrap_or_default())
        })
    }

    /// Returns the number as an instant in Unix seconds; an absent one is unknown.
    #[must_use]
    pub fn instant(self) -> Expiry {
        self.get().map_or(Expiry::Unknown, Expiry::at_unix_seconds)
    }
}

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AnyNumber)
    }
}

/// Reads a token, for `#[serde(deserialize_with)]`. An empty one is none, so that
/// [`read`](super::read) looks for the refusal that came in its place.
///
/// ```
/// #[derive(serde::Deserialize)]
/// struct Granted {
///     #[serde(deserialize_with = "auth_core::wire::token")]
///     token: auth_core::SecretString,
/// }
/// assert!(serde_json::from_str::<Granted>(r#"{"token":"made-up"}"#).is_ok());
/// assert!(serde_json::from_str::<Granted>(r#"{"token":"","error":"invalid_client"}"#).is_err());
/// ```
///
/// # Errors
/// The decoder's, where there is no text or an empty one.
pub fn token<'de, D: Deserializer<'de>>(deserializer: D) -> Result<SecretString, D::Error> {
    let token = SecretString::deserialize(deserializer)?;
    if token.expose_secret().trim().is_empty() {
        return Err(serde::de::Error::custom("an empty token"));
    }
    Ok(token)
}

struct AnyNumber;

impl<'de> Visitor<'de> for AnyNumber {
    type Value = Number;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a number")
    }

    fn visit_i64<E>(self, value: i64) -> Result<Number, E> {
        Ok(Number(Some(value)))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Number, E> {
        Ok(Number(Some(i64::try_from(value).unwrap_or(i64::MAX))))
    }

    // The cast saturates and truncates towards zero; `floor` first, so that -0.5 is negative.
    #[allow(clippy::cast_possible_truncation)]
    fn visit_f64<E>(self, value: f64) -> Result<Number, E> {
        Ok(Number((!value.is_nan()).then(|| value.floor() as i64)))
    }

    fn visit_str<E: serde::de::Error>(self, value: &str) -> Result<Number, E> {
        let text = value.trim();
        let digits = text.strip_prefix('-').unwrap_or(text);
        // `f64` also parses "inf" and "nan", which are not JSON numbers.
        if !digits.starts_with(|c: char| c.is_ascii_digit()) {
            return Ok(Number(None));
        }
        match (text.parse::<i64>(), text.parse::<f64>()) {
            (Ok(whole), _) => self.visit_i64(whole),
            (Err(_), Ok(float)) => self.visit_f64(float),
            _ => Ok(Number(None)),
        }
    }

    reads_as!(Number(None) => bool unit seq map);
}

/// An object read as `T`, or `None` if the value is anything else: PHP writes an empty object as a
/// list, and some providers write a word in its place.
///
/// ```
/// use auth_core::wire::Object;
/// use std::collections::BTreeMap;
///
/// type Fields = Object<BTreeMap<String, u8>>;
/// let read = |json| serde_json::from_str::<Fields>(json).unwrap().into_inner();
/// assert_eq!(read(r#"{"a":1}"#).unwrap()["a"], 1);
/// assert_eq!((read("[]"), read("\"none\""), read("7")), (None, None, None));
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Object<T>(Option<T>);

impl<T> Object<T> {
    /// Returns the object, if there was one.
    pub const fn get(&self) -> Option<&T> {
        self.0.as_ref()
    }

    /// Returns the object, if there was one.
    pub fn into_inner(self) -> Option<T> {
        self.0
    }
}

impl<T> Default for Object<T> {
    fn default() -> Self {
        Self(None)
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct AnyShape<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for AnyShape<T> {
            type Value = Object<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
                T::deserialize(MapAccessDeserializer::new(map)).map(|value| Object(Some(value)))
            }

            reads_as!(Object(None) => bool unit number text seq);
        }
        deserializer.deserialize_any(AnyShape(PhantomData))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_error_for_a_text_in_place_of_an_object_does_not_quote_it() {
        let read = serde_json::from_str::<RequiredObject<Number>>(r#""CANARY""#);
        let text = read.unwrap_err().to_string();
        assert!(text.starts_with("a text where an object is expected"), "{text}");
    }

    #[test]
    fn numbers_are_read_as_providers_write_them() {
        for (json, number) in [
            ("0", Some(0)),
            ("-1", Some(-1)),
            ("-0.5", Some(-1)),
            ("9007199254740993", Some(9_007_199_254_740_993)),
            ("18446744073709551615", Some(i64::MAX)),
            ("1e300", Some(i64::MAX)),
            ("\" 12 \"", Some(12)),
            ("\"12.9\"", Some(12)),
            ("\"\"", None),
            ("\"inf\"", None),
            ("\"nan\"", None),
            ("\"soon\"", None),
            ("null", None),
            ("false", None),
            ("[1,[2]]", None),
            ("{\"a\":1}", None),
        ] {
            assert_eq!(serde_json::from_str::<Number>(json).unwrap().get(), number, "{json}");
        }
    }

    #[test]
    fn an_absent_number_is_an_unknown_expiry_and_a_negative_lifetime_none() {
        for (number, lifetime, instant) in [
            (Some(300), Expiry::after_seconds(300), Expiry::at_unix_seconds(300)),
            (Some(-1), Expiry::after_seconds(0), Expiry::at_unix_seconds(-1)),
            (None, Expiry::Unknown, Expiry::Unknown),
        ] {
            let number = Number(number);
            assert_eq!((number.lifetime(), number.instant()), (lifetime, instant));
        }
    }

    #[test]
    fn an_object_is_read_and_any_other_shape_is_absent_or_refused() {
        let object = Object::<RequiredObject<Number>>::default();
        assert!(object.get().is_none() && object.into_inner().is_none());
        for (json, fields) in [(r#"{"a":1}"#, Some(1)), ("{}", Some(0)), ("[]", None), ("7", None)]
        {
            type Fields = std::collections::BTreeMap<String, u8>;
            let object: Object<Fields> = serde_json::from_str(json).unwrap();
            assert_eq!(object.get().map(Fields::len), fields, "{json}");
            assert_eq!(object.into_inner().map(|object| object.len()), fields, "{json}");
            let required = serde_json::from_str::<RequiredObject<Fields>>(json);
            assert_eq!(required.as_ref().ok().map(|object| object.get().len()), fields, "{json}");
            assert_eq!(required.ok().map(|object| object.into_inner().len()), fields, "{json}");
        }
    }

    /// As another format than JSON may contain.
    #[test]
    fn bytes_are_refused_with_what_is_expected_in_their_place() {
        fn refusal<T: for<'de> Deserialize<'de>>() -> String {
            type Bytes<'a> = serde::de::value::BytesDeserializer<'a, serde::de::value::Error>;
            T::deserialize(Bytes::new(b"x")).err().unwrap().to_string()
        }
        for (text, expected) in [
            (refusal::<Number>(), "a number"),
            (refusal::<super::super::Text>(), "a text"),
            (refusal::<Object<Number>>(), "an object"),
            (refusal::<RequiredObject<Number>>(), "an object"),
        ] {
            assert_eq!(text, format!("invalid type: byte array, expected {expected}"));
        }
    }
}
