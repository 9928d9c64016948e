//! What reads foreign bytes, as functions of bytes. Each panics where a promise is broken.

use std::error::Error as _;
use std::time::{Duration, UNIX_EPOCH};

use auth_core::{
    Endpoint, ExposeSecret as _, HttpResponse, JwtTimes, Response, Scrubber, TokenExchange,
};

/// A made-up secret that the bodies may echo.
pub const SECRET: &str = "made-up-k3J9x2Vq7Lw";

/// A made-up identifier.
const ID: &str = "made-up-0001";

/// A target: its name, and what it does with an input.
pub type Target = (&'static str, fn(&[u8]));

/// All of them.
pub const TARGETS: [Target; 9] = [
    ("headers", headers),
    ("endpoint", endpoint),
    ("jwt", jwt),
    ("digishare", digishare),
    ("digitalpaye", digitalpaye),
    ("manis", manis),
    ("papaya", papaya),
    ("tresorpay", tresorpay),
    ("scrubber", scrubber),
];

/// `Retry-After` and `Date`, one a line.
pub fn headers(input: &[u8]) {
    let mut answer = HttpResponse::new("{}".into());
    let mut lines = input.split(|byte| *byte == b'\n');
    for name in ["retry-after", "date"] {
        if let Some(Ok(value)) = lines.next().map(TryFrom::try_from) {
            answer.headers_mut().insert(name, value);
        }
    }
    let response = Response::new(answer, UNIX_EPOCH + Duration::from_secs(1_767_225_600));
    let _ = (response.retry_after(), response.server_time());
}

/// A URL from an environment variable.
pub fn endpoint(input: &[u8]) {
    let text = String::from_utf8_lossy(input);
    match Endpoint::parse(&text) {
        Ok(endpoint) => {
            let again = Endpoint::parse(endpoint.as_str()).expect("what was taken is taken again");
            assert_eq!(again.as_str(), endpoint.as_str());
        }
        Err(error) => assert_one_line(&error.to_string()),
    }
}

/// A token that may be a JWT.
pub fn jwt(input: &[u8]) {
    let times = JwtTimes::peek(&String::from_utf8_lossy(input));
    let _ = (times.issued_at(), times.expires_at(), times.lifetime());
}

/// What Digishare answers.
pub fn digishare(input: &[u8]) {
    use digishare_auth::{Credentials, Digishare};
    read(&Digishare::new(Credentials::new(ID, SECRET).expect("made up well")), input);
}

/// What Digitalpaye answers.
pub fn digitalpaye(input: &[u8]) {
    use digitalpaye_auth::{Credentials, Digitalpaye};
    read(&Digitalpaye::new(Credentials::new(ID, SECRET).expect("made up well")), input);
}

/// What Manis answers.
pub fn manis(input: &[u8]) {
    use manis_auth::{Credentials, Manis};
    let endpoint = Endpoint::parse("https://manis.example").expect("made up well");
    read(&Manis::new(Credentials::new(ID, SECRET).expect("made up well"), endpoint), input);
}

/// What Papaya answers.
pub fn papaya(input: &[u8]) {
    use papaya_auth::{Credentials, Papaya};
    read(&Papaya::staging(Credentials::new(ID, SECRET).expect("made up well")), input);
}

/// What TresorPay answers.
pub fn tresorpay(input: &[u8]) {
    use tresorpay_auth::{Credentials, TresorPay};
    read(&TresorPay::new(Credentials::new(ID, SECRET).expect("made up well")), input);
}

/// A text that may hold the secret.
pub fn scrubber(input: &[u8]) {
    let text = String::from_utf8_lossy(input);
    let scrubbed = Scrubber::new([SECRET]).with_pair(ID, SECRET).scrub(&text);
    assert!(!scrubbed.contains(SECRET), "the secret is left");
}

/// The same body as a success and as errors: a grant holds a token and does not show it, an error
/// does not show the secret.
fn read(flow: &dyn TokenExchange, body: &[u8]) {
    for status in [200, 201, 302, 400, 401, 403, 404, 422, 429, 500, 503] {
        match flow.read(&Response::recorded(status, body.to_vec())) {
            Ok(grant) => {
                let token = grant.secret().expose_secret();
                assert!(!token.is_empty(), "an empty token");
                // A short token may be a word of the text around it.
                assert!(token.len() < 16 || !format!("{grant:?}").contains(token));
            }
            Err(error) => {
                let mut texts = vec![error.to_string(), format!("{error:?}")];
                texts.extend([error.code(), error.description()].map(|it| it.unwrap_or("").into()));
                let mut cause = error.source();
                while let Some(it) = cause {
                    texts.push(it.to_string());
                    cause = it.source();
                }
                for text in texts {
                    assert!(!text.contains(SECRET), "{status}: the secret is left");
                }
                assert_one_line(&error.to_string());
            }
        }
    }
}

fn assert_one_line(text: &str) {
    assert!(!text.contains(['\n', '\r', '\u{1b}']), "a line break or an escape: {text:?}");
}
