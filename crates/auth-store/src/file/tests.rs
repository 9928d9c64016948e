use std::fs;
use std::os::unix::fs::symlink;
use std::os::unix::net::UnixListener;

use auth_core::{Claim, ErrorKind, TokenStore as _};

use super::folder::tests::{Dir, chmod};
use super::*;

const HOUR: Duration = Duration::from_secs(3_600);
const SECOND: Duration = Duration::from_secs(1);

/// Both clocks of a made-up machine.
#[derive(Clone)]
struct Machine(Arc<Mutex<Moment>>);

impl Machine {
    fn new() -> Self {
        let boot = Some(([1; 16], HOUR * 5));
        Self(Arc::new(Mutex::new(Moment { wall: HOUR * 490_000, boot })))
    }

    fn open(&self, dir: &Dir) -> FileBackend {
        FileBackend::with(dir.folder(), Clocks::Set(Arc::clone(&self.0)))
    }

    fn wall(&self, by: impl FnOnce(Duration) -> Duration) {
        let mut now = self.0.lock().unwrap();
        now.wall = by(now.wall);
    }

    fn boot(&self, by: Duration) {
        let mut now = self.0.lock().unwrap();
        now.boot = now.boot.map(|(id, since)| (id, since + by));
    }

    fn restart(&self) {
        self.0.lock().unwrap().boot = Some(([2; 16], SECOND));
    }
}

fn name() -> RecordName {
    RecordName::made_up(7)
}

fn file_of(dir: &Dir, end: &str) -> PathBuf {
    dir.path().join(format!("{}.{end}", stem(&name())))
}

/// A record as a store writes them: 16 bytes of its own, then the rest.
fn record(first: u8) -> Vec<u8> {
    [&[first; 16][..], b" made-up record"].concat()
}

async fn put(folder: &FileBackend, old: Option<&[u8]>, new: Option<&[u8]>) -> bool {
    folder.swap(&name(), old, new, HOUR).await.unwrap()
}

async fn get(folder: &FileBackend) -> (Option<Vec<u8>>, Duration) {
    let found = folder.read(&name()).await.unwrap();
    (found.record.map(|record| record.to_vec()), found.now)
}

#[tokio::test]
async fn a_records_time_is_the_stricter_of_two_clocks() {
    let dir = Dir::new("time");
    let machine = Machine::new();
    let folder = machine.open(&dir);
    assert!(put(&folder, None, Some(&record(1))).await);
    let (_, written) = get(&folder).await;

    machine.wall(|wall| wall - HOUR); // set back
    machine.boot(SECOND * 10);
    assert_eq!(get(&folder).await, (Some(record(1)), written + SECOND * 10));

    machine.wall(|wall| wall + HOUR); // and forward again, while the machine ran for 10 s
    assert_eq!(get(&folder).await.1, written + SECOND * 10);

    machine.wall(|wall| wall + HOUR); // set an hour ahead, or suspended without the other clock
    assert_eq!(get(&folder).await.1, written + HOUR);

    machine.wall(|wall| wall - HOUR);
    machine.boot(HOUR * 2); // suspended, and the wall clock not yet set
    assert_eq!(get(&folder).await.1, written + SECOND * 10 + HOUR * 2);
}

#[tokio::test]
async fn a_records_time_goes_on_when_it_is_replaced_under_a_clock_that_was_set_back() {
    let dir = Dir::new("time-replaced");
    let machine = Machine::new();
    let folder = machine.open(&dir);
    assert!(put(&folder, None, Some(&record(1))).await);
    let (_, written) = get(&folder).await;
    machine.wall(|wall| wall - HOUR);
    machine.boot(SECOND);
    assert!(put(&folder, Some(&record(1)), Some(&record(2))).await);
    machine.boot(SECOND);
    machine.wall(|wall| wall + SECOND);
    assert_eq!(get(&folder).await, (Some(record(2)), written + SECOND * 2));
}

#[tokio::test]
async fn after_a_restart_a_record_from_the_future_is_none_and_can_be_replaced() {
    let dir = Dir::new("time-restart");
    let machine = Machine::new();
    let folder = machine.open(&dir);
    assert!(put(&folder, None, Some(&record(1))).await);
    let (_, written) = get(&folder).await;
    machine.restart();
    machine.wall(|wall| wall + SECOND * 3);
    assert_eq!(get(&folder).await, (Some(record(1)), written + SECOND * 3));
    machine.wall(|wall| wall - SECOND * 4);
    assert_eq!(get(&folder).await, (None, written - SECOND));
    assert!(!put(&folder, Some(&record(1)), Some(&record(2))).await);
    assert!(put(&folder, None, Some(&record(2))).await);
    assert_eq!(get(&folder).await.0, Some(record(2)));
}

