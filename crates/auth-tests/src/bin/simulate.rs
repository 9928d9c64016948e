//! `cargo xtask simulate`: many schedules of the simulation, or one of them with its journal.

#![allow(clippy::print_stdout, clippy::print_stderr)] // a program for a terminal

use std::collections::BTreeMap;
use std::process::ExitCode;

use auth_tests::simulation;

fn main() -> ExitCode {
    match run(std::env::args().skip(1)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(fault) => {
            eprintln!("simulate: {fault}");
            ExitCode::FAILURE
        }
    }
}

fn run(mut args: impl Iterator<Item = String>) -> Result<(), String> {
    let (mut schedules, mut first, mut is_one) = (10_000, 0, false);
    while let Some(option) = args.next() {
        let value = args.next().and_then(|value| value.parse().ok());
        let value: u64 = value.ok_or_else(|| format!("{option} needs a number"))?;
        match option.as_str() {
            "--schedules" => schedules = value,
            "--seed" => (first, is_one) = (value, true),
            _ => return Err(format!("no such option: {option}")),
        }
    }
    if is_one {
        let run = simulation::run(first);
        run.journal.iter().for_each(|line| println!("{line}"));
        return run.fault.map_or(Ok(()), |fault| Err(format!("seed {first}: {fault}")));
    }
    let mut reached = BTreeMap::new();
    for seed in first..first + schedules {
        let run = simulation::run(seed);
        if let Some(fault) = run.fault {
            return Err(format!(
                "seed {seed}: {fault}\nfor its journal: cargo xtask simulate --seed {seed}"
            ));
        }
        for (what, times) in run.reached {
            *reached.entry(what).or_insert(0_u64) += times;
        }
    }
    for (what, times) in reached {
        println!("{times:>10} {what}");
    }
    println!("{schedules} schedules, every invariant held");
    Ok(())
}
