//! The engine in a simulated world: runtimes, callers, a failing provider and time, from a seed.

use crate::steps::{cargo, root, run as run_command};

/// Runs the program of `auth-tests`; all words are passed on (`--schedules N`, `--seed N`).
pub(crate) fn run(args: impl Iterator<Item = String>) -> Result<(), String> {
    run_command(
        cargo(&root())
            .args(["run", "--quiet", "--locked", "--package", "auth-tests"])
            .args(["--bin", "simulate", "--"])
            .args(args),
    )
}
