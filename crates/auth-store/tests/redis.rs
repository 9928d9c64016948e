//! The Redis store against a real server, which the tests start, and against sockets that are none.

#![cfg(all(feature = "redis-1", feature = "test-util"))]
// A test that cannot go on panics; time is real here, since the servers are.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, clippy::disallowed_methods)]

#[path = "redis/callers.rs"]
mod callers;
#[path = "redis/leaks.rs"]
mod leaks;
#[path = "redis/server.rs"]
mod server;
#[path = "redis/tls.rs"]
mod tls;

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use auth_core::{Env, Error, ErrorKind};
use auth_store::{Backend, RecordName, RedisStore, Snapshot, StoreKey, contract};

use self::server::{Fake, Server, fake, folder, free_port, monitor, text};

const MINUTE: Duration = Duration::from_secs(60);
const ONE: &[u8] = b"first-stamp-of-1 and a record";
const TWO: &[u8] = b"other-stamp-of-2 and a record";
/// The line of the documentation of `RedisBackend`.
const ACL: &str = "resetkeys ~pa1:* -@all +eval +time +get +getrange +set +del";

fn key() -> StoreKey {
    StoreKey::new([7; 32])
}

async fn open(url: &str) -> RedisStore {
    RedisStore::connect(url, key()).await.unwrap()
}

/// What `connect` says to a server that does not serve us.
async fn refusal(url: &str) -> String {
    match RedisStore::connect(url, key()).await {
        Ok(store) => panic!("opened, though: {}", shown(&get(&store).await.unwrap_err())),
        Err(error) => {
            assert_eq!(error.kind(), ErrorKind::Config, "{error}");
            shown(&error)
        }
    }
}

/// The error as a log has it. It holds no part of a URL but the host.
fn shown(error: &Error) -> String {
    let text = format!("{error} {error:?}");
    assert!(!text.contains("CANARY") && !text.contains("redis://127"), "{text}");
    error.to_string()
}

