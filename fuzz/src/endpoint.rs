//! URLs, compared with the `url` crate, the parser of reqwest.

use auth_core::Endpoint;
use url::{Host, Url};

use crate::assert_one_line;

/// A URL on the first line, and a path to append on the second.
pub fn endpoint(input: &[u8]) {
    let text = String::from_utf8_lossy(input);
    let (url, path) = text.split_once('\n').unwrap_or((&text, "v1/token"));
    for (parse, is_public) in
        [(Endpoint::parse as fn(&str) -> _, true), (Endpoint::parse_internal, false)]
    {
        match parse(url) {
            Ok(endpoint) => accepted(url, &endpoint, path, is_public),
            Err(error) => assert_one_line(&error.to_string()),
        }
    }
}

fn accepted(text: &str, endpoint: &Endpoint, path: &str, is_public: bool) {
    let again = Endpoint::parse_internal(endpoint.as_str()).expect("what was taken is taken again");
    assert_eq!(again, *endpoint);
    let Ok(seen) = Url::parse(text) else {
        // Only `url` checks international names; nothing is sent to a host that it refuses.
        assert!(endpoint.host().contains("xn--"), "{text}: accepted here, but refused by `url`");
        return;
    };
    let ours = Url::parse(endpoint.as_str()).expect("as its text");
    let port = |url: &Url| url.port_or_known_default();
    assert_eq!(
        (seen.scheme(), seen.host(), port(&seen)),
        (ours.scheme(), ours.host(), port(&ours))
    );
    assert_eq!(seen.path().trim_end_matches('/'), ours.path().trim_end_matches('/'), "{text}");
    // The path is sent unchanged.
    let after_host = endpoint.as_str().splitn(4, '/').nth(3).unwrap_or_default();
    assert_eq!(ours.path().trim_start_matches('/'), after_host, "{text}: `url` changes the path");
    assert_eq!(
        endpoint.host().split(':').next(),
        ours.host_str().and_then(|h| h.split(':').next())
    );
    assert!(seen.username().is_empty() && seen.password().is_none(), "{text}: user info");
    assert!(seen.query().is_none() && seen.fragment().is_none(), "{text}: a query or a fragment");
    let host = seen.host().expect("a host");
    let is_loopback = match &host {
        Host::Ipv4(address) => address.is_loopback(),
        Host::Ipv6(address) => address.is_loopback(),
        Host::Domain(name) => *name == "localhost",
    };
    assert!(is_loopback || seen.scheme() == "https", "{text}: plain http");
    if is_public && !is_loopback {
        let is_name =
            matches!(&host, Host::Domain(name) if name.trim_end_matches('.').contains('.'));
        assert!(is_name, "{text}: not a public host");
    }

    let joined = endpoint.join(path);
    let seen = Url::parse(joined.as_str()).expect("a path does not spoil a URL");
    assert_eq!(seen.origin(), ours.origin(), "{path} leads elsewhere");
    assert!(seen.path().starts_with(ours.path().trim_end_matches('/')), "{path} leads up");
    assert!(seen.query().is_none() && seen.fragment().is_none(), "{path} ends the path");
    assert!(joined.as_str().ends_with(seen.path().trim_end_matches('/')), "{path} is changed");
    if let Ok(with_path) = endpoint.with_path(path) {
        assert_eq!(with_path, joined);
    }
}
