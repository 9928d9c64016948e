//! Where versions stand, and setting them all at once.

use std::fs;
use std::path::{Path, PathBuf};

use toml_edit::{DocumentMut, Item};

use super::{Options, packages, plan};
use crate::steps::{cargo, output};
use crate::workspace::Package;

/// A text that tells somebody which version to ask for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Stated {
    pub(super) file: PathBuf,
    pub(super) krate: String,
    pub(super) asked: String,
}

impl Stated {
    /// Whether that version is one of those that it asks for.
    pub(super) fn agrees(&self, version: &str) -> bool {
        format!("{version}.").starts_with(&format!("{}.", self.asked))
    }
}

/// Runs `release bump`: the manifest, the lock, and every text that says what to ask for.
pub(super) fn run(options: &Options, version: &str) -> Result<(), String> {
    let series = series(version)?;
    let packages = packages(options)?;
    let before = plan::lockstep(&packages)?;
    let stated = stated(&options.root, &packages)?;
    if options.dry_run {
        println!(
            "would set {version} in place of {before}, and \"{series}\" in {} lines",
            stated.len()
        );
        return Ok(());
    }
    let manifest = options.root.join("Cargo.toml");
    let text = read(&manifest)?;
    write(&manifest, &bumped(&text, &packages, version)?)?;
    for Stated { file, krate, asked } in &stated {
        let text = read(file)?
            .replace(&format!("{krate} = \"{asked}\""), &format!("{krate} = \"{series}\""))
            .replace(
                &format!("{krate} = {{ version = \"{asked}\""),
                &format!("{krate} = {{ version = \"{series}\""),
            );
        write(file, &text)?;
    }
    output(cargo(&options.root).args(["metadata", "--format-version", "1", "--quiet"]))?;
    println!("{before} is now {version}: look at `git diff`, and commit");
    Ok(())
}

/// What the README's and the guides' lines ask for, of ours.
pub(super) fn stated(root: &Path, packages: &[Package]) -> Result<Vec<Stated>, String> {
    let mut files = vec![root.join("README.md"), root.join("examples/sixth-provider/Cargo.toml")];
    for package in packages {
        files.push(package.folder.join("README.md"));
        let guides = fs::read_dir(package.folder.join("docs")).into_iter().flatten();
        let guides = guides.filter_map(|entry| Some(entry.ok()?.path()));
        files.extend(guides.filter(|file| file.extension().is_some_and(|kind| kind == "md")));
    }
    let mut found = Vec::new();
    for file in files.into_iter().filter(|file| file.is_file()) {
        let text = read(&file)?;
        found.extend(asked_for(&text, packages).into_iter().map(|(krate, asked)| Stated {
            file: file.clone(),
            krate,
            asked,
        }));
    }
    Ok(found)
}

/// Each `name = "0.1"` and `name = { version = "0.1"` of ours in a text.
fn asked_for(text: &str, packages: &[Package]) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for line in text.lines() {
        for package in packages {
            let Some((_, rest)) = line.split_once(&format!("{} = ", package.name)) else {
                continue;
            };
            let rest = rest.strip_prefix("{ version = ").unwrap_or(rest);
            if let Some(asked) = rest.strip_prefix('"').and_then(|rest| rest.split('"').next()) {
                found.push((package.name.clone(), asked.to_owned()));
            }
        }
    }
    found
}

