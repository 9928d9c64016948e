//! The file store under what happens on a real host: many processes, `kill -9`, folders that are
//! wiped, read-only or full, and somebody who reads all its files.

#![cfg(all(unix, feature = "file"))]
// Helpers of tests are not seen as tests. The environment tells a process of a test its part.
#![allow(clippy::unwrap_used, clippy::panic, clippy::disallowed_methods, clippy::print_stdout)]

use std::collections::BTreeSet;
use std::fs;
use std::io::{BufRead as _, BufReader, Lines};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread::sleep;
use std::time::Duration;

use auth_core::{
    Ask, Claim, Clock as _, Endpoint, Error, ErrorKind, Generation, HttpRequest, Identity, Lease,
    ManualClock, Offered, Scrubber, Settled, SystemClock, TokenRequest, TokenStore as _,
};
use auth_store::{Backend as _, FileStore};

const HOST: Endpoint = Endpoint::from_static("https://canary-host.example.com");
const NOBODY: u32 = 65_534;

/// A folder for one test, removed at its end.
struct Dir(PathBuf);

impl Dir {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("file-store-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        fs::create_dir(&path).unwrap();
        Self(path)
    }

    /// The store's folder in it.
    fn store(&self) -> PathBuf {
        self.0.join("store")
    }
}

impl Drop for Dir {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

struct Account {
    identity: Identity,
    request: HttpRequest,
}

impl Account {
    fn new() -> Self {
        let identity = Identity::new("acme", &HOST, &["CANARY-ACCOUNT"]);
        let request = TokenRequest::post(&HOST).form(&[("client_secret", "CANARY-SECRET".into())]);
        Self { identity, request: request.unwrap() }
    }

    fn ask(&self) -> Ask<'_> {
        Ask::new(&self.identity, &self.request)
    }

    async fn lease(&self, store: &FileStore) -> Lease {
        match store.claim(&self.ask()).await {
            Claim::Lease(lease) => lease,
            other => panic!("{other:?}"),
        }
    }

    async fn settle(&self, store: &FileStore, lease: Lease, secret: &str) -> Settled {
        let life = Duration::from_secs(300);
        let offered = Offered::new("Bearer", secret, &[], life, life);
        store.settle(&self.ask(), Some(lease), &offered).await
    }

    async fn stored(&self, store: &FileStore) -> Option<Generation> {
        match store.claim(&self.ask()).await {
            Claim::Token(token) => Some(token.generation),
            _ => None,
        }
    }
}

/// Held by tests that start many processes, or take the time: they share few processors.
fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Starts a process that plays this part, in this program's own test [`a_process_of_a_test`].
fn process(part: &str, dir: &Path) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command
        .args(["--exact", "a_process_of_a_test", "--nocapture"])
        .env("FILE_STORE_PART", part)
        .env("FILE_STORE_DIR", dir)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null());
    command
}

/// What a process says until its end, without the test harness's lines.
fn said(lines: Lines<BufReader<ChildStdout>>) -> Vec<String> {
    lines.filter_map(|line| Some(line.unwrap().strip_prefix("> ")?.to_owned())).collect()
}

/// Starts this many processes, lets them go at once when all are ready, and returns what they said.
fn at_once(count: usize, part: &str, dir: &Dir) -> Vec<Vec<String>> {
    let _alone = alone();
    run(dir, (0..count).map(|_| process(part, &dir.0).spawn().unwrap()).collect())
}

fn run(dir: &Dir, mut children: Vec<Child>) -> Vec<Vec<String>> {
    let lines = |child: &mut Child| BufReader::new(child.stdout.take().unwrap()).lines();
    let mut lines: Vec<_> = children.iter_mut().map(lines).collect();
    for lines in &mut lines {
        assert!(lines.any(|line| line.unwrap() == "> ready"));
    }
    fs::write(dir.0.join("go"), "").unwrap();
    let all = lines.into_iter().map(said).collect();
    for mut child in children {
        child.wait().unwrap();
    }
    all
}

