//! The oldest versions of their dependencies that the published crates ask for: a requirement that
//! was never tried is a promise to break somebody whose lock file is old.
//!
//! Tried in a copy of the checkout without tests and the packages that need them, since what they
//! need would be resolved too. Versions that nobody here asks for stay as Cargo.lock has them.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use serde_json::Value;
use toml_edit::{Array, DocumentMut, Item};

use super::{every, quietly};
use crate::steps::{Steps, cargo, output, root, target};
use crate::workspace::{Package, Workspace, files};

/// Resolves and compiles each group of published crates that belong together.
pub(super) fn run(workspace: &Workspace, steps: &mut Steps) -> Result<(), String> {
    for top in tops(workspace) {
        let folder = target().join("minimal").join(&top.name);
        steps.step(&format!("the oldest versions for {}", top.name), || {
            copy(&folder, top)?;
            resolve(&folder)?;
            let group = Workspace::read(&folder)?;
            for package in &group.packages {
                for choice in [Vec::new(), every(package)] {
                    compile(&folder, package, &choice)?;
                }
            }
            Ok(())
        })?;
    }
    Ok(())
}

/// The published packages that no other one needs: each stands for a group that is resolved alone.
fn tops(workspace: &Workspace) -> impl Iterator<Item = &Package> {
    workspace.published().filter(|package| {
        !workspace
            .published()
            .any(|other| other.needs.iter().any(|(name, _)| *name == package.name))
    })
}

/// Copies the checkout as it stands, what is not committed included. What is there already stays as
/// it is, so that a second run compiles nothing.
fn copy(folder: &Path, top: &Package) -> Result<(), String> {
    let root = root();
    let member = top.folder.strip_prefix(&root).unwrap_or(&top.folder);
    for name in files(&root)? {
        let mut bytes = fs::read(root.join(&name)).map_err(|fault| format!("{name}: {fault}"))?;
        if name.ends_with("Cargo.toml") {
            let text = String::from_utf8_lossy(&bytes);
            bytes = bare(&text, member).map_err(|fault| format!("{name}: {fault}"))?.into();
        }
        let to = folder.join(name);
        if fs::read(&to).is_ok_and(|there| there == bytes) {
            continue;
        }
        to.parent()
            .map_or(Ok(()), fs::create_dir_all)
            .and_then(|()| fs::write(&to, bytes))
            .map_err(|fault| format!("{}: {fault}", to.display()))?;
    }
    Ok(())
}

/// A manifest without what only tests need; a workspace's with one member, and those that it needs.
fn bare(manifest: &str, member: &Path) -> Result<String, String> {
    let mut manifest: DocumentMut =
        manifest.parse().map_err(|fault: toml_edit::TomlError| fault.to_string())?;
    manifest.remove("dev-dependencies");
    if let Some(targets) = manifest.get_mut("target").and_then(Item::as_table_like_mut) {
        for (_, target) in targets.iter_mut() {
            if let Some(target) = target.as_table_like_mut() {
                target.remove("dev-dependencies");
            }
        }
    }
    if let Some(workspace) = manifest.get_mut("workspace").and_then(Item::as_table_like_mut) {
        let member = member.display().to_string().replace('\\', "/");
        workspace.insert("members", Item::Value(Array::from_iter([member]).into()));
    }
    Ok(manifest.to_string())
}

/// Moves what the group asks for itself down to the oldest versions that it would take.
fn resolve(folder: &Path) -> Result<(), String> {
    let before = asked(&metadata(folder)?);
    let direct: BTreeSet<_> = before.iter().map(|asked| asked.id.as_str()).collect();
    output(
        cargo(folder)
            .args(["update", "-Z", "direct-minimal-versions"])
            .args(direct)
            // Cargo alone gets what is not settled in it; what is compiled does not.
            .env("RUSTC_BOOTSTRAP", "1"),
    )
    .map_err(|fault| format!("{fault}\n{RAISE}"))?;
    let after = asked(&metadata(folder)?);
    let unmet: Vec<_> = after.iter().filter(|asked| !asked.is_met()).map(Asked::fault).collect();
    if unmet.is_empty() { Ok(()) } else { Err(unmet.join("\n")) }
}

/// Compiles one package of the group.
fn compile(folder: &Path, package: &Package, choice: &[String]) -> Result<(), String> {
    let mut command = cargo(folder);
    command
        .args(["check", "--quiet", "--locked", "--lib", "--package", &package.name])
        .args(choice);
    // Old derive macros make a new compiler warn.
    quietly(command.env("CARGO_TARGET_DIR", target()))
        .map_err(|fault| format!("{} {}: {fault}\n{RAISE}", package.name, choice.join(" ")))
}

/// What to do about a version that does not do.
const RAISE: &str = "it needs a newer version of something than it asks for: raise that in the \
                     root's Cargo.toml, or in its own, to the first one that does";

/// A dependency that a package of the group asks for, and what became of it.
#[derive(Debug)]
struct Asked {
    by: String,
    name: String,
    requirement: String,
    version: String,
    id: String,
}

impl Asked {
    /// Whether the version is the very first that the requirement takes.
    fn is_met(&self) -> bool {
        let numbers = |text: &str| {
            let mut numbers: Vec<u64> = text
                .split(|letter: char| !letter.is_ascii_digit())
                .filter_map(|part| part.parse().ok())
                .chain([0; 3])
                .collect();
            numbers.truncate(3);
            numbers
        };
        numbers(&self.requirement) == numbers(&self.version)
    }