/// The root manifest with the version in its one place, and beside each path of ours.
fn bumped(manifest: &str, packages: &[Package], version: &str) -> Result<String, String> {
    let mut manifest: DocumentMut =
        manifest.parse().map_err(|fault| format!("Cargo.toml: {fault}"))?;
    let missing = |what: &str| format!("Cargo.toml has no {what}");
    let workspace = manifest.get_mut("workspace").ok_or_else(|| missing("[workspace]"))?;
    let shared = workspace
        .get_mut("package")
        .and_then(|package| package.get_mut("version"))
        .ok_or_else(|| missing("version in [workspace.package]"))?;
    *shared = toml_edit::value(version);
    let dependencies = workspace
        .get_mut("dependencies")
        .and_then(Item::as_table_like_mut)
        .ok_or_else(|| missing("[workspace.dependencies]"))?;
    for package in packages {
        let line = dependencies.get_mut(&package.name).and_then(Item::as_table_like_mut);
        if let Some(asked) = line.and_then(|line| line.get_mut("version")) {
            *asked = toml_edit::value(version);
        }
    }
    Ok(manifest.to_string())
}

/// What a consumer asks for: `0.1` of `0.1.3`, `2` of `2.4.0`.
fn series(version: &str) -> Result<String, String> {
    let parts: Vec<_> = version.split('.').collect();
    match parts.as_slice() {
        [major, minor, patch] if parts.iter().all(|part| number(part)) && number(patch) => {
            Ok(if *major == "0" { format!("0.{minor}") } else { (*major).to_owned() })
        }
        _ => Err(format!("{version} is no version: write it as 0.2.0")),
    }
}

fn number(part: &str) -> bool {
    part.parse::<u32>().is_ok_and(|number| number.to_string() == part)
}

fn read(file: &Path) -> Result<String, String> {
    fs::read_to_string(file).map_err(|fault| format!("{}: {fault}", file.display()))
}

fn write(file: &Path, text: &str) -> Result<(), String> {
    fs::write(file, text).map_err(|fault| format!("{}: {fault}", file.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_agrees_up_to_a_whole_number() {
        let asks = |asked: &str| {
            let krate = "manis-auth".to_owned();
            Stated { file: PathBuf::new(), krate, asked: asked.to_owned() }
        };
        assert!(asks("0.1").agrees("0.1.3") && asks("0.1.3").agrees("0.1.3"));
        assert!(!asks("0.1").agrees("0.10.0") && !asks("0.2").agrees("0.1.0"));
    }

    fn manis() -> Package {
        Package {
            name: "manis-auth".to_owned(),
            version: "0.1.0".to_owned(),
            folder: PathBuf::new(),
            published: true,
            features: Vec::new(),
            needs: Vec::new(),
        }
    }

    #[test]
    fn what_texts_ask_for_is_found() {
        let text =
            "manis-auth = \"0.1\" # words\n# manis-auth = { version = \"0.2\", features = []}\n";
        let found = asked_for(text, &[manis()]);
        let found: Vec<_> = found.iter().map(|(a, b)| (a.as_str(), b.as_str())).collect();
        assert_eq!(found, [("manis-auth", "0.1"), ("manis-auth", "0.2")]);
    }

    #[test]
    fn the_manifest_changes_in_the_version_alone() {
        let manifest = "# ours\n[workspace.package]\nversion = \"0.1.0\"\nedition = \"2024\"\n\n\
                        [workspace.dependencies]\n\
                        manis-auth = { path = \"crates/manis-auth\", version = \"0.1.0\" } # here\n\
                        serde = { version = \"1.0\" }\n";
        let unlisted = Package { name: "auth-sandbox".to_owned(), ..manis() };
        let after = bumped(manifest, &[manis(), unlisted], "0.2.0").unwrap();
        assert_eq!(after, manifest.replace("0.1.0", "0.2.0"));
        assert!(bumped("[package]\n", &[manis()], "0.2.0").unwrap_err().contains("[workspace]"));
    }

    #[test]
    fn a_series_is_what_cargo_holds_compatible() {
        assert_eq!(series("0.1.3"), Ok("0.1".to_owned()));
        assert_eq!(series("2.4.0"), Ok("2".to_owned()));
        for wrong in ["1.0", "v1.0.0", "1.0.0.0", "1.0.x", "01.0.0", ""] {
            assert!(series(wrong).is_err(), "{wrong}");
        }
    }
}
