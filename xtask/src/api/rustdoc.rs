//! What rustdoc says of a library, in the one format that can be read here.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use serde_json::Value;

use super::stand_in;
use crate::features;
use crate::steps::{cargo, output, root, run, target};
use crate::workspace::Package;

/// The format that the `public-api` of this crate's manifest reads.
const FORMAT: u64 = 57;
/// A toolchain that writes it.
const WRITES_IT: &str = "1.95";

/// rustdoc's JSON of one library.
pub(crate) struct Json {
    pub(crate) library: String,
    pub(crate) file: PathBuf,
    pub(crate) value: Value,
}

/// A library's name in code.
pub(crate) fn library(package: &Package) -> String {
    package.name.replace('-', "_")
}

/// Asks rustdoc about a package with every feature.
#[allow(clippy::disallowed_methods)] // no setting of the crates'
pub(crate) fn json(package: &Package) -> Result<Json, String> {
    let library = library(package);
    let docs = target().join("doc");
    // Cargo takes the HTML there for what it would make, and then makes nothing.
    let _ = fs::remove_dir_all(docs.join(&library));
    let this =
        std::env::current_exe().map_err(|fault| format!("this program's own path: {fault}"))?;
    let real = std::env::var_os("RUSTDOC").unwrap_or_else(|| "rustdoc".into());
    run(cargo(&root())
        .args(["rustdoc", "--quiet", "--locked", "--lib", "--package", &package.name])
        .args(features::every(package))
        .args(["--", "-Z", "unstable-options", "--output-format", "json"])
        .env("RUSTDOC", this)
        .env(stand_in::FOR, real))?;
    let file = docs.join(format!("{library}.json"));
    let text = fs::read_to_string(&file).map_err(|fault| format!("{}: {fault}", file.display()))?;
    let value: Value =
        serde_json::from_str(&text).map_err(|fault| format!("{}: {fault}", file.display()))?;
    let found = format(&value);
    if found != Some(FORMAT) {
        let rustc = output(Command::new("rustc").arg("--version"));
        return Err(other_format(rustc.as_deref().unwrap_or("this rustc").trim(), found));
    }
    Ok(Json { library, file, value })
}

fn format(value: &Value) -> Option<u64> {
    value.get("format_version").and_then(Value::as_u64)
}

fn other_format(rustc: &str, found: Option<u64>) -> String {
    let found = found.map_or_else(|| "without a number".to_owned(), |found| found.to_string());
    format!(
        "the API is read from rustdoc JSON format {FORMAT}, and {rustc} writes format {found}: use \
         a toolchain that writes {FORMAT} (RUSTUP_TOOLCHAIN={WRITES_IT} does), or take the \
         public-api that reads {found} into xtask/Cargo.toml"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_format_is_named_beside_the_one_that_is_read() {
        let newer = serde_json::json!({"format_version": 60});
        let text = other_format("rustc 1.97.0-nightly", format(&newer));
        assert!(text.contains("format 57"), "{text}");
        assert!(text.contains("rustc 1.97.0-nightly writes format 60"), "{text}");
        assert!(text.contains("RUSTUP_TOOLCHAIN=1.95"), "{text}");
        assert_eq!(format(&serde_json::json!({"format_version": FORMAT})), Some(FORMAT));
        assert_eq!(format(&serde_json::json!({})), None);
    }
}
