//! Makes an [`Error`] of a failure of reqwest: its kind, and a text that says where, why, and what
//! to check.

use std::error::Error as StdError;
use std::io;

use crate::error::cause::{chain, innermost};
use crate::error::{Error, ErrorKind};

/// Distinguishes requests that were certainly not sent (`Connect`), requests that may have been
/// (`Timeout`, `Unavailable`), and answers that are not HTTP (`Protocol`).
///
/// `at` is the host and port of the request.
pub(super) fn failure(cause: reqwest::Error, at: &str) -> Error {
    let cause = cause.without_url();
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
        return format!("no address for {at}: check the spelling of the host, and DNS ({last})");
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
/// (SSH and SMTP servers send first; hyper has no method for that case, only this text).
fn is_no_http(cause: &(dyn StdError + 'static)) -> bool {
    chain(cause).filter_map(|e| e.downcast_ref::<hyper::Error>()).any(|error| {
        error.is_parse() || error.to_string().starts_with("received unexpected message")
    })
}
