//! Who may speak to the control API: programs, and its own page. No other web page may.

use http::header::{HOST, HeaderName, HeaderValue, ORIGIN};
use http::{Method, StatusCode};

use crate::answer::Answer;
use crate::request::{Field, Request};

/// What every answer carries, but that the page brings a policy of its own.
const HEADERS: [(&str, &str); 7] = [
    (
        "content-security-policy",
        "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    ),
    ("x-frame-options", "DENY"),
    ("x-content-type-options", "nosniff"),
    ("referrer-policy", "no-referrer"),
    ("cross-origin-resource-policy", "same-origin"),
    ("cross-origin-opener-policy", "same-origin"),
    ("cache-control", "no-store"),
];

/// Adds those that are not there.
pub(super) fn dress(answer: Answer) -> Answer {
    HEADERS.iter().fold(answer, |answer, (name, value)| {
        let name = HeaderName::from_static(name);
        if answer.headers.iter().any(|(own, _)| *own == name) {
            return answer;
        }
        answer.header(name, HeaderValue::from_static(value))
    })
}

/// `Err` says with what, and why, a request is refused.
///
/// A page that rebinds its name to this address still sends its own name as `Host`, so names are
/// those of loopback and the one that the user advertises; an address cannot be rebound. A page of another
/// origin is told by `Origin` and `Sec-Fetch-Site`, which no script can set, and a form cannot send JSON.
pub(super) fn check(
    request: &Request,
    advertised: Option<&str>,
) -> Result<(), (StatusCode, &'static str)> {
    let Field::One(host) = request.header(HOST) else {
        return Err((StatusCode::FORBIDDEN, "the request has no Host header, or several"));
    };
    // A target that is a whole URL counts, whatever Host says (RFC 9112 section 3.2.2).
    let target = request.uri.authority().map_or(host, |authority| authority.as_str());
    if !is_ours(host, advertised) || !is_ours(target, advertised) {
        let why = "Host names neither loopback nor an address nor the advertised name";
        return Err((StatusCode::FORBIDDEN, why));
    }
    let origin = match request.header(ORIGIN) {
        Field::Missing => true,
        Field::One(origin) => origin.strip_prefix("http://") == Some(host),
        Field::Bad => false,
    };
    // A link to the page from elsewhere is a navigation, and reads nothing.
    let link = request.method == Method::GET && request.path() == "/";
    let site = match request.header("sec-fetch-site") {
        Field::Missing | Field::One("same-origin" | "none") => true,
        Field::One(_) | Field::Bad => link,
    };
    if !origin || !site {
        return Err((StatusCode::FORBIDDEN, "a web page of another origin may not do this"));
    }
    let has_body = request.method == Method::POST || request.method == Method::PUT;
    if has_body && !request.is_of_type("application/json") {
        let why = "Content-Type must be application/json: no web form can send that";
        return Err((StatusCode::UNSUPPORTED_MEDIA_TYPE, why));
    }
    Ok(())
}

/// Whether `Host` names this machine: loopback, an address, the advertised name.
fn is_ours(host: &str, advertised: Option<&str>) -> bool {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) && !name.is_empty() => name,
        _ => host,
    };
    if let Some(v6) = name.strip_prefix('[').and_then(|name| name.strip_suffix(']')) {
        return v6.parse::<std::net::Ipv6Addr>().is_ok();
    }
    name.eq_ignore_ascii_case("localhost")
        || name.parse::<std::net::Ipv4Addr>().is_ok()
        || advertised.is_some_and(|own| name.eq_ignore_ascii_case(own))
}

#[cfg(test)]
mod tests {
    use super::is_ours;

    #[test]
    fn a_host_is_ours_by_loopback_by_address_or_by_its_advertised_name() {
        for host in
            ["localhost", "LOCALHOST:8090", "127.0.0.1:8090", "[::1]:8090", "10.0.0.7", "box:1"]
        {
            assert!(is_ours(host, Some("box")), "{host}");
        }
        for host in [
            "evil.example",
            "127.0.0.1.evil.example:8090",
            "localhost.evil.example",
            "",
            ":1",
            "[x]",
            "box",
        ] {
            assert!(!is_ours(host, None), "{host}");
        }
    }
}
