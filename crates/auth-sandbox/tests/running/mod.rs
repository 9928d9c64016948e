//! The program while it runs: it is ended when this is dropped.

// Each test file uses a part of this.
#![allow(dead_code)]
// A test measures by the machine's own clock how soon the program ends.
#![allow(clippy::disallowed_methods)]

use std::collections::HashMap;
use std::io::{BufRead as _, BufReader};
use std::process::{Child, ChildStderr, Command, Stdio};
use std::time::{Duration, Instant};

pub(crate) fn program() -> Command {
    Command::new(env!("CARGO_BIN_EXE_auth-sandbox"))
}

pub(crate) struct Running {
    child: Child,
    log: BufReader<ChildStderr>,
    pub(crate) printed: String,
    pub(crate) exports: HashMap<String, String>,
    /// The port of the control API.
    pub(crate) control: u16,
}

impl Running {
    /// On free ports, with these arguments.
    pub(crate) fn start(args: &[&str]) -> Self {
        Self::of(program(), args)
    }

    pub(crate) fn of(mut command: Command, args: &[&str]) -> Self {
        command.args(["--port", "0"]).args(args).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let (mut printed, mut exports, mut control) = (String::new(), HashMap::new(), 0);
        for line in BufReader::new(child.stdout.take().unwrap()).lines() {
            let line = line.unwrap();
            if let Some((name, value)) =
                line.strip_prefix("export ").and_then(|l| l.split_once('='))
            {
                exports.insert(name.to_owned(), value.to_owned());
            }
            if let Some(url) = line.strip_prefix("# control ") {
                let port = url.rsplit_once(':').unwrap().1.split('/').next().unwrap();
                control = port.parse().unwrap();
            }
            printed += &format!("{line}\n");
            if line.starts_with("# serving") {
                break;
            }
        }
        let log = BufReader::new(child.stderr.take().unwrap());
        Self { child, log, printed, exports, control }
    }

    /// The next line of its log.
    pub(crate) fn log_line(&mut self) -> String {
        let mut line = String::new();
        self.log.read_line(&mut line).unwrap();
        line
    }

    /// Sends SIGTERM and waits.
    #[cfg(unix)]
    pub(crate) fn ends_within(mut self, limit: Duration) {
        let begun = Instant::now();
        let sent = Command::new("kill").arg(self.child.id().to_string()).status();
        assert!(sent.unwrap().success());
        let status = loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                break status;
            }
            assert!(begun.elapsed() < limit, "it still runs");
            std::thread::sleep(Duration::from_millis(5));
        };
        assert!(status.success(), "{status}");
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // So that it removes the file of its authority.
        #[cfg(unix)]
        if Command::new("kill").arg(self.child.id().to_string()).status().is_ok() {
            let begun = Instant::now();
            while begun.elapsed() < Duration::from_secs(1) {
                if matches!(self.child.try_wait(), Ok(Some(_))) {
                    return;
                }
                std::thread::sleep(Duration::from_millis(5));
            }
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
