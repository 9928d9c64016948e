//! Packages outside the workspace, as somebody would write them who never saw it.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use super::effort;
use crate::steps::{cargo, output, root, run, target};
use crate::workspace::tree;

/// What any program needs that asks for a token and waits for it.
const TOKIO: &str = "tokio = { version = \"1\", features = [\"macros\", \"rt\"] }\n";

pub(super) static PLAIN: Consumer = Consumer {
    name: "plain",
    what: "plain reqwest 0.13, rustls",
    dependencies: &[
        "reqwest = { version = \"0.13\", default-features = false, features = [\"rustls\"] }\n",
        "serde_json = \"1\"\n",
        TOKIO,
    ],
    main: include_str!("../../weigh/plain.rs"),
    after: None,
    works: true,
};

pub(super) static ONE: Consumer = Consumer {
    name: "one",
    what: "one provider: manis-auth",
    dependencies: &["manis-auth = { path = \"CRATES/manis-auth\" }\n", TOKIO],
    main: include_str!("../../weigh/one.rs"),
    after: None,
    works: true,
};

/// The other providers, and the umbrella with one feature: only counted, since they are built of the
/// same.
pub(super) static COUNTED: [Consumer; 5] = [
    counted(
        "digitalpaye-auth",
        &["digitalpaye-auth = { path = \"CRATES/digitalpaye-auth\" }\n", TOKIO],
    ),
    counted("digishare-auth", &["digishare-auth = { path = \"CRATES/digishare-auth\" }\n", TOKIO]),
    counted("tresorpay-auth", &["tresorpay-auth = { path = \"CRATES/tresorpay-auth\" }\n", TOKIO]),
    counted("papaya-auth", &["papaya-auth = { path = \"CRATES/papaya-auth\" }\n", TOKIO]),
    counted(
        "provider-auth, papaya",
        &["provider-auth = { path = \"CRATES/provider-auth\", features = [\"papaya\"] }\n", TOKIO],
    ),
];

const fn counted(what: &'static str, dependencies: &'static [&'static str]) -> Consumer {
    let main = "fn main() {}\n";
    Consumer { name: "counted", what, dependencies, main, after: None, works: false }
}

pub(super) static ALL: Consumer = Consumer {
    name: "all",
    what: "all five: provider-auth, full",
    dependencies: &[
        "provider-auth = { path = \"CRATES/provider-auth\", features = [\"full\"] }\n",
        TOKIO,
    ],
    main: include_str!("../../weigh/all.rs"),
    after: Some("manis-auth"),
    works: true,
};

pub(super) static BARE: Consumer = Consumer {
    name: "bare",
    what: "auth-core without its defaults",
    dependencies: &["auth-core = { path = \"CRATES/auth-core\", default-features = false }\n"],
    main: include_str!("../../weigh/bare.rs"),
    after: None,
    works: false,
};

/// A program with a manifest of its own.
pub(super) struct Consumer {
    pub(super) name: &'static str,
    pub(super) what: &'static str,
    /// Lines of its manifest; `CRATES` stands for the folder of ours.
    dependencies: &'static [&'static str],
    main: &'static str,
    /// Built on what the build before it left: what more there is to do once one has that.
    pub(super) after: Option<&'static str>,
    /// Whether it gets a token, and not only compiles.
    pub(super) works: bool,
}

impl Consumer {
    fn folder(&self) -> PathBuf {
        target().join("weigh").join(self.name)
    }

    /// Writes it, with the versions of the workspace.
    pub(super) fn write(&self) -> Result<(), String> {
        let folder = self.folder();
        let lock = fs::read(root().join("Cargo.lock")).map_err(|fault| fault.to_string())?;
        fs::create_dir_all(folder.join("src"))
            .and_then(|()| fs::write(folder.join("Cargo.toml"), self.manifest(&root())))
            .and_then(|()| fs::write(folder.join("src/main.rs"), self.main))
            .and_then(|()| fs::write(folder.join("Cargo.lock"), lock))
            .map_err(|fault| format!("{}: {fault}", folder.display()))?;
        // Takes what it has no use for out of the lock file.
        output(cargo(&folder).args(["metadata", "--format-version", "1"])).map(drop)
    }

    fn manifest(&self, root: &Path) -> String {
        let crates = root.join("crates").display().to_string().replace('\\', "/");
        format!(
            "[package]\nname = \"consumer\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\n[workspace]\n\n\
             [profile.release]\nstrip = true\n\n[dependencies]\n{}",
            self.dependencies.concat().replace("CRATES", &crates)
        )
    }

    /// What it compiles on this machine, but itself.
    pub(super) fn crates(&self) -> Result<BTreeSet<String>, String> {
        let mut crates = tree(&self.folder(), "consumer", &[])?;
        crates.retain(|name| !name.starts_with("consumer "));
        Ok(crates)
    }

    /// Builds it as for the first time; gives what that took, and the program.
    pub(super) fn build(&self) -> Result<(Duration, PathBuf), String> {
        let folder = self.folder();
        let built = target().join("weigh/built");
        if self.after.is_none() && built.exists() {
            fs::remove_dir_all(&built).map_err(|fault| format!("{}: {fault}", built.display()))?;
        }
        run(cargo(&folder).args(["fetch", "--quiet", "--locked"]))?;
        let mut build = cargo(&folder);
        build.args(["build", "--quiet", "--locked", "--release"]);
        let (took, ()) = effort::of(|| run(build.env("CARGO_TARGET_DIR", &built)))?;
        let program = format!("consumer{}", std::env::consts::EXE_SUFFIX);
        Ok((took, built.join("release").join(program)))
    }

    /// Lets the program do its work.
    pub(super) fn run(&self, program: &Path, variables: &[(String, String)]) -> Result<(), String> {
        let mut command = Command::new(program);
        output(command.env("NO_PROXY", "127.0.0.1").envs(variables.iter().cloned()))
            .map(drop)
            .map_err(|fault| format!("the program with {} got no token: {fault}", self.what))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_consumer_asks_for_ours_by_path_and_for_the_rest_by_version() {
        let manifest = ONE.manifest(Path::new("/somewhere"));
        assert!(manifest.contains("manis-auth = { path = \"/somewhere/crates/manis-auth\" }"));
        assert!(manifest.contains("[workspace]"), "else cargo takes it for a lost member");
        assert!(PLAIN.manifest(Path::new("/somewhere")).contains("features = [\"rustls\"]"));
    }
}
