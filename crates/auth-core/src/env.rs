//! Settings from the environment: `NAME`, or a file named by `NAME_FILE`; all that is missing in
//! one error. The one file that reads environment variables.

mod endpoint;
mod file;

use std::collections::BTreeMap;
use std::fmt;

use secrecy::{ExposeSecret, SecretString};
use zeroize::Zeroizing;

use crate::error::Error;
use crate::secret::{Charset, checked};

/// Where variables are looked up: the process environment, or pairs of your own.
///
/// Each variable `NAME` has a twin `NAME_FILE` that names a file with the value (as Docker and
/// Kubernetes mount secrets); one line break at the file's end is taken off and nothing else. Only
/// regular files are read, after symbolic links. A variable that is set to nothing counts as not set. Values never appear in errors.
///
/// ```
/// use auth_core::Env;
/// use auth_core::secret::Charset;
///
/// let env = Env::from_pairs([("ACME_KEY", "k-1")]);
/// let mut vars = env.reader("acme");
/// let key = vars.required("ACME_KEY", Charset::Text);
/// let secret = vars.required("ACME_SECRET", Charset::Text);
/// let error = vars.finish().unwrap_err();
/// assert_eq!(error.message(), "set ACME_SECRET (or ACME_SECRET_FILE)");
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
        let pairs = pairs.into_iter().map(|(name, value)| (name.into(), wiped(value.into())));
        Self(Source::Pairs(pairs.collect()))
    }

    /// A reader that collects everything that is wrong before it says so.
    #[must_use]
    pub fn reader(&self, provider: &'static str) -> EnvReader<'_> {
        EnvReader { env: self, provider, missing: Vec::new(), faults: Vec::new() }
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

/// A value as a secret, and the string that it came in wiped: that one may have room for more, and a
/// secret would be moved out of it.
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
}

impl EnvReader<'_> {
    /// A secret that must be set and fit its place. What is missing or wrong is reported by
    /// [`finish`](Self::finish) under the variable's name.
    pub fn required(&mut self, name: &str, charset: Charset) -> Option<SecretString> {
        let value = self.must_read(name)?;
        self.keep(checked(name, value, charset))
    }

    /// A variable that must be set and is not secret, parsed.
    pub fn required_parsed<T>(
        &mut self,
        name: &str,
        parse: impl FnOnce(&str) -> Result<T, Error>,
    ) -> Option<T> {
        let value = self.must_read(name)?;
        self.parse(name, value.expose_secret(), parse)
    }

    /// A variable that may be set and is not secret.
    pub fn optional(&mut self, name: &str) -> Option<String> {
        self.read(name).map(|value| value.expose_secret().to_owned())
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
        let value = self.optional(name)?;
        self.parse(name, &value, parse)
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

    /// Keeps an error about a value that was read, to be reported with all others.
    pub fn keep<T>(&mut self, result: Result<T, Error>) -> Option<T> {
        result.map_err(|error| self.faults.push(error.message().to_owned())).ok()
    }

    /// Says all that was missing or wrong in one error. [`finish_with`](Self::finish_with) also
    /// makes something of what was read.
    ///
    /// # Errors
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) with every name and no value.
    pub fn finish(self) -> Result<(), Error> {
        let mut text = String::new();
        if !self.missing.is_empty() {
            let names: Vec<_> = self.missing.iter().map(|n| format!("{n} (or {n}_FILE)")).collect();
            text = format!("set {}", names.join(" and "));
        }
        for fault in self.faults {
            text = if text.is_empty() { fault } else { format!("{text}; {fault}") };
        }
        if text.is_empty() {
            return Ok(());
        }
        Err(Error::config(text).with_provider(self.provider))
    }

    /// As [`finish`](Self::finish), and then makes something of the values. All reads come first,
    /// so that one error can name all that is missing; in the closure `?` takes what each brought.
    ///
    /// ```
    /// use auth_core::Env;
    /// use auth_core::secret::Charset;
    ///
    /// let env = Env::from_pairs([("ACME_KEY", "k-1"), ("ACME_SECRET", "made-up-secret")]);
    /// let mut vars = env.reader("acme");
    /// let key = vars.required("ACME_KEY", Charset::Text);
    /// let secret = vars.required("ACME_SECRET", Charset::Text);
    /// let scope = vars.optional("ACME_SCOPE");
    /// let (key, secret, scope) = vars.finish_with(|| Some((key?, secret?, scope)))?;
    /// assert_eq!(scope, None);
    /// # Ok::<(), auth_core::Error>(())
    /// ```
    ///
    /// # Errors
    /// As for `finish`. And [`ErrorKind::Config`](crate::ErrorKind::Config) where `make` returns
    /// `None` although nothing is missing, since it used `?` on a variable that may be absent.
    pub fn finish_with<T>(self, make: impl FnOnce() -> Option<T>) -> Result<T, Error> {
        const UNASKED: &str =
            "a variable that is needed is not set, and was read as one that may be absent";
        let provider = self.provider;
        self.finish()?;
        make().ok_or_else(|| Error::config(UNASKED).with_provider(provider))
    }

    /// A value that must be there.
    fn must_read(&mut self, name: &str) -> Option<SecretString> {
        let known = self.faults.len();
        let value = self.read(name);
        if value.is_none() && self.faults.len() == known {
            self.missing.push(name.to_owned());
        }
        value
    }

    /// A value; where it cannot be read, nothing, and a fault that says so.
    fn read(&mut self, name: &str) -> Option<SecretString> {
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

    #[test]
    fn all_missing_names_come_in_one_error_and_no_value_does() {
        let env = Env::from_pairs([("A_KEY", "CANARY-1"), ("A_EMPTY", ""), ("A_URL", "CANARY-2")]);
        let mut vars = env.reader("acme");
        assert!(vars.required("A_KEY", Charset::Text).is_some());
        vars.required("A_EMPTY", Charset::Text);
        vars.required("A_SECRET", Charset::Text);
        vars.parsed("A_URL", Endpoint::parse);
        let text = vars.finish().unwrap_err().to_string();
        assert!(
            text.starts_with("acme: set A_EMPTY (or A_EMPTY_FILE) and A_SECRET (or A_SECRET_FILE)"),
            "{text}"
        );
        assert!(text.contains("A_URL: the endpoint URL") && !text.contains("CANARY"), "{text}");
    }

    #[test]
    fn what_is_made_of_the_values_is_made_once_all_are_there() {
        let env = Env::from_pairs([("A_KEY", "k"), ("A_URL", "CANARY")]);
        let mut vars = env.reader("acme");
        assert_eq!(vars.optional("A_KEY").as_deref(), Some("k"));
        assert_eq!(vars.finish_with(|| Some(7)).unwrap(), 7);

        let mut vars = env.reader("acme");
        let key = vars.required("A_SECRET", Charset::Text);
        let url = vars.parsed("A_URL", Endpoint::parse);
        let made = vars.finish_with(|| -> Option<()> { unreachable!("{key:?} {url:?}") });
        let text = made.unwrap_err().to_string();
        assert!(text.starts_with("acme: set A_SECRET (or A_SECRET_FILE); A_URL: the"), "{text}");

        let mut vars = env.reader("acme");
        let scope = vars.optional("A_SCOPE");
        let error = vars.finish_with(|| scope).unwrap_err();
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
            let mut vars = env.reader("acme");
            let found = vars.required("A_SECRET", Charset::Text);
            assert_eq!(found.unwrap().expose_secret(), value);
            vars.finish().unwrap();
        }
        let missing = dir.join("nowhere");
        let env = Env::from_pairs([("A_SECRET_FILE", missing.to_str().unwrap())]);
        let mut vars = env.reader("acme");
        vars.required("A_SECRET", Charset::Text);
        let error = vars.finish().unwrap_err();
        assert_eq!(
            error.message(),
            "A_SECRET_FILE names a file that cannot be read (no such file)"
        );
        std::fs::remove_dir_all(dir).unwrap();
    }

    #[test]
    fn a_value_that_cannot_be_read_is_one_fault_and_not_two() {
        let env = Env::from_pairs([("A_URL_FILE", "/nowhere/at/all")]);
        let mut vars = env.reader("acme");
        assert!(vars.parsed("A_URL", Endpoint::parse).is_none());
        let text = vars.finish().unwrap_err().to_string();
        assert!(!text.contains("endpoint URL"), "{text}");
    }

    #[test]
    fn both_twins_set_is_an_error_that_names_both() {
        let env = Env::from_pairs([("A_SECRET", "CANARY"), ("A_SECRET_FILE", "/nowhere")]);
        let mut vars = env.reader("acme");
        vars.required("A_SECRET", Charset::Text);
        let error = vars.finish().unwrap_err();
        assert_eq!(error.message(), "A_SECRET and A_SECRET_FILE are both set: unset one");
    }
}
