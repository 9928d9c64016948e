//! Reads variables, and collects what is missing or wrong.

use std::path::Path;

use secrecy::{ExposeSecret, SecretString};

use super::{Env, file};
use crate::error::Error;
use crate::secret::{Charset, pasting_mark};

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
    /// The variables that were looked up, without `_FILE`.
    asked: Vec<String>,
    missing: Vec<String>,
    pub(super) faults: Vec<String>,
}

impl<'a> EnvReader<'a> {
    pub(super) fn new(env: &'a Env) -> Self {
        Self { env, asked: Vec::new(), missing: Vec::new(), faults: Vec::new() }
    }
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

    /// Returns what to check if the provider rejects these settings: their names as they were
    /// written, and for each that came from a file when that was read and last changed. Call it
    /// after the settings are read. For [`wire::read`](crate::wire::read).
    ///
    /// ```
    /// use auth_core::{Env, Section};
    ///
    /// let env = Env::from_section("acme", Section::default());
    /// let check = env.read("acme", |vars| Some(vars.origin(&["ACME_KEY", "ACME_SECRET"])))?;
    /// assert_eq!(check, "key and secret");
    /// # Ok::<(), auth_core::Error>(())
    /// ```
    #[must_use]
    pub fn origin(&self, names: &[&str]) -> String {
        let seen = self.env.seen();
        let times: Vec<_> =
            names.iter().filter_map(|name| seen.times(&format!("{name}_FILE"))).collect();
        let mut text = names.join(" and ");
        if !times.is_empty() {
            text = format!("{text} ({})", times.join("; "));
        }
        drop(seen);
        self.env.named(&text)
    }

    /// Collects the error of a check of your own, to be reported with all others.
    pub fn keep<T>(&mut self, result: Result<T, Error>) -> Option<T> {
        result.map_err(|error| self.faults.push(error.message().to_owned())).ok()
    }

    pub(super) fn parse<T>(
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
    pub(super) fn require<T>(
        &mut self,
        name: &str,
        read: impl FnOnce(&mut Self) -> Option<T>,
    ) -> Option<T> {
        let known = self.faults.len();
        let value = read(self);
        if value.is_none() && self.faults.len() == known {
            self.missing.push(name.to_owned());
        }
        value
    }

    /// One error for everything missing or wrong.
    pub(super) fn finish(self) -> Result<(), Error> {
        let names: Vec<_> = self.missing.iter().map(|n| format!("{n} (or {n}_FILE)")).collect();
        let missing = (!names.is_empty()).then(|| format!("set {}", names.join(" and ")));
        let unknown = self.env.unknown(&self.asked);
        let texts: Vec<_> = missing.into_iter().chain(self.faults).chain(unknown).collect();
        if texts.is_empty() { Ok(()) } else { Err(Error::config(texts.join("; "))) }
    }

    /// The value of a variable or of its file. If it cannot be read, `None` and a fault.
    pub(super) fn look_up(&mut self, name: &str) -> Option<SecretString> {
        let file_name = format!("{name}_FILE");
        self.asked.push(name.to_owned());
        let fault = match (self.env.lookup(name), self.env.lookup(&file_name)) {
            (Some(Ok(value)), None) => return Some(value),
            (None, Some(Ok(path))) => match self.read_file(&file_name, path.expose_secret()) {
                Ok(value) => return Some(value),
                Err(fault) => format!("{file_name} names {fault}"),
            },
            (None, None) => return None,
            (Some(_), Some(_)) => format!("{name} and {file_name} are both set: unset one"),
            (Some(Err(fault)), None) => format!("{name} {fault}"),
            (None, Some(Err(fault))) => format!("{file_name} {fault}"),
        };
        self.faults.push(fault);
        None
    }

    fn read_file(&self, variable: &str, named: &str) -> Result<SecretString, String> {
        let folder = self.env.folder.as_deref();
        let path = folder.map_or_else(|| Path::new(named).to_owned(), |folder| folder.join(named));
        let read = file::read(&path);
        let stamp = read.as_ref().ok().and_then(|(_, stamp)| stamp.as_ref());
        self.env.saw(variable, &path, stamp.cloned());
        match read {
            Ok((value, _)) => Ok(value),
            Err(fault) => match pasting_mark(named) {
                Some(mark) if fault.ends_with(file::MISSING) => Err(format!("{fault}: {mark}")),
                _ => Err(fault),
            },
        }
    }
}