#[tokio::test]
async fn a_process_of_a_test() {
    let (Ok(part), Ok(dir)) = (std::env::var("FILE_STORE_PART"), std::env::var("FILE_STORE_DIR"))
    else {
        return;
    };
    let dir = PathBuf::from(dir);
    println!("\n> ready");
    while part != "hold" && !dir.join("go").exists() {
        sleep(Duration::from_millis(1));
    }
    let store = match FileStore::open(dir.join("store")) {
        Ok(store) => store,
        Err(error) => return println!("\n> {error}"),
    };
    let account = Account::new();
    loop {
        match (part.as_str(), store.claim(&account.ask()).await) {
            ("hold", Claim::Lease(_lease)) => {
                println!("\n> held");
                sleep(Duration::from_secs(600));
            }
            ("take turns", Claim::Lease(lease)) => {
                let inside = dir.join("inside");
                let entered = fs::File::create_new(&inside).is_ok();
                sleep(Duration::from_millis(1));
                let left = fs::remove_file(&inside).is_ok();
                store.release(&account.ask(), lease, None).await;
                return println!("\n> {}", if entered && left { "alone" } else { "not alone" });
            }
            ("fetch", Claim::Lease(lease)) => {
                fs::File::create_new(dir.join(format!("mint-{}", std::process::id()))).unwrap();
                sleep(Duration::from_millis(30));
                let settled = account.settle(&store, lease, "made-up").await;
                let Settled::Kept(generation) = settled else { panic!("{settled:?}") };
                return println!("\n> {generation:?}");
            }
            ("fetch", Claim::Token(token)) => return println!("\n> {:?}", token.generation),
            (_, Claim::Held { poll, .. }) => sleep(poll.mul_f32(fastrand::f32())),
            (_, other) => return println!("\n> {other:?}"),
        }
    }
}

#[test]
fn sixty_four_processes_hold_the_lease_one_at_a_time() {
    let dir = Dir::new("turns");
    assert_eq!(at_once(64, "take turns", &dir), vec![["alone"]; 64]);
}

#[test]
fn sixty_four_processes_that_start_at_once_fetch_one_token() {
    let dir = Dir::new("fetch");
    let generations: BTreeSet<_> = at_once(64, "fetch", &dir).concat().into_iter().collect();
    assert_eq!(generations.len(), 1, "{generations:?}");
    let files = fs::read_dir(&dir.0).unwrap().flatten();
    let mints = files.filter(|file| file.file_name().to_string_lossy().starts_with("mint-"));
    assert_eq!(mints.count(), 1);
}

#[test]
fn kill_9_of_the_holder_frees_the_lease_at_once_a_hundred_times() {
    let _alone = alone();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build();
    runtime.unwrap().block_on(killed_a_hundred_times());
}

async fn killed_a_hundred_times() {
    let dir = Dir::new("kill");
    let (store, account) = (FileStore::open(dir.store()).unwrap(), Account::new());
    let mut worst = Duration::ZERO;
    for _ in 0..100 {
        let mut child = process("hold", &dir.0).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        assert!(lines.any(|line| line.unwrap() == "> held"));
        assert!(matches!(store.claim(&account.ask()).await, Claim::Held { .. }));
        let killed = SystemClock.monotonic();
        child.kill().unwrap();
        let lease = loop {
            match store.claim(&account.ask()).await {
                Claim::Lease(lease) => break lease,
                Claim::Held { .. } => sleep(Duration::from_millis(1)),
                other => panic!("{other:?}"),
            }
        };
        worst = worst.max(SystemClock.monotonic().saturating_sub(killed));
        drop(lease);
        child.wait().unwrap();
    }
    println!("the slowest of 100: {worst:?}");
    assert!(worst < Duration::from_millis(100), "{worst:?}");
}

