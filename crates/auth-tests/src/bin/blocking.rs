//! What `auth_core::blocking` does to a process: its threads, its end and its forks. Each story runs
//! in a process of its own, which `tests/blocking.rs` starts with the sandbox's variables.

#![allow(clippy::unwrap_used, clippy::panic, clippy::disallowed_methods)] // only for tests

use std::hash::RandomState;
use std::thread::{Builder, scope, sleep};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use auth_core::blocking::CachedTokenSource;
use auth_core::{
    Env, Error, ErrorKind, HttpClient, HttpRequest, HttpResponse, ManualClock, RetryPolicy,
    ScriptedClient, TokenState,
};
use manis_auth::Manis;
use manis_auth::test_util::granted;

/// An argument to start a story with, and the story.
const STORIES: [(&str, fn()); 8] = [
    ("warm", warm),
    ("cold", cold),
    ("exit", exit),
    ("fork", fork),
    ("fork-in-flight", fork_in_flight),
    ("fork-jitter", fork_jitter),
    ("blocked", blocked),
    ("limits", limits),
];

fn main() {
    let asked = std::env::args().nth(1).unwrap_or_default();
    let story = STORIES.iter().find(|(name, _)| *name == asked);
    story.unwrap_or_else(|| panic!("no story {asked:?}")).1();
}

fn flow() -> Manis {
    Manis::read_env(&Env::process()).unwrap()
}

fn source() -> CachedTokenSource<Manis> {
    CachedTokenSource::new(flow()).unwrap()
}

/// Awaits a future on a runtime that is gone afterwards.
fn awaited<F: Future>(future: F) -> F::Output {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.unwrap().block_on(future)
}

/// How many threads of that name this process has; 0 where it cannot be told.
fn threads(name: &str) -> usize {
    let Ok(tasks) = std::fs::read_dir("/proc/self/task") else { return 0 };
    let names = tasks.map(|task| std::fs::read_to_string(task.unwrap().path().join("comm")));
    names.filter(|found| found.as_ref().is_ok_and(|found| found.trim_end() == name)).count()
}

#[track_caller]
fn expect_threads(count: usize) {
    if cfg!(target_os = "linux") {
        assert_eq!(threads("auth-core"), count);
    }
}

/// Waits until the source has sent a request.
fn until_asked(tokens: &CachedTokenSource<Manis>) {
    while tokens.status().requests == 0 {
        sleep(Duration::from_millis(1));
    }
}

/// No thread is started before something has to be fetched.
fn warm() {
    let built = auth_core::CachedTokenSource::new(flow()).unwrap();
    awaited(built.token()).unwrap();
    let tokens = CachedTokenSource::from(built);
    let token = tokens.token().unwrap();
    for _ in 0..1_000 {
        assert!(tokens.clone().token().unwrap().ptr_eq(&token));
    }
    expect_threads(0);
    tokens.invalidate(&token);
    assert!(!tokens.token().unwrap().ptr_eq(&token));
    expect_threads(1);
}

/// A hundred threads at once, and another source beside theirs.
fn cold() {
    let (tokens, other) = (source(), source());
    scope(|scope| {
        for _ in 0..100 {
            scope.spawn(|| tokens.token().unwrap());
        }
        other.token().unwrap();
    });
    expect_threads(1);
    assert_eq!((tokens.status().requests, other.status().requests), (1, 1));
}

/// Ends while the provider does not answer.
fn exit() {
    let tokens = source();
    let elsewhere = tokens.clone();
    let caller = Builder::new().spawn(move || elsewhere.token());
    until_asked(&tokens);
    assert!(!caller.unwrap().is_finished());
}

/// Goes on in a child, whose thread is its own.
fn fork() {
    let tokens = source();
    let token = tokens.token().unwrap();
    expect_threads(1);
    in_a_child(|| {
        expect_threads(0);
        assert!(tokens.token().unwrap().ptr_eq(&token));
        tokens.invalidate(&token);
        assert!(!tokens.token().unwrap().ptr_eq(&token));
        expect_threads(1);
        in_a_child(|| {
            expect_threads(0);
            source().token().unwrap();
            expect_threads(1);
        });
    });
    tokens.invalidate(&token);
    assert!(!tokens.token().unwrap().ptr_eq(&token));
}

/// Forks while a request is not answered; the next one is.
fn fork_in_flight() {
    let tokens = source();
    let elsewhere = tokens.clone();
    let caller = Builder::new().spawn(move || elsewhere.token());
    until_asked(&tokens);
    in_a_child(|| {
        let began = Instant::now();
        tokens.token().unwrap();
        assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
    });
    assert!(!caller.unwrap().is_finished());
}

