//! The folder's key: 32 random bytes in the file `key`, made by the first process that needs them.
//!
//! It is looked at again at each claim. If the folder was wiped, all processes must find the new key:
//! one that kept the old one would share with nobody until it is started anew.

use std::fs::{self, Metadata};
use std::io::Read as _;
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::thread::sleep;
use std::time::{Duration, SystemTime};

use auth_core::Error;
use zeroize::Zeroizing;

use super::folder::{Folder, failed, private, wrong};
use super::lock;
use crate::key::StoreKey;
use crate::random::fill;

const NAME: &str = "key";
/// How long to wait for a process that makes the key: 200 ms in all.
const PAUSE: Duration = Duration::from_millis(1);
const PAUSES: usize = 200;

/// The key as it was read last.
#[derive(Debug, Default)]
pub(super) struct KeyFile(Mutex<Option<(Stamp, StoreKey)>>);

/// What changes when the file is replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Stamp {
    modified: Option<SystemTime>,
    inode: Option<(u64, u64)>,
}

impl Stamp {
    fn of(found: &Metadata) -> Self {
        #[cfg(unix)]
        let inode = {
            use std::os::unix::fs::MetadataExt as _;
            Some((found.dev(), found.ino()))
        };
        #[cfg(not(unix))]
        let inode = None;
        Self { modified: found.modified().ok(), inode }
    }
}

impl KeyFile {
    /// Returns the folder's key, and makes the folder and the key if they are not there.
    pub(super) fn get(&self, folder: &Folder) -> Result<StoreKey, Error> {
        folder.check()?;
        for _ in 0..PAUSES {
            if let Some(key) = self.read(folder)? {
                return Ok(key);
            }
            let Some(_held) = lock::take(folder, "key.lock")? else {
                sleep(PAUSE);
                continue;
            };
            // Another process may have made it before this one had the lock.
            if fs::symlink_metadata(folder.file(NAME)).is_err() {
                make(folder)?;
            }
        }
        let busy = "another process has been making it for 200 ms: is it suspended?";
        Err(failed("make", &folder.file(NAME), std::io::Error::other(busy)))
    }

    fn read(&self, folder: &Folder) -> Result<Option<StoreKey>, Error> {
        let path = folder.file(NAME);
        let found = match fs::symlink_metadata(&path) {
            Ok(found) => found,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(failed("read", &path, error)),
        };
        if !found.is_file() {
            return Err(unfit(&path, "is not a regular file"));
        }
        private(&path, &found)?;
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, key)) = known.as_ref().filter(|(stamp, _)| *stamp == Stamp::of(&found)) {
            return Ok(Some(key.clone()));
        }
        let Some((file, found)) = folder.open_private(&path)? else { return Ok(None) };
        let mut bytes = Zeroizing::new([0; 33]);
        let mut count = 0;
        let mut file = file.take(33);
        while let Some(free) = bytes.get_mut(count..).filter(|free| !free.is_empty()) {
            match file.read(free) {
                Ok(0) => break,
                Ok(more) => count = count.saturating_add(more),
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(error) => return Err(failed("read", &path, error)),
            }
        }
        let key = match (count, bytes.first_chunk::<32>()) {
            (32, Some(key)) => Zeroizing::new(*key),
            _ => return Err(unfit(&path, "has not 32 bytes")),
        };
        if key.iter().all(|byte| *byte == 0) {
            return Err(unfit(&path, "is all zero"));
        }
        let key = StoreKey::new(*key);
        *known = Some((Stamp::of(&found), key.clone()));
        Ok(Some(key))
    }
}

fn make(folder: &Folder) -> Result<(), Error> {
    let mut key = Zeroizing::new([0; 32]);
    fill(&mut *key)?;
    // Durable, unlike records: an empty one would have to be removed by hand.
    folder.replace(NAME, &*key, true)
}

