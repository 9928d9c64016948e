//! No tool keeps what the bench said: its table and figures, and with `--write` the README's chart.

use crate::steps::{Steps, cargo, output, root, target, write};

/// Where the README's chart lies.
const CHART: &str = "crates/auth-core/docs/bench.svg";

/// Runs the bench. `--write` renews the chart; all else is passed on (`--quick`, `--only NAME`).
pub(crate) fn run(args: impl Iterator<Item = String>) -> Result<(), String> {
    let (renew, mut passed): (Vec<_>, Vec<_>) = args.partition(|arg| arg == "--write");
    if !renew.is_empty() {
        passed.extend(["--svg".to_owned(), root().join(CHART).display().to_string()]);
    }
    let mut steps = Steps::default();
    let package = ["--release", "--locked", "--package", "auth-bench"];
    steps.cargo(&[&["build"], &package[..]].concat())?;
    steps.step("auth-bench", || {
        let mut bench = cargo(&root());
        bench.args(["run", "--quiet"]).args(package).arg("--").args(&passed);
        let told = output(bench.stderr(std::process::Stdio::inherit()))?;
        print!("{told}");
        let (figures, table): (Vec<_>, Vec<_>) =
            told.lines().partition(|line| line.starts_with("figure "));
        write(&target().join("bench/figures.txt"), figures.join("\n") + "\n")?;
        write(&target().join("bench/table.md"), table.join("\n").trim_end().to_owned() + "\n")
    })?;
    steps.finish();
    Ok(())
}
