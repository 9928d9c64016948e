//! Settings from the environment: `NAME`, or a file named by `NAME_FILE`; all that is missing in
//! one error. The one file that reads environment variables.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt;

use secrecy::{ExposeSecret, SecretString};
use zeroize::Zeroizing;

use crate::error::Error;

/// Where variables are looked up: the process environment, or pairs of your own.
///
/// Each variable `NAME` has a twin `NAME_FILE` that names a file with the value (as Docker and
/// Kubernetes mount secrets); one line break at the file's end is taken off and nothing else. A
/// variable that is set to nothing counts as not set. Values never appear in errors.
///
/// ```
/// use auth_core::Env;
///
/// let env = Env::from_pairs([("ACME_KEY", "k-1")]);
/// let mut vars = env.reader("acme");
/// let (key, secret) = (vars.required("ACME_KEY"), vars.required("ACME_SECRET"));
/// let error = vars.finish().unwrap_err();
/// assert_eq!(error.to_string(), "acme: set ACME_SECRET (or ACME_SECRET_FILE)");
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

    /// Pairs of your own: for tests, and for settings that come from elsewhere.
    pub fn from_pairs<N, V>(pairs: impl IntoIterator<Item = (N, V)>) -> Self
    where
        N: Into<String>,
        V: Into<String>,
    {
        let pairs = pairs
            .into_iter()
            .map(|(name, value)| (name.into(), value.into().into()));
        Self(Source::Pairs(pairs.collect()))
    }

    /// A reader that collects everything that is wrong before it says so.
    #[must_use]
    pub fn reader(&self, provider: &'static str) -> EnvReader<'_> {
        EnvReader {
            env: self,
            provider,
            missing: Vec::new(),
            faults: Vec::new(),
            incomplete: false,
        }
    }

    /// Which of these names are set, as they are or with `_FILE`.
    #[must_use]
    pub fn any_set(&self, names: &[&str]) -> bool {
        names.iter().any(|name| {
            self.lookup(name).is_some() || self.lookup(&format!("{name}_FILE")).is_some()
        })
    }

    /// A set, non-empty variable; `Err` where it is not UTF-8.
    fn lookup(&self, name: &str) -> Option<Result<SecretString, ()>> {
        let value = match &self.0 {
            #[allow(clippy::disallowed_methods)] // this file owns the call
            Source::Process => std::env::var_os(name),
            Source::Pairs(pairs) => pairs.get(name).map(|v| OsString::from(v.expose_secret())),
        };
        let value = value.filter(|value| !value.is_empty())?;
        Some(value.into_string().map(SecretString::from).map_err(drop))
    }
}

impl fmt::Debug for Env {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            Source::Process => "Env(process)",
            Source::Pairs(_) => "Env(pairs)",
        })
    }
}

/// Reads variables and collects all that is missing or wrong. See [`Env`].
///
/// ```
/// use auth_core::Env;
///
/// let env = Env::from_pairs([("ACME_SCOPE", "payments")]);
/// let mut vars = env.reader("acme");
/// assert_eq!(vars.optional("ACME_SCOPE").as_deref(), Some("payments"));
/// vars.finish()?;
/// # Ok::<(), auth_core::Error>(())
/// ```
#[derive(Debug)]
pub struct EnvReader<'a> {
    env: &'a Env,
    provider: &'static str,
    missing: Vec<String>,
    faults: Vec<String>,
    /// Whether a value that was asked for could not be read.
    incomplete: bool,
}

