//! Processes that are watched, stopped and killed.

use std::io::{BufRead as _, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, sleep};
use std::time::Duration;

/// A process together with all that it starts.
#[derive(Debug)]
pub(super) struct Group {
    command: Command,
    child: Option<Child>,
    told: Arc<Mutex<String>>,
}

impl Group {
    /// A program that will be watched.
    pub(super) fn new(program: &Path) -> Self {
        let mut command = Command::new(program);
        command.stdin(Stdio::null());
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        Self { command, child: None, told: Arc::default() }
    }

    /// What will be started.
    pub(super) fn command(&mut self) -> &mut Command {
        &mut self.command
    }

    /// Starts it, and keeps what it says.
    pub(super) fn start(mut self) -> Result<Self, String> {
        self.command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child =
            self.command.spawn().map_err(|fault| format!("could not start: {fault}"))?;
        for pipe in [
            child.stdout.take().map(|pipe| Box::new(pipe) as Box<dyn Read + Send>),
            child.stderr.take().map(|pipe| Box::new(pipe) as Box<dyn Read + Send>),
        ] {
            let told = Arc::clone(&self.told);
            let Some(pipe) = pipe else { continue };
            thread::spawn(move || {
                for line in BufReader::new(pipe).lines().map_while(Result::ok) {
                    let mut told = told.lock().unwrap_or_else(PoisonError::into_inner);
                    told.push_str(&line);
                    told.push('\n');
                }
            });
        }
        self.child = Some(child);
        Ok(self)
    }

    /// What it has said so far.
    pub(super) fn told(&self) -> String {
        self.told.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Waits until it says something.
    pub(super) fn says(&mut self, text: &str, patience: Duration) -> Result<(), String> {
        let told = Arc::clone(&self.told);
        self.until(
            move || told.lock().unwrap_or_else(PoisonError::into_inner).contains(text),
            patience,
        )
    }

    /// Waits until something is so, and fails where the process ends before.
    pub(super) fn until(
        &mut self,
        so: impl Fn() -> bool,
        patience: Duration,
    ) -> Result<(), String> {
        let pause = Duration::from_millis(20);
        let mut waited = Duration::ZERO;
        while !so() {
            let ended = self.child.as_mut().and_then(|child| child.try_wait().ok().flatten());
            if let Some(status) = ended.filter(|_| !so()) {
                sleep(pause); // its last words
                return Err(format!("ended with {status} before it was stopped:\n{}", self.told()));
            }
            if waited >= patience {
                return Err(format!("never came so far:\n{}", self.told()));
            }
            sleep(pause);
            waited += pause;
        }
        Ok(())
    }

    /// Ends all of it, as Ctrl-C or a machine that goes down would.
    pub(super) fn stop(&mut self) -> Result<(), String> {
        self.end("-TERM")
    }

    /// Ends all of it without a word.
    pub(super) fn kill(&mut self) -> Result<(), String> {
        self.end("-KILL")
    }

    fn end(&mut self, signal: &str) -> Result<(), String> {
        let Some(mut child) = self.child.take() else { return Ok(()) };
        if cfg!(unix) {
            let group = format!("-{}", child.id());
            let _ = Command::new("kill").args([signal, "--", &group]).status();
        } else {
            let _ = child.kill();
        }
        child.wait().map(drop).map_err(|fault| format!("would not end: {fault}"))
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        let _ = self.kill();
    }
}

/// Marks a file as a program.
pub(super) fn make_executable(path: &Path) -> std::io::Result<()> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755))?;
    }
    let _ = path;
    Ok(())
}
