//! Which of curl's arguments go with a token: read as curl reads them, against a list of those that
//! are allowed. A list of those that are forbidden cannot hold: curl has 250, and short forms.

use std::ffi::OsString;

use crate::out::printable;
use crate::provider::Provider;
use crate::stop::Stop;
use crate::text::Text;

/// Options without a value.
const FLAGS: &[&str] = &[
    "silent",
    "show-error",
    "fail",
    "fail-with-body",
    "fail-early",
    "include",
    "head",
    "get",
    "globoff",
    "no-buffer",
    "http1.0",
    "http1.1",
    "http2",
    "ipv4",
    "ipv6",
    "compressed",
    "progress-bar",
    "no-progress-meter",
    "create-dirs",
    "path-as-is",
    "remote-name",
    "retry-connrefused",
    "retry-all-errors",
    "no-keepalive",
    "styled-output",
    "no-styled-output",
];
/// Options with a value, and what the value may be.
const VALUES: &[(&str, Value)] = &[
    ("request", Value::Line),
    ("data", Value::Any),
    ("data-raw", Value::Any),
    ("data-binary", Value::Any),
    ("data-ascii", Value::Any),
    ("data-urlencode", Value::Any),
    ("json", Value::Any),
    ("form", Value::Any),
    ("form-string", Value::Any),
    ("header", Value::Header),
    ("output", Value::Any),
    ("output-dir", Value::Any),
    ("dump-header", Value::Any),
    ("write-out", Value::Any),
    ("max-time", Value::Any),
    ("connect-timeout", Value::Any),
    ("retry", Value::Any),
    ("retry-delay", Value::Any),
    ("retry-max-time", Value::Any),
    ("limit-rate", Value::Any),
    ("max-filesize", Value::Any),
    ("user-agent", Value::Line),
    ("referer", Value::Line),
    ("range", Value::Line),
    ("upload-file", Value::Any),
    ("cacert", Value::Any),
    ("url", Value::Url),
    ("url-query", Value::Any),
];
/// Short options, by their long names.
const SHORT: &[(char, &str)] = &[
    ('s', "silent"),
    ('S', "show-error"),
    ('f', "fail"),
    ('i', "include"),
    ('I', "head"),
    ('G', "get"),
    ('g', "globoff"),
    ('N', "no-buffer"),
    ('0', "http1.0"),
    ('4', "ipv4"),
    ('6', "ipv6"),
    ('#', "progress-bar"),
    ('O', "remote-name"),
    ('X', "request"),
    ('d', "data"),
    ('F', "form"),
    ('H', "header"),
    ('o', "output"),
    ('D', "dump-header"),
    ('w', "write-out"),
    ('m', "max-time"),
    ('A', "user-agent"),
    ('e', "referer"),
    ('r', "range"),
    ('T', "upload-file"),
];
/// Headers that are set here, or that send a request elsewhere.
const OWN_HEADERS: &[&str] = &[
    "authorization",
    "proxy-authorization",
    "host",
    "x-environment",
    "connection",
    "te",
    "upgrade",
];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Value {
    Any,
    /// Goes into the head of a request, so no line break.
    Line,
    Header,
    Url,
}

type Allowed<'a> = dyn Fn(&str, &str, Option<u16>) -> bool + 'a;

/// Refuses whatever could show the token or send it elsewhere.
pub(crate) fn check(
    provider: Provider,
    args: &[OsString],
    allowed: &Allowed<'_>,
    hosts: &str,
) -> Result<(), Stop> {
    let mut urls = 0;
    let mut rest = args.iter();
    while let Some(word) = rest.next() {
        // What is no UTF-8 can only be a value, and those are taken below.
        let text = word.to_str().ok_or_else(|| refused(provider, "?"))?;
        if let Some(name) = text.strip_prefix("--") {
            if FLAGS.contains(&name) {
                continue;
            }
            let value = kind(name).ok_or_else(|| refused(provider, text))?;
            let given = rest.next().ok_or_else(|| missing(provider, text))?;
            urls += usize::from(take(value, given, provider, allowed, hosts)?);
        } else if let Some(cluster) = text.strip_prefix('-').filter(|cluster| !cluster.is_empty()) {
            for (at, short) in cluster.char_indices() {
                let shown = format!("-{short}");
                let long = SHORT.iter().find(|(own, _)| *own == short).map(|(_, long)| *long);
                let long = long.ok_or_else(|| refused(provider, &shown))?;
                if FLAGS.contains(&long) {
                    continue;
                }
                let value = kind(long).ok_or_else(|| refused(provider, &shown))?;
                let attached = cluster.get(at + short.len_utf8()..).filter(|text| !text.is_empty());
                let given = match attached {
                    Some(text) => OsString::from(text),
                    None => rest.next().ok_or_else(|| missing(provider, &shown))?.clone(),
                };
                urls += usize::from(take(value, &given, provider, allowed, hosts)?);
                break;
            }
        } else {
            urls += usize::from(take(Value::Url, word, provider, allowed, hosts)?);
        }
    }
    if urls == 0 {
        return Err(Stop::usage(Text::CurlNoUrl, Text::CurlNoUrlDo, &[provider.name()]));
    }
    Ok(())
}

