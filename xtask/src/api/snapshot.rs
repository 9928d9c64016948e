//! The API as a file beside the crate, and what became of it since.

use std::collections::HashSet;
use std::fs;
use std::path::Path;

use super::surface::Surface;

/// The file's text: it explains itself to whoever meets it in a review.
pub(crate) fn text(package: &str, surface: &Surface) -> String {
    let mut text = format!(
        "# The public API of {package} with every feature, one item a line. Written by `cargo xtask \
         api`.\n\
         # A new line is an addition, which a minor version may bring. A line that goes or changes is \
         a\n\
         # breaking change; so is a new method of a trait without `{{ .. }}`, and a new variant or \
         field of\n\
         # what is not #[non_exhaustive]. Say so in CHANGELOG.md.\n\n"
    );
    for entry in &surface.entries {
        text.push_str(&entry.line);
        text.push('\n');
    }
    text
}

/// Writes the text, or where it is only to be checked says how the file differs.
pub(crate) fn settle(
    file: &Path,
    package: &str,
    text: &str,
    check: bool,
) -> Result<Option<String>, String> {
    let written = fs::read_to_string(file).unwrap_or_default().replace("\r\n", "\n");
    let changes = changes(&written, text);
    for change in &changes {
        println!("{change}");
    }
    if written == text {
        return Ok(None);
    }
    if !check {
        fs::write(file, text).map_err(|fault| format!("{}: {fault}", file.display()))?;
        return Ok(None);
    }
    let gone = changes.iter().filter(|change| change.starts_with('-')).count();
    let new = changes.len() - gone;
    Ok(Some(format!(
        "crates/{package}/api.txt is not what the code says ({new} lines new, {gone} gone; above). \
         Removed or changed lines are a breaking change: say so in CHANGELOG.md and raise the \
         version. `cargo xtask api` writes the file"
    )))
}

/// The lines that went and came, each where it stands. Lines that only moved are none.
fn changes(old: &str, new: &str) -> Vec<String> {
    let items = |text: &str| -> Vec<String> {
        text.lines()
            .filter(|line| !line.is_empty() && !line.starts_with("# "))
            .map(str::to_owned)
            .collect()
    };
    let (old, new) = (items(old), items(new));
    let (in_old, in_new): (HashSet<_>, HashSet<_>) = (old.iter().collect(), new.iter().collect());
    let mut came = new.iter().peekable();
    let mut told = Vec::new();
    for line in &old {
        if !in_new.contains(line) {
            told.push(format!("-{line}"));
            continue;
        }
        while let Some(next) = came.next_if(|next| *next != line) {
            if !in_old.contains(next) {
                told.push(format!("+{next}"));
            }
        }
        came.next();
    }
    told.extend(came.filter(|line| !in_old.contains(line)).map(|line| format!("+{line}")));
    told
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_went_and_what_came_is_told_in_its_place() {
        let old = "# a head\n\npub fn a()\npub fn b(u8)\npub fn c()\n";
        let new = "# another head\n\npub fn a()\npub fn b(u16)\npub fn c()\npub fn d()\n";
        assert_eq!(changes(old, new), ["-pub fn b(u8)", "+pub fn b(u16)", "+pub fn d()"]);
        assert_eq!(changes("", "pub fn a()\n"), ["+pub fn a()"]);
        assert_eq!(changes("pub fn a()\n", ""), ["-pub fn a()"]);
    }

    #[test]
    fn a_line_that_moved_is_no_change() {
        let told = changes("a\nb\nc\n", "c\na\nb\nd\n");
        assert_eq!(told, ["+d"]);
    }

    #[test]
    fn a_file_that_differs_fails_the_check_and_is_left_alone() {
        let folder = crate::steps::target().join("tmp");
        fs::create_dir_all(&folder).unwrap();
        let file = folder.join("api-of-a-test.txt");
        fs::write(&file, "pub fn a()\n").unwrap();
        let fault = settle(&file, "some", "pub fn b()\n", true).unwrap().unwrap();
        assert!(fault.contains("1 lines new, 1 gone"), "{fault}");
        assert!(fault.contains("`cargo xtask api` writes"), "{fault}");
        assert_eq!(fs::read_to_string(&file).unwrap(), "pub fn a()\n");
        assert_eq!(settle(&file, "some", "pub fn b()\n", false).unwrap(), None);
        assert_eq!(settle(&file, "some", "pub fn b()\n", true).unwrap(), None);
    }
}
