//! Servers for the tests: real ones, and sockets that answer what a test says.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Once};
use std::time::Duration;

use redis::Value;

/// A real server on a port and in a folder of its own.
pub(crate) struct Server {
    child: Child,
    pub(crate) port: u16,
    pub(crate) dir: PathBuf,
    password: Option<String>,
}

fn program() -> String {
    std::env::var("REDIS_SERVER").unwrap_or_else(|_| "redis-server".to_owned())
}

impl Server {
    /// `None`, and one line, if there is no server on this machine.
    pub(crate) fn start(options: &[&str]) -> Option<Self> {
        static SAID: Once = Once::new();
        let program = program();
        let is_there = Command::new(&program).arg("--version").stdout(Stdio::null()).status();
        if !is_there.is_ok_and(|status| status.success()) {
            // Not `println`, which is not shown for a test that passes.
            SAID.call_once(|| {
                let line = format!("skipped: no {program} here (REDIS_SERVER=/path names one)\n");
                let _ = std::io::stderr().write_all(line.as_bytes());
            });
            return None;
        }
        let dir = folder("redis");
        // The port may be taken between the look and the start.
        for _ in 0..5 {
            let port = free_port();
            let mut server = Self::spawn(&program, port, dir.clone(), options);
            if server.is_up() {
                return Some(server);
            }
            std::mem::forget(std::mem::replace(&mut server.dir, PathBuf::new()));
        }
        let log = std::fs::read_to_string(dir.join("log")).unwrap_or_default();
        panic!("the server does not start: {log}");
    }

    fn spawn(program: &str, port: u16, dir: PathBuf, options: &[&str]) -> Self {
        let (number, log) = (port.to_string(), dir.join("log"));
        let mut command = Command::new(program);
        if options.first() == Some(&"--sentinel") {
            let file = dir.join("sentinel.conf");
            std::fs::write(&file, format!("port {port}\nbind 127.0.0.1\n")).unwrap();
            command.arg(file).args(options);
        } else {
            command.args(["--port", &number, "--bind", "127.0.0.1", "--save", ""]);
            command.args(options);
        }
        command.args(["--dir", dir.to_str().unwrap(), "--logfile", log.to_str().unwrap()]);
        let child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let at = options.iter().position(|option| *option == "--requirepass");
        let password = at.map(|at| options[at + 1].to_owned());
        Self { child, port, dir, password }
    }

    fn is_up(&mut self) -> bool {
        for _ in 0..200 {
            if self.child.try_wait().unwrap().is_some() {
                return false;
            }
            if let Ok(mut stream) = TcpStream::connect(("127.0.0.1", self.port)) {
                let mut first = [0];
                if stream.write_all(b"PING\r\n").is_ok() && stream.read_exact(&mut first).is_ok() {
                    return true;
                }
            }
            std::thread::sleep(Duration::from_millis(25));
        }
        false
    }

    pub(crate) fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    pub(crate) fn url_as(&self, login: &str) -> String {
        format!("redis://{login}@127.0.0.1:{}", self.port)
    }

    /// Runs a command as the administrator.
    pub(crate) fn run(&self, command: &str) -> Value {
        let login = self.password.as_ref().map_or(String::new(), |word| format!(":{word}@"));
        let client =
            redis::Client::open(format!("redis://{login}127.0.0.1:{}", self.port)).unwrap();
        let mut words = command.split(' ');
        let mut command = redis::cmd(words.next().unwrap());
        for word in words {
            command.arg(word);
        }
        command.query(&mut client.get_connection().unwrap()).unwrap()
    }

    /// Changes the administrator's password.
    pub(crate) fn set_password(&mut self, password: &str) {
        self.run(&format!("CONFIG SET requirepass {password}"));
        self.password = Some(password.to_owned());
    }

    /// Ends the connections of everybody else.
    pub(crate) fn kill_clients(&self) {
        self.run("CLIENT KILL TYPE normal SKIPME yes");
    }

    /// The connections that this crate has made.
    pub(crate) fn clients(&self) -> usize {
        self.client_list().matches("name=auth-store").count()
    }

