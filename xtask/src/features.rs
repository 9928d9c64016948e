//! cargo-hack makes the sets of features; no tool knows which of them change code that tests look
//! at, and that the oldest versions asked for must compile too.
//!
//! cargo-hack takes one package at a time: a run over several would give each the features that
//! another asks for.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::steps::{
    Steps, cargo, command, output, read, root, run as succeed, target, tool, write,
};
use crate::workspace::{Package, copy, has_openssl, list, metadata, published};

/// A crate whose features are mostly other crates of ours.
const UMBRELLA: &str = "provider-auth";
/// The crates with code that depends on their features. The others pass features on to these, and one
/// at a time shows that: sets of two would be thousands.
const OWN_CODE: [&str; 4] = ["auth-core", "auth-middleware", "auth-sandbox", "auth-store"];
/// The engine's features that are tested together; alone, they change what compiles and not what
/// happens. `rustls-no-provider` works for a program that brings a provider, and tests are none.
const TESTED: [&str; 3] = ["", "reqwest-0_13,rustls", "reqwest-0_13,native-tls"];

pub(crate) fn run() -> Result<(), String> {
    let packages = published(&root())?;
    let mut steps = Steps::default();
    let hack = tool("cargo-hack", "0.6.46")?;
    let left_out = if has_openssl() { "default" } else { "default,native-tls" };
    for package in &packages {
        let name = package.name.as_str();
        let sets: &[&str] = match OWN_CODE.contains(&name) {
            true => &["--feature-powerset", "--depth", "2"],
            false => &["--each-feature"],
        };
        steps.step(&format!("{} of {name}", sets[0]), || {
            let mut hack = command(&hack, &root());
            hack.args(["hack", "clippy", "--quiet", "--locked", "--exclude-features", left_out]);
            succeed(hack.args(["--package", name]).args(sets).args(["--", "-D", "warnings"]))
        })?;
    }
    for features in TESTED.iter().filter(|names| has_openssl() || !names.contains("native-tls")) {
        tests(&mut steps, "auth-core", &["--no-default-features", "--features", features])?;
    }
    tests(&mut steps, UMBRELLA, &["--no-default-features"])?;
    for package in &packages {
        let every = package.every();
        tests(&mut steps, &package.name, &every.each_ref().map(String::as_str))?;
    }
    steps.step("the oldest versions asked for", || oldest(&packages))?;
    steps.finish();
    Ok(())
}

/// The last step alone, for who is looking for a version.
pub(crate) fn oldest_alone() -> Result<(), String> {
    oldest(&published(&root())?)
}

fn tests(steps: &mut Steps, package: &str, choice: &[&str]) -> Result<(), String> {
    // The units of library and programs too; `--lib` is an error where there is none.
    let words = ["test", "--quiet", "--locked", "--tests", "--package", package];
    steps.cargo(&[&words[..], choice].concat())
}

/// Compiles the published crates with the oldest versions of their dependencies that they say they
/// work with, in a copy of the checkout without the other members, whose tools ask for newer ones.
/// Versions that nobody here asks for stay as they are locked.
fn oldest(packages: &[Package]) -> Result<(), String> {
    let folder = target().join("minimal");
    copy(&root(), &folder)?;
    let manifest = folder.join("Cargo.toml");
    let members: Vec<_> = packages.iter().map(|it| format!("crates/{}", it.name)).collect();
    let everything = r#"members = ["crates/*", "examples", "xtask"]"#;
    let published = read(&manifest)?.replace(everything, &format!("members = {members:?}"));
    write(&manifest, published)?;
    let told = metadata(&folder, &["--all-features"])?;
    let members = list(&told["workspace_members"]);
    let nodes = list(&told["resolve"]["nodes"]).iter().filter(|it| members.contains(&it["id"]));
    let asked = nodes.flat_map(|node| list(&node["dependencies"])).filter_map(Value::as_str);
    let direct: BTreeSet<_> = asked.filter(|id| id.starts_with("registry")).collect();
    let mut update = cargo(&folder);
    update.args(["update", "--quiet", "-Z", "direct-minimal-versions"]).args(direct);
    // Cargo alone gets what is not settled in it; what is compiled does not.
    output(update.env("RUSTC_BOOTSTRAP", "1"))?;
    for package in packages {
        // A program is installed with the versions that it was released with, features or not.
        let every = package.is_library().then(|| package.every());
        let every = every.as_ref().map(<[String; 2]>::as_slice);
        for choice in std::iter::once(&[][..]).chain(every) {
            let mut check = cargo(&folder);
            check.args(["check", "--quiet", "--locked", "--package", &package.name]);
            succeed(check.args(choice).env("CARGO_TARGET_DIR", target())).map_err(|fault| {
                format!("{} needs a newer version than it asks for: {fault}", package.name)
            })?;
        }
    }
    Ok(())
}
