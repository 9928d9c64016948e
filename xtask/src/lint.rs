//! Form, the rules of the house, and the compiler's opinion: warnings are errors.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use crate::house;
use crate::steps::{Steps, root, run as succeed, target};

/// What builds rustdoc and clippy with every feature; the sandbox and the tools have none.
const WITH_FEATURES: [&str; 7] = [
    "auth-core",
    "digitalpaye-auth",
    "digishare-auth",
    "tresorpay-auth",
    "papaya-auth",
    "manis-auth",
    "provider-auth",
];

pub(crate) fn run() -> Result<(), String> {
    let mut steps = Steps::default();
    steps.cargo(&["fmt", "--all", "--check"])?;
    steps.step("the rules of the house", house::check)?;
    denied(&mut steps)?;
    for krate in crates()? {
        steps.cargo(&[
            "clippy",
            "--quiet",
            "--locked",
            "--package",
            &krate,
            "--all-targets",
            "--",
            "-D",
            "warnings",
        ])?;
    }
    // OpenSSL's headers are the one thing here that Rust alone does not bring.
    let native = Command::new("pkg-config").args(["--exists", "openssl"]).status();
    let native = cfg!(not(target_os = "linux")) || native.is_ok_and(|status| status.success());
    for krate in WITH_FEATURES {
        let base = ["clippy", "--quiet", "--locked", "--package", krate, "--all-targets"];
        let all = if native {
            vec!["--all-features".to_owned()]
        } else {
            println!(
                "OpenSSL's headers are not installed (libssl-dev, pkg-config): native-tls is left out"
            );
            vec!["--features".to_owned(), features(krate)?]
        };
        for choice in [vec!["--no-default-features".to_owned()], all] {
            let mut args = base.to_vec();
            args.extend(choice.iter().map(String::as_str));
            args.extend(["--", "-D", "warnings"]);
            steps.cargo(&args)?;
        }
    }
    let denied = [("RUSTDOCFLAGS", "-D warnings")];
    steps.cargo_with(&["doc", "--quiet", "--locked", "--workspace", "--no-deps"], &denied)?;
    steps.finish();
    Ok(())
}

/// Licences, sources and bans, where cargo-deny is installed: in the path, or where `.ci/run` puts it.
fn denied(steps: &mut Steps) -> Result<(), String> {
    let own = target().join("tools/bin/cargo-deny").with_extension(std::env::consts::EXE_EXTENSION);
    let programs = [PathBuf::from("cargo-deny"), own];
    let works = |program: &&PathBuf| {
        let told = Command::new(program).arg("--version").output();
        told.is_ok_and(|told| told.status.success())
    };
    let Some(program) = programs.iter().find(works) else {
        println!(
            "skipped: cargo deny check (`cargo install --locked cargo-deny` installs it; CI runs it)"
        );
        return Ok(());
    };
    let words = ["--locked", "--log-level", "error", "check", "bans", "licenses", "sources"];
    let mut command = Command::new(program);
    // Two versions of a crate below others of theirs are a warning, and ours to live with.
    command.current_dir(root()).args(words);
    steps.step("cargo deny check bans licenses sources", || succeed(&mut command))
}

/// Every package of the workspace.
fn crates() -> Result<Vec<String>, String> {
    let folder = root().join("crates");
    let mut names: Vec<_> = fs::read_dir(folder)
        .map_err(|fault| format!("crates: {fault}"))?
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .collect();
    names.sort();
    names.extend(["examples".to_owned(), "xtask".to_owned()]);
    Ok(names)
}

/// All features of a crate but those that need a library of the system's.
fn features(krate: &str) -> Result<String, String> {
    let manifest = root().join("crates").join(krate).join("Cargo.toml");
    let text = fs::read_to_string(&manifest).map_err(|fault| format!("{krate}: {fault}"))?;
    let table = text.split_once("[features]").map_or("", |(_, rest)| rest);
    let table = table.split_once("\n[").map_or(table, |(table, _)| table);
    let names: Vec<_> = table
        .lines()
        .filter_map(|line| line.split_once(" = ").map(|(name, _)| name))
        .filter(|name| *name != "native-tls" && !name.starts_with('#'))
        .collect();
    Ok(names.join(","))
}
