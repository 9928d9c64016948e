//! A Redis or Valkey server of its own, and its administrator.

use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use auth_core::Env;

use crate::time::{FIRST, now, set_priority};

/// What the documentation says is enough, and nothing else.
const RULES: &str = "resetkeys ~pa1:* -@all +eval +time +get +getrange +set +del";

/// A running server, which is killed when this is dropped.
pub(crate) struct Server {
    program: String,
    child: Child,
    guard: Option<Child>,
    port: u16,
    folder: PathBuf,
    /// What `MONITOR` wrote.
    heard: Arc<Mutex<Vec<u8>>>,
}

/// The program to start: `redis-server`, or the one that `REDIS_SERVER` names.
fn program() -> String {
    let named = Env::process().read("fleet", |vars| {
        let charset = auth_core::secret::Charset::Text;
        Some(vars.optional_text("REDIS_SERVER", charset))
    });
    named.ok().flatten().unwrap_or_else(|| "redis-server".to_owned())
}

/// The version of the server, or why there is none here.
pub(crate) fn version() -> Result<String, String> {
    let program = program();
    let told = Command::new(&program).arg("--version").stderr(Stdio::null()).output();
    match told {
        Ok(told) if told.status.success() => {
            Ok(String::from_utf8_lossy(&told.stdout).trim().to_owned())
        }
        _ => Err(format!("no {program} here (REDIS_SERVER=/path names another)")),
    }
}

/// A shell that kills the server when this program ends in any way, which closes its input.
fn guard(child: &Child) -> io::Result<Child> {
    let mut guard = Command::new("sh");
    guard.args(["-c", "cat >/dev/null; kill -9 $0", &child.id().to_string()]);
    guard.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).spawn()
}

/// A free port on loopback.
fn free_port() -> io::Result<u16> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}

impl Server {
    pub(crate) fn start(folder: &Path, password: &str) -> io::Result<Self> {
        let (program, port) = (program(), free_port()?);
        let data = folder.join("data");
        std::fs::create_dir_all(&data)?;
        let config = format!(
            "port {port}\nbind 127.0.0.1\ndir {}\nlogfile {}\nsave \"\"\nappendonly yes\n\
             appendfsync no\nmaxclients 1000\nuser app on >{password} {RULES}\n",
            data.display(),
            folder.join("log").display(),
        );
        std::fs::write(folder.join("conf"), config)?;
        let child = Self::spawn(&program, folder)?;
        let folder = folder.to_owned();
        let guard = Some(guard(&child)?);
        let mut server = Self { program, child, guard, port, folder, heard: Arc::default() };
        server.wait()?;
        Ok(server)
    }

    fn spawn(program: &str, folder: &Path) -> io::Result<Child> {
        let mut command = Command::new(program);
        command.arg(folder.join("conf")).stdin(Stdio::null());
        let child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn()?;
        set_priority(child.id(), FIRST);
        Ok(child)
    }

    /// Until it answers; then its monitor is on.
    fn wait(&mut self) -> io::Result<()> {
        let began = now();
        while now().duration_since(began) < Duration::from_secs(10) {
            if self.admin().and_then(|mut admin| admin.run("PING")).is_ok_and(|a| a == "PONG") {
                return self.monitor();
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        let log = std::fs::read_to_string(self.folder.join("log")).unwrap_or_default();
        Err(io::Error::other(format!("{} does not start: {log}", self.program)))
    }

    fn monitor(&self) -> io::Result<()> {
        let mut admin = self.admin()?;
        admin.run("MONITOR")?;
        let heard = Arc::clone(&self.heard);
        std::thread::spawn(move || {
            let mut piece = [0; 16 * 1024];
            while let Ok(length @ 1..) = admin.stream.read(&mut piece) {
                let mut heard = heard.lock().unwrap_or_else(PoisonError::into_inner);
                heard.extend_from_slice(&piece[..length]);
            }
        });
        Ok(())
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    fn admin(&self) -> io::Result<Admin> {
        let stream = TcpStream::connect(("127.0.0.1", self.port))?;
        Ok(Admin { stream: BufReader::new(stream) })
    }

    /// Runs a command as the administrator.
    pub(crate) fn run(&self, command: &str) -> Result<String, String> {
        let answer = self.admin().and_then(|mut admin| admin.run(command));
        answer.map_err(|fault| format!("{command}: {fault}"))
    }

    pub(crate) fn signal(&self, signal: &str) -> Result<(), String> {
        let pid = self.child.id().to_string();
        let sent = Command::new("kill").args([signal, &pid]).status();
        if sent.is_ok_and(|status| status.success()) {
            Ok(())
        } else {
            Err(format!("kill {signal} does not work here"))
        }
    }

    pub(crate) fn kill(&mut self) {
        // First, so that it never kills another process that got the number.
        if let Some(mut guard) = self.guard.take() {
            let _ = guard.kill();
            let _ = guard.wait();
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// The same server, after `kill`.
    pub(crate) fn start_again(&mut self) -> Result<(), String> {
        let mut start = || {
            self.child = Self::spawn(&self.program, &self.folder)?;
            self.guard = Some(guard(&self.child)?);
            self.wait()
        };
        start().map_err(|fault: io::Error| fault.to_string())
    }

    /// Lets the application log in with another password, and no longer with the last one.
    pub(crate) fn set_password(&self, password: &str) -> Result<(), String> {
        self.run(&format!("ACL SETUSER app resetpass >{password}"))?;
        self.run("CLIENT KILL USER app").map(drop)
    }

    /// What the access list refused.
    pub(crate) fn refused(&self) -> Result<String, String> {
        self.run("ACL LOG")
    }

    /// Its files, after `SAVE`, and what its monitor heard.
    pub(crate) fn traces(&self) -> Result<Vec<(String, Vec<u8>)>, String> {
        self.run("SAVE")?;
        let heard = self.heard.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let mut traces = crate::leaks::files(&self.folder.join("data"))?;
        traces.push(("MONITOR".to_owned(), heard));
        Ok(traces)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
    }
}

/// A connection that speaks just enough.
struct Admin {
    stream: BufReader<TcpStream>,
}

impl Admin {
    fn run(&mut self, command: &str) -> io::Result<String> {
        self.stream.get_ref().set_read_timeout(Some(Duration::from_secs(5)))?;
        let mut line = format!("*{}\r\n", command.split(' ').count());
        for word in command.split(' ') {
            line += &format!("${}\r\n{word}\r\n", word.len());
        }
        self.stream.get_mut().write_all(line.as_bytes())?;
        let answer = self.answer()?;
        self.stream.get_ref().set_read_timeout(None)?;
        Ok(answer)
    }

    fn answer(&mut self) -> io::Result<String> {
        let mut line = String::new();
        self.stream.read_line(&mut line)?;
        let (kind, rest) = line.trim_end().split_at_checked(1).unwrap_or(("", ""));
        match kind {
            "+" | ":" => Ok(rest.to_owned()),
            "$" => {
                let Ok(length) = rest.parse::<usize>() else { return Ok(String::new()) };
                let mut bytes = vec![0; length + 2];
                self.stream.read_exact(&mut bytes)?;
                Ok(String::from_utf8_lossy(&bytes).trim_end().to_owned())
            }
            "*" => {
                let count = rest.parse().unwrap_or(0);
                let answers: io::Result<Vec<_>> = (0..count).map(|_| self.answer()).collect();
                answers.map(|answers| answers.join(" "))
            }
            _ => Err(io::Error::other(line.trim_end().to_owned())),
        }
    }
}
