//! The steps `time` and `shape`: one request without credentials, and what its answer says of the
//! clock and of who answers.

use std::time::{Duration, SystemTime};

use auth_core::{Error, ErrorKind, HttpClient as _, HttpRequest, HttpResponse, ReqwestClient};
use http::header::{CONTENT_TYPE, DATE, LOCATION, RETRY_AFTER};
use http::{HeaderName, StatusCode, Uri};
use jiff::fmt::rfc2822::DateTimeParser;

use super::finding::{Finding, Step, advice};
use super::report::Report;
use crate::stop::Stop;
use crate::text::Text;
use crate::when::{now, span};

/// A clock that is off by less is no finding: a date in a header has whole seconds, and travels.
const LITTLE: Duration = Duration::from_secs(30);
/// A clock that is off by more is a failure: it is as much as a token of TresorPay lives.
const MUCH: Duration = Duration::from_secs(5 * 60);

/// Says whether it is the provider who answers.
pub(super) async fn examine(report: &mut Report<'_>, request: HttpRequest) -> Result<bool, Stop> {
    let address = request.uri().authority().map(ToString::to_string).unwrap_or_default();
    let began = now();
    let answer = report.within(Step::Shape, send(request)).await;
    let middle = began + now().duration_since(began).unwrap_or_default() / 2;
    let answer = match answer {
        Some(Ok(answer)) => answer,
        failed => {
            report.skip_one(Step::Time, Step::Shape)?;
            let error = failed.and_then(Result::err);
            report.tell(no_answer(error.as_ref(), &address, &report.limit()))?;
            return Ok(false);
        }
    };
    report.tell(time(&answer, middle))?;
    let finding = shape(&answer);
    let is_good = !finding.is_failure();
    report.tell(finding)?;
    Ok(is_good)
}

async fn send(request: HttpRequest) -> Result<HttpResponse, Error> {
    let client = match request.uri().scheme_str() {
        Some("https") => ReqwestClient::shared()?,
        // Plain http needs no certificates, and there may be none.
        _ => ReqwestClient::configure(|builder| builder.tls_certs_only([]))?,
    };
    client.send(request).await
}

fn no_answer(error: Option<&Error>, address: &str, limit: &str) -> Finding {
    let (kind, texts, values) = match error {
        None => {
            let texts = (Text::DoctorSilent, Text::DoctorSilentDo);
            (ErrorKind::Timeout, texts, [address, limit])
        }
        Some(error) => {
            let texts = (Text::DoctorLine, advice(error.kind()));
            (error.kind(), texts, [error.message(), address])
        }
    };
    Finding::failure(Step::Shape, kind, texts, &values)
}

/// Compares the clocks.
fn time(answer: &HttpResponse, now: SystemTime) -> Finding {
    let date = header(answer, &DATE);
    let told = date.and_then(|date| DateTimeParser::new().parse_timestamp(date).ok());
    let Some(there) = told.map(SystemTime::from) else {
        return Finding::skip(Step::Time, Text::DoctorNoDate, &[]);
    };
    let (off, found) = match there.duration_since(now) {
        Ok(off) => (off, Text::DoctorClockBehind),
        Err(error) => (error.duration(), Text::DoctorClockAhead),
    };
    let values = [span(off)];
    let values = values.each_ref().map(String::as_str);
    if off > MUCH {
        let texts = (found, Text::DoctorClockDo);
        Finding::failure(Step::Time, ErrorKind::Config, texts, &values)
    } else if off > LITTLE {
        Finding::warning(Step::Time, (found, Text::DoctorClockDo), &values)
    } else {
        Finding::good(Step::Time, Text::DoctorClock, &[])
    }
}

/// Tells the provider from what else may answer in its place.
fn shape(answer: &HttpResponse) -> Finding {
    let status = answer.status();
    let number = status.as_u16().to_string();
    let media_type = header(answer, &CONTENT_TYPE).unwrap_or_default().to_ascii_lowercase();
    let start = answer.body().trim_ascii_start();
    let begins_with =
        |text: &[u8]| start.get(..text.len()).is_some_and(|start| start.eq_ignore_ascii_case(text));
    let is_page = media_type.contains("html") || begins_with(b"<!doctype") || begins_with(b"<html");
    let is_json = media_type.contains("json") || start.starts_with(b"{");
    let failure =
        |kind, texts, value: &str| Finding::failure(Step::Shape, kind, texts, &[&number, value]);
    match status {
        StatusCode::TOO_MANY_REQUESTS => {
            let wait = header(answer, &RETRY_AFTER).unwrap_or("-");
            let texts = (Text::DoctorLimited, Text::DoctorLimitedDo);
            failure(ErrorKind::RateLimited, texts, wait)
        }
        // A portal says so of itself (RFC 6585 section 6).
        StatusCode::NETWORK_AUTHENTICATION_REQUIRED => {
            failure(ErrorKind::Protocol, (Text::DoctorPage, Text::DoctorPageDo), "")
        }
        _ if status.is_server_error() => {
            failure(ErrorKind::Unavailable, (Text::DoctorDown, Text::DoctorDownDo), "")
        }
        _ if status.is_redirection() => {
            let place = header(answer, &LOCATION).and_then(|place| place.parse::<Uri>().ok());
            // Without a host, it is a path of the same one. A query may hold anything.
            let place = place.as_ref().map(|place| place.host().unwrap_or_else(|| place.path()));
            let texts = (Text::DoctorRedirect, Text::DoctorRedirectDo);
            failure(ErrorKind::Protocol, texts, place.unwrap_or("?"))
        }
        StatusCode::NOT_FOUND | StatusCode::GONE | StatusCode::METHOD_NOT_ALLOWED => {
            failure(ErrorKind::Request, (Text::DoctorWrongPath, Text::DoctorWrongPathDo), "")
        }
        StatusCode::PROXY_AUTHENTICATION_REQUIRED => {
            failure(ErrorKind::Connect, (Text::DoctorProxyAnswers, Text::DoctorProxyAnswersDo), "")
        }
        // Some gateways refuse a request without credentials in HTML, and let one with them pass.
        StatusCode::UNAUTHORIZED if is_page => unlike(&number, &media_type),
        _ if is_page => failure(ErrorKind::Protocol, (Text::DoctorPage, Text::DoctorPageDo), ""),
        // An AWS gateway says this of a path that it does not have.
        StatusCode::FORBIDDEN if contains(start, b"Missing Authentication Token") => {
            failure(ErrorKind::Request, (Text::DoctorWrongPath, Text::DoctorWrongPathDo), "")
        }
        StatusCode::FORBIDDEN => {
            let texts = (Text::DoctorForbidden, Text::DoctorForbiddenDo);
            Finding::warning(Step::Shape, texts, &[&number])
        }
        StatusCode::BAD_REQUEST | StatusCode::UNAUTHORIZED | StatusCode::UNPROCESSABLE_ENTITY
            if is_json =>
        {
            Finding::good(Step::Shape, Text::DoctorShape, &[&number])
        }
        _ => unlike(&number, &media_type),
    }
}

