//! Sixteen bytes that name something: a token, the owner of a lease, a request.

use std::fmt;

use auth_core::{Error, Generation};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::de::{self, Deserialize, Deserializer, Visitor};
use serde::ser::{Serialize, Serializer};

use crate::random::fill;

/// Sixteen bytes, in a record 22 characters of base64.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Id([u8; 16]);

impl Id {
    #[cfg(test)]
    pub(crate) const fn new(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// Draws one.
    pub(crate) fn draw() -> Result<Self, Error> {
        let mut bytes = [0; 16];
        fill(&mut bytes)?;
        Ok(Self(bytes))
    }

    /// The first 16 bytes.
    pub(crate) fn beginning(bytes: &[u8]) -> Option<Self> {
        bytes.first_chunk().copied().map(Self)
    }

    pub(crate) const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

impl From<Generation> for Id {
    fn from(generation: Generation) -> Self {
        Self(*generation.as_bytes())
    }
}

impl From<Id> for Generation {
    fn from(id: Id) -> Self {
        Self::new(id.0)
    }
}

impl Serialize for Id {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&URL_SAFE_NO_PAD.encode(self.0))
    }
}

impl<'de> Deserialize<'de> for Id {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;
        impl Visitor<'_> for Text {
            type Value = Id;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("16 bytes in base64")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Id, E> {
                let bytes = URL_SAFE_NO_PAD.decode(text).unwrap_or_default();
                bytes.try_into().map(Id).map_err(|_| E::custom("not 16 bytes in base64"))
            }
        }
        deserializer.deserialize_str(Text)
    }
}
