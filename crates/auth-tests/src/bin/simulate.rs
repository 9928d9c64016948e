//! `cargo xtask simulate`: many schedules of the simulation, or one of them with its journal.

#![allow(clippy::print_stdout, clippy::print_stderr)] // a program for a terminal

use std::collections::BTreeMap;
use std::process::ExitCode;

use auth_tests::simulation::{self, Run, fleet};

fn main() -> ExitCode {
    match run(std::env::args().skip(1)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(fault) => {
            eprintln!("simulate: {fault}");
            ExitCode::FAILURE
        }
    }
}

/// What the words ask for.
struct Wish {
    /// The simulation of a fleet with a store, and not of one process.
    store: bool,
    schedules: u64,
    seed: Option<u64>,
}

fn run(args: impl Iterator<Item = String>) -> Result<(), String> {
    let wish = read(args)?;
    let simulated: fn(u64) -> Run = if wish.store { fleet::run } else { simulation::run };
    let flag = if wish.store { "--store " } else { "" };
    if let Some(seed) = wish.seed {
        let run = simulated(seed);
        run.journal.iter().for_each(|line| println!("{line}"));
        return run.fault.map_or(Ok(()), |fault| Err(format!("seed {seed}: {fault}")));
    }
    // Fleets have nothing in common, so that two cores can have one each.
    let threads = if wish.store { 2 } else { 1 };
    let first_of = |first| part(simulated, (first..wish.schedules).step_by(threads));
    let parts: Vec<_> = std::thread::scope(|scope| {
        let parts: Vec<_> =
            (0..2).take(threads).map(|first| scope.spawn(move || first_of(first))).collect();
        parts.into_iter().map(std::thread::ScopedJoinHandle::join).collect()
    });
    let mut reached = BTreeMap::new();
    for part in parts {
        let part = part.map_err(|_| "a schedule panicked".to_owned())?;
        let part = part.map_err(|(seed, fault)| {
            format!(
                "seed {seed}: {fault}\nfor its journal: cargo xtask simulate {flag}--seed {seed}"
            )
        })?;
        for (what, times) in part {
            *reached.entry(what).or_insert(0_u64) += times;
        }
    }
    for (what, times) in reached {
        println!("{times:>10} {what}");
    }
    println!("{} schedules, every invariant held", wish.schedules);
    Ok(())
}

type Reached = BTreeMap<&'static str, u64>;

/// Runs schedules up to the first that breaks an invariant.
fn part(
    simulated: fn(u64) -> Run,
    seeds: impl Iterator<Item = u64>,
) -> Result<Reached, (u64, String)> {
    let mut reached = BTreeMap::new();
    for seed in seeds {
        let run = simulated(seed);
        if let Some(fault) = run.fault {
            return Err((seed, fault));
        }
        for (what, times) in run.reached {
            *reached.entry(what).or_insert(0_u64) += times;
        }
    }
    Ok(reached)
}

fn read(mut args: impl Iterator<Item = String>) -> Result<Wish, String> {
    let mut wish = Wish { store: false, schedules: 10_000, seed: None };
    while let Some(option) = args.next() {
        let mut number = || {
            let value = args.next().and_then(|value| value.parse().ok());
            value.ok_or_else(|| format!("{option} needs a number"))
        };
        match option.as_str() {
            "--store" => wish.store = true,
            "--schedules" => wish.schedules = number()?,
            "--seed" => wish.seed = Some(number()?),
            _ => return Err(format!("no such option: {option}")),
        }
    }
    Ok(wish)
}
