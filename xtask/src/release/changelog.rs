//! No tool here dates CHANGELOG.md (Keep a Changelog): what waits under `[Unreleased]` moves under
//! the version and its date.

const UNRELEASED: &str = "## [Unreleased]\n";

/// How many entries wait under `[Unreleased]`.
pub(crate) fn entries(text: &str) -> usize {
    let waiting = text.split_once(UNRELEASED).map_or("", |(_, rest)| rest);
    let waiting = waiting.split("\n## [").next().unwrap_or_default();
    if waiting.starts_with("## [") {
        0
    } else {
        waiting.lines().filter(|line| line.starts_with("- ")).count()
    }
}

/// The date of a version's section, if it has one.
pub(crate) fn date_of<'a>(text: &'a str, version: &str) -> Option<&'a str> {
    text.lines().find_map(|line| line.strip_prefix(&format!("## [{version}] - ")))
}

/// The text with what waits moved under the version and its date (`2026-11-22`).
pub(crate) fn released(text: &str, version: &str, date: &str) -> Result<String, String> {
    if date_of(text, version).is_some() {
        return Err(format!(
            "CHANGELOG.md has a section [{version}] already: set the next version first"
        ));
    }
    if entries(text) == 0 {
        return Err(format!(
            "CHANGELOG.md has no entry under [Unreleased]: what does {version} change?"
        ));
    }
    Ok(text.replacen(UNRELEASED, &format!("{UNRELEASED}\n## [{version}] - {date}\n"), 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "# Changelog\n\n## [Unreleased]\n\n### auth-core\n- Added: one.\n\
                        \x20 continued.\n- Added: two.\n\n## [0.1.0] - 2026-01-02\n\n- Old.\n";

    #[test]
    fn a_release_moves_what_waits_once_and_keeps_an_empty_section() {
        assert_eq!(entries(TEXT), 2);
        let text = released(TEXT, "0.2.0", "2026-11-22").unwrap();
        let moved = "## [Unreleased]\n\n## [0.2.0] - 2026-11-22\n\n### auth-core\n- Added: one.";
        assert!(text.contains(moved), "{text}");
        assert!(text.ends_with("- Added: two.\n\n## [0.1.0] - 2026-01-02\n\n- Old.\n"), "{text}");
        assert_eq!((entries(&text), date_of(&text, "0.2.0")), (0, Some("2026-11-22")));
        assert!(released(TEXT, "0.1.0", "2026-11-22").unwrap_err().contains("already"));
        assert!(released(&text, "0.3.0", "2026-11-23").unwrap_err().contains("no entry"));
    }
}
