//! Strangers: packages made from nothing, outside the workspace, that take what was published.
//!
//! Each adds one crate with `cargo add`, must find no other provider in its tree, and gets a token
//! from the sandbox, which is itself installed from the registry.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use toml_edit::DocumentMut;

use super::{REGISTRY, Stage};
use crate::server::Sandbox;
use crate::steps::{PROFILE, Steps, cargo, output, run as succeed};
use crate::test::PROVIDERS;
use crate::workspace::tree;

/// A stranger's outcome.
#[derive(Clone, Debug)]
pub(super) struct Row {
    pub(super) name: String,
    pub(super) with: String,
    /// Crates in its tree.
    pub(super) crates: usize,
    /// From whom it got a token.
    pub(super) tokens: String,
}

/// A package of a stranger's.
#[derive(Clone, Debug, Default)]
struct Consumer {
    name: String,
    /// What it passes to `cargo add`.
    added: Vec<&'static str>,
    features: String,
    /// What its program needs besides.
    beside: Vec<[&'static str; 2]>,
    main: String,
    providers: Vec<&'static str>,
    /// What must not be in its tree besides other providers.
    without: Vec<&'static str>,
}

/// Lets every stranger try.
pub(super) fn run(steps: &mut Steps, stage: &Stage, rows: &mut Vec<Row>) -> Result<(), String> {
    let mut sandbox = None;
    steps.step("cargo install auth-sandbox", || {
        sandbox = Some(Sandbox::start(&installed(stage)?)?);
        Ok(())
    })?;
    let Some(sandbox) = sandbox else { return Err("no sandbox runs".to_owned()) };
    for consumer in consumers() {
        let name = format!("{}{}", consumer.name, consumer.title());
        steps.step(&format!("a stranger with {name}"), || {
            rows.push(consumer.check(stage, &sandbox.variables)?);
            Ok(())
        })?;
    }
    steps.step("a stranger's sixth provider", || {
        rows.push(sixth(stage)?);
        Ok(())
    })
}

fn consumers() -> Vec<Consumer> {
    let tokio = ["tokio", "macros,rt"];
    let mut all = Vec::new();
    for provider in PROVIDERS {
        all.push(Consumer {
            name: format!("{provider}-auth"),
            beside: vec![tokio],
            main: program(&[(format!("{provider}_auth"), provider)]),
            providers: vec![provider],
            ..Consumer::default()
        });
    }
    for provider in PROVIDERS {
        all.push(Consumer {
            name: "provider-auth".to_owned(),
            features: provider.to_owned(),
            beside: vec![tokio],
            main: program(&[(format!("provider_auth::{provider}"), provider)]),
            providers: vec![provider],
            ..Consumer::default()
        });
    }
    let every = PROVIDERS.map(|provider| (format!("provider_auth::{provider}"), provider));
    all.push(Consumer {
        name: "provider-auth".to_owned(),
        features: "full".to_owned(),
        beside: vec![tokio],
        main: program(&every),
        providers: PROVIDERS.into(),
        ..Consumer::default()
    });
    all.push(Consumer {
        name: "manis-auth".to_owned(),
        added: vec!["--no-default-features"],
        beside: vec![["tokio", "macros,rt,net,io-util"], ["http", ""]],
        main: format!("{}\n{OWN_CLIENT}", {
            program(&[("manis_auth".to_owned(), "manis")]).replace(
                "CachedTokenSource::new(flow)?",
                "CachedTokenSource::builder(flow).http_client(Plain).build()?",
            )
        }),
        providers: vec!["manis"],
        without: vec!["reqwest", "hyper", "rustls", "tracing"],
        ..Consumer::default()
    });
    all
}

/// The README's lines, for each of these providers.
fn program(providers: &[(String, &str)]) -> String {
    let blocks = providers.iter().map(|(path, provider)| {
        let flow = match *provider {
            "tresorpay" => "TresorPay".to_owned(),
            name => {
                name.get(..1).unwrap_or_default().to_uppercase() + name.get(1..).unwrap_or_default()
            }
        };
        format!(
            "    {{\n        use {path}::{{CachedTokenSource, {flow}}};\n        \
             let flow = {flow}::from_env()?;\n        \
             let tokens = CachedTokenSource::new(flow)?;\n        \
             let token = tokens.token().await?;\n        \
             println!(\"{provider}: {{token:?}}\");\n    }}\n"
        )
    });
    format!(
        "#[tokio::main(flavor = \"current_thread\")]\n\
         async fn main() -> Result<(), Box<dyn std::error::Error>> {{\n{}    Ok(())\n}}\n",
        blocks.collect::<String>()
    )
}

/// An HTTP client that somebody wrote by hand, for plain http on loopback.
const OWN_CLIENT: &str = include_str!("../../../strangers/own_client.rs");

impl Consumer {
    fn title(&self) -> String {
        match (self.features.as_str(), self.added.is_empty()) {
            ("", true) => String::new(),
            ("", false) => " and a client of its own".to_owned(),
            (features, _) => format!(", feature {features}"),
        }
    }

