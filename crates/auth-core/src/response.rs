//! An answer for a flow to read: status, headers, body, and the provider's clock.

use std::fmt;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use http::StatusCode;
use http::header::{AGE, CONTENT_TYPE, DATE, HeaderMap, RETRY_AFTER};

use crate::http::HttpResponse;

/// An answer to a token request, for a flow to read. `Debug` shows only status, media type and
/// size.
///
/// ```
/// use auth_core::{HttpResponse, TokenResponse};
///
/// let mut answer = HttpResponse::new("{}".into());
/// answer.headers_mut().insert("date", "Thu, 01 Jan 2026 00:00:00 GMT".parse()?);
/// let response = TokenResponse::new(answer, std::time::SystemTime::now());
/// assert!(response.server_time() < std::time::SystemTime::now());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct TokenResponse {
    status: StatusCode,
    headers: HeaderMap,
    body: Bytes,
    received_at: SystemTime,
}

impl TokenResponse {
    /// Makes a response of an answer and the local wall-clock time at which it arrived.
    #[must_use]
    pub fn new(response: HttpResponse, received_at: SystemTime) -> Self {
        let (parts, body) = response.into_parts();
        Self { status: parts.status, headers: parts.headers, body, received_at }
    }

    /// Makes a recorded answer to test a flow with: this status and body, no headers, received at
    /// 2026-01-01T00:00:00Z. For headers or another time use [`new`](Self::new).
    ///
    /// ```
    /// use auth_core::TokenResponse;
    ///
    /// let answer = TokenResponse::recorded(401, r#"{"error":"invalid_client"}"#);
    /// assert_eq!(answer.status(), 401);
    /// let new_year_2026 = std::time::UNIX_EPOCH + std::time::Duration::from_secs(1_767_225_600);
    /// assert_eq!(answer.server_time(), new_year_2026);
    /// ```
    ///
    /// # Panics
    /// If `status` is not an HTTP status (100 to 999).
    #[must_use]
    #[track_caller]
    pub fn recorded(status: u16, body: impl Into<Bytes>) -> Self {
        let mut answer = HttpResponse::new(body.into());
        *answer.status_mut() = crate::http::test_status(status);
        Self::new(answer, UNIX_EPOCH + Duration::from_secs(1_767_225_600))
    }

    /// Returns the HTTP status.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// Returns the headers.
    #[must_use]
    pub fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    /// Returns the body, which contains the token if the status is a success.
    #[must_use]
    pub fn body(&self) -> &[u8] {
        &self.body
    }

    /// Returns the media type in lower case and without parameters, such as `application/json`.
    #[must_use]
    pub fn media_type(&self) -> Option<String> {
        let value = self.headers.get(CONTENT_TYPE)?.to_str().ok()?;
        let media = value.split(';').next()?.trim().to_ascii_lowercase();
        (!media.is_empty()).then_some(media)
    }

    /// Returns the time on the provider's clock when the answer arrived.
    ///
    /// That is the `Date` header (RFC 9110 section 6.6.1), since absolute expiries are on that
    /// clock and ours may be wrong; without the header it is our clock. `Date` has whole seconds:
    /// if our clock agrees with it to the second, ours supplies the fraction; if not, the second is
    /// rounded up, which is the safe side. For an answer from a cache its [`age`](Self::age) is
    /// added.
    #[must_use]
    pub fn server_time(&self) -> SystemTime {
        let Some(date) = self.now() else {
            return self.received_at;
        };
        let next = date + Duration::from_secs(1);
        if (date..next).contains(&self.received_at) { self.received_at } else { next }
    }

