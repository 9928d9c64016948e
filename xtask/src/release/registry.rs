//! Cargo asks an index and uploads; it tells in words alone what is there and which limit is reached.
//!
//! Proxies, source replacement and above all tokens come from where cargo takes them: nothing here
//! reads a token.

use std::io::{BufRead as _, BufReader};
use std::process::Stdio;

use jiff::Timestamp;
use jiff::fmt::rfc2822::DateTimeParser;

use crate::steps::{cargo, output, root, write};
use crate::workspace::Package;

/// How a run of `cargo publish` ended.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Upload {
    Done,
    /// The registry has a version that its index does not show yet.
    AlreadyThere,
    /// Too many for now; the registry said until when, if it did.
    TooMany(Option<Timestamp>),
    Failed,
}

/// Whether a registry's index has a version of a crate (`name@1.2.3`).
pub(crate) fn has(registry: &str, spec: &str) -> Result<bool, String> {
    // In a folder of its own: beside a manifest cargo would speak of the local package. Below the
    // checkout, whose cargo configuration names the registry.
    let nowhere = root().join("target/release-nowhere");
    write(&nowhere.join("Cargo.toml"), "[workspace]\n")?;
    let words = ["info", "--quiet", "--registry", registry, spec];
    presence(output(cargo(&nowhere).args(words)))
}

/// Uploads what was verified before, but those that the index has, and waits until it has all.
pub(crate) fn publish(registry: &str, there: &[&Package]) -> Result<Upload, String> {
    let mut publish = cargo(&root());
    publish.args(["publish", "--workspace", "--locked", "--no-verify", "--registry", registry]);
    publish.args(there.iter().flat_map(|package| ["--exclude", &package.name]));
    let started = publish.stderr(Stdio::piped()).spawn();
    let mut child = started.map_err(|fault| format!("cargo publish: {fault}"))?;
    let mut said = String::new();
    for line in child.stderr.take().into_iter().flat_map(|pipe| BufReader::new(pipe).lines()) {
        let line = line.map_err(|fault| fault.to_string())? + "\n";
        eprint!("    {line}");
        said += &line;
    }
    let status = child.wait().map_err(|fault| fault.to_string())?;
    Ok(if status.success() { Upload::Done } else { outcome(&said) })
}

/// Reads `cargo info`: only its own word for "not there" counts as absent, and a network that is
/// down never does.
fn presence(told: Result<String, String>) -> Result<bool, String> {
    match told {
        Ok(_) => Ok(true),
        Err(said) if said.contains("could not find") && said.contains("in registry") => Ok(false),
        Err(said) => Err(format!("the index could not be asked: {said}")),
    }
}

/// Reads what `cargo publish` said of a failure.
fn outcome(said: &str) -> Upload {
    if said.contains("status 429") || said.contains("Too Many Requests") {
        Upload::TooMany(time_in(said))
    } else if said.contains("already exists on") || said.contains("is already uploaded") {
        // Cargo looks into the index first; the registry itself says the second.
        Upload::AlreadyThere
    } else {
        Upload::Failed
    }
}

/// The instant after `after `, as HTTP writes dates: `try again after Sun, 22 Nov 2026 04:17:54 GMT`.
fn time_in(text: &str) -> Option<Timestamp> {
    let dates = text.split("after ").skip(1).filter_map(|rest| rest.split_inclusive("GMT").next());
    dates.flat_map(|date| DateTimeParser::new().parse_timestamp(date)).next()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cargos_words_are_understood() {
        let absent = "error: could not find `auth-core@0.1.0` in registry `https://x.example`";
        assert_eq!(presence(Err(absent.to_owned())), Ok(false));
        // A network that is down is no answer.
        assert!(presence(Err("error: could not resolve host".to_owned())).is_err());
        let limit = "(status 429 Too Many Requests): You have published too many new crates. Please \
                     try again after Sun, 22 Nov 2026 04:17:54 GMT and see https://crates.io/docs";
        for (said, expected) in [
            (limit, Upload::TooMany("2026-11-22T04:17:54Z".parse().ok())),
            ("(status 429 Too Many Requests): again after lunch", Upload::TooMany(None)),
            ("crate auth-core@0.1.0 already exists on crates.io index", Upload::AlreadyThere),
            ("crate version `0.1.0` is already uploaded", Upload::AlreadyThere),
            ("error: no token found, please run `cargo login`", Upload::Failed),
        ] {
            assert_eq!(outcome(said), expected, "{said}");
        }
    }
}
