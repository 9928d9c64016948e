//! `cargo xtask`: what a newcomer needs to trust a clone, and what CI calls.
//!
//! One module a command; its first line says what no tool does. What a tool does, the tool is called
//! for, and built into `target/tools` by the command that needs it. Nothing here is needed to use the
//! crates.

#![allow(clippy::print_stdout, clippy::print_stderr)] // a program for a terminal
#![allow(clippy::indexing_slicing)] // of JSON, where nothing is null

mod api;
mod bench;
mod features;
mod fuzz;
mod lint;
mod outside;
mod programs;
mod release;
mod rules;
mod server;
mod steps;
mod test;
mod weigh;
mod workspace;

use std::process::ExitCode;

const HELP: &str = "\
cargo xtask test     unit, integration and doc tests; every example; a consumer outside the workspace; the fuzz corpus; the model
cargo xtask model    every schedule of a flight that a model checker draws: 100,000 at random, 20,000 of few preemptions
cargo xtask fuzz     everything that reads foreign input under libFuzzer: [TARGET..] --minutes N, in all
cargo xtask lint     rustfmt, the rules of this workspace, cargo-deny, clippy and rustdoc with warnings denied
cargo xtask api      the public API against crates/*/api.txt, no foreign type in it, an example for all [--check]
cargo xtask features each two features of every crate; tests of those that change code; the oldest versions asked for [--oldest: those alone]
cargo xtask weigh    crates, build time and program size of a consumer beside plain reqwest [--quick]
cargo xtask bench    the engine against its parts, its rivals and a raw exchange [--quick] [--only NAME] [--write]
cargo xtask conformance  the flows against a real Keycloak and a mock from a description, on this machine [--version V] [--url URL]
cargo xtask simulate the engine in a simulated world: runtimes that stand still, callers that leave, a failing provider; or a fleet that shares a store [--store] [--schedules N] [--seed N]
cargo xtask fleet    many processes on real stores, with kills, outages and revocations [--full] [--store file|redis] [--replicas N] ..
cargo xtask faults   every fault of a token endpoint, for every provider, in every state of a source [--only WORDS] [--write]
cargo xtask release  plan, check, publish, rehearse: `cargo xtask release` says more
";

fn main() -> ExitCode {
    if let Some(code) = api::stand_in() {
        return code;
    }
    let mut args = std::env::args().skip(1);
    let result = match (args.next().as_deref(), args.next()) {
        (Some("test"), None) => test::run_all(),
        (Some("model"), None) => test::model(),
        (Some("fuzz"), first) => fuzz::run(first.into_iter().chain(args)),
        (Some("lint"), None) => lint::run(),
        (Some("api"), first) => api::run(first.into_iter().chain(args)),
        (Some("features"), None) => features::run(),
        (Some("features"), Some(only)) if only == "--oldest" => features::oldest_alone(),
        (Some("weigh"), first) => weigh::run(first.into_iter().chain(args)),
        (Some("release"), first) => release::run(first.into_iter().chain(args)),
        (Some(name @ ("conformance" | "faults" | "fleet" | "simulate")), first) => {
            programs::run(name, first.into_iter().chain(args))
        }
        (Some("bench"), first) => bench::run(first.into_iter().chain(args)),
        (None | Some("help" | "--help" | "-h"), _) => {
            print!("{HELP}");
            return ExitCode::SUCCESS;
        }
        _ => Err(format!("no such command; there are:\n{HELP}")),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(fault) => {
            eprintln!("xtask: {fault}");
            ExitCode::FAILURE
        }
    }
}
