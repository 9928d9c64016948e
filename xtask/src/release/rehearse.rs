//! The whole release on this machine: a real registry, the real `publish`, killed again and again,
//! then strangers who build from what was published.
//!
//! Everything happens below `rehearsal` in the target folder, in a copy of this checkout whose one difference
//! is that the crates ask for one another in the registry `rehearsal` and not on crates.io. In front
//! of the registry stands a limit like that of crates.io, in seconds instead of minutes.

mod consumers;
mod front;
mod process;
mod registry;

use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};
use std::time::Duration;

use toml_edit::DocumentMut;

use self::consumers::Row;
use self::front::Front;
use self::process::Group;
use self::registry::Registry;
use super::{Options, git, home};
use crate::steps::{Steps, output, run as succeed, target};
use crate::workspace::{Workspace, files};

/// The registry's name in the copy and in the consumers.
const REGISTRY: &str = "rehearsal";
/// Where cargo takes the token for it from.
const TOKEN: &str = "CARGO_REGISTRIES_REHEARSAL_TOKEN";
/// How long any one thing may take on a slow machine.
const PATIENCE: Duration = Duration::from_secs(900);

/// What the publishing and the consuming processes are given.
#[derive(Clone, Debug)]
struct Stage {
    folder: PathBuf,
    checkout: PathBuf,
    /// This program, out of the way of cargo, which may build it anew meanwhile.
    program: PathBuf,
    variables: Vec<(String, String)>,
}

/// Runs `release rehearse`.
pub(super) fn run(options: &Options) -> Result<(), String> {
    if options.dry_run {
        println!(
            "would start a registry on a loopback port, publish a copy of this checkout to it, stop \
             that four times and go on each time, and build consumers from what is there"
        );
        return Ok(());
    }
    let mut steps = Steps::default();
    let folder = target().join("rehearsal");
    // Held until this process ends, however it ends.
    let _alone = alone()?;
    let before = home::loopback();
    let stage = Stage {
        checkout: folder.join("checkout"),
        program: folder.join("xtask").with_extension(std::env::consts::EXE_EXTENSION),
        folder,
        variables: variables(&target()),
    };
    let mut registry = None;
    steps.step("a registry on this machine", || {
        let started = Registry::start(&options.root, &stage.folder)?;
        println!("    {} listens at {}", registry::PROGRAM, started.address);
        registry = Some(started);
        Ok(())
    })?;
    let Some(registry) = registry else { return Err("no registry runs".to_owned()) };
    let front = Front::start(&registry)?;
    configure(&stage, &registry)?;
    let mut rows = Vec::new();
    let outcome = steps
        .step("a copy of this checkout", || copy(&options.root, &stage))
        .and_then(|()| released(&mut steps, &stage, &front, &registry))
        .and_then(|()| consumers::run(&mut steps, &stage, &mut rows));
    home::tidy(&before);
    outcome?;
    steps.finish();
    table(&rows);
    Ok(())
}

/// Makes sure that no other rehearsal writes to the same folder.
fn alone() -> Result<File, String> {
    let path = target().join("rehearsal.lock");
    let file = fs::create_dir_all(target()).and_then(|()| File::create(&path));
    let file = file.map_err(|fault| format!("{}: {fault}", path.display()))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => {
            Err("another rehearsal runs in this target folder: wait for it".to_owned())
        }
        Err(TryLockError::Error(fault)) => Err(format!("{}: {fault}", path.display())),
    }
}

