//! `exec`: becomes a command that has the token.

use std::ffi::OsString;

use auth_core::ExposeSecret as _;

use super::child::{become_it, find, without_secrets};
use super::{Call, block_on, token};
use crate::args::Wished;
use crate::creds::Places;
use crate::provider::Provider;
use crate::source::{Account, wish};
use crate::stop::Stop;

pub(crate) struct Options {
    pub(crate) wish: Wished,
    pub(crate) fd: bool,
}

pub(crate) fn run(
    call: Call<'_>,
    providers: &[Provider],
    options: Options,
    command: &[OsString],
) -> Result<u8, Stop> {
    let Call { global, out } = call;
    let Some((name, args)) = command.split_first() else { return Ok(0) };
    let path = find(name)?;
    let places = Places::open(global)?;
    let mut child = without_secrets(&path, name, args);
    let mut pipes = Vec::new();
    for provider in providers {
        let got = block_on(async {
            let account =
                Account::open(&places, *provider, wish(options.wish), global, out).await?;
            account.token(out).await
        })??;
        let prefix = provider.prefix();
        for (name, value) in token::variables(*provider, &got) {
            let holds_token =
                name == format!("{prefix}_TOKEN") || name == format!("{prefix}_AUTHORIZATION");
            if !(options.fd && holds_token) {
                child.env(name, value);
            }
        }
        if options.fd {
            let secret = got.token.to_secret();
            pipes.push(pipe(&mut child, *provider, secret.expose_secret().as_bytes())?);
        }
    }
    become_it(child)
}

/// The pipe is kept open until the command has it.
#[cfg(unix)]
fn pipe(
    child: &mut std::process::Command,
    provider: Provider,
    bytes: &[u8],
) -> Result<rustix::fd::OwnedFd, Stop> {
    use rustix::fd::AsRawFd as _;
    let pipe = super::child::filled_pipe(bytes)?;
    child.env(format!("{}_TOKEN_FD", provider.prefix()), pipe.as_raw_fd().to_string());
    Ok(pipe)
}

#[cfg(not(unix))]
fn pipe(_: &mut std::process::Command, provider: Provider, _: &[u8]) -> Result<(), Stop> {
    use crate::text::Text;
    Err(Stop::usage(Text::UnixAlone, Text::UnixAloneDo, &[provider.name()]))
}
