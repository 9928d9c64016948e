//! A section of a configuration file: its fields as they were written, to be read as variables.

use std::collections::BTreeMap;
use std::fmt;

use secrecy::SecretString;
use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};

use crate::secret::scrub::printable;
use crate::secret::{QUOTED, Written};

/// The longest name of an unknown field that is shown, in characters.
const NAME_LIMIT: usize = 64;

/// A section of a configuration file, in any format of serde: its fields as they were written.
///
/// It is checked when it is read ([`Env::from_section`](crate::Env::from_section)) and not while it
/// is parsed. So one error names all faults, among them values of a wrong type and unknown fields;
/// and no value is shown, where a format's own error quotes it or, as `toml` does, the line that it
/// stands in. Strings are moved into wiped memory. An empty string, or nothing (`null`), counts as
/// not set. `Debug` shows the fields' names only.
///
/// Faults of the syntax, such as a string that does not end, remain the format's: print no more
/// than its `message()`.
///
/// ```
/// use auth_core::secret::Charset;
/// use auth_core::{Env, Section};
///
/// let section: Section = serde_json::from_str(r#"{"key":12345678}"#)?; // a number
/// let env = Env::from_section("acme", section);
/// let read = env.read("acme", |vars| vars.required_secret("ACME_KEY", Charset::Text));
/// assert_eq!(read.unwrap_err().to_string(), "acme: key must be a quoted string");
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Default)]
pub struct Section(BTreeMap<String, Result<SecretString, &'static str>>);

impl Section {
    /// Removes a field and returns its text; `None` if it is absent or not a string.
    ///
    /// ```
    /// use auth_core::{ExposeSecret, Section};
    ///
    /// let mut section: Section = serde_json::from_str(r#"{"provider":"acme","key":1}"#)?;
    /// let provider = section.take("provider");
    /// assert_eq!(provider.as_ref().map(|name| name.expose_secret()), Some("acme"));
    /// assert!(section.take("provider").is_none() && section.take("key").is_none());
    /// # Ok::<(), serde_json::Error>(())
    /// ```
    pub fn take(&mut self, name: &str) -> Option<SecretString> {
        self.0.remove(name).and_then(Result::ok)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn get(&self, name: &str) -> Option<Result<SecretString, &'static str>> {
        self.0.get(name).cloned()
    }

    /// What is wrong with the fields that were not asked for, if there are any.
    pub(super) fn unknown(&self, prefix: &str, asked: &[String]) -> Option<String> {
        let asked: Vec<_> = asked.iter().map(|name| named(name, prefix)).collect();
        let is_known = |field: &str| {
            asked.iter().any(|name| name == field || field.strip_suffix("_file") == Some(name))
        };
        let unknown: Vec<_> = self
            .0
            .keys()
            .filter(|field| !is_known(field))
            .map(|field| format!("{} is no setting", printable(field, NAME_LIMIT)))
            .collect();
        let (last, first) = asked.split_last()?;
        let comma =
            if first.is_empty() { String::new() } else { format!("{} or ", first.join(", ")) };
        let expected = format!("expected {comma}{last}, or one of them with _file");
        (!unknown.is_empty()).then(|| format!("{}: {expected}", unknown.join(", ")))
    }
}

/// The text with each variable of the prefix as the field: `ACME_API_KEY` is `api_key`.
pub(super) fn named(text: &str, prefix: &str) -> String {
    let mut parts = text.split(prefix);
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let is_name = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_';
        let end = part.find(|c| !is_name(c)).unwrap_or(part.len());
        let (name, rest) = part.split_at(end);
        out.push_str(&name.to_ascii_lowercase());
        out.push_str(rest);
    }
    out
}

impl<'de> Deserialize<'de> for Section {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Fields)
    }
}

struct Fields;

impl<'de> Visitor<'de> for Fields {
    type Value = Section;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a section with settings")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Section, A::Error> {
        let mut fields = BTreeMap::new();
        while let Some((name, value)) = entries.next_entry::<String, Written>()? {
            let value = match value {
                _ if fields.contains_key(&name) => Err("is given twice"),
                Written::Text(text) => Ok(text),
                Written::Nothing => Ok(SecretString::default()),
                Written::Other => Err(QUOTED),
            };
            fields.insert(name, value);
        }
        Ok(Section(fields))
    }
}

impl fmt::Debug for Section {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Section ")?;
        f.debug_set().entries(self.0.keys()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::Charset;
    use crate::{Endpoint, Env, Error};

    fn read(json: &str) -> Result<(), Error> {
        let env = Env::from_section("acme", serde_json::from_str(json).unwrap());
        env.read("acme", |vars| {
            vars.required_secret("ACME_SECRET", Charset::Text);
            vars.optional_endpoint("ACME_BASE_URL", "");
            vars.optional_parsed("ACME_OTHER_URL", Endpoint::parse);
            Some(())
        })
    }

    #[test]
    fn one_error_names_the_fields_and_shows_no_value() {
        for (json, says) in [
            ("{}", "set secret (or secret_file)"),
            (r#"{"secret":""}"#, "set secret (or secret_file)"),
            (r#"{"secret":null}"#, "set secret (or secret_file)"),
            (r#"{"secret":12}"#, "secret must be a quoted string"),
            (r#"{"secret":"a","secret":"b"}"#, "secret is given twice"),
            (r#"{"secret":"CANARY\n"}"#, "secret has whitespace at its start or end"),
            (r#"{"secret":"CANARY","secret_file":"x"}"#, "secret and secret_file are both set"),
            (r#"{"secret_file":7}"#, "secret_file must be a quoted string"),
            (r#"{"secret_file":"/nowhere/at/all"}"#, "secret_file names a file that cannot be"),
            (r#"{"secret":"s","other_url":"http://CANARY"}"#, "other_url: the endpoint URL is"),
            (
                r#"{"secret":"s","base_url":"https://CANARY"}"#,
                "ask the provider for its host, or set base_url_internal instead",
            ),
            (r#"{"secret":"s","Secret":"CANARY"}"#, "Secret is no setting: expected secret, base_"),
            (
                r#"{"secrte":"CANARY","url":["CANARY"]}"#,
                "set secret (or secret_file); secrte is no setting, url is no setting: expected",
            ),
        ] {
            let text = read(json).unwrap_err().to_string();
            assert!(text.starts_with("acme: ") && text.contains(says), "{json}: {text}");
            assert!(!text.contains("CANARY"), "{text}");
        }
        assert!(read(r#"{"secret":"s","base_url_internal":"https://host:1"}"#).is_ok());
    }

    #[test]
    fn debug_shows_names_only() {
        let section: Section = serde_json::from_str(r#"{"secret":"CANARY","a":1}"#).unwrap();
        assert_eq!(format!("{section:?}"), r#"Section {"a", "secret"}"#);
        assert_eq!(format!("{:?}", Env::from_section("acme", section)), "Env(section)");
    }
}
