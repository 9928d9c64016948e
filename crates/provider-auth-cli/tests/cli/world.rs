//! A sandbox, a home of its own, and the command that is pointed at them.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use auth_sandbox::{Provider, Sandbox};
use serde_json::Value;

pub(crate) struct World {
    pub(crate) sandbox: Sandbox,
    pub(crate) home: PathBuf,
}

/// What a command did.
pub(crate) struct Done {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

pub(crate) fn binary() -> PathBuf {
    PathBuf::from(env!("CARGO_BIN_EXE_provider-auth"))
}

impl World {
    pub(crate) fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("provider-auth-cli-{}-{number}", std::process::id());
        let home = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&home).unwrap();
        Self { sandbox: Sandbox::builder().start_blocking().unwrap(), home }
    }

    /// The command in an environment with nothing but a home and a path.
    pub(crate) fn bare(&self, args: &[&str]) -> Command {
        let mut command = Command::new(binary());
        self.point(&mut command);
        command.args(args);
        command
    }

    /// The command, with the variables of all five.
    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = self.bare(args);
        for handle in self.sandbox.handles() {
            command.envs(handle.env());
        }
        command
    }

    /// Gives a command this home and nothing else.
    pub(crate) fn point(&self, command: &mut Command) {
        command
            .env_clear()
            .env("PATH", std::env::var("PATH").unwrap())
            .env("HOME", &self.home)
            .env("XDG_CONFIG_HOME", self.home.join("config"))
            .env("PROVIDER_AUTH_CACHE_DIR", self.cache())
            .stdin(Stdio::null());
    }

    pub(crate) fn cache(&self) -> PathBuf {
        self.home.join("cache")
    }

    pub(crate) fn run(&self, args: &[&str]) -> Done {
        done(self.command(args))
    }

    /// How often a provider was asked for a token.
    pub(crate) fn asked(&self, provider: Provider) -> u64 {
        self.sandbox.handle(provider).counters().token_requests
    }

    /// Every secret of the sandbox that must not get out.
    pub(crate) fn secrets(&self) -> Vec<String> {
        let handles = self.sandbox.handles();
        handles.iter().map(|handle| handle.credentials().secret().to_owned()).collect()
    }

    /// A file for its owner alone, with the variables of all five.
    pub(crate) fn env_file(&self, name: &str) -> PathBuf {
        let mut text = String::from("# made up\n");
        for (name, value) in self.sandbox.handles().iter().flat_map(|handle| handle.env()) {
            text.push_str(&format!("export {name}='{value}'\n"));
        }
        let path = self.home.join(name);
        std::fs::write(&path, text).unwrap();
        set_mode(&path, 0o600);
        path
    }
}

impl Drop for World {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.home);
    }
}

impl Done {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {self}"))
    }

    /// The error as JSON, from standard error.
    pub(crate) fn error(&self) -> Value {
        let value: Value =
            serde_json::from_str(&self.err).unwrap_or_else(|error| panic!("{error}: {self}"));
        value["error"].clone()
    }

    pub(crate) fn says(&self, text: &str) {
        assert!(self.err.contains(text), "{text}: {self}");
    }
}

impl std::fmt::Display for Done {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "exit {}\n--- out\n{}\n--- err\n{}", self.code, self.out, self.err)
    }
}

pub(crate) fn done(mut command: Command) -> Done {
    of(command.stdout(Stdio::piped()).stderr(Stdio::piped()).output().unwrap())
}

/// Runs a command that reads this.
pub(crate) fn fed(mut command: Command, input: &[u8]) -> Done {
    use std::io::Write as _;
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    // It may end before it has read all.
    let _ = stdin.write_all(input);
    drop(stdin);
    of(child.wait_with_output().unwrap())
}

fn of(output: Output) -> Done {
    let signal = std::os::unix::process::ExitStatusExt::signal(&output.status);
    Done {
        code: output.status.code().or_else(|| Some(128 + signal?)).unwrap(),
        out: String::from_utf8_lossy(&output.stdout).into_owned(),
        err: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

pub(crate) fn set_mode(path: &Path, mode: u32) {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}

/// Whether a program of the machine is there; without it a test says that it was left out.
pub(crate) fn has(program: &str) -> bool {
    let found = Command::new("sh").args(["-c", &format!("command -v {program}")]).output().unwrap();
    if !found.status.success() {
        eprintln!("left out: there is no {program} here");
    }
    found.status.success()
}