#[tokio::test]
async fn a_wiped_folder_or_key_costs_one_token_and_splits_nobody() {
    let dir = Dir::new("wiped");
    let open = || FileStore::open(dir.store()).unwrap();
    let (one, two, account) = (open(), open(), Account::new());
    let wipes: [&dyn Fn(); 4] = [
        &|| {},
        &|| fs::remove_dir_all(dir.store()).unwrap(),
        &|| fs::remove_file(dir.store().join("key")).unwrap(),
        &|| fs::write(dir.store().join("key"), [7; 32]).unwrap(),
    ];
    for wipe in wipes {
        wipe();
        let lease = account.lease(&one).await;
        assert!(matches!(two.claim(&account.ask()).await, Claim::Held { .. }));
        let Settled::Kept(generation) = account.settle(&one, lease, "made-up").await else {
            panic!("not kept");
        };
        assert_eq!(account.stored(&two).await, Some(generation));
        assert_eq!(account.stored(&open()).await, Some(generation));
    }
}

#[tokio::test]
async fn a_key_that_is_no_key_makes_the_store_unavailable_until_it_is_removed() {
    let dir = Dir::new("bad-key");
    let clock = ManualClock::default();
    let store = FileStore::open(dir.store()).unwrap().clock(clock.clone());
    let account = Account::new();
    let path = dir.store().join("key");
    fs::write(&path, "short").unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    assert!(matches!(store.claim(&account.ask()).await, Claim::Unavailable));
    let error = store.backend().key().await.unwrap_err();
    assert!(error.message().contains("remove it, and a new key is made"), "{error}");
    fs::remove_file(path).unwrap();
    clock.advance(Duration::from_secs(31));
    account.lease(&store).await;
}

#[tokio::test]
async fn no_file_shows_the_token_the_secret_the_account_or_the_host() {
    let dir = Dir::new("canary");
    let (store, account) = (FileStore::open(dir.store()).unwrap(), Account::new());
    let look = || {
        let mut files = 0;
        for file in fs::read_dir(dir.store()).unwrap().flatten() {
            let name = file.file_name().into_string().unwrap();
            let bytes = [name.as_bytes(), &fs::read(file.path()).unwrap()].concat();
            let text = String::from_utf8_lossy(&bytes).to_lowercase();
            for secret in ["canary", "acme", "bearer", "example", "rejected", "invalid_client"] {
                assert!(!text.contains(secret), "{name} has {secret}");
            }
            assert_eq!(file.metadata().unwrap().mode() & 0o777, 0o600, "{name}");
            files += 1;
        }
        files
    };
    let lease = account.lease(&store).await;
    let settled = account.settle(&store, lease, "CANARY-TOKEN").await;
    assert!(matches!(settled, Settled::Kept(_)));
    assert_eq!(look(), 5);
    assert!(account.stored(&store).await.is_some());

    for file in fs::read_dir(dir.store()).unwrap().flatten() {
        if file.file_name().to_string_lossy().ends_with(".rec") {
            fs::remove_file(file.path()).unwrap();
        }
    }
    let lease = account.lease(&store).await;
    let error = Error::new(ErrorKind::Credentials, "credentials rejected for CANARY")
        .with_code("invalid_client", &Scrubber::default());
    store.release(&account.ask(), lease, Some(&error)).await;
    assert!(matches!(store.claim(&account.ask()).await, Claim::Refused { .. }));
    assert_eq!(look(), 5);
    assert!(!format!("{store:?} {:?}", account.ask()).contains("CANARY-SECRET"));
}

#[test]
fn a_folder_that_cannot_be_written_to_is_no_store_and_nobodys_error() {
    let dir = Dir::new("read-only");
    fs::create_dir(dir.store()).unwrap();
    fs::set_permissions(dir.store(), fs::Permissions::from_mode(0o500)).unwrap();
    let mut process = process("fetch", &dir.0);
    if fs::metadata(&dir.0).unwrap().uid() == 0 {
        // Root may write anywhere.
        chown(dir.store(), Some(NOBODY), Some(NOBODY)).unwrap();
        process.uid(NOBODY).gid(NOBODY);
    }
    match process.spawn() {
        Ok(child) => assert_eq!(run(&dir, vec![child]), [["Unavailable"]]),
        Err(error) => println!("skipped: another user cannot run this program ({error})"),
    }
    fs::set_permissions(dir.store(), fs::Permissions::from_mode(0o700)).unwrap();
}