impl EnvReader<'_> {
    /// A variable that must be set. What is missing is reported by [`finish`](Self::finish); until
    /// then the value is blank.
    pub fn required(&mut self, name: &str) -> SecretString {
        self.read(name).unwrap_or_else(|| {
            self.missing.push(name.to_owned());
            self.incomplete = true;
            SecretString::from("")
        })
    }

    /// A variable that may be set and is not secret.
    pub fn optional(&mut self, name: &str) -> Option<String> {
        self.read(name)
            .map(|value| value.expose_secret().to_owned())
    }

    /// A variable that may be set and is secret.
    pub fn optional_secret(&mut self, name: &str) -> Option<SecretString> {
        self.read(name)
    }

    /// A variable that may be set, parsed; what is wrong with it is reported by
    /// [`finish`](Self::finish) under its name.
    pub fn parsed<T>(
        &mut self,
        name: &str,
        parse: impl FnOnce(&str) -> Result<T, Error>,
    ) -> Option<T> {
        let known = self.faults.len();
        let value = self.optional(name)?;
        if self.faults.len() > known {
            return None; // it could not be read, which is said already
        }
        match parse(&value) {
            Ok(parsed) => Some(parsed),
            Err(error) => {
                self.faults.push(format!("{name}: {error}"));
                None
            }
        }
    }

    /// Keeps an error about a value that was read, to be reported with all others.
    pub fn keep<T>(&mut self, result: Result<T, Error>) -> Option<T> {
        match result {
            Ok(value) => Some(value),
            Err(error) => {
                // Where a value could not be read, what is made of it can only repeat that.
                if !self.incomplete {
                    self.faults.push(error.to_string());
                }
                None
            }
        }
    }

    /// Says all that was missing or wrong in one error.
    ///
    /// # Errors
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) with every name and no value.
    pub fn finish(self) -> Result<(), Error> {
        let mut text = String::new();
        if !self.missing.is_empty() {
            let names: Vec<_> = self
                .missing
                .iter()
                .map(|n| format!("{n} (or {n}_FILE)"))
                .collect();
            text = format!("set {}", names.join(" and "));
        }
        for fault in self.faults {
            text = if text.is_empty() {
                fault
            } else {
                format!("{text}; {fault}")
            };
        }
        if text.is_empty() {
            return Ok(());
        }
        Err(Error::config(text).with_provider(self.provider))
    }

    fn read(&mut self, name: &str) -> Option<SecretString> {
        let file_name = format!("{name}_FILE");
        match (self.env.lookup(name), self.env.lookup(&file_name)) {
            (Some(_), Some(_)) => {
                self.fault(format!("{name} and {file_name} are both set: unset one"))
            }
            (Some(Ok(value)), None) => Some(value),
            (Some(Err(())), None) => self.fault(format!("{name} is not valid UTF-8")),
            (None, Some(Ok(path))) => self.read_file(&file_name, path.expose_secret()),
            (None, Some(Err(()))) => self.fault(format!("{file_name} is not valid UTF-8")),
            (None, None) => None,
        }
    }

    fn read_file(&mut self, file_name: &str, path: &str) -> Option<SecretString> {
        let bytes = match std::fs::read(path) {
            Ok(bytes) => Zeroizing::new(bytes),
            Err(error) => {
                return self.fault(format!(
                    "{file_name} names a file that cannot be read ({})",
                    error.kind()
                ));
            }
        };
        let Ok(text) = std::str::from_utf8(&bytes) else {
            return self.fault(format!("{file_name} names a file that is not valid UTF-8"));
        };
        let text = text
            .strip_suffix('\n')
            .map_or(text, |t| t.strip_suffix('\r').unwrap_or(t));
        if text.is_empty() {
            return self.fault(format!("{file_name} names an empty file"));
        }
        Some(SecretString::from(text))
    }

    /// Notes a fault. The value is then blank rather than missing, so that it is named once.
    fn fault(&mut self, text: String) -> Option<SecretString> {
        self.faults.push(text);
        self.incomplete = true;
        Some(SecretString::from(""))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_missing_names_come_in_one_error_and_no_value_does() {
        let env = Env::from_pairs([
            ("A_KEY", "CANARY-1"),
            ("A_EMPTY", ""),
            ("A_URL", "CANARY-2"),
        ]);
        let mut vars = env.reader("acme");
        assert_eq!(vars.required("A_KEY").expose_secret(), "CANARY-1");
        vars.required("A_EMPTY");
        vars.required("A_SECRET");
        vars.parsed("A_URL", crate::Endpoint::parse);
        let text = vars.finish().unwrap_err().to_string();
        assert!(
            text.starts_with("acme: set A_EMPTY (or A_EMPTY_FILE) and A_SECRET (or A_SECRET_FILE)"),
            "{text}"
        );
        assert!(
            text.contains("A_URL: the endpoint URL") && !text.contains("CANARY"),
            "{text}"
        );
    }

    #[test]
    fn a_file_gives_the_value_less_one_line_break() {
        let dir = std::env::temp_dir().join(format!("auth-core-env-{}", std::process::id()));
        std::fs::create_dir_all(&dir).unwrap();
        let path = dir.join("secret");
        for (content, value) in [
            ("s3cret\n", "s3cret"),
            ("s3cret\r\n", "s3cret"),
            ("s3cret\n\n", "s3cret\n"),
        ] {
            std::fs::write(&path, content).unwrap();
            let env = Env::from_pairs([("A_SECRET_FILE", path.to_str().unwrap())]);
            let mut vars = env.reader("acme");
            assert_eq!(vars.required("A_SECRET").expose_secret(), value);
            vars.finish().unwrap();
        }
        let missing = dir.join("nowhere");
        let env = Env::from_pairs([("A_SECRET_FILE", missing.to_str().unwrap())]);
        let mut vars = env.reader("acme");
        vars.required("A_SECRET");
        let text = vars.finish().unwrap_err().to_string();
        assert_eq!(
            text,
            "acme: A_SECRET_FILE names a file that cannot be read (entity not found)"
        );
        std::fs::remove_dir_all(dir).unwrap();
    }

    #[test]
    fn a_value_that_cannot_be_read_is_one_fault_and_not_two() {
        let env = Env::from_pairs([("A_URL_FILE", "/nowhere/at/all")]);
        let mut vars = env.reader("acme");
        assert!(vars.parsed("A_URL", crate::Endpoint::parse).is_none());
        let text = vars.finish().unwrap_err().to_string();
        assert!(!text.contains("endpoint URL"), "{text}");
    }

    #[test]
    fn both_twins_set_is_an_error_that_names_both() {
        let env = Env::from_pairs([("A_SECRET", "CANARY"), ("A_SECRET_FILE", "/nowhere")]);
        let mut vars = env.reader("acme");
        vars.required("A_SECRET");
        let text = vars.finish().unwrap_err().to_string();
        assert_eq!(
            text,
            "acme: A_SECRET and A_SECRET_FILE are both set: unset one"
        );
    }
}
