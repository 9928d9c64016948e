//! `sandbox`: the five providers on loopback, and a command that is pointed at them.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};
use std::time::Duration;

use auth_sandbox::Sandbox;

use super::child::{find, without_secrets};
use super::{Call, block_on};
use crate::out::printable;
use crate::provider::Provider;
use crate::settings::CACHE_DIR;
use crate::stop::{CONFIG, NOT_RUN, Stop};
use crate::text::Text;

pub(crate) struct Options {
    pub(crate) port: u16,
    pub(crate) lifetime: Option<Duration>,
}

pub(crate) fn run(call: Call<'_>, options: Options, command: &[OsString]) -> Result<u8, Stop> {
    // Before the sandbox starts: its keys take a moment to make.
    let path = command.first().map(|name| find(name)).transpose()?;
    let mut builder = Sandbox::builder().port(options.port);
    if let Some(lifetime) = options.lifetime {
        builder = builder.token_lifetime(lifetime);
    }
    let sandbox = builder.start_blocking().map_err(|error| {
        let text = printable(&error.to_string());
        Stop::said(CONFIG, "Config", Text::SandboxFailed, Text::SandboxFailedDo, &[&text])
    })?;
    match (command.split_first(), path) {
        (Some((name, args)), Some(path)) => {
            let cache = Folder::new();
            let mut child = without_secrets(&path, name, args);
            // A real account's other settings would stand beside the made-up ones.
            for var in Provider::ALL.iter().flat_map(|provider| provider.vars()) {
                child.env_remove(var.name).env_remove(format!("{}_FILE", var.name));
            }
            for handle in sandbox.handles() {
                child.envs(handle.env());
            }
            child.env(CACHE_DIR, &cache.0);
            block_on(outlive(child, &path))?
        }
        _ => {
            call.out.data(announcement(call, &sandbox).as_bytes())?;
            loop {
                // Ctrl-C ends the process; nothing else needs cleaning up.
                std::thread::park();
            }
        }
    }
}

/// What a shell reads to be pointed at the sandbox.
fn announcement(call: Call<'_>, sandbox: &Sandbox) -> String {
    let mut text = String::new();
    for handle in sandbox.handles() {
        text.push_str(&format!("# {:<12} {}\n", handle.provider().name(), handle.base_url()));
    }
    for handle in sandbox.handles() {
        text.push('\n');
        for (name, value) in handle.env() {
            text.push_str(&format!("export {name}={value}\n"));
        }
    }
    text.push_str(&format!("\n{}\n", Text::SandboxServing.to(call.out.lang)));
    text
}

/// Waits for a command, and passes on what ends it. A terminal's Ctrl-C reaches the command too.
#[cfg(unix)]
async fn outlive(mut command: Command, path: &Path) -> Result<u8, Stop> {
    use rustix::process::{Pid, Signal, kill_process};
    use tokio::signal::unix::{SignalKind, signal};

    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut quit = signal(SignalKind::quit())?;
    let mut hangup = signal(SignalKind::hangup())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let mut ended = signal(SignalKind::child())?;
    // After that, so that a signal that comes at once is passed on too.
    let mut child = command.spawn().map_err(|error| not_run(path, &error))?;
    let id = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(code(status));
        }
        let passed = tokio::select! {
            _ = ended.recv() => None,
            _ = interrupt.recv() => None,
            _ = quit.recv() => None,
            _ = hangup.recv() => Some(Signal::HUP),
            _ = terminate.recv() => Some(Signal::TERM),
        };
        if let (Some(signal), Some(id)) = (passed, id) {
            // It may have ended meanwhile.
            let _ = kill_process(id, signal);
        }
    }
}

#[cfg(not(unix))]
async fn outlive(mut command: Command, path: &Path) -> Result<u8, Stop> {
    Ok(code(command.status().map_err(|error| not_run(path, &error))?))
}

fn not_run(path: &Path, error: &std::io::Error) -> Stop {
    let values = [printable(&path.to_string_lossy()), printable(&error.to_string())];
    let values: Vec<_> = values.iter().map(String::as_str).collect();
    Stop::said(NOT_RUN, "Command", Text::CommandNotRun, Text::CommandNotRunDo, &values)
}

/// The exit code as a shell shows it.
fn code(status: ExitStatus) -> u8 {
    #[cfg(unix)]
    if let Some(signal) = std::os::unix::process::ExitStatusExt::signal(&status) {
        return u8::try_from(128 + signal).unwrap_or(u8::MAX);
    }
    status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(1)
}

/// A cache of the sandbox's own, removed with it: its tokens are of no use to anybody else.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        let mut random = [0; 8];
        // Without randomness it is the process's number alone, and a folder of somebody else's is
        // refused when it is opened.
        let _ = getrandom::fill(&mut random);
        let name = format!("provider-auth-{}-{:x}", std::process::id(), u64::from_le_bytes(random));
        Self(std::env::temp_dir().join(name))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
