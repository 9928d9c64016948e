//! The settings of the command itself, from variables.

use std::ffi::OsString;
use std::path::PathBuf;

use auth_core::Env;
use auth_core::secret::Charset;

use crate::args::Lang;

/// A variable, if it is set, is text and is not empty.
pub(crate) fn variable(name: &str) -> Option<String> {
    let read =
        Env::process().read("provider-auth", |vars| Some(vars.optional_text(name, Charset::Text)));
    read.ok().flatten()
}

/// A variable as it stands: also if it is empty, or no text, as other programs read it.
#[allow(clippy::disallowed_methods)] // `Env` takes an empty one for none
pub(crate) fn raw(name: &str) -> Option<OsString> {
    std::env::var_os(name)
}

/// The language: `--lang`, then the usual variables. English unless one says French.
pub(crate) fn language(words: &[OsString]) -> Lang {
    let mut ours = words.iter().take_while(|word| *word != "--").filter_map(|word| word.to_str());
    while let Some(word) = ours.next() {
        let value = if word == "--lang" { ours.next() } else { word.strip_prefix("--lang=") };
        if let Some(value) = value {
            return named(value);
        }
    }
    let names = ["PROVIDER_AUTH_LANG", "LC_ALL", "LC_MESSAGES", "LANG"];
    names.iter().find_map(|name| variable(name)).map_or(Lang::En, |value| named(&value))
}

fn named(value: &str) -> Lang {
    let is_french = value.get(..2).is_some_and(|start| start.eq_ignore_ascii_case("fr"));
    if is_french { Lang::Fr } else { Lang::En }
}

/// The folder of the cache, if it is not the user's own.
pub(crate) fn cache_folder() -> Option<PathBuf> {
    variable(CACHE_DIR).map(PathBuf::from)
}

/// Names the folder of the cache.
pub(crate) const CACHE_DIR: &str = "PROVIDER_AUTH_CACHE_DIR";

/// The folder of profiles: `provider-auth` below `$XDG_CONFIG_HOME` or `~/.config`; on Windows below
/// `%APPDATA%`.
pub(crate) fn config_folder() -> Option<PathBuf> {
    let absolute = |name| variable(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let folder = if cfg!(windows) {
        absolute("APPDATA")
    } else {
        absolute("XDG_CONFIG_HOME").or_else(|| Some(absolute("HOME")?.join(".config")))
    };
    Some(folder?.join("provider-auth"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn french_is_spoken_where_it_is_asked_for() {
        let of = |words: &[&str]| language(&words.iter().map(OsString::from).collect::<Vec<_>>());
        assert_eq!(of(&["x", "--lang", "fr"]), Lang::Fr);
        assert_eq!(of(&["x", "token", "--lang=fr_FR.UTF-8"]), Lang::Fr);
        assert_eq!(of(&["x", "--lang=en", "--", "--lang=fr"]), Lang::En);
        for (value, lang) in [("FR", Lang::Fr), ("C", Lang::En), ("f", Lang::En), ("", Lang::En)] {
            assert_eq!(named(value), lang);
        }
    }
}
