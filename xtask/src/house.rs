//! The rules that no compiler knows: where things stand, how long they are, and what never does.

use std::fs;
use std::path::Path;

use crate::features::promises;
use crate::steps::root;
use crate::test::PROVIDERS;
use crate::workspace::files;

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
    let mut readmes = Vec::new();
    for name in files(&root)?.into_iter().filter(|name| !name.ends_with("Cargo.lock")) {
        let Ok(text) = fs::read_to_string(root.join(&name)) else {
            continue;
        };
        let is_source = name.starts_with("crates/") && name.contains("/src/");
        if is_source && text.lines().count() > LONGEST {
            faults.push(format!("{name} has over {LONGEST} lines: does it hold two ideas?"));
        }
        if name.ends_with("README.md") {
            readmes.push((name.clone(), text.clone()));
        }
        for sample in samples() {
            if text.contains(&sample) {
                faults
                    .push(format!("{name} holds a sample of a provider's document: make your own"));
            }
        }
    }
    let read = |name: &str| fs::read_to_string(root.join(name)).unwrap_or_default();
    faults.extend(promises(&read("Cargo.toml"), &read("clippy.toml"), &readmes));
    for provider in PROVIDERS {
        for room in ROOMS {
            let path = format!("crates/{provider}-auth/{room}");
            if !root.join(&path).is_file() {
                faults.push(format!("{path} is missing: the provider crates have the same rooms"));
            }
        }
    }
    faults.extend(sixth_provider(&root)?);
    if faults.is_empty() { Ok(()) } else { Err(faults.join("\n")) }
}

/// The provider that a stranger could write is short, and the guide shows it as it is.
fn sixth_provider(root: &Path) -> Result<Vec<String>, String> {
    const CODE: &str = "examples/sixth-provider/src/lib.rs";
    const GUIDE: &str = "crates/auth-core/docs/sixth_provider.md";
    let read = |file: &str| {
        fs::read_to_string(root.join(file)).map_err(|fault| format!("{file}: {fault}"))
    };
    let (code, guide) = (read(CODE)?, read(GUIDE)?);
    let mut faults = Vec::new();
    if code.lines().count() >= 100 {
        faults.push(format!("{CODE} has 100 lines or more: what should auth-core spare it?"));
    }
    if let Some(line) = not_shown(&code, &guide) {
        faults.push(format!("{GUIDE} does not show this line of {CODE}, in its place: {line}"));
    }
    Ok(faults)
}

/// The first line of the code that the guide does not have after those before it.
fn not_shown<'a>(code: &'a str, guide: &str) -> Option<&'a str> {
    let mut shown = guide.lines();
    code.lines().filter(|line| !line.trim().is_empty()).find(|line| !shown.any(|it| it == *line))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_guide_shows_code_whole_and_in_order() {
        let code = "a();\n\nb();\nc();\n";
        assert_eq!(not_shown(code, "Words.\na();\nb();\nmore words\nc();\n"), None);
        assert_eq!(not_shown(code, "b();\na();\nc();\n"), Some("b();"));
        assert_eq!(not_shown(code, "a();\nb();\n"), Some("c();"));
    }
}
