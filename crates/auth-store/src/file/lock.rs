//! Locks that end with their process: the kernel frees them, also after `kill -9`.

use std::fs::{File, TryLockError};
use std::io;
use std::thread::sleep;
use std::time::Duration;

use auth_core::Error;

use super::folder::{Folder, failed};

/// How a lock is taken, for tests of kernels and file systems that have none.
pub(super) type TryLock = fn(&File) -> Result<(), TryLockError>;

/// How often a lock file is opened again because somebody removed it meanwhile.
const REOPENED: usize = 8;
/// How long to wait for a lock that is held for one write: 50 ms in all.
const PAUSE: Duration = Duration::from_micros(500);
const PAUSES: usize = 100;

/// A lock, given back when it is dropped.
#[derive(Debug)]
pub(super) struct Guard(File);

impl Drop for Guard {
    fn drop(&mut self) {
        // Closing alone frees nothing while a forked child has the file open too.
        let _ = self.0.unlock();
    }
}

/// Tries to take the lock of this name; `None` if somebody else has it.
pub(super) fn take(folder: &Folder, name: &str) -> Result<Option<Guard>, Error> {
    let path = folder.file(name);
    for _ in 0..REOPENED {
        let file = folder.open_lock(&path)?;
        match locked(&file, folder.try_lock) {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Ok(None),
            Err(TryLockError::Error(error)) => return Err(failed("lock", &path, error)),
        }
        let guard = Guard(file);
        // A lock on a file that somebody removed keeps nobody out.
        if folder.is_still(&path, &guard.0) {
            return Ok(Some(guard));
        }
    }
    Err(failed("lock", &path, io::Error::other("somebody keeps removing it")))
}

/// Takes a lock that is held for one write only, and waits for it.
pub(super) fn wait(folder: &Folder, name: &str) -> Result<Guard, Error> {
    for _ in 0..PAUSES {
        if let Some(guard) = take(folder, name)? {
            return Ok(guard);
        }
        sleep(PAUSE);
    }
    let busy = io::Error::other("another process has held it for 50 ms: is it suspended?");
    Err(failed("lock", &folder.file(name), busy))
}

fn locked(file: &File, try_lock: TryLock) -> Result<(), TryLockError> {
    loop {
        match try_lock(file) {
            Err(TryLockError::Error(error)) if error.kind() == io::ErrorKind::Interrupted => {}
            other => return other,
        }
    }
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use std::os::fd::OwnedFd;
    use std::process::{Command, Stdio};
    use std::sync::atomic::{AtomicUsize, Ordering};

    use auth_core::ErrorKind;

    use super::super::folder::tests::{Dir, chmod};
    use super::*;

    #[test]
    fn one_lock_at_a_time_until_its_guard_is_dropped() {
        let dir = Dir::new("lock-one");
        let held = take(&dir.folder(), "a.lease").unwrap().unwrap();
        assert!(take(&dir.folder(), "a.lease").unwrap().is_none());
        assert!(take(&dir.folder(), "b.lease").unwrap().is_some());
        drop(held);
        assert!(take(&dir.folder(), "a.lease").unwrap().is_some());
    }

    #[test]
    fn a_forked_child_does_not_keep_a_lock_that_was_given_back() {
        let dir = Dir::new("lock-fork");
        let held = take(&dir.folder(), "a.lease").unwrap().unwrap();
        // The child has the very open file, as after a fork.
        let file = OwnedFd::from(held.0.try_clone().unwrap());
        let mut child = Command::new("sleep").arg("60").stdin(Stdio::from(file)).spawn().unwrap();
        assert!(take(&dir.folder(), "a.lease").unwrap().is_none());
        drop(held);
        let free = take(&dir.folder(), "a.lease").unwrap().is_some();
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(free);
    }

    #[test]
    fn a_lock_file_that_was_removed_keeps_nobody_out_and_lets_no_two_in() {
        let dir = Dir::new("lock-removed");
        let path = dir.path().join("a.lease");
        let old = take(&dir.folder(), "a.lease").unwrap().unwrap();
        std::fs::remove_file(&path).unwrap();
        let new = take(&dir.folder(), "a.lease").unwrap().unwrap();
        assert!(take(&dir.folder(), "a.lease").unwrap().is_none());
        drop(old);
        assert!(take(&dir.folder(), "a.lease").unwrap().is_none());
        drop(new);
    }

    #[test]
    fn a_lock_file_removed_while_it_is_being_locked_is_opened_again() {
        static CALLS: AtomicUsize = AtomicUsize::new(0);
        fn removed_twice(file: &File) -> Result<(), TryLockError> {
            file.try_lock()?;
            let call = CALLS.fetch_add(1, Ordering::Relaxed);
            let path = Dir::path_of("lock-raced").join("a.lease");
            if call < 2 {
                std::fs::remove_file(&path).map_err(TryLockError::Error)?;
            }
            if call == 1 {
                // Somebody else made one again.
                std::fs::write(&path, "").map_err(TryLockError::Error)?;
                chmod(&path, 0o600);
            }
            Ok(())
        }
        let dir = Dir::new("lock-raced");
        let folder = Folder { try_lock: removed_twice, ..dir.folder() };
        let held = take(&folder, "a.lease").unwrap().unwrap();
        assert_eq!(CALLS.load(Ordering::Relaxed), 3);
        assert!(take(&dir.folder(), "a.lease").unwrap().is_none());
        drop(held);
    }

    #[test]
    fn somebody_else_is_no_failure_an_interruption_is_tried_again_and_all_else_fails() {
        let dir = Dir::new("lock-errors");
        let with = |try_lock| Folder { try_lock, ..dir.folder() };
        let busy = with(|_| Err(TryLockError::WouldBlock));
        assert!(take(&busy, "a.lease").unwrap().is_none());

        static CALLS: AtomicUsize = AtomicUsize::new(0);
        let interrupted = with(|file| match CALLS.fetch_add(1, Ordering::Relaxed) {
            0..3 => Err(TryLockError::Error(io::ErrorKind::Interrupted.into())),
            _ => file.try_lock(),
        });
        assert!(take(&interrupted, "a.lease").unwrap().is_some());

        let no_locks: [TryLock; 5] = [
            |_| Err(TryLockError::Error(io::Error::from_raw_os_error(37))), // ENOLCK
            |_| Err(TryLockError::Error(io::Error::from_raw_os_error(38))), // ENOSYS
            |_| Err(TryLockError::Error(io::Error::from_raw_os_error(5))),  // EIO
            |_| Err(TryLockError::Error(io::Error::from_raw_os_error(9))),  // EBADF
            |_| Err(TryLockError::Error(io::ErrorKind::Unsupported.into())),
        ];
        for try_lock in no_locks {
            for error in [
                take(&with(try_lock), "a.lease").unwrap_err(),
                wait(&with(try_lock), "a.lock").unwrap_err(),
            ] {
                assert_eq!(error.kind(), ErrorKind::Store, "{error}");
            }
        }
    }

    #[test]
    fn a_lock_that_stays_busy_fails_and_does_not_hang() {
        let dir = Dir::new("lock-busy");
        let _held = take(&dir.folder(), "a.lock").unwrap().unwrap();
        let error = wait(&dir.folder(), "a.lock").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Store);
        assert!(error.message().contains("a.lock"), "{error}");
    }
}
