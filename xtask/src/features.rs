//! Every published crate with every feature alone, with none and with all; then with the oldest
//! versions of its dependencies that it says it works with, and the MSRV that it says it has.
//!
//! One package at a time: a run over several would give each the features that another asks for,
//! and show them all to work with what no consumer of one alone gets.

mod minimal;
mod msrv;

use std::process::Command;

pub(crate) use self::msrv::promises;
use crate::steps::{Steps, cargo, root};
use crate::workspace::{Package, Workspace};

/// The client that the TLS features are for.
const CLIENT: &str = "reqwest-0_13";
/// The TLS features; each passes through to the client's library.
const TLS: [&str; 3] = ["rustls", NO_PROVIDER, "native-tls"];
/// Works for a program that brings a provider, and tests are none.
const NO_PROVIDER: &str = "rustls-no-provider";
/// The crate whose own code turns on features; the others pass them on to it.
const ENGINE: &str = "auth-core";
/// Crates whose tests get the features that are chosen. A flow's tests need `auth-testkit`, which
/// asks for the engine's features itself, so that one choice compiles them as any other would.
const CHOOSY_TESTS: [&str; 2] = [ENGINE, "provider-auth"];

/// Runs it all.
pub(crate) fn run() -> Result<(), String> {
    let workspace = Workspace::read(&root())?;
    if !has_openssl() {
        println!(
            "OpenSSL's headers are not installed (libssl-dev, pkg-config): native-tls is left out"
        );
    }
    let mut steps = Steps::default();
    let (mut checked, mut tested) = (0, 0);
    for package in workspace.published() {
        let choices: Vec<_> = choices(package)
            .into_iter()
            .filter(|choice| has_openssl() || !choice.names("native-tls"))
            .collect();
        steps.step(&format!("{}: {} choices of features", package.name, choices.len()), || {
            for choice in &choices {
                try_out(package, choice)?;
                checked += 1;
                tested += usize::from(choice.tests == Tests::Run);
            }
            Ok(())
        })?;
    }
    minimal::run(&workspace, &mut steps)?;
    steps.step("the MSRV of what a consumer compiles", || msrv::check(&workspace))?;
    steps.finish();
    println!(
        "\nfeatures: {checked} choices compile without a warning, {tested} of them tested; the \
         oldest versions asked for compile; nothing needs a newer Rust than ours"
    );
    Ok(())
}

/// All features of a package, as cargo takes them; without OpenSSL's headers all but the one that
/// needs them.
pub(crate) fn every(package: &Package) -> Vec<String> {
    if has_openssl() {
        return vec!["--all-features".to_owned()];
    }
    let names = package.features.iter().filter(|name| *name != "native-tls");
    vec!["--features".to_owned(), names.cloned().collect::<Vec<_>>().join(",")]
}

/// Whether native-tls can be compiled: the one feature that needs more than Rust brings.
pub(crate) fn has_openssl() -> bool {
    let found = Command::new("pkg-config").args(["--exists", "openssl"]).status();
    cfg!(not(target_os = "linux")) || found.is_ok_and(|status| status.success())
}

/// What somebody may write into their manifest.
#[derive(Debug, PartialEq, Eq)]
struct Choice {
    args: Vec<String>,
    tests: Tests,
}

/// What becomes of a package's tests with a choice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Tests {
    Run,
    Compiled,
    LeftOut,
}

impl Choice {
    fn of(names: &[&str], tests: Tests) -> Self {
        let mut args = vec!["--no-default-features".to_owned()];
        if !names.is_empty() {
            args.extend(["--features".to_owned(), names.join(",")]);
        }
        Self { args, tests }
    }

    fn names(&self, feature: &str) -> bool {
        self.args.last().is_some_and(|names| names.split(',').any(|name| name == feature))
    }
}

/// The choices that are tried. Most features only pass through and need no judge but the compiler:
/// tests run with none, the default and all, and the engine's with each TLS.
fn choices(package: &Package) -> Vec<Choice> {
    let mut choices = vec![Choice { args: Vec::new(), tests: Tests::Run }];
    if package.features.is_empty() {
        return choices;
    }
    let (run, compiled) = if CHOOSY_TESTS.contains(&package.name.as_str()) {
        (Tests::Run, Tests::Compiled)
    } else {
        (Tests::LeftOut, Tests::LeftOut)
    };
    choices.push(Choice::of(&[], run));
    choices.push(Choice { args: every(package), tests: Tests::Run });
    let alone = package.features.iter().filter(|name| *name != "default");
    choices.extend(alone.map(|name| Choice::of(&[name], compiled)));
    if package.features.iter().any(|name| name == CLIENT) {
        choices.extend(TLS.map(|tls| {
            let works = package.name == ENGINE && tls != NO_PROVIDER;
            Choice::of(&[CLIENT, tls], if works { run } else { compiled })
        }));
    }
    choices
}