fn unlike(status: &str, media_type: &str) -> Finding {
    let (found, values) = match media_type {
        "" => (Text::DoctorUnlikeBare, vec![status]),
        media_type => (Text::DoctorUnlike, vec![status, media_type]),
    };
    Finding::warning(Step::Shape, (found, Text::DoctorUnlikeDo), &values)
}

fn contains(text: &[u8], part: &[u8]) -> bool {
    text.windows(part.len()).any(|window| window == part)
}

fn header<'a>(answer: &'a HttpResponse, name: &HeaderName) -> Option<&'a str> {
    answer.headers().get(name)?.to_str().ok()
}

#[cfg(test)]
mod tests {
    use auth_core::Bytes;

    use super::super::finding::State;
    use super::*;
    use crate::args::Lang;

    const AWS: &str = r#"{"message":"Missing Authentication Token"}"#;

    fn answer(status: u16, headers: &[(&'static str, &str)], body: &'static str) -> HttpResponse {
        let mut answer = HttpResponse::new(Bytes::from_static(body.as_bytes()));
        *answer.status_mut() = StatusCode::from_u16(status).unwrap();
        for (name, value) in headers {
            answer.headers_mut().insert(*name, value.parse().unwrap());
        }
        answer
    }

    #[test]
    fn who_answers_is_told_apart() {
        let json = [("content-type", "application/json")];
        let page = [("content-type", "text/html; charset=utf-8")];
        for (status, headers, body, kind) in [
            (401, &json[..], "{}", None),
            (400, &[], "{\"error\":\"invalid_request\"}", None),
            (422, &json, "", None),
            (200, &page, "", Some(ErrorKind::Protocol)),
            (403, &[], "<!DOCTYPE html>", Some(ErrorKind::Protocol)),
            (302, &[("location", "https://login.example/")], "", Some(ErrorKind::Protocol)),
            (404, &json, "{}", Some(ErrorKind::Request)),
            (405, &[], "", Some(ErrorKind::Request)),
            (429, &json, "{}", Some(ErrorKind::RateLimited)),
            (503, &page, "", Some(ErrorKind::Unavailable)),
            (511, &page, "", Some(ErrorKind::Protocol)),
            (400, &[], "<HTML><HEAD>", Some(ErrorKind::Protocol)),
            (403, &json, AWS, Some(ErrorKind::Request)),
        ] {
            let found = shape(&answer(status, headers, body)).state;
            assert_eq!(found, kind.map_or(State::Good, State::Failure), "{status} {body}");
        }
        let text = [("content-type", "text/plain")];
        for (status, headers, body, says) in [
            (200, &json[..], "{}", "200 with application/json: not"),
            (401, &text, "no", "401 with text/plain: not"),
            (401, &page, "<html>", "401 with text/html; charset=utf-8: not"),
            (418, &[], "", "418: not"),
            (415, &json, "{}", "415 with application/json: not"),
            (403, &json, "{\"message\":\"Forbidden\"}", "403: refused"),
        ] {
            let found = shape(&answer(status, headers, body));
            assert_eq!(found.state, State::Warning, "{found:?}");
            assert!(found.found(Lang::En).starts_with(says), "{found:?}");
        }
    }

    #[test]
    fn a_redirect_says_where_to() {
        for (place, says) in [
            ("https://login.example/a?b", "302: redirected to login.example"),
            ("/login?next=CANARY", "302: redirected to /login"),
            ("", "302: redirected to ?"),
        ] {
            let found = shape(&answer(302, &[("location", place)], "")).found(Lang::En);
            assert_eq!(found, says);
        }
    }

    #[test]
    fn a_clock_is_off_in_either_direction() {
        let answer = answer(401, &[("date", "Thu, 26 Nov 2026 12:00:00 GMT")], "");
        let noon = SystemTime::UNIX_EPOCH + Duration::from_secs(1_795_694_400);
        let second = Duration::from_secs(1);
        for (now, expected) in [
            (noon, State::Good),
            (noon + 20 * second, State::Good),
            (noon - 40 * second, State::Warning),
            (noon + 40 * second, State::Warning),
            (noon - 3_600 * second, State::Failure(ErrorKind::Config)),
            (noon + 3_600 * second, State::Failure(ErrorKind::Config)),
        ] {
            let found = time(&answer, now);
            assert_eq!(found.state, expected, "{found:?}");
        }
    }
}
