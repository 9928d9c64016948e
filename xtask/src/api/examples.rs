//! Whoever looks a type, a trait or a function up finds code to copy, which rustdoc compiles.

use super::surface::Surface;

/// What has no example.
pub(crate) fn faults(surface: &Surface) -> Vec<String> {
    let bare = surface.entries.iter().filter(|entry| entry.has_a_page && !has_code(&entry.docs));
    bare.map(|entry| format!("{} has no example in its docs", entry.subject)).collect()
}

/// Whether a text has a block of Rust that rustdoc compiles.
fn has_code(docs: &str) -> bool {
    let mut inside = false;
    for line in docs.lines() {
        let Some(told) = line.trim_start().strip_prefix("```") else {
            continue;
        };
        if !inside && is_compiled(told) {
            return true;
        }
        inside = !inside;
    }
    false
}

/// Whether rustdoc takes a block for Rust by what stands behind its fence, and compiles it.
fn is_compiled(told: &str) -> bool {
    told.split([',', ' ']).filter(|word| !word.is_empty()).all(|word| {
        matches!(word, "rust" | "no_run" | "should_panic" | "compile_fail")
            || word.starts_with("edition")
    })
}

#[cfg(test)]
mod tests {
    use super::super::surface::Entry;
    use super::*;

    #[test]
    fn an_example_is_what_rustdoc_compiles() {
        for (docs, has) in [
            ("Words.\n\n```\nlet a = 1;\n```", true),
            ("```no_run\nf();\n```", true),
            ("```rust,no_run\nf();\n```", true),
            ("Words and `code`.", false),
            ("```text\na b c\n```", false),
            ("```ignore\nf();\n```", false),
            ("```json\n{}\n```\n\nMore words.", false),
            ("```text\na\n```\n\n```\nf();\n```", true),
            ("", false),
        ] {
            assert_eq!(has_code(docs), has, "{docs:?}");
        }
    }

    #[test]
    fn only_what_has_a_page_of_its_own_needs_one() {
        let entry = |subject: &str, has_a_page| Entry {
            subject: subject.to_owned(),
            has_a_page,
            ..Entry::default()
        };
        let entries = vec![entry("ours::Type", true), entry("ours::Type::method", false)];
        assert_eq!(faults(&Surface { entries }), ["ours::Type has no example in its docs"]);
    }
}
