//! Settings from the environment: `NAME`, or a file named by `NAME_FILE`. One error names all
//! missing settings. The one file that reads environment variables.

mod endpoint;
mod file;

use std::collections::BTreeMap;
use std::fmt;

use secrecy::{ExposeSecret, SecretString};
use zeroize::Zeroizing;

use crate::error::Error;
use crate::secret::Charset;

/// The variables to read settings from: the process environment, or pairs of your own.
///
/// For each variable `NAME` there is `NAME_FILE`, the path of a file with the value (as Docker and
/// Kubernetes mount secrets). One trailing line break is removed, and nothing else. Symbolic links
/// are followed; only regular files are read. An empty variable counts as not set. Errors never
/// show values.
///
/// ```
/// use auth_core::Env;
/// use auth_core::secret::Charset;
///
/// # fn login(env: &Env) -> Result<(), auth_core::Error> {
/// let (key, secret) = env.read("acme", |vars| {
///     let key = vars.required_secret("ACME_KEY", Charset::Text);
///     let secret = vars.required_secret("ACME_SECRET", Charset::Text);
///     Some((key?, secret?)) // after all reads, so that one error names all missing settings
/// })?;
/// # Ok(()) }
/// # let env = Env::from_pairs([("ACME_KEY", "k-1")]);
/// # let error = login(&env).unwrap_err();
/// # assert_eq!(error.message(), "set ACME_SECRET (or ACME_SECRET_FILE)");
/// ```
///
/// Settings from another place, such as a section of a configuration file, are read the same way:
///
/// ```
/// use std::collections::HashMap;
/// use auth_core::Env;
/// use auth_core::secret::Charset;
///
/// let section: HashMap<String, String> =
///     serde_json::from_str(r#"{ "ACME_KEY": "k-1", "ACME_SECRET_FILE": "/run/secrets/acme" }"#)?;
/// let env = Env::from_pairs(section);
/// let key = env.read("acme", |vars| vars.required_secret("ACME_KEY", Charset::Text))?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Env(Source);

enum Source {
    Process,
    Pairs(BTreeMap<String, SecretString>),
}

impl Env {
    /// The process environment.
    #[must_use]
    pub fn process() -> Self {
        Self(Source::Process)
    }

    /// Pairs of your own: for tests, and for settings from another place.
    pub fn from_pairs<N, V>(pairs: impl IntoIterator<Item = (N, V)>) -> Self
    where
        N: Into<String>,
        V: Into<String>,
    {
        let pairs = pairs.into_iter().map(|(name, value)| (name.into(), wiped(value.into())));
        Self(Source::Pairs(pairs.collect()))
    }

    /// Reads settings in a closure, and returns its result if none is missing or wrong.
    ///
    /// In the closure make all reads first and use `?` after them, so that one error can name all
    /// missing settings.
    ///
    /// # Errors
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) with the provider and the name of every
    /// setting that is missing or wrong, never a value. Also if the closure returns `None` although
    /// nothing is missing, because it used `?` on an optional setting.
    pub fn read<T>(
        &self,
        provider: &'static str,
        read: impl FnOnce(&mut EnvReader<'_>) -> Option<T>,
    ) -> Result<T, Error> {
        const UNASKED: &str =
            "a required variable is not set, but the flow reads it as optional: report the bug";
        let mut vars = EnvReader { env: self, missing: Vec::new(), faults: Vec::new() };
        let made = read(&mut vars);
        let made = vars.finish().and_then(|()| made.ok_or_else(|| Error::config(UNASKED)));
        made.map_err(|error| error.with_provider(provider))
    }

    /// Whether any of these names is set, as it is or with `_FILE`.
    #[must_use]
    pub fn any_set(&self, names: &[&str]) -> bool {
        names.iter().any(|name| {
            self.lookup(name).is_some() || self.lookup(&format!("{name}_FILE")).is_some()
        })
    }

    /// The value of a variable that is set and not empty; `Err` if it is not UTF-8.
    fn lookup(&self, name: &str) -> Option<Result<SecretString, ()>> {
        let value = match &self.0 {
            #[allow(clippy::disallowed_methods)] // this file owns the call
            Source::Process => std::env::var_os(name).map(|value| {
                value.into_string().map(wiped).map_err(|bytes| {
                    drop(Zeroizing::new(bytes.into_encoded_bytes()));
                })
            }),
            Source::Pairs(pairs) => pairs.get(name).cloned().map(Ok),
        };
        value.filter(|value| !value.as_ref().is_ok_and(|value| value.expose_secret().is_empty()))
    }
}