    fn fault(&self) -> String {
        let Self { by, name, requirement, version, .. } = self;
        format!(
            "{by} asks for {name} {requirement}, and {version} is the first it can get: ask for that"
        )
    }
}

/// Everything from a registry that the group's packages ask for.
fn asked(told: &Value) -> Vec<Asked> {
    let all = |key: &str| told.get(key).and_then(Value::as_array).into_iter().flatten();
    let members: BTreeSet<_> = all("workspace_members").filter_map(Value::as_str).collect();
    let versions: BTreeMap<_, _> =
        all("packages").map(|package| (text(package, "id"), package)).collect();
    let nodes = told.get("resolve").and_then(|it| it.get("nodes")).and_then(Value::as_array);
    let mut asked = Vec::new();
    for node in nodes.into_iter().flatten().filter(|node| members.contains(text(node, "id"))) {
        let Some(package) = versions.get(text(node, "id")) else {
            continue;
        };
        let ids = node.get("dependencies").and_then(Value::as_array).into_iter().flatten();
        let found: Vec<_> = ids.filter_map(|id| versions.get(id.as_str()?).copied()).collect();
        let wanted = package.get("dependencies").and_then(Value::as_array).into_iter().flatten();
        for wanted in wanted.filter(|wanted| wanted.get("source").is_some_and(Value::is_string)) {
            let name = text(wanted, "name");
            if let Some(found) = found.iter().find(|found| text(found, "name") == name) {
                asked.push(Asked {
                    by: text(package, "name").to_owned(),
                    name: name.to_owned(),
                    requirement: text(wanted, "req").to_owned(),
                    version: text(found, "version").to_owned(),
                    id: text(found, "id").to_owned(),
                });
            }
        }
    }
    asked
}

fn metadata(folder: &Path) -> Result<Value, String> {
    let told = output(cargo(folder).args(["metadata", "--format-version", "1"]))?;
    serde_json::from_str(&told).map_err(|fault| format!("cargo metadata is no JSON: {fault}"))
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value.get(key).and_then(Value::as_str).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_has_one_group_of_crates_and_nothing_that_tests_need() {
        let root = "[workspace]\nmembers = [\"crates/*\", \"xtask\"]\n\n[workspace.dependencies]\nhttp = \"1.5\"\n";
        let told = bare(root, Path::new("crates/top")).unwrap();
        assert!(told.contains("members = [\"crates/top\"]"), "{told}");
        assert!(told.contains("http = \"1.5\""), "{told}");
        let member = "[dependencies]\na = \"1\"\n\n[dev-dependencies]\nb = \"1\"\n\n\
                      [target.'cfg(unix)'.dependencies]\nc = \"1\"\n\n\
                      [target.'cfg(unix)'.dev-dependencies]\nd = \"1\"\n\n[lints]\nworkspace = true\n";
        let told = bare(member, Path::new("")).unwrap();
        for (line, stays) in [
            ("a = \"1\"", true),
            ("b = \"1\"", false),
            ("c = \"1\"", true),
            ("d = \"1\"", false),
            ("workspace = true", true),
            ("members", false),
        ] {
            assert_eq!(told.contains(line), stays, "{line}: {told}");
        }
        assert!(bare("[dependencies", Path::new("")).is_err());
    }

    #[test]
    fn a_requirement_is_met_by_its_first_version_alone() {
        for (requirement, version, met) in [
            ("^1.9", "1.9.0", true),
            ("^1", "1.0.0", true),
            ("^0.2.43", "0.2.43", true),
            ("=0.52.0", "0.52.0", true),
            ("^1.9", "1.9.3", false),
            ("^1.0", "1.1.0", false),
        ] {
            let asked = Asked {
                by: "ours".to_owned(),
                name: "theirs".to_owned(),
                requirement: requirement.to_owned(),
                version: version.to_owned(),
                id: String::new(),
            };
            assert_eq!(asked.is_met(), met, "{requirement} {version}");
            assert!(asked.fault().contains("ours asks for theirs"), "{}", asked.fault());
        }
    }

    #[test]
    fn what_a_package_asks_for_is_found_with_what_it_got() {
        let told = serde_json::json!({
            "workspace_members": ["path+ours"],
            "packages": [
                {"id": "path+ours", "name": "ours", "dependencies": [
                    {"name": "http", "req": "^1.5", "source": "registry"},
                    {"name": "sister", "req": "*", "source": null},
                    {"name": "not-here", "req": "^1", "source": "registry"},
                ]},
                {"id": "path+sister", "name": "sister", "version": "0.1.0"},
                {"id": "registry#http", "name": "http", "version": "1.5.0", "dependencies": [
                    {"name": "itoa", "req": "^1", "source": "registry"},
                ]},
                {"id": "registry#itoa", "name": "itoa", "version": "1.0.18"},
            ],
            "resolve": {"nodes": [
                {"id": "path+ours", "dependencies": ["path+sister", "registry#http"]},
                {"id": "registry#http", "dependencies": ["registry#itoa"]},
            ]},
        });
        let asked = asked(&told);
        assert_eq!(asked.len(), 1, "{asked:?}");
        assert_eq!((asked[0].id.as_str(), asked[0].is_met()), ("registry#http", true));
    }
}
