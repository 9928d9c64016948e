//! The folder, and its files: opened so that no link, pipe or file of another user is ever trusted.

use std::fs::{self, DirBuilder, File, Metadata, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use auth_core::{Error, ErrorKind};

use super::lock::TryLock;
use crate::random::fill;

/// A temporary file that is older was left by a process that ended while it wrote.
const STALE: Duration = Duration::from_secs(60);
/// The most files that are looked at for stale ones, so that a large folder makes nobody wait.
const LOOKED_AT: usize = 10_000;

/// A folder that belongs to this user, and to nobody else.
#[derive(Debug)]
pub(super) struct Folder {
    pub(super) path: PathBuf,
    pub(super) try_lock: TryLock,
}

impl Folder {
    /// Takes a folder, and makes it if it is not there. Fails if a person must act; a full disk may
    /// pass.
    pub(super) fn open(dir: &Path) -> Result<Self, Error> {
        // Absolute, since a process may change its working directory; without a slash at its end,
        // which would follow a link.
        let path = std::path::absolute(dir).map_err(|_| {
            Error::config("file store: the folder's name is empty or cannot be made absolute")
        })?;
        let folder = Self { path: path.components().collect(), try_lock: File::try_lock };
        match folder.check() {
            Err(error) if error.kind() == ErrorKind::Config => Err(error),
            _ => Ok(folder),
        }
    }

    pub(super) fn file(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// Checks that the folder is this user's alone, and makes it if it is not there.
    pub(super) fn check(&self) -> Result<(), Error> {
        let mut found = fs::symlink_metadata(&self.path);
        if matches!(&found, Err(error) if error.kind() == io::ErrorKind::NotFound) {
            make(&self.path).map_err(|error| unusable(&self.path, error))?;
            found = fs::symlink_metadata(&self.path);
        }
        let found = found.map_err(|error| unusable(&self.path, error))?;
        if found.is_symlink() {
            return Err(wrong(&self.path, "is a symbolic link: name the folder itself"));
        }
        if !found.is_dir() {
            return Err(wrong(&self.path, "is not a folder: name another one"));
        }
        private(&self.path, &found)
    }

    /// Opens a file for reading; `None` if there is none, or something that is not a regular file.
    pub(super) fn open_private(&self, path: &Path) -> Result<Option<(File, Metadata)>, Error> {
        let opened = options().read(true).open(path).and_then(|file| {
            let found = file.metadata()?;
            Ok((file, found))
        });
        match opened {
            Ok((_, found)) if !found.is_file() => Ok(None),
            Ok((file, found)) => private(path, &found).map(|()| Some((file, found))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => match fs::symlink_metadata(path) {
                Ok(found) if !found.is_file() => Ok(None),
                // Another user's, or of a mode that lets nobody in: say so.
                Ok(found) => private(path, &found).and(Err(failed("read", path, error))),
                Err(_) => Err(failed("read", path, error)),
            },
        }
    }

    /// Opens a lock file, and makes it, and the folder, if they are not there.
    pub(super) fn open_lock(&self, path: &Path) -> Result<File, Error> {
        let mut options = options();
        options.read(true).write(true).create(true);
        let opened = match options.open(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                self.check()?;
                options.open(path)
            }
            other => other,
        };
        let file = match opened {
            Ok(file) => file,
            Err(error) => {
                let found = fs::symlink_metadata(path).ok();
                found.map_or(Ok(()), |found| regular(path, &found))?;
                return Err(failed("open", path, error));
            }
        };
        let found = file.metadata().map_err(|error| failed("open", path, error))?;
        regular(path, &found).map(|()| file)
    }

    /// Whether this path still names this file.
    pub(super) fn is_still(&self, path: &Path, file: &File) -> bool {
        match (fs::symlink_metadata(path), file.metadata()) {
            (Ok(there), Ok(ours)) => same(&there, &ours),
            _ => false,
        }
    }

    /// Replaces a file with another one in one step, so that nobody sees half of it; if `durable`,
    /// also after a power failure a moment later.
    pub(super) fn replace(&self, name: &str, bytes: &[u8], durable: bool) -> Result<(), Error> {
        let mut random = [0; 8];
        fill(&mut random)?;
        let stem = name.strip_suffix(".rec").unwrap_or(name);
        let temp = self.file(&format!(".{stem}.{:016x}.tmp", u64::from_le_bytes(random)));
        let path = self.file(name);
        let write = || {
            let mut file = options().write(true).create_new(true).open(&temp)?;
            file.write_all(bytes)?;
            rename(&temp, &path)?;
            if durable {
                // Late, so that nobody waits for a busy disk: the file can be read already.
                let _ = file.sync_all();
            }
            Ok(())
        };
        write().map_err(|error| {
            let _ = fs::remove_file(&temp);
            failed("write", &path, error)
        })
    }

    /// Removes temporary files that were left behind.
    pub(super) fn sweep(&self, now: SystemTime) {
        let Ok(files) = fs::read_dir(&self.path) else { return };
        for file in files.take(LOOKED_AT).flatten() {
            let name = file.file_name();
            let is_temp =
                name.to_str().is_some_and(|name| name.starts_with('.') && name.ends_with(".tmp"));
            let changed = || file.metadata().and_then(|found| found.modified()).ok();
            let is_stale = |changed| now.duration_since(changed).is_ok_and(|age| age > STALE);
            if is_temp && changed().is_some_and(is_stale) {
                let _ = fs::remove_file(file.path());
            }
        }
    }
}

/// A failure that may pass.
pub(super) fn failed(what: &str, path: &Path, error: io::Error) -> Error {
    let text = format!("file store: cannot {what} {}: {error}", path.display());
    Error::new(ErrorKind::Store, text).with_source(error)
}

/// Something that a person must put right.
pub(super) fn wrong(path: &Path, what: &str) -> Error {
    Error::config(format!("file store: {} {what}", path.display()))
}

/// Refuses what others could have written or could read. Nothing is repaired silently: somebody
/// with access may have used it.
#[cfg(unix)]
pub(super) fn private(path: &Path, found: &Metadata) -> Result<(), Error> {
    use std::os::unix::fs::MetadataExt as _;

    let (user, owner) = (rustix::process::geteuid().as_raw(), found.uid());
    if owner != user {
        let text = format!(
            "belongs to user {owner}, and this process runs as user {user}: \
             chown it to user {user}, or remove it"
        );
        return Err(wrong(path, &text));
    }
    let mode = found.mode() & 0o777;
    if mode & 0o077 != 0 {
        let right = if found.is_dir() { "700" } else { "600" };
        let text = format!("is open to other users (mode {mode:04o}): chmod {right} it");
        return Err(wrong(path, &text));
    }
    Ok(())
}

/// The folder's access list, which its files inherit, decides.
#[cfg(not(unix))]
pub(super) fn private(_: &Path, _: &Metadata) -> Result<(), Error> {
    Ok(())
}

fn regular(path: &Path, found: &Metadata) -> Result<(), Error> {
    if found.is_file() {
        return private(path, found);
    }
    Err(wrong(path, "is not a regular file: remove it"))
}

#[cfg(unix)]
fn same(one: &Metadata, other: &Metadata) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    (one.dev(), one.ino()) == (other.dev(), other.ino())
}

/// A locked file cannot be removed.
#[cfg(not(unix))]
fn same(_: &Metadata, _: &Metadata) -> bool {
    true
}

#[cfg(unix)]
fn options() -> OpenOptions {
    use rustix::fs::OFlags;
    use std::os::unix::fs::OpenOptionsExt as _;

    let mut options = OpenOptions::new();
    // NONBLOCK: a pipe without a writer would hang. CLOEXEC is set by std, and here to say so.
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    options.mode(0o600).custom_flags(flags.bits().cast_signed());
    options
}

#[cfg(not(unix))]
fn options() -> OpenOptions {
    OpenOptions::new()
}

fn make(path: &Path) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}

/// Why the folder cannot be used: somebody's to put right, or a failure that may pass.
fn unusable(path: &Path, error: io::Error) -> Error {
    use io::ErrorKind as Kind;
    let kind = error.kind();
    let failed = failed("use", path, error);
    match kind {
        Kind::PermissionDenied
        | Kind::ReadOnlyFilesystem
        | Kind::NotADirectory
        | Kind::AlreadyExists
        | Kind::InvalidInput
        | Kind::InvalidFilename => {
            Error::config(format!("{}: name a folder that can be made", failed.message()))
        }
        _ => failed,
    }
}

#[cfg(not(windows))]
fn rename(from: &Path, to: &Path) -> io::Result<()> {
    fs::rename(from, to)
}

/// Virus scanners hold a new file for a moment.
#[cfg(windows)]
fn rename(from: &Path, to: &Path) -> io::Result<()> {
    for _ in 0..5 {
        match fs::rename(from, to) {
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
                std::thread::sleep(Duration::from_millis(10));
            }
            other => return other,
        }
    }
    fs::rename(from, to)
}

#[cfg(test)]
#[cfg(unix)]
pub(super) mod tests;
