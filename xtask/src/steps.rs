//! No tool runs a list of commands in the checkout that called it, and says what each took.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

/// The workspace's profile, for packages outside it: what it has compiled is then not compiled again.
pub(crate) const PROFILE: [&str; 4] = [
    "--config",
    "profile.dev.debug=\"line-tables-only\"",
    "--config",
    "profile.dev.package.\"*\".debug=false",
];

/// The root of the workspace in whose folder `cargo xtask` was called. It is asked for at run time,
/// because checkouts that share a target folder share this program too.
pub(crate) fn root() -> PathBuf {
    static ROOT: OnceLock<PathBuf> = OnceLock::new();
    let find = || {
        let package = variable("CARGO_MANIFEST_DIR").filter(|package| package.ends_with("xtask"));
        let folder = package.or_else(|| std::env::current_dir().ok()).unwrap_or_default();
        let words = ["locate-project", "--workspace", "--message-format", "plain"];
        let manifest = output(cargo(&folder).args(words)).unwrap_or_default();
        Path::new(manifest.trim_end()).parent().unwrap_or(&folder).to_owned()
    };
    ROOT.get_or_init(find).clone()
}

/// Where cargo builds: its own answer, because variables, files and options all have a say.
pub(crate) fn target() -> PathBuf {
    static TARGET: OnceLock<PathBuf> = OnceLock::new();
    let told = || {
        let metadata = crate::workspace::metadata(&root(), &["--no-deps"]).unwrap_or_default();
        metadata["target_directory"].as_str().map_or_else(|| root().join("target"), PathBuf::from)
    };
    TARGET.get_or_init(told).clone()
}

/// A program from crates.io in this version, built into `target/tools` by the command that needs it.
pub(crate) fn tool(name: &str, version: &str) -> Result<PathBuf, String> {
    let tools = target().join("tools");
    // Cargo does nothing where this version is installed, and asks no registry then.
    let words = ["install", "--quiet", "--locked", "--debug", "--root"];
    let mut install = cargo(&root());
    install.args(words).arg(&tools).arg(format!("{name}@{version}"));
    run(install.env("CARGO_TARGET_DIR", tools.join("build")))?;
    Ok(tools.join("bin").join(name).with_extension(std::env::consts::EXE_EXTENSION))
}

/// A list of steps under way; a failed one ends it.
#[derive(Default)]
pub(crate) struct Steps {
    done: Vec<(String, Duration)>,
}

impl Steps {
    /// Runs cargo with these arguments in the root.
    pub(crate) fn cargo(&mut self, args: &[&str]) -> Result<(), String> {
        self.step(&format!("cargo {}", args.join(" ")), || run(cargo(&root()).args(args)))
    }

    /// Runs anything.
    pub(crate) fn step<T>(
        &mut self,
        name: &str,
        step: impl FnOnce() -> Result<T, String>,
    ) -> Result<T, String> {
        println!("==> {name}");
        let began = now();
        let made = step().map_err(|fault| format!("{name}: {fault}"))?;
        self.done.push((name.to_owned(), now().duration_since(began)));
        Ok(made)
    }

    /// Says what was done and how long it took.
    pub(crate) fn finish(self) {
        println!();
        for (name, took) in self.done {
            println!("{:>7.1} s  {name}", took.as_secs_f64());
        }
    }
}

/// Cargo in a folder, without the variables that this run of it has set for itself.
pub(crate) fn cargo(folder: &Path) -> Command {
    command(variable("CARGO").unwrap_or_else(|| "cargo".into()), folder)
}

/// A program in a folder, without the variables that cargo has set for this one.
pub(crate) fn command(program: impl AsRef<OsStr>, folder: &Path) -> Command {
    let mut command = Command::new(program);
    command.current_dir(folder);
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("CARGO_PKG_") || name == "CARGO_MANIFEST_DIR" {
            command.env_remove(name);
        }
    }
    command
}

/// Runs a command and fails where it fails.
pub(crate) fn run(command: &mut Command) -> Result<(), String> {
    let status = command.status().map_err(|fault| format!("could not start: {fault}"))?;
    if status.success() { Ok(()) } else { Err(format!("ended with {status}")) }
}

/// Runs a command and gives what it printed, or fails with what it complained of.
pub(crate) fn output(command: &mut Command) -> Result<String, String> {
    let output = command.output().map_err(|fault| format!("could not start: {fault}"))?;
    let told = if output.status.success() { &output.stdout } else { &output.stderr };
    let told = String::from_utf8_lossy(told).into_owned();
    if output.status.success() { Ok(told) } else { Err(told) }
}

/// A file's text.
pub(crate) fn read(file: &Path) -> Result<String, String> {
    fs::read_to_string(file).map_err(|fault| format!("{}: {fault}", file.display()))
}

/// Writes a file, and the folders above it.
pub(crate) fn write(file: &Path, text: impl AsRef<[u8]>) -> Result<(), String> {
    file.parent()
        .map_or(Ok(()), fs::create_dir_all)
        .and_then(|()| fs::write(file, text))
        .map_err(|fault| format!("{}: {fault}", file.display()))
}

#[allow(clippy::disallowed_methods)] // cargo's settings, and no credential
pub(crate) fn variable(name: &str) -> Option<PathBuf> {
    std::env::var_os(name).map(PathBuf::from)
}

#[allow(clippy::disallowed_methods)] // how long a step took is for people
pub(crate) fn now() -> Instant {
    Instant::now()
}