#[tokio::test]
async fn a_record_cut_or_changed_at_any_byte_is_none_and_can_be_replaced() {
    let dir = Dir::new("damage");
    let folder = Machine::new().open(&dir);
    assert!(put(&folder, None, Some(&record(1))).await);
    let path = file_of(&dir, "rec");
    let whole = fs::read(&path).unwrap();
    for at in 0..whole.len() {
        fs::write(&path, &whole[..at]).unwrap();
        assert_eq!(get(&folder).await.0, None, "cut at {at}");
        let mut changed = whole.clone();
        changed[at] ^= 0x41;
        fs::write(&path, changed).unwrap();
        assert_eq!(get(&folder).await.0, None, "changed at {at}");
    }
    assert!(put(&folder, None, Some(&record(2))).await);
    assert_eq!(get(&folder).await.0, Some(record(2)));
}

#[tokio::test]
async fn a_file_of_over_64_kib_is_none_and_is_not_written() {
    let dir = Dir::new("long");
    let folder = Machine::new().open(&dir);
    let most = vec![1; LONGEST - 64];
    assert!(put(&folder, None, Some(&most)).await);
    assert_eq!(get(&folder).await.0, Some(most.clone()));
    let longer = [&most[..], b"1"].concat();
    let error = folder.swap(&name(), Some(&most), Some(&longer), HOUR).await.unwrap_err();
    assert!(error.message().contains("over 64 KiB"), "{error}");
    assert_eq!(get(&folder).await.0, Some(most));

    let written = Written { at: Moment { wall: HOUR, boot: None }, time: HOUR };
    fs::write(file_of(&dir, "rec"), header::encode(written, &longer)).unwrap();
    assert_eq!(get(&folder).await.0, None);
}

#[tokio::test]
async fn a_link_a_pipe_and_a_socket_are_no_records_and_are_replaced() {
    let dir = Dir::new("kinds");
    let folder = Machine::new().open(&dir);
    let path = file_of(&dir, "rec");
    assert!(put(&folder, None, Some(&record(9))).await);
    let elsewhere = dir.path().join("elsewhere");
    fs::rename(&path, &elsewhere).unwrap();
    let kinds: [&dyn Fn(); 4] = [
        &|| symlink(&elsewhere, &path).unwrap(),
        &|| symlink("nowhere", &path).unwrap(),
        &|| {
            let made = std::process::Command::new("mkfifo").arg(&path).status();
            assert!(made.unwrap().success());
        },
        &|| {
            // A socket's path may have 108 bytes at most.
            let short = std::env::temp_dir().join(format!("s{}", std::process::id()));
            let _listener = UnixListener::bind(&short).unwrap();
            fs::rename(short, &path).unwrap();
        },
    ];
    for (number, make) in kinds.iter().enumerate() {
        make();
        assert_eq!(get(&folder).await.0, None, "{number}");
        assert!(put(&folder, None, Some(&record(1))).await);
        assert_eq!(get(&folder).await.0, Some(record(1)));
        assert!(put(&folder, Some(&record(1)), None).await);
    }
    assert!(fs::read(&elsewhere).unwrap().ends_with(&record(9)));
}

#[tokio::test]
async fn a_folder_in_place_of_a_record_is_none_and_no_write_hides_it() {
    let dir = Dir::new("kind-folder");
    let folder = Machine::new().open(&dir);
    fs::create_dir(file_of(&dir, "rec")).unwrap();
    assert_eq!(get(&folder).await.0, None);
    let failed = folder.swap(&name(), None, Some(&record(1)), HOUR).await.unwrap_err();
    assert_eq!(failed.kind(), ErrorKind::Store);
    assert!(folder.swap(&name(), None, None, HOUR).await.is_err());
    let temps = fs::read_dir(dir.path()).unwrap().flatten();
    let temps = temps.filter(|file| file.file_name().to_string_lossy().ends_with(".tmp"));
    assert_eq!(temps.count(), 0);
}

