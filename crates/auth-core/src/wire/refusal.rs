//! Makes an error of an answer that is not a success, by its status and its body.

use http::StatusCode;
use http::header::LOCATION;
use serde::Deserialize as _;
use serde::de::DeserializeOwned;
use zeroize::Zeroizing;

use super::lenient::Lenient;
use super::{RequiredObject, first_byte, page_type, without_bom};
use crate::error::{Error, ErrorKind};
use crate::response::TokenResponse;
use crate::secret::{Scrubber, lossy, replaced};

/// A provider's error body. All fields of the implementing type should be optional: a body that
/// cannot be read counts as an empty one, never as a failure.
///
/// ```
/// use auth_core::wire::{Refusal, Text};
/// use auth_core::{ErrorKind, TokenResponse};
///
/// #[derive(Default, serde::Deserialize)]
/// struct Refused {
///     #[serde(default)]
///     error: Text,
/// }
///
/// impl Refusal for Refused {
///     fn code(&self) -> Option<&str> {
///         self.error.get()
///     }
///
///     fn kind(&self, answer: &TokenResponse, usual: ErrorKind) -> ErrorKind {
///         match (answer.status().as_u16(), self.code()) {
///             (400, Some("invalid_client")) => ErrorKind::Credentials,
///             _ => usual,
///         }
///     }
/// }
/// ```
pub trait Refusal: DeserializeOwned + Default {
    /// Returns the provider's stable code, if the body has one.
    fn code(&self) -> Option<&str> {
        None
    }

    /// Returns the provider's prose.
    fn description(&self) -> Option<&str> {
        None
    }

    /// Returns the identifier under which the provider logged the request.
    fn request_id(&self) -> Option<&str> {
        None
    }

    /// Returns the kind, for providers whose codes are more precise than the status. `usual` is the
    /// kind by the status alone (see [`usual_kind`]), but `Credentials` for a 400 with the standard's
    /// `invalid_client`; it is the default.
    fn kind(&self, answer: &TokenResponse, usual: ErrorKind) -> ErrorKind {
        let _ = answer;
        usual
    }

    /// Returns what to do about a refused request, or about an outage that a setting may cause, for
    /// codes with a known remedy.
    fn advice(&self, answer: &TokenResponse) -> Option<&'static str> {
        let _ = answer;
        None
    }

    /// Returns the kind of a refusal that came with 200 or 201 and no token, if its code is defined
    /// by RFC 6749 section 5.2 or by the provider's document. With `None` the error is
    /// [`ErrorKind::Protocol`].
    fn kind_in_success(&self, answer: &TokenResponse) -> Option<ErrorKind> {
        let usual = super::codes::kind(self.code()?)?;
        Some(self.kind(answer, usual))
    }

    /// Returns the setting to check if the path is wrong (404, 405, 406).
    fn endpoint_setting(&self) -> &'static str {
        "the endpoint"
    }
}

/// Returns the kind that a status means for every provider, before the body is considered.
///
/// | status | kind |
/// |---|---|
/// | 401, 403 | `Credentials`; a 403 that is not JSON comes from a gateway: `Protocol` |
/// | 429 | `RateLimited` |
/// | 408, 425, 5xx | `Unavailable` |
/// | other 4xx | `Request` |
/// | 1xx, 3xx, other 2xx | `Protocol` |
///
/// ```
/// use auth_core::wire::usual_kind;
/// use auth_core::{ErrorKind, TokenResponse};
///
/// let page = TokenResponse::recorded(403, "<html>");
/// assert_eq!(usual_kind(&page), ErrorKind::Protocol); // from a firewall, not from the provider
/// ```
#[must_use]
pub fn usual_kind(response: &TokenResponse) -> ErrorKind {
    match response.status().as_u16() {
        403 if is_foreign(response) => ErrorKind::Protocol,
        401 | 403 => ErrorKind::Credentials,
        429 => ErrorKind::RateLimited,
        408 | 425 | 500..=599 => ErrorKind::Unavailable,
        400..=499 => ErrorKind::Request,
        _ => ErrorKind::Protocol,
    }
}

