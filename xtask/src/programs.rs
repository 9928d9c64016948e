//! No tool finds the programs of `auth-tests` by name: `conformance` has the flows ask real servers,
//! `faults` makes every fault of a token endpoint happen, `fleet` runs many processes on real stores,
//! `simulate` runs the engine in a simulated world, and with `--store` a fleet that shares a store.

use crate::steps::{cargo, root, run as run_command, target};

/// Runs one of them; all words are passed on.
pub(crate) fn run(name: &str, args: impl Iterator<Item = String>) -> Result<(), String> {
    let args: Vec<String> = args.collect();
    let mut program = cargo(&root());
    program.args(["run", "--quiet", "--locked", "--package", "auth-tests", "--bin", name]);
    if name == "simulate" && args.iter().any(|word| word == "--store") {
        // A fleet takes a tenth of the time.
        program.arg("--release");
    }
    program.arg("--");
    if name == "conformance" {
        program.arg("--target").arg(target());
    }
    run_command(program.args(args))
}
