//! The steps `time` and `shape`: one request without credentials, and what its answer says of the
//! clock and of who answers.

use std::time::{Duration, SystemTime};

use auth_core::{Error, ErrorKind, HttpClient as _, HttpRequest, HttpResponse, ReqwestClient};
use http::header::{CONTENT_TYPE, DATE, LOCATION, RETRY_AFTER};
use http::{HeaderName, StatusCode, Uri};
use jiff::fmt::rfc2822::DateTimeParser;

use super::finding::{Finding, Step};
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
            let texts = (Text::DoctorLine, crate::stop::words(error.kind()).1);
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
    let is_page =
        media_type.contains("html") || start.starts_with(b"<!") || start.starts_with(b"<h");
    let is_json = media_type.contains("json") || start.starts_with(b"{");
    let failure =
        |kind, texts, value: &str| Finding::failure(Step::Shape, kind, texts, &[&number, value]);
    match status {
        StatusCode::TOO_MANY_REQUESTS => {
            let wait = header(answer, &RETRY_AFTER).unwrap_or("-");
            let texts = (Text::DoctorLimited, Text::DoctorLimitedDo);
            failure(ErrorKind::RateLimited, texts, wait)
        }
        _ if status.is_server_error() => {
            failure(ErrorKind::Unavailable, (Text::DoctorDown, Text::DoctorDownDo), "")
        }
        _ if status.is_redirection() => {
            let place = header(answer, &LOCATION).and_then(|place| place.parse::<Uri>().ok());
            let host = place.as_ref().and_then(Uri::host).unwrap_or("-");
            failure(ErrorKind::Protocol, (Text::DoctorRedirect, Text::DoctorRedirectDo), host)
        }
        StatusCode::NOT_FOUND | StatusCode::GONE | StatusCode::METHOD_NOT_ALLOWED => {
            failure(ErrorKind::Request, (Text::DoctorWrongPath, Text::DoctorWrongPathDo), "")
        }
        StatusCode::PROXY_AUTHENTICATION_REQUIRED => {
            failure(ErrorKind::Connect, (Text::DoctorProxyAnswers, Text::DoctorProxyAuthDo), "")
        }
        _ if is_page => failure(ErrorKind::Protocol, (Text::DoctorPage, Text::DoctorPageDo), ""),
        _ if status.is_client_error() && is_json => {
            Finding::good(Step::Shape, Text::DoctorShape, &[&number])
        }
        _ => {
            let texts = (Text::DoctorUnlike, Text::DoctorUnlikeDo);
            Finding::warning(Step::Shape, texts, &[&number, &media_type])
        }
    }
}

fn header<'a>(answer: &'a HttpResponse, name: &HeaderName) -> Option<&'a str> {
    answer.headers().get(name)?.to_str().ok()
}

#[cfg(test)]
mod tests {
    use auth_core::Bytes;

    use super::super::finding::State;
    use super::*;

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
        ] {
            let found = shape(&answer(status, headers, body)).state;
            assert_eq!(found, kind.map_or(State::Good, State::Failure), "{status} {body}");
        }
        assert_eq!(shape(&answer(200, &json, "{}")).state, State::Warning);
        assert_eq!(
            shape(&answer(401, &[("content-type", "text/plain")], "no")).state,
            State::Warning
        );
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
