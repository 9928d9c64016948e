//! The program while it runs: it is ended when this is dropped.

// Each test file uses a part of this.
#![allow(dead_code)]
// A test measures by the machine's own clock how soon the program ends.
#![allow(clippy::disallowed_methods)]

use std::collections::HashMap;
use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{Child, ChildStderr, Command, Output, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::time::{Duration, Instant};

pub(crate) fn program() -> Command {
    Command::new(env!("CARGO_BIN_EXE_auth-sandbox"))
}

/// How long anything may take on a machine that has other work.
const LIMIT: Duration = Duration::from_secs(10);

/// What the program says with these arguments, which let it end by itself.
pub(crate) fn run(args: &[&str]) -> Output {
    let mut command = program();
    command.args(args);
    output(command)
}

fn output(mut command: Command) -> Output {
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let (id, begun) = (child.id(), Instant::now());
    let (done, waiting) = sync_channel::<()>(0);
    let watch = std::thread::spawn(move || {
        if waiting.recv_timeout(LIMIT) == Err(RecvTimeoutError::Timeout) {
            let _ = Command::new("kill").arg(id.to_string()).status();
        }
    });
    let output = child.wait_with_output().unwrap();
    drop(done);
    watch.join().unwrap();
    assert!(begun.elapsed() < LIMIT, "{command:?} did not end");
    output
}

pub(crate) struct Running {
    child: Child,
    log: Option<ChildStderr>,
    /// What reads it, once a test has asked for a line.
    lines: Option<Receiver<String>>,
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
        let log = child.stderr.take();
        Self { child, log, lines: None, printed, exports, control }
    }

    /// The next line of its log. A line more is read, and a buffer's worth, but nothing before the first call.
    pub(crate) fn log_line(&mut self) -> String {
        let lines = self.lines.get_or_insert_with(|| {
            let log = BufReader::new(self.log.take().unwrap());
            let (send, lines) = sync_channel(0);
            std::thread::spawn(move || log.lines().try_for_each(|line| send.send(line.unwrap())));
            lines
        });
        lines.recv_timeout(LIMIT).expect("no further line in the log")
    }

    /// What it has said on standard error when it ends.
    pub(crate) fn rest_of_the_log(mut self) -> String {
        let mut log = self.log.take().unwrap();
        drop(self);
        let mut text = String::new();
        log.read_to_string(&mut text).unwrap();
        text
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
