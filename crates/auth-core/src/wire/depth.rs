//! How deep JSON may nest, which the decoder does not limit in fields that it skips.

/// Whether brackets nest deeper than in any token response. The decoder has no limit of its own for
/// fields that it skips.
pub(super) fn is_too_deep(body: &[u8]) -> bool {
    const DEEPEST: u32 = 128;
    // Fast path: nearly every body has only a few brackets. `{` and `[` differ in one bit.
    let brackets: u32 = body.iter().map(|byte| u32::from(byte | 0x20 == b'{')).sum();
    if brackets <= DEEPEST {
        return false;
    }
    let (mut depth, mut in_string, mut escaped) = (0u32, false, false);
    body.iter().any(|byte| {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            b'{' | b'[' if !in_string => depth += 1,
            b'}' | b']' if !in_string => depth = depth.saturating_sub(1),
            _ => {}
        }
        depth > DEEPEST
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_brackets_that_are_open_at_once_and_in_no_string_count() {
        let (most, more) = ("[".repeat(128), "[".repeat(129));
        for (json, is_deep) in [
            (most.clone(), false),
            (more.clone(), true),
            ("{".repeat(129), true),
            ("[{".repeat(64) + "{", true),
            ("[]".repeat(200), false),
            ("{}".repeat(200), false),
            (format!("{most}]["), false),
            (format!("{most}}}{{"), false),
            (format!("{most}]]{}", "[".repeat(3)), true),
            (format!("]}}{more}"), true),
            (format!("]}}{most}"), false),
            (format!(r#""{more}""#), false),
            (format!(r#""a"{more}"#), true),
            (format!(r#""\"{more}""#), false),
            (format!(r#""\\"{more}"#), true),
            (format!(r#""\\\"{more}""#), false),
            (format!(r#"{most}"]"["#), true),
            (format!(r"\{more}"), true),
        ] {
            assert_eq!(is_too_deep(json.as_bytes()), is_deep, "{json}");
        }
    }
}
