//! The oldest Rust that the crates say they compile with: said in several places, and held by
//! everything that a consumer compiles. Here is one toolchain, which compiles what an older one
//! would not; clippy's `incompatible_msrv` looks after our own code, and this after the rest.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::steps::{cargo, output, root};
use crate::workspace::{Workspace, tree};

/// A Rust version as far as it counts.
type Version = (u64, u64);

/// Fails where a crate that some consumer compiles, on whatever machine, asks for a newer Rust.
pub(super) fn check(workspace: &Workspace) -> Result<(), String> {
    let root = root();
    let told = output(cargo(&root).args(["metadata", "--format-version", "1", "--locked"]))?;
    let told: Value = serde_json::from_str(&told).map_err(|fault| fault.to_string())?;
    let packages = told.get("packages").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let field = |package: &Value, key: &str| {
        package.get(key).and_then(Value::as_str).unwrap_or_default().to_owned()
    };
    let mut newer = BTreeSet::new();
    for published in workspace.published() {
        let tree = tree(&root, &published.name, &["--target", "all"])?;
        let ours = packages
            .iter()
            .find(|package| field(package, "name") == published.name)
            .map(|package| field(package, "rust_version"))
            .unwrap_or_default();
        for package in packages {
            let line = format!("{} v{}", field(package, "name"), field(package, "version"));
            let asked = field(package, "rust_version");
            if tree.contains(&line) && version(&asked) > version(&ours) {
                newer.insert(format!(
                    "{line} needs Rust {asked}, and {} promises {ours}: hold it back in Cargo.lock, \
                     or raise rust-version everywhere (`cargo xtask lint` says where)",
                    published.name
                ));
            }
        }
    }
    if newer.is_empty() { Ok(()) } else { Err(Vec::from_iter(newer).join("\n")) }
}

/// Says where the promise is said otherwise than in Cargo.toml.
pub(crate) fn promises(manifest: &str, clippy: &str, readmes: &[(String, String)]) -> Vec<String> {
    let quoted = |text: &str, key: &str| {
        let line = text.lines().find(|line| line.starts_with(key))?;
        line.split('"').nth(1).map(str::to_owned)
    };
    let Some(promised) = quoted(manifest, "rust-version") else {
        return vec!["Cargo.toml names no rust-version".to_owned()];
    };
    let mut faults = Vec::new();
    let mut hold = |place: &str, found: Option<&str>| {
        if found.and_then(version) != version(&promised) {
            let found = found.unwrap_or("nothing");
            faults.push(format!("{place} says {found}, and Cargo.toml's rust-version {promised}"));
        }
    };
    hold("clippy.toml's msrv", quoted(clippy, "msrv").as_deref());
    for (name, text) in readmes {
        for found in said(text) {
            hold(name, Some(found));
        }
    }
    faults
}

/// The versions that a text promises: `MSRV 1.89`, `1.89 or later`.
fn said(text: &str) -> Vec<&str> {
    let words: Vec<_> = text.split_whitespace().collect();
    let is_number = |word: &&str| word.starts_with(|letter: char| letter.is_ascii_digit());
    let after = words.windows(2).filter_map(|pair| match pair {
        ["MSRV", word] => Some(*word),
        _ => None,
    });
    let before = words.windows(3).filter_map(|three| match three {
        [word, "or", rest] if rest.starts_with("later") || rest.starts_with("newer") => Some(*word),
        _ => None,
    });
    after.chain(before).filter(is_number).collect()
}

/// The first two numbers of a version, whatever stands behind them.
fn version(text: &str) -> Option<Version> {
    let mut parts = text.split(|letter: char| !letter.is_ascii_digit());
    Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    const MANIFEST: &str = "[workspace.package]\nrust-version = \"1.89\"\n";

    #[test]
    fn every_place_that_promises_another_rust_is_named() {
        let readme = |text: &str| vec![("README.md".to_owned(), text.to_owned())];
        let good = "With [Rust](https://rustup.rs) 1.89 or later:\n\nMSRV 1.89, raised with care.";
        assert!(promises(MANIFEST, "msrv = \"1.89\"\n", &readme(good)).is_empty());
        assert!(promises(MANIFEST, "msrv = \"1.89.0\"\n", &[]).is_empty());
        let faults = promises(MANIFEST, "msrv = \"1.88\"\n", &readme("MSRV 1.90, raised."));
        assert_eq!(faults.len(), 2, "{faults:?}");
        assert!(faults[0].starts_with("clippy.toml's msrv says 1.88"), "{faults:?}");
        assert!(faults[1].starts_with("README.md says 1.90,"), "{faults:?}");
        assert_eq!(promises(MANIFEST, "", &[]).len(), 1);
        assert_eq!(promises("[workspace.package]", "", &[]).len(), 1);
    }

    #[test]
    fn versions_are_compared_as_numbers() {
        assert!(version("1.100") > version("1.89.1"));
        assert_eq!(version("1.89,"), version("1.89"));
        assert!(version("") < version("1.0"));
    }
}
