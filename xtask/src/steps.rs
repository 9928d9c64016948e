//! Running commands one after the other, and saying what each took.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

/// The workspace's root.
pub(crate) fn root() -> PathBuf {
    let xtask = Path::new(env!("CARGO_MANIFEST_DIR"));
    xtask.parent().unwrap_or(xtask).to_owned()
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

#[allow(clippy::disallowed_methods)] // how long a step took is for people
fn now() -> Instant {
    Instant::now()
}
