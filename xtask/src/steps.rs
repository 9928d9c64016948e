//! Running commands one after the other, and saying what each took.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use serde_json::Value;

/// The workspace's profile, for packages outside it: what it has compiled is then not compiled again.
pub(crate) const PROFILE: [&str; 4] = [
    "--config",
    "profile.dev.debug=\"line-tables-only\"",
    "--config",
    "profile.dev.package.\"*\".debug=false",
];

/// The checkout that is worked on.
static ROOT: OnceLock<PathBuf> = OnceLock::new();

/// Where cargo builds it.
static TARGET: OnceLock<PathBuf> = OnceLock::new();

/// The workspace's root: that of the folder in which `cargo xtask` was called. It is asked for at run
/// time, because checkouts that share a target folder share this program too.
pub(crate) fn root() -> PathBuf {
    let here = || {
        #[allow(clippy::disallowed_methods)] // cargo sets it for what it runs
        let package = std::env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from);
        let folder = package.filter(|package| package.ends_with("xtask"));
        let folder = folder.or_else(|| std::env::current_dir().ok()).unwrap_or_default();
        root_of(&folder).unwrap_or(folder)
    };
    ROOT.get_or_init(here).clone()
}

/// The root of the workspace that a folder belongs to.
fn root_of(folder: &Path) -> Option<PathBuf> {
    let words = ["locate-project", "--workspace", "--message-format", "plain"];
    let manifest = output(cargo(folder).args(words)).ok()?;
    Path::new(manifest.trim_end()).parent().map(Path::to_owned)
}

/// Works on another checkout from here on.
pub(crate) fn go_to(checkout: PathBuf) {
    let _ = ROOT.set(checkout);
}

/// Where cargo builds: its own answer, because variables, files and options all have a say.
pub(crate) fn target() -> PathBuf {
    let told = || target_of(&root()).unwrap_or_else(|| root().join("target"));
    TARGET.get_or_init(told).clone()
}

/// Where cargo builds the workspace at `root`.
fn target_of(root: &Path) -> Option<PathBuf> {
    let metadata = crate::workspace::metadata(root).ok()?;
    metadata.get("target_directory").and_then(Value::as_str).map(PathBuf::from)
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
    #[allow(clippy::disallowed_methods)] // cargo sets it for what it runs
    let program = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
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
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into_owned());
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

#[allow(clippy::disallowed_methods)] // how long a step took is for people
pub(crate) fn now() -> Instant {
    Instant::now()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A workspace of nothing but its manifests and a setting of cargo's.
    fn workspace(name: &str, config: &str) -> PathBuf {
        let root = target().join("tmp").join(name);
        let package = "[package]\nname = \"p\"\nversion = \"0.0.0\"\nedition = \"2024\"\n";
        for (file, text) in [
            ("Cargo.toml", "[workspace]\nmembers = [\"p\"]\nresolver = \"3\"\n"),
            ("p/Cargo.toml", package),
            ("p/src/lib.rs", ""),
            (".cargo/config.toml", config),
        ] {
            let path = root.join(file);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        root
    }

    #[test]
    fn the_checkout_is_where_the_command_was_called() {
        let other = workspace("another-checkout", "");
        assert_eq!(root_of(&other.join("p/src")), Some(other));
        assert!(root().join("xtask/src/steps.rs").is_file());
    }

    #[test]
    fn the_target_folder_is_cargos_to_name() {
        let other = workspace("another-target", "[build]\ntarget-dir = \"built/here\"\n");
        // What this run was given outranks the file.
        let mut given = cargo(&other);
        given
            .args(["metadata", "--no-deps", "--format-version", "1"])
            .env_remove("CARGO_TARGET_DIR");
        assert!(output(&mut given).unwrap().contains("built/here"));
        #[allow(clippy::disallowed_methods)] // cargo's own setting
        let expected = match std::env::var_os("CARGO_TARGET_DIR") {
            Some(folder) => other.join(folder),
            None => other.join("built/here"),
        };
        assert_eq!(target_of(&other), Some(expected));
    }
}
