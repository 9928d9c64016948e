//! `cargo-http-registry` is a registry for loopback; what it uploads to must be set again and again.

use std::io::{self, Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::Duration;

use serde_json::Value;

use crate::server::Server;
use crate::steps::{output, read, run as succeed, tool, write};
use crate::workspace::git;

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
    /// Starts it on an empty folder.
    pub(super) fn start(below: &Path) -> Result<Self, String> {
        let program = tool("cargo-http-registry", "0.1.8")?;
        // A rehearsal that was killed may have left a process that still writes there, until it
        // finds its registry gone.
        for _ in 0..50 {
            if below.exists() && std::fs::remove_dir_all(below).is_err() {
                sleep(Duration::from_millis(200));
            }
        }
        let folder = below.join("registry");
        std::fs::create_dir_all(&folder)
            .map_err(|fault| format!("{}: {fault}", folder.display()))?;
        let args = ["--addr".as_ref(), "127.0.0.1:0".as_ref(), folder.as_os_str()];
        let server = Server::start(&program, &args, &below.join("registry.log"))?;
        // It binds its port before its index is whole, and must be left alone until then: git's
        // lock would end it. It answers once all is there.
        for _ in 0..500 {
            let config = config(&folder).unwrap_or_default();
            let address = config["api"].as_str().and_then(|api| api.strip_prefix("http://"));
            if let Some(address) = address.filter(|address| answers(address)) {
                println!("    it listens at {address}");
                return Ok(Self { _server: server, folder, address: address.to_owned() });
            }
            sleep(Duration::from_millis(20));
        }
        Err("cargo-http-registry did not start in 10 s".to_owned())
    }

    /// Where cargo finds the index.
    pub(super) fn index(&self) -> String {
        format!("http://{}/git", self.address)
    }

    /// Versions of crates in the index.
    pub(super) fn crates(&self) -> Result<usize, String> {
        let listed = output(git(&self.folder).args(["ls-files", "--others", "--cached"]))?;
        let files = listed.lines().filter(|file| file.contains('/') && !file.ends_with(".crate"));
        let texts = files.map(|file| read(&self.folder.join(file)));
        texts.map(|text| Ok(text?.matches("\"vers\"").count())).sum()
    }
}

/// Has cargo upload to another address, which passes on what it lets through. To be done anew
/// after each upload: the registry then sets its own address back.
pub(super) fn send_uploads_to(address: &str, folder: &Path) -> Result<(), String> {
    let mut config = config(folder)?;
    config["api"] = Value::String(format!("http://{address}"));
    write(&folder.join("config.json"), config.to_string())?;
    let name = ["-c", "user.name=Rehearsal", "-c", "user.email=rehearsal@localhost"];
    let words = ["commit", "--quiet", "--message", "Send uploads to the front", "config.json"];
    succeed(git(folder).args(name).args(words))?;
    succeed(git(folder).arg("update-server-info"))
}

fn config(folder: &Path) -> Result<Value, String> {
    let text = read(&folder.join("config.json"))?;
    serde_json::from_str(&text).map_err(|fault| format!("config.json: {fault}"))
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
