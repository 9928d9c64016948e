//! Shared by all decoders: reads a response strictly into a typed body, or makes an error of it.
//!
//! The status is checked before the body, since texts vary by language and version. A success must
//! be one JSON object and nothing else. An error never quotes its content: messages of decoders
//! quote values, and the values are tokens.

pub(crate) mod codes;
mod depth;
mod lenient;
mod refusal;
mod shapes;
mod text;

use http::StatusCode;
use serde::de::DeserializeOwned;
use zeroize::Zeroizing;

use self::depth::is_too_deep;
pub use self::refusal::{Refusal, refused, usual_kind};
pub use self::shapes::{Number, Object, RequiredObject, token};
pub use self::text::Text;
use crate::error::Error;
use crate::response::TokenResponse;
use crate::secret::Scrubber;

/// Reads the body of a success, or makes an error of any other answer.
///
/// `check` names the settings to check if the credentials are rejected; `known` holds the secrets
/// to scrub from an error.
///
/// ```
/// use auth_core::wire::{self, Refusal, Text};
/// use auth_core::{ErrorKind, TokenResponse, Scrubber};
///
/// #[derive(Debug, serde::Deserialize)]
/// struct Granted { access_token: String }
/// #[derive(Default, serde::Deserialize)]
/// struct Refused { #[serde(default)] error: Text }
/// impl Refusal for Refused {
///     fn code(&self) -> Option<&str> { self.error.get() }
/// }
///
/// let known = Scrubber::new(["made-up-secret"]);
/// let read = |status, body| {
///     let answer = TokenResponse::recorded(status, body);
///     wire::read::<Granted, Refused>("ACME_SECRET", &known, &answer)
/// };
/// assert_eq!(read(200, r#"{"access_token":"made-up"}"#)?.access_token, "made-up");
/// let error = read(401, r#"{"error":"invalid_client"}"#).unwrap_err();
/// assert_eq!((error.kind(), error.code()), (ErrorKind::Credentials, Some("invalid_client")));
/// # Ok::<(), auth_core::Error>(())
/// ```
///
/// # Errors
/// - any status but 200 and 201: by [`usual_kind`] and the body `F`, as [`refused`] makes it;
/// - a 200 or 201 without a token, whose body is a refusal with a known code (see
///   [`Refusal::kind_in_success`]): that refusal;
/// - a body that is not one JSON object of the shape `S`:
///   [`ErrorKind::Protocol`](crate::ErrorKind::Protocol), which never quotes it.
pub fn read<S: DeserializeOwned, F: Refusal>(
    check: &str,
    known: &Scrubber,
    response: &TokenResponse,
) -> Result<S, Error> {
    let status = response.status();
    if !matches!(status, StatusCode::OK | StatusCode::CREATED) {
        return Err(refused::<F>(check, known, response));
    }
    success(response).map_err(|fault| {
        refusal::in_success::<F>(check, known, response).unwrap_or_else(|| {
            Error::protocol(format!("undocumented answer ({}): {fault}", status.as_u16()))
                .with_status(status)
        })
    })
}

fn first_byte(response: &TokenResponse) -> Option<u8> {
    without_bom(response.body()).iter().copied().find(|byte| !byte.is_ascii_whitespace())
}

/// RFC 8259 section 8.1 lets a parser ignore a byte order mark.
fn without_bom(body: &[u8]) -> &[u8] {
    body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body)
}

/// The media type, if it is one of a page: a page is not a token response, even if it parses as
/// one.
fn page_type(response: &TokenResponse) -> Option<String> {
    let is_page =
        |t: &String| matches!(t.as_str(), "text/html" | "application/xhtml+xml" | "text/plain");
    response.media_type().filter(is_page)
}