fn kind(name: &str) -> Option<Value> {
    VALUES.iter().find(|(own, _)| *own == name).map(|(_, value)| *value)
}

/// Checks a value; says whether it was a URL.
fn take(
    value: Value,
    given: &OsString,
    provider: Provider,
    allowed: &Allowed<'_>,
    hosts: &str,
) -> Result<bool, Stop> {
    let text = given.to_str();
    match value {
        Value::Any => Ok(false),
        Value::Line => {
            let is_line = text.is_some_and(|text| !text.contains(char::is_control));
            if is_line { Ok(false) } else { Err(refused(provider, "?")) }
        }
        Value::Header => header(text, provider).map(|()| false),
        Value::Url => {
            let is_own = text.and_then(parts).is_some_and(|(s, h, p)| allowed(s, h, p));
            if is_own {
                return Ok(true);
            }
            Err(Stop::usage(Text::CurlHost, Text::CurlHostDo, &[hosts]))
        }
    }
}

/// A header of the user's own, such as `Content-Type: text/xml`.
fn header(text: Option<&str>, provider: Provider) -> Result<(), Stop> {
    // `@file` could hold any header.
    let text = text.filter(|text| !text.contains(char::is_control) && !text.starts_with('@'));
    let text = text.ok_or_else(|| refused(provider, "-H"))?;
    let name = text.split([':', ';']).next().unwrap_or_default().trim();
    if name.is_empty() || OWN_HEADERS.iter().any(|own| own.eq_ignore_ascii_case(name)) {
        return Err(said(Text::CurlHeader, &printable(name), provider));
    }
    Ok(())
}

/// Scheme, host and port of a URL that curl and we read alike: nothing but a scheme, a plain name or
/// address, a port, and what begins with `/`, `?` or `#` after it.
fn parts(url: &str) -> Option<(&str, &str, Option<u16>)> {
    let is_odd = |c: char| c.is_control() || c.is_whitespace() || c == '\\';
    if url.contains(is_odd) {
        return None;
    }
    let (scheme, rest) = url.split_once("://")?;
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let authority = rest.get(..end)?;
    let (host, port) = match authority.strip_prefix('[') {
        Some(inner) => {
            let close = inner.find(']')?;
            let is_address =
                inner.get(..close)?.bytes().all(|b| b.is_ascii_hexdigit() || b == b':');
            let after = authority.get(close + 2..)?;
            (authority.get(..close + 2).filter(|_| is_address)?, after)
        }
        None => {
            let colon = authority.find(':').unwrap_or(authority.len());
            let (host, port) = authority.split_at_checked(colon)?;
            let is_name = |b: u8| b.is_ascii_alphanumeric() || b == b'.' || b == b'-';
            (Some(host).filter(|host| !host.is_empty() && host.bytes().all(is_name))?, port)
        }
    };
    let port = match port {
        "" => None,
        text => {
            let digits = text.strip_prefix(':')?;
            Some(digits.parse().ok().filter(|_| digits.bytes().all(|b| b.is_ascii_digit()))?)
        }
    };
    matches!(scheme, "http" | "https").then_some((scheme, host, port))
}

fn refused(provider: Provider, shown: &str) -> Stop {
    // An option's name, and never a value that is attached to it.
    let name = shown.split('=').next().unwrap_or_default();
    let shown = if name.starts_with('-') { printable(name) } else { "?".to_owned() };
    said(Text::CurlRefused, &shown, provider)
}

fn missing(provider: Provider, shown: &str) -> Stop {
    said(Text::CurlNoValue, shown, provider)
}

