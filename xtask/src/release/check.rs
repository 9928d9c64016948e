//! Everything that can be known before a release: what fails here would fail, or shame, later.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use super::bump::{self, Stated};
use super::registry::Registry;
use super::{Options, changelog, git, home, packages, plan, read};
use crate::api;
use crate::steps::{Steps, cargo, output, run as succeed, target};
use crate::workspace::{self, Package};

/// What every package must hold.
const REQUIRED: [&str; 4] = ["README.md", "LICENSE-MIT", "LICENSE-APACHE", "src/lib.rs"];
/// What cargo itself adds.
const CARGOS: [&str; 4] = ["Cargo.toml", "Cargo.toml.orig", "Cargo.lock", ".cargo_vcs_info.json"];
/// Folders of which a package may hold anything.
const FOLDERS: [&str; 2] = ["src/", "docs/"];
/// The largest package, in bytes before it is packed: what a stranger downloads is code and words.
const LARGEST: u64 = 768 * 1024;

/// Runs `release check`.
pub(super) fn run(options: &Options) -> Result<(), String> {
    if options.dry_run {
        for line in WHAT {
            println!("would check {line}");
        }
        return Ok(());
    }
    let packages = packages(options)?;
    let version = plan::lockstep(&packages)?;
    let root = &options.root;
    let [tree, log, versions, pages, dry, contents, docs, api, semver] = WHAT;
    let mut steps = Steps::default();
    steps.step(tree, || clean(root))?;
    steps.step(log, || {
        changelog::released(&read(options, "CHANGELOG.md")?, &version, "").map(drop)
    })?;
    steps.step(versions, || {
        read_versions(root, &packages, &version)?;
        let lock = ["metadata", "--locked", "--format-version", "1", "--quiet"];
        output(cargo(root).args(lock)).map(drop)
    })?;
    let metadata = workspace::metadata(root)?;
    steps.step(pages, || page(&metadata, &packages))?;
    steps.step(dry, || dry_run(root, &options.registry, &packages))?;
    let packed = target().join("package");
    steps.step(contents, || {
        packages.iter().try_for_each(|package| content(root, &packed, package))
    })?;
    steps.step(docs, || {
        packages.iter().try_for_each(|package| documented(root, &metadata, package))
    })?;
    steps.step(api, || api::run(["--check".to_owned()].into_iter()))?;
    steps.step(semver, || compatible(root, &version, &packages))?;
    steps.finish();
    println!("\n{version} is ready for {}", options.registry.name);
    Ok(())
}

/// The checks, as they are announced.
const WHAT: [&str; 9] = [
    "that all is committed",
    "that CHANGELOG.md says what is new",
    "that every version agrees",
    "what the crates' pages will show",
    "that every package builds from what is packed (cargo publish --workspace --dry-run)",
    "what is packed",
    "the documentation as docs.rs builds it",
    "the public API against its snapshots",
    "that the version says what breaks (cargo semver-checks)",
];

fn clean(root: &Path) -> Result<(), String> {
    let changed = git::changed(root)?;
    if changed.is_empty() {
        return Ok(());
    }
    Err(format!("these files are not committed: commit or stash them\n  {}", changed.join("\n  ")))
}

/// READMEs and guides tell strangers what to put into their manifest.
fn read_versions(root: &Path, packages: &[Package], version: &str) -> Result<(), String> {
    let faults: Vec<_> = bump::stated(root, packages)?
        .into_iter()
        .filter(|stated| !stated.agrees(version))
        .map(|Stated { file, krate, asked }| {
            let file = file.strip_prefix(root).unwrap_or(&file).display().to_string();
            format!("{file} says {krate} = \"{asked}\", and this is {version}")
        })
        .collect();
    if faults.is_empty() { Ok(()) } else { Err(faults.join("\n")) }
}

/// What crates.io requires, and what a page looks poor without.
fn page(metadata: &Value, packages: &[Package]) -> Result<(), String> {
    let mut faults = Vec::new();
    for package in packages {
        let Some(told) = workspace::told(metadata, &package.name) else { continue };
        let text = |key: &str| told.get(key).and_then(Value::as_str).unwrap_or_default();
        let count = |key: &str| told.get(key).and_then(Value::as_array).map_or(0, Vec::len);
        for key in ["description", "license", "readme", "rust_version"] {
            if text(key).is_empty() {
                faults.push(format!("{} has no {key}", package.name));
            }
        }
        for key in ["keywords", "categories"] {
            if !(1..=5).contains(&count(key)) {
                faults.push(format!("{} has {} {key}: 1 to 5 are taken", package.name, count(key)));
            }
        }
        if text("repository").is_empty() {
            println!("    {}: no repository is named; its page will link to none", package.name);
        }
    }
    if faults.is_empty() { Ok(()) } else { Err(faults.join("\n")) }
}

