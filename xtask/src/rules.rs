//! No linter knows these rules: where things stand, how long they are, and what never gets in.

use std::path::Path;

use crate::steps::{read, root};
use crate::test::PROVIDERS;
use crate::workspace::files;

/// The longest file below a crate's `src`.
const LONGEST: usize = 400;
/// What every provider crate has.
const FILES: &str = "Cargo.toml README.md src/config.rs src/credentials.rs src/exchange.rs src/lib.rs \
                     src/test_util.rs src/wire.rs tests/request.rs";
/// Beginnings of the documents' own keys, tokens and address, in halves so that this file is clean.
const SAMPLES: &str = "live_digital|paye6 59bec586-|29f0 bGl2ZV9ka|Wdp 8437dd13-9|5ac 82725488-|22bf \
                       eya|l1 MySec|ret!!! A3-AD5mG|awb gLmL4am5|bro";
/// Code outside the workspace, and the guide that shows it whole.
const SHOWN: [(&str, &str); 2] = [
    ("examples/sixth-provider/src/lib.rs", "crates/auth-core/docs/sixth_provider.md"),
    ("examples/postgres-store/src/lib.rs", "crates/auth-store/docs/own_store.md"),
];
/// The longest of that code.
const LONGEST_SHOWN: usize = 100;
/// Beginnings of paths that only one machine has.
const MACHINES: &str = "/ro|ot/ /ho|me/ /wo|rk/ /Us|ers/";

/// Says all that is out of place at once.
pub(crate) fn check() -> Result<(), String> {
    let root = root();
    let manifest = read(&root.join("Cargo.toml"))?;
    let msrv = manifest.split("rust-version = \"").nth(1).and_then(|rest| rest.split('"').next());
    let msrv = msrv.ok_or("Cargo.toml names no rust-version")?;
    let mut faults = Vec::new();
    for name in files(&root)?.into_iter().filter(|name| !name.ends_with("Cargo.lock")) {
        // What is no text says nothing.
        let Ok(text) = read(&root.join(&name)) else { continue };
        faults.extend(in_file(&name, &text, msrv));
    }
    for provider in PROVIDERS {
        let all = FILES.split(' ').map(|file| format!("crates/{provider}-auth/{file}"));
        let missing = all.filter(|file| !root.join(file).is_file());
        faults
            .extend(missing.map(|file| format!("{file} is missing: every provider crate has it")));
    }
    for (code, guide) in SHOWN {
        faults.extend(shown(&root, code, guide)?);
    }
    if faults.is_empty() { Ok(()) } else { Err(faults.join("\n")) }
}

fn in_file(name: &str, text: &str, msrv: &str) -> Vec<String> {
    let mut faults = Vec::new();
    let is_source = name.starts_with("crates/") && name.contains("/src/");
    if is_source && text.lines().count() > LONGEST {
        faults.push(format!("{name} has over {LONGEST} lines: does it hold two ideas?"));
    }
    for (banned, why) in [
        (SAMPLES, "holds a sample of a provider's document: make your own"),
        (MACHINES, "names a folder that only one machine has"),
    ] {
        let found = banned.split(' ').any(|halves| text.contains(&halves.replace('|', "")));
        faults.extend(found.then(|| format!("{name} {why}")));
    }
    if name.ends_with("README.md") || name == "clippy.toml" || name.starts_with(".github/") {
        let other = promised(text).into_iter().filter(|found| *found != msrv);
        faults.extend(other.map(|found| {
            format!("{name} promises Rust {found}, and Cargo.toml's rust-version is {msrv}")
        }));
    }
    faults
}

/// The Rust versions that a text promises: `MSRV 1.89`, `msrv = "1.89"`, `1.89 or later`.
fn promised(text: &str) -> Vec<&str> {
    let words = text.split([' ', '\n', '"', ',', ';', ':', '(', ')']);
    let words: Vec<_> = words.filter(|word| !word.is_empty()).collect();
    let promised = words.windows(3).filter_map(|three| match three {
        ["MSRV", version, _] | ["msrv", "=", version] => Some(*version),
        [version, "or", "later" | "newer" | "later." | "newer."] => Some(*version),
        _ => None,
    });
    let promised = promised.filter(|word| word.starts_with("1."));
    promised.map(|version| version.trim_end_matches('.')).collect()
}

/// What somebody outside could write is short, and the guide shows it as it is.
fn shown(root: &Path, file: &str, page: &str) -> Result<Vec<String>, String> {
    let (code, guide) = (read(&root.join(file))?, read(&root.join(page))?);
    let long = code.lines().count() >= LONGEST_SHOWN;
    let long = long.then(|| {
        format!("{file} has {LONGEST_SHOWN} lines or more: what should our crate spare it?")
    });
    let missing = not_shown(&code, &guide)
        .map(|line| format!("{page} does not show this line of {file}, in its place: {line}"));
    Ok(long.into_iter().chain(missing).collect())
}

/// The first line of the code that the guide does not have after those before it.
fn not_shown<'a>(code: &'a str, guide: &str) -> Option<&'a str> {
    let mut shown = guide.lines();
    code.lines().filter(|line| !line.trim().is_empty()).find(|line| !shown.any(|it| it == *line))
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

    #[test]
    fn what_is_banned_or_promises_another_rust_is_named() {
        for halves in SAMPLES.split(' ').chain(MACHINES.split(' ')) {
            let text = format!("`{}7`", halves.replace('|', ""));
            assert_eq!(in_file("README.md", &text, "1.89").len(), 1, "{halves}");
        }
        let good = "With [Rust](https://rustup.rs) 1.89 or later:\n\nMSRV 1.89, raised with care.";
        assert!(in_file("README.md", good, "1.89").is_empty());
        for other in ["MSRV 1.90, so", "Rust 1.91 or later.", "msrv = \"1.88\"\n"] {
            assert_eq!(in_file("README.md", other, "1.89").len(), 1, "{other}");
        }
    }
}
