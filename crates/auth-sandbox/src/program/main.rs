//! The sandbox as a program: starts it, prints its URLs and the variables to export, logs each request,
//! and serves until it is told to end.

mod announce;
mod args;
mod config;
mod health;
mod log;
mod process;

use std::error::Error as _;
use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use announce::Extra;
use args::{Args, Command};
use auth_sandbox::Sandbox;
use clap::Parser as _;
use config::Settings;
use log::Log;

fn main() -> ExitCode {
    let args = match Args::try_parse() {
        Ok(args) => args,
        Err(asked) if !asked.use_stderr() => {
            // A closed pipe is not an error: the reader has read enough.
            let _ = asked.print();
            return ExitCode::SUCCESS;
        }
        Err(error) => {
            let text = error.to_string();
            let line = text.lines().next().unwrap_or_default().trim_start_matches("error: ");
            return fail(&format!("{line}: see --help"));
        }
    };
    if let Some(Command::Health { control_port }) = args.command {
        return health::ask(control_port).map_or_else(
            |error| fail_with(1, &error),
            |()| {
                let _ = writeln!(io::stdout(), "ok");
                ExitCode::SUCCESS
            },
        );
    }
    match Settings::read(args, variable).and_then(serve) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail(&error),
    }
}

/// Serves until the end; the error is one line.
fn serve(settings: Settings) -> Result<(), String> {
    let flags = &settings.flags;
    process::raise_file_limit();
    let (log, written) = Log::start().map_err(|error| format!("no thread for the log: {error}"))?;
    let sandbox = start(&settings, &log)?;
    let authority = match sandbox.authority() {
        Some(pem) => Some(keep(pem, flags.authority.as_deref())?),
        None => None,
    };
    warn(flags, &log);
    drop(log);

    // On a thread of its own: if nobody reads, the program still ends when it is told to.
    let sandbox = Arc::new(sandbox);
    let announced = Arc::clone(&sandbox);
    let (file, random, own) = (authority.clone(), flags.random, !settings.accounts.is_empty());
    let printing = std::thread::Builder::new().name("announce".to_owned()).spawn(move || {
        let extra = Extra { authority: file.as_deref(), random, own };
        let mut text = Vec::new();
        let _ = announce::write(&mut text, &announced, &extra);
        drop(announced);
        let mut out = io::stdout().lock();
        let _ = out.write_all(&text).and_then(|()| out.flush());
    });
    printing.map_err(|error| format!("no thread to print on: {error}"))?;

    let ended = process::wait_for_the_end();
    drop(sandbox);
    log::finish(&written);
    if let (Some(file), None) = (&authority, &flags.authority) {
        let _ = std::fs::remove_file(file);
    }
    ended.map_err(|error| format!("cannot listen for signals: {error}"))
}

fn start(settings: &Settings, log: &Log) -> Result<Sandbox, String> {
    let flags = &settings.flags;
    let port = flags.port.unwrap_or(8080);
    let mut builder = Sandbox::builder()
        .port(port)
        .one_port(flags.one_port)
        .strict(flags.strict)
        .expose(flags.expose)
        .tls(flags.tls)
        .fixed_credentials(!flags.random);
    if !flags.no_control {
        let usual = if port == 0 { 0 } else { port.checked_add(10).unwrap_or_default() };
        builder = builder.control(flags.control_port.unwrap_or(usual));
    }
    if let Some(address) = flags.bind {
        builder = builder.bind(address);
    }
    if let Some(host) = &flags.advertise {
        builder = builder.advertise(host);
    }
    if let Some(seconds) = flags.lifetime {
        builder = builder.token_lifetime(Duration::from_secs(seconds));
    }
    if let Some(token) = &settings.personal {
        builder = builder.personal_access_token(&token.0);
    }
    for (provider, credentials) in &settings.accounts {
        builder = builder.account(*provider, credentials.clone());
    }
    if !flags.quiet {
        let log = log.clone();
        builder = builder.on_request(move |record| log.line(record.to_string()));
    }
    builder.start_blocking().map_err(|error| {
        let cause = error.source().map(|cause| format!(" ({cause})")).unwrap_or_default();
        format!("{error}{cause}")
    })
}

/// Writes the authority's certificate to a file of its own.
fn keep(pem: &str, wanted: Option<&Path>) -> Result<PathBuf, String> {
    let mut options = OpenOptions::new();
    options.write(true);
    let failed = |path: &Path, error: io::Error| {
        format!("{}: {error}: name another file with --authority", path.display())
    };
    let (path, mut file) = match wanted {
        Some(path) => {
            let opened = options.create(true).truncate(true).open(path);
            (path.to_owned(), opened.map_err(|error| failed(path, error))?)
        }
        None => new_file(options.create_new(true)).map_err(|(path, error)| failed(&path, error))?,
    };
    file.write_all(pem.as_bytes()).map_err(|error| failed(&path, error))?;
    Ok(path)
}

/// A file that was not there: the temporary folder is everybody's. A process that was killed left its
/// own, and in a container each has the same number.
fn new_file(options: &OpenOptions) -> Result<(PathBuf, File), (PathBuf, io::Error)> {
    let mut at = 0;
    loop {
        let name = format!("auth-sandbox-{}-{at}.pem", std::process::id());
        let path = std::env::temp_dir().join(name);
        match options.open(&path) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists && at + 1 < TRIES => at += 1,
            opened => {
                return opened.map(|file| (path.clone(), file)).map_err(|error| (path, error));
            }
        }
    }
}

/// How many names to try for a file.
const TRIES: usize = 100;

/// Says what a wide address means.
fn warn(flags: &Args, log: &Log) {
    let Some(address) = flags.bind.filter(|address| !address.is_loopback()) else {
        return;
    };
    log.line(format!(
        "warning: {address} can be reached from other machines, which can then read the credentials"
    ));
    if address.is_unspecified() && flags.advertise.is_none() {
        log.line(
            "warning: the printed addresses are good on this machine alone; --advertise HOST names it for others"
                .to_owned(),
        );
    }
}

#[allow(clippy::disallowed_methods, reason = "this function owns the variables")]
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

fn fail(error: &str) -> ExitCode {
    fail_with(2, error)
}

fn fail_with(code: u8, error: &str) -> ExitCode {
    let _ = writeln!(io::stderr(), "auth-sandbox: {error}");
    ExitCode::from(code)
}
