//! The answers of the five providers.

use std::error::Error as _;

use auth_core::{ExposeSecret as _, HttpResponse, TokenExchange, TokenResponse};

use crate::writing::{Writing, folded, in_json};
use crate::{DIGISHARE, DIGITALPAYE, Draw, MANIS, PAPAYA, SECRET, TRESORPAY, assert_one_line};

/// The placeholder for the secret in a body.
const MARK: &str = "@SECRET@";

const STATUSES: [u16; 12] = [200, 201, 302, 307, 400, 401, 403, 404, 422, 429, 500, 503];

/// An answer of Digishare.
pub fn digishare(input: &[u8]) {
    read(&*DIGISHARE, input);
}

/// An answer of Digitalpaye.
pub fn digitalpaye(input: &[u8]) {
    read(&*DIGITALPAYE, input);
}

/// An answer of Manis.
pub fn manis(input: &[u8]) {
    read(&*MANIS, input);
}

/// An answer of Papaya.
pub fn papaya(input: &[u8]) {
    read(&*PAPAYA, input);
}

/// An answer of TresorPay.
pub fn tresorpay(input: &[u8]) {
    read(&*TRESORPAY, input);
}

/// Reads a body as a success and as errors: a grant must have a token and not show it, an error
/// must not show the secret. An input that begins with `#` states the status (one byte) and the
/// encoding of the echoed secret (eight bytes); the rest is the body.
fn read(flow: &dyn TokenExchange, input: &[u8]) {
    let Some(head) = input.strip_prefix(b"#") else {
        for status in [200, 401, 500] {
            answer(flow, status, input, SECRET);
        }
        return;
    };
    let mut draw = Draw(head);
    let status = STATUSES[usize::from(draw.byte()) % STATUSES.len()];
    let (writing, place) = (Writing::draw(&mut draw), draw.byte());
    // Decoding JSON undoes one level of escapes before the scrubber.
    let body = draw.0;
    let written = writing.write(SECRET);
    let echo = if place % 2 == 0 { in_json(&written) } else { written };
    answer(flow, status, body, &echo);
}

fn answer(flow: &dyn TokenExchange, status: u16, body: &[u8], echo: &str) {
    let is_marked = body.windows(MARK.len()).any(|part| part == MARK.as_bytes());
    let body = if is_marked {
        String::from_utf8_lossy(body).replace(MARK, echo).into_bytes()
    } else {
        body.to_vec()
    };
    let mut answer = HttpResponse::new(body.clone().into());
    *answer.status_mut() = status.try_into().expect("a status");
    if (300..400).contains(&status)
        && let Ok(target) = body.as_slice().try_into()
    {
        answer.headers_mut().insert("location", target);
    }
    match flow.read(&TokenResponse::new(answer, std::time::UNIX_EPOCH)) {
        Ok(grant) => {
            let token = grant.secret().expose_secret();
            assert!(!token.is_empty(), "an empty token");
            assert!(matches!(status, 200 | 201), "{status} gives a token");
            // A short token may be a word of the surrounding text.
            assert!(token.len() < 16 || !format!("{grant:?}").contains(token));
        }
        Err(error) => {
            let mut texts = vec![error.to_string(), format!("{error:?}")];
            let parts = [error.code(), error.description(), error.request_id()];
            texts.extend(parts.into_iter().flatten().map(str::to_owned));
            let mut cause = error.source();
            while let Some(it) = cause {
                texts.push(it.to_string());
                cause = it.source();
            }
            let echo = is_marked.then_some(echo);
            for text in &texts {
                assert_hidden(text, echo);
            }
            assert_one_line(&error.to_string());
        }
    }
}

/// Asserts that a text has no run of eight letters and digits of the secret, and no half of its
/// encoded form.
fn assert_hidden(text: &str, echo: Option<&str>) {
    let shown = folded(text);
    let secret = folded(SECRET);
    for from in 0..=secret.len() - 8 {
        assert!(!shown.contains(&secret[from..from + 8]), "the secret is left in {text:?}");
    }
    let Some(echo) = echo.map(folded) else { return };
    let half = echo.len().div_ceil(2);
    for from in [0, echo.len() - half] {
        assert!(!shown.contains(&echo[from..from + half]), "the echo is left in {text:?}");
    }
}
