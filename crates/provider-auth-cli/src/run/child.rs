//! Commands that get a token: found before a token is fetched, without our secrets, and with no
//! descriptor but the one that was asked for.

use std::ffi::{OsStr, OsString};
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::out::printable;
use crate::provider::Provider;
use crate::settings::variable;
use crate::stop::{NOT_FOUND, NOT_RUN, Stop};
use crate::text::Text;

/// Finds a command as a shell does.
pub(crate) fn find(command: &OsStr) -> Result<PathBuf, Stop> {
    let shown = printable(&command.to_string_lossy());
    let is_path = Path::new(command).components().count() > 1
        || command.to_string_lossy().contains(std::path::MAIN_SEPARATOR);
    let mut denied = None;
    let candidates: Vec<PathBuf> = if is_path {
        vec![PathBuf::from(command)]
    } else {
        let path = variable("PATH").unwrap_or_else(|| "/usr/local/bin:/usr/bin:/bin".to_owned());
        let folders = std::env::split_paths(&path);
        folders.map(|folder| folder.join(command)).collect()
    };
    for path in candidates {
        match runnable(&path) {
            Ok(()) => return Ok(path),
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => denied = Some(error),
            Err(_) => {}
        }
    }
    Err(match denied {
        Some(error) => not_run(&shown, &error),
        None => {
            let (what, advice) = (Text::CommandNotFound, Text::CommandNotFoundDo);
            Stop::said(NOT_FOUND, "Command", what, advice, &[&shown])
        }
    })
}

#[cfg(unix)]
fn runnable(path: &Path) -> io::Result<()> {
    let denied = || io::Error::from(io::ErrorKind::PermissionDenied);
    if !std::fs::metadata(path)?.is_file() {
        return Err(denied());
    }
    Ok(rustix::fs::access(path, rustix::fs::Access::EXEC_OK)?)
}

#[cfg(not(unix))]
fn runnable(path: &Path) -> io::Result<()> {
    std::fs::metadata(path)
        .map(drop)
        .or_else(|_| std::fs::metadata(path.with_extension("exe")).map(drop))
}

fn not_run(shown: &str, error: &io::Error) -> Stop {
    let cause = printable(&error.to_string());
    let (what, advice) = (Text::CommandNotRun, Text::CommandNotRunDo);
    Stop::said(NOT_RUN, "Command", what, advice, &[shown, &cause])
}

/// A command without the secrets of any provider and of a store.
pub(crate) fn without_secrets(path: &Path, name: &OsStr, args: &[OsString]) -> Command {
    let mut child = Command::new(path);
    #[cfg(unix)]
    std::os::unix::process::CommandExt::arg0(&mut child, name);
    #[cfg(not(unix))]
    let _ = name;
    child.args(args);
    for var in Provider::ALL.iter().flat_map(|provider| provider.vars()) {
        if var.is_secret {
            child.env_remove(var.name);
            child.env_remove(format!("{}_FILE", var.name));
        }
    }
    // Names alone: no value is looked at.
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("AUTH_STORE_") {
            child.env_remove(name);
        }
    }
    child
}

/// Becomes the command: its signals, its exit code, its process id.
#[cfg(unix)]
pub(crate) fn become_it(mut child: Command) -> Result<u8, Stop> {
    let error = std::os::unix::process::CommandExt::exec(&mut child);
    let shown = printable(&child.get_program().to_string_lossy());
    Err(match error.kind() {
        io::ErrorKind::NotFound => Stop::said(
            NOT_FOUND,
            "Command",
            Text::CommandNotFound,
            Text::CommandNotFoundDo,
            &[&shown],
        ),
        _ => not_run(&shown, &error),
    })
}

/// Runs the command and takes over its exit code.
#[cfg(not(unix))]
pub(crate) fn become_it(mut child: Command) -> Result<u8, Stop> {
    let shown = printable(&child.get_program().to_string_lossy());
    let status = child.status().map_err(|error| not_run(&shown, &error))?;
    Ok(status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(1))
}

/// A pipe that already holds what a child reads: the end that it inherits.
#[cfg(unix)]
pub(crate) fn filled_pipe(bytes: &[u8]) -> Result<rustix::fd::OwnedFd, Stop> {
    use rustix::io::{FdFlags, fcntl_setfd};
    use rustix::pipe::{PipeFlags, pipe_with};
    let failed = |error: rustix::io::Errno| {
        let (what, advice) = (Text::OutputFailed, Text::OutputFailedDo);
        let cause = io::Error::from(error).to_string();
        Stop::said(crate::stop::OUTPUT, "Output", what, advice, &[&cause])
    };
    let (read, write) = pipe_with(PipeFlags::CLOEXEC | PipeFlags::NONBLOCK).map_err(failed)?;
    let mut rest = bytes;
    while !rest.is_empty() {
        // A token has 16 KiB at most, and a pipe holds 64. Where it holds less, this fails instead
        // of waiting for a reader that is not there yet.
        let written = rustix::io::write(&write, rest).map_err(failed)?;
        rest = rest.get(written..).unwrap_or_default();
    }
    let flags = rustix::fs::fcntl_getfl(&read).map_err(failed)?;
    rustix::fs::fcntl_setfl(&read, flags - rustix::fs::OFlags::NONBLOCK).map_err(failed)?;
    fcntl_setfd(&read, FdFlags::empty()).map_err(failed)?;
    Ok(read)
}
