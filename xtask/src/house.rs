//! The rules that no compiler knows: where things stand, how long they are, and what never does.

use std::fs;
use std::path::{Path, PathBuf};

use crate::steps::root;
use crate::test::PROVIDERS;

/// The longest file below a crate's `src`.
const LONGEST: usize = 400;
/// Every room of a provider crate.
const ROOMS: [&str; 8] = [
    "Cargo.toml",
    "README.md",
    "src/credentials.rs",
    "src/exchange.rs",
    "src/lib.rs",
    "src/wire.rs",
    "tests/fixtures.rs",
    "tests/request.rs",
];

/// Says all that is out of place at once.
pub(crate) fn check() -> Result<(), String> {
    let root = root();
    let mut faults = Vec::new();
    for file in files(&root)? {
        let name =
            file.strip_prefix(&root).unwrap_or(&file).display().to_string().replace('\\', "/");
        let Ok(text) = fs::read_to_string(&file) else {
            continue;
        };
        let is_source = name.starts_with("crates/") && name.contains("/src/");
        if is_source && text.lines().count() > LONGEST {
            faults.push(format!("{name} has over {LONGEST} lines: does it hold two ideas?"));
        }
        let own = name == "crates/auth-core/src/http/client.rs";
        if is_source && !own && text.contains(concat!("req", "west")) {
            faults.push(format!(
                "{name} names the HTTP library; crates/auth-core/src/http/client.rs alone may"
            ));
        }
        for sample in samples() {
            if text.contains(&sample) {
                faults
                    .push(format!("{name} holds a sample of a provider's document: make your own"));
            }
        }
    }
    for provider in PROVIDERS {
        for room in ROOMS {
            let path = format!("crates/{provider}-auth/{room}");
            if !root.join(&path).is_file() {
                faults.push(format!("{path} is missing: the provider crates have the same rooms"));
            }
        }
    }
    if faults.is_empty() { Ok(()) } else { Err(faults.join("\n")) }
}

/// Beginnings of the documents' own keys, tokens and address, in halves so that this file is clean.
fn samples() -> Vec<String> {
    [
        ("live_digital", "paye6"),
        ("59bec586-", "29f0"),
        ("bGl2ZV9ka", "Wdp"),
        ("8437dd13-9", "5ac"),
        ("82725488-", "22bf"),
        ("eya", "l1"),
        ("MySec", "ret!!!"),
        ("A3-AD5mG", "awb"),
        ("gLmL4am5", "bro"),
    ]
    .map(|(a, b)| format!("{a}{b}"))
    .into()
}

/// Every file of the checkout that people write.
fn files(folder: &Path) -> Result<Vec<PathBuf>, String> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).map_err(|fault| format!("{}: {fault}", folder.display()))? {
        let path = entry.map_err(|fault| fault.to_string())?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if path.is_dir() && !matches!(name.as_str(), "target" | ".git" | "node_modules") {
            found.extend(files(&path)?);
        } else if path.is_file() && name != "Cargo.lock" {
            found.push(path);
        }
    }
    Ok(found)
}
