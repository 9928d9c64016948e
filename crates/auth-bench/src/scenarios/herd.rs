//! A thundering herd: 10,000 tasks that all need the first token at once.
//!
//! Measured: from before the first task is spawned until the last one has its header, relative to
//! one raw exchange with the same endpoint in the same round. The connection is already open for
//! all contenders. All figures include the time to spawn and run ten thousand tasks that do
//! nothing, which is also reported alone; most of it passes before the endpoint answers.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use http::HeaderValue;
use tokio::sync::Notify;

use super::{millis, on_a_worker, two_workers};
use crate::by_hand::{Locked, Moka, Shared};
use crate::contender::{Get, Typed, client};
use crate::loopback::Loopback;
use crate::raw::Raw;
use crate::report::{Report, Row};
use crate::timing::{Contender, now, number, take_turns};
use crate::{Failed, Options, Outcome};

const TASKS: usize = 10_000;
const LATENCY: Duration = Duration::from_millis(20);

pub(crate) fn run(options: &Options, report: &mut Report) -> Outcome<()> {
    let endpoint = Loopback::start()?.latency(LATENCY);
    let url = endpoint.url();
    let runtime = two_workers()?;
    let raw = Raw::new(&url)?;
    let client = client()?;
    let mut most_requests = 0;
    let contenders: Vec<Contender<'_>> = vec![
        (
            "raw".to_owned(),
            Box::new(|| {
                let raw = raw.clone();
                on_a_worker(&runtime, async move {
                    let began = now();
                    raw.exchange().await?;
                    Ok(millis(began.elapsed()))
                })
            }),
        ),
        (
            "typed".to_owned(),
            Box::new(|| {
                endpoint.take_requests();
                let source = Typed::new(&url, &client)?;
                let took = runtime.block_on(herd(source))?;
                most_requests = most_requests.max(endpoint.take_requests());
                Ok(took)
            }),
        ),
        ("spawning".to_owned(), Box::new(|| runtime.block_on(herd(Nothing)))),
        ("mutex".to_owned(), Box::new(|| runtime.block_on(herd(Locked::new(&raw))))),
        ("rwlock".to_owned(), Box::new(|| runtime.block_on(herd(Shared::new(&raw))))),
        ("moka_try_get_with".to_owned(), Box::new(|| runtime.block_on(herd(Moka::new(&raw))))),
    ];
    let samples = take_turns(options, 12, contenders)?;
    for name in ["raw", "gate", "typed", "mutex", "rwlock", "moka_try_get_with"] {
        report.relative("herd", name, &samples, "ms", "raw");
    }
    report.number("herd.typed.requests", most_requests as f64, "requests");
    let ratio = samples.ratio("typed", "raw");
    let told = |name: &str| format!("{name} {} ×", number(samples.ratio(name, "raw").median));
    report.row(Row {
        scenario: "cold herd of 10,000 tasks, 20 ms endpoint",
        ours: format!(
            "{most_requests} request, {ratio} × the latency ({} ms)",
            samples.spread("typed")
        ),
        must: "1 request, 1.3 ×",
        reached: most_requests == 1 && ratio.median <= 1.3,
        references: format!(
            "raw {} ms; spawning alone {} ms; {}; {}; {}",
            samples.spread("raw"),
            samples.spread("spawning"),
            told("mutex"),
            told("rwlock"),
            told("moka_try_get_with")
        ),
    });
    Ok(())
}

/// Returns at once, to measure ten thousand tasks that do nothing.
#[derive(Debug)]
struct Nothing;

impl Get for Nothing {
    async fn get(&self) -> Result<HeaderValue, Failed> {
        Ok(HeaderValue::from_static("Bearer made-up"))
    }
}

/// The time until the last task has its header, in ms.
async fn herd<G: Get>(get: G) -> Outcome<f64> {
    let (get, done) = (Arc::new(get), Arc::new(Done::default()));
    done.left.store(TASKS, Ordering::Relaxed);
    let began = now();
    for _ in 0..TASKS {
        let (get, done) = (Arc::clone(&get), Arc::clone(&done));
        tokio::spawn(async move {
            if get.get().await.is_ok() {
                done.one();
            }
        });
    }
    // A caller that fails is never counted, so this would time out.
    tokio::time::timeout(Duration::from_secs(10), done.all.notified()).await?;
    Ok(millis(began.elapsed()))
}

/// Counts the tasks that have their header; only the last one wakes the waiting thread.
#[derive(Debug, Default)]
struct Done {
    left: AtomicUsize,
    all: Notify,
}

impl Done {
    fn one(&self) {
        if self.left.fetch_sub(1, Ordering::Relaxed) == 1 {
            self.all.notify_one();
        }
    }
}
