//! Nothing of an account is to be found at the server: in its dump, its log of writes, or what
//! `MONITOR` shows.

use std::net::Shutdown;
use std::path::Path;
use std::time::Duration;

use auth_core::{
    Ask, Claim, Endpoint, Error, ErrorKind, Identity, Offered, Scrubber, SecretString, Settled,
    TokenRequest, TokenStore as _,
};
use http::header::{HeaderName, HeaderValue};

use super::open;
use super::server::{Server, monitor};

const CANARIES: [&str; 7] = [
    "CANARY-token",
    "CANARY-secret",
    "CANARY-account",
    "canary-host",
    "CANARY-header",
    "CANARY-said",
    "CANARY-password",
];

#[tokio::test]
async fn no_secret_token_account_or_host_is_found_at_the_server() {
    let options = ["--appendonly", "yes", "--requirepass", "CANARY-password"];
    let Some(server) = Server::start(&options) else { return };
    let (stream, seen) = monitor(&server);
    let store = open(&server.url_as(":CANARY-password")).await;

    let host = Endpoint::parse("https://canary-host.example.com").unwrap();
    let identity = Identity::new("acme", &host, &["CANARY-account"]);
    let secret = SecretString::from("CANARY-secret");
    let request = TokenRequest::post(&host)
        .secret_header(HeaderName::from_static("x-secret"), &secret)
        .empty()
        .unwrap();
    let ask = Ask::new(&identity, &request);
    let Claim::Lease(lease) = store.claim(&ask).await else { panic!("no lease") };
    let said = Error::new(ErrorKind::Unavailable, "CANARY-said")
        .with_status(http::StatusCode::SERVICE_UNAVAILABLE)
        .with_description("CANARY-said", &Scrubber::default());
    store.release(&ask, lease, Some(&said)).await;
    assert!(matches!(store.claim(&ask).await, Claim::Refused { .. }));
    let refused = scan(&server, "as refused");
    tokio::time::sleep(Duration::from_secs(1)).await;
    let Claim::Lease(lease) = store.claim(&ask).await else { panic!("no lease") };
    let headers = [(HeaderName::from_static("x-env"), HeaderValue::from_static("CANARY-header"))];
    let lifetime = Duration::from_secs(300);
    let offered = Offered::new("Bearer", "CANARY-token", &headers, lifetime, lifetime);
    let settled = store.settle(&ask, Some(lease), &offered).await;
    assert!(matches!(settled, Settled::Kept(_)), "{settled:?}");
    let kept = scan(&server, "as a token");
    assert!(refused >= 2 && kept >= 2, "a dump and a log of writes: {refused}, {kept}");

    stream.shutdown(Shutdown::Both).unwrap();
    let seen = seen.join().unwrap();
    assert!(find(&seen, "pa1:"), "MONITOR showed the records");
    without_canaries(&seen, "MONITOR");
}

/// The files of the server that hold records.
fn scan(server: &Server, when: &str) -> usize {
    server.run("SAVE");
    std::thread::sleep(Duration::from_millis(50));
    files(&server.dir)
        .into_iter()
        .filter(|(name, bytes)| {
            without_canaries(bytes, &format!("{name} {when}"));
            find(bytes, "pa1:")
        })
        .count()
}

fn files(dir: &Path) -> Vec<(String, Vec<u8>)> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            found.push((path.display().to_string(), std::fs::read(&path).unwrap()));
        }
    }
    found
}

fn find(bytes: &[u8], word: &str) -> bool {
    bytes.windows(word.len()).any(|window| window == word.as_bytes())
}

fn without_canaries(bytes: &[u8], place: &str) {
    for canary in CANARIES {
        let shown: String = canary.bytes().map(|byte| format!("{byte:02x}")).collect();
        let is_there = find(bytes, canary) || find(bytes, &shown);
        assert!(!is_there, "{canary} in {place}");
    }
}
