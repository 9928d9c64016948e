//! The arguments, and what is said of wrong ones: names of options, never a value.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{FromArgMatches as _, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;

use crate::help;
use crate::provider::Provider;
use crate::stop::Stop;
use crate::text::Text;
use crate::when;

#[derive(Debug, Parser)]
#[command(name = "provider-auth", version, disable_version_flag = true)]
#[command(disable_help_flag = true, disable_help_subcommand = true)]
pub(crate) struct Args {
    #[command(flatten)]
    pub(crate) global: Global,
    #[arg(long, short = 'V', action = clap::ArgAction::Version)]
    version: Option<bool>,
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Global {
    #[arg(long, global = true, value_name = "NAME")]
    pub(crate) profile: Option<String>,
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) env_file: Option<PathBuf>,
    #[arg(long, global = true)]
    pub(crate) json: bool,
    #[arg(long, short, global = true)]
    pub(crate) quiet: bool,
    #[arg(long, short, global = true, action = clap::ArgAction::Count)]
    pub(crate) verbose: u8,
    #[arg(long, global = true, value_name = "en|fr", hide_possible_values = true)]
    pub(crate) lang: Option<String>,
    #[arg(
        long,
        global = true,
        value_name = "WHEN",
        default_value = "auto",
        hide_default_value = true,
        hide_possible_values = true
    )]
    pub(crate) color: Color,
    #[arg(long, global = true, value_name = "SECONDS", value_parser = when::limit)]
    pub(crate) timeout: Option<Duration>,
    #[arg(long, global = true)]
    pub(crate) no_cache: bool,
    #[arg(long, short, global = true, action = clap::ArgAction::Help)]
    help: Option<bool>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Providers {
        #[command(subcommand)]
        command: Option<Providers>,
    },
    Login {
        provider: Provider,
        #[arg(long)]
        keyring: bool,
        #[arg(long)]
        stdin: bool,
    },
    Logout {
        provider: Provider,
    },
    Token {
        provider: Provider,
        #[command(flatten)]
        wish: Wished,
        #[arg(
            long,
            value_name = "FORMAT",
            default_value = "text",
            hide_default_value = true,
            hide_possible_values = true
        )]
        format: Format,
        #[arg(long)]
        show: bool,
    },
    Header {
        provider: Provider,
        #[command(flatten)]
        wish: Wished,
        #[arg(long)]
        show: bool,
    },
    Exec {
        #[arg(value_delimiter = ',', required = true)]
        providers: Vec<Provider>,
        #[command(flatten)]
        wish: Wished,
        #[arg(long)]
        fd: bool,
        #[arg(last = true, required = true, value_name = "CMD")]
        command: Vec<OsString>,
    },
    Curl {
        provider: Provider,
        #[command(flatten)]
        wish: Wished,
        #[arg(long, value_name = "URL")]
        host: Vec<String>,
        #[arg(last = true, required = true, value_name = "ARGS")]
        curl: Vec<OsString>,
    },
    Check {
        providers: Vec<Provider>,
        #[arg(long, value_name = "SECONDS", num_args = 0..=1, require_equals = true, default_missing_value = "10", value_parser = when::parse)]
        watch: Option<Duration>,
    },
    Doctor {
        providers: Vec<Provider>,
        #[arg(long)]
        login: bool,
    },
    Inspect {
        #[arg(long)]
        claims: bool,
    },
    Cache {
        #[command(subcommand)]
        command: Cache,
    },
    Sandbox {
        #[arg(long, default_value = "0", hide_default_value = true)]
        port: u16,
        #[arg(long, value_name = "SECONDS", value_parser = when::parse)]
        lifetime: Option<Duration>,
        #[arg(last = true, value_name = "CMD")]
        command: Vec<OsString>,
    },
    Completions {
        #[arg(hide_possible_values = true)]
        shell: Shell,
    },
    Man {
        dir: Option<PathBuf>,
    },
    Version,
    CredentialHelper {
        verb: String,
    },
}

/// How good the token is to be.
#[derive(Clone, Copy, Debug, clap::Args)]
pub(crate) struct Wished {
    #[arg(long, value_name = "SPAN", value_parser = when::parse)]
    pub(crate) min_valid: Option<Duration>,
    #[arg(long)]
    pub(crate) refresh: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Providers {
    List,
    Show { provider: Provider },
}

#[derive(Debug, Subcommand)]
pub(crate) enum Cache {
    Path,
    List,
    Clear {
        provider: Option<Provider>,
    },
    Key {
        #[arg(long)]
        show: bool,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lang {
    En,
    Fr,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Color {
    Auto,
    Always,
    Never,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    Text,
    Json,
    Env,
    ExecCredential,
    CredentialHelper,
}

/// Reads the arguments.
pub(crate) fn parse(words: &[OsString], lang: Lang) -> Result<Args, Stop> {
    let matches = help::command(lang).try_get_matches_from(words);
    let args = matches.and_then(|matches| Args::from_arg_matches(&matches));
    args.map_err(|error| refused(&error, words))
}

/// What clap found wrong, in our words.
fn refused(error: &clap::Error, words: &[OsString]) -> Stop {
    /// The options that people try to pass a secret with.
    const SECRETS: [&str; 8] =
        ["secret", "password", "token", "api-key", "api-secret", "client-secret", "key", "pass"];
    let named = |kind| match error.get(kind) {
        Some(ContextValue::String(text)) => Some(text.as_str()),
        Some(ContextValue::Strings(texts)) => texts.first().map(String::as_str),
        _ => None,
    };
    // `--secret=x` and a positional word may hold a value; the name alone is repeated.
    let arg = named(ContextKind::InvalidArg).unwrap_or_default();
    let name = arg.split(['=', ' ']).next().unwrap_or_default();
    let command = words.get(1).and_then(|word| word.to_str());
    let command = command.filter(|word| help::is_command(word));
    let see = command.map(|word| format!("{word} ")).unwrap_or_default();
    let usage = |what, value: &str| Stop::Said {
        code: crate::stop::USAGE,
        kind: "Usage",
        what,
        advice: Text::SeeHelp,
        values: vec![value.to_owned(), see.clone()],
    };
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => {
            Stop::Help(error.render().to_string())
        }
        ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand | ErrorKind::MissingSubcommand => {
            usage(Text::MissingWord, "COMMAND")
        }
        ErrorKind::UnknownArgument if name.starts_with("--") => {
            if SECRETS.contains(&name.trim_start_matches('-')) {
                return Stop::usage(Text::NoSecretFlag, Text::NoSecretFlagDo, &[]);
            }
            usage(Text::UnknownOption, name)
        }
        ErrorKind::UnknownArgument | ErrorKind::InvalidSubcommand => usage(Text::UnknownWord, ""),
        ErrorKind::InvalidValue | ErrorKind::ValueValidation | ErrorKind::NoEquals => {
            usage(Text::BadValue, name)
        }
        ErrorKind::MissingRequiredArgument => usage(Text::MissingWord, arg),
        _ => usage(Text::BadUsage, ""),
    }
}
