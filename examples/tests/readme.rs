//! What the two READMEs owe a reader: short, complete, the same code in both languages, and links
//! that lead somewhere. Their code is compiled as the doc-tests of this package.

#![allow(clippy::unwrap_used)] // a test that cannot go on panics

use std::collections::BTreeSet;
use std::path::Path;

const ENGLISH: &str = include_str!("../../README.md");
const FRENCH: &str = include_str!("../../README.fr.md");
const BOTH: [(&str, &str); 2] = [("README.md", ENGLISH), ("README.fr.md", FRENCH)];
/// The public API of auth-core, which `cargo xtask api --check` holds to the code.
const API: &str = include_str!("../../crates/auth-core/api.txt");

/// The code blocks, each with its first line (`rust,no_run`).
fn blocks(text: &str) -> Vec<&str> {
    text.split("```").skip(1).step_by(2).collect()
}

/// The text without its code blocks.
fn prose(text: &str) -> String {
    text.split("```").step_by(2).collect()
}

/// The items of the API whose lines begin so.
fn items(beginning: &str) -> Vec<&'static str> {
    API.lines().filter_map(|line| line.strip_prefix(beginning)).collect()
}

/// Where a text's links lead, images among them.
fn links(text: &str) -> Vec<String> {
    prose(text)
        .split("](")
        .skip(1)
        .map(|rest| rest.split(')').next().unwrap_or_default().to_owned())
        .collect()
}

/// The anchors that a forge and rustdoc make of a text's headings.
fn anchors(text: &str) -> BTreeSet<String> {
    prose(text)
        .lines()
        .filter_map(|line| line.strip_prefix('#'))
        .map(|line| line.trim_start_matches('#').trim().to_lowercase().replace(' ', "-"))
        .collect()
}

#[test]
fn both_languages_show_the_same_code() {
    assert_eq!(blocks(ENGLISH), blocks(FRENCH));
    assert!(blocks(ENGLISH).iter().any(|block| block.contains("#[tokio::main]")));
}

/// This package has more dependencies than a reader who followed the page.
#[test]
fn the_program_needs_no_crate_that_the_page_does_not_add() {
    let program = blocks(ENGLISH).into_iter().find(|block| block.contains("#[tokio::main]"));
    let used: BTreeSet<_> = program
        .unwrap()
        .split(|letter: char| !(letter.is_ascii_alphanumeric() || "_:".contains(letter)))
        .filter_map(|path| Some(path.split_once("::")?.0.replace('_', "-")))
        .filter(|first| first.starts_with(|letter: char| letter.is_ascii_lowercase()))
        .filter(|first| first != "std")
        .collect();
    let added: BTreeSet<_> = ENGLISH
        .lines()
        .filter_map(|line| line.strip_prefix("cargo add ")?.split(' ').next())
        .map(str::to_owned)
        .collect();
    assert_eq!(used, added);
}

/// A forge shows them; rustdoc alone hides them.
#[test]
fn no_code_has_lines_for_the_doc_test_alone() {
    for (name, text) in BOTH {
        let rust = blocks(text).into_iter().filter(|block| block.starts_with("rust"));
        let hidden: Vec<_> = rust
            .flat_map(str::lines)
            .filter(|line| line.trim() == "#" || line.trim_start().starts_with("# "))
            .collect();
        assert!(hidden.is_empty(), "{name}: {hidden:?}");
    }
}

/// As `wc -w` counts. In French, punctuation of its own (`:`) and the bars of tables do not count.
#[test]
fn both_are_under_1200_words() {
    let english = ENGLISH.split_whitespace().count();
    assert!(english < 1_200, "README.md has {english} words");
    let french = FRENCH.split_whitespace().filter(|word| word.contains(char::is_alphanumeric));
    let french = french.count();
    assert!(french < 1_200, "README.fr.md has {french} words");
}

#[test]
fn every_kind_of_error_has_a_row_in_both() {
    let kinds = items("pub auth_core::ErrorKind::");
    assert!(kinds.len() >= 10, "{kinds:?}");
    for (name, text) in BOTH {
        for kind in &kinds {
            assert!(text.contains(&format!("\n| `{kind}` |")), "{name} does not name {kind}");
        }
    }
}

/// `cargo xtask lint` looks at files named README.md alone.
#[test]
fn both_name_the_rust_version_of_the_manifest() {
    let promised = format!("MSRV {},", env!("CARGO_PKG_RUST_VERSION"));
    for (name, text) in BOTH {
        assert!(text.contains(&promised), "{name} does not say {promised}");
    }
}

#[test]
fn links_within_the_repository_lead_somewhere() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    for (name, text) in BOTH {
        let links = links(text).into_iter().filter(|link| !link.starts_with("https://"));
        for link in links {
            let (file, anchor) = link.split_once('#').unwrap_or((&link, ""));
            let file = if file.is_empty() { name } else { file };
            assert!(root.join(file).exists(), "{name}: {link}");
            if !anchor.is_empty() {
                let target = std::fs::read_to_string(root.join(file)).unwrap();
                assert!(anchors(&target).contains(anchor), "{name}: {link}");
            }
        }
    }
}
