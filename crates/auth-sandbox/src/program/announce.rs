//! What the program prints at its start, for a shell to read and for a human.

use std::io::{self, Write};
use std::path::Path;

use auth_sandbox::{Provider, Sandbox};

/// What a start announces beside the sandbox itself.
pub(crate) struct Extra<'a> {
    pub(crate) authority: Option<&'a Path>,
    pub(crate) random: bool,
    /// Whether an account is the user's own.
    pub(crate) own: bool,
}

/// Writes comments and `export` lines.
pub(crate) fn write(out: &mut impl Write, sandbox: &Sandbox, extra: &Extra<'_>) -> io::Result<()> {
    let version = env!("CARGO_PKG_VERSION");
    let credentials = match (extra.own, extra.random) {
        (true, _) => "with the accounts that you set",
        (false, true) => "with random credentials, made up for this run",
        (false, false) => "with made-up credentials, the same at each start (--random: others)",
    };
    writeln!(out, "# auth-sandbox {version}, {credentials}")?;
    if let Some(url) = sandbox.control_url() {
        let page = url.trim_end_matches("__sandbox");
        writeln!(
            out,
            "# page         {page} (in a browser: requests as they come, faults by click)"
        )?;
        writeln!(out, "# control      {url}/")?;
    }
    if let Some(file) = extra.authority {
        writeln!(out, "# authority    {}", file.display())?;
        writeln!(out, "#              trust it: export SSL_CERT_FILE={}", file.display())?;
    }
    for handle in sandbox.handles() {
        writeln!(out, "\n# {:<12} {}", handle.provider().name(), handle.base_url())?;
        writeln!(out, "#   token      POST {}", handle.token_url())?;
        writeln!(out, "#   api        GET  {}", handle.api_url())?;
        let more = handle.accounts().len().saturating_sub(1);
        if more > 0 {
            writeln!(out, "#   accounts   the one below and {more} more")?;
        }
        let curl = handle.curl();
        match (extra.authority, curl.strip_prefix("curl ")) {
            (Some(file), Some(rest)) => {
                writeln!(out, "#   try        curl --cacert {} {rest}", file.display())?;
            }
            _ => writeln!(out, "#   try        {curl}")?,
        }
        write!(out, "{}", handle.exports())?;
        if handle.provider() == Provider::Digishare {
            let token = sandbox.digishare().personal_access_token();
            writeln!(out, "# or, in place of the client's id and secret:")?;
            writeln!(out, "# export DIGISHARE_PERSONAL_ACCESS_TOKEN={token}")?;
        }
    }
    writeln!(out, "\n# serving until Ctrl-C; each request is a line on standard error")?;
    out.flush()
}
