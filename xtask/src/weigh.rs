//! No tool says what our crates add to a program, beside plain reqwest with the same TLS.

use std::collections::BTreeSet;
use std::fs;
use std::process::Command;

use crate::outside::{Consumer, ours};
use crate::server::Sandbox;
use crate::steps::{Steps, cargo, now, output, run as succeed, target};
use crate::test::PROVIDERS;

/// The most crates that one provider's crate may bring beyond plain reqwest.
const MOST_OVER_PLAIN: usize = 18;
/// The most crates that the engine may bring without its defaults.
const MOST_BARE: usize = 30;
/// What any program needs that asks for a token and waits for it.
const TOKIO: &str = "tokio = { version = \"1\", features = [\"macros\", \"rt\"] }\n";
const NOTHING: &str = "fn main() {}\n";
const BARE: &str = "auth-core without its defaults";
const ENGINE: &str = "auth-core";
/// A store, its feature, and the most crates that it may bring beside the engine with its defaults.
const STORES: [(&str, &str, usize); 2] =
    [("auth-core, auth-store (file)", "file", 2), ("auth-core, auth-store (redis)", "redis-1", 16)];
const PLAIN: &str = "serde_json = \"1\"\nreqwest = { version = \"0.13\", default-features = false, \
                     features = [\"rustls\"] }\n";

/// A program; one that gets no token is counted alone.
struct Program {
    what: String,
    consumer: Consumer,
    crates: BTreeSet<String>,
    works: bool,
}

/// Counts, and but for `--quick` builds and runs: five minutes on two cores.
pub(crate) fn run(args: impl Iterator<Item = String>) -> Result<(), String> {
    let args: Vec<_> = args.collect();
    if !args.is_empty() && args != ["--quick"] {
        return Err(format!("weigh takes --quick alone, not {}", args.join(" ")));
    }
    let mut programs = Vec::new();
    let mut add = |what: &str, dependencies: String, main: &str, providers: &[&str]| {
        let folder = target().join("weigh").join(what.replace([' ', ',', '.', ':'], "-"));
        let consumer = Consumer::write(folder, &dependencies, main)?.locked()?;
        // Takes what it has no use for out of the lock file.
        output(cargo(&consumer.folder).args(["metadata", "--format-version", "1"]))?;
        let (crates, works) = (consumer.crates(providers)?, main != NOTHING);
        programs.push(Program { what: what.to_owned(), consumer, crates, works });
        Ok::<_, String>(())
    };
    let plain = include_str!("../consumers/plain.rs");
    add("plain reqwest 0.13, rustls", PLAIN.to_owned() + TOKIO, plain, &[])?;
    let umbrella = |feature: &str| ours("provider-auth", &format!(", features = ['{feature}']"));
    for provider in PROVIDERS {
        let krate = format!("{provider}-auth");
        let one = include_str!("../consumers/one.rs");
        let main = if provider == "manis" { one } else { NOTHING };
        add(&krate, ours(&krate, "") + TOKIO, main, &[provider])?;
    }
    add("provider-auth, papaya", umbrella("papaya") + TOKIO, NOTHING, &["papaya"])?;
    let all = include_str!("../consumers/all.rs");
    add("provider-auth, full", umbrella("full") + TOKIO, all, &PROVIDERS)?;
    let engine = ours("auth-core", "") + TOKIO;
    add(ENGINE, engine.clone(), NOTHING, &[])?;
    for (what, features, _) in STORES {
        let store = ours("auth-store", &format!(", features = ['{features}']"));
        add(what, engine.clone() + &store, NOTHING, &[])?;
    }
    add(BARE, ours("auth-core", ", default-features = false"), NOTHING, &[])?;
    let plain = programs.first().map(|plain| plain.crates.clone()).unwrap_or_default();
    let engine = programs.iter().find(|program| program.what == ENGINE);
    let engine = engine.map(|engine| engine.crates.clone()).unwrap_or_default();
    println!("{:<32} {:>7} {:>17}", "a program with", "crates", "not beside plain");
    let mut faults = Vec::new();
    for Program { what, crates, .. } in &programs {
        let over: Vec<_> = crates.difference(&plain).cloned().collect();
        println!("{what:<32} {:>7} {:>17}", crates.len(), over.len());
        if let Some((.., most)) = STORES.iter().find(|(store, ..)| store == what) {
            let mut over: Vec<_> = crates.difference(&engine).collect();
            over.retain(|name| !name.starts_with("auth-store "));
            println!("{:<32} {:>7} {:>17}", "  beside auth-core and itself", "", over.len());
            if over.len() > *most {
                faults.push(format!("{what} brings over {most} crates: {over:?}"));
            }
        } else if what == BARE && crates.len() > MOST_BARE {
            faults.push(format!("{what} brings over {MOST_BARE} crates: {crates:?}"));
        } else if what != BARE && !what.ends_with("full") && over.len() > MOST_OVER_PLAIN {
            faults.push(format!("{what} brings over {MOST_OVER_PLAIN} crates: {over:?}"));
        }
    }
    if args.is_empty() {
        build(&programs)?;
    }
    if faults.is_empty() { Ok(()) } else { Err(faults.join("\n")) }
}

/// Builds each program that gets a token for the first time, and lets it get one: a program that was
/// never seen to do its work weighs nothing.
fn build(programs: &[Program]) -> Result<(), String> {
    let mut steps = Steps::default();
    steps.cargo(&["build", "--quiet", "--locked", "--package", "auth-sandbox"])?;
    let sandbox = Sandbox::start(&target().join("debug/auth-sandbox"))?;
    for Program { what, consumer, .. } in programs.iter().filter(|program| program.works) {
        let built = target().join("weigh/built");
        let _ = fs::remove_dir_all(&built);
        succeed(cargo(&consumer.folder).args(["fetch", "--quiet", "--locked"]))?;
        let began = now();
        let words = ["build", "--quiet", "--locked", "--release"];
        succeed(cargo(&consumer.folder).args(words).env("CARGO_TARGET_DIR", &built))?;
        let took = now().duration_since(began).as_secs_f64();
        let program =
            built.join("release/consumer").with_extension(std::env::consts::EXE_EXTENSION);
        let mut command = Command::new(&program);
        command.env("NO_PROXY", "127.0.0.1").envs(sandbox.variables.iter().cloned());
        output(&mut command).map_err(|fault| format!("{what} got no token: {fault}"))?;
        let size = fs::metadata(&program).map_err(|fault| fault.to_string())?.len() >> 10;
        println!("{what:<32} {took:>6.1} s for a first release build, {size} KiB stripped");
    }
    Ok(())
}
