//! What registries on this machine leave in cargo's home: cargo takes what it has unpacked once
//! for what it will always be.

use std::env::home_dir;
use std::fs;
use std::path::{Path, PathBuf};

use crate::workspace::Package;

/// The folders that belong to registries on loopback.
pub(super) fn loopback() -> Vec<PathBuf> {
    ["index", "cache", "src"]
        .iter()
        .flat_map(|folder| entries(&registry().join(folder)))
        .filter(|path| name(path).starts_with("127.0.0.1-"))
        .collect()
}

/// Takes away what was not there before: its port is never used again.
pub(super) fn tidy(before: &[PathBuf]) {
    for folder in loopback().iter().filter(|folder| !before.contains(folder)) {
        let _ = fs::remove_dir_all(folder);
    }
}

/// Takes away what a dry run before this one unpacked of these packages. It does so below a folder
/// of its own, whose name begins with the place that a host's name would have.
pub(super) fn forget(packages: &[Package]) {
    let hostless = entries(&registry().join("src"));
    for folder in hostless.iter().filter(|path| name(path).starts_with('-')) {
        for package in packages {
            let _ =
                fs::remove_dir_all(folder.join(format!("{}-{}", package.name, package.version)));
        }
    }
}

#[allow(clippy::disallowed_methods)] // cargo's own variable, and no credential
fn registry() -> PathBuf {
    let home = std::env::var_os("CARGO_HOME").map(PathBuf::from);
    let home = home.or_else(|| Some(home_dir()?.join(".cargo")));
    home.unwrap_or_default().join("registry")
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten();
    entries.filter_map(|entry| Some(entry.ok()?.path())).collect()
}

fn name(path: &Path) -> String {
    path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}
