//! The folder, and its files: opened so that no link, pipe or file of another user is ever trusted.

use std::fs::{self, DirBuilder, File, Metadata, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use auth_core::{Error, ErrorKind};
use aws_lc_rs::rand::{SecureRandom as _, SystemRandom};

use super::lock::TryLock;

/// A temporary file that is older was left by a process that ended while it wrote.
const STALE: Duration = Duration::from_secs(60);
/// The most files that are looked at for stale ones, so that a large folder makes nobody wait.
const LOOKED_AT: usize = 10_000;

/// A folder that belongs to this user, and to nobody else.
#[derive(Debug)]
pub(super) struct Folder {
    path: PathBuf,
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

    pub(super) fn path(&self) -> &Path {
        &self.path
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

    /// Replaces a file with another one in one step, so that nobody sees half of it. `durable` also
    /// after a power failure.
    pub(super) fn replace(&self, name: &str, bytes: &[u8], durable: bool) -> Result<(), Error> {
        let mut random = [0; 8];
        let drawn = SystemRandom::new().fill(&mut random);
        drawn.map_err(|_| Error::new(ErrorKind::Store, "the system gave no random bytes"))?;
        let stem = name.strip_suffix(".rec").unwrap_or(name);
        let temp = self.file(&format!(".{stem}.{:016x}.tmp", u64::from_le_bytes(random)));
        let path = self.file(name);
        let write = || {
            let mut file = options().write(true).create_new(true).open(&temp)?;
            file.write_all(bytes)?;
            if durable {
                file.sync_all()?;
            }
            drop(file);
            rename(&temp, &path)
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

/// Refuses what others could have written or could read. Nothing is repaired silently: whoever had
/// access may have used it.
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
    let failed = failed("use", path, error);
    let kind = std::error::Error::source(&failed)
        .and_then(|cause| cause.downcast_ref::<io::Error>())
        .map(io::Error::kind);
    match kind {
        Some(
            Kind::PermissionDenied
            | Kind::ReadOnlyFilesystem
            | Kind::NotADirectory
            | Kind::AlreadyExists
            | Kind::InvalidInput
            | Kind::InvalidFilename,
        ) => Error::config(format!("{}: name a folder that can be made", failed.message())),
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

#[cfg(all(test, unix))]
pub(super) mod tests {
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    use super::*;

    /// A folder for one test, removed at its end.
    #[derive(Debug)]
    pub(in crate::file) struct Dir(PathBuf);

    impl Dir {
        pub(in crate::file) fn new(name: &str) -> Self {
            let path = Self::path_of(name);
            let _ = fs::remove_dir_all(&path);
            Self(path)
        }

        pub(in crate::file) fn path_of(name: &str) -> PathBuf {
            std::env::temp_dir().join(format!("auth-store-{name}-{}", std::process::id()))
        }

        pub(in crate::file) fn path(&self) -> &Path {
            &self.0
        }

        pub(in crate::file) fn folder(&self) -> Folder {
            Folder::open(&self.0).unwrap()
        }
    }

    impl Drop for Dir {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    pub(in crate::file) fn chmod(path: &Path, mode: u32) {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    }

    fn refused(path: &Path) -> String {
        let error = Folder::open(path).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config, "{error}");
        error.to_string()
    }

    #[test]
    fn a_folder_is_made_for_this_user_alone_with_its_parents() {
        let dir = Dir::new("folder-made");
        let deep = dir.path().join("a/b");
        Folder::open(&deep).unwrap();
        let mode = fs::metadata(&deep).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o700);
        Folder::open(&deep).unwrap();
    }

    #[test]
    fn a_folder_that_others_can_enter_is_refused_with_the_chmod_that_helps() {
        let dir = Dir::new("folder-open");
        dir.folder();
        for mode in [0o755, 0o770, 0o701, 0o710] {
            chmod(dir.path(), mode);
            let text = refused(dir.path());
            assert!(text.contains("chmod 700") && text.contains(&format!("{mode:04o}")), "{text}");
        }
        chmod(dir.path(), 0o700);
        dir.folder();
    }

    #[test]
    fn a_link_to_a_folder_is_refused_also_with_a_slash_behind_it() {
        let dir = Dir::new("folder-link");
        let (real, link) = (dir.path().join("real"), dir.path().join("link"));
        Folder::open(&real).unwrap();
        symlink(&real, &link).unwrap();
        for path in [link.clone(), link.join("")] {
            assert!(refused(&path).contains("symbolic link"), "{path:?}");
        }
        let dangling = dir.path().join("dangling");
        symlink(dir.path().join("nowhere"), &dangling).unwrap();
        assert!(refused(&dangling).contains("symbolic link"));
    }

    #[test]
    fn what_is_no_folder_is_refused() {
        let dir = Dir::new("folder-none");
        dir.folder();
        let file = dir.path().join("file");
        fs::write(&file, "").unwrap();
        assert!(refused(&file).contains("is not a folder"));
        assert!(refused(&file.join("below")).contains("name a folder that can be made"));
        assert!(refused(Path::new("")).contains("empty"));
    }

    #[test]
    fn a_folder_of_another_user_is_refused_with_the_chown_that_helps() {
        let dir = Dir::new("folder-foreign");
        dir.folder();
        if std::os::unix::fs::chown(dir.path(), Some(65_534), None).is_err() {
            println!("skipped: only root can give a folder away");
            return;
        }
        let text = refused(dir.path());
        assert!(text.contains("belongs to user 65534") && text.contains("chown"), "{text}");
    }

    #[test]
    fn only_stale_temporary_files_are_removed() {
        let dir = Dir::new("folder-sweep");
        let folder = dir.folder();
        let names = [".pa1.a.0000.tmp", "pa1.a.rec", "pa1.a.lock", "key", "b.tmp", ".c"];
        for name in names {
            fs::write(folder.file(name), "").unwrap();
        }
        let written = fs::metadata(folder.file("key")).unwrap().modified().unwrap();
        folder.sweep(written + Duration::from_secs(59));
        assert!(names.iter().all(|name| folder.file(name).exists()));
        folder.sweep(written + Duration::from_secs(62));
        let left: Vec<_> = names.iter().filter(|name| folder.file(name).exists()).collect();
        assert_eq!(left, names[1..].iter().collect::<Vec<_>>());
    }

    #[test]
    fn a_lock_file_that_is_something_else_is_refused() {
        let dir = Dir::new("folder-lock");
        let folder = dir.folder();
        let path = folder.file("a.lock");
        symlink("elsewhere", &path).unwrap();
        assert!(folder.open_lock(&path).unwrap_err().message().contains("not a regular file"));
        fs::remove_file(&path).unwrap();
        fs::create_dir(&path).unwrap();
        assert!(folder.open_lock(&path).unwrap_err().message().contains("not a regular file"));
        fs::remove_dir(&path).unwrap();
        folder.open_lock(&path).unwrap();
        chmod(&path, 0o644);
        assert!(folder.open_lock(&path).unwrap_err().message().contains("chmod 600"));
    }
}