/// Whether something in between wrote the body: it is not a JSON object.
fn is_foreign(response: &TokenResponse) -> bool {
    first_byte(response).is_some_and(|byte| byte != b'{')
}

/// Makes an error of an answer that is not a success: one half of [`read`](super::read), for a flow
/// whose success is not a JSON object.
///
/// `check` and `known` are as for `read`. The kind is [`usual_kind`], unless the body's
/// [`kind`](Refusal::kind) says otherwise. For a success (2xx) it is [`ErrorKind::Protocol`], so
/// check the status first.
///
/// ```
/// use auth_core::wire::{self, Refusal, Text};
/// use auth_core::{Error, ErrorKind, Expiry, Grant, TokenResponse, Scrubber};
///
/// #[derive(Default, serde::Deserialize)]
/// struct Refused { #[serde(default)] error: Text }
/// impl Refusal for Refused {
///     fn code(&self) -> Option<&str> { self.error.get() }
/// }
///
/// /// A flow's `read` whose token comes in a header of the answer.
/// fn read(answer: &TokenResponse) -> Result<Grant, Error> {
///     let known = Scrubber::new(["made-up-secret"]);
///     if !answer.status().is_success() {
///         return Err(wire::refused::<Refused>("ACME_SECRET", &known, answer));
///     }
///     let token = answer.headers().get("x-token").and_then(|value| value.to_str().ok());
///     let token = token.ok_or_else(|| Error::protocol("no x-token in the answer"))?;
///     Grant::bearer(token, Expiry::Unknown)
/// }
///
/// let answer = TokenResponse::recorded(401, r#"{"error":"invalid_client"}"#);
/// let error = read(&answer).unwrap_err();
/// assert_eq!((error.kind(), error.code()), (ErrorKind::Credentials, Some("invalid_client")));
/// assert_eq!(read(&TokenResponse::recorded(204, "")).unwrap_err().kind(), ErrorKind::Protocol);
/// ```
#[must_use]
pub fn refused<F: Refusal>(check: &str, known: &Scrubber, response: &TokenResponse) -> Error {
    let body = lenient::<F>(response).unwrap_or_default();
    let is_client = body.code().and_then(super::codes::kind) == Some(ErrorKind::Credentials);
    let usual = match usual_kind(response) {
        // RFC 6749 section 5.2: 400 where nothing asks for 401.
        _ if is_client && response.status() == StatusCode::BAD_REQUEST => ErrorKind::Credentials,
        usual => usual,
    };
    // A gateway wrote the body, so its codes are not the provider's.
    let kind = if usual == ErrorKind::Protocol { usual } else { body.kind(response, usual) };

    describe(kind, &body, check, known, response)
}

/// The error of a 200 or 201 that contains a refusal and no token.
pub(super) fn in_success<F: Refusal>(
    check: &str,
    known: &Scrubber,
    response: &TokenResponse,
) -> Option<Error> {
    if page_type(response).is_some() {
        return None;
    }
    let body = lenient::<F>(response)?;
    let kind = body.kind_in_success(response)?;
    Some(describe(kind, &body, check, known, response))
}

