//! Reads JSON in which an object has the same key twice, as old servers write it.

use std::collections::BTreeMap;

use serde::de::value::{MapDeserializer, SeqDeserializer};
use serde::de::{Deserializer, IntoDeserializer, Visitor};
use serde::forward_to_deserialize_any;
use serde_json::Error;
use serde_json::value::RawValue;

use super::Text;

/// A JSON text whose objects may repeat a key, at any depth: the last one counts, as in most
/// languages. A derived struct would refuse it.
///
/// Values are borrowed: a `serde_json::Value` would be a copy that is not wiped.
pub(super) struct Lenient<'de>(pub(super) &'de str);

impl<'de> Deserializer<'de> for Lenient<'de> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.0.trim_ascii_start().as_bytes().first() {
            Some(b'{') => {
                let fields: BTreeMap<Text, &RawValue> = serde_json::from_str(self.0)?;
                let fields = fields.iter().map(|(key, value)| (key.get(), Self(value.get())));
                let fields = fields.filter_map(|(key, value)| Some((key?, value)));
                visitor.visit_map(MapDeserializer::new(fields))
            }
            Some(b'[') => {
                let items: Vec<&RawValue> = serde_json::from_str(self.0)?;
                visitor.visit_seq(SeqDeserializer::new(items.iter().map(|item| Self(item.get()))))
            }
            _ => serde_json::Deserializer::from_str(self.0).deserialize_any(visitor),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        if self.0 == "null" { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        serde_json::Deserializer::from_str(self.0).deserialize_enum(name, variants, visitor)
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_unit()
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit
        unit_struct seq tuple tuple_struct map struct identifier
    }
}

impl<'de> IntoDeserializer<'de, Error> for Lenient<'de> {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;
    use crate::wire::Number;

    #[derive(Debug, Default, PartialEq, Deserialize)]
    #[serde(default)]
    struct Read {
        a: Text,
        b: Option<Number>,
        c: Vec<Inner>,
        d: Option<Kind>,
        e: Newtype,
    }

    #[derive(Debug, Default, PartialEq, Deserialize)]
    struct Inner {
        a: Text,
    }

    #[derive(Debug, Default, PartialEq, Deserialize)]
    struct Newtype(Number);

    #[derive(Debug, PartialEq, Deserialize)]
    enum Kind {
        One,
    }

    #[test]
    fn the_last_of_a_repeated_key_counts_at_any_depth() {
        let strict = r#" {"a":"z","b":null,"c":[{"a":"x"},{"a":"y"}],"d":"One","e":7}"#;
        let twice = r#" {"a":{"a":1,"a":2},"unread":{"x":[1]},"b":1,"b": null ,"":1,"d":"One","e":1,
            "c":[],"c" : [{"a":"w","a":"x"} , {"\u0061":"y"}],"a":"z","e":7} "#;
        assert!(serde_json::from_str::<Read>(twice).is_err());
        let expected: Read = serde_json::from_str(strict).unwrap();
        assert_eq!(Read::deserialize(Lenient(strict)).unwrap(), expected);
        assert_eq!(Read::deserialize(Lenient(twice)).unwrap(), expected);
    }

    #[test]
    fn invalid_json_is_refused() {
        for text in ["", "{", r#"{"a":1,}"#, r#"{"a":1} x"#, r#"{"c":[{]}"#, r#"{"a":"x"#] {
            assert!(Read::deserialize(Lenient(text)).is_err(), "{text}");
        }
    }
}
