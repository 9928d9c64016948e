//! A folder as a store: one token for all processes of one user on one host, and no server to run.
//!
//! ```text
//! FOLDER (mode 0700)
//!   key               32 random bytes: what records are sealed with
//!   pa1.<43>.rec      a record, replaced as a whole
//!   pa1.<43>.lease    locked by the process that asks the provider
//!   pa1.<43>.lock     locked while a record is replaced
//! ```
//! The kernel frees the locks of a process that ends in any way, so a lease needs no span. Everything
//! may be removed at any time, which costs one request an account.

mod clock;
mod folder;
mod header;
mod key;
mod lock;
mod threads;

use std::fmt;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, UNIX_EPOCH};

use async_trait::async_trait;
use auth_core::secret::Charset;
use auth_core::{Env, Error};
use bytes::Bytes;

use self::clock::{Clocks, Moment, Written};
use self::folder::{Folder, failed};
use self::key::KeyFile;
use self::threads::Threads;
use crate::backend::{Backend, Lock, Snapshot};
use crate::key::{RecordName, StoreKey};
use crate::shared::SharedStore;

/// The longest file of a record.
const LONGEST: usize = 64 * 1024;
/// How often a store looks for temporary files that were left behind.
const SWEPT_EVERY: Duration = Duration::from_secs(60);

/// A store in a folder of this host, sealed with a key that stands in the folder.
///
/// ```
/// use auth_store::FileStore;
///
/// # let dir = std::env::temp_dir().join(format!("auth-store-doc-{}", std::process::id()));
/// let store = FileStore::open(&dir)?; // such as /run/my-service/tokens
/// # std::fs::remove_dir_all(dir).unwrap();
/// # Ok::<(), auth_core::Error>(())
/// ```
pub type FileStore = SharedStore<FileBackend>;

impl FileStore {
    /// Opens a store in this folder: [`FileBackend::open`].
    ///
    /// # Errors
    /// As that function.
    pub fn open(dir: impl AsRef<Path>) -> Result<Self, Error> {
        FileBackend::open(dir).map(Self::unsealed)
    }

    /// Opens the store of this user: [`FileBackend::user`].
    ///
    /// # Errors
    /// As that function.
    pub fn user() -> Result<Self, Error> {
        FileBackend::user().map(Self::unsealed)
    }
}

/// A folder of this host that keeps records and their key. Clones are the same folder.
///
/// The folder and its files belong to the user who runs the process, and nobody else may read them.
/// A folder, record or key that is another user's or open to others is refused with the `chown` or
/// `chmod` that helps. Everything else that is wrong with a record (cut off, changed, a link, a pipe)
/// makes it no record.
///
/// Records carry the time of the machine: its wall clock or, on Linux, the time since its start,
/// whichever has moved more. So no token becomes younger when somebody sets the clock back.
///
/// Files are read and written on tokio's blocking threads, at most four at once; on the caller's
/// thread where there is no tokio runtime. On a network file system locks depend on the server and
/// outlive a host that dies: use Redis there. On Windows it compiles and is unproven; the folder's
/// access list protects it.
///
/// ```
/// use auth_store::{Backend, FileBackend};
///
/// # #[tokio::main] async fn main() -> Result<(), auth_core::Error> {
/// # let dir = std::env::temp_dir().join(format!("auth-store-doc2-{}", std::process::id()));
/// let folder = FileBackend::open(&dir)?;
/// assert!(folder.key().await?.is_some());
/// # std::fs::remove_dir_all(dir).unwrap();
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct FileBackend {
    place: Arc<Place>,
    threads: Arc<Threads>,
}

/// All that the threads need.
struct Place {
    folder: Folder,
    clocks: Clocks,
    key: KeyFile,
    /// On the clock since the start, or the wall clock where there is none.
    swept: Mutex<Option<Duration>>,
}

impl FileBackend {
    /// Opens a folder, and makes it if it is not there: for this user alone, with its parents.
    ///
    /// # Errors
    /// [`ErrorKind::Config`](auth_core::ErrorKind::Config) if the folder cannot be made, is a
    /// symbolic link, belongs to another user, or is open to others. A disk that is full or does
    /// not answer is no error here: a program starts without its store.
    pub fn open(dir: impl AsRef<Path>) -> Result<Self, Error> {
        Ok(Self::with(Folder::open(dir.as_ref())?, Clocks::Machine))
    }

    /// Opens this user's own folder: `provider-auth` below `$XDG_RUNTIME_DIR` if that folder is this
    /// user's (it is in memory, and gone at logout), else below `$XDG_CACHE_HOME` or `~/.cache`; on
    /// Windows below `%LOCALAPPDATA%`.
    ///
    /// # Errors
    /// As [`open`](Self::open), and if none of these variables is set.
    pub fn user() -> Result<Self, Error> {
        Self::open(user_folder(&Env::process())?)
    }

    fn with(folder: Folder, clocks: Clocks) -> Self {
        let place = Place { folder, clocks, key: KeyFile::default(), swept: Mutex::default() };
        Self { place: Arc::new(place), threads: Arc::new(Threads::new()) }
    }

    /// Returns the folder. It may be removed at any time.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.place.folder.path
    }

    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Place) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let place = Arc::clone(&self.place);
        self.threads.run(move || work(&place)).await
    }
}

