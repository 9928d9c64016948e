//! Prepares a provider's text to be shown: URLs reduced to their host, and cut at a word.

/// Reduces each URL to scheme and host, since paths and queries may contain secrets.
pub(super) fn without_paths(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("://") {
        let (before, from) = rest.split_at(at + "://".len());
        out.push_str(before);
        let end = from.find(|c: char| c.is_whitespace() || "\"'<>()`,;".contains(c));
        let (url, after) = from.split_at(end.unwrap_or(from.len()));
        let host = url.split(['/', '?', '#', '\\']).next().unwrap_or_default();
        out.push_str(host.rsplit('@').next().unwrap_or_default());
        rest = after;
    }
    out + rest
}

/// The first `limit` characters, without a partial word at their end.
pub(super) fn cut(text: &str, limit: usize) -> String {
    /// A longer run without a space is not a word, and is cut anywhere.
    const LONGEST_WORD: usize = 40;
    let Some((end, _)) = text.char_indices().nth(limit) else {
        return text.to_owned();
    };
    let kept = text.get(..end).unwrap_or_default();
    match kept.rfind(char::is_whitespace) {
        Some(space) if end - space <= LONGEST_WORD => {
            kept.get(..space).unwrap_or_default().trim_end().to_owned()
        }
        _ => kept.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_in_a_providers_text_is_reduced_to_its_host() {
        for (text, shown) in [
            ("path: http://a.example/realms/x/tokens", "path: http://a.example"),
            ("see https://u:p@a.example:8443/x?s=1, then", "see https://a.example:8443, then"),
            (
                "<https://a.example#x> and (ftp://b.example/y)",
                "<https://a.example> and (ftp://b.example)",
            ),
            ("no url :/ here", "no url :/ here"),
        ] {
            assert_eq!(without_paths(text), shown);
        }
    }

    #[test]
    fn a_long_text_is_cut_at_a_word() {
        assert_eq!(cut("one two three", 9), "one two");
        assert_eq!(cut("one two three", 13), "one two three");
        assert_eq!(cut(&"é".repeat(600), 512).chars().count(), 512);
    }
}