fn success<S: DeserializeOwned>(response: &TokenResponse) -> Result<S, String> {
    if let Some(media_type) = page_type(response) {
        return Err(format!(
            "a body of type {media_type} where JSON is documented; is there a portal or proxy in between?"
        ));
    }
    match first_byte(response) {
        None => return Err("an empty body where a JSON object is documented".into()),
        Some(b'{') => {}
        Some(_) => return Err("a body that is not a JSON object".into()),
    }
    // serde_json does not check the bytes of fields that it skips (RFC 8259 section 8.1).
    if std::str::from_utf8(response.body()).is_err() {
        return Err("a body that is not valid UTF-8".into());
    }
    if is_too_deep(response.body()) {
        return Err("JSON that is nested too deeply".into());
    }
    // serde_json's message quotes values; its category and position do not.
    serde_json::from_slice::<RequiredObject<S>>(without_bom(response.body()))
        .map(RequiredObject::into_inner)
        .map_err(|fault| {
            let what = match fault.classify() {
                serde_json::error::Category::Data => "JSON that is not of the documented shape",
                serde_json::error::Category::Eof => "JSON that ends too early",
                _ => "a body that is not valid JSON",
            };
            format!("{what} (line {}, column {})", fault.line(), fault.column())
        })
}

/// Checks that a `token_type` is `Bearer`, case-insensitively (RFC 6749 section 5.1).
///
/// ```
/// use auth_core::Scrubber;
/// use auth_core::wire::expect_bearer;
///
/// let known = Scrubber::new(["made-up-secret"]);
/// assert!(expect_bearer(Some("bearer"), &known).is_ok());
/// assert!(expect_bearer(Some("mac"), &known).is_err());
/// assert!(expect_bearer(None, &known).is_err());
/// ```
///
/// # Errors
/// [`ErrorKind::Protocol`](crate::ErrorKind::Protocol) that names the type if it is a word, or says
/// that there is none.
pub fn expect_bearer(token_type: Option<&str>, known: &Scrubber) -> Result<(), Error> {
    /// Registered token types are short words. A longer text may be the token itself, if a provider
    /// swapped the fields.
    const LONGEST: usize = 16;
    let stated = match token_type.map(str::trim) {
        Some(stated) if stated.eq_ignore_ascii_case("bearer") => return Ok(()),
        Some(stated) => Zeroizing::new(known.clean(stated, LONGEST + 1)),
        None => {
            return Err(Error::protocol("no token type in the answer, where Bearer is expected"));
        }
    };
    let is_word = stated.len() <= LONGEST && stated.bytes().all(|byte| byte.is_ascii_alphabetic());
    let shown =
        if is_word { format!("{:?}", stated.as_str()) } else { "that is not a word".to_owned() };
    Err(Error::protocol(format!("token type {shown} where Bearer is expected")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;
    use bytes::Bytes;
    use serde::Deserialize;
    use std::time::UNIX_EPOCH;

    #[derive(Debug, Deserialize)]
    struct Granted {
        token: String,
    }

    #[derive(Default, Deserialize)]
    struct Refused {
        #[serde(default)]
        error: Text,
    }

    impl Refusal for Refused {
        fn code(&self) -> Option<&str> {
            self.error.get()
        }
    }

    fn answer(
        status: u16,
        headers: &[(&'static str, &'static str)],
        body: &[u8],
    ) -> Result<Granted, Error> {
        let mut response = http::Response::new(Bytes::copy_from_slice(body));
        *response.status_mut() = StatusCode::from_u16(status).unwrap();
        for (name, value) in headers {
            response.headers_mut().insert(*name, http::HeaderValue::from_static(value));
        }
        let response = TokenResponse::new(response, UNIX_EPOCH);
        read::<Granted, Refused>("ACME_SECRET", &Scrubber::new(["CANARY-1"]), &response)
    }

    #[test]
    fn a_success_is_one_json_object_and_nothing_else() {
        for body in [
            &b"{\"token\":\"t\"}"[..],
            b"\xef\xbb\xbf{\"token\":\"t\"}",
            b" \n {\"token\":\"t\",\"more\":[1,{\"x\":null}]} ",
        ] {
            assert_eq!(answer(200, &[], body).unwrap().token, "t");
            assert_eq!(answer(201, &[], body).unwrap().token, "t");
        }
        let deep = format!("{{\"token\":\"t\",\"x\":{}{}}}", "[".repeat(200), "]".repeat(200));
        for body in [
            &b""[..],
            b"null",
            b"[]",
            b"[\"t\"]",
            b"\"t\"",
            b"{",
            b"{\"token\":\"CANARY-2",
            b"{\"token\":[\"CANARY-2\"]}",
            b"{\"token\":\"a\",\"token\":\"b\"}",
            b"{\"token\":\"t\"}<!-- -->",
            b"{\"token\":\"t\"} {\"token\":\"t\"}",
            b"{\"token\":\"\xff\xfe\"}",
            b"{\"token\":\"t\",\"unread\":\"\xe9\"}",
            b"<html></html>",
            b"{\"token\":7777777}", // serde_json would say: invalid type: integer `7777777`
            deep.as_bytes(),
        ] {
            let error = answer(200, &[], body).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Protocol, "{}", String::from_utf8_lossy(body));
            let text = format!("{error} {error:?}");
            assert!(!text.contains("CANARY") && !text.contains("7777777"), "{text}");
        }
        for page in ["text/html; charset=utf-8", "application/xhtml+xml", "Text/Plain"] {
            let error = answer(200, &[("content-type", page)], b"{\"token\":\"t\"}").unwrap_err();
            let page = page.split(';').next().unwrap().to_lowercase();
            assert!(error.to_string().contains(&page), "{error}");
        }
    }

    #[test]
    fn what_is_wrong_with_a_success_is_said_and_where() {
        let deep = format!("{{\"x\":{}", "[".repeat(200));
        for (body, says) in [
            (&b" \n"[..], "an empty body where a JSON object is documented"),
            (b"[]", "a body that is not a JSON object"),
            (b"{\"token\":\"\xff\"}", "a body that is not valid UTF-8"),
            (deep.as_bytes(), "JSON that is nested too deeply"),
            (b"{\n\"token\":7}", "JSON that is not of the documented shape (line 2, column 9)"),
            (b"{\"token\":", "JSON that ends too early (line 1, column 9)"),
            (b"{\"token\":\"t\",}", "a body that is not valid JSON (line 1, column 14)"),
        ] {
            let error = answer(200, &[], body).unwrap_err();
            assert_eq!(error.message(), format!("undocumented answer (200): {says}"));
        }
    }

    #[test]
    fn the_status_decides_the_kind() {
        use ErrorKind::{Credentials, Protocol, RateLimited, Request, Unavailable};
        for (status, kind) in [
            (204, Protocol),
            (202, Protocol),
            (206, Protocol),
            (301, Protocol),
            (307, Protocol),
            (400, Request),
            (401, Credentials),
            (403, Credentials),
            (404, Request),
            (405, Request),
            (408, Unavailable),
            (409, Request),
            (411, Request),
            (413, Request),
            (415, Request),
            (422, Request),
            (425, Unavailable),
            (429, RateLimited),
            (500, Unavailable),
            (502, Unavailable),
            (503, Unavailable),
            (504, Unavailable),
            (599, Unavailable),
            (600, Protocol),
        ] {
            let error = answer(status, &[("retry-after", "7")], b"{\"error\":\"x\"}").unwrap_err();
            assert_eq!(error.kind(), kind, "{status}");
            assert_eq!(error.status().unwrap().as_u16(), status);
            assert_eq!(error.retry_after().is_some(), error.is_retryable());
        }
        let page = answer(403, &[], b"<html>blocked</html>").unwrap_err();
        assert_eq!(page.kind(), Protocol);
        assert_eq!(answer(502, &[], b"<html></html>").unwrap_err().kind(), Unavailable);
    }

    #[test]
    fn a_redirect_names_the_host_alone() {
        let location = ("location", "https://evil.example/x?secret=CANARY-3");
        let error = answer(302, &[location], b"").unwrap_err();
        let text = format!("{error} {error:?}");
        assert!(text.contains("evil.example") && !text.contains("CANARY"), "{text}");
    }

    #[test]
    fn a_refusal_reads_as_one_line_that_says_what_to_do() {
        let error = answer(401, &[], b"{\"error\":\"invalid_client CANARY-1\"}").unwrap_err();
        assert_eq!(error.message(), "credentials rejected (401): check ACME_SECRET");
        assert_eq!((error.code(), error.description()), (None, Some("invalid_client [redacted]")));
        let error = answer(401, &[], b"{\"error\":\"invalid_client\"}").unwrap_err();
        assert_eq!(error.message(), "credentials rejected (401 invalid_client): check ACME_SECRET");
    }

    #[test]
    fn a_text_names_the_provider_once_and_the_status_once() {
        for (status, body) in [
            (202, ""),
            (302, ""),
            (400, "{}"),
            (401, "{}"),
            (403, "{}"),
            (403, "<html></html>"),
            (429, "{}"),
            (503, ""),
            (200, ""),
        ] {
            let error = answer(status, &[], body.as_bytes()).unwrap_err();
            assert!(!error.message().contains("acme"), "{error}");
            let text = error.with_provider("acme").to_string();
            assert!(text.starts_with("acme: ") && !text.contains("http"), "{text}");
            assert_eq!(text.matches(&status.to_string()).count(), 1, "{text}");
        }
    }

    #[test]
    fn an_error_body_with_one_field_of_another_shape_keeps_its_other_fields() {
        #[derive(Default, Deserialize)]
        #[serde(default)]
        struct Refused {
            error: Object<Reason>,
            trace_id: Text,
        }
        #[derive(Default, Deserialize)]
        #[serde(default)]
        struct Reason {
            code: Text,
        }
        impl Refusal for Refused {
            fn code(&self) -> Option<&str> {
                self.error.get()?.code.get()
            }
            fn request_id(&self) -> Option<&str> {
                self.trace_id.get()
            }
        }
        for (shape, code) in [
            (r#"{"code":"slow"}"#, Some("slow")),
            ("[]", None),
            ("null", None),
            ("true", None),
            ("-7", None),
            ("7", None),
            ("0.5", None),
            (r#""prose""#, None),
            (r#""\u00e9 \n""#, None),
        ] {
            let body = format!(r#"{{"error":{shape},"trace_id":"t-1"}}"#);
            let answer = TokenResponse::recorded(429, body);
            let error = refused::<Refused>("-", &Scrubber::default(), &answer);
            assert_eq!((error.code(), error.request_id()), (code, Some("t-1")), "{shape}");
        }
    }

    #[test]
    fn a_token_type_is_named_only_if_it_is_a_word() {
        let type_of = |stated| expect_bearer(Some(stated), &Scrubber::default()).unwrap_err();
        for word in ["JWT", "abcdefghijklmnop"] {
            let says = format!("token type \"{word}\" where Bearer is expected");
            assert_eq!(type_of(word).message(), says);
        }
        let seventeen = type_of("abcdefghijklmnopq");
        assert_eq!(seventeen.message(), "token type that is not a word where Bearer is expected");
        for swapped in ["eyJhbGciOiJIUzI1NiJ9.CANARY", "CANARYCANARYCANARYCANARY", "4CANARY"] {
            assert!(!type_of(swapped).to_string().contains("CANARY"), "{swapped}");
        }
    }

    #[test]
    fn an_error_body_of_any_shape_is_still_an_error_of_its_status() {
        for body in
            [&b"[1]"[..], b"null", b"{\"error\":{\"a\":1}}", b"\xff", b"{\"error\":1,\"error\":2}"]
        {
            assert_eq!(answer(401, &[], body).unwrap_err().kind(), ErrorKind::Credentials);
        }
    }
}
