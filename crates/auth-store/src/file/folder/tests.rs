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