    fn check(&self, stage: &Stage, variables: &[(String, String)]) -> Result<Row, String> {
        let folder =
            stage.stranger(&format!("{}{}", self.name, self.features).replace(',', "-"))?;
        write(&folder, "src/main.rs", &self.main)?;
        let mut words = vec!["--registry", REGISTRY];
        words.extend(&self.added);
        if !self.features.is_empty() {
            words.extend(["--features", &self.features]);
        }
        stage.add(&folder, &self.name, &words)?;
        for [name, features] in &self.beside {
            stage.add(&folder, name, &["--features", features])?;
        }
        let told = output(
            stage
                .cargo(&folder)
                .args(["run", "--quiet"])
                .envs(variables.iter().map(|(name, value)| (name, value))),
        )?;
        let got: Vec<_> = self
            .providers
            .iter()
            .copied()
            .filter(|provider| told.contains(&format!("{provider}: AccessToken")))
            .collect();
        if got != self.providers {
            return Err(format!("it got tokens from {}, and said:\n{told}", got.join(", ")));
        }
        let crates = tree(&folder, "stranger", &[])?;
        let others = PROVIDERS.iter().filter(|other| !self.providers.contains(other));
        let others = others.map(|other| format!("{other}-auth"));
        for other in others.chain(self.without.iter().map(|other| (*other).to_owned())) {
            if crates.iter().any(|line| line.starts_with(&format!("{other} "))) {
                return Err(format!("{} brings {other} along", self.name));
            }
        }
        let with =
            if self.features.is_empty() { self.added.join(" ") } else { self.features.clone() };
        Ok(Row {
            name: self.name.clone(),
            with,
            crates: crates.len() - 1,
            tokens: if got.len() == PROVIDERS.len() {
                "all five".to_owned()
            } else {
                got.join(", ")
            },
        })
    }
}

/// The example of a provider in a package of its own, with what was published under it.
fn sixth(stage: &Stage) -> Result<Row, String> {
    let from = stage.checkout.join("examples/sixth-provider");
    let folder = stage.folder.join("strangers/sixth-provider");
    for name in ["src/lib.rs", "src/main.rs", "tests/flow.rs", "Cargo.toml"] {
        let text =
            fs::read_to_string(from.join(name)).map_err(|fault| format!("{name}: {fault}"))?;
        let text = if name == "Cargo.toml" { published(&text)? } else { text };
        write(&folder, name, &text)?;
    }
    succeed(stage.cargo(&folder).args(["test", "--quiet"]))?;
    Ok(Row {
        name: "auth-core".to_owned(),
        with: "a sixth provider".to_owned(),
        crates: tree(&folder, "sahelpay-auth", &[])?.len() - 1,
        tokens: "its own".to_owned(),
    })
}

/// The example's manifest with auth-core from the registry, and no longer by path.
fn published(manifest: &str) -> Result<String, String> {
    let mut manifest: DocumentMut =
        manifest.parse().map_err(|fault| format!("Cargo.toml: {fault}"))?;
    manifest.remove("patch").ok_or("the example takes auth-core by no path: mend this")?;
    for table in ["dependencies", "dev-dependencies"] {
        let Some(line) = manifest.get_mut(table).and_then(|table| table.get_mut("auth-core"))
        else {
            continue;
        };
        if let Some(version) = line.as_str().map(str::to_owned) {
            *line = toml_edit::value(toml_edit::InlineTable::from_iter([("version", version)]));
        }
        if let Some(line) = line.as_table_like_mut() {
            line.insert("registry", toml_edit::value(REGISTRY));
        }
    }
    Ok(manifest.to_string())
}

impl Stage {
    /// An empty package.
    fn stranger(&self, name: &str) -> Result<PathBuf, String> {
        let folder = self.folder.join("strangers").join(name);
        let manifest = "[package]\nname = \"stranger\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\n\
                        [workspace]\n";
        write(&folder, "Cargo.toml", manifest)?;
        write(&folder, "src/main.rs", "fn main() {}\n")?;
        Ok(folder)
    }

    fn cargo(&self, folder: &Path) -> Command {
        let mut command = cargo(folder);
        command.args(PROFILE).envs(self.variables.iter().map(|(name, value)| (name, value)));
        command
    }

    fn add(&self, folder: &Path, name: &str, words: &[&str]) -> Result<(), String> {
        let mut command = self.cargo(folder);
        succeed(command.args(["add", "--quiet", name]).args(words))
            .map_err(|fault| format!("cargo add {name}: {fault}"))
    }
}

fn write(folder: &Path, name: &str, text: &str) -> Result<(), String> {
    let path = folder.join(name);
    path.parent()
        .map_or(Ok(()), fs::create_dir_all)
        .and_then(|()| fs::write(&path, text))
        .map_err(|fault| format!("{}: {fault}", path.display()))
}

/// The sandbox program, as a stranger installs it.
fn installed(stage: &Stage) -> Result<PathBuf, String> {
    let folder = stage.stranger("tools")?;
    let mut command = stage.cargo(&folder);
    // What is installed is for the user, so cargo looks at no folder's configuration.
    command.arg("--config").arg(stage.folder.join(".cargo/config.toml"));
    let args = ["install", "--quiet", "--debug", "--registry", REGISTRY, "auth-sandbox", "--root"];
    succeed(command.args(args).arg(&stage.folder))?;
    Ok(stage.folder.join("bin/auth-sandbox"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_takes_what_was_published() {
        let text = "[dependencies]\nauth-core = \"0.1\"\nserde = \"1\"\n\n[dev-dependencies]\n\
                    auth-core = { version = \"0.1\", features = [\"test-util\"] }\n\n\
                    [patch.crates-io]\nauth-core = { path = \"../x\" }\n";
        let text = published(text).unwrap();
        assert!(!text.contains("path"), "{text}");
        assert_eq!(text.matches("registry = \"rehearsal\"").count(), 2, "{text}");
        assert!(text.contains("serde = \"1\"\n"), "{text}");
        assert!(published("[dependencies]\n").is_err());
    }
}
