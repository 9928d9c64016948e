//! No tool rehearses a release: a real registry on this machine, the real `publish`, stopped and
//! killed again and again, then consumers who build from what was published.
//!
//! Everything happens below `rehearsal` in the target folder, in a copy of this checkout whose one
//! difference is that the crates ask for one another in the registry `rehearsal` and not on crates.io.
//! Before the registry stands a limit like that of crates.io, in seconds instead of minutes.

mod consumers;
mod front;
mod registry;
mod watched;

use std::fs::{self, File};
use std::path::PathBuf;
use std::process::Command;

use self::front::{Front, State};
use self::registry::Registry;
use self::watched::Watched;
use super::check;
use crate::steps::{Steps, command, output, read, root, run as succeed, target, write};
use crate::workspace::{copy, git, published};

/// The registry's name in the copy and for the consumers.
const REGISTRY: &str = "rehearsal";
/// Where cargo takes the token for it from.
const TOKEN: &str = "CARGO_REGISTRIES_REHEARSAL_TOKEN";
/// The crate whose upload is taken without a word: some of the others are there then, and some not.
const UNHEARD: &str = "digitalpaye-auth";

/// What the publishing and the consuming processes are given.
#[derive(Debug)]
struct Stage {
    folder: PathBuf,
    checkout: PathBuf,
    /// This program, out of the way of cargo, which may build it anew meanwhile.
    program: PathBuf,
}

/// Runs `release rehearse`.
pub(super) fn run() -> Result<(), String> {
    let mut steps = Steps::default();
    let folder = target().join("rehearsal");
    // Held until this process ends, however it ends.
    let lock = target().join("rehearsal.lock");
    let lock = File::create(&lock).map_err(|fault| format!("{}: {fault}", lock.display()))?;
    lock.try_lock().map_err(|fault| format!("another rehearsal runs in this folder: {fault}"))?;
    let before = on_loopback();
    let program = folder.join("xtask").with_extension(std::env::consts::EXE_EXTENSION);
    let stage = Stage { checkout: folder.join("checkout"), program, folder };
    let registry = steps.step("a registry on this machine", || Registry::start(&stage.folder))?;
    let front = Front::start(&registry)?;
    let outcome = steps
        .step("a copy of this checkout", || stage.prepare(&registry))
        .and_then(|()| released(&mut steps, &stage, &front, &registry))
        .and_then(|()| consumers::run(&mut steps, &stage));
    // What cargo keeps in its home of a registry whose port is never used again.
    for folder in on_loopback().iter().filter(|folder| !before.contains(folder)) {
        let _ = fs::remove_dir_all(folder);
    }
    outcome?;
    steps.finish();
    Ok(())
}

/// The folders in cargo's home that belong to registries on loopback.
fn on_loopback() -> Vec<PathBuf> {
    let all = ["index", "cache", "src"].into_iter().flat_map(check::unpacked);
    all.filter(|(name, _)| name.starts_with("127.0.0.1-")).map(|(_, folder)| folder).collect()
}

/// Publishes, is stopped four times, and goes on.
fn released(
    steps: &mut Steps,
    stage: &Stage,
    front: &Front,
    registry: &Registry,
) -> Result<(), String> {
    let expect = |so: bool, what: &str| if so { Ok(()) } else { Err(what.to_owned()) };
    let all = published(&stage.checkout)?.len();
    steps.step("release publish, without --execute", || {
        let told = stage.publish(&[], true)?.finish()?;
        print!("{told}");
        expect(told.contains("nothing was done") && registry.crates()? == 0, "it did something")?;
        stage.quiet(0)
    })?;
    for hook in ["pre-commit", "post-commit"] {
        steps.step(&format!("release publish, stopped in git's {hook}"), || {
            stage.stopped_in(hook)
        })?;
    }
    steps.step("release publish, without a token", || {
        let told = stage.publish(&["--execute"], false)?.finish().err().unwrap_or_default();
        let says = told.contains("cargo login") && told.contains("same command again");
        expect(says, &format!("it does not say what to do:\n{told}"))?;
        expect(registry.crates()? == 0, "it uploaded something")
    })?;
    steps.step("release publish, killed with an upload taken and unheard", || {
        front.lock().withhold = Some(UNHEARD);
        let mut run = stage.publish(&["--execute"], true)?;
        run.until(|_| front.lock().withheld)?;
        run.end("-KILL");
        front.lock().withhold = None;
        Ok(())
    })?;
    steps.step("release publish, killed while it waits for a limit", || {
        let mut run = stage.publish(&["--execute"], true)?;
        run.until(|told| told.contains("limit is reached"))?;
        run.end("-KILL");
        Ok(())
    })?;
    steps.step("release publish, to its end", || {
        print!("{}", stage.publish(&["--execute"], true)?.finish()?);
        stage.quiet(1)
    })?;
    steps.step("release publish, once more", || {
        let told = stage.publish(&["--execute"], true)?.finish()?;
        expect(!told.contains("Uploading"), &format!("it found something to do:\n{told}"))?;
        stage.quiet(1)?;
        let there = registry.crates()?;
        let State { taken, put_off, .. } = *front.lock();
        println!("    {there} crates in the index, {taken} uploads taken, {put_off} put off");
        expect(put_off > 0, "no upload met the limit")?;
        expect((taken, there) == (all, all), &format!("{all} crates make {all} uploads"))
    })
}

