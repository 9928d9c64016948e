//! The measurements: builds the bench for speed, runs it, and keeps what it said.

use std::fs;
use std::process::Stdio;

use crate::steps::{Steps, cargo, root, target};

/// Where the README's chart lies.
const CHART: &str = "crates/auth-core/docs/bench.svg";

/// Runs the bench. `--write` renews the chart; all else is passed on (`--quick`, `--only NAME`).
pub(crate) fn run(args: impl Iterator<Item = String>) -> Result<(), String> {
    let (write, mut passed): (Vec<_>, Vec<_>) = args.partition(|arg| arg == "--write");
    if !write.is_empty() {
        let chart = root().join(CHART);
        let folder = chart.parent().unwrap_or(&chart);
        fs::create_dir_all(folder).map_err(|fault| format!("{CHART}: {fault}"))?;
        passed.extend(["--svg".to_owned(), chart.display().to_string()]);
    }
    let mut steps = Steps::default();
    let package = ["--release", "--locked", "--package", "auth-bench"];
    steps.cargo(&[["build"].as_slice(), &package].concat())?;
    steps.step("auth-bench", || {
        let output = cargo(&root())
            .arg("run")
            .arg("--quiet")
            .args(package)
            .arg("--")
            .args(&passed)
            .stderr(Stdio::inherit())
            .output()
            .map_err(|fault| format!("could not start: {fault}"))?;
        if !output.status.success() {
            return Err(format!("ended with {}", output.status));
        }
        let told = String::from_utf8_lossy(&output.stdout);
        print!("{told}");
        keep(&told)
    })?;
    steps.finish();
    Ok(())
}

/// Writes the table and the figures below `bench` in the target folder.
fn keep(told: &str) -> Result<(), String> {
    let folder = target().join("bench");
    let (figures, table): (Vec<_>, Vec<_>) =
        told.lines().partition(|line| line.starts_with("figure "));
    let written = fs::create_dir_all(&folder)
        .and_then(|()| fs::write(folder.join("figures.txt"), figures.join("\n") + "\n"))
        .and_then(|()| {
            let table = table.join("\n");
            fs::write(folder.join("table.md"), table.trim_end().to_owned() + "\n")
        });
    written.map_err(|fault| format!("{}: {fault}", folder.display()))
}
