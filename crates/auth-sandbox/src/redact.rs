//! What the journal shows of a request: nothing that is, or could be, a credential.
//!
//! By a list of what may be shown, not of what may not: a client that is misconfigured sends its
//! secrets under names that nobody thought of, and they may be real ones.

use std::borrow::Cow;

use http::header::{AUTHORIZATION, CONTENT_TYPE};
use serde_json::Value;

use crate::accounts::Entry;
use crate::request::{Field, Request};
use crate::shared::Shared;

const REDACTED: &str = "[redacted]";

/// The longest text that is shown of a header or a member.
const LONGEST: usize = 256;
/// The longest body that is shown.
const LONGEST_BODY: usize = 2048;
/// The most headers that are shown.
const HEADERS: usize = 64;

/// Headers whose values are shown, unless a word of theirs looks like a credential.
const HEADERS_SHOWN: &str = "accept accept-encoding accept-language cache-control connection \
    content-encoding content-length content-type date expect host keep-alive origin pragma te \
    transfer-encoding upgrade user-agent via x-environment";

/// Parameters whose values are shown, unless a word of theirs looks like a credential.
const PARAMETERS_SHOWN: &str = "grant_type scope client_scope audience response_type";

/// Where an account's id stands. Other ids may be a secret in the wrong place.
const IDS: &str = "client_id api_key x-merchant-id";

/// The method, if it is one that HTTP knows.
pub(crate) fn method(request: &Request) -> String {
    const KNOWN: &str = "GET HEAD POST PUT DELETE CONNECT OPTIONS TRACE PATCH";
    let method = request.method.as_str();
    let known = KNOWN.split(' ').any(|known| known == method);
    if known { method } else { "[other]" }.to_owned()
}

/// Path and query.
pub(crate) fn path(request: &Request, shared: &Shared, known: &[&str]) -> String {
    let path = request.path();
    let mut shown = if known.contains(&path) {
        path.to_owned()
    } else if holds_own(path, shared) {
        format!("/{REDACTED}")
    } else {
        // A secret that was encoded for its place is still one.
        let shown = |part| if is_encoded(part) { REDACTED.into() } else { text(part, shared) };
        let segments: Vec<_> = path.split('/').map(shown).collect();
        cut(&segments.join("/"), LONGEST)
    };
    if let Some(query) = request.uri.query() {
        shown.push('?');
        shown += &form(query.as_bytes(), shared);
    }
    shown
}

/// Names and values.
pub(crate) fn headers(request: &Request, shared: &Shared) -> Vec<(String, String)> {
    let shown = request.headers().iter().take(HEADERS).map(|(name, value)| {
        let word = name.as_str();
        let value = value.to_str().unwrap_or_default();
        let value = if *name == AUTHORIZATION {
            authorization(value)
        } else if word == "x-environment" && !matches!(value, "Production" | "Sandbox") {
            REDACTED.to_owned()
        } else {
            parameter(word, value, shared)
        };
        (cut(&text(word, shared), LONGEST), value)
    });
    shown.collect()
}

/// The scheme alone.
fn authorization(value: &str) -> String {
    let scheme = value.split(' ').next().unwrap_or_default();
    let known = ["basic", "bearer", "digest", "dpop"];
    if known.contains(&scheme.to_ascii_lowercase().as_str()) && scheme.len() < value.len() {
        format!("{scheme} {REDACTED}")
    } else {
        REDACTED.to_owned()
    }
}

/// The body: JSON or a form; of anything else the length alone.
pub(crate) fn body(request: &Request, shared: &Shared) -> String {
    let Some(body) = &request.body else {
        return "[more than 64 KiB, not shown]".to_owned();
    };
    if body.is_empty() {
        return String::new();
    }
    let is_form = matches!(request.header(CONTENT_TYPE), Field::One(value)
        if value.trim_start().starts_with("application/x-www-form-urlencoded"));
    let shown = match serde_json::from_slice(body) {
        Ok(value @ (Value::Object(_) | Value::Array(_))) => json(value, "", shared).to_string(),
        _ if is_form && body.contains(&b'=') => form(body, shared),
        _ => return format!("[{} bytes, neither JSON nor a form, not shown]", body.len()),
    };
    cut(&shown, LONGEST_BODY)
}