#[test]
fn a_folder_below_one_that_cannot_be_written_to_is_an_error_at_the_start() {
    let dir = Dir::new("below-read-only");
    fs::set_permissions(&dir.0, fs::Permissions::from_mode(0o555)).unwrap();
    let mut process = process("fetch", &dir.0);
    if fs::metadata(&dir.0).unwrap().uid() == 0 {
        process.uid(NOBODY).gid(NOBODY);
    }
    match process.spawn() {
        Ok(child) => {
            let said = run(&dir, vec![child]).concat().concat();
            assert!(said.contains("name a folder that can be made"), "{said}");
        }
        Err(error) => println!("skipped: another user cannot run this program ({error})"),
    }
    fs::set_permissions(&dir.0, fs::Permissions::from_mode(0o755)).unwrap();
}

/// A file system in memory of 64 KiB, unmounted at the end.
struct Small(Dir);

impl Small {
    fn mount(name: &str) -> Option<Self> {
        let dir = Dir::new(name);
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", "size=64k,mode=0700", "tmpfs"]).arg(&dir.0);
        let mounted = mount.stderr(Stdio::null()).status();
        mounted.is_ok_and(|status| status.success()).then_some(Self(dir))
    }

    fn remount(&self, how: &str) {
        let remount = Command::new("mount").args(["-o", how]).arg(&self.0.0).status();
        assert!(remount.unwrap().success());
    }
}

impl Drop for Small {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0.0).status();
    }
}

#[tokio::test]
async fn a_full_disk_is_nobodys_error_and_heals_without_a_restart() {
    let Some(small) = Small::mount("full") else {
        println!("skipped: this user cannot mount a small file system");
        return;
    };
    let clock = ManualClock::default();
    let (dir, account) = (&small.0, Account::new());
    let store = FileStore::open(dir.store()).unwrap().clock(clock.clone());
    let fill = dir.0.join("fill");
    let full = || {
        let _ = fs::write(&fill, vec![1; 128 * 1024]);
        assert!(fs::write(dir.0.join("more"), [1]).is_err());
    };
    full(); // before there is a key
    assert!(matches!(store.claim(&account.ask()).await, Claim::Unavailable));

    fs::remove_file(&fill).unwrap();
    clock.advance(Duration::from_secs(31));
    let lease = account.lease(&store).await;
    full();
    let settled = account.settle(&store, lease, "made-up").await;
    assert!(matches!(settled, Settled::Unpublished), "{settled:?}");

    clock.advance(Duration::from_secs(31));
    let lease = account.lease(&store).await; // nobody waits for the one that failed
    fs::remove_file(&fill).unwrap();
    assert!(matches!(account.settle(&store, lease, "made-up").await, Settled::Kept(_)));
    let names = fs::read_dir(dir.store()).unwrap().flatten().map(|file| file.file_name());
    let names: Vec<_> = names.map(|name| name.into_string().unwrap()).collect();
    assert!(!names.iter().any(|name| name.ends_with(".tmp")), "{names:?}");
}

#[tokio::test]
async fn a_read_only_file_system_still_gives_its_token_and_is_nobodys_error() {
    let Some(small) = Small::mount("mounted-read-only") else {
        println!("skipped: this user cannot mount a small file system");
        return;
    };
    let clock = ManualClock::default();
    let (dir, account) = (&small.0, Account::new());
    let store = FileStore::open(dir.store()).unwrap().clock(clock.clone());
    let lease = account.lease(&store).await;
    assert!(matches!(account.settle(&store, lease, "made-up").await, Settled::Kept(_)));
    small.remount("remount,ro");
    let generation = account.stored(&store).await;
    assert!(generation.is_some());
    let refused = account.ask().instead_of(generation, true);
    assert!(matches!(store.claim(&refused).await, Claim::Unavailable));
    small.remount("remount,rw");
    clock.advance(Duration::from_secs(31));
    assert!(matches!(store.claim(&refused).await, Claim::Lease(_)));
}
