//! Settings from the environment: `NAME`, or a file named by `NAME_FILE`. One error names all
//! missing settings. The one file that reads environment variables.

mod endpoint;
mod file;
mod reader;
mod section;
mod seen;

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use secrecy::{ExposeSecret, SecretString};
use zeroize::Zeroizing;

pub use self::reader::EnvReader;
pub use self::section::Section;
use self::seen::{Seen, Stamp};
use crate::error::Error;
use crate::secret::moved;

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
/// A [`Section`] of a configuration file is read the same way: [`from_section`](Self::from_section).
pub struct Env {
    source: Source,
    /// What relative paths start from; the working directory if `None`.
    folder: Option<PathBuf>,
    seen: Mutex<Seen>,
}

#[derive(Clone)]
enum Source {
    Process,
    Pairs(BTreeMap<String, SecretString>),
    Section { prefix: String, section: Section },
}

impl Env {
    /// The process environment.
    #[must_use]
    pub fn process() -> Self {
        Self::of(Source::Process)
    }

    /// Pairs of your own: for tests, and for settings from another place.
    pub fn from_pairs<N, V>(pairs: impl IntoIterator<Item = (N, V)>) -> Self
    where
        N: Into<String>,
        V: Into<String>,
    {
        let pairs = pairs.into_iter().map(|(name, value)| (name.into(), moved(value.into())));
        Self::of(Source::Pairs(pairs.collect()))
    }

    /// The fields of a section, for the variables of a provider: `api_key` is read as
    /// `ACME_API_KEY`, `api_key_file` as `ACME_API_KEY_FILE`.
    ///
    /// Errors name the fields as they are written in the file, and also each field that was not
    /// asked for, so that a misspelt one is not ignored.
    ///
    /// ```
    /// use auth_core::secret::Charset;
    /// use auth_core::{Env, Section};
    ///
    /// let section: Section = serde_json::from_str(r#"{"key":"k-1","secert":"made-up"}"#)?;
    /// let env = Env::from_section("acme", section);
    /// let read = env.read("acme", |vars| {
    ///     let key = vars.required_secret("ACME_KEY", Charset::Text);
    ///     let secret = vars.required_secret("ACME_SECRET", Charset::Text);
    ///     Some((key?, secret?))
    /// });
    /// let says = "set secret (or secret_file); secert is no setting: expected key or secret, \
    ///             or one of them with _file";
    /// assert_eq!(read.unwrap_err().message(), says);
    /// # Ok::<(), serde_json::Error>(())
    /// ```
    #[must_use]
    pub fn from_section(provider: &str, section: Section) -> Self {
        let prefix = format!("{}_", provider.to_ascii_uppercase());
        Self::of(Source::Section { prefix, section })
    }

    fn of(source: Source) -> Self {
        Self { source, folder: None, seen: Mutex::default() }
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
        let mut vars = EnvReader::new(self);
        let made = read(&mut vars);
        let made = vars.finish().and_then(|()| made.ok_or_else(|| Error::config(UNASKED)));
        made.map_err(|error| self.fault(provider, error.message()))
    }

    /// An error about these settings, for a check of your own outside [`read`](Self::read):
    /// [`ErrorKind::Config`](crate::ErrorKind::Config). Variables in the message are named as they
    /// were written, so those of a section as its fields.
    ///
    /// ```
    /// use auth_core::{Env, Section};
    ///
    /// let env = Env::from_section("acme", Section::default());
    /// let error = env.fault("acme", "ACME_KEY and ACME_TOKEN are both set: unset one");
    /// assert_eq!(error.message(), "key and token are both set: unset one");
    /// ```
    #[must_use]
    pub fn fault(&self, provider: &'static str, message: &str) -> Error {
        Error::config(self.named(message)).with_provider(provider)
    }

    /// Fixes the folder that relative paths start from, for readings to come.
    pub(crate) fn in_this_folder(mut self) -> Self {
        self.folder = self.folder.or_else(|| std::env::current_dir().ok());
        self
    }

    /// Forgets what earlier readings saw.
    pub(crate) fn forget_seen(&self) {
        *self.seen() = Seen::default();
    }

    /// Whether the files that were read are still the same.
    pub(crate) fn is_unchanged(&self) -> bool {
        self.seen().is_unchanged()
    }

    /// Whether any setting was found.
    pub(crate) fn has_any(&self) -> bool {
        let is_section =
            matches!(&self.source, Source::Section { section, .. } if !section.is_empty());
        self.seen().any || is_section
    }

    fn saw(&self, variable: &str, path: &Path, stamp: Option<Stamp>) {
        self.seen().file(variable, path, stamp);
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The text with its variables named as they were written.
    fn named(&self, text: &str) -> String {
        match &self.source {
            Source::Process | Source::Pairs(_) => text.to_owned(),
            Source::Section { prefix, .. } => section::named(text, prefix),
        }
    }

    /// Whether any of these names is set, as it is or with `_FILE`.
    #[must_use]
    pub fn any_set(&self, names: &[&str]) -> bool {
        names.iter().any(|name| {
            self.lookup(name).is_some() || self.lookup(&format!("{name}_FILE")).is_some()
        })
    }

    /// What is wrong with a section's fields that were not asked for.
    fn unknown(&self, asked: &[String]) -> Option<String> {
        match &self.source {
            Source::Process | Source::Pairs(_) => None,
            Source::Section { prefix, section } => section.unknown(prefix, asked),
        }
    }

    /// The value of a variable that is set and not empty; `Err` with what is wrong with it.
    fn lookup(&self, name: &str) -> Option<Result<SecretString, &'static str>> {
        let value = match &self.source {
            #[allow(clippy::disallowed_methods)] // this file owns the call
            Source::Process => std::env::var_os(name).map(|value| {
                value.into_string().map(moved).map_err(|bytes| {
                    drop(Zeroizing::new(bytes.into_encoded_bytes()));
                    "is not valid UTF-8"
                })
            }),
            Source::Pairs(pairs) => pairs.get(name).cloned().map(Ok),
            Source::Section { prefix, section } => {
                section.get(&name.strip_prefix(prefix.as_str())?.to_ascii_lowercase())
            }
        };
        let is_empty = |value: &SecretString| value.expose_secret().is_empty();
        let value = value.filter(|value| !value.as_ref().is_ok_and(is_empty));
        self.seen().any |= value.is_some();
        value
    }
}

impl Clone for Env {
    fn clone(&self) -> Self {
        Self { folder: self.folder.clone(), ..Self::of(self.source.clone()) }
    }
}

impl fmt::Debug for Env {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.source {
            Source::Process => "Env(process)",
            Source::Pairs(_) => "Env(pairs)",
            Source::Section { .. } => "Env(section)",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Endpoint;
    use crate::secret::Charset;

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