#[tokio::test]
async fn a_record_that_others_can_read_or_write_is_refused_and_not_repaired() {
    let dir = Dir::new("modes");
    let folder = Machine::new().open(&dir);
    assert!(put(&folder, None, Some(&record(1))).await);
    let path = file_of(&dir, "rec");
    for mode in [0o644, 0o660, 0o606, 0o601] {
        chmod(&path, mode);
        let read = folder.read(&name()).await.unwrap_err();
        let swap = folder.swap(&name(), None, Some(&record(2)), HOUR).await.unwrap_err();
        for error in [read, swap] {
            assert!(error.message().contains("chmod 600"), "{error}");
        }
    }
    chmod(&path, 0o600);
    assert_eq!(get(&folder).await.0, Some(record(1)));

    if std::os::unix::fs::chown(&path, Some(65_534), None).is_err() {
        println!("skipped: only root can give a file away");
        return;
    }
    let error = folder.read(&name()).await.unwrap_err();
    let text = error.message();
    assert!(text.contains("belongs to user 65534") && text.contains("chown"), "{text}");
}

#[tokio::test]
async fn files_have_the_modes_and_the_names_that_are_documented() {
    use std::os::unix::fs::PermissionsExt as _;
    let dir = Dir::new("names");
    let folder = Machine::new().open(&dir);
    folder.key().await.unwrap();
    let held = folder.lock(&name()).await.unwrap();
    assert!(put(&folder, None, Some(&record(1))).await);
    let stem = format!("pa1.{:0>43}", 7);
    let mut names: Vec<_> = fs::read_dir(dir.path())
        .unwrap()
        .flatten()
        .map(|file| {
            let mode = file.metadata().unwrap().permissions().mode() & 0o777;
            assert_eq!(mode, 0o600, "{file:?}");
            file.file_name().into_string().unwrap()
        })
        .collect();
    names.sort();
    let ends = ["lease", "lock", "rec"].map(|end| format!("{stem}.{end}"));
    assert_eq!(names, [&["key".to_owned(), "key.lock".to_owned()][..], &ends].concat());
    drop(held);
}

#[tokio::test]
async fn a_wiped_folder_heals_without_a_restart() {
    let dir = Dir::new("wiped");
    let folder = Machine::new().open(&dir);
    for _ in 0..2 {
        assert!(put(&folder, None, Some(&record(1))).await);
        fs::remove_dir_all(dir.path()).unwrap();
        assert_eq!(get(&folder).await.0, None);
    }
    assert!(matches!(folder.lock(&name()).await.unwrap(), Lock::Held(_)));
    fs::remove_dir_all(dir.path()).unwrap();
    assert!(folder.key().await.unwrap().is_some());
}

#[tokio::test]
async fn stale_temporary_files_go_at_a_swap() {
    let dir = Dir::new("stale");
    let machine = Machine::new();
    let folder = machine.open(&dir);
    let temp = dir.path().join(format!(".{}.0123456789abcdef.tmp", stem(&name())));
    fs::write(&temp, "half a rec").unwrap();
    let written = fs::metadata(&temp).unwrap().modified().unwrap();
    let written = written.duration_since(UNIX_EPOCH).unwrap();
    machine.wall(|_| written + SECOND * 50);
    assert!(put(&folder, None, Some(&record(1))).await);
    assert!(temp.exists());
    machine.wall(|_| written + SECOND * 70);
    assert!(put(&folder, Some(&record(1)), Some(&record(2))).await);
    assert!(temp.exists(), "looked for once a minute");
    machine.boot(SECOND * 61);
    assert!(put(&folder, Some(&record(2)), Some(&record(3))).await);
    assert!(!temp.exists());
}

#[tokio::test]
async fn locks_that_do_not_work_are_failures_of_the_store() {
    let dir = Dir::new("no-locks");
    let no_locks = |_: &fs::File| {
        Err(fs::TryLockError::Error(io::Error::from_raw_os_error(37))) // ENOLCK
    };
    let folder = Folder { try_lock: no_locks, ..dir.folder() };
    let folder = FileBackend::with(folder, Clocks::Machine);
    let errors = [
        folder.lock(&name()).await.unwrap_err(),
        folder.swap(&name(), None, Some(&record(1)), HOUR).await.unwrap_err(),
        folder.key().await.unwrap_err(),
    ];
    assert!(errors.iter().all(|error| error.kind() == ErrorKind::Store), "{errors:?}");
    assert_eq!(get(&folder).await.0, None);
}

