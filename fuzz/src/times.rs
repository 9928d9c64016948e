//! All forms of a token's expiry.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use auth_core::{
    Expiry, Grant, HttpResponse, JwtTimes, Scrubber, TokenExchange, TokenResponse, oauth2, wire,
};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;

use crate::{Draw, MANIS, NOW, PAPAYA, SECRET};

const LONGEST: Duration = Duration::from_secs(400 * 24 * 60 * 60);

/// A token that may be a JWT, and a payload of a JWT.
pub fn jwt(input: &[u8]) {
    peek(&String::from_utf8_lossy(input), None);
    let payload = URL_SAFE_NO_PAD.encode(input);
    peek(&format!("eyJhbGciOiJub25lIn0.{payload}.c2ln"), Some(input));
}

fn peek(token: &str, payload: Option<&[u8]>) {
    let times = JwtTimes::peek(token);
    if let (Some(start), Some(end), Some(life)) =
        (times.issued_at(), times.expires_at(), times.lifetime())
    {
        assert_eq!(start.checked_add(life), Some(end));
    }
    let Some(payload) = payload else { return };
    let found = [("iat", times.issued_at()), ("exp", times.expires_at())];
    let claims = match serde_json::from_str(&String::from_utf8_lossy(payload)) {
        Ok(Value::Object(claims)) => claims,
        Ok(other) => {
            assert_eq!(times, JwtTimes::default(), "times are read from {other}");
            return;
        }
        // Half of a surrogate pair, or too large a number, in a claim that is not read.
        Err(_) => return,
    };
    for (name, time) in found {
        let stated = claims.get(name).and_then(as_seconds);
        if let Some(time) = time {
            let stated = stated.unwrap_or_else(|| panic!("{name} is read out of {claims:?}"));
            let seen = match time.duration_since(UNIX_EPOCH) {
                Ok(after) => after.as_secs_f64(),
                Err(before) => -before.duration().as_secs_f64(),
            };
            // The nearest second: a float of that size has no more digits.
            let stated = stated.clamp(i64::MIN as f64, i64::MAX as f64);
            assert!((seen - stated).abs() <= 1.0 + stated.abs() * 1e-9, "{name}: {stated}, {seen}");
        }
        let is_single = |name: &str| {
            let text = String::from_utf8_lossy(payload);
            !text.contains('\\') && text.matches(&format!("\"{name}\"")).count() == 1
        };
        if let Some(whole) = claims.get(name).and_then(Value::as_i64)
            && ["iat", "exp"].iter().all(|name| !claims.contains_key(*name) || is_single(name))
            && whole.unsigned_abs() < 1 << 40
            && payload.len() < 8_000
            && std::str::from_utf8(payload).is_ok()
        {
            let expected = match Expiry::at_unix_seconds(whole) {
                Expiry::At(instant) => Some(instant),
                _ => None,
            };
            assert_eq!(time, expected, "{name} is not read out of {claims:?}");
        }
    }
}

fn as_seconds(value: &Value) -> Option<f64> {
    value.as_f64().or_else(|| value.as_str()?.trim().parse().ok())
}

/// The value of `"expires_in"` in a standard answer.
pub fn expires_in(input: &[u8]) {
    let known = Scrubber::new([SECRET]);
    let value = String::from_utf8_lossy(input);
    let body =
        format!(r#"{{"access_token":"made-up","token_type":"Bearer","expires_in":{value}}}"#);
    let answer = TokenResponse::recorded(200, body.clone());
    let granted = wire::read::<oauth2::Granted, oauth2::Refused>("ID", &known, &answer);
    let Ok(grant) = granted.and_then(|granted| granted.into_grant(&known)) else { return };
    // Half of a surrogate pair, or too large a number, in a field that is not read.
    let Ok(read) = serde_json::from_str::<Value>(&body) else { return };
    let stated = read.get("expires_in").and_then(as_seconds);
    match grant.expiry() {
        Expiry::After(span) => {
            let stated = stated.unwrap_or_else(|| panic!("{span:?} out of {value}"));
            assert!(span.as_secs_f64() <= stated.max(0.0) * (1.0 + 1e-9), "{span:?} of {stated}");
        }
        Expiry::Unknown => {
            let whole = read.get("expires_in").and_then(Value::as_i64);
            assert!(whole.is_none_or(|it| it < 0), "{value} is not read");
        }
        other => panic!("{other:?}"),
    }
}

/// The grant that a flow reads from a body, if it reads one.
fn granted(flow: &dyn TokenExchange, body: String) -> Option<Grant> {
    let answer = HttpResponse::new(body.into());
    flow.read(&TokenResponse::new(answer, now())).ok()
}

fn now() -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(NOW)
}

