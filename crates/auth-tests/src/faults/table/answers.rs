//! Faults of the answer: valid HTTP without a token.

use std::time::Duration;

use auth_core::ErrorKind::{Credentials, Protocol, RateLimited, Request, Unavailable};
use auth_sandbox::Provider::{Digishare, Digitalpaye, TresorPay};
use auth_sandbox::{CannedResponse, Fault, RetryAfter};

use crate::faults::front::{Reads, Script, Step};
use crate::faults::rule::Memory::{Asked, Outage, Rejection, Throttle};
use crate::faults::rule::Outcome::Error;
use crate::faults::rule::Tries::{Again, Once};
use crate::faults::rule::{Row, Takes, Trouble};

const JSON: &str = "application/json";
const HTML: &str = "text/html; charset=utf-8";
const PAGE: &str = "<!DOCTYPE html><html><body><h1>Back soon</h1></body></html>";

fn status(status: u16) -> Trouble {
    Trouble::Sandbox(Fault::Status(status))
}

fn canned(status: u16, kind: &str, body: impl Into<Vec<u8>>) -> Trouble {
    let answer = CannedResponse::new(status).header("content-type", kind).body(body);
    Trouble::Sandbox(Fault::Response(answer))
}

fn asked(status: u16, after: RetryAfter) -> Trouble {
    Trouble::Sandbox(Fault::RetryAfter { status, after })
}

/// A head, and a body that never ends: silent, or with more and more data.
fn endless(head: &str, silent: bool) -> Trouble {
    let begin = format!("HTTP/1.1 {head}\r\ncontent-type: {JSON}\r\n\r\n{{\"err");
    let rest = if silent { Step::Hold } else { Step::Endlessly(vec![b' '; 512]) };
    let steps = vec![Step::Write(begin.into_bytes()), rest];
    Trouble::Socket(Script { reads: Reads::Request, steps })
}

pub(super) fn rows() -> Vec<Row> {
    [rejected(), refused(), throttled(), down(), foreign(), success()].concat()
}

