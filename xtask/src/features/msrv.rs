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
    let all = told.get("packages").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let mut faults = BTreeSet::new();
    for package in workspace.published() {
        let tree = tree(&root, &package.name, &["--target", "all"])?;
        faults.extend(newer(all, &tree, &package.name));
    }
    if faults.is_empty() { Ok(()) } else { Err(Vec::from_iter(faults).join("\n")) }
}

/// What in a package's tree needs a newer Rust than the package promises to do with.
fn newer(all: &[Value], tree: &BTreeSet<String>, package: &str) -> Vec<String> {
    fn field<'a>(of: &'a Value, key: &str) -> &'a str {
        of.get(key).and_then(Value::as_str).unwrap_or_default()
    }
    let own = all.iter().find(|other| field(other, "name") == package);
    let Some(promised) = own.and_then(|own| own.get("rust_version")).and_then(Value::as_str) else {
        return vec![format!("{package} names no rust-version")];
    };
    let mut faults = Vec::new();
    for other in all {
        let name = format!("{} v{}", field(other, "name"), field(other, "version"));
        let needed = field(other, "rust_version");
        if tree.contains(&name) && version(needed) > version(promised) {
            faults.push(format!(
                "{name} needs Rust {needed}, and what brings it promises {promised}: hold it back \
                 (`cargo update --precise`), or raise rust-version (`cargo xtask lint` says where)"
            ));
        }
    }
    faults
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
        let faults = promises(MANIFEST, "msrv = \"1.89\"", &readme("Rust 1.91 or later."));
        assert_eq!(faults, ["README.md says 1.91, and Cargo.toml's rust-version 1.89"]);
        assert_eq!(promises(MANIFEST, "", &[]).len(), 1);
        assert_eq!(promises("[workspace.package]", "", &[]).len(), 1);
    }

    #[test]
    fn a_dependency_that_needs_a_newer_rust_is_named() {
        let package = |name: &str, version: &str, rust: &str| serde_json::json!({"name": name, "version": version, "rust_version": rust});
        let all = [
            package("ours", "0.1.0", "1.89"),
            package("old", "1.0.0", "1.56.1"),
            package("same", "1.0.0", "1.89.0"),
            package("new", "2.0.0", "1.90"),
            package("new", "1.0.0", "1.70"),
            package("elsewhere", "1.0.0", "1.95"),
            serde_json::json!({"name": "silent", "version": "1.0.0", "rust_version": null}),
        ];
        let tree = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect();
        let good =
            tree(&["ours v0.1.0", "old v1.0.0", "same v1.0.0", "new v1.0.0", "silent v1.0.0"]);
        assert!(newer(&all, &good, "ours").is_empty());
        let faults = newer(&all, &tree(&["ours v0.1.0", "new v2.0.0"]), "ours");
        assert_eq!(faults.len(), 1, "{faults:?}");
        assert!(faults[0].starts_with("new v2.0.0 needs Rust 1.90, "), "{faults:?}");
        assert_eq!(newer(&all, &good, "silent"), ["silent names no rust-version"]);
    }

    #[test]
    fn versions_are_compared_as_numbers() {
        assert!(version("1.100") > version("1.89.1"));
        assert_eq!(version("1.89,"), version("1.89"));
        assert!(version("") < version("1.0"));
    }
}
