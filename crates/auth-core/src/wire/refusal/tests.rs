//! What an error says, by the status and the body of the answer.

use super::*;

#[test]
fn the_host_of_a_redirect_is_named_in_every_spelling() {
    for (location, says) in [
        ("https://evil.example/x?s=CANARY", "evil.example"),
        ("//evil.example/CANARY", "evil.example"),
        ("https:\\\\evil.example\\CANARY", "evil.example"),
        ("https://user:CANARY@evil.example:8443/a b\u{e9}", "evil.example:8443"),
        ("HTTP://[::1]:80/CANARY", "[::1]:80"),
        ("/CANARY", "same host"),
        ("CANARY?x=http://evil.example", "same host"),
        ("https://\u{e9}vil.example", "unreadable"),
        ("mailto:CANARY", "unreadable"),
    ] {
        let found = match target_host(location.as_bytes()) {
            Target::Host(host) => host.as_str().to_owned(),
            Target::SameHost => "same host".to_owned(),
            Target::Unreadable => "unreadable".to_owned(),
        };
        assert_eq!(found, says, "{location}");
    }
}

#[test]
fn a_400_of_the_standards_invalid_client_is_a_rejection() {
    #[derive(Default, serde::Deserialize)]
    struct Refused {
        #[serde(default)]
        error: crate::wire::Text,
    }
    impl Refusal for Refused {
        fn code(&self) -> Option<&str> {
            self.error.get()
        }
    }
    for (status, code, kind) in [
        (400, "invalid_client", ErrorKind::Credentials),
        (400, " Invalid_Client ", ErrorKind::Credentials),
        (400, "invalid_request", ErrorKind::Request),
        (404, "invalid_client", ErrorKind::Request),
        (503, "invalid_client", ErrorKind::Unavailable),
    ] {
        let answer = TokenResponse::recorded(status, format!(r#"{{"error":"{code}"}}"#));
        let error = refused::<Refused>("-", &Scrubber::default(), &answer);
        assert_eq!(error.kind(), kind, "{status} {code}");
    }
}

#[test]
fn a_rejection_mentions_signs_of_a_wrongly_pasted_value() {
    #[derive(Default, serde::Deserialize)]
    struct Empty {}
    impl Refusal for Empty {}
    let answer = TokenResponse::recorded(401, "{}");
    let error = refused::<Empty>("ACME_SECRET", &Scrubber::new(["'s3cret-1'"]), &answer);
    assert_eq!(
        error.message(),
        "credentials rejected (401): check ACME_SECRET: a value is in quotes, which count as part of it"
    );
}

#[test]
fn a_secret_in_the_host_of_a_redirect_is_not_named() {
    #[derive(Default, serde::Deserialize)]
    struct Empty {}
    impl Refusal for Empty {}
    let mut answer = crate::HttpResponse::new("".into());
    *answer.status_mut() = StatusCode::FOUND;
    let target = "https://made-up-s3cret.example/".parse().unwrap();
    answer.headers_mut().insert(LOCATION, target);
    let answer = TokenResponse::new(answer, std::time::UNIX_EPOCH);
    let error = refused::<Empty>("-", &Scrubber::new(["made-up-s3cret"]), &answer);
    assert!(error.message().contains("to [redacted].example"), "{error}");
}

/// A provider that has advice for some bodies, and a setting for its endpoint.
#[derive(Default, serde::Deserialize)]
struct Full {
    #[serde(default)]
    advice: bool,
}

impl Refusal for Full {
    fn advice(&self, _: &TokenResponse) -> Option<&'static str> {
        self.advice.then_some("ask Acme")
    }

    fn endpoint_setting(&self) -> &'static str {
        "ACME_URL"
    }
}

fn answer(status: u16, header: Option<(&'static str, &'static str)>, body: &str) -> TokenResponse {
    let mut answer = crate::HttpResponse::new(body.to_owned().into());
    *answer.status_mut() = StatusCode::from_u16(status).unwrap();
    if let Some((name, value)) = header {
        answer.headers_mut().insert(name, http::HeaderValue::from_static(value));
    }
    TokenResponse::new(answer, std::time::UNIX_EPOCH)
}

#[test]
fn each_kind_of_refusal_says_what_to_do() {
    let to = |target| Some(("location", target));
    let advice = r#"{"advice":true}"#;
    for (status, header, body, says) in [
        (202, None, "", "undocumented answer (202): look for a proxy or portal in between"),
        (302, None, "", "token request redirected (302) nowhere: not followed, since"),
        (302, to("/x"), "", "token request redirected (302) to another path of the same host: not"),
        (302, to("x:y"), "", "token request redirected (302) to a target that cannot be read: not"),
        (304, to("//a.example"), "", "token request redirected (304) to a.example: not followed"),
        (400, None, "{}", "request refused (400): check the options and the endpoint"),
        (400, None, advice, "request refused (400): ask Acme"),
        (401, None, "{}", "credentials rejected (401): check ACME_SECRET"),
        (403, None, "{}", "credentials rejected (403): check ACME_SECRET"),
        (
            403,
            None,
            "<p>",
            "blocked by a gateway in between (403 without JSON): check its allow-list",
        ),
        (404, None, "{}", "request refused (404): nothing is at that path: check ACME_URL"),
        (404, None, advice, "request refused (404): ask Acme"),
        (405, None, "", "request refused (405): nothing is at that path: check ACME_URL"),
        (406, None, "", "request refused (406): nothing is at that path: check ACME_URL"),
        (407, None, "", "request refused (407): check the options and the endpoint"),
        (429, None, "{}", "too many requests (429): share one source between callers"),
        (503, None, "{}", "unavailable (503)"),
        (503, None, advice, "unavailable (503): ask Acme"),
    ] {
        let answer = answer(status, header, body);
        let error = refused::<Full>("ACME_SECRET", &Scrubber::default(), &answer);
        assert!(error.message().starts_with(says), "{says:?} is not: {error}");
    }
}

#[test]
fn a_body_without_fields_has_no_code_no_words_and_no_advice() {
    #[derive(Default, serde::Deserialize)]
    struct Empty {}
    impl Refusal for Empty {}
    let (empty, answer) = (Empty {}, answer(404, None, "{}"));
    assert_eq!((empty.code(), empty.description(), empty.request_id()), (None, None, None));
    assert_eq!((empty.advice(&answer), empty.kind_in_success(&answer)), (None, None));
    assert_eq!(empty.endpoint_setting(), "the endpoint");
    assert_eq!(empty.kind(&answer, ErrorKind::Store), ErrorKind::Store);
}

#[test]
fn a_code_is_one_word_that_is_no_url() {
    for (text, is_code) in [
        ("invalid_client", true),
        ("AUTH:401/2", true),
        (&"x".repeat(64), true),
        (&"x".repeat(65), false),
        ("no client", false),
        ("https://acme.example", false),
    ] {
        assert_eq!(is_word(text), is_code, "{text}");
    }
}

#[test]
fn a_host_longer_than_dns_allows_or_none_at_all_is_unreadable() {
    let host = |location: &str| match target_host(location.as_bytes()) {
        Target::Host(host) => Some(host.len()),
        _ => None,
    };
    assert_eq!(host(&format!("https://{}/x", "a".repeat(253))), Some(253));
    assert_eq!(host(&format!("https://{}/x", "a".repeat(254))), None);
    for location in ["https://", "https://user@", "https://?x", "//#x"] {
        assert!(matches!(target_host(location.as_bytes()), Target::Unreadable), "{location}");
    }
}
