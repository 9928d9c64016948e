//! What a value looks like that was not meant to be one: shells, `--env-file` and templates leave
//! such marks.

/// The mark, in words. The value is sent as it is, since a secret may hold anything.
pub(crate) fn pasting_mark(value: &str) -> Option<&'static str> {
    let value = value.trim();
    let between = |start, end| {
        value.len() > 1 && value.starts_with::<&str>(start) && value.ends_with::<&str>(end)
    };
    let is_quoted = [("\"", "\""), ("'", "'"), ("`", "`"), ("\u{201c}", "\u{201d}")];
    let is_unfilled = [("${", "}"), ("$(", ")"), ("{{", "}}"), ("%", "%")];
    if is_quoted.into_iter().any(|(start, end)| between(start, end)) {
        Some("a value is in quotes, which count as part of it")
    } else if is_unfilled.into_iter().any(|(start, end)| between(start, end)) || is_variable(value)
    {
        Some("a value is a placeholder such as ${...} that nothing has filled in")
    } else if between("<", ">") {
        Some("a value is in angle brackets, as an example that nobody has filled in")
    } else if begins_with_name(value) {
        Some("a value begins with NAME=, which counts as part of it")
    } else {
        None
    }
}

/// Says what a credential looks like that was not meant to be one: in quotes, a placeholder that
/// nothing has filled in, a line `NAME=value`, the path of a file. It never shows the value, and a
/// value that looks so may still be right: a secret may hold anything.
///
/// ```
/// use auth_core::secret::looks_pasted;
///
/// let mark = looks_pasted("'made-up'");
/// assert_eq!(mark, Some("a value is in quotes, which count as part of it"));
/// assert_eq!(looks_pasted("made-up"), None);
/// ```
#[must_use]
pub fn looks_pasted(value: &str) -> Option<&'static str> {
    pasting_mark(value).or_else(|| path_mark(value))
}

fn path_mark(value: &str) -> Option<&'static str> {
    let folders = ["/run/", "/var/", "/etc/", "/mnt/", "./", "~/"];
    folders.iter().any(|folder| value.starts_with(folder)).then_some(
        "a value is the path of a file, which belongs into the variable with _FILE at its end",
    )
}

/// `$NAME`.
fn is_variable(value: &str) -> bool {
    value.strip_prefix('$').is_some_and(|name| name.contains('_') && is_name(name))
}

/// `NAME=value`, as a line of an environment file or of a shell.
fn begins_with_name(value: &str) -> bool {
    let line = value.strip_prefix("export ").unwrap_or(value).trim_start();
    line.split_once('=').is_some_and(|(name, _)| name.contains('_') && is_name(name))
}

fn is_name(text: &str) -> bool {
    text.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_')
}

#[cfg(test)]
mod tests {
    use crate::secret::scrub::Scrubber;

    #[test]
    fn the_marks_of_a_paste_that_went_wrong_are_seen() {
        for (value, mark) in [
            ("\"s3cret\"", Some("quotes")),
            ("'s3cret'", Some("quotes")),
            ("${MANIS_SECRET}", Some("filled in")),
            ("MANIS_SECRET=s3cret", Some("NAME=")),
            ("`s3cret`", Some("quotes")),
            ("$(MANIS_SECRET)", Some("filled in")),
            ("$MANIS_SECRET", Some("filled in")),
            ("%MANIS_SECRET%", Some("filled in")),
            ("{{ .Values.secret }}", Some("filled in")),
            ("<your-secret>", Some("angle brackets")),
            ("export MANIS_SECRET=s3cret", Some("NAME=")),
            ("/run/secrets/manis", Some("_FILE")),
            ("~/manis", Some("_FILE")),
            ("$MANIS_SECRET_2", Some("filled in")),
            ("MANIS_2=s3cret", Some("NAME=")),
            ("  \"s3cret\" ", Some("quotes")),
            ("\u{201c}s3cret\u{201d}", Some("quotes")),
            ("$SECRET", None),
            ("$s3cret_1", None),
            ("s3cret_1=x", None),
            ("<s3cret", None),
            ("s3cret}", None),
            ("/k3J9/x2Vq7Lw", None),
            ("$2y$10$abcdef", None),
            ("QUJD=", None),
            ("%", None),
            ("\"", None),
            ("s3'cret", None),
            ("{a}", None),
        ] {
            let found = Scrubber::new([value]).pasting_mark();
            assert_eq!(found.is_some(), mark.is_some(), "{value}");
            assert!(found.unwrap_or_default().contains(mark.unwrap_or_default()), "{value}");
        }
        assert!(Scrubber::default().with_ids(["\"merchant-0001\""]).pasting_mark().is_some());
    }
}
