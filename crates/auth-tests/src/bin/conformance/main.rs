//! `cargo xtask conformance`: the flows against real servers, with a table of the results.
//!
//! The servers are a Keycloak of a pinned version, fetched by its Maven coordinates, with our
//! realms; and a mock of Manis's endpoint from npm, which validates requests by our description.
//! All are on loopback. A server that cannot be installed on this machine is skipped, with a line
//! that says so.
//!
//! `--url URL` asks another server for one token instead, with `TRESORPAY_CLIENT_ID`,
//! `TRESORPAY_CLIENT_SECRET` and the other variables of `tresorpay-auth`.

#![allow(clippy::print_stdout, clippy::print_stderr)] // a program for a terminal

mod cases;
mod keycloak;
mod prism;
mod process;
mod realm;
mod report;

use std::path::PathBuf;
use std::process::ExitCode;

use crate::cases::Cases;
use crate::report::Report;

/// The default version of Keycloak.
const KEYCLOAK: &str = "26.7.3";

#[tokio::main]
async fn main() -> ExitCode {
    match run().await {
        Ok(report) => {
            println!(
                "{} passed, {} failed, {} servers skipped",
                report.passed, report.failed, report.skipped
            );
            ExitCode::from(u8::from(report.failed > 0))
        }
        Err(fault) => {
            eprintln!("conformance: {fault}");
            ExitCode::FAILURE
        }
    }
}

/// The first program that is not installed.
fn missing(programs: &[(&'static str, &str)]) -> Option<&'static str> {
    programs.iter().find(|(program, argument)| !process::has(program, argument)).map(|(p, _)| *p)
}

async fn run() -> Result<Report, String> {
    let args: Vec<_> = std::env::args().skip(1).collect();
    let mut args = args.into_iter();
    let (mut version, mut url, mut target) = (KEYCLOAK.to_owned(), None, PathBuf::from("target"));
    while let Some(option) = args.next() {
        let value = args.next().ok_or_else(|| format!("{option} needs a value"))?;
        match option.as_str() {
            "--version" => version = value,
            "--url" => url = Some(value),
            "--target" => target = value.into(),
            _ => return Err(format!("no such option: {option}")),
        }
    }
    let folder = target.join("conformance");
    let recordings = folder.join("recordings");
    std::fs::create_dir_all(&recordings).map_err(|fault| fault.to_string())?;
    let mut report = Report::default();
    let mut cases = Cases { report: &mut report, recordings };
    if let Some(url) = url {
        let endpoint = tresorpay_auth::Endpoint::parse(&url);
        let flow = tresorpay_auth::TresorPay::from_env()
            .and_then(|flow| Ok(flow.token_url(endpoint?)))
            .map_err(|fault| fault.to_string());
        cases.granted("a token from the server that was named", flow).await;
        return Ok(report);
    }
    let server = match missing(&[("sh", "-e"), ("java", "-version"), ("mvn", "-version")]) {
        Some(missing) => Err(format!("{missing} is missing")),
        None => keycloak::fetch(&folder, &version),
    };
    match server {
        Ok(server) => {
            let mut server = keycloak::Keycloak::start(&folder, server).await?;
            cases.run(&mut server).await;
        }
        Err(why) => report.skip("Keycloak", &why),
    }
    let mock = match missing(&[("sh", "-e"), ("node", "--version"), ("npm", "--version")]) {
        Some(missing) => Err(format!("{missing} is missing")),
        None => prism::fetch(&folder),
    };
    match mock {
        Ok(mock) => prism::run(&folder, &mock, &mut report).await?,
        Err(why) => report.skip("the mock of Manis's endpoint", &why),
    }
    Ok(report)
}
