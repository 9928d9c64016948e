//! No tool writes packages outside the workspace, as somebody would who never saw it.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use crate::steps::{read, root, write};
use crate::test::PROVIDERS;
use crate::workspace::tree;

/// A package with a program and these lines of dependencies.
#[derive(Debug)]
pub(crate) struct Consumer {
    pub(crate) folder: PathBuf,
}

impl Consumer {
    pub(crate) fn write(folder: PathBuf, dependencies: &str, main: &str) -> Result<Self, String> {
        let manifest = format!(
            "[package]\nname = \"consumer\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\n[workspace]\n\n\
             [profile.release]\nstrip = true\n\n[dependencies]\n{dependencies}"
        );
        write(&folder.join("Cargo.toml"), manifest)?;
        write(&folder.join("src/main.rs"), main)?;
        Ok(Self { folder })
    }

    /// With the versions of this workspace.
    pub(crate) fn locked(self) -> Result<Self, String> {
        lock(&self.folder).map(|()| self)
    }

    /// What it compiles on this machine, but itself; fails where a provider is in it and not among
    /// these.
    pub(crate) fn crates(&self, providers: &[&str]) -> Result<BTreeSet<String>, String> {
        let mut crates = tree(&self.folder, "consumer", &[])?;
        crates.retain(|name| !name.starts_with("consumer "));
        let others = PROVIDERS.iter().filter(|other| !providers.contains(other));
        for other in others.map(|other| format!("{other}-auth")) {
            if crates.iter().any(|name| name.starts_with(&format!("{other} "))) {
                return Err(format!("{other} comes along"));
            }
        }
        Ok(crates)
    }
}

/// Gives a package outside the workspace the versions of this one.
pub(crate) fn lock(folder: &Path) -> Result<(), String> {
    write(&folder.join("Cargo.lock"), read(&root().join("Cargo.lock"))?)
}

/// The line of a manifest that asks for a crate of this workspace.
pub(crate) fn ours(name: &str, more: &str) -> String {
    let path = root().join("crates").join(name).display().to_string();
    format!("{name} = {{ path = '{path}'{more} }}\n")
}
