//! No tool starts `auth-tests` with our target folder: the flows against real servers on this machine.

use crate::steps::{cargo, root, run as run_command, target};

/// Runs the program of `auth-tests`; all words are passed on (`--version V`, `--url URL`).
pub(crate) fn run(args: impl Iterator<Item = String>) -> Result<(), String> {
    run_command(
        cargo(&root())
            .args(["run", "--quiet", "--locked", "--package", "auth-tests"])
            .args(["--bin", "conformance", "--", "--target"])
            .arg(target())
            .args(args),
    )
}
