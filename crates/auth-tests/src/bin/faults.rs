//! `cargo xtask faults`: every fault, in every state, for every provider, against the table.
//!
//! `--only WORDS` runs the rows whose name contains the words; `--write` renews the guide's page.

#![allow(clippy::print_stdout, clippy::print_stderr)] // a program for a terminal

use std::process::ExitCode;
use std::time::Duration;

use auth_core::{Clock as _, SystemClock};
use auth_sandbox::Provider;
use auth_tests::faults::cell::Found;
use auth_tests::faults::matrix::{Cell, all, complaint, try_out};
use auth_tests::faults::page::{PAGE, page};
use auth_tests::faults::table::rows;
use auth_tests::faults::{Outcome, Row};

#[tokio::main]
async fn main() -> ExitCode {
    let args: Vec<_> = std::env::args().skip(1).collect();
    let args: Vec<_> = args.iter().map(String::as_str).collect();
    let only = match args[..] {
        [] => "",
        ["--only", words] => words,
        ["--write"] => {
            if let Err(fault) = std::fs::write(PAGE, page()) {
                eprintln!("faults: {PAGE}: {fault}");
                return ExitCode::FAILURE;
            }
            return ExitCode::SUCCESS;
        }
        _ => {
            eprintln!("faults: --only WORDS, or --write");
            return ExitCode::FAILURE;
        }
    };
    let rows: Vec<_> = rows().into_iter().filter(|row| row.what.contains(only)).collect();
    let began = SystemClock.monotonic();
    let cells = try_out(&rows, all(rows.len())).await;
    let took = SystemClock.monotonic() - began;
    let red = print(&rows, &cells);
    println!("{} cells in {:.1} s, {red} red", cells.len(), took.as_secs_f64());
    ExitCode::from(u8::from(red > 0 || cells.is_empty()))
}

/// Prints the matrix and then the failed cells; returns their number.
fn print(rows: &[Row], cells: &[(Cell, Result<Found, String>)]) -> usize {
    println!(
        "Three points a provider: without a token, with a stale one, after the API refused it.\n\
         A point is a cell that is as the table says, an X one that is not.\n"
    );
    let names: String = Provider::ALL.iter().map(|p| format!("{:12}", p.name())).collect();
    println!("{:52} {:12}{names}longest", "what happens", "kind");
    for (line, row) in rows.iter().enumerate() {
        let kind = match row.usual.outcome {
            Outcome::Token => "Token".to_owned(),
            Outcome::Error(kind) => kind.to_string(),
        };
        let (mut points, mut longest) = (String::new(), Duration::ZERO);
        for provider in Provider::ALL {
            let own = cells.iter().filter(|((at, of, _), _)| *at == line && *of == provider);
            let own = own.map(|(_, found)| found.as_ref());
            points.extend(own.clone().map(|found| if found.is_ok() { '.' } else { 'X' }));
            points.push_str("         ");
            longest = own.flatten().map(|found| found.took).fold(longest, Duration::max);
        }
        println!("{:52} {kind:12}{points}{:.2} s", row.what, longest.as_secs_f64());
    }
    println!();
    let mut red = 0;
    for (cell, found) in cells {
        if let Err(text) = found {
            red += 1;
            println!("{}", complaint(rows, *cell, text));
        }
    }
    red
}
