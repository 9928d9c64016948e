//! The commands, one a module.

mod cache;
mod check;
mod child;
mod curl;
mod curl_args;
mod doctor;
mod exec;
mod header;
mod helper;
mod inspect;
mod login;
mod logout;
mod pages;
mod providers;
mod sandbox;
mod token;

use std::future::Future;
use std::pin::Pin;
use std::task::Poll;
use std::time::Duration;

use tokio::runtime::{self, Runtime};
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

use crate::args::{Args, Command, Global};
use crate::out::{Out, log_writer};
use crate::stop::Stop;
use crate::text::Text;

/// What every command has at hand.
#[derive(Clone, Copy)]
pub(crate) struct Call<'a> {
    pub(crate) global: &'a Global,
    pub(crate) out: &'a Out,
}

/// Runs a command, and returns its exit code.
pub(crate) fn run(args: Args, out: &Out) -> Result<u8, Stop> {
    let Args { global, command, .. } = args;
    log(global.verbose);
    let call = Call { global: &global, out };
    match command {
        Command::Providers { command } => providers::run(call, command),
        Command::Login { provider, keyring, stdin } => {
            login::run(call, provider, login::Options { keyring, stdin })
        }
        Command::Logout { provider } => logout::run(call, provider),
        Command::Token { provider, wish, format, show } => {
            token::run(call, provider, token::Options { wish, format, show })
        }
        Command::Header { provider, wish, show } => header::run(call, provider, wish, show),
        Command::Exec { providers, wish, fd, command } => {
            exec::run(call, &providers, exec::Options { wish, fd }, &command)
        }
        Command::Curl { provider, wish, host, curl } => {
            curl::run(call, provider, curl::Options { wish, host }, &curl)
        }
        Command::Check { providers, watch } => check::run(call, &providers, watch),
        Command::Doctor { providers, login } => {
            doctor::run(call, doctor::Asked { providers: &providers, login })
        }
        Command::Inspect { claims } => inspect::run(call, claims),
        Command::Cache { command } => cache::run(call, command),
        Command::Sandbox { port, lifetime, command } => {
            sandbox::run(call, sandbox::Options { port, lifetime }, &command)
        }
        Command::Completions { shell } => pages::completions(call, shell),
        Command::Man { dir } => pages::man(call, dir.as_deref()),
        Command::Version => pages::version(call),
        Command::CredentialHelper { verb } => helper::run(call, &verb),
    }
}

/// Runs a future on a runtime of one thread.
pub(crate) fn block_on<F: Future>(future: F) -> Result<F::Output, Stop> {
    Ok(runtime()?.block_on(future))
}

fn runtime() -> Result<Runtime, Stop> {
    Ok(runtime::Builder::new_current_thread().enable_all().build()?)
}

/// Drives all futures, and returns what they return in their order.
pub(crate) async fn all<F: Future>(futures: &mut [Pin<Box<F>>]) -> Vec<F::Output> {
    let mut done: Vec<Option<F::Output>> = futures.iter().map(|_| None).collect();
    std::future::poll_fn(|cx| {
        for (future, slot) in futures.iter_mut().zip(&mut done) {
            if slot.is_none()
                && let Poll::Ready(value) = future.as_mut().poll(cx)
            {
                *slot = Some(value);
            }
        }
        if done.iter().all(Option::is_some) { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
    done.into_iter().flatten().collect()
}

/// Drives a future. Says on a terminal what it waits for after a second.
pub(crate) async fn while_it_lasts<F: Future>(
    out: &Out,
    (text, value): (Text, &str),
    work: F,
) -> F::Output {
    let mut work = std::pin::pin!(work);
    tokio::select! {
        done = &mut work => return done,
        () = tokio::time::sleep(Duration::from_secs(1)) => {}
    }
    out.status(&text.with(out.lang, &[value]));
    work.await
}

/// Sends the events of our own crates to standard error. Other crates are not asked: what an HTTP
/// library logs at its lowest level has headers in it.
fn log(verbose: u8) {
    let level = match verbose {
        0 => return,
        1 => LevelFilter::INFO,
        2 => LevelFilter::DEBUG,
        _ => LevelFilter::TRACE,
    };
    let ours = Targets::new().with_target("auth_core", level).with_target("auth_store", level);
    let lines = tracing_subscriber::fmt::layer().with_writer(log_writer).with_ansi(false);
    // A second subscriber is refused, and there is no first one.
    let _ = tracing_subscriber::registry().with(lines).with(ours).try_init();
}
