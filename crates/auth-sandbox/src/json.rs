//! A JSON object read strictly: `serde_json` keeps the last of two equal keys; a server that documents
//! one field must refuse them.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::Value;
use serde_json::error::Category;

/// Why a body is not an acceptable object.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Unfit {
    /// Not JSON (RFC 8259), data after it, not UTF-8.
    Syntax,
    /// JSON, but not an object.
    NotAnObject,
    /// This key occurs twice.
    Duplicate(String),
}

/// The members of a JSON object.
#[derive(Debug)]
pub(crate) struct Object(Vec<(String, Value)>);

impl Object {
    pub(crate) fn read(body: &[u8]) -> Result<Self, Unfit> {
        let object: Self =
            serde_json::from_slice(body).map_err(|error| match error.classify() {
                Category::Data => Unfit::NotAnObject,
                _ => Unfit::Syntax,
            })?;
        let keys = || object.0.iter().map(|(key, _)| key);
        let twice = keys().enumerate().find(|(at, key)| keys().take(*at).any(|k| k == *key));
        match twice {
            Some((_, key)) => Err(Unfit::Duplicate(key.clone())),
            None => Ok(object),
        }
    }

    /// An empty body, or an object without members.
    pub(crate) fn empty() -> Self {
        Self(Vec::new())
    }

    /// The fields of a form. Of duplicates, PHP takes the last.
    pub(crate) fn of_form(body: &[u8]) -> Self {
        let fields = form_urlencoded::parse(body).into_owned();
        let mut fields: Vec<_> = fields.map(|(name, value)| (name, Value::String(value))).collect();
        fields.reverse();
        Self(fields)
    }

    pub(crate) fn get(&self, key: &str) -> Option<&Value> {
        self.0.iter().find(|(name, _)| name == key).map(|(_, value)| value)
    }

    pub(crate) fn text(&self, key: &str) -> Option<&str> {
        self.get(key)?.as_str()
    }
}

impl<'de> Deserialize<'de> for Object {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members;

        impl<'de> Visitor<'de> for Members {
            type Value = Object;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Object, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Object(members))
            }
        }

        deserializer.deserialize_map(Members)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_one_object_with_distinct_keys_is_unfit() {
        let cases: [(&str, Unfit); 6] = [
            ("", Unfit::Syntax),
            ("{", Unfit::Syntax),
            ("{} {}", Unfit::Syntax),
            ("[\"a\"]", Unfit::NotAnObject),
            ("null", Unfit::NotAnObject),
            (r#"{"a":1,"b":2,"a":1}"#, Unfit::Duplicate("a".to_owned())),
        ];
        for (body, expected) in cases {
            assert_eq!(Object::read(body.as_bytes()).unwrap_err(), expected, "{body}");
        }
        assert_eq!(Object::read(br#"{"a":"x"}"#).unwrap().text("a"), Some("x"));
    }
}
