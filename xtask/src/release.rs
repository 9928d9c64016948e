//! `cargo xtask release`: from a green main to a consumer's `cargo add`.
//!
//! `plan` looks, `check` tries, `publish` does, `rehearse` does it all against a registry on this
//! machine. All crates share one version and go out in the order of their dependencies.
//!
//! Where a release stands is read from the world each time: the changelog, the tag, the
//! registry's index. No state is kept, so a run that was killed is gone on with by running the
//! same command again.

mod bump;
mod changelog;
mod check;
pub(crate) mod git;
mod home;
mod plan;
mod publish;
mod registry;
mod rehearse;

use std::fs;
use std::path::PathBuf;

use registry::{CRATES_IO, Registry};

use crate::release::plan::Plan;
use crate::steps::{go_to, root};
use crate::workspace::{Package, Workspace};

const HELP: &str = "\
cargo xtask release plan       what would go where, in which order, and what will wait
cargo xtask release check      everything that can be known before: tree, changelog, packages, docs, API
cargo xtask release publish    says what it would do; does it with --execute, and goes on where it was stopped
cargo xtask release rehearse   publishes to a registry on this machine, then builds consumers from scratch
cargo xtask release bump X.Y.Z sets the version everywhere

--registry NAME   another registry than crates.io, as cargo's configuration names it
--dry-run         say what would be done, and do nothing (publish does so without --execute)
--execute         publish: commit, tag and upload
--checkout PATH   another checkout than this one
";

/// What the command line asks for.
#[derive(Clone, Debug)]
struct Options {
    root: PathBuf,
    registry: Registry,
    execute: bool,
    dry_run: bool,
    words: Vec<String>,
}

impl Options {
    fn parse(mut args: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut options = Self {
            root: PathBuf::new(),
            registry: Registry { name: CRATES_IO.to_owned() },
            execute: false,
            dry_run: false,
            words: Vec::new(),
        };
        while let Some(arg) = args.next() {
            let mut value = || args.next().ok_or_else(|| format!("{arg} wants a value"));
            match arg.as_str() {
                "--registry" => options.registry.name = value()?,
                // Before anything asks where the root is.
                "--checkout" => go_to(PathBuf::from(value()?)),
                "--execute" => options.execute = true,
                "--dry-run" => options.dry_run = true,
                flag if flag.starts_with('-') => {
                    return Err(format!("release knows no {flag}; there are:\n{HELP}"));
                }
                word => options.words.push(word.to_owned()),
            }
        }
        if options.execute && options.dry_run {
            return Err("--execute and --dry-run exclude each other".to_owned());
        }
        options.root = root();
        Ok(options)
    }
}

/// Runs `release ...`.
pub(crate) fn run(args: impl Iterator<Item = String>) -> Result<(), String> {
    let options = Options::parse(args)?;
    let words: Vec<_> = options.words.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["plan"] => {
            print!("{}", plan_of(&options)?);
            Ok(())
        }
        ["check"] => check::run(&options),
        ["publish"] => publish::run(&options),
        ["rehearse"] => rehearse::run(&options),
        ["bump", version] => bump::run(&options, version),
        _ => Err(format!("release does one of:\n{HELP}")),
    }
}

/// What there is to publish, in order.
fn packages(options: &Options) -> Result<Vec<Package>, String> {
    Ok(Workspace::read(&options.root)?.published().cloned().collect())
}

/// Asks the index and works out the rest.
fn plan_of(options: &Options) -> Result<Plan, String> {
    let packages = packages(options)?;
    let version = plan::lockstep(&packages)?;
    let known = packages
        .iter()
        .map(|package| options.registry.look(&package.name, &version))
        .collect::<Result<Vec<_>, _>>()?;
    Plan::new(&options.registry.name, &packages, &read(options, "CHANGELOG.md")?, &known)
}

/// A file of the checkout.
fn read(options: &Options, file: &str) -> Result<String, String> {
    fs::read_to_string(options.root.join(file)).map_err(|fault| format!("{file}: {fault}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Options, String> {
        Options::parse(line.split_whitespace().map(str::to_owned))
    }

    #[test]
    fn nothing_is_done_unless_asked() {
        let options = parse("publish").unwrap();
        assert!(!options.execute);
        assert_eq!(options.registry.name, "crates-io");
        assert!(parse("publish --execute --registry mine").unwrap().execute);
        assert!(parse("publish --execute --dry-run").unwrap_err().contains("exclude"));
        assert!(parse("publish --exceute").unwrap_err().contains("--exceute"));
        assert!(parse("publish --registry").unwrap_err().contains("wants a value"));
    }
}
