//! Secrets in configuration files: read from a quoted string, and never shown in an error.
//!
//! serde's own message quotes a value of the wrong type (``invalid type: integer `12345678` ``), so
//! a value of any type is accepted first and refused afterwards, with a fixed text.

use std::fmt;

use secrecy::SecretString;
use serde::Deserialize;
use serde::de::{Deserializer, EnumAccess, Error, IgnoredAny, MapAccess, SeqAccess};
use serde::de::{VariantAccess, Visitor};

use super::wiped::moved;

/// What a value must be.
pub(crate) const QUOTED: &str = "must be a quoted string";

/// Reads a required secret: for the fields of a configuration of your own.
///
/// Only a string is accepted. A number is refused and not converted, since its leading zeros are
/// lost before it arrives here. An owned string is moved into the secret and wiped. The error is a
/// fixed text without the value; but a format's own error may quote the line of the file that it
/// points at, as `toml` does: print its `message()`.
///
/// ```
/// use auth_core::SecretString;
///
/// #[derive(serde::Deserialize)]
/// struct Acme {
///     #[serde(deserialize_with = "auth_core::secret::quoted")]
///     secret: SecretString,
/// }
/// assert!(serde_json::from_str::<Acme>(r#"{"secret":"made-up"}"#).is_ok());
/// let error = serde_json::from_str::<Acme>(r#"{"secret":12345678}"#).err().unwrap();
/// assert!(error.to_string().starts_with("must be a quoted string"));
/// ```
///
/// # Errors
/// Where the value is not a string.
pub fn quoted<'de, D: Deserializer<'de>>(deserializer: D) -> Result<SecretString, D::Error> {
    match Written::deserialize(deserializer)? {
        Written::Text(secret) => Ok(secret),
        Written::Nothing | Written::Other => Err(D::Error::custom(QUOTED)),
    }
}

/// As [`quoted`], for an optional secret: nothing (`null`) is `None`. Use it with
/// `#[serde(default)]`.
///
/// ```
/// use auth_core::SecretString;
///
/// #[derive(serde::Deserialize)]
/// struct Acme {
///     #[serde(default, deserialize_with = "auth_core::secret::quoted_opt")]
///     secret: Option<SecretString>,
/// }
/// let acme: Acme = serde_json::from_str(r#"{"secret":null}"#)?;
/// assert!(acme.secret.is_none());
/// assert!(serde_json::from_str::<Acme>(r#"{"secret":true}"#).is_err());
/// # Ok::<(), serde_json::Error>(())
/// ```
///
/// # Errors
/// Where the value is neither a string nor nothing.
pub fn quoted_opt<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<SecretString>, D::Error> {
    match Written::deserialize(deserializer)? {
        Written::Text(secret) => Ok(Some(secret)),
        Written::Nothing => Ok(None),
        Written::Other => Err(D::Error::custom(QUOTED)),
    }
}

/// A value as it was written: a string, nothing, or a value of another type, which is not kept.
#[derive(Clone, Debug)]
pub(crate) enum Written {
    Text(SecretString),
    Nothing,
    Other,
}

impl<'de> Deserialize<'de> for Written {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AnyType)
    }
}

/// Accepts every type: serde's default for each would quote the value in its error.
struct AnyType;

impl<'de> Visitor<'de> for AnyType {
    type Value = Written;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a quoted string")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Written, E> {
        Ok(Written::Text(text.into()))
    }

    fn visit_string<E: Error>(self, text: String) -> Result<Written, E> {
        Ok(Written::Text(moved(text)))
    }

    fn visit_none<E: Error>(self) -> Result<Written, E> {
        Ok(Written::Nothing)
    }

    fn visit_unit<E: Error>(self) -> Result<Written, E> {
        Ok(Written::Nothing)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Written, D::Error> {
        Written::deserialize(deserializer)
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(
        self,
        deserializer: D,
    ) -> Result<Written, D::Error> {
        Written::deserialize(deserializer)
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<Written, E> {
        Ok(Written::Other)
    }

    fn visit_i64<E: Error>(self, _: i64) -> Result<Written, E> {
        Ok(Written::Other)
    }

    fn visit_i128<E: Error>(self, _: i128) -> Result<Written, E> {
        Ok(Written::Other)
    }

    fn visit_u64<E: Error>(self, _: u64) -> Result<Written, E> {
        Ok(Written::Other)
    }

    fn visit_u128<E: Error>(self, _: u128) -> Result<Written, E> {
        Ok(Written::Other)
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<Written, E> {
        Ok(Written::Other)
    }

    fn visit_bytes<E: Error>(self, _: &[u8]) -> Result<Written, E> {
        Ok(Written::Other)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Written, A::Error> {
        while items.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Written::Other)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Written, A::Error> {
        while entries.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Written::Other)
    }

    /// A tag of YAML, as in `!secret name`.
    fn visit_enum<A: EnumAccess<'de>>(self, tagged: A) -> Result<Written, A::Error> {
        let (_, content) = tagged.variant::<IgnoredAny>()?;
        content.newtype_variant::<IgnoredAny>()?;
        Ok(Written::Other)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use secrecy::ExposeSecret as _;

    #[derive(Debug, Deserialize)]
    struct Section {
        #[serde(deserialize_with = "quoted")]
        secret: SecretString,
        #[serde(default, deserialize_with = "quoted_opt")]
        other: Option<SecretString>,
    }

    fn read(json: &str) -> Result<Section, serde_json::Error> {
        serde_json::from_str(json)
    }

    #[test]
    fn a_string_is_taken_whether_it_is_borrowed_or_owned() {
        let section = read(r#"{"secret":"made-up","other":"made\u002dup"}"#).unwrap();
        assert_eq!(section.secret.expose_secret(), "made-up");
        assert_eq!(section.other.unwrap().expose_secret(), "made-up");
        let owned = serde_json::json!({ "secret": "made-up" });
        assert!(serde_json::from_value::<Section>(owned).unwrap().other.is_none());
    }

    #[test]
    fn a_value_of_another_type_is_refused_with_a_fixed_text() {
        for value in ["12345678", "-12345678", "1234.5678", "true", "[12345678]", r#"{"a":123}"#] {
            for json in
                [format!(r#"{{"secret":{value}}}"#), format!(r#"{{"secret":"s","other":{value}}}"#)]
            {
                let text = read(&json).unwrap_err().to_string();
                assert!(text.starts_with("must be a quoted string at line 1"), "{text}");
                assert!(!text.contains("123"), "{text}");
            }
        }
        assert!(read(r#"{"secret":null}"#).is_err());
        assert!(read(r#"{"secret":"s","other":null}"#).unwrap().other.is_none());
    }
}
