//! `auth-core` from the ground up: each module uses those before it in the list, so there is no circle.

#![allow(clippy::unwrap_used, clippy::panic)] // helpers of tests are not seen as tests

use std::fs;
use std::path::{Path, PathBuf};

/// The modules, lowest first. `pointers` implements the traits for `Arc` and `Box`.
const ORDER: [&str; 31] = [
    "panics",
    "clock",
    "policy",
    "secret",
    "error",
    "observer",
    "metrics",
    "trace",
    "endpoint",
    "http",
    "response",
    "request",
    "identity",
    "grant",
    "wire",
    "oauth2",
    "jwt",
    "term",
    "challenge",
    "exchange",
    "store",
    "token",
    "status",
    "source",
    "test_util",
    "env",
    "resolver",
    "engine",
    "blocking",
    "pointers",
    "guide",
];

fn place(module: &str) -> usize {
    let found = ORDER.iter().position(|known| *known == module);
    found.unwrap_or_else(|| panic!("{module} has no place in the order of modules"))
}

/// The Rust files below a folder.
fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries
        .flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] })
        .filter(|path| path.extension().is_some_and(|extension| extension == "rs"))
        .collect()
}

/// The modules that the code of a file names, without its tests and comments.
fn used(code: &str) -> impl Iterator<Item = &str> {
    let code = code.split("#[cfg(test)]\nmod tests").next().unwrap_or_default();
    let lines = code.lines().filter(|line| !line.trim_start().starts_with("//"));
    lines.flat_map(|line| line.split("crate::").skip(1)).filter_map(|rest| {
        let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_');
        let name = rest.get(..end.unwrap_or(rest.len()))?;
        name.starts_with(|c: char| c.is_ascii_lowercase()).then_some(name)
    })
}

#[test]
fn each_module_uses_those_below_it_alone() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../auth-core/src");
    let mut faults = Vec::new();
    for path in files(&root) {
        let name = path.strip_prefix(&root).unwrap().to_string_lossy().replace('\\', "/");
        if name == "lib.rs" || name.starts_with("engine/promises") || name.ends_with("/model.rs") {
            continue;
        }
        let module = name.split(['/', '.']).next().unwrap_or_default();
        let code = fs::read_to_string(&path).unwrap().replace("\r\n", "\n");
        for used in used(&code).filter(|used| *used != module) {
            if place(used) >= place(module) {
                faults.push(format!("{name} uses {used}, which stands above {module}"));
            }
        }
    }
    assert_eq!(faults, [""; 0]);
}
