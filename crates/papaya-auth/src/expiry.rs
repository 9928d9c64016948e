//! When a token expires: Papaya writes ISO 8601, usually without seconds.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use jiff::SignedDuration;
use jiff::civil::DateTime;

/// Reads `valid_until`, rounded down: `2024-07-11T07:48Z`, with or without seconds and up to nine
/// digits of a fraction (as Java writes an instant), with `Z` or an offset (`+03:00`, `+0300`). A date
/// before 1970 is read as 1970: expired either way.
///
/// Returns `None` for anything else. The shape is checked here because jiff accepts more than Papaya
/// writes; jiff validates the date. Not as a `jiff::Timestamp`, which ends a day before the year 9999
/// does, and some servers write that year for "never".
pub(crate) fn instant(text: &str) -> Option<SystemTime> {
    // If a token stands here instead, it must not be copied.
    if !text.bytes().all(|byte| byte.is_ascii_digit() || b"-T:.+Z".contains(&byte)) {
        return None;
    }
    let shape = text.replace(|c: char| c.is_ascii_digit(), "0");
    let mut zone = shape.strip_prefix("0000-00-00T00:00")?;
    if let Some(rest) = zone.strip_prefix(":00") {
        zone = rest;
        if let Some(rest) = rest.strip_prefix('.') {
            zone = rest.trim_start_matches('0');
            if !(1..=9).contains(&(rest.len() - zone.len())) {
                return None;
            }
        }
    }
    if !matches!(zone, "Z" | "+00:00" | "+0000" | "-00:00" | "-0000") {
        return None;
    }
    let (local, zone) = text.split_at_checked(text.len() - zone.len())?;
    let local: DateTime = local.parse().ok()?;
    let utc = local.duration_since(DateTime::constant(1970, 1, 1, 0, 0, 0, 0)) - offset(zone)?;
    // Rounded down; anything before 1970 has expired.
    Some(UNIX_EPOCH + Duration::from_secs(u64::try_from(utc.as_secs()).unwrap_or_default()))
}

