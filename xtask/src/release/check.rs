//! Tools check packages, documentation and API; no tool asks them all before a release, nor whether
//! the changelog, the READMEs and what is packed are fit for it.

use std::fs;
use std::path::Path;

use super::{changelog, packages};
use crate::api;
use crate::steps::{Steps, cargo, command, output, read, root, run, target, tool, variable};
use crate::workspace::{Package, files, git};

/// What every package must hold, and what it may hold besides.
const REQUIRED: [&str; 3] = ["README.md", "LICENSE-MIT", "LICENSE-APACHE"];
const ALLOWED: [&str; 4] = ["src/", "docs/", "Cargo.", ".cargo_vcs_info.json"];

/// Runs `release check`.
pub(super) fn run_all(registry: &str) -> Result<(), String> {
    let (packages, version) = packages()?;
    let root = root();
    let mut steps = Steps::default();
    steps.step("that all is committed", || clean(&changed(&root)?))?;
    steps.step("that CHANGELOG.md says what is new", || {
        changelog::released(&read(&root.join("CHANGELOG.md"))?, &version, "").map(drop)
    })?;
    steps.step("that READMEs and guides ask for this version", || outdated(&packages, &version))?;
    steps.step("what is packed", || packages.iter().try_for_each(content))?;
    steps.step("that every package builds from what is packed", || dry_run(registry, &packages))?;
    let check = ["--check".to_owned()];
    steps.step("the public API against its snapshots", || api::run(check.into_iter()))?;
    steps.step("that the version says what breaks", || compatible(&version, &packages))?;
    steps.finish();
    println!("\n{version} is ready for {registry}");
    Ok(())
}

/// Files that differ from the last commit, new ones included.
pub(super) fn changed(root: &Path) -> Result<Vec<String>, String> {
    let told = output(git(root).args(["status", "--porcelain", "--untracked-files=all"]))?;
    Ok(told.lines().filter_map(|line| line.get(3..)).map(str::to_owned).collect())
}

/// Fails where something is named.
pub(super) fn clean(faults: &[String]) -> Result<(), String> {
    let told = faults.join("\n  ");
    if faults.is_empty() { Ok(()) } else { Err(format!("commit, stash or mend these:\n  {told}")) }
}

/// READMEs, guides and the sixth provider tell people which version to ask for.
fn outdated(packages: &[Package], version: &str) -> Result<(), String> {
    let mut faults = Vec::new();
    for file in files(&root())? {
        // What CHANGELOG.md says of the past stays.
        let is_text = file.ends_with(".md") && file != "CHANGELOG.md";
        if is_text || file == "examples/sixth-provider/Cargo.toml" {
            let text = read(&root().join(&file))?;
            let other = text.lines().filter(|line| asks_for_another(line, packages, version));
            faults.extend(other.map(|line| format!("{file} says {line}, and this is {version}")));
        }
    }
    clean(&faults)
}

/// Whether a line has `name = "0.1"` or `name = { version = "0.1"` of ours, and this is no 0.1.
fn asks_for_another(line: &str, packages: &[Package], version: &str) -> bool {
    packages.iter().any(|Package { name, .. }| {
        let rest = line.split_once(&format!("{name} = ")).map_or("", |(_, rest)| rest);
        let rest = rest.strip_prefix("{ version = ").unwrap_or(rest).strip_prefix('"');
        let asked = rest.and_then(|rest| rest.split('"').next()).unwrap_or(version);
        !format!("{version}.").starts_with(&format!("{asked}."))
    })
}

/// One package's list of files: what it must hold is there, and nothing but code, words and what
/// cargo adds.
fn content(package: &Package) -> Result<(), String> {
    let words = ["package", "--list", "--locked", "--package", &package.name];
    let listed = output(cargo(&root()).args(words))?.replace('\\', "/");
    let code = if package.is_library() { "src/lib.rs" } else { "src/main.rs" };
    let missing = REQUIRED.iter().chain([&code]);
    let missing = missing.filter(|required| !listed.lines().any(|it| it == **required));
    let stray = listed.lines().filter(|file| {
        let known = REQUIRED.contains(file) || ALLOWED.iter().any(|known| file.starts_with(known));
        !known || file.contains("fixture")
    });
    let faults = missing.map(|file| format!("{}: {file} is missing", package.name));
    let stray = stray.map(|file| format!("{}: {file} has no place in it", package.name));
    clean(&faults.chain(stray).collect::<Vec<_>>())
}

/// Packs and builds all, each with the others as they were packed. What an earlier run packed under
/// the same version is taken away first: cargo would build with that, and with what it unpacked of
/// it in its home, below a folder whose name begins with the place that a host's name would have.
fn dry_run(registry: &str, packages: &[Package]) -> Result<(), String> {
    for folder in unpacked("src").iter().filter(|(name, _)| name.starts_with('-')) {
        for Package { name, version, .. } in packages {
            let _ = fs::remove_dir_all(folder.1.join(format!("{name}-{version}")));
        }
    }
    let _ = fs::remove_dir_all(target().join("package"));
    let names = packages.iter().flat_map(|package| ["-p", &package.name]);
    output(cargo(&root()).args(["clean", "--quiet"]).args(names))?;
    let words = ["publish", "--workspace", "--dry-run", "--locked", "--registry", registry];
    let told = cargo(&root()).args(words).output().map_err(|fault| fault.to_string())?;
    let said = String::from_utf8_lossy(&told.stderr);
    // Its last words are that it did not upload; all else counts only where it fails.
    let well = told.status.success() && !said.contains("manifest has no");
    if well { Ok(()) } else { Err(said.into()) }
}

/// The folders of one kind that cargo's home has for registries, by name.
pub(super) fn unpacked(kind: &str) -> Vec<(String, std::path::PathBuf)> {
    let home = variable("CARGO_HOME").or_else(|| Some(std::env::home_dir()?.join(".cargo")));
    let entries = fs::read_dir(home.unwrap_or_default().join("registry").join(kind));
    let entries = entries.into_iter().flatten().filter_map(Result::ok);
    entries.map(|entry| (entry.file_name().to_string_lossy().into(), entry.path())).collect()
}

/// Asks cargo-semver-checks whether the version is bumped far enough since the last release.
fn compatible(version: &str, packages: &[Package]) -> Result<(), String> {
    let words = ["describe", "--tags", "--abbrev=0", "--match", "v[0-9]*", "--exclude"];
    let Ok(last) = output(git(&root()).args(words).arg(format!("v{version}"))) else {
        println!("    nothing was released before: api.txt in review is what there is");
        return Ok(());
    };
    let libraries = packages.iter().filter(|package| package.is_library());
    let names = libraries.flat_map(|package| ["--package", &package.name]);
    let mut checks = command(tool("cargo-semver-checks", "0.51.0")?, &root());
    run(checks.args(["semver-checks", "--baseline-rev", last.trim()]).args(names))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_agrees_up_to_a_whole_number() {
        let packages = [Package { name: "manis-auth".to_owned(), ..Package::default() }];
        for (line, version, other) in [
            ("manis-auth = \"0.1\" # words", "0.1.3", false),
            ("# manis-auth = { version = \"0.1.3\", features = []}", "0.1.3", false),
            ("manis-auth = \"0.1\"", "0.10.0", true),
            ("manis-auth = { version = \"0.2\" }", "0.1.0", true),
            ("serde = \"1\"", "0.1.0", false),
        ] {
            assert_eq!(asks_for_another(line, &packages, version), other, "{line}");
        }
    }
}