/// Makes a source, forks four times, and finds when each child's token becomes stale.
fn fork_jitter() {
    let clock = ManualClock::default();
    let provider = ScriptedClient::new([granted(&clock, Duration::from_secs(3_600))]);
    let builder = auth_core::CachedTokenSource::builder(flow()).http_client(provider);
    let tokens = builder.clock(clock.clone()).build().unwrap();
    let folder = std::env::temp_dir().join(format!("fork-jitter-{}", std::process::id()));
    std::fs::create_dir(&folder).unwrap();
    let _ = RandomState::new(); // a thread draws its keys once, and its children have them too
    for child in 0..4 {
        in_a_child(|| {
            awaited(tokens.token()).unwrap();
            let mut due = Duration::from_secs(3_200); // 3,225 s at the earliest, 3,300 s at the latest
            clock.advance(due);
            while tokens.state() == TokenState::Fresh {
                clock.advance(Duration::from_millis(1));
                due += Duration::from_millis(1);
            }
            std::fs::write(folder.join(child.to_string()), due.as_millis().to_string()).unwrap();
        });
    }
    let files = std::fs::read_dir(&folder).unwrap();
    let due = files.map(|file| std::fs::read_to_string(file.unwrap().path()).unwrap());
    let due: Vec<u64> = due.map(|millis| millis.parse().unwrap()).collect();
    std::fs::remove_dir_all(&folder).unwrap();
    let spread = due.iter().max().zip(due.iter().min()).map(|(last, first)| last - first);
    // Of 75 s at most; four draws that lie within a tenth of a second of each other are one draw.
    assert!(cfg!(not(unix)) || spread > Some(100), "{due:?}");
}

#[cfg(unix)]
fn in_a_child(story: impl FnOnce()) {
    match fork::fork().unwrap() {
        fork::Fork::Child => {
            let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(story));
            std::process::exit(i32::from(result.is_err()));
        }
        fork::Fork::Parent(child) => assert_eq!(fork::waitpid(child).unwrap(), 0),
    }
}

#[cfg(not(unix))]
fn in_a_child(_: impl FnOnce()) {}

/// Blocks the thread that polls it, which no client should.
#[derive(Debug)]
struct Blocks;

#[async_trait]
impl HttpClient for Blocks {
    async fn send(&self, _: HttpRequest) -> Result<HttpResponse, Error> {
        sleep(Duration::from_secs(60));
        Ok(HttpResponse::default())
    }
}

/// The thread is blocked: what needs no thread is answered at once, and a caller gives up in time.
fn blocked() {
    let clock = ManualClock::default();
    let stale = auth_core::CachedTokenSource::builder(flow()).clock(clock.clone());
    let stale = stale.build().unwrap();
    awaited(stale.token()).unwrap();
    clock.advance(Duration::from_secs(3_500));
    let stale = CachedTokenSource::from(stale);
    assert_eq!(stale.state(), TokenState::Stale);

    let wrong = Manis::read_env(&Env::from_pairs([
        ("MANIS_MERCHANT_ID", "nobody".to_owned()),
        ("MANIS_SECRET", "made-up-and-wrong".to_owned()),
        ("MANIS_BASE_URL", std::env::var("MANIS_BASE_URL").unwrap()),
    ]));
    let rejected = CachedTokenSource::new(wrong.unwrap()).unwrap();
    assert_eq!(rejected.token().unwrap_err().kind(), ErrorKind::Credentials);

    let retry = RetryPolicy::default().deadline(Duration::from_millis(10));
    let stuck = auth_core::CachedTokenSource::builder(flow()).http_client(Blocks);
    let stuck = CachedTokenSource::from(stuck.retry_policy(retry).build().unwrap());
    let began = Instant::now();
    let error = stuck.token().unwrap_err();
    assert_eq!((error.kind(), error.provider()), (ErrorKind::Timeout, Some("manis")));
    let took = began.elapsed();
    assert!(took > Duration::from_secs(1) && took < Duration::from_secs(10), "{took:?}");

    let began = Instant::now();
    assert!(stale.token().is_ok());
    assert_eq!(rejected.token().unwrap_err().kind(), ErrorKind::Credentials);
    assert!(began.elapsed() < Duration::from_secs(1), "{:?}", began.elapsed());
}

/// The process may open no more files.
fn limits() {
    let client = auth_core::CachedTokenSource::builder(flow()).http_client(Blocks);
    let tokens = CachedTokenSource::from(client.build().unwrap());
    for _ in 0..2 {
        let error = tokens.token().unwrap_err();
        assert_eq!((error.kind(), error.provider()), (ErrorKind::Config, Some("manis")));
        assert!(error.to_string().contains("could not be started"), "{error}");
    }
    expect_threads(0);
}