impl Stage {
    /// Copies the checkout as it is now, makes it a repository of its own, and has cargo know the
    /// registry there and for the consumers beside it.
    fn prepare(&self, registry: &Registry) -> Result<(), String> {
        copy(&root(), &self.checkout)?;
        let this = std::env::current_exe().and_then(|this| fs::copy(this, &self.program));
        this.map_err(|fault| format!("this program: {fault}"))?;
        // The registry serves its index as plain files, which git itself can fetch.
        let config = format!(
            "[registries]\n{REGISTRY} = {{ index = \"{}\" }}\n\n[net]\ngit-fetch-with-cli = true\n",
            registry.index()
        );
        write(&self.folder.join(".cargo/config.toml"), config)?;
        let manifest = self.checkout.join("Cargo.toml");
        let ours = "{ path = \"crates/";
        let with = format!("{{ registry = \"{REGISTRY}\", {}", ours.trim_start_matches("{ "));
        write(&manifest, read(&manifest)?.replace(ours, &with))?;
        for words in ["init --quiet", "add --all", "commit --quiet --message Copy"] {
            succeed(self.variables(git(&self.checkout).args(words.split(' '))))?;
        }
        Ok(())
    }

    /// A token for the registry, which asks for none but whose client wants one; and for git a name,
    /// and nothing of this machine's settings. What is compiled is compiled once.
    fn variables<'a>(&self, command: &'a mut Command) -> &'a mut Command {
        for who in ["AUTHOR", "COMMITTER"] {
            command.env(format!("GIT_{who}_NAME"), "Rehearsal");
            command.env(format!("GIT_{who}_EMAIL"), "rehearsal@localhost");
        }
        let nothing = if cfg!(windows) { "NUL" } else { "/dev/null" };
        command.env("GIT_CONFIG_GLOBAL", nothing).env("GIT_CONFIG_NOSYSTEM", "1");
        command.env(TOKEN, "made-up").env("CARGO_TARGET_DIR", target())
    }

    fn publish(&self, flags: &[&str], token: bool) -> Result<Watched, String> {
        let mut publish = command(&self.program, &self.checkout);
        self.variables(&mut publish)
            .args(["release", "publish", "--registry", REGISTRY])
            .args(flags);
        if !token {
            publish.env_remove(TOKEN);
        }
        Watched::start(publish, self.folder.join("publish.log"))
    }

    /// Starts a publish and stops it inside one of git's hooks, as Ctrl-C would.
    fn stopped_in(&self, hook: &str) -> Result<(), String> {
        let reached = self.folder.join(format!("reached-{hook}"));
        let path = self.checkout.join(".git/hooks").join(hook);
        write(&path, format!("#!/bin/sh\n: > '{}'\nsleep 300\n", reached.display()))?;
        succeed(command("chmod", &self.folder).arg("+x").arg(&path))?;
        let mut run = self.publish(&["--execute"], true)?;
        let there = run.until(|_| reached.exists());
        run.end("-TERM");
        fs::remove_file(&path).map_err(|fault| format!("{hook}: {fault}"))?;
        there
    }

    /// The copy is clean, and has as many releases as it should.
    fn quiet(&self, releases: usize) -> Result<(), String> {
        check::clean(&check::changed(&self.checkout)?)?;
        let count = |words: &str| {
            let told = output(git(&self.checkout).args(words.split(' ')))?;
            Ok::<_, String>(told.lines().filter(|line| line.starts_with(['R', 'v'])).count())
        };
        let (commits, tags) = (count("log --format=%s")?, count("tag --points-at HEAD")?);
        let so = (commits, tags) == (releases, releases);
        if so { Ok(()) } else { Err(format!("{commits} commits and {tags} tags, not {releases}")) }
    }
}
