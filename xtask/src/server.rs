//! No tool serves while a command works: the sandbox, and the registry of a rehearsal.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// A server that ends when it is dropped; Ctrl-C reaches it as it reaches this process.
#[derive(Debug)]
pub(crate) struct Server(Child);

impl Server {
    /// Starts it. What it complains of is logged.
    pub(crate) fn start(program: &Path, args: &[&OsStr], log: &Path) -> Result<Self, String> {
        let started = File::create(log).and_then(|log| {
            Command::new(program).args(args).stdout(Stdio::piped()).stderr(log).spawn()
        });
        started.map(Self).map_err(|fault| format!("{}: {fault}", program.display()))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
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
            let exported = line.strip_prefix("export ").and_then(|line| line.split_once('='));
            variables.extend(exported.map(|(name, value)| (name.to_owned(), value.to_owned())));
            if line.starts_with("# serving") {
                return Ok(Self { variables, _server: server });
            }
        }
        Err("the sandbox ended before it served: run `cargo run -p auth-sandbox`".to_owned())
    }
}
