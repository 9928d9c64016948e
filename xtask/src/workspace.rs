//! What cargo and git say of a checkout; `cargo metadata` itself says it at length.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::steps::{cargo, command, output, write};

/// A member of the workspace.
#[derive(Clone, Debug, Default)]
pub(crate) struct Package {
    pub(crate) name: String,
    pub(crate) version: String,
    pub(crate) folder: PathBuf,
    /// What `cargo metadata` tells of it.
    pub(crate) told: Value,
}

impl Package {
    /// Whether it has a library, and not a program alone.
    pub(crate) fn is_library(&self) -> bool {
        list(&self.told["targets"])
            .iter()
            .any(|target| list(&target["kind"]).iter().any(|kind| *kind == "lib"))
    }

    /// All its features, as cargo takes them; without OpenSSL's headers all but the one that needs
    /// them.
    pub(crate) fn every(&self) -> [String; 2] {
        let names = self.told["features"].as_object().into_iter().flat_map(|all| all.keys());
        let names = names.filter(|name| *name != NATIVE_TLS || has_openssl());
        ["--features".to_owned(), names.cloned().collect::<Vec<_>>().join(",")]
    }
}

/// The one feature that needs more than Rust brings.
pub(crate) const NATIVE_TLS: &str = "native-tls";

/// Whether `native-tls` can be compiled.
pub(crate) fn has_openssl() -> bool {
    let found = Command::new("pkg-config").args(["--exists", "openssl"]).status();
    cfg!(not(target_os = "linux")) || found.is_ok_and(|status| status.success())
}

/// What goes to a registry, each after those of ours that it needs.
pub(crate) fn published(root: &Path) -> Result<Vec<Package>, String> {
    let told = metadata(root, &["--no-deps"])?;
    let published = list(&told["packages"]).iter().filter(|told| told["publish"].is_null());
    let mut packages: Vec<_> = published.map(package).collect();
    // Who needs another crate of ours needs all that this one needs, so it has more of them.
    packages.sort_by_key(|package| {
        let needs = list(&package.told["dependencies"]).iter();
        needs.filter(|need| need["path"].is_string() && need["kind"].is_null()).count()
    });
    Ok(packages)
}

fn package(told: &Value) -> Package {
    let text = |key: &str| told[key].as_str().unwrap_or_default().to_owned();
    let mut folder = PathBuf::from(text("manifest_path"));
    folder.pop();
    Package { name: text("name"), version: text("version"), folder, told: told.clone() }
}

/// What `cargo metadata` tells of a checkout.
pub(crate) fn metadata(root: &Path, words: &[&str]) -> Result<Value, String> {
    let told = output(cargo(root).args(["metadata", "--format-version", "1"]).args(words))?;
    serde_json::from_str(&told).map_err(|fault| format!("cargo metadata is no JSON: {fault}"))
}

/// A list of JSON, empty where there is none.
pub(crate) fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

/// What a package compiles: `name vX.Y.Z` of everything in its tree, itself included.
pub(crate) fn tree(folder: &Path, name: &str, words: &[&str]) -> Result<BTreeSet<String>, String> {
    let args = ["tree", "--quiet", "--package", name, "--edges", "normal,build"];
    let told =
        output(cargo(folder).args(args).args(["--prefix", "none", "--format", "{p}"]).args(words))?;
    // `(*)` stands behind what was listed before, a path or a registry behind what is not of crates.io.
    let first_two = |line: &str| line.split(' ').take(2).collect::<Vec<_>>().join(" ");
    Ok(told.lines().map(first_two).collect())
}

/// The files of a checkout as it is now, with `/` between folders: what git knows or would add.
pub(crate) fn files(root: &Path) -> Result<Vec<String>, String> {
    let list = ["ls-files", "-z", "--cached", "--others", "--exclude-standard"];
    let listed = output(git(root).args(list))?;
    // What was deleted and not yet committed is listed too.
    Ok(listed.split('\0').filter(|name| root.join(name).is_file()).map(str::to_owned).collect())
}

/// Copies the files of a checkout, and nothing that an older copy had.
pub(crate) fn copy(root: &Path, to: &Path) -> Result<(), String> {
    let _ = std::fs::remove_dir_all(to);
    for name in files(root)? {
        let bytes = std::fs::read(root.join(&name)).map_err(|fault| format!("{name}: {fault}"))?;
        write(&to.join(name), bytes)?;
    }
    Ok(())
}

/// Git in a checkout, whatever repository the caller's environment names.
pub(crate) fn git(root: &Path) -> Command {
    let mut git = command("git", root);
    for name in ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"] {
        git.env_remove(name);
    }
    git
}