/// Publishes, is stopped four times, and goes on.
fn released(
    steps: &mut Steps,
    stage: &Stage,
    front: &Front,
    registry: &Registry,
) -> Result<(), String> {
    let names: Vec<_> =
        Workspace::read(&stage.checkout)?.published().map(|package| package.name.clone()).collect();
    let all = names.len();
    let third = names.get(2).ok_or("a rehearsal needs three packages")?;
    steps.step("release publish, without --execute", || {
        let told = output(stage.publish(&[]).command())?;
        print!("{told}");
        if !told.contains("nothing was done") || registry.crates()? != 0 {
            return Err("it did something".to_owned());
        }
        quiet(stage, 0)
    })?;
    steps.step("release publish, stopped before its commit", || stage.stopped_in("pre-commit"))?;
    steps.step("release publish, stopped after its commit", || stage.stopped_in("post-commit"))?;
    steps.step("release publish, without a token", || {
        let mut publish = stage.publish(&["--execute"]);
        let told = output(publish.command().env_remove(TOKEN)).err().unwrap_or_default();
        if !told.contains("cargo login") || !told.contains("same command again") {
            return Err(format!("it does not say what to do:\n{told}"));
        }
        if registry.crates()? == 0 { Ok(()) } else { Err("it uploaded something".to_owned()) }
    })?;
    steps.step("release publish, killed with an upload taken and unheard", || {
        let reached = front.withhold(third);
        let mut run = stage.publish(&["--execute"]).start()?;
        let unheard = run.until(|| reached.try_recv().is_ok(), PATIENCE);
        run.kill()?;
        unheard?;
        front.answer_again();
        Ok(())
    })?;
    steps.step("release publish, killed while it waits for a limit", || {
        let mut run = stage.publish(&["--execute"]).start()?;
        let seen = run.says("limit is reached", PATIENCE);
        run.kill()?;
        seen
    })?;
    steps.step("release publish, to its end", || {
        let told = output(stage.publish(&["--execute"]).command())?;
        print!("{told}");
        quiet(stage, 1)
    })?;
    steps.step("release publish, once more", || {
        let told = output(stage.publish(&["--execute"]).command())?;
        if !told.contains("nothing is left to do") {
            return Err(format!("it found something to do:\n{told}"));
        }
        quiet(stage, 1)?;
        let (taken, there) = (front.taken(), registry.crates()?);
        println!(
            "    {there} crates in the index, {taken} uploads taken, {} put off",
            front.put_off()
        );
        if (taken, there) != (all, all) {
            return Err(format!("{all} crates make {all} uploads and {all} lines of the index"));
        }
        if front.put_off() == 0 {
            return Err("no upload met the limit".to_owned());
        }
        Ok(())
    })
}

/// The copy is clean, and has as many releases as it should.
fn quiet(stage: &Stage, releases: usize) -> Result<(), String> {
    let changed = git::changed(&stage.checkout)?;
    let log = output(git::git(&stage.checkout).args(["log", "--format=%s"]))?;
    let commits = log.lines().filter(|line| line.starts_with("Release ")).count();
    let tags = output(git::git(&stage.checkout).args(["tag", "--points-at", "HEAD"]))?;
    let tags = tags.lines().count();
    if changed.is_empty() && (commits, tags) == (releases, releases) {
        return Ok(());
    }
    Err(format!(
        "expected {releases} release: {commits} commits, {tags} tags, changed: {}",
        changed.join(", ")
    ))
}

impl Stage {
    fn publish(&self, flags: &[&str]) -> Group {
        let mut group = Group::new(&self.program);
        group
            .command()
            .args(["release", "publish", "--registry", REGISTRY, "--checkout"])
            .arg(&self.checkout)
            .args(flags)
            .envs(self.variables.iter().map(|(name, value)| (name, value)));
        group
    }

    /// Starts a publish and stops it inside one of git's hooks, as Ctrl-C would.
    fn stopped_in(&self, hook: &str) -> Result<(), String> {
        let reached = self.folder.join(format!("reached-{hook}"));
        let path = self.checkout.join(".git/hooks").join(hook);
        let script = format!("#!/bin/sh\n: > '{}'\nsleep 300\n", reached.display());
        let written = path
            .parent()
            .map_or(Ok(()), fs::create_dir_all)
            .and_then(|()| fs::write(&path, script))
            .and_then(|()| process::make_executable(&path));
        written.map_err(|fault| format!("{hook}: {fault}"))?;
        let mut run = self.publish(&["--execute"]).start()?;
        let there = run.until(|| reached.exists(), PATIENCE);
        run.stop()?;
        fs::remove_file(&path).map_err(|fault| format!("{hook}: {fault}"))?;
        there
    }
}

