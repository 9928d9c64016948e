//! Instants and spans, as they are read from arguments and shown.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use auth_core::{Clock as _, SystemClock};

/// The wall clock.
pub(crate) fn now() -> SystemTime {
    SystemClock.wall()
}

/// Time since a fixed origin.
pub(crate) fn ticks() -> Duration {
    SystemClock.monotonic()
}

/// Whole milliseconds since an earlier reading of `ticks`, for a sentence.
pub(crate) fn millis_since(began: Duration) -> String {
    ticks().saturating_sub(began).as_millis().to_string()
}

/// Seconds since 1970.
pub(crate) fn epoch(instant: SystemTime) -> u64 {
    instant.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
}

/// RFC 3339 in UTC, to the second; `None` beyond the year 9999.
pub(crate) fn rfc3339(instant: SystemTime) -> Option<String> {
    let seconds = i64::try_from(epoch(instant)).ok()?;
    jiff::Timestamp::from_second(seconds).ok().map(|stamp| stamp.to_string())
}

/// A span for people, in its largest unit, rounded.
pub(crate) fn span(span: Duration) -> String {
    let seconds = span.as_secs();
    match seconds {
        0..=119 => format!("{seconds} s"),
        120..=7_169 => format!("{} min", (seconds + 30) / 60),
        7_170..=171_000 => format!("{} h", (seconds + 1_800) / 3_600),
        _ => format!("{} d", (seconds + 43_200) / 86_400),
    }
}

/// Reads `90`, `90s`, `5m`, `2h`.
pub(crate) fn parse(text: &str) -> Result<Duration, String> {
    let at = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (digits, unit) = text.split_at(at);
    let factor = match unit {
        "" | "s" => 1,
        "m" | "min" => 60,
        "h" => 3_600,
        _ => return Err("no unit".to_owned()),
    };
    let number: u64 = digits.parse().map_err(|_| "no number".to_owned())?;
    let seconds = number.checked_mul(factor).filter(|seconds| *seconds <= 400 * 86_400);
    seconds.map(Duration::from_secs).ok_or_else(|| "too long".to_owned())
}

/// Reads the same, but no time at all, in which nothing can be done.
pub(crate) fn limit(text: &str) -> Result<Duration, String> {
    parse(text).and_then(|limit| if limit.is_zero() { Err("zero".to_owned()) } else { Ok(limit) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_read_with_and_without_a_unit() {
        for (text, seconds) in [("90", 90), ("90s", 90), ("5m", 300), ("2h", 7_200), ("0", 0)] {
            assert_eq!(parse(text), Ok(Duration::from_secs(seconds)), "{text}");
        }
        for text in ["", "s", "-1", "1d", "1.5h", "99999999999999999999", "9999999999h"] {
            assert!(parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_limit_leaves_some_time() {
        assert_eq!(limit("1"), Ok(Duration::from_secs(1)));
        assert!(limit("0").is_err() && limit("0h").is_err());
    }

    #[test]
    fn spans_are_shown_in_one_unit() {
        for (seconds, text) in
            [(0, "0 s"), (119, "119 s"), (599, "10 min"), (86_399, "24 h"), (864_000, "10 d")]
        {
            assert_eq!(span(Duration::from_secs(seconds)), text);
        }
    }

    #[test]
    fn instants_are_in_utc() {
        let instant = UNIX_EPOCH + Duration::from_secs(1_767_229_200);
        assert_eq!(rfc3339(instant).unwrap(), "2026-01-01T01:00:00Z");
    }
}
