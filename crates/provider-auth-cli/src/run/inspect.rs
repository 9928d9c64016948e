//! `inspect`: what a token on standard input is. Nothing is verified and nothing is sent.

use std::io::{self, Read as _};
use std::time::{Duration, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value, json};
use zeroize::Zeroizing;

use super::Call;
use crate::out::printable;
use crate::stop::Stop;
use crate::text::Text;
use crate::when::{now, rfc3339, span};

/// A longer text is no token.
const LONGEST: usize = 64 * 1024;

pub(crate) fn run(call: Call<'_>, claims: bool) -> Result<u8, Stop> {
    let (out, lang) = (call.out, call.out.lang);
    let token = read()?;
    let Some((header, payload)) = jwt(&token) else {
        if out.json {
            out.json(&json!({"version": 1, "type": "opaque", "length": token.len()}))?;
        } else {
            out.lines(&format!("{}\n", Text::Opaque.with(lang, &[&token.len().to_string()])))?;
        }
        return Ok(0);
    };
    let (issued, expires) = (seconds(payload.get("iat")), seconds(payload.get("exp")));
    let at = |time: Option<u64>| rfc3339(UNIX_EPOCH.checked_add(Duration::from_secs(time?))?);
    let today = crate::when::epoch(now());
    let left = expires.map(|end| end.saturating_sub(today));
    if out.json {
        let mut value = json!({
            "version": 1,
            "type": "JWT",
            "alg": header.get("alg"),
            "kid": header.get("kid"),
            "issued_at": at(issued),
            "expires_at": at(expires),
            "expires_at_epoch": expires,
            "expires_in": left,
            "signature": "not verified",
        });
        if let Some(value) = value.as_object_mut().filter(|_| claims) {
            value.insert("claims".to_owned(), Value::Object(payload));
        }
        out.json(&value)?;
        return Ok(0);
    }
    let word = |name: &str| header.get(name).and_then(Value::as_str).map(printable);
    let left = left.map(|left| match left {
        0 => Text::Expired.to(lang).to_owned(),
        left => span(Duration::from_secs(left)),
    });
    let lines = [
        ("type", Some("JWT".to_owned())),
        ("alg", word("alg")),
        ("kid", word("kid")),
        ("iat", at(issued)),
        ("exp", at(expires)),
        ("left", left),
    ];
    let mut text = String::new();
    for (name, value) in lines {
        text.push_str(&format!("{name:<5} {}\n", value.as_deref().unwrap_or("-")));
    }
    text.push_str(&format!("{}\n", Text::NotVerified.to(lang)));
    if claims {
        let shown = serde_json::to_string_pretty(&payload).unwrap_or_default();
        for line in shown.lines() {
            text.push_str(&printable(line));
            text.push('\n');
        }
    }
    out.lines(&text)?;
    Ok(0)
}

/// The token, with or without `Authorization:` and `Bearer` before it.
fn read() -> Result<Zeroizing<String>, Stop> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(LONGEST + 1));
    let limit = u64::try_from(LONGEST + 1).unwrap_or(u64::MAX);
    let read = io::stdin().lock().take(limit).read_to_end(&mut bytes);
    if read.is_ok() && bytes.len() > LONGEST {
        return Err(Stop::usage(Text::TokenTooLong, Text::TokenDo, &[]));
    }
    let text = std::str::from_utf8(&bytes).ok().filter(|_| read.is_ok());
    let word = text.and_then(|text| text.split_whitespace().last());
    let word = word.ok_or_else(|| Stop::usage(Text::TokenNotText, Text::TokenDo, &[]))?;
    Ok(Zeroizing::new(word.to_owned()))
}

/// Header and claims, if it is a JWT.
fn jwt(token: &str) -> Option<(Map<String, Value>, Map<String, Value>)> {
    let mut parts = token.split('.');
    let (header, payload, _signature) = (parts.next()?, parts.next()?, parts.next()?);
    if parts.next().is_some() {
        return None;
    }
    let object = |part: &str| {
        let bytes = Zeroizing::new(URL_SAFE_NO_PAD.decode(part.trim_end_matches('=')).ok()?);
        serde_json::from_slice(&bytes).ok()
    };
    Some((object(header)?, object(payload)?))
}

/// Whole seconds of a number, which Passport writes as a float.
fn seconds(value: Option<&Value>) -> Option<u64> {
    let value = value?;
    value.as_u64().or_else(|| {
        let float = value.as_f64().filter(|float| *float >= 0.0 && *float < 9e15)?;
        format!("{float:.0}").parse().ok()
    })
}
