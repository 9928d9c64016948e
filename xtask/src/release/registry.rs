//! A registry, as cargo sees it.
//!
//! Index and uploads go through cargo alone, so proxies, source replacement and above all tokens
//! come from where cargo takes them: nothing here reads a token.

use std::fs;

use jiff::Timestamp;
use jiff::fmt::rfc2822::DateTimeParser;

use super::plan::Known;
use crate::steps::{cargo, root};

/// The name under which cargo knows crates.io.
pub(crate) const CRATES_IO: &str = "crates-io";

/// Where a release goes.
#[derive(Clone, Debug)]
pub(crate) struct Registry {
    pub(crate) name: String,
}

/// How an upload went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Upload {
    /// It is there now.
    Done,
    /// It was there before.
    AlreadyThere,
    /// Too many for now; the registry said until when, if it did.
    TooMany(Option<Timestamp>),
    /// Cargo's own words.
    Failed(String),
}

impl Registry {
    /// What the index says of this version of this crate.
    pub(crate) fn look(&self, krate: &str, version: &str) -> Result<Known, String> {
        if self.has(&format!("{krate}@{version}"))? {
            Ok(Known::ThisVersion)
        } else if self.has(krate)? {
            Ok(Known::OtherVersions)
        } else {
            Ok(Known::Nothing)
        }
    }

    fn has(&self, spec: &str) -> Result<bool, String> {
        // In a folder without a manifest: beside one, cargo would speak of the local package. Below the
        // checkout, whose cargo configuration names the registry.
        let nowhere = root().join("target/release-nowhere");
        fs::create_dir_all(&nowhere).map_err(|fault| format!("{}: {fault}", nowhere.display()))?;
        fs::write(nowhere.join("Cargo.toml"), "[workspace]\n")
            .map_err(|fault| fault.to_string())?;
        let told = cargo(&nowhere)
            .args(["info", "--quiet", "--registry", &self.name, spec])
            .output()
            .map_err(|fault| format!("cargo info: {fault}"))?;
        presence(told.status.success(), &String::from_utf8_lossy(&told.stderr), spec)
    }

    /// Uploads a package that has been verified before, and waits until the index has it.
    pub(crate) fn publish(&self, krate: &str) -> Result<Upload, String> {
        let told = cargo(&root())
            .args(["publish", "--locked", "--no-verify", "--registry", &self.name, "-p", krate])
            .output()
            .map_err(|fault| format!("cargo publish: {fault}"))?;
        Ok(outcome(told.status.success(), &String::from_utf8_lossy(&told.stderr)))
    }
}

/// Reads `cargo info`: only its own word for "not there" counts as absent, and a network that is
/// down never does.
fn presence(success: bool, stderr: &str, spec: &str) -> Result<bool, String> {
    if success {
        return Ok(true);
    }
    if stderr.contains("could not find") && stderr.contains("in registry") {
        return Ok(false);
    }
    Err(format!("the index could not be asked for {spec}:\n{}", stderr.trim()))
}

/// Reads `cargo publish`.
fn outcome(success: bool, stderr: &str) -> Upload {
    if success {
        return Upload::Done;
    }
    if stderr.contains("status 429") || stderr.contains("Too Many Requests") {
        return Upload::TooMany(time_in(stderr));
    }
    // Cargo looks into the index first; the registry itself says the second.
    if stderr.contains("already exists on") || stderr.contains("is already uploaded") {
        return Upload::AlreadyThere;
    }
    Upload::Failed(stderr.trim().to_owned())
}

/// The instant after `after `, as HTTP writes dates: `try again after Sun, 22 Nov 2026 04:17:54 GMT`.
fn time_in(text: &str) -> Option<Timestamp> {
    let parser = DateTimeParser::new();
    text.split("after ").skip(1).find_map(|rest| {
        let date = rest.split_inclusive("GMT").next()?;
        parser.parse_timestamp(date).ok()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_cargos_word_for_it_means_absent() {
        let absent = "error: could not find `auth-core@0.1.0` in registry `https://x.example`";
        assert_eq!(presence(false, absent, "auth-core"), Ok(false));
        assert_eq!(presence(true, "", "auth-core"), Ok(true));
        let down = "error: failed to query replaced source registry `crates-io`\n\
                    Caused by: could not resolve host";
        assert!(presence(false, down, "auth-core").unwrap_err().contains("could not resolve host"));
    }

    #[test]
    fn a_limit_says_until_when() {
        let text = "error: failed to publish auth-core v0.1.0 to registry at https://crates.io\n\n\
                    Caused by:\n  the remote server responded with an error (status 429 Too Many \
                    Requests): You have published too many new crates in a short period of time. \
                    Please try again after Sun, 22 Nov 2026 04:17:54 GMT and see \
                    https://crates.io/docs/rate-limits for more details.";
        let until = "2026-11-22T04:17:54Z".parse().unwrap();
        assert_eq!(outcome(false, text), Upload::TooMany(Some(until)));
        let older = text.replace("and see https://crates.io/docs/rate-limits for more", "or email");
        assert_eq!(outcome(false, &older), Upload::TooMany(Some(until)));
        let without = "the remote server responded with an error (status 429 Too Many Requests): \
                       try again after lunch";
        assert_eq!(outcome(false, without), Upload::TooMany(None));
    }

    #[test]
    fn what_is_there_is_no_failure() {
        let seen = "error: crate auth-core@0.1.0 already exists on crates.io index";
        assert_eq!(outcome(false, seen), Upload::AlreadyThere);
        let told = "status 200 OK: crate version `0.1.0` is already uploaded";
        assert_eq!(outcome(false, told), Upload::AlreadyThere);
        let token = "error: no token found, please run `cargo login`";
        assert_eq!(outcome(false, token), Upload::Failed(token.to_owned()));
        assert_eq!(outcome(true, "    Published auth-core"), Upload::Done);
    }
}
