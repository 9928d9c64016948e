//! The scenarios: one file each, in the order of the table.

mod attach;
mod exchange;
mod expiry;
mod herd;
mod leader;
mod memory;
mod outage;
mod stale;
mod tasks;
mod warm;

use std::time::Duration;

use tokio::runtime::{Builder, Runtime};

use crate::contender::Get;
use crate::report::Report;
use crate::{Failed, Options, Outcome};

type Scenario = fn(&Options, &mut Report) -> Outcome<()>;

/// Every scenario, by its name for `--only`.
pub(crate) const ALL: &[(&str, Scenario)] = &[
    ("warm", warm::run),
    ("tasks", tasks::run),
    ("herd", herd::run),
    ("expiry", expiry::run),
    ("outage", outage::run),
    ("stale", stale::run),
    ("leader", leader::run),
    ("exchange", exchange::run),
    ("memory", memory::run),
    ("attach", attach::run),
];

/// A multi-thread runtime with this many workers.
fn two_workers() -> Outcome<Runtime> {
    Ok(Builder::new_multi_thread().worker_threads(2).enable_all().build()?)
}

fn one_thread() -> Outcome<Runtime> {
    Ok(Builder::new_current_thread().enable_all().build()?)
}

/// Runs a future as a task on the runtime's workers, like a caller, and waits for it.
fn on_a_worker<T: Send + 'static>(
    runtime: &Runtime,
    future: impl Future<Output = Outcome<T>> + Send + 'static,
) -> Outcome<T> {
    runtime.block_on(runtime.spawn(future))?
}

/// Gets once, so that the cache is warm.
fn warmed<G: Get>(runtime: &Runtime, get: G) -> Outcome<G> {
    runtime.block_on(get.get())?;
    Ok(get)
}

fn millis(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}

fn micros(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e6
}

fn failed(text: &str) -> Failed {
    Failed(text.to_owned())
}
