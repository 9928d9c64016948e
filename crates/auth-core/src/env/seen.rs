//! Which files were read, when, and whether they have changed since.

use std::collections::BTreeMap;
use std::fs::Metadata;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use crate::clock::{Clock as _, SystemClock};

/// What the readings of an [`Env`](crate::Env) saw.
#[derive(Debug, Default)]
pub(super) struct Seen {
    /// By the variable that names the file.
    files: BTreeMap<String, SeenFile>,
    /// Whether any setting was found.
    pub(super) any: bool,
}

#[derive(Debug)]
struct SeenFile {
    path: PathBuf,
    /// `None` if it could not be read.
    stamp: Option<Stamp>,
    at: SystemTime,
}

/// What changes when a file is written or replaced.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Stamp {
    modified: Option<SystemTime>,
    length: u64,
    /// Device and inode: a file that was moved into the place of another keeps its time.
    inode: Option<(u64, u64)>,
}

impl Stamp {
    pub(super) fn of(file: &Metadata) -> Self {
        #[cfg(unix)]
        let inode = {
            use std::os::unix::fs::MetadataExt as _;
            Some((file.dev(), file.ino()))
        };
        #[cfg(not(unix))]
        let inode = None;
        Self { modified: file.modified().ok(), length: file.len(), inode }
    }
}

impl Seen {
    pub(super) fn file(&mut self, variable: &str, path: &Path, stamp: Option<Stamp>) {
        let file = SeenFile { path: path.to_owned(), stamp, at: SystemClock.wall() };
        self.files.insert(variable.to_owned(), file);
    }

    /// Whether every file is still the one that was read.
    pub(super) fn is_unchanged(&self) -> bool {
        self.files.values().all(|file| {
            let now = std::fs::metadata(&file.path).ok();
            now.as_ref().map(Stamp::of) == file.stamp
        })
    }

    /// When the variable's file was read and last changed, if its value came from a file.
    pub(super) fn times(&self, variable: &str) -> Option<String> {
        let file = self.files.get(variable)?;
        let changed = file.stamp.as_ref()?.modified.map(|changed| {
            let changed = httpdate::fmt_http_date(changed.max(SystemTime::UNIX_EPOCH));
            format!(", last changed {changed}")
        });
        let read = httpdate::fmt_http_date(file.at.max(SystemTime::UNIX_EPOCH));
        Some(format!("{variable} read {read}{}", changed.unwrap_or_default()))
    }
}
