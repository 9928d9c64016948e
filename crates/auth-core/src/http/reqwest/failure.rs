//! Makes an [`Error`] of a failure of reqwest: its kind, and a text that says where, why, and what
//! to check.

use std::error::Error as StdError;
use std::io;

use crate::error::cause::{chain, innermost};
use crate::error::runtime::shut_down;
use crate::error::{Error, ErrorKind};

/// Distinguishes requests that were certainly not sent (`Connect`), requests that may have been
/// (`Timeout`, `Unavailable`), and answers that are not HTTP (`Protocol`).
///
/// `at` is the host and port of the request.
pub(super) fn failure(cause: reqwest::Error, at: &str) -> Error {
    let cause = cause.without_url();
    if says_shut_down(&innermost(&cause)) {
        return shut_down();
    }
    let (kind, text) = if cause.is_builder() {
        let text = "the HTTP client cannot send this request: is a TLS feature enabled (rustls, native-tls)?";
        (ErrorKind::Config, text.to_owned())
    } else if cause.is_connect() && cause.is_timeout() {
        let text = format!("no connection to {at} in 5 s: check network, proxy and firewall");
        (ErrorKind::Connect, text)
    } else if cause.is_connect() {
        (ErrorKind::Connect, no_connection(&cause, at))
    } else if cause.is_timeout() {
        let text =
            format!("no answer from {at} in time: check the network and the provider's status");
        (ErrorKind::Timeout, text)
    } else if is_no_http(&cause) {
        let text = format!(
            "{at} answered, but not in HTTP/1.1 ({}): check host and port, and whether that port is http or https",
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

/// Causes with different remedies have different texts.
fn no_connection(cause: &(dyn StdError + 'static), at: &str) -> String {
    let last = innermost(cause);
    let says = |words: &[&str]| words.iter().any(|word| last.contains(word));
    let refused = chain(cause).filter_map(|e| e.downcast_ref::<io::Error>());
    if refused.map(io::Error::kind).any(|kind| kind == io::ErrorKind::ConnectionRefused) {
        return format!(
            "connection refused by {at}: is the port right, and is the server (or the proxy in front of it) running? ({last})"
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
    // rustls reports a self-signed certificate, an unknown issuer and a missing intermediate alike;
    // a bad signature is that of an unknown issuer with a known name.
    if says(&["UnknownIssuer", "BadSignature", "self-signed", "self signed", "local issuer"]) {
        return format!(
            "the certificate of {at} has no issuer that this machine trusts: install `ca-certificates`, \
             or add the authority of your own proxy or test server (SSL_CERT_FILE, \
             ReqwestClient::configure), or have the server send its intermediate certificate ({last})"
        );
    }
    if says(&["invalid peer certificate", "certificate verify failed"]) {
        return format!(
            "the certificate of {at} was not accepted: check the host name and this machine's clock ({last})"
        );
    }
    if says(&["InvalidContentType", "wrong version number"]) {
        return format!("{at} does not speak TLS: is that port plain http? ({last})");
    }
    format!("no connection to {at}: check network, proxy and TLS chain ({last})")
}

/// Whether the answer is not HTTP: its head does not parse, or bytes came before a request was sent
/// (SSH and SMTP servers send first; hyper has no method for that case, only this text), or the chunks
/// of its body do not parse (a body that ends too soon is a connection that broke).
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