    pub(crate) fn connections_so_far(&self) -> u64 {
        let stats = text(&self.run("INFO stats"));
        let line = stats.lines().find_map(|line| line.strip_prefix("total_connections_received:"));
        line.unwrap().trim().parse().unwrap()
    }

    pub(crate) fn client_list(&self) -> String {
        text(&self.run("CLIENT LIST"))
    }

    pub(crate) fn signal(&self, name: &str) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args([name, &pid]).status().unwrap().success());
    }

    pub(crate) fn stop(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// The same server, after `stop`.
    pub(crate) fn start_again(&mut self) {
        let again = Self::spawn(&program(), self.port, self.dir.clone(), &[]);
        let mut last = std::mem::replace(self, again);
        last.dir = PathBuf::new();
        drop(last);
        assert!(self.is_up());
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if self.dir != Path::new("") {
            let _ = std::fs::remove_dir_all(&self.dir);
        }
    }
}

pub(crate) fn text(value: &Value) -> String {
    match value {
        Value::BulkString(bytes) => String::from_utf8_lossy(bytes).into_owned(),
        Value::VerbatimString { text, .. } | Value::SimpleString(text) => text.clone(),
        other => format!("{other:?}"),
    }
}

pub(crate) fn folder(name: &str) -> PathBuf {
    static COUNT: AtomicUsize = AtomicUsize::new(0);
    let count = COUNT.fetch_add(1, Ordering::SeqCst);
    let name = format!("auth-store-{name}-{}-{count}", std::process::id());
    let dir = std::env::temp_dir().join(name);
    std::fs::create_dir_all(&dir).unwrap();
    dir
}

pub(crate) fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// Everything that `MONITOR` shows until the connection ends.
pub(crate) fn monitor(server: &Server) -> (TcpStream, std::thread::JoinHandle<Vec<u8>>) {
    let mut stream = TcpStream::connect(("127.0.0.1", server.port)).unwrap();
    let mut commands = vec!["MONITOR\r\n".to_owned()];
    if let Some(password) = &server.password {
        commands.insert(0, format!("AUTH {password}\r\n"));
    }
    for command in commands {
        stream.write_all(command.as_bytes()).unwrap();
        let mut ok = [0; 5];
        stream.read_exact(&mut ok).unwrap();
        assert_eq!(&ok, b"+OK\r\n");
    }
    let mut reader = stream.try_clone().unwrap();
    let thread = std::thread::spawn(move || {
        let mut seen = Vec::new();
        let _ = reader.read_to_end(&mut seen);
        seen
    });
    (stream, thread)
}

/// A socket that answers each piece that it reads with what a test says: `None` is silence, and
/// nothing hangs up.
pub(crate) struct Fake {
    pub(crate) port: u16,
    /// How many connections there were, and how many there are.
    pub(crate) made: Arc<AtomicUsize>,
    pub(crate) open: Arc<AtomicUsize>,
}

pub(crate) fn fake(answer: impl Fn(&[u8]) -> Option<Vec<u8>> + Clone + Send + 'static) -> Fake {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let (made, open) = (Arc::<AtomicUsize>::default(), Arc::<AtomicUsize>::default());
    let fake = Fake { port, made: Arc::clone(&made), open: Arc::clone(&open) };
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            made.fetch_add(1, Ordering::SeqCst);
            open.fetch_add(1, Ordering::SeqCst);
            let (mut stream, answer, open) = (stream.unwrap(), answer.clone(), Arc::clone(&open));
            std::thread::spawn(move || {
                let mut piece = [0; 16 * 1024];
                while let Ok(length) = stream.read(&mut piece) {
                    let answer =
                        if length == 0 { Some(Vec::new()) } else { answer(&piece[..length]) };
                    match answer {
                        None => {}
                        Some(bytes) if bytes.is_empty() => break,
                        Some(bytes) => stream.write_all(&bytes).unwrap_or_default(),
                    }
                }
                open.fetch_sub(1, Ordering::SeqCst);
            });
        }
    });
    fake
}
