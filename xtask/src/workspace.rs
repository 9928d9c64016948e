//! What cargo says of a checkout: its packages, their features, and who depends on whom.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::release::git::git;
use crate::steps::{cargo, output};

/// A member of the workspace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Package {
    pub(crate) name: String,
    pub(crate) version: String,
    pub(crate) folder: PathBuf,
    /// Whether it goes to a registry at all.
    pub(crate) published: bool,
    pub(crate) features: Vec<String>,
    /// Members that a published copy of it needs, each with the version that it asks for.
    pub(crate) needs: Vec<(String, String)>,
}

/// The packages of a checkout, each after those that it needs; else by name.
#[derive(Clone, Debug)]
pub(crate) struct Workspace {
    pub(crate) packages: Vec<Package>,
}

impl Workspace {
    /// Asks cargo.
    pub(crate) fn read(root: &Path) -> Result<Self, String> {
        let packages = list(&metadata(root)?, "packages").iter().map(package).collect();
        Ok(Self { packages: ordered(packages)? })
    }

    /// What goes to a registry, in the order in which it must.
    pub(crate) fn published(&self) -> impl Iterator<Item = &Package> {
        self.packages.iter().filter(|package| package.published)
    }
}

/// What `cargo metadata` tells of a checkout's members.
pub(crate) fn metadata(root: &Path) -> Result<Value, String> {
    let told = output(cargo(root).args(["metadata", "--format-version", "1", "--no-deps"]))?;
    serde_json::from_str(&told).map_err(|fault| format!("cargo metadata is no JSON: {fault}"))
}

/// The part of it that tells of one package.
pub(crate) fn told<'a>(metadata: &'a Value, name: &str) -> Option<&'a Value> {
    list(metadata, "packages").iter().find(|package| text(package, "name") == name)
}

/// The files of a checkout as it is now, with `/` between folders: what git knows or would add, and
/// without git all but what is built.
pub(crate) fn files(root: &Path) -> Result<Vec<String>, String> {
    let list = ["ls-files", "-z", "--cached", "--others", "--exclude-standard"];
    if let Ok(listed) = output(git(root).args(list)) {
        // What was deleted and not yet committed is listed too.
        let names = listed.split('\0').filter(|name| root.join(name).is_file());
        return Ok(names.map(str::to_owned).collect());
    }
    let mut found = Vec::new();
    walk(root, root, &mut found)?;
    Ok(found)
}

fn walk(root: &Path, folder: &Path, found: &mut Vec<String>) -> Result<(), String> {
    for entry in fs::read_dir(folder).map_err(|fault| format!("{}: {fault}", folder.display()))? {
        let path = entry.map_err(|fault| fault.to_string())?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if path.is_dir() {
            // What cargo builds in bears a tag, whatever it is called.
            if name != "target" && name != ".git" && !path.join("CACHEDIR.TAG").is_file() {
                walk(root, &path, found)?;
            }
        } else if path.is_file() {
            let below = path.strip_prefix(root).unwrap_or(&path);
            found.push(below.display().to_string().replace('\\', "/"));
        }
    }
    Ok(())
}

/// What a package compiles: `name vX.Y.Z` of everything in its tree, itself included.
pub(crate) fn tree(folder: &Path, name: &str, words: &[&str]) -> Result<BTreeSet<String>, String> {
    let args = ["tree", "--quiet", "--package", name, "--edges", "normal,build"];
    let told =
        output(cargo(folder).args(args).args(["--prefix", "none", "--format", "{p}"]).args(words))?;
    // `(*)` stands behind what was listed before, a path or a registry behind what is not of crates.io.
    let packages = told.lines().filter_map(|line| {
        let mut words = line.split(' ');
        Some(format!("{} {}", words.next()?, words.next()?))
    });
    Ok(packages.collect())
}

fn package(told: &Value) -> Package {
    let folder = Path::new(text(told, "manifest_path")).parent().unwrap_or_else(|| Path::new(""));
    let features = told.get("features").and_then(Value::as_object);
    Package {
        name: text(told, "name").to_owned(),
        version: text(told, "version").to_owned(),
        folder: folder.to_owned(),
        published: told.get("publish").is_none_or(|publish| publish != &Value::Array(Vec::new())),
        features: features.into_iter().flat_map(|all| all.keys().cloned()).collect(),
        // A dev-dependency by path alone asks for `*`, and vanishes from what is published.
        needs: list(told, "dependencies")
            .iter()
            .filter(|dependency| dependency.get("path").is_some_and(Value::is_string))
            .filter(|dependency| {
                text(dependency, "kind") != "dev" || text(dependency, "req") != "*"
            })
            .map(|dependency| {
                (text(dependency, "name").to_owned(), text(dependency, "req").to_owned())
            })
            .collect(),
    }
}

/// Sorts so that whatever is needed comes first.
fn ordered(mut left: Vec<Package>) -> Result<Vec<Package>, String> {
    left.sort_by(|a, b| a.name.cmp(&b.name));
    let mut done: Vec<Package> = Vec::new();
    while !left.is_empty() {
        let ready = left.iter().position(|package| {
            package.needs.iter().all(|(need, _)| !left.iter().any(|other| other.name == *need))
        });
        let Some(ready) = ready else {
            let names: Vec<_> = left.iter().map(|package| package.name.as_str()).collect();
            return Err(format!("these packages need one another: {}", names.join(", ")));
        };
        done.push(left.remove(ready));
    }
    Ok(done)
}

fn list<'a>(told: &'a Value, key: &str) -> &'a [Value] {
    told.get(key).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

fn text<'a>(told: &'a Value, key: &str) -> &'a str {
    told.get(key).and_then(Value::as_str).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn needing(name: &str, needs: &[&str]) -> Package {
        Package {
            name: name.to_owned(),
            version: "1.2.3".to_owned(),
            folder: PathBuf::new(),
            published: true,
            features: Vec::new(),
            needs: needs.iter().map(|need| ((*need).to_owned(), "^1.2.3".to_owned())).collect(),
        }
    }

    #[test]
    fn what_is_needed_comes_first() {
        let all = ["a", "b", "c"];
        let packages =
            vec![needing("umbrella", &all), needing("b", &["core"]), needing("core", &[])];
        let order: Vec<_> =
            ordered(packages).unwrap().into_iter().map(|package| package.name).collect();
        assert_eq!(order, ["core", "b", "umbrella"]);
    }

    #[test]
    fn without_git_the_same_files_are_found() {
        let root = crate::steps::root();
        let mut walked = Vec::new();
        walk(&root, &root, &mut walked).unwrap();
        for file in files(&root).unwrap() {
            assert!(walked.contains(&file), "{file}");
        }
        assert!(walked.iter().any(|file| file == "crates/auth-core/src/lib.rs"));
        assert!(!walked.iter().any(|file| file.contains("/target/") || file.starts_with(".git/")));
    }

    #[test]
    fn a_ring_is_named() {
        let fault = ordered(vec![needing("a", &["b"]), needing("b", &["a"])]).unwrap_err();
        assert!(fault.contains("a, b"), "{fault}");
    }
}
