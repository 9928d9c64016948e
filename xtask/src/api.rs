//! The public API of each published crate: kept as text beside it, free of other crates' types, and
//! with an example for everything that has a name.
//!
//! What reads rustdoc's JSON stands behind a feature: without it `cargo xtask` compiles in a third
//! of the time, and this command alone waits for it.

#[cfg(feature = "api")]
mod examples;
#[cfg(feature = "api")]
mod foreign;
#[cfg(feature = "api")]
mod rustdoc;
#[cfg(feature = "api")]
mod snapshot;
pub(crate) mod stand_in;
#[cfg(feature = "api")]
mod surface;

use crate::steps::root;

/// Writes `crates/*/api.txt`, or with `--check` fails where one is not what the code says.
#[cfg(feature = "api")]
pub(crate) fn run(args: impl Iterator<Item = String>) -> Result<(), String> {
    let args: Vec<_> = args.collect();
    let check = match args.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        [] => false,
        ["--check"] => true,
        other => return Err(format!("api takes --check alone, not {}", other.join(" "))),
    };
    let workspace = crate::workspace::Workspace::read(&root())?;
    let published: Vec<_> = workspace.published().collect();
    let libraries: Vec<_> = published.iter().map(|package| rustdoc::library(package)).collect();
    let mut steps = crate::steps::Steps::default();
    let mut names = surface::Names::default();
    let mut faults = Vec::new();
    let mut lines = 0;
    for package in published {
        let name = &package.name;
        steps.step(&format!("the API of {name}"), || {
            let surface = surface::Surface::read(&rustdoc::json(package)?, &mut names)?;
            let text = snapshot::text(name, &surface);
            lines += surface.entries.len();
            faults.extend(snapshot::settle(&package.folder.join("api.txt"), name, &text, check)?);
            faults.extend(foreign::faults(&surface, &libraries));
            faults.extend(examples::faults(&surface));
            Ok(())
        })?;
    }
    let crates = libraries.len();
    steps.finish();
    if !faults.is_empty() {
        return Err(format!("{}\n\napi: {} complaints", faults.join("\n"), faults.len()));
    }
    let state = if check { "as written" } else { "written" };
    println!(
        "\napi: {crates} crates, {lines} lines, {state}; no foreign type; an example for every item"
    );
    Ok(())
}

/// Asks the whole of this program, which reads rustdoc's JSON.
#[cfg(not(feature = "api"))]
pub(crate) fn run(args: impl Iterator<Item = String>) -> Result<(), String> {
    let mut command = crate::steps::cargo(&root());
    command.args(["run", "--quiet", "--locked", "--package", "xtask", "--", "api"]).args(args);
    crate::steps::run(&mut command)
        .map_err(|fault| format!("api, whose complaints stand above, {fault}"))
}
