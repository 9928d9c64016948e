//! Any two texts as credentials: refused, or sent unchanged.

use auth_core::{Error, ErrorKind, HttpRequest, TokenExchange};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use crate::{Draw, assert_one_line};

/// The length of the id, the id, and the secret.
pub fn credentials(input: &[u8]) {
    let mut draw = Draw(input);
    let length = draw.byte().into();
    let (id, secret) = (draw.text(length), draw.rest());
    let pair = (&*id, &*secret);

    let flow = digishare_auth::Credentials::new(pair.0, pair.1).map(digishare_auth::Digishare::new);
    if let Some(request) = sent(pair, is_text, flow.as_ref()) {
        assert_eq!(json(&request, ["client_id", "client_secret"]), owned(pair));
    }
    let form = flow.map(|flow| flow.body_format(digishare_auth::BodyFormat::Form));
    if let Some(request) = sent(pair, is_text, form.as_ref()) {
        assert_eq!(form_fields(&request), owned(pair));
    }

    let flow =
        digitalpaye_auth::Credentials::new(pair.0, pair.1).map(digitalpaye_auth::Digitalpaye::new);
    let holds = |text: &str| is_text(text) && (std::ptr::eq(text, pair.1) || !text.contains(':'));
    if let Some(request) = sent(pair, holds, flow.as_ref()) {
        assert_eq!(basic(&request), owned(pair));
    }

    let endpoint = auth_core::Endpoint::parse("https://manis.example").expect("made up well");
    let flow = manis_auth::Credentials::new(pair.0, pair.1)
        .map(|credentials| manis_auth::Manis::new(credentials, endpoint));
    let holds = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic());
    if let Some(request) = sent(pair, holds, flow.as_ref()) {
        assert_eq!(request.headers()["x-merchant-id"], pair.0);
        assert_eq!(request.headers()["x-secret"], pair.1);
    }

    let flow = papaya_auth::Credentials::new(pair.0, pair.1).map(papaya_auth::Papaya::staging);
    if let Some(request) = sent(pair, is_text, flow.as_ref()) {
        assert_eq!(json(&request, ["api_key", "client_secret"]), owned(pair));
    }

    let flow = tresorpay_auth::Credentials::new(pair.0, pair.1).map(tresorpay_auth::TresorPay::new);
    if let Some(request) = sent(pair, is_text, flow.as_ref()) {
        assert_eq!(form_fields(&request), owned(pair));
    }
    let basic_flow = flow.map(|flow| flow.client_auth(tresorpay_auth::ClientAuth::Basic));
    if let Some(request) = sent(pair, is_text, basic_flow.as_ref()) {
        let (id, secret) = basic(&request);
        assert_eq!((decoded(&id), decoded(&secret)), owned(pair));
    }
}

/// The request of a flow. Its credentials must be accepted if `holds` is true for both.
fn sent(
    pair: (&str, &str),
    holds: impl Fn(&str) -> bool,
    flow: Result<&impl TokenExchange, &Error>,
) -> Option<HttpRequest> {
    let may_be_sent = holds(pair.0) && holds(pair.1);
    let flow = match flow {
        Ok(flow) => flow,
        Err(error) => {
            let text = error.to_string();
            assert_eq!(error.kind(), ErrorKind::Config);
            assert_one_line(&text);
            for value in [pair.0, pair.1] {
                // Our texts have no digits, so this cannot be one of their words.
                let is_telling = value.contains(|c: char| c.is_ascii_digit());
                assert!(!is_telling || !text.contains(value), "{text}: shows the value");
            }
            assert!(!may_be_sent, "{pair:?} is refused: {text}");
            return None;
        }
    };
    assert!(may_be_sent, "{}: {pair:?} is accepted", flow.provider());
    let request = flow.request().expect("checked credentials make a request");
    for (name, value) in request.headers() {
        let is_plain = value.as_bytes().iter().all(|byte| matches!(byte, b' '..=b'~'));
        assert!(is_plain, "{name}: {value:?}");
    }
    Some(request)
}

/// Whether a form, JSON or base64 may carry it: no control or invisible character, nothing to trim.
fn is_text(text: &str) -> bool {
    // Unicode's control characters, and the most common format characters of a value copied from a
    // file or a web page.
    let is_refused =
        |c: char| c.is_control() || "\u{ad}\u{200b}\u{200d}\u{202e}\u{2060}\u{feff}".contains(c);
    !text.is_empty() && text.trim() == text && !text.contains(is_refused) && !is_rare(text)
}

/// Whether it has another invisible character. A second list on purpose, so that neither loses one.
fn is_rare(text: &str) -> bool {
    text.chars().any(|c| {
        let c = u32::from(c);
        matches!(c, 0x34f | 0x61c | 0x115f..=0x1160 | 0x17b4..=0x17b5 | 0x180b..=0x180f | 0x3164 | 0xffa0)
            || matches!(c, 0x200b..=0x200f | 0x202a..=0x202e | 0x2060..=0x206f | 0xfe00..=0xfe0f)
            || (0xe0000..0xe1000).contains(&c)
    })
}

fn owned((id, secret): (&str, &str)) -> (String, String) {
    (id.to_owned(), secret.to_owned())
}

fn json(request: &HttpRequest, names: [&str; 2]) -> (String, String) {
    let body: Value = serde_json::from_slice(request.body()).expect("JSON");
    let [id, secret] = names.map(|name| body[name].as_str().expect("a text").to_owned());
    (id, secret)
}

fn form_fields(request: &HttpRequest) -> (String, String) {
    let field = |name| {
        let mut found = form_urlencoded::parse(request.body()).filter(|(found, _)| *found == name);
        let value = found.next().expect("a field").1.into_owned();
        assert!(found.next().is_none(), "{name} twice");
        value
    };
    (field("client_id"), field("client_secret"))
}

fn basic(request: &HttpRequest) -> (String, String) {
    let value = request.headers()["authorization"].to_str().expect("ASCII");
    let pair = STANDARD.decode(value.strip_prefix("Basic ").expect("Basic")).expect("base64");
    let pair = String::from_utf8(pair).expect("UTF-8");
    let (id, secret) = pair.split_once(':').expect("a colon");
    (id.to_owned(), secret.to_owned())
}

fn decoded(text: &str) -> String {
    let mut fields = form_urlencoded::parse(text.as_bytes());
    let (name, rest) = fields.next().expect("a text");
    assert!(rest.is_empty() && fields.next().is_none(), "{text} is more than a text");
    name.into_owned()
}
