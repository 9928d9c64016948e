//! The registry: a program from crates.io, built once and kept below `tools` in the target folder.

use std::fs;
use std::io::{self, Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread::sleep;
use std::time::Duration;

use serde_json::Value;

use crate::release::git;
use crate::server::Server;
use crate::steps::{cargo, output, run as succeed, target};

/// An ordinary registry with an index and uploads, for loopback; not a dependency of anything.
pub(super) const PROGRAM: &str = "cargo-http-registry";
const VERSION: &str = "0.1.8";

/// A registry that runs until it is dropped.
#[derive(Debug)]
pub(super) struct Registry {
    _server: Server,
    /// Its files.
    pub(super) folder: PathBuf,
    /// Host and port.
    pub(super) address: String,
}

impl Registry {
    /// Builds the program where it is not there yet, and starts it on an empty folder.
    pub(super) fn start(root: &Path, below: &Path) -> Result<Self, String> {
        let program = installed(root)?;
        emptied(below)?;
        let folder = below.join("registry");
        fs::create_dir_all(&folder).map_err(|fault| format!("{}: {fault}", folder.display()))?;
        let args = ["--addr".as_ref(), "127.0.0.1:0".as_ref(), folder.as_os_str()];
        let server = Server::start(&program, &args, &below.join("registry.log"))?;
        let mut registry = Self { _server: server, folder, address: String::new() };
        // It binds its port before its index is whole, and must be left alone until then: git's
        // lock would end it. It answers once all is there.
        for _ in 0..500 {
            if let Ok(config) = config(&registry.folder)
                && let Some(address) = text(&config, "api").strip_prefix("http://")
                && answers(address)
            {
                registry.address = address.to_owned();
                return Ok(registry);
            }
            sleep(Duration::from_millis(20));
        }
        Err(format!("{PROGRAM} did not start in 10 s"))
    }

    /// Where cargo finds the index.
    pub(super) fn index(&self) -> String {
        format!("http://{}/git", self.address)
    }

    /// Versions of crates in the index.
    pub(super) fn crates(&self) -> Result<usize, String> {
        let listed = output(git::git(&self.folder).args(["ls-files", "--others", "--cached"]))?;
        let entries = listed.lines().filter(|file| file.contains('/') && !file.ends_with(".crate"));
        let mut lines = 0;
        for entry in entries {
            let text = fs::read_to_string(self.folder.join(entry))
                .map_err(|fault| format!("{entry}: {fault}"))?;
            lines += text.lines().filter(|line| line.contains("\"vers\"")).count();
        }
        Ok(lines)
    }
}

/// Has cargo upload to another address, which passes on what it lets through. To be done anew
/// after each upload: the registry then sets its own address back.
pub(super) fn send_uploads_to(address: &str, folder: &Path) -> Result<(), String> {
    let mut config = config(folder)?;
    if let Some(api) = config.get_mut("api") {
        *api = Value::String(format!("http://{address}"));
    }
    fs::write(folder.join("config.json"), config.to_string())
        .map_err(|fault| format!("config.json: {fault}"))?;
    let name = ["-c", "user.name=Rehearsal", "-c", "user.email=rehearsal@localhost"];
    let words = ["commit", "--quiet", "--message", "Send uploads to the front", "config.json"];
    succeed(git::git(folder).args(name).args(words))?;
    succeed(git::git(folder).arg("update-server-info"))
}

fn config(folder: &Path) -> Result<Value, String> {
    let text = fs::read_to_string(folder.join("config.json"))
        .map_err(|fault| format!("config.json: {fault}"))?;
    serde_json::from_str(&text).map_err(|fault| format!("config.json: {fault}"))
}

/// Removes what an earlier rehearsal left. One that was killed may have left a process that still
/// writes there, until it finds its registry gone.
fn emptied(folder: &Path) -> Result<(), String> {
    let mut tries = 50;
    while folder.exists() {
        match fs::remove_dir_all(folder) {
            Err(fault) if tries == 0 => return Err(format!("{}: {fault}", folder.display())),
            _ => sleep(Duration::from_millis(200)),
        }
        tries -= 1;
    }
    Ok(())
}

/// Whether something there speaks HTTP.
fn answers(address: &str) -> bool {
    let asked = || -> io::Result<usize> {
        let mut stream = TcpStream::connect(address)?;
        stream.set_read_timeout(Some(Duration::from_secs(5)))?;
        stream.write_all(b"GET /git/config.json HTTP/1.0\r\n\r\n")?;
        stream.read(&mut [0])
    };
    asked().is_ok_and(|length| length > 0)
}

fn text<'a>(config: &'a Value, key: &str) -> &'a str {
    config.get(key).and_then(Value::as_str).unwrap_or_default()
}

fn installed(root: &Path) -> Result<PathBuf, String> {
    let tools = target().join("tools");
    let program = tools.join("bin").join(PROGRAM).with_extension(std::env::consts::EXE_EXTENSION);
    let told = Command::new(&program).arg("--version").output();
    let there = told.is_ok_and(|told| {
        String::from_utf8_lossy(&told.stdout).trim() == format!("{PROGRAM} {VERSION}")
    });
    if !there {
        println!("    building {PROGRAM} {VERSION}, once");
        let args = ["install", "--quiet", "--locked", "--debug", "--force", "--version", VERSION];
        let mut command = cargo(root);
        command.args(args).arg("--root").arg(&tools).arg(PROGRAM);
        succeed(command.env("CARGO_TARGET_DIR", tools.join("build")))?;
    }
    Ok(program)
}