/// Runs a command, and shows what it printed only where it fails.
fn quietly(command: &mut Command) -> Result<(), String> {
    let output = command.output().map_err(|fault| format!("could not start: {fault}"))?;
    if output.status.success() {
        return Ok(());
    }
    let told = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    Err(format!("{told}\nended with {}", output.status))
}

/// Compiles the library as a consumer does, and its tests; runs them where that says more.
fn try_out(package: &Package, choice: &Choice) -> Result<(), String> {
    let base = |verb: &str, targets: &[&str]| {
        let mut command = cargo(&root());
        command.args([verb, "--quiet", "--locked", "--package", &package.name]);
        command.args(targets).args(&choice.args);
        command
    };
    let step = |name: &str, command: &mut Command| {
        quietly(command).map_err(|fault| format!("{name}: {fault}\nagain: {}", line(command)))
    };
    // Clippy does what check does and can deny warnings without compiling all dependencies anew.
    step("the library", base("clippy", &["--lib"]).args(["--", "-D", "warnings"]))?;
    match choice.tests {
        Tests::Run => step("its tests", &mut base("test", &["--lib", "--bins", "--tests"])),
        Tests::Compiled => {
            step("its tests' code", base("clippy", &["--tests"]).args(["--", "-D", "warnings"]))
        }
        Tests::LeftOut => Ok(()),
    }
}

/// A command as somebody would type it.
fn line(command: &Command) -> String {
    let args: Vec<_> = command.get_args().map(|arg| arg.to_string_lossy()).collect();
    format!("cargo {}", args.join(" "))
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;

    fn package(name: &str, features: &[&str]) -> Package {
        Package {
            name: name.to_owned(),
            version: "0.1.0".to_owned(),
            folder: PathBuf::new(),
            published: true,
            features: features.iter().map(|&feature| feature.to_owned()).collect(),
            needs: Vec::new(),
        }
    }

    fn lines(package: &Package) -> Vec<(String, Tests)> {
        choices(package).into_iter().map(|choice| (choice.args.join(" "), choice.tests)).collect()
    }

    #[test]
    fn each_feature_stands_alone_and_each_tls_beside_its_client() {
        let features = ["default", CLIENT, "rustls", NO_PROVIDER, "native-tls", "tracing"];
        let engine = package(ENGINE, &features);
        let told = lines(&engine);
        let none = "--no-default-features";
        for (args, tests) in [
            (String::new(), Tests::Run),
            (none.to_owned(), Tests::Run),
            (every(&engine).join(" "), Tests::Run),
            (format!("{none} --features reqwest-0_13"), Tests::Compiled),
            (format!("{none} --features rustls"), Tests::Compiled),
            (format!("{none} --features tracing"), Tests::Compiled),
            (format!("{none} --features reqwest-0_13,rustls"), Tests::Run),
            (format!("{none} --features reqwest-0_13,rustls-no-provider"), Tests::Compiled),
            (format!("{none} --features reqwest-0_13,native-tls"), Tests::Run),
        ] {
            assert!(told.contains(&(args.clone(), tests)), "{args}: {told:?}");
        }
        assert_eq!(told.len(), 3 + 5 + 3);
    }

    #[test]
    fn a_flow_has_the_same_choices_and_its_tests_run_where_they_differ() {
        let features = ["default", CLIENT, "rustls", NO_PROVIDER, "native-tls", "tracing"];
        let (flow, engine) = (package("manis-auth", &features), package(ENGINE, &features));
        let args = |package: &Package| -> Vec<_> {
            lines(package).into_iter().map(|(args, _)| args).collect()
        };
        assert_eq!(args(&flow), args(&engine));
        let run = lines(&flow).into_iter().filter(|(_, tests)| *tests == Tests::Run);
        let run: Vec<_> = run.map(|(args, _)| args).collect();
        assert_eq!(run, [String::new(), every(&flow).join(" ")]);
    }

    #[test]
    fn a_crate_without_features_is_tried_once() {
        assert_eq!(lines(&package("auth-sandbox", &[])), [(String::new(), Tests::Run)]);
    }

    #[test]
    fn a_choice_knows_what_it_names() {
        let choice = Choice::of(&[CLIENT, "native-tls"], Tests::LeftOut);
        assert!(choice.names("native-tls"));
        assert!(!Choice::of(&[CLIENT, NO_PROVIDER], Tests::LeftOut).names("rustls"));
        assert!(!Choice::of(&[], Tests::Run).names("native-tls"));
    }
}