/// What makes cargo know the rehearsal's registry, in the copy and for the strangers beside it.
fn configure(stage: &Stage, registry: &Registry) -> Result<(), String> {
    let mut config = DocumentMut::new();
    for (table, key, value) in [
        (
            "registries",
            REGISTRY,
            toml_edit::InlineTable::from_iter([("index", registry.index())]).into(),
        ),
        // The registry serves its index as plain files, which git itself can fetch.
        ("net", "git-fetch-with-cli", toml_edit::Value::from(true)),
    ] {
        let table = config.entry(table).or_insert(toml_edit::table());
        if let Some(table) = table.as_table_like_mut() {
            table.insert(key, toml_edit::value(value));
        }
    }
    let folder = stage.folder.join(".cargo");
    fs::create_dir_all(&folder)
        .and_then(|()| fs::write(folder.join("config.toml"), config.to_string()))
        .map_err(|fault| format!("{}: {fault}", folder.display()))
}

/// A token for the registry, which asks for none but whose client wants one; and for git a name,
/// and nothing of this machine's settings. What is compiled is compiled once.
fn variables(target: &Path) -> Vec<(String, String)> {
    let target = target.display().to_string();
    let nothing = if cfg!(windows) { "NUL" } else { "/dev/null" };
    [
        (TOKEN, "made-up"),
        ("CARGO_TARGET_DIR", target.as_str()),
        ("GIT_CONFIG_GLOBAL", nothing),
        ("GIT_CONFIG_NOSYSTEM", "1"),
        ("GIT_AUTHOR_NAME", "Rehearsal"),
        ("GIT_AUTHOR_EMAIL", "rehearsal@localhost"),
        ("GIT_COMMITTER_NAME", "Rehearsal"),
        ("GIT_COMMITTER_EMAIL", "rehearsal@localhost"),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .into()
}

/// Copies the checkout as it is now, and makes it a repository of its own.
fn copy(root: &Path, stage: &Stage) -> Result<(), String> {
    for file in files(root)? {
        let to = stage.checkout.join(&file);
        to.parent()
            .map_or(Ok(()), fs::create_dir_all)
            .and_then(|()| fs::copy(root.join(&file), &to))
            .map_err(|fault| format!("{file}: {fault}"))?;
    }
    std::env::current_exe()
        .and_then(|this| fs::copy(this, &stage.program))
        .map_err(|fault| format!("this program: {fault}"))?;
    let manifest = stage.checkout.join("Cargo.toml");
    let text = fs::read_to_string(&manifest).map_err(|fault| format!("Cargo.toml: {fault}"))?;
    fs::write(&manifest, in_registry(&text)?).map_err(|fault| format!("Cargo.toml: {fault}"))?;
    for words in [
        &["init", "--quiet"][..],
        &["add", "--all"],
        &["commit", "--quiet", "--message", "A copy for the rehearsal"],
    ] {
        let variables = stage.variables.iter().map(|(name, value)| (name, value));
        succeed(git::git(&stage.checkout).args(words).envs(variables))?;
    }
    Ok(())
}

/// The root manifest with the registry beside each path of ours.
fn in_registry(manifest: &str) -> Result<String, String> {
    let mut manifest: DocumentMut =
        manifest.parse().map_err(|fault| format!("Cargo.toml: {fault}"))?;
    let dependencies = manifest
        .get_mut("workspace")
        .and_then(|workspace| workspace.get_mut("dependencies"))
        .and_then(|dependencies| dependencies.as_table_like_mut())
        .ok_or("Cargo.toml has no [workspace.dependencies]")?;
    for (_, line) in dependencies.iter_mut() {
        if let Some(line) = line.as_table_like_mut().filter(|line| line.contains_key("path")) {
            line.insert("registry", toml_edit::value(REGISTRY));
        }
    }
    Ok(manifest.to_string())
}

fn table(rows: &[Row]) {
    println!("\n{:<28} {:>7}  {:<26} gets a token from", "a stranger's cargo add", "crates", "");
    for row in rows {
        println!("{:<28} {:>7}  {:<26} {}", row.name, row.crates, row.with, row.tokens);
    }
}
