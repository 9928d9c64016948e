//! What `Endpoint` accepts, held against the parser that the HTTP client reads it with.

use auth_core::Endpoint;
use url::Url;

/// Pieces that parsers disagree about, and plain ones.
const PIECES: [&str; 44] = [
    "https",
    "http",
    "HTTPS",
    "://",
    ":",
    "/",
    "//",
    "\\",
    "?",
    "#",
    "@",
    "..",
    ".",
    "%2e",
    "%2E%2e",
    "%00",
    "%",
    "example.com",
    "pay",
    "localhost",
    "127.0.0.1",
    "127.1",
    "0x7f.1",
    "[::1]",
    "[",
    "]",
    "xn--exmple-cua",
    "\u{e9}",
    "\u{ff0e}",
    "\u{ad}",
    "-",
    "_",
    "8443",
    "0",
    "65536",
    "080",
    " ",
    "\t",
    "\n",
    "user:pw",
    "a",
    "v1/auth",
    "1.2.3.4.5",
    "~!$&'()*+,;=",
];

#[test]
fn what_an_endpoint_accepts_the_http_client_reads_the_same_way() {
    let seed = 0; // the fuzz target `endpoint` looks for new cases
    let mut draw = fastrand::Rng::with_seed(seed);
    let mut accepted = 0;
    for _ in 0..200_000 {
        let mut text =
            String::from(if draw.bool() { "https://pay.example.com" } else { "https://" });
        for _ in 0..draw.usize(0..6) {
            text += PIECES[draw.usize(..PIECES.len())];
        }
        for endpoint in [Endpoint::parse(&text), Endpoint::parse_internal(&text)] {
            let Ok(endpoint) = endpoint else { continue };
            accepted += 1;
            let url = match Url::parse(endpoint.as_str()) {
                Ok(url) => url,
                // A label that no name encodes to: the client refuses it before anything is sent.
                Err(url::ParseError::IdnaError) if endpoint.host().contains("xn--") => continue,
                Err(fault) => panic!("seed {seed}: {text:?}: {fault}"),
            };
            let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
            let host = format!("{}{port}", url.host_str().unwrap_or_default());
            // The parser leaves the scheme's own port out, and zeros in front of one.
            let own = endpoint.host();
            let (name, number) =
                own.rsplit_once(':').filter(|_| !own.ends_with(']')).unwrap_or((own, ""));
            let number: Option<u16> = number.parse().ok();
            let shown = match number.filter(|number| Some(*number) != default_port(&url)) {
                Some(number) => format!("{name}:{number}"),
                None => name.to_owned(),
            };
            assert_eq!(host, shown, "seed {seed}: {text:?}");
            assert!(url.username().is_empty() && url.password().is_none(), "seed {seed}: {text:?}");
            assert!(url.query().is_none() && url.fragment().is_none(), "seed {seed}: {text:?}");
            let (_, path) = endpoint.as_str().split_once(own).unwrap();
            assert_eq!(url.path().trim_end_matches('/'), path, "seed {seed}: {text:?}");
        }
    }
    assert!(accepted > 1_000, "{accepted} is too few to say anything");
}

fn default_port(url: &Url) -> Option<u16> {
    match url.scheme() {
        "https" => Some(443),
        "http" => Some(80),
        _ => None,
    }
}
