//! `cargo publish --workspace` uploads in order and waits; no tool goes on where a release was
//! stopped, waits a limit out, or rehearses all that on a real registry.
//!
//! Where a release stands is read from the world each time: the changelog, the tag, the registry's
//! index. No state is kept, so a run that was killed is gone on with by running it again.

mod changelog;
mod check;
mod publish;
mod registry;
mod rehearse;

use crate::steps::root;
use crate::workspace::{Package, published};

const HELP: &str = "release does one of plan, check, publish [--execute] and rehearse, for crates.io or \
                    another registry of cargo's configuration [--registry NAME]";

/// Runs `release ...`.
pub(crate) fn run(args: impl Iterator<Item = String>) -> Result<(), String> {
    let mut words: Vec<_> = args.collect();
    let mut registry = "crates-io".to_owned();
    if let Some(place) = words.iter().position(|word| word == "--registry") {
        words.remove(place);
        registry = words.get(place).cloned().ok_or("--registry wants a name")?;
        words.remove(place);
    }
    match words.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["plan" | "publish"] => publish::run(&registry, false),
        ["publish", "--execute"] => publish::run(&registry, true),
        ["check"] => check::run_all(&registry),
        ["rehearse"] => rehearse::run(),
        _ => Err(HELP.to_owned()),
    }
}

/// What there is to publish, and the one version of it all.
fn packages() -> Result<(Vec<Package>, String), String> {
    let packages = published(&root())?;
    let version = packages.first().ok_or("this workspace publishes no package")?.version.clone();
    match packages.iter().find(|package| package.version != version) {
        Some(other) => Err(format!("{} is {} and not {version}", other.name, other.version)),
        None => Ok((packages, version)),
    }
}