/// Copies a value into a secret and wipes the original: a `String` with spare capacity would be
/// reallocated on conversion, which leaves an unwiped copy.
fn wiped(value: String) -> SecretString {
    SecretString::from(Zeroizing::new(value).as_str())
}

impl fmt::Debug for Env {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            Source::Process => "Env(process)",
            Source::Pairs(_) => "Env(pairs)",
        })
    }
}

/// Reads variables and collects what is missing or wrong: the argument of the closure of
/// [`Env::read`].
///
/// Each method comes in two forms: `required_` reports a missing setting, `optional_` does not.
/// Both report an invalid value under the variable's name.
///
/// ```
/// use auth_core::Env;
/// use auth_core::secret::Charset;
///
/// let env = Env::from_pairs([("ACME_SCOPE", "payments")]);
/// let scope = env.read("acme", |vars| Some(vars.optional_text("ACME_SCOPE", Charset::Text)))?;
/// assert_eq!(scope.as_deref(), Some("payments"));
/// # Ok::<(), auth_core::Error>(())
/// ```
#[derive(Debug)]
pub struct EnvReader<'a> {
    env: &'a Env,
    missing: Vec<String>,
    faults: Vec<String>,
}

impl EnvReader<'_> {
    /// Reads a secret that must be set and fit the charset.
    pub fn required_secret(&mut self, name: &str, charset: Charset) -> Option<SecretString> {
        self.require(name, |vars| vars.optional_secret(name, charset))
    }

    /// Reads an optional secret.
    pub fn optional_secret(&mut self, name: &str, charset: Charset) -> Option<SecretString> {
        let value = self.look_up(name)?;
        self.keep(charset.check(name, value).map_err(Error::from))
    }

    /// Reads a required setting that is not secret.
    pub fn required_text(&mut self, name: &str, charset: Charset) -> Option<String> {
        self.require(name, |vars| vars.optional_text(name, charset))
    }

    /// Reads an optional setting that is not secret.
    pub fn optional_text(&mut self, name: &str, charset: Charset) -> Option<String> {
        self.optional_secret(name, charset).map(|text| text.expose_secret().to_owned())
    }

    /// Reads and parses a required setting that is not secret.
    pub fn required_parsed<T>(
        &mut self,
        name: &str,
        parse: impl FnOnce(&str) -> Result<T, Error>,
    ) -> Option<T> {
        self.require(name, |vars| vars.optional_parsed(name, parse))
    }

    /// Reads and parses an optional setting that is not secret.
    pub fn optional_parsed<T>(
        &mut self,
        name: &str,
        parse: impl FnOnce(&str) -> Result<T, Error>,
    ) -> Option<T> {
        let value = self.look_up(name)?;
        self.parse(name, value.expose_secret(), parse)
    }

    /// Collects the error of a check of your own, to be reported with all others.
    pub fn keep<T>(&mut self, result: Result<T, Error>) -> Option<T> {
        result.map_err(|error| self.faults.push(error.message().to_owned())).ok()
    }

    fn parse<T>(
        &mut self,
        name: &str,
        value: &str,
        parse: impl FnOnce(&str) -> Result<T, Error>,
    ) -> Option<T> {
        self.keep(
            parse(value).map_err(|error| Error::config(format!("{name}: {}", error.message()))),
        )
    }

    /// The result of `read`. If that is `None` without a fault, the setting is missing.
    fn require<T>(&mut self, name: &str, read: impl FnOnce(&mut Self) -> Option<T>) -> Option<T> {
        let known = self.faults.len();
        let value = read(self);
        if value.is_none() && self.faults.len() == known {
            self.missing.push(name.to_owned());
        }
        value
    }

    /// One error for everything missing or wrong.
    fn finish(self) -> Result<(), Error> {
        let names: Vec<_> = self.missing.iter().map(|n| format!("{n} (or {n}_FILE)")).collect();
        let missing = (!names.is_empty()).then(|| format!("set {}", names.join(" and ")));
        let texts: Vec<_> = missing.into_iter().chain(self.faults).collect();
        if texts.is_empty() { Ok(()) } else { Err(Error::config(texts.join("; "))) }
    }

    /// The value of a variable or of its file. If it cannot be read, `None` and a fault.
    fn look_up(&mut self, name: &str) -> Option<SecretString> {
        let file_name = format!("{name}_FILE");
        let fault = match (self.env.lookup(name), self.env.lookup(&file_name)) {
            (Some(Ok(value)), None) => return Some(value),
            (None, Some(Ok(path))) => match file::read(path.expose_secret()) {
                Ok(value) => return Some(value),
                Err(fault) => format!("{file_name} names {fault}"),
            },
            (None, None) => return None,
            (Some(_), Some(_)) => format!("{name} and {file_name} are both set: unset one"),
            (Some(Err(())), None) => format!("{name} is not valid UTF-8"),
            (None, Some(Err(()))) => format!("{file_name} is not valid UTF-8"),
        };
        self.faults.push(fault);
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Endpoint;

    fn secret(env: &Env) -> Result<SecretString, Error> {
        env.read("acme", |vars| vars.required_secret("A_SECRET", Charset::Text))
    }

    #[test]
    fn one_error_names_all_missing_settings_and_shows_no_value() {
        let env = Env::from_pairs([("A_KEY", "CANARY-1"), ("A_EMPTY", ""), ("A_URL", "CANARY-2")]);
        let made = env.read("acme", |vars| {
            assert!(vars.required_secret("A_KEY", Charset::Text).is_some());
            vars.required_secret("A_EMPTY", Charset::Text);
            vars.required_text("A_SECRET", Charset::Text);
            vars.optional_parsed("A_URL", Endpoint::parse);
            Some(())
        });
        let text = made.unwrap_err().to_string();
        assert!(
            text.starts_with("acme: set A_EMPTY (or A_EMPTY_FILE) and A_SECRET (or A_SECRET_FILE)"),
            "{text}"
        );
        assert!(text.contains("A_URL: the endpoint URL") && !text.contains("CANARY"), "{text}");
    }

    #[test]
    fn the_closures_result_counts_only_if_nothing_is_missing() {
        let env = Env::from_pairs([("A_KEY", "k"), ("A_URL", "CANARY")]);
        let made = env.read("acme", |vars| vars.optional_text("A_KEY", Charset::Text));
        assert_eq!(made.unwrap(), "k");

        let made: Result<(), _> = env.read("acme", |vars| {
            let key = vars.required_secret("A_SECRET", Charset::Text);
            let url = vars.required_parsed("A_URL", Endpoint::parse);
            unreachable!("{:?}", (key?, url?))
        });
        let text = made.unwrap_err().to_string();
        assert!(text.starts_with("acme: set A_SECRET (or A_SECRET_FILE); A_URL: the"), "{text}");

        let made = env.read("acme", |vars| vars.optional_text("A_SCOPE", Charset::Text));
        let error = made.unwrap_err();
        assert_eq!((error.kind(), error.provider()), (crate::ErrorKind::Config, Some("acme")));
    }

    #[test]
    fn a_file_gives_the_value_less_one_line_break() {
        let dir = std::env::temp_dir().join(format!("auth-core-env-{}", std::process::id()));
        std::fs::create_dir_all(&dir).unwrap();
        let path = dir.join("secret");
        for (content, value) in
            [("s3cret\n", "s3cret"), ("s3cret\r\n", "s3cret"), ("s3cret", "s3cret")]
        {
            std::fs::write(&path, content).unwrap();
            let env = Env::from_pairs([("A_SECRET_FILE", path.to_str().unwrap())]);
            assert_eq!(secret(&env).unwrap().expose_secret(), value);
        }
        let missing = dir.join("nowhere");
        let env = Env::from_pairs([("A_SECRET_FILE", missing.to_str().unwrap())]);
        let error = secret(&env).unwrap_err();
        assert_eq!(
            error.message(),
            "A_SECRET_FILE names a file that cannot be read (no such file)"
        );
        let env = Env::from_pairs([("A_SECRET_FILE", "\"/nowhere/at/all\"")]);
        let text = secret(&env).unwrap_err().to_string();
        assert!(text.contains("no such file") && text.contains("in quotes"), "{text}");
        std::fs::remove_dir_all(dir).unwrap();
    }

    #[test]
    fn a_value_that_cannot_be_read_is_one_fault_and_not_two() {
        let env = Env::from_pairs([("A_URL_FILE", "/nowhere/at/all")]);
        let made = env.read("acme", |vars| vars.required_parsed("A_URL", Endpoint::parse));
        let text = made.unwrap_err().to_string();
        assert!(!text.contains("endpoint URL"), "{text}");
    }

    #[test]
    fn a_variable_and_its_file_both_set_are_an_error_that_names_both() {
        let env = Env::from_pairs([("A_SECRET", "CANARY"), ("A_SECRET_FILE", "/nowhere")]);
        let error = secret(&env).unwrap_err();
        assert_eq!(error.message(), "A_SECRET and A_SECRET_FILE are both set: unset one");
    }
}