fn unfit(path: &Path, what: &str) -> Error {
    wrong(path, &format!("{what}: remove it, and a new key is made"))
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use std::fs::{File, TryLockError};
    use std::os::unix::fs::{MetadataExt as _, symlink};
    use std::sync::Barrier;

    use auth_core::ErrorKind;

    use super::super::folder::tests::{Dir, chmod};
    use super::*;

    /// The bytes of the key file; `StoreKey` does not show its own.
    fn bytes(dir: &Dir) -> Vec<u8> {
        fs::read(dir.path().join(NAME)).unwrap()
    }

    fn known(key: &KeyFile) -> Option<Stamp> {
        key.0.lock().unwrap().as_ref().map(|(stamp, _)| *stamp)
    }

    #[test]
    fn a_key_is_made_once_for_this_user_alone_and_read_by_all() {
        let dir = Dir::new("key-made");
        let (one, two) = (KeyFile::default(), KeyFile::default());
        one.get(&dir.folder()).unwrap();
        let made = bytes(&dir);
        two.get(&dir.folder()).unwrap();
        one.get(&dir.folder()).unwrap();
        assert_eq!((made.len(), &made), (32, &bytes(&dir)));
        assert!(made.iter().any(|byte| *byte != 0));
        assert_eq!(known(&one), known(&two));
        let found = fs::metadata(dir.path().join(NAME)).unwrap();
        assert_eq!(found.mode() & 0o777, 0o600);
        let left: Vec<_> = fs::read_dir(dir.path()).unwrap().flatten().collect();
        assert_eq!(left.len(), 2, "{left:?}");
    }

    #[test]
    fn many_that_start_at_once_end_with_one_key() {
        for round in 0..20 {
            let dir = Dir::new(&format!("key-race-{round}"));
            let barrier = Barrier::new(16);
            let keys: Vec<_> = std::thread::scope(|scope| {
                let start = || {
                    let key = KeyFile::default();
                    let folder = dir.folder();
                    barrier.wait();
                    key.get(&folder).unwrap();
                    known(&key).unwrap()
                };
                let threads: Vec<_> = (0..16).map(|_| scope.spawn(start)).collect();
                threads.into_iter().map(|thread| thread.join().unwrap()).collect()
            });
            assert!(keys.iter().all(|key| Some(key) == keys.first()), "{keys:?}");
        }
    }

    #[test]
    fn a_key_that_another_process_made_meanwhile_is_not_replaced() {
        fn made_meanwhile(file: &File) -> Result<(), TryLockError> {
            let path = Dir::path_of("key-meanwhile").join(NAME);
            fs::write(&path, [9; 32]).map_err(TryLockError::Error)?;
            chmod(&path, 0o600);
            file.try_lock()
        }
        let dir = Dir::new("key-meanwhile");
        let folder = Folder { try_lock: made_meanwhile, ..dir.folder() };
        KeyFile::default().get(&folder).unwrap();
        assert_eq!(bytes(&dir), [9; 32]);
    }

    #[test]
    fn a_folder_that_is_opened_to_others_later_is_refused_from_then_on() {
        let dir = Dir::new("key-folder");
        let (folder, key) = (dir.folder(), KeyFile::default());
        key.get(&folder).unwrap();
        chmod(dir.path(), 0o750);
        assert!(key.get(&folder).unwrap_err().message().contains("chmod 700"));
    }

    #[test]
    fn a_key_that_was_removed_or_replaced_is_made_or_read_anew() {
        let dir = Dir::new("key-wiped");
        let (key, path) = (KeyFile::default(), dir.path().join(NAME));
        key.get(&dir.folder()).unwrap();
        let (first, seen) = (bytes(&dir), known(&key));
        fs::remove_file(&path).unwrap();
        key.get(&dir.folder()).unwrap();
        assert!(bytes(&dir) != first && known(&key) != seen);

        let seen = known(&key);
        let other = dir.path().join("other");
        fs::write(&other, [7; 32]).unwrap();
        chmod(&other, 0o600);
        fs::rename(&other, &path).unwrap();
        key.get(&dir.folder()).unwrap();
        assert!(known(&key) != seen && bytes(&dir) == [7; 32]);

        let folder = dir.folder();
        fs::remove_dir_all(dir.path()).unwrap();
        key.get(&folder).unwrap();
        assert_eq!(bytes(&dir).len(), 32);
    }

    #[test]
    fn a_key_that_cannot_be_one_is_refused_by_name_with_the_way_out() {
        let dir = Dir::new("key-unfit");
        let (folder, path) = (dir.folder(), dir.path().join(NAME));
        let refused = |says: &str| {
            let error = KeyFile::default().get(&folder).unwrap_err();
            let text = error.to_string();
            assert_eq!(error.kind(), ErrorKind::Config);
            assert!(text.contains(path.to_str().unwrap()) && text.contains(says), "{text}");
        };
        for (content, says) in [
            (&[][..], "has not 32 bytes: remove it"),
            (&[1; 31], "has not 32 bytes"),
            (&[1; 33], "has not 32 bytes"),
            (&[1; 4_000], "has not 32 bytes"),
            (&[0; 32], "is all zero: remove it"),
        ] {
            fs::write(&path, content).unwrap();
            chmod(&path, 0o600);
            refused(says);
        }
        fs::write(&path, [1; 32]).unwrap();
        for mode in [0o644, 0o660] {
            chmod(&path, mode);
            refused("chmod 600");
        }
        fs::remove_file(&path).unwrap();
        symlink("/dev/zero", &path).unwrap();
        refused("is not a regular file: remove it");
        fs::remove_file(&path).unwrap();
        fs::create_dir(&path).unwrap();
        refused("is not a regular file");
    }

    #[test]
    fn a_key_that_is_opened_to_others_later_is_refused_from_then_on() {
        let dir = Dir::new("key-opened");
        let (folder, key) = (dir.folder(), KeyFile::default());
        key.get(&folder).unwrap();
        chmod(&dir.path().join(NAME), 0o640);
        assert!(key.get(&folder).unwrap_err().message().contains("chmod 600"));
    }

    #[test]
    fn a_key_of_another_user_is_refused() {
        let dir = Dir::new("key-foreign");
        let (folder, path) = (dir.folder(), dir.path().join(NAME));
        fs::write(&path, [1; 32]).unwrap();
        chmod(&path, 0o600);
        if std::os::unix::fs::chown(&path, Some(65_534), None).is_err() {
            println!("skipped: only root can give a file away");
            return;
        }
        let error = KeyFile::default().get(&folder).unwrap_err();
        assert!(error.message().contains("belongs to user 65534"), "{error}");
    }
}