/// Words the error for a body of this kind.
fn describe<F: Refusal>(
    kind: ErrorKind,
    body: &F,
    check: &str,
    known: &Scrubber,
    response: &TokenResponse,
) -> Error {
    let status = response.status();
    let mut error = Error::new(kind, "").with_status(status);
    // Some providers write prose where the code should be.
    let (code, prose) = match body.code() {
        Some(code) if is_word(code) => (Some(code), None),
        other => (None, other),
    };
    if let Some(code) = code {
        error = error.with_code(code, known);
    }
    if let Some(description) = body.description().or(prose) {
        error = error.with_description(description, known);
    }
    if let Some(id) = body.request_id() {
        error = error.with_request_id(id, known);
    }
    if let Some(wait) = response.retry_after()
        && error.is_retryable()
    {
        error = error.with_retry_after(wait);
    }
    let answer = match error.code() {
        Some(code) => format!("{} {code}", status.as_u16()),
        None => status.as_u16().to_string(),
    };
    let text = match kind {
        ErrorKind::Credentials => match known.pasting_mark() {
            Some(mark) => format!("credentials rejected ({answer}): check {check}: {mark}"),
            None => format!("credentials rejected ({answer}): check {check}"),
        },
        ErrorKind::RateLimited => {
            format!("too many requests ({answer}): share one source between callers")
        }
        ErrorKind::Unavailable => match body.advice(response) {
            Some(advice) => format!("unavailable ({answer}): {advice}"),
            None => format!("unavailable ({answer})"),
        },
        ErrorKind::Protocol if status.is_redirection() => redirect(known, response),
        ErrorKind::Protocol if status == StatusCode::FORBIDDEN => {
            "blocked by a gateway in between (403 without JSON): check its allow-list for this machine's outgoing address"
                .to_owned()
        }
        ErrorKind::Protocol => {
            format!("undocumented answer ({answer}): look for a proxy or portal in between")
        }
        _ => {
            let advice = match (body.advice(response), status.as_u16()) {
                (Some(advice), _) => advice.to_owned(),
                (None, 404..=406) => {
                    format!("nothing is at that path: check {}", body.endpoint_setting())
                }
                _ => "check the options and the endpoint".to_owned(),
            };
            format!("request refused ({answer}): {advice}")
        }
    };
    error.with_message(text)
}

/// Whether a text can be a code: one word, like those of RFC 6749 section 5.2, and not a URL.
fn is_word(text: &str) -> bool {
    text.len() <= 64 && !text.contains(char::is_whitespace) && !text.contains("://")
}

/// Reads an error body as far as possible: old servers write Latin-1 or repeat a key, and their
/// codes matter nevertheless.
fn lenient<F: Refusal>(response: &TokenResponse) -> Option<F> {
    if first_byte(response) != Some(b'{') {
        return None;
    }
    let body = without_bom(response.body());
    if let Ok(read) = serde_json::from_slice::<RequiredObject<F>>(body) {
        return Some(read.into_inner());
    }
    let text = lossy(body);
    RequiredObject::deserialize(Lenient(&text)).ok().map(RequiredObject::into_inner)
}

/// Names only the host of the target, scrubbed: paths, queries and even the host may contain
/// secrets.
fn redirect(known: &Scrubber, response: &TokenResponse) -> String {
    let status = response.status().as_u16();
    let target = response.headers().get(LOCATION).map(|value| target_host(value.as_bytes()));
    let to = match target {
        None => "nowhere".to_owned(),
        Some(Target::Host(host)) => format!("to {}", known.scrub(&host)),
        Some(Target::SameHost) => "to another path of the same host".to_owned(),
        Some(Target::Unreadable) => "to a target that cannot be read".to_owned(),
    };
    format!(
        "token request redirected ({status}) {to}: not followed, since that would send the secret there; check the endpoint"
    )
}

enum Target {
    Host(Zeroizing<String>),
    SameHost,
    Unreadable,
}

fn target_host(location: &[u8]) -> Target {
    // The parsers that follow redirects read back-slashes as slashes.
    let text = replaced(lossy(location).trim(), "\\", "/");
    let after_scheme =
        text.find([':', '/', '?', '#']).filter(|at| text.as_bytes().get(*at) == Some(&b':'));
    let rest = after_scheme.and_then(|at| text.get(at + 1..)).unwrap_or(&text);
    let Some(authority) = rest.strip_prefix("//") else {
        return if after_scheme.is_some() { Target::Unreadable } else { Target::SameHost };
    };
    let authority = authority.trim_start_matches('/');
    let end = authority.find(['/', '?', '#']).unwrap_or(authority.len());
    let authority = authority.get(..end).unwrap_or_default();
    let host = authority.rsplit('@').next().unwrap_or_default();
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-._:[]".contains(c);
    if host.is_empty() || host.len() > 253 || !host.chars().all(is_plain) {
        return Target::Unreadable;
    }
    Target::Host(Zeroizing::new(host.to_owned()))
}

#[cfg(test)]
mod tests;
