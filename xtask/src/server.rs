//! Programs that serve while a command works: the sandbox, and the registry of a rehearsal.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// A server that ends when it is dropped, and when this process ends in any other way.
#[derive(Debug)]
pub(crate) struct Server(Child);

impl Server {
    /// Starts it. What it complains of is logged.
    ///
    /// The shell around it waits for the end of a pipe that this process holds.
    pub(crate) fn start(program: &Path, args: &[&OsStr], log: &Path) -> Result<Self, String> {
        let log = File::create(log).map_err(|fault| format!("{}: {fault}", log.display()))?;
        let mut command = if cfg!(unix) {
            let mut shell = Command::new("sh");
            shell.args(["-c", "\"$@\" & cat >/dev/null; kill $!", "sh"]).arg(program);
            shell
        } else {
            Command::new(program)
        };
        command
            .args(args)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .map(Self)
            .map_err(|fault| format!("{}: {fault}", program.display()))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.0.stdin.take());
        if !cfg!(unix) {
            let _ = self.0.kill();
        }
        let _ = self.0.wait();
    }
}

/// `auth-sandbox` as a program, with what it says to export.
#[derive(Debug)]
pub(crate) struct Sandbox {
    pub(crate) variables: Vec<(String, String)>,
    _server: Server,
}

impl Sandbox {
    /// Starts the program, and waits until it serves.
    pub(crate) fn start(program: &Path) -> Result<Self, String> {
        let program = program.with_extension(std::env::consts::EXE_EXTENSION);
        let args = [OsStr::new("--port"), OsStr::new("0")];
        let mut server = Server::start(&program, &args, &program.with_extension("log"))?;
        let mut variables = Vec::new();
        for line in server.0.stdout.take().into_iter().flat_map(|out| BufReader::new(out).lines()) {
            let line = line.map_err(|fault| format!("the sandbox: {fault}"))?;
            variables.extend(exported(&line));
            if line.starts_with("# serving") {
                return Ok(Self { variables, _server: server });
            }
        }
        Err("the sandbox ended before it served: run `cargo run -p auth-sandbox`".to_owned())
    }
}

/// A variable that a line exports.
fn exported(line: &str) -> Option<(String, String)> {
    let (name, value) = line.strip_prefix("export ")?.split_once('=')?;
    Some((name.to_owned(), value.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_variable_is_what_a_line_exports() {
        let told = exported("export MANIS_BASE_URL=http://127.0.0.1:8084?a=b");
        let told = told.as_ref().map(|(name, value)| (name.as_str(), value.as_str()));
        assert_eq!(told, Some(("MANIS_BASE_URL", "http://127.0.0.1:8084?a=b")));
        assert_eq!(exported("# export DIGISHARE_PERSONAL_ACCESS_TOKEN=made-up"), None);
        assert_eq!(exported("# manis http://127.0.0.1:8084"), None);
    }
}
