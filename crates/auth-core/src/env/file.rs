//! The value of a `NAME_FILE`: a regular file, read into memory that is wiped.

use std::fs::File;
use std::io::{ErrorKind, Read as _};
use std::path::Path;

use secrecy::SecretString;
use zeroize::Zeroizing;

use super::seen::Stamp;

/// The longest file that is read.
const FILE_LIMIT: usize = 64 * 1024;

/// The end of the error about a file that is not there.
pub(super) const MISSING: &str = "(no such file)";

/// The file's text without one trailing line break, and its stamp from before it was read. An error
/// completes "`NAME_FILE` names".
pub(super) fn read(path: &Path) -> Result<(SecretString, Option<Stamp>), String> {
    // Checked before it is opened: opening a FIFO without a writer would hang.
    let kind = std::fs::metadata(path).map_err(unreadable)?;
    if kind.is_dir() {
        return Err("a directory: name the file in it".into());
    }
    if !kind.is_file() {
        return Err("a pipe, a socket or a device: only regular files are read".into());
    }
    let mut file = File::open(path).map_err(unreadable)?;
    let stamp = file.metadata().ok().as_ref().map(Stamp::of);
    // Allocated once, so that growing leaves no unwiped copy.
    let mut buffer = Zeroizing::new(vec![0; FILE_LIMIT.saturating_add(1)]);
    let mut count = 0_usize;
    while let Some(free) = buffer.get_mut(count..).filter(|free| !free.is_empty()) {
        match file.read(free) {
            Ok(0) => break,
            Ok(more) => count = count.saturating_add(more),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(unreadable(error)),
        }
    }
    if count > FILE_LIMIT {
        return Err("a file of over 64 KiB, which is too long for a secret".into());
    }
    text(buffer.get(..count).unwrap_or_default()).map(|text| (text, stamp))
}

fn text(bytes: &[u8]) -> Result<SecretString, String> {
    if bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff") {
        return Err("a file that begins with a byte order mark of UTF-16: save it as UTF-8".into());
    }
    let Ok(text) = std::str::from_utf8(bytes) else {
        return Err("a file that is not valid UTF-8".into());
    };
    if text.starts_with('\u{feff}') {
        return Err(
            "a file that begins with a byte order mark (U+FEFF): save it as UTF-8 without one"
                .into(),
        );
    }
    let text = text.strip_suffix('\n').map_or(text, |t| t.strip_suffix('\r').unwrap_or(t));
    if text.is_empty() { Err("an empty file".into()) } else { Ok(SecretString::from(text)) }
}

#[allow(clippy::needless_pass_by_value)] // for `map_err`
fn unreadable(error: std::io::Error) -> String {
    match error.kind() {
        ErrorKind::NotFound => format!("a file that cannot be read {MISSING}"),
        kind => format!("a file that cannot be read ({kind})"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(name: &str) -> std::path::PathBuf {
        let dir = std::env::temp_dir().join(format!("auth-core-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&dir).unwrap();
        dir
    }

    #[cfg(unix)]
    #[test]
    fn a_pipe_without_a_writer_is_refused_and_does_not_hang() {
        let dir = folder("pipe");
        let path = dir.join("pipe");
        assert!(std::process::Command::new("mkfifo").arg(&path).status().unwrap().success());
        let (done, answer) = std::sync::mpsc::channel();
        std::thread::spawn(move || done.send(read(&path).unwrap_err()));
        let fault = answer.recv_timeout(std::time::Duration::from_secs(5)).unwrap();
        assert_eq!(fault, "a pipe, a socket or a device: only regular files are read");
        std::fs::remove_dir_all(dir).unwrap();
    }

    #[test]
    fn a_file_that_cannot_be_read_is_reported_with_the_reason() {
        let dir = folder("unreadable");
        let fault = read(&dir.join("nowhere")).unwrap_err();
        assert_eq!(fault, "a file that cannot be read (no such file)");
        let fault = read(&dir).unwrap_err();
        assert_eq!(fault, "a directory: name the file in it");
        let fault = unreadable(ErrorKind::PermissionDenied.into());
        assert_eq!(fault, "a file that cannot be read (permission denied)");
        std::fs::remove_dir_all(dir).unwrap();
    }

    #[test]
    fn a_byte_order_mark_is_reported() {
        let dir = folder("mark");
        let path = dir.join("secret");
        for content in [&b"\xef\xbb\xbfs3cret\n"[..], b"\xff\xfes\0", b"\xfe\xff\0s"] {
            std::fs::write(&path, content).unwrap();
            let fault = read(&path).unwrap_err();
            assert!(fault.contains("byte order mark"), "{fault}");
        }
        std::fs::remove_dir_all(dir).unwrap();
    }

    #[test]
    fn a_file_is_read_up_to_its_limit_and_refused_past_it() {
        let dir = folder("limit");
        let path = dir.join("secret");
        std::fs::write(&path, "a".repeat(FILE_LIMIT)).unwrap();
        assert!(read(&path).is_ok());
        std::fs::write(&path, "a".repeat(FILE_LIMIT + 1)).unwrap();
        assert!(read(&path).unwrap_err().contains("over 64 KiB"));
        std::fs::remove_dir_all(dir).unwrap();
    }
}