#[async_trait]
impl Backend for FileBackend {
    async fn read(&self, name: &RecordName) -> Result<Snapshot, Error> {
        let name = stem(name);
        self.run(move |place| {
            let now = place.clocks.now();
            Ok(match place.read(&name, now)? {
                Some((record, time)) => Snapshot::new(Some(record), time),
                None => Snapshot::new(None, now.wall),
            })
        })
        .await
    }

    async fn swap(
        &self,
        name: &RecordName,
        old: Option<&[u8]>,
        new: Option<&[u8]>,
        _keep: Duration,
    ) -> Result<bool, Error> {
        let name = stem(name);
        let (old, new) = (old.map(stamp), new.map(Bytes::copy_from_slice));
        self.run(move |place| place.swap(&name, old.as_ref(), new.as_deref())).await
    }

    async fn lock(&self, name: &RecordName) -> Result<Lock, Error> {
        let name = format!("{}.lease", stem(name));
        let guard = self.run(move |place| lock::take(&place.folder, &name)).await?;
        Ok(guard.map_or(Lock::Taken, Lock::held))
    }

    async fn key(&self) -> Result<Option<StoreKey>, Error> {
        self.run(|place| place.key.get(&place.folder).map(Some)).await
    }

    fn poll(&self) -> Duration {
        Duration::from_millis(30)
    }
}

impl Place {
    /// The record and its time; `None` if there is none, or none that is whole.
    fn read(&self, name: &str, now: Moment) -> Result<Option<(Bytes, Duration)>, Error> {
        let path = self.folder.file(&format!("{name}.rec"));
        let Some((file, _)) = self.folder.open_private(&path)? else { return Ok(None) };
        let mut bytes = Vec::new();
        let longest = u64::try_from(LONGEST).unwrap_or(u64::MAX);
        let read = file.take(longest.saturating_add(1)).read_to_end(&mut bytes);
        if read.map_err(|error| failed("read", &path, error))? > LONGEST {
            return Ok(None);
        }
        let whole = header::decode(&Bytes::from(bytes));
        Ok(whole.and_then(|(written, record)| Some((record, written.time_at(now)?))))
    }

    fn swap(&self, name: &str, old: Option<&Stamp>, new: Option<&[u8]>) -> Result<bool, Error> {
        let _held = lock::wait(&self.folder, &format!("{name}.lock"))?;
        let now = self.clocks.now();
        self.sweep(now);
        let there = self.read(name, now)?;
        if there.as_ref().map(|(record, _)| stamp(record)).as_ref() != old {
            return Ok(false);
        }
        let name = format!("{name}.rec");
        let path = self.folder.file(&name);
        let Some(new) = new else {
            return match std::fs::remove_file(&path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    Err(failed("remove", &path, error))
                }
                _ => Ok(true),
            };
        };
        // A record's time goes on when it is replaced, so that its instants keep their meaning.
        let time = there.map_or(now.wall, |(_, time)| time);
        let file = header::encode(Written { at: now, time }, new);
        if file.len() > LONGEST {
            return Err(failed("write", &path, io::Error::other("the record is over 64 KiB")));
        }
        self.folder.replace(&name, &file, false).map(|()| true)
    }

    fn sweep(&self, now: Moment) {
        let passed = now.boot.map_or(now.wall, |(_, since)| since);
        let mut swept = self.swept.lock().unwrap_or_else(PoisonError::into_inner);
        if swept.is_none_or(|swept| passed.abs_diff(swept) > SWEPT_EVERY) {
            *swept = Some(passed);
            self.folder.sweep(UNIX_EPOCH + now.wall);
        }
    }
}

impl fmt::Debug for FileBackend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("FileBackend").field(&self.path()).finish()
    }
}

/// What a record is known by: its first 16 bytes.
type Stamp = Vec<u8>;

fn stamp(record: impl AsRef<[u8]>) -> Stamp {
    record.as_ref().iter().take(16).copied().collect()
}

/// The beginning of a record's file names. Windows allows no colon.
fn stem(name: &RecordName) -> String {
    name.as_str().replace(':', ".")
}

fn user_folder(env: &Env) -> Result<PathBuf, Error> {
    const NAMES: [&str; 4] = ["XDG_RUNTIME_DIR", "XDG_CACHE_HOME", "HOME", "LOCALAPPDATA"];
    let read = env.read("auth-store", |vars| {
        Some(NAMES.map(|name| vars.optional_text(name, Charset::Text).map(PathBuf::from)))
    });
    // "All paths must be absolute", else to be ignored: XDG Base Directory Specification 0.8.
    let [runtime, cache, home, local] = read?.map(|path| path.filter(|path| path.is_absolute()));
    let cache = if cfg!(windows) { local } else { cache.or_else(|| Some(home?.join(".cache"))) };
    let folder = runtime.filter(|path| is_ours(path)).or(cache).ok_or_else(|| {
        let names = if cfg!(windows) { "LOCALAPPDATA" } else { "XDG_CACHE_HOME or HOME" };
        Error::config(format!("set {names} to a folder, or name the store's folder"))
    });
    Ok(folder?.join("provider-auth"))
}

/// Whether it is a folder of this user's: under `sudo` it is often somebody else's.
fn is_ours(path: &Path) -> bool {
    std::fs::metadata(path)
        .is_ok_and(|found| found.is_dir() && folder::private(path, &found).is_ok())
}

#[cfg(test)]
#[cfg(unix)]
mod tests;
