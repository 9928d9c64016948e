//! Every fault of a token endpoint, for every provider, in every state of a source.

use crate::steps::{cargo, root, run as run_command};

/// Runs the program of `auth-tests`; all words are passed on (`--only WORDS`, `--write`).
pub(crate) fn run(args: impl Iterator<Item = String>) -> Result<(), String> {
    run_command(
        cargo(&root())
            .args(["run", "--quiet", "--locked", "--package", "auth-tests"])
            .args(["--bin", "faults", "--"])
            .args(args),
    )
}
