//! What a release does to CHANGELOG.md: pure functions over its text.
//!
//! The file is after Keep a Changelog: one `## [Unreleased]` on top, then a section a version. A
//! release keeps an empty `[Unreleased]` and puts the version and its date below it.

use std::ops::Range;

const UNRELEASED: &str = "## [Unreleased]";

/// How many entries wait under `[Unreleased]`.
pub(crate) fn entries(text: &str) -> Result<usize, String> {
    let waiting = unreleased(text)?;
    let waiting = text.get(waiting).unwrap_or_default();
    Ok(waiting.lines().filter(|line| line.starts_with("- ")).count())
}

/// Whether the version has its section.
pub(crate) fn has(text: &str, version: &str) -> bool {
    text.lines().any(|line| heading(line) == Some(version))
}

/// The text with what waits moved under the version and its date (`2026-11-22`).
pub(crate) fn released(text: &str, version: &str, date: &str) -> Result<String, String> {
    if has(text, version) {
        return Err(format!(
            "CHANGELOG.md has a section [{version}] already: set the next version with `cargo \
             xtask release bump`"
        ));
    }
    if entries(text)? == 0 {
        return Err(format!(
            "CHANGELOG.md has no entry under [Unreleased]: say what {version} changes"
        ));
    }
    let body = unreleased(text)?;
    let (before, after) = text.split_at(body.start);
    Ok(format!("{before}\n\n## [{version}] - {date}{after}"))
}

/// The date under which a version stands, so that a release made again keeps it.
pub(crate) fn date_of<'a>(text: &'a str, version: &str) -> Option<&'a str> {
    let line = text.lines().find(|line| heading(line) == Some(version))?;
    line.split_once("] - ").map(|(_, date)| date.trim())
}

/// What stands between the heading `[Unreleased]` and the next one.
fn unreleased(text: &str) -> Result<Range<usize>, String> {
    let missing = || format!("CHANGELOG.md has no line `{UNRELEASED}`");
    let heading = text.find(UNRELEASED).ok_or_else(missing)?;
    let start = heading + UNRELEASED.len();
    let rest = text.get(start..).unwrap_or_default();
    let end = rest.find("\n## [").map_or(text.len(), |end| start + end + 1);
    Ok(start..end)
}

/// `0.1.0` of `## [0.1.0] - 2026-11-22`.
fn heading(line: &str) -> Option<&str> {
    line.strip_prefix("## [")?.split_once(']').map(|(version, _)| version)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "# Changelog\n\nWords.\n\n## [Unreleased]\n\n### auth-core\n- Added: one.\n\
                        \x20 continued.\n- Added: two.\n\n## [0.1.0] - 2026-01-02\n\n- Old.\n";

    #[test]
    fn entries_are_those_of_unreleased() {
        assert_eq!(entries(TEXT), Ok(2));
        assert_eq!(entries("## [Unreleased]\n\n## [0.1.0]\n- Old.\n"), Ok(0));
        assert!(entries("# Changelog\n").unwrap_err().contains("[Unreleased]"));
    }

    #[test]
    fn a_release_moves_what_waits_and_keeps_an_empty_section() {
        let text = released(TEXT, "0.2.0", "2026-11-22").unwrap();
        assert!(
            text.contains(
                "Words.\n\n## [Unreleased]\n\n## [0.2.0] - 2026-11-22\n\n### auth-core\n- Added: one."
            ),
            "{text}"
        );
        assert!(text.ends_with("- Added: two.\n\n## [0.1.0] - 2026-01-02\n\n- Old.\n"), "{text}");
        assert_eq!(entries(&text), Ok(0));
        assert_eq!(date_of(&text, "0.2.0"), Some("2026-11-22"));
    }

    #[test]
    fn a_version_is_released_once_and_never_empty() {
        assert!(released(TEXT, "0.1.0", "2026-11-22").unwrap_err().contains("already"));
        let empty = "## [Unreleased]\n";
        assert!(released(empty, "0.1.0", "2026-11-22").unwrap_err().contains("no entry"));
    }

    #[test]
    fn the_last_section_ends_with_the_file() {
        let text = released("## [Unreleased]\n- One.\n", "0.1.0", "2026-11-22").unwrap();
        assert_eq!(text, "## [Unreleased]\n\n## [0.1.0] - 2026-11-22\n- One.\n");
    }
}