fn said(what: Text, shown: &str, provider: Provider) -> Stop {
    Stop::usage(what, Text::CurlRefusedDo, &[shown, provider.name()])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allowed(scheme: &str, host: &str, port: Option<u16>) -> bool {
        scheme == "https" && host == "api.example.com" && matches!(port, None | Some(443))
    }

    fn is_good(args: &[&str]) -> bool {
        let args: Vec<_> = args.iter().map(OsString::from).collect();
        check(Provider::Manis, &args, &allowed, "api.example.com").is_ok()
    }

    const URL: &str = "https://api.example.com/v1";

    #[test]
    fn the_usual_arguments_pass() {
        for args in [
            &[URL][..],
            &["-sSf", URL],
            &["-d", "@-", URL],
            &["-d@-", URL],
            &["-sd", "@-", URL],
            &["-XPOST", "-H", "Content-Type: text/xml", "--data-raw", "--next", URL],
            &["--url", URL, "-o", "-v"],
            &["https://api.example.com:443/a?b={c}#d"],
            &["-w", "%{http_code}", "-o", "/dev/null", "--max-time", "5", URL],
            &["--json", r#"{"a":1}"#, URL],
        ] {
            assert!(is_good(args), "{args:?}");
        }
    }

    #[test]
    fn what_shows_the_token_or_sends_it_elsewhere_is_refused_in_every_spelling() {
        for args in [
            &["-v", URL][..],
            &["-sSv", URL],
            &["--verbose", URL],
            &["--verb", URL],
            &["--trace", "-", URL],
            &["--trace-ascii", "-", URL],
            &["--libcurl", "x.c", URL],
            &["-L", URL],
            &["--location-trusted", URL],
            &["--max-redirs", "5", URL],
            &["--proto", "=all", URL],
            &["--connect-to", "::evil.example:443", URL],
            &["--resolve", "api.example.com:443:10.0.0.1", URL],
            &["-x", "http://evil.example:3128", URL],
            &["--proxy", "http://evil.example", URL],
            &["--preproxy", "socks5://evil.example", URL],
            &["--unix-socket", "/tmp/s", URL],
            &["--abstract-unix-socket", "s", URL],
            &["--doh-url", "https://evil.example", URL],
            &["--interface", "eth0", URL],
            &["-k", URL],
            &["--insecure", URL],
            &["-K", "file", URL],
            &["--config", "file", URL],
            &["-q", URL],
            &["--next", URL],
            &["-:", URL],
            &["--", URL],
            &["-H", "Authorization: Bearer x", URL],
            &["-H", "authorization:", URL],
            &["-HAuthorization;", URL],
            &["-H", "Host: evil.example", URL],
            &["-H", "X-Environment: Sandbox", URL],
            &["-H", "@file", URL],
            &["-H", "A: b\r\nAuthorization: c", URL],
            &["-X", "GET / HTTP/1.1\r\nHost: evil\r\n\r\nGET", URL],
            &["-A", "a\nb", URL],
            &["--request-target", "http://evil.example/", URL],
            &["-u", "a:b", URL],
            &["--oauth2-bearer", "x", URL],
            &["--netrc", URL],
            &["-b", "a=b", URL],
            &["--variable", "a@/etc/passwd", URL],
            &["--expand-url", "https://api.example.com", URL],
            &["--url=https://evil.example", URL],
            &["-d"],
            &["-s", "-d"],
            &["-s"],
            &[],
            &["-"],
        ] {
            assert!(!is_good(args), "{args:?}");
        }
    }

    #[test]
    fn a_url_that_could_go_elsewhere_is_refused() {
        for url in [
            "https://evil.example/",
            "api.example.com/v1",
            "//api.example.com",
            "http://api.example.com/",
            "HTTPS://api.example.com/",
            "https:/api.example.com",
            "https:///api.example.com",
            "https://api.example.com:8443/",
            "https://api.example.com@evil.example/",
            "https://u:p@api.example.com/",
            "https://{api.example.com,evil.example}/",
            "https://api.example.com[1-2]/",
            "https://evil.example\\@api.example.com/",
            "https://api.example.com\\.evil.example/",
            "https://api.example.com\t.evil.example/",
            "https://api.example.com%2eevil.example/",
            "https://api.example.com.evil.example/",
            "https://api.example.com:443:80/",
            "https://api.example.com:+443/",
            "https://api.example.com:99999999/",
            "file:///etc/passwd",
            "@urls.txt",
            "https://",
            "",
        ] {
            assert!(!is_good(&[url]), "{url}");
            assert!(!is_good(&["--url", url]), "{url}");
            assert!(!is_good(&[URL, url]), "{url}");
        }
        assert_eq!(parts("http://[::1]:80/x"), Some(("http", "[::1]", Some(80))));
        assert_eq!(parts("http://127.0.0.1:8084"), Some(("http", "127.0.0.1", Some(8084))));
    }
}