    /// Returns how long the answer was in a cache (`Age`, RFC 9111 section 5.1), zero without one.
    /// A lifetime that the answer states is shorter by that.
    ///
    /// ```
    /// use auth_core::{HttpResponse, TokenResponse};
    ///
    /// let mut answer = HttpResponse::default();
    /// answer.headers_mut().insert("age", "540".parse()?);
    /// let response = TokenResponse::new(answer, std::time::UNIX_EPOCH);
    /// assert_eq!(response.age().as_secs(), 540);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn age(&self) -> Duration {
        let lines = self.headers.get_all(AGE).iter();
        let ages = lines.filter_map(|line| seconds(line.to_str().ok()?.trim()));
        Duration::from_secs(ages.max().unwrap_or_default())
    }

    /// The time on the provider's clock now, to the second.
    fn now(&self) -> Option<SystemTime> {
        self.date()?.checked_add(self.age())
    }

    fn date(&self) -> Option<SystemTime> {
        let date = httpdate::parse_http_date(self.headers.get(DATE)?.to_str().ok()?).ok()?;
        // A clock that was never set shows 1970: ignore it and use ours.
        (date > UNIX_EPOCH + Duration::from_secs(1_000_000_000)).then_some(date)
    }

    /// Returns how long to wait as `Retry-After` asks (RFC 9110 section 10.2.3): seconds, or a date
    /// read against the provider's own clock.
    ///
    /// A fraction of a second is rounded up. Of several header lines the longest wait counts. Dates
    /// in the past and garbage are ignored.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        let now = self.now().unwrap_or(self.received_at);
        let lines = self.headers.get_all(RETRY_AFTER).iter();
        lines.filter_map(|line| wait(line.to_str().ok()?.trim(), now)).max()
    }
}

/// Whole seconds: a number too large counts as 2^31 (RFC 9111 section 1.2.2), garbage as none.
fn seconds(text: &str) -> Option<u64> {
    const TOO_LARGE: u64 = 1 << 31;
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| text.parse().unwrap_or(TOO_LARGE).min(TOO_LARGE))
}

/// The wait that one line asks for. A proxy may have joined several lines with commas (RFC 9110
/// section 5.3): the longest counts. A date holds a comma itself.
fn wait(line: &str, now: SystemTime) -> Option<Duration> {
    if let Ok(date) = httpdate::parse_http_date(line) {
        return date.duration_since(now).ok();
    }
    line.split(',').filter_map(|wish| span(wish.trim())).max()
}

/// Seconds, or a part of one, which is rounded up.
fn span(text: &str) -> Option<Duration> {
    /// What a number too large for the type wishes for; an error caps it.
    const VERY_LONG: u64 = u32::MAX as u64;
    let text = text.strip_prefix('+').unwrap_or(text);
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    if !is_number(whole) || !is_number(fraction) {
        return None;
    }
    let seconds = whole.parse().unwrap_or(VERY_LONG);
    let up = u64::from(fraction.bytes().any(|digit| digit != b'0'));
    Some(Duration::from_secs(seconds.saturating_add(up)))
}