/// Packs and builds all, each with the others as they were packed. What an earlier run packed under
/// the same version is taken away first: cargo would build with that
/// (<https://github.com/0xMiden/miden-vm/pull/2530> met the same).
fn dry_run(root: &Path, registry: &Registry, packages: &[Package]) -> Result<(), String> {
    home::forget(packages);
    let _ = fs::remove_dir_all(target().join("package"));
    let names = packages.iter().flat_map(|package| ["-p", &package.name]);
    output(cargo(root).args(["clean", "--quiet"]).args(names))?;
    let args = ["publish", "--workspace", "--dry-run", "--locked", "--registry", &registry.name];
    // Its last words are that it did not upload; all else counts only where it fails.
    output(cargo(root).args(args)).map(drop)
}

/// One package's list of files, and its size.
fn content(root: &Path, packed: &Path, package: &Package) -> Result<(), String> {
    let Package { name, version, .. } = package;
    let list = output(cargo(root).args(["package", "--list", "--locked", "-p", name]))?;
    let files: Vec<_> = list.lines().map(|line| line.replace('\\', "/")).collect();
    let faults = misplaced(&files);
    if !faults.is_empty() {
        return Err(format!("{name}: {}", faults.join(", ")));
    }
    let size = size(&packed.join(format!("{name}-{version}")))?;
    println!("    {name}: {} files, {} KiB", files.len(), size.div_ceil(1024));
    if size > LARGEST {
        return Err(format!("{name} is over {} KiB: what is in it?", LARGEST / 1024));
    }
    Ok(())
}

/// Bytes of all files below a folder.
fn size(folder: &Path) -> Result<u64, String> {
    let fault = |fault: std::io::Error| format!("{}: {fault}", folder.display());
    let mut bytes = 0;
    for entry in fs::read_dir(folder).map_err(fault)? {
        let path = entry.map_err(fault)?.path();
        let file = fs::metadata(&path).map_err(fault)?;
        bytes += if file.is_dir() { size(&path)? } else { file.len() };
    }
    Ok(bytes)
}

/// What is missing from a package, and what has no place in it.
fn misplaced(files: &[String]) -> Vec<String> {
    let missing = REQUIRED
        .iter()
        .filter(|required| !files.iter().any(|file| file == *required))
        .map(|required| format!("{required} is missing"));
    let stray = files
        .iter()
        .filter(|file| {
            let known = REQUIRED.contains(&file.as_str())
                || CARGOS.contains(&file.as_str())
                || FOLDERS.iter().any(|folder| file.starts_with(folder));
            !known || file.contains("fixture")
        })
        .map(|file| format!("{file} has no place in it"));
    missing.chain(stray).collect()
}

/// `cargo doc` with the features, the flag and the nightly features that docs.rs gives it.
fn documented(root: &Path, metadata: &Value, package: &Package) -> Result<(), String> {
    let told = workspace::told(metadata, &package.name);
    let wishes = told.and_then(|told| told.pointer("/metadata/docs/rs"));
    let wish = |key: &str| wishes.and_then(|wishes| wishes.get(key));
    let mut command = cargo(root);
    command
        .args(["doc", "--quiet", "--locked", "--no-deps", "--lib", "-p", &package.name])
        .env("RUSTDOCFLAGS", "--cfg docsrs -D warnings")
        .env("RUSTDOC", std::env::current_exe().unwrap_or_default())
        .env("XTASK_STANDS_IN_FOR", "rustdoc");
    if wish("all-features") == Some(&Value::Bool(true)) {
        command.arg("--all-features");
    }
    if wish("no-default-features") == Some(&Value::Bool(true)) {
        command.arg("--no-default-features");
    }
    if let Some(features) = wish("features").and_then(Value::as_array) {
        let names: Vec<_> = features.iter().filter_map(Value::as_str).collect();
        command.args(["--features", &names.join(",")]);
    }
    succeed(&mut command).map_err(|fault| format!("{}: {fault}", package.name))
}

/// Asks `cargo semver-checks` whether the version is bumped far enough since the last release.
fn compatible(root: &Path, version: &str, packages: &[Package]) -> Result<(), String> {
    let Some(last) = git::last_release(root, &format!("v{version}")) else {
        println!("    nothing was released before: there is nothing to break");
        return Ok(());
    };
    let installed = Command::new("cargo-semver-checks").arg("--version").output();
    if !installed.is_ok_and(|told| told.status.success()) {
        return Err(
            "cargo-semver-checks is not here: `cargo install --locked cargo-semver-checks`, \
                    then again"
                .to_owned(),
        );
    }
    println!("    since {last}");
    let names = packages.iter().flat_map(|package| ["-p", &package.name]);
    succeed(cargo(root).args(["semver-checks", "--baseline-rev", &last]).args(names))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn a_package_holds_what_it_must_and_nothing_else() {
        let good = [&REQUIRED[..], &CARGOS, &["src/wire/x.rs", "docs/a.md"]].concat();
        assert_eq!(misplaced(&files(&good)), [""; 0]);
        let poor = misplaced(&files(&["src/lib.rs", "LICENSE-MIT", "LICENSE-APACHE"]));
        assert_eq!(poor, ["README.md is missing"]);
        for stray in ["tests/request.rs", "notes.txt", "api.txt", "src/fixtures/token.json"] {
            let faults = misplaced(&files(&[&good[..], &[stray]].concat()));
            assert_eq!(faults, [format!("{stray} has no place in it")]);
        }
    }
}
