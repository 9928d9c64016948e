//! What must not happen by accident: a token on a terminal.

use std::io::{self, IsTerminal as _};

use crate::provider::Provider;
use crate::stop::Stop;
use crate::text::Text;

/// Refuses to print a token to a terminal, unless that was asked for. To be called before a token
/// is fetched.
pub(crate) fn token(provider: Provider, show: bool) -> Result<(), Stop> {
    if show || !io::stdout().is_terminal() {
        return Ok(());
    }
    Err(Stop::usage(Text::TokenOnTerminal, Text::TokenOnTerminalDo, &[provider.name()]))
}

/// Refuses to print a key to a terminal, unless that was asked for.
pub(crate) fn key(show: bool) -> Result<(), Stop> {
    if show || !io::stdout().is_terminal() {
        return Ok(());
    }
    Err(Stop::usage(Text::KeyOnTerminal, Text::KeyOnTerminalDo, &[]))
}