#[test]
fn a_user_has_a_folder_at_the_place_that_the_system_names() {
    let ours = Dir::new("user-ours");
    let open = Dir::new("user-open");
    ours.folder();
    open.folder();
    chmod(open.path(), 0o755);
    let (ours, open) = (ours.path().to_str().unwrap(), open.path().to_str().unwrap());
    let below = |pairs: &[(&str, &str)]| {
        let folder = user_folder(&Env::from_pairs(pairs.iter().copied()));
        folder.map(|folder| folder.to_str().unwrap().to_owned())
    };
    let runtime = ("XDG_RUNTIME_DIR", ours);
    let (cache, home) = (("XDG_CACHE_HOME", "/made/up/cache"), ("HOME", "/made/up"));
    let in_home = "/made/up/.cache/provider-auth";
    assert_eq!(below(&[runtime, cache, home]).unwrap(), format!("{ours}/provider-auth"));
    assert_eq!(below(&[cache, home]).unwrap(), "/made/up/cache/provider-auth");
    assert_eq!(below(&[home]).unwrap(), in_home);
    for no in [open, "/nowhere/at/all", "relative"] {
        assert_eq!(below(&[("XDG_RUNTIME_DIR", no), home]).unwrap(), in_home, "{no}");
    }
    assert_eq!(below(&[("XDG_CACHE_HOME", "relative"), home]).unwrap(), in_home);
    assert!(below(&[]).unwrap_err().message().contains("XDG_CACHE_HOME or HOME"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_keeps_the_contract() {
    let dir = Dir::new("contract");
    crate::contract::all(|| async { FileBackend::open(dir.path()).unwrap() }).await;
}

/// A store on this folder, and an account to ask it for.
struct Asked(FileStore, auth_core::Identity, auth_core::HttpRequest);

impl Asked {
    fn new(folder: FileBackend) -> Self {
        let host = auth_core::Endpoint::from_static("https://pay.example.com");
        let identity = auth_core::Identity::new("acme", &host, &["a"]);
        let request = auth_core::TokenRequest::post(&host).empty().unwrap();
        // No time passes while a call runs.
        let clock = auth_core::ManualClock::default();
        Self(SharedStore::unsealed(folder).clock(clock), identity, request)
    }

    async fn claim(&self) -> Claim {
        self.0.claim(&auth_core::Ask::new(&self.1, &self.2)).await
    }

    async fn settle(&self, lease: auth_core::Lease, life: Duration) {
        let offered = auth_core::Offered::new("Bearer", "made-up", &[], life, life);
        let ask = auth_core::Ask::new(&self.1, &self.2);
        let settled = self.0.settle(&ask, Some(lease), &offered).await;
        assert!(matches!(settled, auth_core::Settled::Kept(_)), "{settled:?}");
    }

    async fn left(&self) -> Option<Duration> {
        match self.claim().await {
            Claim::Token(token) => Some(token.left),
            _ => None,
        }
    }
}

#[tokio::test]
async fn no_clock_gives_a_token_more_time_than_it_has() {
    let life = SECOND * 300;
    for (wall_ahead, wall_back, boot, left) in [
        (Duration::ZERO, HOUR, SECOND * 100, Some(life - SECOND * 100)), // set back
        (HOUR, Duration::ZERO, SECOND * 100, None),                      // set ahead
        (SECOND * 100, Duration::ZERO, Duration::ZERO, Some(life - SECOND * 100)),
        (Duration::ZERO, Duration::ZERO, SECOND * 100, Some(life - SECOND * 100)),
        (Duration::ZERO, Duration::ZERO, HOUR, None), // suspended
    ] {
        let dir = Dir::new("time-store");
        let machine = Machine::new();
        let asked = Asked::new(machine.open(&dir));
        let Claim::Lease(lease) = asked.claim().await else { panic!("no lease") };
        asked.settle(lease, life).await;
        assert_eq!(asked.left().await, Some(life));
        machine.wall(|wall| wall + wall_ahead - wall_back);
        machine.boot(boot);
        assert_eq!(asked.left().await, left, "{wall_ahead:?} {wall_back:?} {boot:?}");
    }
}

#[tokio::test]
async fn locks_that_do_not_work_make_the_store_unavailable_and_nothing_else() {
    let dir = Dir::new("no-locks-store");
    FileBackend::open(dir.path()).unwrap().key().await.unwrap();
    let no_locks = |_: &fs::File| {
        Err(fs::TryLockError::Error(io::Error::from_raw_os_error(37))) // ENOLCK
    };
    let folder = Folder { try_lock: no_locks, ..dir.folder() };
    let asked = Asked::new(FileBackend::with(folder, Clocks::Machine));
    assert!(matches!(asked.claim().await, Claim::Unavailable));
}
