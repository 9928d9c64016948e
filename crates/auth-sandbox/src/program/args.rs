//! The command line. No flag takes a secret: others can read a process's arguments.

use std::net::IpAddr;
use std::path::PathBuf;

use clap::{Parser, Subcommand};

/// Serves five providers' token endpoints on this machine, with made-up credentials, until Ctrl-C.
#[derive(Debug, Default, Parser)]
#[command(name = "auth-sandbox", version, max_term_width = 100, after_help = AFTER)]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(crate) command: Option<Command>,

    /// First of five consecutive ports, 0 for any free ones [default: 8080]
    #[arg(long, value_name = "PORT", help_heading = "Addresses")]
    pub(crate) port: Option<u16>,
    /// Serve all providers on one port, each below its name: /manis, /papaya
    #[arg(long, help_heading = "Addresses")]
    pub(crate) one_port: bool,
    /// Port of the page and the control API [default: 10 above --port; 0 for any if that is 0]
    #[arg(long, value_name = "PORT", help_heading = "Addresses")]
    pub(crate) control_port: Option<u16>,
    /// Serve neither page nor control API
    #[arg(long, conflicts_with = "control_port", help_heading = "Addresses")]
    pub(crate) no_control: bool,
    /// Address to listen on [default: 127.0.0.1, and ::1 where there is one]
    #[arg(long, value_name = "ADDRESS", help_heading = "Addresses")]
    pub(crate) bind: Option<IpAddr>,
    /// Allow a --bind that other machines can reach
    #[arg(long, help_heading = "Addresses")]
    pub(crate) expose: bool,
    /// Host to write into URLs, such as the container's name
    #[arg(long, value_name = "HOST", help_heading = "Addresses")]
    pub(crate) advertise: Option<String>,
    /// Speak TLS, under an authority that is made up at each start
    #[arg(long, help_heading = "Addresses")]
    pub(crate) tls: bool,
    /// Where to write the authority's certificate [default: a new file in the temporary folder]
    #[arg(long, value_name = "FILE", requires = "tls", help_heading = "Addresses")]
    pub(crate) authority: Option<PathBuf>,

    /// Read accounts and settings from a TOML or JSON file; flags win
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Make up other credentials at each start
    #[arg(long)]
    pub(crate) random: bool,
    /// Lifetime of all tokens [default: each provider's own]
    #[arg(long, value_name = "SECONDS")]
    pub(crate) lifetime: Option<u64>,
    /// Refuse what the documents do not describe, where real servers take it
    #[arg(long)]
    pub(crate) strict: bool,
    /// Log no requests
    #[arg(long)]
    pub(crate) quiet: bool,
}

/// What else it can do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Ask a running sandbox whether it serves: for images that hold no other program
    Health {
        /// Its control port
        #[arg(long, value_name = "PORT", default_value_t = 8090)]
        control_port: u16,
    },
}

const AFTER: &str = "\
Accounts come from --config or from variables: AUTH_SANDBOX_MANIS_ID and AUTH_SANDBOX_MANIS_SECRET, and
so for the others; AUTH_SANDBOX_DIGISHARE_PERSONAL_ACCESS_TOKEN. Steer it in a browser, at
http://127.0.0.1:8090/, or over the control API:
  curl http://127.0.0.1:8090/__sandbox/journal
  curl http://127.0.0.1:8090/__sandbox/faults \\
    --json '{\"provider\":\"manis\",\"fault\":{\"kind\":\"status\",\"status\":503},\"times\":3}'";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_well_formed() {
        use clap::CommandFactory as _;
        Args::command().debug_assert();
    }

    #[test]
    fn no_flag_takes_a_secret() {
        use clap::CommandFactory as _;
        for argument in Args::command().get_arguments() {
            let name = argument.get_id().as_str();
            assert!(!name.contains("secret") && !name.contains("token"), "{name}");
        }
    }
}
