//! Running commands one after the other, and saying what each took.

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

/// Another checkout than that of this program.
static ELSEWHERE: OnceLock<PathBuf> = OnceLock::new();

/// The workspace's root.
pub(crate) fn root() -> PathBuf {
    let xtask = Path::new(env!("CARGO_MANIFEST_DIR"));
    ELSEWHERE.get().cloned().unwrap_or_else(|| xtask.parent().unwrap_or(xtask).to_owned())
}

/// Works on another checkout from here on.
pub(crate) fn go_to(checkout: PathBuf) {
    let _ = ELSEWHERE.set(checkout);
}

/// Where cargo builds.
#[allow(clippy::disallowed_methods)] // cargo's own setting
pub(crate) fn target() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), |it| root().join(it))
}

/// A list of steps under way; a failed one ends it.
#[derive(Default)]
pub(crate) struct Steps {
    done: Vec<(String, Duration)>,
}

impl Steps {
    /// Runs cargo with these arguments in the root.
    pub(crate) fn cargo(&mut self, args: &[&str]) -> Result<(), String> {
        self.cargo_with(args, &[])
    }

    /// Runs cargo with these arguments and variables in the root.
    pub(crate) fn cargo_with(
        &mut self,
        args: &[&str],
        variables: &[(&str, &str)],
    ) -> Result<(), String> {
        let mut command = cargo(&root());
        command.args(args).envs(variables.iter().copied());
        self.step(&format!("cargo {}", args.join(" ")), || run(&mut command))
    }

    /// Runs anything.
    pub(crate) fn step(
        &mut self,
        name: &str,
        step: impl FnOnce() -> Result<(), String>,
    ) -> Result<(), String> {
        println!("==> {name}");
        let began = now();
        step().map_err(|fault| format!("{name}: {fault}"))?;
        self.done.push((name.to_owned(), now().duration_since(began)));
        Ok(())
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
    let mut command = Command::new(env!("CARGO"));
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
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into_owned());
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

#[allow(clippy::disallowed_methods)] // how long a step took is for people
pub(crate) fn now() -> Instant {
    Instant::now()
}