/// Waits for what another process or thread is about to do.
async fn until(is_so: impl Fn() -> bool) {
    for _ in 0..200 {
        if is_so() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    panic!("it did not come to that");
}

fn name() -> RecordName {
    RecordName::made_up(1)
}

async fn put(store: &RedisStore, old: Option<&[u8]>, new: Option<&[u8]>) -> Result<bool, Error> {
    store.backend().swap(&name(), old, new, MINUTE).await
}

async fn get(store: &RedisStore) -> Result<Option<Vec<u8>>, Error> {
    let read = store.backend().read(&name()).await;
    read.map(|snapshot| snapshot.record.map(|record| record.to_vec()))
}

/// A backend to hand out.
#[derive(Debug)]
struct Handle(RedisStore);

#[async_trait]
impl Backend for Handle {
    async fn read(&self, name: &RecordName) -> Result<Snapshot, Error> {
        self.0.backend().read(name).await
    }

    async fn swap(
        &self,
        name: &RecordName,
        old: Option<&[u8]>,
        new: Option<&[u8]>,
        keep: Duration,
    ) -> Result<bool, Error> {
        self.0.backend().swap(name, old, new, keep).await
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_keeps_the_contract() {
    let Some(server) = Server::start(&[]) else { return };
    let url = server.url();
    contract::all(|| async { Handle(open(&url).await) }).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_keeps_the_contract_as_the_user_of_the_documentation_and_is_never_refused() {
    let Some(server) = Server::start(&[]) else { return };
    server.run(&format!("ACL SETUSER app on >pass%word {ACL}"));
    server.run("ACL LOG RESET");
    let url = server.url_as("app:pass%25word");
    contract::all(|| async { Handle(open(&url).await) }).await;
    let store = open(&url).await;
    assert!(server.client_list().contains("user=app"));
    drop(store);
    let log = text(&server.run("ACL LOG"));
    assert_eq!(log, "array([])", "{log}");
}

#[tokio::test]
async fn a_user_who_may_not_do_all_that_is_told_at_the_start_what_he_needs() {
    let Some(server) = Server::start(&[]) else { return };
    for missing in ["+eval", "+time", "+get ", "+getrange", "+set", "+del", "~pa1:*"] {
        let less = ACL.replace(missing, " ").replace("  ", " ");
        server.run(&format!("ACL SETUSER app reset on >CANARY {}", less.trim()));
        let says = refusal(&server.url_as("app:CANARY")).await;
        let host = format!("127.0.0.1:{} answered NOPERM", server.port);
        assert!(says.contains(&host) && says.contains("~pa1:* +eval"), "{missing}: {says}");
    }
}

#[tokio::test]
async fn a_record_is_replaced_only_by_who_knows_it() {
    let Some(server) = Server::start(&[]) else { return };
    let store = open(&server.url()).await;
    assert_eq!(get(&store).await.unwrap(), None);
    assert!(!put(&store, Some(ONE), Some(TWO)).await.unwrap());
    assert!(put(&store, None, Some(ONE)).await.unwrap());
    assert!(!put(&store, None, Some(TWO)).await.unwrap());
    assert!(!put(&store, Some(TWO), None).await.unwrap());
    assert!(put(&store, Some(ONE), Some(TWO)).await.unwrap());
    assert_eq!(get(&store).await.unwrap().unwrap(), TWO);
    assert!(put(&store, Some(TWO), None).await.unwrap());
    assert_eq!(get(&store).await.unwrap(), None);
}

#[tokio::test]
async fn the_clock_is_the_servers_and_a_record_ends_by_it() {
    let Some(server) = Server::start(&[]) else { return };
    let store = open(&server.url()).await;
    let before = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    let now = store.backend().read(&name()).await.unwrap().now;
    assert!(now.abs_diff(before) < Duration::from_secs(5), "{now:?} {before:?}");
    assert!(put(&store, None, Some(ONE)).await.unwrap());
    let redis::Value::Int(left) = server.run(&format!("PTTL {}", name().as_str())) else {
        panic!("no span");
    };
    assert!((50_000..=60_000).contains(&left), "{left}");
}

#[tokio::test]
async fn what_is_no_record_of_ours_is_replaced() {
    let Some(server) = Server::start(&[]) else { return };
    let store = open(&server.url()).await;
    server.run(&format!("LPUSH {} x", name().as_str()));
    assert_eq!(get(&store).await.unwrap(), None);
    assert!(put(&store, None, Some(ONE)).await.unwrap());
    server.run(&format!("SET {} short", name().as_str()));
    assert_eq!(get(&store).await.unwrap().unwrap(), b"short");
    assert!(put(&store, Some(b"short"), Some(TWO)).await.unwrap());
    assert_eq!(get(&store).await.unwrap().unwrap(), TWO);
}

#[tokio::test]
async fn a_full_server_refuses_writes_and_is_used_again_once_it_has_room() {
    let Some(server) = Server::start(&[]) else { return };
    let store = open(&server.url()).await;
    assert!(put(&store, None, Some(ONE)).await.unwrap());
    let id = server.client_list();
    server.run("CONFIG SET maxmemory 1");
    let error = put(&store, Some(ONE), Some(TWO)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Store);
    assert!(shown(&error).contains("answered OOM: its memory is full"), "{error}");
    // Reading and removing still work, so nobody waits for a lease that cannot be given back.
    assert_eq!(get(&store).await.unwrap().unwrap(), ONE);
    assert!(put(&store, Some(ONE), None).await.unwrap());
    server.run("CONFIG SET maxmemory 0");
    assert!(put(&store, None, Some(TWO)).await.unwrap());
    let line = |list: &str| {
        let line = list.lines().find(|line| line.contains("name=auth-store")).unwrap().to_owned();
        line.split(' ').next().unwrap().to_owned()
    };
    assert_eq!(line(&id), line(&server.client_list()), "the connection is the same");
}

#[tokio::test]
async fn a_demoted_primary_is_left_for_the_new_one_within_the_same_call() {
    let (Some(old), Some(new)) = (Server::start(&[]), Server::start(&[])) else { return };
    let dir = folder("url");
    let file = dir.join("url");
    std::fs::write(&file, old.url()).unwrap();
    let env = Env::from_pairs([("AUTH_STORE_REDIS_URL_FILE", file.to_str().unwrap())]);
    let store = RedisStore::read_env(&env).key(key()).connect().await.unwrap();
    assert!(put(&store, None, Some(ONE)).await.unwrap());

    old.run(&format!("REPLICAOF 127.0.0.1 {}", free_port()));
    let error = put(&store, Some(ONE), Some(TWO)).await.unwrap_err();
    assert!(shown(&error).contains("answered READONLY: it is a replica"), "{error}");
    assert_eq!(error.kind(), ErrorKind::Store);
    // The connection to the old one was kept for reads until a write tells.
    assert!(get(&store).await.is_ok());
    std::fs::write(&file, new.url()).unwrap();
    let is_replaced = put(&store, Some(ONE), Some(TWO)).await.unwrap();
    assert!(!is_replaced, "the new one answered, and has no such record");
    assert!(put(&store, None, Some(TWO)).await.unwrap());
    assert_eq!(get(&store).await.unwrap().unwrap(), TWO);
    assert_eq!((old.clients(), new.clients()), (0, 1));
    std::fs::remove_dir_all(dir).unwrap();
}

#[tokio::test]
async fn a_server_that_stops_is_given_up_and_used_again_when_it_goes_on() {
    let Some(server) = Server::start(&[]) else { return };
    let store = open(&server.url()).await;
    server.signal("-STOP");
    for _ in 0..2 {
        let late = tokio::time::timeout(Duration::from_millis(150), get(&store)).await;
        assert!(late.is_err());
    }
    server.signal("-CONT");
    assert!(put(&store, None, Some(ONE)).await.unwrap());
    // What was given up was closed.
    until(|| server.clients() == 1).await;
}

#[tokio::test]
async fn a_connection_that_is_silent_is_left_though_the_server_answers_others() {
    // Serves one connection for a while, then no more; others it serves.
    let Some(server) = Server::start(&[]) else { return };
    let store = open(&server.url()).await;
    server.run("CLIENT PAUSE 300 ALL");
    let late = tokio::time::timeout(Duration::from_millis(100), get(&store)).await;
    assert!(late.is_err());
    tokio::time::sleep(Duration::from_millis(300)).await;
    let before = server.client_list();
    assert!(!before.contains("name=auth-store"), "{before}");
    assert!(get(&store).await.is_ok());
}

#[tokio::test]
async fn a_killed_connection_costs_no_call() {
    let Some(server) = Server::start(&[]) else { return };
    let store = open(&server.url()).await;
    for _ in 0..20 {
        server.kill_clients();
        assert!(get(&store).await.is_ok());
        server.kill_clients();
        put(&store, None, Some(ONE)).await.unwrap();
    }
    assert_eq!(server.clients(), 1);
}

#[tokio::test]
async fn a_server_that_forgets_its_records_and_scripts_forgets_nothing_that_is_needed() {
    let Some(server) = Server::start(&[]) else { return };
    let store = open(&server.url()).await;
    assert!(put(&store, None, Some(ONE)).await.unwrap());
    server.run("FLUSHALL");
    assert_eq!(get(&store).await.unwrap(), None);
    assert!(put(&store, None, Some(TWO)).await.unwrap());
    server.run("SCRIPT FLUSH");
    assert_eq!(get(&store).await.unwrap().unwrap(), TWO);
    server.run("SCRIPT FLUSH");
    assert!(put(&store, Some(TWO), None).await.unwrap());
}

#[tokio::test]
async fn a_server_that_is_down_at_the_start_is_used_once_it_is_up() {
    let Some(mut server) = Server::start(&[]) else { return };
    server.stop();
    let store = open(&server.url()).await;
    let error = get(&store).await.unwrap_err();
    let says = format!("127.0.0.1:{} refused the connection", server.port);
    assert!(shown(&error).contains(&says), "{error}");
    assert_eq!(error.kind(), ErrorKind::Store);
    server.start_again();
    assert!(put(&store, None, Some(ONE)).await.unwrap());
}

#[tokio::test]
async fn a_password_that_is_revoked_is_read_again_from_its_file() {
    let Some(mut server) = Server::start(&["--requirepass", "CANARY-1"]) else { return };
    let dir = folder("password");
    let file = dir.join("url");
    std::fs::write(&file, server.url_as(":CANARY-1")).unwrap();
    let env = Env::from_pairs([("AUTH_STORE_REDIS_URL_FILE", file.to_str().unwrap())]);
    let store = RedisStore::read_env(&env).key(key()).connect().await.unwrap();
    assert!(put(&store, None, Some(ONE)).await.unwrap());

    server.set_password("CANARY-2");
    server.kill_clients();
    let error = get(&store).await.unwrap_err();
    assert!(shown(&error).contains("answered WRONGPASS: check the user"), "{error}");
    assert_eq!(error.kind(), ErrorKind::Store, "what was right at the start is no caller's error");
    std::fs::write(&file, "redis://CANARY:torn").unwrap();
    let error = get(&store).await.unwrap_err();
    assert!(
        shown(&error).contains("AUTH_STORE_REDIS_URL: the Redis URL cannot be read"),
        "{error}"
    );
    std::fs::write(&file, server.url_as(":CANARY-2")).unwrap();
    assert_eq!(get(&store).await.unwrap().unwrap(), ONE);
    std::fs::remove_dir_all(dir).unwrap();
}

#[tokio::test]
async fn a_login_that_is_wrong_is_an_error_at_the_start() {
    let Some(server) = Server::start(&["--requirepass", "right"]) else { return };
    for (url, says) in [
        (server.url_as(":CANARY"), "answered WRONGPASS: check the user and the password"),
        (server.url_as("CANARY:CANARY"), "answered WRONGPASS"),
        (server.url(), "answered NOAUTH: write the password into the URL"),
    ] {
        assert!(refusal(&url).await.contains(says), "{says}");
    }
    let Some(open) = Server::start(&[]) else { return };
    // A server without a password refuses one; with a user it says WRONGPASS.
    assert!(refusal(&open.url_as(":CANARY")).await.contains("has no password: leave it out"));
    let says = refusal(&format!("{}/99", open.url())).await;
    assert!(says.contains("has no database 99"), "{says}");
    open.run(&format!("ACL SETUSER app on >CANARY {ACL}"));
    let says = refusal(&format!("{}/1", open.url_as("app:CANARY"))).await;
    assert!(says.contains("+select"), "{says}");
    open.run("ACL SETUSER app +select");
    let store = self::open(&format!("{}/1", open.url_as("app:CANARY"))).await;
    assert!(put(&store, None, Some(ONE)).await.unwrap());
    assert_eq!(text(&open.run("DBSIZE")), "int(0)");
}

#[tokio::test]
async fn what_is_no_redis_is_named_at_the_start() {
    let redis = |answer: &'static [u8]| {
        move |asked: &[u8]| {
            let is_hello = asked.windows(5).any(|word| word == b"HELLO");
            Some(if is_hello { b"-ERR unknown command\r\n".to_vec() } else { answer.to_vec() })
        }
    };
    type Case = (&'static [u8], &'static str);
    let proved: [Case; 6] = [
        (b"-MOVED 3999 10.0.0.1:6381\r\n", "answered MOVED: it is part of a cluster"),
        (b"-CROSSSLOT Keys in request\r\n", "answered CROSSSLOT: it is part of a cluster"),
        (b"-ERR unknown command 'EVAL'\r\n", "does not know EVAL"),
        (b"-ERR unknown command `EVAL`, with args\r\n", "does not know EVAL"),
        (b"-NOPERM this user has no\r\n", "answered NOPERM"),
        (b"-DENIED Redis is running in protected mode\r\n", "protected mode"),
    ];
    for (answer, says) in proved {
        let Fake { port, .. } = fake(redis(answer));
        let text = refusal(&format!("redis://localhost:{port}")).await;
        assert!(text.contains(says) && text.contains(&format!("localhost:{port}")), "{text}");
    }
    let raw: [Case; 4] = [
        (b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n", "answers HTTP and not Redis"),
        (b"<html>400</html>\r\n", "answers HTTP and not Redis"),
        (b"\x15\x03\x01\x00\x02\x02\x46", "answers TLS: begin the URL with rediss://"),
        (b"SSH-2.0-OpenSSH_9.2\r\n", "is no Redis server"),
    ];
    for (answer, says) in raw {
        let Fake { port, .. } = fake(move |_| Some(answer.to_vec()));
        let text = refusal(&format!("redis://127.0.0.1:{port}")).await;
        assert!(text.contains(says), "{text}");
    }
    // What may pass is no error at the start.
    let passing: [Case; 9] = [
        (b"-LOADING Redis is loading\r\n", "answered LOADING"),
        (b"-MASTERDOWN Link with MASTER is down\r\n", "answered MASTERDOWN"),
        (b"-CLUSTERDOWN Hash slot not served\r\n", "answered CLUSTERDOWN"),
        (b"-READONLY You can't\r\n", "answered READONLY"),
        (b"-ERR Error running script (call to f_x): @user_script: 3: -READONLY no\r\n", "READONLY"),
        (b"-BUSY Redis is busy\r\n", "answered BUSY"),
        (b"-ERR max number of clients reached\r\n", "raise its maxclients"),
        (b"-SOMENEWWORD CANARY\r\n", "answered SOMENEWWORD: see its log"),
        (b"-canary CANARY\r\n", "answered an error"),
    ];
    for (answer, says) in passing {
        let Fake { port, .. } = fake(redis(answer));
        let store = open(&format!("redis://127.0.0.1:{port}")).await;
        let error = get(&store).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Store);
        assert!(shown(&error).contains(says), "{error}");
    }
    let Fake { port, .. } = fake(|_| Some(Vec::new()));
    let store = open(&format!("redis://127.0.0.1:{port}")).await;
    let error = get(&store).await.unwrap_err();
    assert!(shown(&error).contains("closed the connection without an answer"), "{error}");
}

#[tokio::test]
async fn a_cluster_is_named_though_the_first_record_is_on_this_node() {
    let Fake { port, .. } = fake(|asked| {
        let has = |word: &str| asked.windows(word.len()).any(|part| part == word.as_bytes());
        Some(if has("HELLO") {
            b"*4\r\n$5\r\nproto\r\n:2\r\n$4\r\nmode\r\n$7\r\ncluster\r\n".to_vec()
        } else if has("pa1:is-it-there-9") {
            b"-MOVED 3999 10.0.0.1:6381\r\n".to_vec()
        } else if has("'TIME'") {
            b"*3\r\n$1\r\n1\r\n$1\r\n1\r\n$-1\r\n".to_vec()
        } else {
            b":1\r\n".to_vec()
        })
    });
    let says = refusal(&format!("redis://127.0.0.1:{port}")).await;
    assert!(says.contains("answered MOVED: it is part of a cluster"), "{says}");
}

#[tokio::test]
async fn a_sentinel_is_named_and_a_cluster_of_one_serves() {
    let Some(sentinel) = Server::start(&["--sentinel"]) else { return };
    let says = refusal(&sentinel.url()).await;
    assert!(says.contains("is a Sentinel"), "{says}");

    let Some(cluster) = Server::start(&["--cluster-enabled", "yes"]) else { return };
    // It has no slots yet.
    let store = open(&cluster.url()).await;
    let error = get(&store).await.unwrap_err();
    assert!(shown(&error).contains("answered CLUSTERDOWN"), "{error}");
    let slots: Vec<_> = (0..16_384).map(|slot| slot.to_string()).collect();
    cluster.run(&format!("CLUSTER ADDSLOTS {}", slots.join(" ")));
    for _ in 0..100 {
        if text(&cluster.run("CLUSTER INFO")).contains("cluster_state:ok") {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert!(put(&store, None, Some(ONE)).await.unwrap());
    let again = open(&cluster.url()).await;
    assert_eq!(get(&again).await.unwrap().unwrap(), ONE);
}

#[tokio::test]
async fn a_server_that_accepts_and_says_nothing_costs_the_start_a_second_and_a_call_its_patience() {
    let silent = fake(|_| None);
    for scheme in ["redis", "rediss"] {
        let began = Instant::now();
        let store = open(&format!("{scheme}://127.0.0.1:{}", silent.port)).await;
        let took = began.elapsed();
        assert!(
            took > Duration::from_millis(900) && took < Duration::from_millis(2_500),
            "{took:?}"
        );
        let before = silent.made.load(Ordering::SeqCst);
        for _ in 0..3 {
            let late = tokio::time::timeout(Duration::from_millis(50), get(&store)).await;
            assert!(late.is_err());
        }
        until(|| silent.made.load(Ordering::SeqCst) - before >= 3).await; // each dialled anew
    }
}

#[tokio::test]
async fn a_connection_that_is_given_up_is_closed_though_its_answer_never_came() {
    let hello = |asked: &[u8]| {
        let is_hello = asked.windows(5).any(|word| word == b"HELLO");
        is_hello.then(|| b"-ERR unknown command\r\n".to_vec())
    };
    let server = fake(hello);
    let store = open(&format!("redis://127.0.0.1:{}", server.port)).await;
    for _ in 0..3 {
        let late = tokio::time::timeout(Duration::from_millis(50), get(&store)).await;
        assert!(late.is_err());
    }
    // One of the start, a second look, and one a call.
    until(|| server.made.load(Ordering::SeqCst) >= 5).await;
    until(|| server.open.load(Ordering::SeqCst) == 0).await;
}

#[tokio::test]
async fn nothing_is_sent_but_what_the_documentation_says() {
    let Some(server) = Server::start(&[]) else { return };
    let (stream, seen) = monitor(&server);
    let store = open(&server.url()).await;
    assert!(put(&store, None, Some(ONE)).await.unwrap());
    assert_eq!(get(&store).await.unwrap().unwrap(), ONE);
    assert!(put(&store, Some(ONE), None).await.unwrap());
    stream.shutdown(std::net::Shutdown::Both).unwrap();
    let seen = String::from_utf8_lossy(&seen.join().unwrap()).to_uppercase();
    // `1764000000.123456 [0 127.0.0.1:1234] "EVAL" "local ..."`
    let sent: std::collections::BTreeSet<_> =
        seen.lines().filter_map(|line| line.split('"').nth(1)).collect();
    let said = ["DEL", "EVAL", "GET", "GETRANGE", "HELLO", "SET", "TIME"];
    assert!(sent.iter().all(|word| said.contains(word)), "{sent:?}");
    assert!(sent.contains("EVAL") && sent.contains("GETRANGE"), "{sent:?}");
}

#[tokio::test]
async fn a_hundred_calls_at_once_share_one_connection() {
    let (Some(server), mut tasks) = (Server::start(&[]), tokio::task::JoinSet::new()) else {
        return;
    };
    let store = open(&server.url()).await;
    server.kill_clients();
    let before = server.connections_so_far();
    for _ in 0..100 {
        let store = store.clone();
        tasks.spawn(async move { get(&store).await.is_ok() });
    }
    assert!(tasks.join_all().await.into_iter().all(|is_ok| is_ok));
    // One of the store, and one to ask.
    assert_eq!(server.connections_so_far() - before, 2);
}

#[test]
fn a_store_outlives_the_runtime_that_it_was_opened_on() {
    let Some(server) = Server::start(&[]) else { return };
    let runtime = || tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let (one, two) = (runtime(), runtime());
    let store = one.block_on(open(&server.url()));
    assert!(one.block_on(put(&store, None, Some(ONE))).unwrap());
    // `one` still exists, and nothing drives it.
    let read = async { tokio::time::timeout(Duration::from_secs(5), get(&store)).await.unwrap() };
    assert_eq!(two.block_on(read).unwrap().unwrap(), ONE);
    drop(one);
    assert_eq!(two.block_on(get(&store)).unwrap().unwrap(), ONE);
    drop(two);
    let three = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    assert_eq!(three.block_on(get(&store)).unwrap().unwrap(), ONE);
    assert_eq!(server.clients(), 1);
}

#[cfg(unix)]
#[test]
fn a_forked_child_makes_a_connection_of_its_own_and_leaves_its_parents_alone() {
    let Some(server) = Server::start(&[]) else { return };
    let runtime = || tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let ours = runtime();
    let store = ours.block_on(open(&server.url()));
    assert!(ours.block_on(put(&store, None, Some(ONE))).unwrap());
    let before = server.connections_so_far();
    match fork::fork().unwrap() {
        fork::Fork::Child => {
            // A runtime of its own: tokio's do not survive a fork.
            let read = async { tokio::time::timeout(Duration::from_secs(5), get(&store)).await };
            let read = runtime().block_on(read);
            let is_read = matches!(read, Ok(Ok(Some(record))) if record == ONE);
            std::process::exit(i32::from(!is_read));
        }
        fork::Fork::Parent(child) => assert_eq!(fork::waitpid(child).unwrap(), 0),
    }
    // The child's, and the one that asks.
    assert_eq!(server.connections_so_far() - before, 2);
    assert_eq!(ours.block_on(get(&store)).unwrap().unwrap(), ONE);
    assert_eq!(server.connections_so_far() - before, 3, "the parent's was still good");
}

#[test]
fn without_a_runtime_or_without_its_io_a_call_is_an_error_and_no_panic() {
    use std::future::Future as _;
    use std::task::{Context, Poll, Waker};

    let store = {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(open(&format!("redis://127.0.0.1:{}", free_port())))
    };
    let mut call = Box::pin(get(&store));
    let Poll::Ready(answer) = call.as_mut().poll(&mut Context::from_waker(Waker::noop())) else {
        panic!("it waits");
    };
    let error = answer.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Store);
    assert!(shown(&error).contains("needs a tokio runtime"), "{error}");

    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let error = runtime.block_on(get(&store)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Store);
    assert!(shown(&error).contains("with I/O"), "{error}");
}

#[tokio::test]
async fn settings_that_are_wrong_are_named_and_never_shown() {
    let pairs = |pairs: &[(&str, &str)]| {
        let pairs: Vec<_> = pairs.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect();
        RedisStore::read_env(&Env::from_pairs(pairs))
    };
    const URL: (&str, &str) = ("AUTH_STORE_REDIS_URL", "redis://u:CANARY@10.1.2.3");
    const HERE: (&str, &str) = ("AUTH_STORE_REDIS_URL", "redis://u:CANARY@localhost:1");
    const KEY: (&str, &str) = ("AUTH_STORE_KEY", "bWFkZS11cCBrZXkgZm9yIGEgdGVzdCBvZiB0aGlzIDE=");
    for (builder, says) in [
        (pairs(&[KEY]), "set AUTH_STORE_REDIS_URL (or AUTH_STORE_REDIS_URL_FILE)"),
        (pairs(&[URL, KEY]), "redis:// to 10.1.2.3:6379 would send the password"),
        (pairs(&[HERE]), "set AUTH_STORE_KEY (or AUTH_STORE_KEY_FILE), or allow"),
        (pairs(&[HERE]).in_the_clear(), "set AUTH_STORE_KEY"),
        (pairs(&[URL]).unsealed(), "would send the password"),
        (pairs(&[HERE, ("AUTH_STORE_KEY", "CANARY")]), "AUTH_STORE_KEY: "),
        (pairs(&[("AUTH_STORE_REDIS_URL", "CANARY"), KEY]), "AUTH_STORE_REDIS_URL: the Redis URL"),
        (pairs(&[HERE, KEY, ("AUTH_STORE_REDIS_CA", "CANARY")]), "REDIS_CA: no certificate in PEM"),
        (pairs(&[HERE, KEY, ("AUTH_STORE_REDIS_CERT_KEY", "CANARY")]), "no private key in PEM"),
    ] {
        assert!(!format!("{builder:?}").contains("CANARY"));
        let error = builder.connect().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config, "{error}");
        assert!(shown(&error).contains(says), "{says}: {error}");
    }
    let builder = RedisStore::builder("redis://u:CANARY@10.1.2.3").in_the_clear();
    assert!(builder.connect().await.is_err(), "a key is needed");
    // All right, though nobody answers.
    let store = pairs(&[HERE, KEY]).connect().await.unwrap();
    let text = format!("{store:?}");
    assert!(text.contains("localhost:1") && !text.contains("CANARY"), "{text}");
    assert!(pairs(&[HERE]).unsealed().connect().await.is_ok());
}