impl fmt::Debug for TokenResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenResponse")
            .field("status", &self.status.as_u16())
            .field("media_type", &self.media_type())
            .field("body_bytes", &self.body.len())
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::header::{HeaderName, HeaderValue};

    fn answer(headers: &[(HeaderName, &str)], received_at: SystemTime) -> TokenResponse {
        let mut response = http::Response::new(Bytes::new());
        for (name, value) in headers {
            response.headers_mut().insert(name.clone(), HeaderValue::from_str(value).unwrap());
        }
        TokenResponse::new(response, received_at)
    }

    #[test]
    fn retry_after_is_read_as_seconds_or_as_a_date() {
        let now = UNIX_EPOCH + Duration::from_secs(1_767_225_600); // 2026-01-01T00:00:00Z
        let later = "Thu, 01 Jan 2026 00:02:00 GMT";
        for (value, wait) in [
            ("120", Some(120)),
            ("0", Some(0)),
            (later, Some(120)),
            ("Wed, 31 Dec 2025 23:00:00 GMT", None),
            ("-5", None),
            ("1.5", Some(2)),
            ("0.4", Some(1)),
            ("7.0", Some(7)),
            (".5", None),
            ("1.", None),
            ("18446744073709551615.5", Some(u64::MAX)),
            ("soon", None),
            ("+5", Some(5)),
            ("5, 120", Some(120)),
            ("120,3 , soon", Some(120)),
            (",", None),
            ("", None),
            ("99999999999999999999999", Some(u64::from(u32::MAX))),
        ] {
            let found = answer(&[(RETRY_AFTER, value)], now).retry_after();
            assert_eq!(found, wait.map(Duration::from_secs), "{value}");
        }
        let mut two = http::Response::new(Bytes::new());
        for value in ["3", later, "40"] {
            two.headers_mut().append(RETRY_AFTER, HeaderValue::from_static(value));
        }
        assert_eq!(TokenResponse::new(two, now).retry_after(), Some(Duration::from_secs(120)));
        // A wrong local clock does not stretch a date: the provider's own counts.
        let skewed = answer(
            &[(RETRY_AFTER, later), (DATE, "Thu, 01 Jan 2026 00:00:00 GMT")],
            now - Duration::from_secs(86_400),
        );
        assert_eq!(skewed.retry_after(), Some(Duration::from_secs(120)));
    }

    #[test]
    fn the_servers_clock_is_its_date_header_with_our_fraction() {
        let date = UNIX_EPOCH + Duration::from_secs(1_767_225_600);
        let header = (DATE, "Thu, 01 Jan 2026 00:00:00 GMT");
        let agreeing = date + Duration::from_millis(300);
        let wrong = date + Duration::from_secs(3_600);
        assert_eq!(answer(std::slice::from_ref(&header), agreeing).server_time(), agreeing);
        assert_eq!(answer(&[header], wrong).server_time(), date + Duration::from_secs(1));
        assert_eq!(answer(&[], wrong).server_time(), wrong);
        assert_eq!(answer(&[(DATE, "garbage")], wrong).server_time(), wrong);
        // A clock that was never set does not count: up to the billionth second of Unix time.
        for (date, server_time) in [
            ("Thu, 01 Jan 1970 00:00:00 GMT", wrong),
            ("Sun, 09 Sep 2001 01:46:40 GMT", wrong),
            ("Sun, 09 Sep 2001 01:46:41 GMT", UNIX_EPOCH + Duration::from_secs(1_000_000_002)),
        ] {
            assert_eq!(answer(&[(DATE, date)], wrong).server_time(), server_time, "{date}");
        }
    }

    #[test]
    fn an_answer_gives_what_it_was_made_of_and_shows_neither_headers_nor_body() {
        let mut answer = HttpResponse::new("CANARY-1".into());
        *answer.status_mut() = StatusCode::CREATED;
        answer.headers_mut().insert(CONTENT_TYPE, "Text/JSON ; charset=x".parse().unwrap());
        answer.headers_mut().insert("x-token", "CANARY-2".parse().unwrap());
        let response = TokenResponse::new(answer, UNIX_EPOCH);
        assert_eq!((response.status(), response.body()), (StatusCode::CREATED, &b"CANARY-1"[..]));
        assert_eq!(response.headers()["x-token"], "CANARY-2");
        assert_eq!(response.media_type().as_deref(), Some("text/json"));
        assert_eq!(
            format!("{response:?}"),
            r#"TokenResponse { status: 201, media_type: Some("text/json"), body_bytes: 8 }"#
        );
        let recorded = TokenResponse::recorded(401, "{}");
        assert_eq!((recorded.status(), recorded.body()), (StatusCode::UNAUTHORIZED, &b"{}"[..]));
        assert_eq!(recorded.media_type(), None);
        let new_year_2026 = UNIX_EPOCH + Duration::from_secs(1_767_225_600);
        assert_eq!(recorded.server_time(), new_year_2026);
    }

    #[test]
    fn an_answer_from_a_cache_is_as_old_as_its_age() {
        let date = UNIX_EPOCH + Duration::from_secs(1_767_225_600);
        let header = |age| [(DATE, "Thu, 01 Jan 2026 00:00:00 GMT"), (AGE, age)];
        let received = date + Duration::from_millis(540_300);
        for (age, seconds, server_time) in [
            ("540", 540, received),
            ("0", 0, date + Duration::from_secs(1)),
            ("-3", 0, date + Duration::from_secs(1)),
            ("1e9", 0, date + Duration::from_secs(1)),
            ("99999999999999999999", 1 << 31, date + Duration::from_secs((1 << 31) + 1)),
        ] {
            let response = answer(&header(age), received);
            assert_eq!(response.age(), Duration::from_secs(seconds), "{age}");
            assert_eq!(response.server_time(), server_time, "{age}");
        }
        let later = (RETRY_AFTER, "Thu, 01 Jan 2026 00:10:00 GMT");
        let [first, second] = header("540");
        let wait = answer(&[first, second, later], received).retry_after();
        assert_eq!(wait, Some(Duration::from_secs(60)));
    }
}