fn json(value: Value, name: &str, shared: &Shared) -> Value {
    match value {
        Value::String(value) => Value::String(parameter(name, &value, shared)),
        Value::Number(_) => Value::from(REDACTED),
        Value::Array(items) => items.into_iter().map(|item| json(item, name, shared)).collect(),
        Value::Object(members) => Value::Object(
            members
                .into_iter()
                .map(|(name, value)| {
                    let value = json(value, &name, shared);
                    (text(&name, shared).into_owned(), value)
                })
                .collect(),
        ),
        value => value,
    }
}

fn form(fields: &[u8], shared: &Shared) -> String {
    let fields = form_urlencoded::parse(fields).take(HEADERS).map(|(name, value)| {
        let value = parameter(&name, &value, shared);
        format!("{}={value}", text(&name, shared))
    });
    cut(&fields.collect::<Vec<_>>().join("&"), LONGEST_BODY)
}

/// The value of a header, a member or a field.
fn parameter(name: &str, value: &str, shared: &Shared) -> String {
    let listed = |names: &str| names.split_ascii_whitespace().any(|it| it == name);
    if value.is_empty() {
        String::new()
    } else if listed(IDS) {
        let known = shared.state().accounts.get(value).is_some();
        if known { value.to_owned() } else { format!("{REDACTED}, no account's id") }
    } else if (listed(HEADERS_SHOWN) || listed(PARAMETERS_SHOWN)) && !holds_own(value, shared) {
        let words: Vec<_> = value.split(' ').map(|word| text(word, shared)).collect();
        cut(&words.join(" "), LONGEST)
    } else {
        REDACTED.to_owned()
    }
}

/// A word, unless it is a secret of this provider or looks like one of another.
fn text<'a>(word: &'a str, shared: &Shared) -> Cow<'a, str> {
    let secret = looks_secret(word) || holds_own(word, shared);
    Cow::Borrowed(if secret { REDACTED } else { word })
}

/// Whether a text is, or holds, a secret of this provider. Asked of a whole value too, since a secret may
/// have blanks and slashes in it.
fn holds_own(text: &str, shared: &Shared) -> bool {
    let state = shared.state();
    let mut secrets = state.accounts.all().flat_map(Entry::secrets);
    secrets.any(|secret| text == secret || (secret.len() > 3 && text.contains(secret)))
}

fn is_encoded(part: &str) -> bool {
    part.contains('%')
}

/// Whether a word is random rather than written: a JWT, a UUID, hexadecimal, base64.
///
/// A run of letters and digits is random if it is long, or if letters and digits alternate.
fn looks_secret(word: &str) -> bool {
    let runs = word.split(|c: char| !c.is_ascii_alphanumeric());
    let random = |run: &str| {
        let digits = run.bytes().filter(u8::is_ascii_digit).count();
        let changes = run
            .as_bytes()
            .windows(2)
            .filter(|pair| matches!(pair, [a, b] if a.is_ascii_digit() != b.is_ascii_digit()))
            .count();
        run.len() >= 24 || (run.len() >= 12 && digits > 0) || (run.len() >= 8 && changes >= 2)
    };
    let uuid = word.len() >= 32 && word.bytes().filter(u8::is_ascii_digit).count() >= 4;
    uuid || runs.into_iter().any(random) || !word.is_ascii()
}

/// The beginning of a text that is too long.
fn cut(text: &str, longest: usize) -> String {
    if text.len() <= longest {
        return text.to_owned();
    }
    let kept: String = text.chars().take(longest).collect();
    format!("{kept}... [cut]")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_random_word_is_told_from_a_written_one() {
        for word in [
            "eyJhbGciOiJIUzI1NiJ9.e30.x",
            "3f2a9c1b7d",
            "c2VjcmV0OnNlY3JldA==",
            "a1b2c3d4e5",
            // Long; long with a digit; many short runs; not ASCII.
            "abcdefghijklmnopqrstuvwx",
            "correcthorse1",
            "a1-b2-c3-d4-e5-f6-a7-b8-c9-d0-e1",
            "пароль",
        ] {
            assert!(looks_secret(word), "{word}");
        }
        for word in [
            "application/json",
            "python-requests/2.32.3",
            "openid-connect",
            "client_credentials",
            "v1",
            "127.0.0.1:8080",
            "application/x-www-form-urlencoded",
        ] {
            assert!(!looks_secret(word), "{word}");
        }
    }
}
