//! The path of an endpoint, by its segments and bytes.

/// Whether a path ends in another, in any case.
pub(super) fn ends_with(text: &str, end: &str) -> bool {
    let start = text.len().checked_sub(end.len());
    start.and_then(|at| text.get(at..)).is_some_and(|tail| tail.eq_ignore_ascii_case(end))
}

/// `.` and `..`, plain or encoded.
pub(super) fn is_dots(segment: &str) -> bool {
    let plain = segment.to_ascii_lowercase().replace("%2e", ".");
    plain == "." || plain == ".."
}

/// RFC 3986 `pchar`, the slash, and the percent sign of what is encoded already.
pub(super) fn is_path_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:@/%".contains(&byte)
}

#[cfg(test)]
mod tests {
    use crate::endpoint::Endpoint;

    #[test]
    fn a_base_that_ends_in_the_path_already_is_refused_in_any_case() {
        for base in ["https://example.com/v1/auth", "https://example.com/gate/V1/Auth/"] {
            let error = Endpoint::parse(base).unwrap().with_path("v1/auth").unwrap_err();
            assert!(error.message().contains("ends in /v1/auth"), "{error}");
        }
        assert!(Endpoint::parse("https://example.com/v1").unwrap().with_path("v1/auth").is_ok());
    }
}
