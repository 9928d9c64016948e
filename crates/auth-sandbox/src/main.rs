//! The sandbox as a program: starts it, prints its URLs and the variables to export, and serves until
//! it is interrupted. Requests that it accepts although no document describes them are reported on
//! standard error.

mod args;

use std::collections::HashSet;
use std::error::Error as _;
use std::io::{self, Write as _};
use std::process::ExitCode;
use std::time::Duration;

use args::Args;
use auth_sandbox::Sandbox;

/// How often it checks for new remarks.
const LOOK: Duration = Duration::from_millis(200);

fn main() -> ExitCode {
    let args = match Args::parse(std::env::args().skip(1)) {
        Ok(args) => args,
        Err(error) => return fail(&error),
    };
    let Args::Serve { port, lifetime, strict } = args else {
        // A closed pipe is not an error: the reader has read enough.
        let _ = io::stdout().write_all(args::HELP.as_bytes());
        return ExitCode::SUCCESS;
    };
    let mut builder = Sandbox::builder().port(port).strict(strict);
    if let Some(lifetime) = lifetime {
        builder = builder.token_lifetime(lifetime);
    }
    let sandbox = match builder.start_blocking() {
        Ok(sandbox) => sandbox,
        Err(error) => {
            let cause = error.source().map(|cause| format!(" ({cause})")).unwrap_or_default();
            return fail(&format!("{error}{cause}"));
        }
    };
    let _ = announce(&sandbox);
    // Ctrl-C ends the process; nothing else needs cleaning up.
    let mut told = HashSet::new();
    loop {
        std::thread::park_timeout(LOOK);
        for handle in sandbox.handles() {
            for remark in handle.remarks() {
                if told.insert((handle.provider(), remark)) {
                    let _ = writeln!(io::stderr(), "{}: {remark}", handle.provider());
                }
            }
        }
    }
}

/// Prints to standard output, for a shell to read.
fn announce(sandbox: &Sandbox) -> io::Result<()> {
    let mut out = io::stdout().lock();
    for handle in sandbox.handles() {
        writeln!(out, "# {:<12} {}", handle.provider().name(), handle.base_url())?;
    }
    for handle in sandbox.handles() {
        writeln!(out)?;
        for (name, value) in handle.env() {
            writeln!(out, "export {name}={value}")?;
        }
        if handle.provider() == auth_sandbox::Provider::Digishare {
            let token = sandbox.digishare().personal_access_token();
            writeln!(out, "# or, in place of the client's id and secret:")?;
            writeln!(out, "# export DIGISHARE_PERSONAL_ACCESS_TOKEN={token}")?;
        }
    }
    writeln!(out, "\n# serving made-up credentials until Ctrl-C")?;
    out.flush()
}

fn fail(error: &str) -> ExitCode {
    let _ = writeln!(io::stderr(), "auth-sandbox: {error}");
    ExitCode::from(2)
}