/// The unit in the first byte, then the value of `"expiresAt"`.
pub fn manis_expiry(input: &[u8]) {
    use manis_auth::ExpiryUnit;
    let mut draw = Draw(input);
    let unit = match draw.byte() % 4 {
        0 => ExpiryUnit::Auto,
        1 => ExpiryUnit::Seconds,
        2 => ExpiryUnit::Millis,
        _ => ExpiryUnit::RelativeSeconds,
    };
    let value = draw.rest();
    let body = format!(r#"{{"token":"made-up","tokenType":"Bearer","expiresAt":{value}}}"#);
    let Some(grant) = granted(&MANIS.clone().expiry_unit(unit), body.clone()) else { return };
    let Ok(read) = serde_json::from_str::<Value>(&body) else { return };
    let whole = read.get("expiresAt").and_then(Value::as_i64);
    match grant.expiry() {
        Expiry::After(span) => {
            assert!(matches!(unit, ExpiryUnit::Auto | ExpiryUnit::RelativeSeconds), "{value}");
            assert!(span <= LONGEST, "{value}");
            assert!(whole.is_none_or(|whole| u64::try_from(whole).unwrap_or(0) == span.as_secs()));
        }
        Expiry::At(end) => {
            assert_ne!(unit, ExpiryUnit::RelativeSeconds, "{value}");
            assert!(end >= now() - Duration::from_secs(300) && end <= now() + LONGEST, "{value}");
        }
        _ => {
            assert_eq!(grant.warnings().len(), 1, "{value}: no warning");
            let near = |at: i64| (NOW as i64..=NOW as i64 + LONGEST.as_secs() as i64).contains(&at);
            let is_plain = match (unit, whole) {
                (ExpiryUnit::Seconds, Some(at)) => near(at),
                (ExpiryUnit::Millis, Some(at)) => near(at / 1_000),
                (ExpiryUnit::Auto, Some(at)) => {
                    near(at) || near(at / 1_000) || near(at / 1_000_000)
                }
                (_, span) => {
                    span.is_some_and(|span| (0..=LONGEST.as_secs() as i64).contains(&span))
                }
            };
            assert!(!is_plain, "{value} is not read in {unit}");
        }
    }
}

/// The value of `"valid_until"`, which must never be read as later than jiff reads it.
pub fn papaya_expiry(input: &[u8]) {
    let text = String::from_utf8_lossy(input);
    let text = Value::from(&*text);
    let body = format!(r#"{{"token":"made-up","token_name":"x","valid_until":{text}}}"#);
    let grant = granted(&*PAPAYA, body).expect("a token is there");
    let text = text.as_str().expect("a text").trim(); // blanks around a text are none of it
    let seen = text.parse::<jiff::Timestamp>().map(|at| at.as_second());
    match grant.expiry() {
        Expiry::At(at) => {
            let at = at.duration_since(UNIX_EPOCH).expect("not before 1970").as_secs();
            match seen {
                Ok(seen) => assert_eq!(i64::try_from(at), Ok(seen.max(0)), "{text}"),
                // A timestamp of jiff's ends a day before the year does.
                Err(fault) => {
                    assert!(text.starts_with("9999-12-3"), "{text}: {at} is read: {fault}")
                }
            }
        }
        _ => {
            // jiff accepts more spellings; these are the characters of the documented one.
            let is_documented = text.len() == 17
                && text.bytes().zip(*b"0000-00-00T00:00Z").all(|(byte, shape)| {
                    if shape == b'0' { byte.is_ascii_digit() } else { byte == shape }
                });
            assert!(!is_documented || seen.is_err(), "{text} is not read");
        }
    }
}