/// How far a zone's clock is ahead of UTC (RFC 3339 section 5.6).
fn offset(zone: &str) -> Option<SignedDuration> {
    let digits = zone.replace(['+', '-', ':', 'Z'], "");
    if digits.is_empty() {
        return Some(SignedDuration::ZERO);
    }
    let (hours, minutes) = (digits.get(..2)?.parse().ok()?, digits.get(2..)?.parse().ok()?);
    if hours > 23 || minutes > 59 {
        return None;
    }
    let ahead = SignedDuration::from_hours(hours) + SignedDuration::from_mins(minutes);
    Some(if zone.starts_with('-') { -ahead } else { ahead })
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::Timestamp;
    use jiff::tz::Offset;

    fn seconds(text: &str) -> Option<i64> {
        let at = instant(text)?.duration_since(UNIX_EPOCH).unwrap();
        assert_eq!(at.subsec_nanos(), 0, "{text}");
        i64::try_from(at.as_secs()).ok()
    }

    #[test]
    fn valid_until_is_read_as_papaya_writes_it() {
        for (text, at) in [
            ("2024-07-11T07:48Z", 1_720_684_080),
            ("2024-07-11T07:48:31Z", 1_720_684_111),
            ("2024-07-11T07:48:31.508Z", 1_720_684_111),
            ("2024-07-11T07:48:31.999999999Z", 1_720_684_111),
            ("2024-07-11T10:48+03:00", 1_720_684_080),
            ("2024-07-11T10:48:31.5+0300", 1_720_684_111),
            ("2024-07-10T22:18-09:30", 1_720_684_080),
            ("2024-07-11T07:48-0000", 1_720_684_080),
            // A leap second ends with the second before it.
            ("2016-12-31T23:59:60Z", 1_483_228_799),
            ("2024-02-29T00:00Z", 1_709_164_800),
            ("1969-12-31T23:59:58.5Z", 0),
            ("0001-01-01T00:00Z", 0),
            ("1900-02-28T00:00Z", 0),
            ("1970-01-01T00:00+03:00", 0),
            ("9999-12-30T21:59Z", 253_402_207_140),
            // As some write "never".
            ("9999-12-31T23:59:59Z", 253_402_300_799),
        ] {
            assert_eq!(seconds(text), Some(at), "{text}");
        }
    }

    #[test]
    fn what_is_not_of_that_shape_is_no_instant() {
        for text in [
            "",
            "tomorrow",
            "1720684080",
            "2024-07-11",
            "2024-07-11T07Z",
            "2024-07-11T07:48",
            "2024-07-11T07:48:31",
            "2024-07-11 07:48Z",
            "2024-07-11t07:48Z",
            "2024-07-11T07:48z",
            "2024-07-11T07:48Z[UTC]",
            "2024-07-11T07:48+03:00[Europe/Athens]",
            "2024-07-11T07:48.5Z",
            "2024-07-11T07:48:31.Z",
            "2024-07-11T07:48:31,5Z",
            "2024-07-11T07:48:31.1234567890Z",
            "2024-07-11T07:48+03",
            "2024-07-11T07:48+3:00",
            "2024-07-11T07:48+24:00",
            "2024-07-11T07:48+03:60",
            "2024-07-11T07:48+03:00:00",
            "2024-07-11T07:48\u{2212}03:00",
            "2024-07-11T07:48 Z",
            " 2024-07-11T07:48Z",
            "2024-07-11T07:48Z\n",
            "20240711T0748Z",
            "2024-7-11T07:48Z",
            "2024-13-01T00:00Z",
            "2023-02-29T00:00Z",
            "2024-07-11T24:00Z",
            "2024-07-11T07:60Z",
            "2024-07-11T07:48:61Z",
            "+002024-07-11T07:48Z",
            "-2024-07-11T07:48Z",
            "1900-02-29T00:00Z",
            "2024-00-01T00:00Z",
            "2024-07-00T00:00Z",
            "٢٠٢٤-07-11T07:48Z",
        ] {
            assert_eq!(seconds(text), None, "{text}");
        }
    }

    #[test]
    fn any_instant_in_any_writing_is_read_back_and_never_rounded_up() {
        // From 1970 to 2100, in steps that meet every second of a minute; jiff is the judge.
        for at in (172_800..4_102_444_800_i64).step_by(15_456_789) {
            for minutes in [0, 1, 59, -59, 180, -570, 840, -720, 1_439, -1_439] {
                let offset = Offset::from_seconds(minutes * 60).unwrap();
                let local = offset.to_datetime(Timestamp::from_second(at).unwrap());
                let sign = if minutes < 0 { '-' } else { '+' };
                let (h, m) = (minutes.abs() / 60, minutes.abs() % 60);
                let mut zones = vec![format!("{sign}{h:02}:{m:02}"), format!("{sign}{h:02}{m:02}")];
                if minutes == 0 {
                    zones.push("Z".into());
                }
                for zone in zones {
                    let minute = local.strftime("%Y-%m-%dT%H:%M");
                    let text = format!("{minute}{zone}");
                    assert_eq!(seconds(&text), Some(at - at.rem_euclid(60)), "{text}");
                    let second = local.strftime("%Y-%m-%dT%H:%M:%S");
                    for digits in 0..=9 {
                        let fraction = [".", &"9".repeat(digits)].concat();
                        let fraction = if digits == 0 { "" } else { &fraction };
                        let text = format!("{second}{fraction}{zone}");
                        assert_eq!(seconds(&text), Some(at), "{text}");
                    }
                }
            }
        }
    }

    #[test]
    fn a_spoilt_text_is_no_instant_or_one_that_is_not_too_late() {
        let strange =
            ['\0', ' ', '+', '-', '.', ':', '0', '6', '9', 'T', 'Z', '[', 'é', '\u{2028}'];
        for text in ["2024-07-11T07:48Z", "2024-02-29T23:59:59.123456789-09:30"] {
            for place in 0..=text.len() {
                let (before, after) = text.split_at(place);
                let mut spoilt = vec![before.to_owned(), after.to_owned()];
                for c in strange {
                    spoilt.push(format!("{before}{c}{after}"));
                    spoilt.push(format!("{before}{c}{}", after.get(1..).unwrap_or_default()));
                }
                for text in spoilt {
                    // What is read at all, jiff reads too, fraction and all.
                    if let Some(at) = seconds(&text) {
                        let whole = text.parse::<Timestamp>().unwrap();
                        assert_eq!(
                            i128::from(at),
                            whole.as_nanosecond().div_euclid(1_000_000_000).max(0),
                            "{text}"
                        );
                    }
                }
            }
        }
    }
}
