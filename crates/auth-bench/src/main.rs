//! `cargo xtask bench`: the engine, measured against the sum of its parts, against hand-written
//! caches, and against a raw exchange.
//!
//! Everything runs in one process: the references take turns with ours, so that a busy machine
//! slows both. Reported is the median of several rounds, with the best and the worst. A missed
//! target is reported like a reached one, and fails nothing.
//!
//! ```text
//! auth-bench [--quick] [--store] [--only SCENARIO] [--alone CONTENDER] [--svg FILE]
//! ```
//!
//! `--alone` is for a profiler: the figures of all others are then missing.

// A program for a terminal, which must read the clock and spawn many callers.
#![allow(clippy::disallowed_methods, clippy::print_stderr, clippy::print_stdout)]

mod by_hand;
mod chart;
mod contender;
mod flow;
mod loopback;
mod raw;
mod report;
mod scenarios;
mod timing;

use std::path::PathBuf;
use std::process::ExitCode;

use crate::report::Report;

/// The text of an error, which is all that a bench needs.
#[derive(Debug)]
pub(crate) struct Failed(pub(crate) String);

pub(crate) type Outcome<T> = Result<T, Failed>;

impl<E: std::error::Error> From<E> for Failed {
    fn from(error: E) -> Self {
        Self(error.to_string())
    }
}

/// The command line.
#[derive(Debug, Default)]
pub(crate) struct Options {
    quick: bool,
    /// The typed source of the warm gets has a store.
    store: bool,
    only: Option<String>,
    alone: Option<String>,
    svg: Option<PathBuf>,
}

impl Options {
    fn read() -> Outcome<Self> {
        let mut options = Self::default();
        let mut args = std::env::args().skip(1);
        while let Some(arg) = args.next() {
            match arg.as_str() {
                "--quick" => options.quick = true,
                "--store" => options.store = true,
                "--only" => options.only = args.next(),
                "--alone" => options.alone = args.next(),
                "--svg" => options.svg = args.next().map(PathBuf::from),
                _ => {
                    let names: Vec<_> = scenarios::ALL.iter().map(|(name, _)| *name).collect();
                    return Err(Failed(format!(
                        "usage: auth-bench [--quick] [--store] [--only SCENARIO] [--alone CONTENDER] [--svg FILE]; scenarios: {}",
                        names.join(", ")
                    )));
                }
            }
        }
        Ok(options)
    }

    /// How many rounds to run, given the number for a full run.
    pub(crate) fn rounds(&self, whole: usize) -> usize {
        if self.quick { whole.div_ceil(3) } else { whole }
    }
}

fn run() -> Outcome<()> {
    let options = Options::read()?;
    let mut report = Report::default();
    for (name, scenario) in scenarios::ALL {
        if options.only.as_deref().is_none_or(|only| only == *name) {
            eprintln!("==> {name}");
            let began = timing::now();
            scenario(&options, &mut report)?;
            eprintln!("    {:.1} s", began.elapsed().as_secs_f64());
        }
    }
    println!("{}\n{}", report.table(), report.lines());
    if let Some(path) = &options.svg {
        std::fs::write(path, chart::draw(&report))?;
    }
    Ok(())
}

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failed(fault)) => {
            eprintln!("auth-bench: {fault}");
            ExitCode::FAILURE
        }
    }
}
