//! The sandbox as a program beside the ones that are weighed.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use crate::steps::{cargo, root, run, target};

/// Ends when it is dropped.
pub(super) struct Sandbox {
    process: Child,
    variables: Vec<(String, String)>,
}

impl Sandbox {
    /// Builds and starts it, and reads what it says to export.
    pub(super) fn start() -> Result<Self, String> {
        run(cargo(&root()).args(["build", "--quiet", "--locked", "--package", "auth-sandbox"]))?;
        let name = format!("auth-sandbox{}", std::env::consts::EXE_SUFFIX);
        let mut process = Command::new(target().join("debug").join(name))
            .args(["--port", "0"])
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|fault| format!("the sandbox did not start: {fault}"))?;
        let out = process.stdout.take();
        let mut sandbox = Self { process, variables: Vec::new() };
        for line in out.into_iter().flat_map(|out| BufReader::new(out).lines()) {
            let line = line.map_err(|fault| format!("the sandbox: {fault}"))?;
            sandbox.variables.extend(exported(&line));
            if line.starts_with("# serving") {
                return Ok(sandbox);
            }
        }
        Err("the sandbox ended before it served: run `cargo run -p auth-sandbox`".to_owned())
    }

    pub(super) fn variables(&self) -> &[(String, String)] {
        &self.variables
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        // Where it has ended already there is nothing to do.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// A variable that a line exports.
fn exported(line: &str) -> Option<(String, String)> {
    let (name, value) = line.strip_prefix("export ")?.split_once('=')?;
    Some((name.to_owned(), value.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_variable_is_what_a_line_exports() {
        let told = exported("export MANIS_BASE_URL=http://127.0.0.1:8084?a=b");
        let told = told.as_ref().map(|(name, value)| (name.as_str(), value.as_str()));
        assert_eq!(told, Some(("MANIS_BASE_URL", "http://127.0.0.1:8084?a=b")));
        assert_eq!(exported("# export DIGISHARE_PERSONAL_ACCESS_TOKEN=made-up"), None);
        assert_eq!(exported("# manis http://127.0.0.1:8084"), None);
    }
}