/// 401: a person must act, so it is never retried.
fn rejected() -> Vec<Row> {
    let row = |what, trouble| Row::new(what, trouble, Error(Credentials), Once, Rejection);
    vec![
        row("401", status(401)),
        row("401 without a body", canned(401, JSON, "")),
        row("401 with a page", canned(401, HTML, PAGE)),
        row("401 with a body of a megabyte", canned(401, JSON, vec![b' '; 1 << 20])),
        row("401 whose body stops and never ends", endless("401 Unauthorized", true))
            .takes(Takes::ErrorBody),
        // A 403 with JSON is about the credentials, unless the provider's document allows another
        // meaning.
        row("403 with JSON", canned(403, JSON, r#"{"message":"Forbidden."}"#)).but_for(
            &[Digitalpaye, Digishare],
            Error(Request),
            Once,
            Rejection,
        ),
        row("401 with `Retry-After: 37`", asked(401, RetryAfter::In(Duration::from_secs(37)))),
    ]
}

/// Other 4xx: an option or our code is wrong, so it is never retried.
fn refused() -> Vec<Row> {
    let row = |what, trouble| Row::new(what, trouble, Error(Request), Once, Rejection);
    let foreign = canned(403, HTML, PAGE);
    vec![
        row("400", status(400)),
        row("404", status(404)),
        row("404 with a page", canned(404, HTML, PAGE)),
        row("405", status(405)),
        row("413", status(413)),
        row("418", canned(418, JSON, "{}")),
        row("451", canned(451, JSON, "{}")),
        // Keycloak's disabled realm: transient, but not worth a retry within milliseconds.
        Row::new(
            "403, as each provider is known to send it",
            status(403),
            Error(Protocol),
            Once,
            Outage,
        )
        .but_for(&[Digishare], Error(Request), Once, Rejection)
        .but_for(&[TresorPay], Error(Unavailable), Once, Outage),
        Row::new("403 with a page", foreign, Error(Protocol), Once, Outage),
        Row::new(
            "403 from a firewall",
            Trouble::Sandbox(Fault::Firewall),
            Error(Protocol),
            Once,
            Outage,
        ),
    ]
}

/// 429.
fn throttled() -> Vec<Row> {
    let row =
        |what, trouble, tries, memory| Row::new(what, trouble, Error(RateLimited), tries, memory);
    let seconds = |seconds| RetryAfter::In(Duration::from_secs(seconds));
    let text = |text: &str| RetryAfter::Text(text.to_owned());
    vec![
        row("429, as each provider is known to send it", status(429), Once, Throttle).but_for(
            &[Digishare], // Laravel sends `Retry-After`
            Error(RateLimited),
            Once,
            Asked(60),
        ),
        row("429 without `Retry-After`", canned(429, JSON, "{}"), Once, Throttle),
        row("429 with a page and no `Retry-After`", canned(429, HTML, PAGE), Once, Throttle),
        row("429 with `Retry-After: soon`", asked(429, text("soon")), Once, Throttle),
        row("429 with `Retry-After: 37`", asked(429, seconds(37)), Once, Asked(37)),
        row("429 with `Retry-After: 36.2`", asked(429, text("36.2")), Once, Asked(37)),
        row(
            "429 with a date in 37 s",
            asked(429, RetryAfter::At(Duration::from_secs(37))),
            Once,
            Asked(37),
        ),
        row("429 with `Retry-After: 0`", asked(429, seconds(0)), Again, Outage),
        row("429 that asks for a century", asked(429, seconds(3_155_760_000)), Once, Asked(3_600)),
        row(
            "429 with `Retry-After: 37` whose body never ends",
            endless("429 Slow Down\r\nretry-after: 37", true),
            Once,
            Asked(37),
        )
        .takes(Takes::ErrorBody),
    ]
}

/// 5xx, 408 and 425: transient, and no token was granted.
fn down() -> Vec<Row> {
    let row = |what, trouble| Row::new(what, trouble, Error(Unavailable), Again, Outage);
    let seconds = |seconds| RetryAfter::In(Duration::from_secs(seconds));
    let later = Fault::Status(503).delayed(Duration::from_millis(50));
    vec![
        row("500", status(500)),
        row("502", status(502)),
        row("503", status(503)),
        row("504", status(504)),
        row("503 with a page", canned(503, HTML, PAGE)),
        row("503, slowly", Trouble::Sandbox(later)),
        row("511", canned(511, HTML, PAGE)),
        row("408", status(408)),
        row("425", status(425)),
        row("500 whose body never stops coming", endless("500 Oops", false)),
        row("500 whose body stops and never ends", endless("500 Oops", true))
            .takes(Takes::ErrorBody),
        row("503 with `Retry-After: soon`", asked(503, RetryAfter::Text("soon".to_owned()))),
        Row::new(
            "503 with `Retry-After: 37`",
            asked(503, seconds(37)),
            Error(Unavailable),
            Once,
            Asked(37),
        ),
    ]
}

/// Redirects, which are never followed, and a portal in place of the provider.
fn foreign() -> Vec<Row> {
    let row = |what, trouble| Row::new(what, trouble, Error(Protocol), Once, Outage);
    let redirect =
        |status| Trouble::Sandbox(Fault::Redirect { status, location: "/elsewhere".to_owned() });
    vec![
        row("301", redirect(301)),
        row("302", redirect(302)),
        row("303", redirect(303)),
        row("307", redirect(307)),
        row("308", redirect(308)),
        row("304", canned(304, JSON, "")),
        row("a captive portal's page with 200", Trouble::Sandbox(Fault::CaptivePortal)),
    ]
}

/// 2xx without a token.
fn success() -> Vec<Row> {
    let row = |what, trouble| Row::new(what, trouble, Error(Protocol), Once, Outage);
    let refusal = canned(200, JSON, r#"{"error":"invalid_client","error_description":"No."}"#);
    let class = r#"{"statusCode":401,"message":"UnauthorizedError","reason":"Non."}"#;
    vec![
        row("200 without a body", canned(200, JSON, "")),
        row("200 with a page", canned(200, HTML, PAGE)),
        row("200 with JSON called text", canned(200, "text/plain", "{\"token\":\"x\"}")),
        row("200 with `{}`", canned(200, JSON, "{}")),
        row("200 with a list", canned(200, JSON, "[1]")),
        row("200 with half of an object", canned(200, JSON, "{\"access_token\":\"x")),
        row("200 with bytes that are no UTF-8", canned(200, JSON, b"{\"token\":\"\xff\"}")),
        row("200 with 1,000 nested brackets", {
            canned(200, JSON, format!("{{\"a\":{}", "[".repeat(1_000)))
        }),
        row("200 with an error of no known code", canned(200, JSON, r#"{"error":"oops-7"}"#)),
        row("201 with `{}`", canned(201, JSON, "{}")),
        row("202", canned(202, JSON, "{}")),
        row("204", canned(204, JSON, "")),
        // A refusal with status 200 counts if its code is defined by the standard or the provider's
        // document.
        Row::new("200 with `invalid_client`", refusal, Error(Credentials), Once, Rejection),
        row("200 with Digitalpaye's `UnauthorizedError`", canned(200, JSON, class)).but_for(
            &[Digitalpaye],
            Error(Credentials),
            Once,
            Rejection,
        ),
    ]
}
