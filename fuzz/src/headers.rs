//! The headers with times.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use auth_core::{HttpResponse, TokenExchange as _, TokenResponse};

use crate::{MANIS, NOW};

/// An answer with these headers.
fn answer(
    status: u16,
    headers: &[(&'static str, &[u8])],
    received_at: SystemTime,
) -> TokenResponse {
    let mut answer = HttpResponse::new("{}".into());
    *answer.status_mut() = status.try_into().expect("a status");
    for (name, value) in headers {
        if let Ok(value) = (*value).try_into() {
            answer.headers_mut().append(*name, value);
        }
    }
    TokenResponse::new(answer, received_at)
}

/// Lines of `Retry-After`; a line before a blank line is `Date`.
pub fn retry_after(input: &[u8]) {
    let mut headers = Vec::new();
    let mut lines = input.split(|byte| *byte == b'\n').peekable();
    while let Some(line) = lines.next() {
        let is_date = lines.peek().is_some_and(|next| next.is_empty());
        headers.push((if is_date { "date" } else { "retry-after" }, line));
    }
    let now = UNIX_EPOCH + Duration::from_secs(NOW);
    let response = answer(429, &headers, now);
    let wish = response.retry_after();

    let waits: Vec<_> = headers.iter().filter(|(name, _)| *name == "retry-after").collect();
    for (_, line) in &waits {
        let text = std::str::from_utf8(line).unwrap_or_default().trim_matches([' ', '\t']);
        if !text.is_empty() && text.len() < 10 && text.bytes().all(|b| b.is_ascii_digit()) {
            let seconds = Duration::from_secs(text.parse().expect("digits"));
            assert!(wish >= Some(seconds), "{text} s were asked for, and {wish:?} is read");
        }
    }
    let may_be_read = |line: &[u8]| line.iter().any(u8::is_ascii_digit);
    assert!(wish.is_none() || waits.iter().any(|(_, line)| may_be_read(line)), "garbage is a wish");

    if wish.is_some() {
        let capped = MANIS.read(&response).expect_err("a 429").retry_after();
        assert_eq!(capped, wish.min(Some(Duration::from_secs(3_600))), "more than an hour");
    }
}

/// `Date` on the first line; `Age` on each other.
pub fn date_and_age(input: &[u8]) {
    let mut lines = input.split(|byte| *byte == b'\n');
    let date = ("date", lines.next().unwrap_or_default());
    let ages: Vec<_> = lines.map(|line| ("age", line)).collect();
    // The local clock must not agree with the provider's here.
    let alone = answer(200, &[date], UNIX_EPOCH);
    let cached = answer(200, &[&[date], &*ages].concat(), UNIX_EPOCH);

    let longest = ages.iter().filter_map(|(_, line)| {
        let text = std::str::from_utf8(line).ok()?.trim_matches([' ', '\t']);
        let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        is_number.then(|| text.trim_start_matches('0')).map(|digits| match digits {
            "" => 0,
            digits => digits.parse::<u64>().unwrap_or(u64::MAX).min(1 << 31),
        })
    });
    assert_eq!(cached.age().as_secs(), longest.max().unwrap_or(0), "the largest of {ages:?}");

    if alone.server_time() == UNIX_EPOCH {
        assert_eq!(cached.server_time(), UNIX_EPOCH, "`Age` without `Date` must not matter");
        return;
    }
    let ahead = cached.server_time().duration_since(alone.server_time());
    assert_eq!(ahead.expect("later"), cached.age(), "the provider's clock is `Date` and `Age`");
    let text = std::str::from_utf8(date.1).unwrap_or_default();
    let seen = alone.server_time().duration_since(UNIX_EPOCH).expect("after 1970").as_secs();
    if let Ok(other) = jiff::fmt::rfc2822::parse(text) {
        // The second is rounded up if our clock does not agree with it.
        assert_eq!(Ok(seen), u64::try_from(other.timestamp().as_second() + 1), "{text}");
    }
    assert!(seen > 1_000_000_000, "a clock that was never set");
}
