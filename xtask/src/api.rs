//! `public-api` reads rustdoc's JSON; no tool sees a type of another crate in it that may not be
//! there, nor a public item without an example, and what it prints names private modules.

mod foreign;
mod surface;

use std::path::PathBuf;
use std::process::{Command, ExitCode};

use serde_json::Value;

use self::surface::Entry;
use crate::steps::{Steps, cargo, read, root, run as succeed, target, variable, write};
use crate::workspace::{Package, git, published};

/// The format that the `public-api` of this crate's manifest reads, and a toolchain that writes it.
const FORMAT: (u64, &str) = (57, "1.95");
/// Set where cargo takes this program for rustdoc; it names the real one.
const STANDS_IN_FOR: &str = "XTASK_STANDS_IN_FOR";
/// The first lines of each file, for a reader of the diff.
const HEAD: &str = "with every feature, one item a line. Written by `cargo xtask api`.\n\
    # A new line is an addition, which a minor version may bring. A line that goes or changes is a\n\
    # breaking change; so is a new method of a trait without `{ .. }`, and a new variant or field of\n\
    # what is not #[non_exhaustive]. Say so in CHANGELOG.md.\n\n";

/// Writes `crates/*/api.txt`, or with `--check` fails where one is not what the code says.
pub(crate) fn run(args: impl Iterator<Item = String>) -> Result<(), String> {
    let args: Vec<_> = args.collect();
    if !args.is_empty() && args != ["--check"] {
        return Err(format!("api takes --check alone, not {}", args.join(" ")));
    }
    let mut packages = published(&root())?;
    packages.retain(Package::is_library);
    let ours: Vec<_> = packages.iter().map(|package| package.name.replace('-', "_")).collect();
    let (mut steps, mut names, mut faults) = (Steps::default(), surface::Names::new(), Vec::new());
    for package in &packages {
        steps.step(&format!("the API of {}", package.name), || {
            let (file, json) = rustdoc(package)?;
            let entries = surface::read(&file, &json, &mut names)?;
            faults.extend(settle(package, &entries, !args.is_empty()).err());
            faults.extend(entries.iter().flat_map(|entry| foreign::faults(entry, &ours)));
            let bare = entries.iter().filter(|entry| entry.has_a_page && !has_code(&entry.docs));
            faults.extend(bare.map(|entry| format!("{} has no example", entry.subject)));
            Ok(())
        })?;
    }
    steps.finish();
    if faults.is_empty() { Ok(()) } else { Err(faults.join("\n")) }
}

/// Where rustdoc wrote the JSON of a package with every feature, and what it says.
fn rustdoc(package: &Package) -> Result<(PathBuf, Value), String> {
    let library = package.name.replace('-', "_");
    // Cargo takes the HTML there for what it would make, and then makes nothing.
    let _ = std::fs::remove_dir_all(target().join("doc").join(&library));
    let words = ["rustdoc", "--quiet", "--locked", "--lib", "--package", &package.name];
    let mut rustdoc = cargo(&root());
    rustdoc.args(words).args(package.every());
    let unsettled = "-- -Z unstable-options --output-format json".split(' ');
    succeed(unstable(&mut rustdoc).args(unsettled))?;
    let file = target().join("doc").join(format!("{library}.json"));
    let json: Value = serde_json::from_str(&read(&file)?).map_err(|fault| fault.to_string())?;
    let (format, toolchain) = FORMAT;
    if json["format_version"] != format {
        return Err(format!(
            "rustdoc writes format {} and not {format}: use Rust {toolchain}, or take another \
             public-api into xtask/Cargo.toml",
            json["format_version"]
        ));
    }
    Ok((file, json))
}

/// Has cargo take this program for rustdoc, which then runs rustdoc as if it were a nightly one.
///
/// The switch for that reaches rustdoc alone in this way. In cargo's own environment it would turn
/// the build scripts of a dozen crates, and all that needs them would be compiled anew.
pub(crate) fn unstable(command: &mut Command) -> &mut Command {
    let real = variable("RUSTDOC").unwrap_or_else(|| "rustdoc".into());
    command.env("RUSTDOC", std::env::current_exe().unwrap_or_default()).env(STANDS_IN_FOR, real)
}

/// If cargo takes this program for rustdoc: runs that.
pub(crate) fn stand_in() -> Option<ExitCode> {
    let mut rustdoc = Command::new(variable(STANDS_IN_FOR)?);
    let status = rustdoc.args(std::env::args_os().skip(1)).env("RUSTC_BOOTSTRAP", "1").status();
    Some(if status.is_ok_and(|it| it.success()) { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Writes a package's `api.txt`, or where it is only to be checked shows how the file differs.
fn settle(package: &Package, entries: &[Entry], check: bool) -> Result<(), String> {
    let name = &package.name;
    let lines: String = entries.iter().map(|entry| format!("{}\n", entry.line)).collect();
    let text = format!("# The public API of {name} {HEAD}{lines}");
    let written = package.folder.join("api.txt");
    if !check {
        return write(&written, text);
    }
    let now = target().join("api").join(name).with_extension("txt");
    write(&now, text)?;
    let words = ["diff", "--no-index", "--exit-code", "--unified=0", "--ignore-cr-at-eol"];
    succeed(git(&root()).args(words).args([&written, &now])).map_err(|_| {
        format!(
            "crates/{name}/api.txt is not what the code says (above). Removed or changed lines are a \
             breaking change: say so in CHANGELOG.md. `cargo xtask api` writes the file"
        )
    })
}

/// Whether a text has a block of Rust that rustdoc compiles.
fn has_code(docs: &str) -> bool {
    let fences = docs.lines().filter_map(|line| line.trim_start().strip_prefix("```"));
    fences.step_by(2).any(|fence| {
        fence.split([',', ' ']).filter(|word| !word.is_empty()).all(|word| {
            ["rust", "no_run", "should_panic", "compile_fail"].contains(&word)
                || word.starts_with("edition")
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_example_is_what_rustdoc_compiles() {
        for (docs, has) in [
            ("Words.\n\n```\nlet a = 1;\n```", true),
            ("```rust,no_run\nf();\n```", true),
            ("```text\na\n```\n\n```\nf();\n```", true),
            ("Words and `code`.", false),
            ("```text\na b c\n```", false),
            ("```ignore\nf();\n```", false),
        ] {
            assert_eq!(has_code(docs), has, "{docs:?}");
        }
    }
}
