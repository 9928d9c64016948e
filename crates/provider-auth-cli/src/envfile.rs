//! A file of `NAME=value` lines: of `--env-file`, and of a profile. For its owner alone.

use std::fs::{self, File};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use crate::out::printable;
use crate::settings::config_folder;
use crate::stop::Stop;
use crate::text::Text;

/// The names and values of a file.
pub(crate) type Pairs = Vec<(String, Zeroizing<String>)>;

/// A longer file is not one of settings.
const LONGEST: u64 = 64 * 1024;

/// Reads a file that nobody else may read.
pub(crate) fn read(path: &Path) -> Result<Pairs, Stop> {
    let shown = path.display().to_string();
    let missing = |error: io::Error| {
        let cause = printable(&error.to_string());
        Stop::config(Text::EnvFileMissing, Text::EnvFileMissingDo, &[&shown, &cause])
    };
    let file = File::open(path).map_err(missing)?;
    private(&file, &shown)?;
    let mut text = Zeroizing::new(String::new());
    file.take(LONGEST).read_to_string(&mut text).map_err(missing)?;
    parse(&text, &shown)
}

/// Refuses a file that is another user's, or open to others.
#[cfg(unix)]
fn private(file: &File, shown: &str) -> Result<(), Stop> {
    use std::os::unix::fs::MetadataExt as _;
    let Ok(found) = file.metadata() else { return Ok(()) };
    if !found.is_file() {
        let values = [shown, "not a regular file"];
        return Err(Stop::config(Text::EnvFileMissing, Text::EnvFileMissingDo, &values));
    }
    if found.mode() & 0o077 != 0 {
        return Err(Stop::config(Text::EnvFileOpen, Text::EnvFileOpenDo, &[shown]));
    }
    if found.uid() != rustix::process::geteuid().as_raw() {
        return Err(Stop::config(Text::EnvFileOwner, Text::EnvFileOwnerDo, &[shown]));
    }
    Ok(())
}

/// The folder's access list protects it.
#[cfg(not(unix))]
fn private(_: &File, _: &str) -> Result<(), Stop> {
    Ok(())
}

/// Reads lines of `NAME=value`, with or without `export` and a pair of quotes. Values are never
/// shown.
pub(crate) fn parse(text: &str, shown: &str) -> Result<Pairs, Stop> {
    let mut pairs = Pairs::new();
    for (at, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let line = line.strip_prefix("export ").unwrap_or(line).trim_start();
        let pair = line.split_once('=').filter(|(name, _)| is_name(name));
        let Some((name, value)) = pair else {
            let number = (at + 1).to_string();
            return Err(Stop::config(Text::EnvFileLine, Text::EnvFileLineDo, &[shown, &number]));
        };
        pairs.push((name.to_owned(), Zeroizing::new(unquoted(value).to_owned())));
    }
    Ok(pairs)
}

/// Whether it can be a variable's name.
pub(crate) fn is_name(text: &str) -> bool {
    let mut bytes = text.bytes();
    bytes.next().is_some_and(|b| b.is_ascii_alphabetic() || b == b'_')
        && bytes.all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

fn unquoted(value: &str) -> &str {
    let within = |mark| value.strip_prefix(mark)?.strip_suffix(mark);
    within('\'').or_else(|| within('"')).unwrap_or(value)
}

/// Where a profile is.
pub(crate) fn profile(name: &str) -> Result<PathBuf, Stop> {
    let is_plain =
        !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b));
    if !is_plain {
        return Err(Stop::usage(Text::BadProfile, Text::SeeHelp, &["", ""]));
    }
    let folder = config_folder();
    let folder =
        folder.ok_or_else(|| Stop::config(Text::NoConfigFolder, Text::NoConfigFolderDo, &[]))?;
    Ok(folder.join(format!("{name}.env")))
}

/// Replaces a file as a whole: made for its owner alone, and renamed.
pub(crate) fn write(path: &Path, pairs: &Pairs) -> Result<(), Stop> {
    let failed = |error: io::Error| {
        let (shown, cause) = (path.display().to_string(), printable(&error.to_string()));
        Stop::config(Text::CannotWrite, Text::CannotWriteDo, &[&shown, &cause])
    };
    let mut text = Zeroizing::new(String::with_capacity(4_096));
    for (name, value) in pairs {
        text.push_str(name);
        text.push('=');
        // A value that begins and ends with a quote would lose both.
        let is_bare = unquoted(value) == value.as_str();
        let mark = if is_bare { "" } else { "\"" };
        text.push_str(mark);
        text.push_str(value);
        text.push_str(mark);
        text.push('\n');
    }
    if let Some(folder) = path.parent() {
        make_folder(folder).map_err(failed)?;
    }
    let fresh = path.with_extension(format!("env.{}", std::process::id()));
    let written = create(&fresh).and_then(|mut file| {
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        fs::rename(&fresh, path)
    });
    written.map_err(|error| {
        let _ = fs::remove_file(&fresh);
        failed(error)
    })
}

fn make_folder(folder: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.recursive(true).create(folder)
}

fn create(path: &Path) -> io::Result<File> {
    let mut options = File::options();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_read_as_people_write_them() {
        let text = "# a comment\n\nexport MANIS_SECRET='s=1'\n A_B = x\nC=\"q\"\nD=\n";
        let error = parse(text, "f").unwrap_err();
        assert!(matches!(error, Stop::Said { values, .. } if values == ["f", "4"]));
        let pairs = parse(&text.replace(" A_B = x\n", "A_B=x y\n"), "f").unwrap();
        let pairs: Vec<_> = pairs.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
        assert_eq!(pairs, [("MANIS_SECRET", "s=1"), ("A_B", "x y"), ("C", "q"), ("D", "")]);
    }

    #[test]
    fn what_is_written_is_read_again_and_is_for_its_owner_alone() {
        let folder = std::env::temp_dir().join(format!("provider-auth-env-{}", std::process::id()));
        let path = folder.join("a.env");
        let pair = |name: &str, value: &str| (name.to_owned(), Zeroizing::new(value.to_owned()));
        let pairs = vec![pair("A", "x"), pair("B", "'quoted'"), pair("C", "a b#c")];
        write(&path, &pairs).unwrap();
        assert_eq!(read(&path).unwrap(), pairs);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            let mode = fs::metadata(&path).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
            fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
            assert!(matches!(read(&path), Err(Stop::Said { what: Text::EnvFileOpen, .. })));
        }
        fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn a_profile_is_no_path() {
        for name in ["", "../x", "a/b", "a.b", "a b"] {
            assert!(matches!(profile(name), Err(Stop::Said { code: 2, .. })), "{name}");
        }
    }
}
