//! No tool stops a process and all that it started at the moment that counts.

use std::fs::File;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

use crate::steps::{now, read};

/// How long any one thing may take on a slow machine.
const PATIENCE: Duration = Duration::from_secs(900);

/// A process together with all that it starts.
#[derive(Debug)]
pub(super) struct Watched {
    child: Child,
    log: PathBuf,
}

impl Watched {
    /// Starts it, and keeps what it says.
    pub(super) fn start(mut command: Command, log: PathBuf) -> Result<Self, String> {
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        let file = File::create(&log).and_then(|file| {
            let (out, err) = (file.try_clone()?, file);
            command.stdin(Stdio::null()).stdout(out).stderr(err).spawn()
        });
        let child = file.map_err(|fault| format!("{}: {fault}", log.display()))?;
        Ok(Self { child, log })
    }

    /// Waits until something is so, perhaps of what it says; fails where it ends before.
    pub(super) fn until(&mut self, so: impl Fn(&str) -> bool) -> Result<(), String> {
        let began = now();
        loop {
            let ended = self.child.try_wait().ok().flatten();
            let told = read(&self.log)?;
            if so(&told) {
                return Ok(());
            }
            if ended.is_some() || now().duration_since(began) > PATIENCE {
                return Err(format!("it never came so far ({ended:?}):\n{told}"));
            }
            sleep(Duration::from_millis(20));
        }
    }

    /// Waits for its end, and gives what it said, as a fault where it failed.
    pub(super) fn finish(mut self) -> Result<String, String> {
        let status = self.child.wait();
        let told = read(&self.log)?;
        if status.is_ok_and(|status| status.success()) { Ok(told) } else { Err(told) }
    }

    /// Ends all of it, as Ctrl-C or a machine that goes down would (`-TERM`), or without a word
    /// (`-KILL`).
    pub(super) fn end(&mut self, signal: &str) {
        if self.child.try_wait().is_ok_and(|status| status.is_none()) {
            let group = format!("-{}", self.child.id());
            let ended = Command::new("kill").args([signal, "--", &group]).status();
            // Where there are no groups, or no such program.
            if !ended.is_ok_and(|status| status.success()) {
                let _ = self.child.kill();
            }
        }
        let _ = self.child.wait();
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        self.end("-KILL");
    }
}
