//! `login`: asks for credentials, proves them with one exchange, then stores them. Prints no token.

use std::io::{self, BufRead as _, IsTerminal as _, Read as _};

use zeroize::Zeroizing;

use super::{Call, block_on};
use crate::creds::{DEFAULT, Found, env};
use crate::envfile::{self, Pairs};
use crate::out::Out;
use crate::past::Wish;
use crate::provider::{Ask, Provider, Var};
use crate::source::Account;
use crate::stop::Stop;
use crate::text::Text;

pub(crate) struct Options {
    pub(crate) keyring: bool,
    pub(crate) stdin: bool,
}

/// A longer input is not one of settings.
const LONGEST: u64 = 64 * 1024;

pub(crate) fn run(call: Call<'_>, provider: Provider, options: Options) -> Result<u8, Stop> {
    let Call { global, out } = call;
    if options.keyring && !cfg!(feature = "keyring") {
        return Err(Stop::config(Text::NoKeyring, Text::NoKeyringDo, &[]));
    }
    let profile = global.profile.clone().unwrap_or_else(|| DEFAULT.to_owned());
    let path = envfile::profile(&profile)?;
    let given = if options.stdin { piped()? } else { asked(call, provider)? };
    let names: Vec<_> = provider.vars().iter().map(|var| var.name).collect();
    let own = |name: &str| names.contains(&name.strip_suffix("_FILE").unwrap_or(name));
    let given: Pairs = given.into_iter().filter(|(name, _)| own(name)).collect();
    let flow = provider.read_env(&env(&given))?;
    block_on(async {
        let wish = (provider, Wish::Anew);
        let account = Account::of(Found::Flow(flow), Text::Profile, wish, global, out)?;
        account.token(out).await.map(drop)
    })??;
    if options.keyring {
        #[cfg(feature = "keyring")]
        crate::keys::Keys::new(provider, &profile).store(&given)?;
        out.note(&Text::StoredKeyring.with(out.lang, &[provider.name()]));
        return Ok(0);
    }
    let mut all = if path.exists() { envfile::read(&path)? } else { Pairs::new() };
    all.retain(|(name, _)| !own(name));
    all.extend(given);
    envfile::write(&path, &all)?;
    out.note(&Text::Stored.with(out.lang, &[provider.name(), &path.display().to_string()]));
    Ok(0)
}

/// Reads lines of `NAME=value` from standard input.
fn piped() -> Result<Pairs, Stop> {
    let mut text = Zeroizing::new(String::new());
    let read = io::stdin().lock().take(LONGEST).read_to_string(&mut text);
    read.map_err(|_| Stop::config(Text::EnvFileLine, Text::EnvFileLineDo, &["stdin", "1"]))?;
    envfile::parse(&text, "stdin")
}

/// Asks at the terminal, for secrets without echo.
fn asked(call: Call<'_>, provider: Provider) -> Result<Pairs, Stop> {
    let out = call.out;
    if !io::stdin().is_terminal() {
        return Err(Stop::usage(Text::StdinNoTerminal, Text::StdinNoTerminalDo, &[]));
    }
    let mut pairs = Pairs::new();
    for var in provider.vars().iter().filter(|var| var.ask != Ask::Never) {
        let prompt = if var.ask == Ask::Optional { Text::OptionalPrompt } else { Text::Prompt };
        let value = answer(var, &prompt.with(out.lang, &[var.name]), out)?;
        if !value.is_empty() {
            pairs.push((var.name.to_owned(), value));
        }
    }
    Ok(pairs)
}

fn answer(var: &Var, prompt: &str, out: &Out) -> Result<Zeroizing<String>, Stop> {
    let failed = |error: io::Error| match error.kind() {
        io::ErrorKind::UnexpectedEof | io::ErrorKind::Interrupted => Stop::Exit(130),
        _ => Stop::usage(Text::StdinNoTerminal, Text::StdinNoTerminalDo, &[]),
    };
    if var.is_secret {
        return hidden(prompt)?.map_err(failed);
    }
    out.prompt(prompt);
    let mut line = Zeroizing::new(String::new());
    if io::stdin().lock().read_line(&mut line).map_err(failed)? == 0 {
        return Err(Stop::Exit(130));
    }
    Ok(Zeroizing::new(line.trim().to_owned()))
}

/// Asks without echo. The terminal is as it was on every way out: a signal that ends the process
/// would leave it silent.
#[cfg(unix)]
fn hidden(prompt: &str) -> Result<io::Result<Zeroizing<String>>, Stop> {
    use rustix::termios::{OptionalActions, tcgetattr, tcsetattr};
    use tokio::signal::unix::{SignalKind, signal};

    let terminal = std::fs::File::open("/dev/tty").ok();
    let before = terminal.as_ref().and_then(|terminal| tcgetattr(terminal).ok());
    let prompt = prompt.to_owned();
    let (done, answered) = tokio::sync::oneshot::channel();
    block_on(async move {
        let mut interrupt = signal(SignalKind::interrupt())?;
        let mut terminate = signal(SignalKind::terminate())?;
        let mut hangup = signal(SignalKind::hangup())?;
        let mut quit = signal(SignalKind::quit())?;
        std::thread::spawn(move || {
            let _ = done.send(rpassword::prompt_password(prompt).map(Zeroizing::new));
        });
        let number = tokio::select! {
            answer = answered => {
                let gone = |_| Err(io::Error::from(io::ErrorKind::UnexpectedEof));
                return Ok(answer.unwrap_or_else(gone));
            }
            _ = interrupt.recv() => 2,
            _ = quit.recv() => 3,
            _ = hangup.recv() => 1,
            _ = terminate.recv() => 15,
        };
        if let (Some(terminal), Some(before)) = (&terminal, &before) {
            let _ = tcsetattr(terminal, OptionalActions::Now, before);
        }
        Err(Stop::Exit(128 + number))
    })?
}

#[cfg(not(unix))]
fn hidden(prompt: &str) -> Result<io::Result<Zeroizing<String>>, Stop> {
    Ok(rpassword::prompt_password(prompt).map(Zeroizing::new))
}
