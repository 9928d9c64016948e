//! A server in a child process, which is killed when this program ends in any way.

use std::fs::File;
use std::io;
use std::net::TcpListener;
#[cfg(unix)]
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// A shell leads the child's process group and reads from a pipe that this program holds open. When
/// the pipe closes (dropped, Ctrl-C, a panic, `kill -9` of this program), or when the child exits,
/// the shell kills the whole group.
const GUARD: &str = r#"("$@" </dev/null; kill -9 0) & cat >/dev/null; kill -9 0"#;

/// A running server.
pub(crate) struct Process(Child);

impl Process {
    /// Starts a program whose output goes to `log`.
    pub(crate) fn start(words: &[&str], envs: &[(&str, &str)], log: &Path) -> io::Result<Self> {
        let log = File::create(log)?;
        let mut command = Command::new("sh");
        #[cfg(unix)]
        command.process_group(0);
        let child = command
            .args(["-c", GUARD, "sh"])
            .args(words)
            .envs(envs.iter().copied())
            .stdin(Stdio::piped())
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()?;
        Ok(Self(child))
    }

    /// Whether it has exited.
    pub(crate) fn ended(&mut self) -> bool {
        !matches!(self.0.try_wait(), Ok(None))
    }

    /// Kills it and its children as `kill -9` does, and waits until they are gone.
    pub(crate) fn kill(&mut self) {
        drop(self.0.stdin.take());
        drop(self.0.wait());
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}

/// A free port on loopback.
pub(crate) fn free_port() -> io::Result<u16> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}

/// Runs a tool to its end. The error contains its output.
pub(crate) fn tool(command: &mut Command) -> Result<(), String> {
    let name = command.get_program().to_string_lossy().into_owned();
    let output =
        command.stdin(Stdio::null()).output().map_err(|fault| format!("{name}: {fault}"))?;
    if output.status.success() {
        return Ok(());
    }
    let said = [output.stdout, output.stderr].concat();
    Err(format!("{name} ended with {}:\n{}", output.status, String::from_utf8_lossy(&said)))
}

/// Whether a program runs with this argument.
pub(crate) fn has(program: &str, argument: &str) -> bool {
    tool(Command::new(program).arg(argument)).is_ok()
}
