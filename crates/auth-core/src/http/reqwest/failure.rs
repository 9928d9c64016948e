//! What a failure of reqwest means: which kind it is, and a text that says where and why.

use std::error::Error as StdError;
use std::io;

use crate::error::cause::{chain, innermost, shut_down};
use crate::error::{Error, ErrorKind};

/// Tells apart what was surely not sent (`Connect`), what may have been (`Timeout`, `Unavailable`),
/// and what was answered by something that speaks no HTTP (`Protocol`).
///
/// `at` is the host and port that were asked.
pub(super) fn failure(cause: reqwest::Error, at: &str) -> Error {
    let cause = cause.without_url();
    if says_shut_down(&innermost(&cause)) {
        return shut_down();
    }
    let (kind, text) = if cause.is_builder() {
        let text = "the HTTP client cannot send this request: is a TLS feature turned on (rustls, native-tls)?";
        (ErrorKind::Config, text.to_owned())
    } else if cause.is_connect() && cause.is_timeout() {
        let text = format!("no connection to {at} in 5 s: check network, proxy and firewall");
        (ErrorKind::Connect, text)
    } else if cause.is_connect() {
        (ErrorKind::Connect, no_connection(&cause, at))
    } else if cause.is_timeout() {
        (ErrorKind::Timeout, format!("no answer from {at} in time"))
    } else if is_no_http(&cause) {
        let text = format!(
            "{at} answered, and not in HTTP/1.1 ({}): check host and port, and whether it is http or https there",
            innermost(&cause)
        );
        (ErrorKind::Protocol, text)
    } else {
        let text =
            format!("the connection to {at} broke before an answer came: {}", innermost(&cause));
        (ErrorKind::Unavailable, text)
    };
    Error::new(kind, text).with_source(cause)
}

/// Whether tokio or hyper says that the runtime of a socket, a timer or a connection is gone. Neither
/// has a type for it.
pub(super) fn says_shut_down(text: &str) -> bool {
    text.contains("context was found, but it is being shutdown")
        || text.contains("runtime dropped the dispatch task")
}

/// The causes that call for different remedies have different texts.
fn no_connection(cause: &(dyn StdError + 'static), at: &str) -> String {
    let last = innermost(cause);
    let says = |words: &[&str]| words.iter().any(|word| last.contains(word));
    let refused = chain(cause).filter_map(|e| e.downcast_ref::<io::Error>());
    if refused.map(io::Error::kind).any(|kind| kind == io::ErrorKind::ConnectionRefused) {
        return format!(
            "connection refused by {at}: is the port right, and does the server (or the proxy before it) run? ({last})"
        );
    }
    if chain(cause).any(|e| e.to_string() == "dns error") {
        return format!(
            "no address for {at}: check the spelling of the host (or of the proxy before it), and DNS ({last})"
        );
    }
    if says(&["proxy authorization required"]) {
        return format!(
            "the proxy before {at} wants credentials: set HTTPS_PROXY=http://user:password@proxy ({last})"
        );
    }
    if says(&["tunnel error"]) {
        return format!(
            "the proxy before {at} made no tunnel: is the host on its allow-list, or does it belong into NO_PROXY? ({last})"
        );
    }
    if says(&["unsupported scheme"]) {
        return format!(
            "the proxy before {at} is of a kind that this client does not speak: name an http:// one in HTTPS_PROXY ({last})"
        );
    }
    // To rustls a self-signed certificate, an unknown issuer and a missing intermediate are one thing;
    // a bad signature is an unknown issuer with the name of a known one.
    if says(&["UnknownIssuer", "BadSignature", "self-signed", "self signed", "local issuer"]) {
        return format!(
            "the certificate of {at} has no issuer that this machine trusts: install `ca-certificates`, \
             or add the authority of your own proxy or test server (SSL_CERT_FILE, \
             ReqwestClient::configure), or have the server send its intermediate certificate ({last})"
        );
    }
    if says(&["invalid peer certificate", "certificate verify failed"]) {
        return format!(
            "the certificate of {at} was not accepted: check the host's name and this machine's clock ({last})"
        );
    }
    if says(&["InvalidContentType", "wrong version number"]) {
        return format!("{at} does not speak TLS: is it plain http on that port? ({last})");
    }
    format!("no connection to {at}: check network, proxy and TLS chain ({last})")
}

/// Whether something answered that is no HTTP: a head that does not parse, or bytes before any
/// request was sent (SSH and SMTP greet first; hyper has no question for that one), or a body in
/// chunks that are none (its end too soon is a connection that broke).
fn is_no_http(cause: &(dyn StdError + 'static)) -> bool {
    let is_bad_chunk = chain(cause).filter_map(|e| e.downcast_ref::<io::Error>()).any(|error| {
        matches!(error.kind(), io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData)
            && error.to_string().to_ascii_lowercase().contains("chunk")
    });
    is_bad_chunk
        || chain(cause).filter_map(|e| e.downcast_ref::<hyper::Error>()).any(|error| {
            error.is_parse() || error.to_string().starts_with("received unexpected message")
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The texts are those of hyper-util's tunnel and of reqwest's connector.
    #[test]
    fn what_a_proxy_refuses_is_said_of_the_proxy() {
        for (cause, says) in [
            ("tunnel error: proxy authorization required", "wants credentials: set HTTPS_PROXY"),
            ("tunnel error: unsuccessful", "made no tunnel"),
            ("unsupported scheme socks5", "name an http:// one"),
        ] {
            let text = no_connection(&io::Error::other(cause), "pay.example.com:443");
            assert!(text.starts_with("the proxy before pay.example.com:443"), "{text}");
            assert!(text.contains(says) && text.contains(cause), "{text}");
        }
    }
}
