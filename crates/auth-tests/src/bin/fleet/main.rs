//! `cargo xtask fleet`: real processes on real stores, with kills, outages and revocations.
//!
//! The provider is the sandbox, in this process: tokens of 4 s, answers after 200 ms. The stores are
//! a folder, and a Redis server that is started for the purpose (`REDIS_SERVER=/path` names another,
//! such as a `valkey-server`). Where there is none it is skipped, with a line. The replicas are this
//! program again.
//!
//! Times are judged net: without the time in which the caller's thread was ready to run and had no
//! processor, as Linux counts it. Both are printed, and how late this machine's sleeps end.
//!
//! Without options, a short form of every row runs on both stores.
//!
//! | option | row |
//! |---|---|
//! | `--lives N` | nothing fails |
//! | `--kill-holder N` | the process that holds the lease is killed, N times |
//! | `--store-fault NAME` | redis: `stop`, `down`, `blackhole`; file: `wipe`, `wipe-key`, `read-only`, `open`, `gone` |
//! | `--server-fault NAME` | `flushall`, `scriptflush`, `kill-clients`, `full`, `failover`, `revoke-auth` |
//! | `--secret wrong`, `--secret wrong:1` | all have a wrong secret, or one |
//! | `--revoke N` | the provider revokes its tokens, N times |
//! | `--faketime` | wall clocks two hours apart |
//! | `--full` | every row in the size of the acceptance: 64 replicas, 20 lives, 50 kills |
//! | `--store file\|redis\|none` | on this store alone; `none` shows what a store is good for |
//! | `--replicas N` | 8 unless given |
//! | `--seconds N` | how long a fault lasts, or a wrong secret is tried |
//! | `--at-once N` | how many rows run at the same time |
//! | `--log` | what replicas do and warn of, as it happens, on standard error |
//! | `--unsealed` | Redis without a key, to see that the canaries are found |

#![allow(clippy::print_stdout, clippy::print_stderr)] // a program for a terminal
#![allow(clippy::unwrap_used, clippy::indexing_slicing)] // only for tests

mod figures;
mod fleet;
mod leaks;
mod options;
mod place;
mod proxy;
mod redis;
mod replica;
mod rows;
mod time;
mod verdict;

use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::options::{Job, Options};
use crate::replica::Settings;

fn main() -> ExitCode {
    let args: Vec<_> = std::env::args().skip(1).collect();
    if let Some(("replica", settings)) = args.split_first().map(|(first, rest)| (&**first, rest)) {
        return replica(settings);
    }
    // Before there is any thread but this one.
    time::set_priority(std::process::id(), time::FIRST);
    match Options::read(&args).map(|options| options.jobs()) {
        Ok((jobs, at_once)) => run(jobs, at_once),
        Err(fault) => {
            eprintln!("fleet: {fault}");
            ExitCode::FAILURE
        }
    }
}

fn replica(args: &[String]) -> ExitCode {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let (Ok(runtime), Some(settings)) = (runtime, Settings::of_args(args)) else {
        return ExitCode::FAILURE;
    };
    // Warnings are lines of its output too.
    let log = tracing_subscriber::fmt().without_time().with_ansi(false).with_target(false);
    log.with_max_level(tracing::Level::WARN).init();
    // In a task: at the root of `block_on` nothing could drive a refresh while the caller does something else.
    if let Ok(Err(error)) = runtime.block_on(runtime.spawn(replica::run(settings))) {
        replica::say(&format!("odd {error}"));
    }
    ExitCode::FAILURE
}

/// Runs the jobs, several at once.
fn run(jobs: Vec<Job>, at_once: usize) -> ExitCode {
    let began = time::now();
    let (next, failed) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    let print = Mutex::new(());
    std::thread::scope(|scope| {
        for _ in 0..at_once {
            scope.spawn(|| {
                while let Some(job) = jobs.get(next.fetch_add(1, Ordering::SeqCst)) {
                    let result = (job.run)();
                    let _whole = print.lock();
                    let is_good = match &result {
                        Ok(verdict) => verdict.print(),
                        Err(fault) => {
                            println!("{}: {fault}\n", job.name);
                            false
                        }
                    };
                    if !is_good {
                        failed.lock().unwrap().push(job.name.clone());
                    }
                }
            });
        }
    });
    let failed = failed.into_inner().unwrap_or_default();
    let took = time::now().duration_since(began).as_secs_f64();
    println!("{} rows in {took:.0} s, {} missed", jobs.len(), failed.len());
    for name in &failed {
        println!("  missed: {name}");
    }
    ExitCode::from(u8::from(!failed.is_empty()))
}
