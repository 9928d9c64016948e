//! What callers notice of a server's trouble: a longer flight at most, and never an error.

use std::time::{Duration, Instant};

use auth_core::{
    Ask, Claim, Endpoint, HttpRequest, Identity, Lease, Offered, Settled, TokenRequest,
    TokenStore as _,
};
use auth_store::RedisStore;

use super::server::{Fake, Server, fake};
use super::{key, open};

/// An account, and its request.
struct Account(Identity, HttpRequest);

impl Account {
    fn new() -> Self {
        let host = Endpoint::parse("https://pay.example.com").unwrap();
        let identity = Identity::new("acme", &host, &["a-1"]);
        Self(identity, TokenRequest::post(&host).empty().unwrap())
    }

    fn ask(&self) -> Ask<'_> {
        Ask::new(&self.0, &self.1)
    }
}

fn offered() -> Offered<'static> {
    let lifetime = Duration::from_secs(300);
    Offered::new("Bearer", "made-up", &[], lifetime, lifetime)
}

fn lease(claim: Claim) -> Lease {
    match claim {
        Claim::Lease(lease) => lease,
        other => panic!("{other:?}"),
    }
}

async fn once_healed(store: &RedisStore, account: &Account) -> Claim {
    for _ in 0..100 {
        match store.claim(&account.ask()).await {
            Claim::Unavailable => tokio::time::sleep(Duration::from_millis(50)).await,
            claim => return claim,
        }
    }
    panic!("it does not heal");
}

#[tokio::test]
async fn a_full_server_is_no_callers_error_and_nobody_waits_for_a_lease() {
    let Some(server) = Server::start(&[]) else { return };
    let (one, other, account) =
        (open(&server.url()).await, open(&server.url()).await, Account::new());
    let held = lease(one.claim(&account.ask()).await);
    server.run("CONFIG SET maxmemory 1");
    let settled = one.settle(&account.ask(), Some(held), &offered()).await;
    assert!(matches!(settled, Settled::Unpublished), "{settled:?}");
    let claim = other.claim(&account.ask()).await;
    assert!(matches!(claim, Claim::Unavailable), "{claim:?}");
    server.run("CONFIG SET maxmemory 0");
    // The first process has left its lease, so this is not `Held`.
    let held = lease(once_healed(&other, &account).await);
    let settled = other.settle(&account.ask(), Some(held), &offered()).await;
    assert!(matches!(settled, Settled::Kept(_)), "{settled:?}");
    let claim = once_healed(&one, &account).await;
    assert!(matches!(claim, Claim::Token(_)), "{claim:?}");
}

#[tokio::test]
async fn a_demoted_primary_is_no_callers_error_and_heals() {
    let Some(server) = Server::start(&[]) else { return };
    let (store, account) = (open(&server.url()).await, Account::new());
    server.run("REPLICAOF 127.0.0.1 1");
    let claim = store.claim(&account.ask()).await;
    assert!(matches!(claim, Claim::Unavailable), "{claim:?}");
    server.run("REPLICAOF NO ONE");
    drop(lease(once_healed(&store, &account).await));
}

#[tokio::test]
async fn a_server_that_stops_costs_one_patience_and_then_nothing() {
    let Some(server) = Server::start(&[]) else { return };
    let (store, account) = (open(&server.url()).await, Account::new());
    server.signal("-STOP");
    let began = Instant::now();
    let claim = store.claim(&account.ask()).await;
    assert!(matches!(claim, Claim::Unavailable), "{claim:?}");
    let took = began.elapsed();
    assert!(took < Duration::from_millis(600), "{took:?}");
    let began = Instant::now();
    for _ in 0..100 {
        assert!(matches!(store.claim(&account.ask()).await, Claim::Unavailable));
    }
    assert!(began.elapsed() < Duration::from_millis(50), "{:?}", began.elapsed());
    server.signal("-CONT");
    drop(lease(once_healed(&store, &account).await));
}

#[tokio::test]
async fn a_server_that_accepts_and_says_nothing_costs_at_most_the_patience() {
    let Fake { port, .. } = fake(|_| None);
    let store = RedisStore::connect(format!("redis://127.0.0.1:{port}"), key()).await.unwrap();
    let account = Account::new();
    let began = Instant::now();
    assert!(matches!(store.claim(&account.ask()).await, Claim::Unavailable));
    let took = began.elapsed();
    assert!(took > Duration::from_millis(250) && took < Duration::from_millis(600), "{took:?}");
}

#[tokio::test]
async fn a_silent_connection_is_replaced_within_the_patience() {
    let Some(server) = Server::start(&[]) else { return };
    // In front of the server: it serves the first connection until it is told to be silent.
    let (front, silence) = silenced(server.port).await;
    let store = RedisStore::connect(format!("redis://127.0.0.1:{front}"), key()).await.unwrap();
    let account = Account::new();
    silence.store(true, std::sync::atomic::Ordering::SeqCst);
    let began = Instant::now();
    drop(lease(store.claim(&account.ask()).await));
    let took = began.elapsed();
    assert!(took > Duration::from_millis(100) && took < Duration::from_millis(600), "{took:?}");
}

/// A port in front of this one, whose first connection falls silent when the flag is set.
async fn silenced(port: u16) -> (u16, std::sync::Arc<std::sync::atomic::AtomicBool>) {
    use std::sync::atomic::Ordering;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let front = listener.local_addr().unwrap().port();
    let flag = std::sync::Arc::<std::sync::atomic::AtomicBool>::default();
    let silence = flag.clone();
    tokio::spawn(async move {
        let mut is_first = true;
        while let Ok((mut stream, _)) = listener.accept().await {
            let (silence, may_fall_silent) = (silence.clone(), std::mem::take(&mut is_first));
            tokio::spawn(async move {
                let server = tokio::net::TcpStream::connect(("127.0.0.1", port)).await;
                let mut server = server.unwrap();
                let (mut to, mut back) = ([0; 4096], [0; 4096]);
                loop {
                    let (reader, bytes, writer) = tokio::select! {
                        read = stream.read(&mut to) => (read, &to, &mut server),
                        read = server.read(&mut back) => (read, &back, &mut stream),
                    };
                    let length = reader.unwrap_or(0);
                    if length == 0 {
                        return;
                    }
                    if may_fall_silent && silence.load(Ordering::SeqCst) {
                        continue;
                    }
                    writer.write_all(&bytes[..length]).await.unwrap();
                }
            });
        }
    });
    (front, flag)
}
