//! An endpoint that is down while the token is stale but valid: callers should not notice.
//!
//! Tokens live 5 s and are stale in the last second. From the third second on the endpoint answers
//! 500, or closes the connection, or does not answer, while 64 tasks call every 5 ms until just
//! before the token is no longer usable. All three run at the same time, each with its own source.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::task::JoinSet;

use super::{millis, two_workers};
use crate::by_hand::Refreshed;
use crate::contender::{Get, Typed, client};
use crate::loopback::{Loopback, Mood, has_ended};
use crate::raw::Raw;
use crate::report::{Report, Row};
use crate::timing::{now, number};
use crate::{Failed, Options, Outcome};

const TASKS: usize = 64;
const LIFETIME: Duration = Duration::from_secs(5);
const GOES_DOWN: Duration = Duration::from_secs(3);
/// The margin is a twentieth of the lifetime; the rest is for delays of the machine.
const ENDS: Duration = Duration::from_millis(4_700);

/// The callers' measurements.
#[derive(Clone, Copy, Debug, Default)]
struct Seen {
    gets: u64,
    errors: u64,
    expired: u64,
    slowest: Duration,
    requests: u64,
}

pub(crate) fn run(_: &Options, report: &mut Report) -> Outcome<()> {
    let runtime = two_workers()?;
    let client = client()?;
    let moods =
        [("answers_500", Mood::Fails), ("hangs_up", Mood::HangsUp), ("silent", Mood::Silent)];
    let mut all = Seen::default();
    let mut told = Vec::new();
    runtime.block_on(async {
        let mut runs = JoinSet::new();
        for (name, mood) in moods {
            let endpoint = Loopback::start()?.lifetime(LIFETIME);
            let get = Typed::new(&endpoint.url(), &client)?;
            runs.spawn(
                async move { Ok::<_, Failed>((name, live_through(endpoint, mood, get).await?)) },
            );
        }
        while let Some(run) = runs.join_next().await {
            let (name, seen) = run??;
            tell(report, &format!("typed.{name}"), seen);
            told.push(format!("{name}: {} requests", seen.requests));
            all.gets += seen.gets;
            all.errors += seen.errors;
            all.expired += seen.expired;
            all.slowest = all.slowest.max(seen.slowest);
        }
        Ok::<_, Failed>(())
    })?;
    told.sort();
    let task = runtime.block_on(async {
        let endpoint = Loopback::start()?.lifetime(LIFETIME);
        let get = Refreshed::start(&Raw::new(&endpoint.url())?).await?;
        live_through(endpoint, Mood::Fails, get).await
    })?;
    tell(report, "task", task);
    report.row(Row {
        scenario: "endpoint down while the token is stale but good",
        ours: format!(
            "{} errors and {} expired of {} gets, slowest {} ms; while stale {}",
            all.errors,
            all.expired,
            all.gets,
            number(millis(all.slowest)),
            told.join(", ")
        ),
        must: "no error, each at once (5 ms)",
        reached: all.errors == 0 && all.expired == 0 && all.slowest <= Duration::from_millis(5),
        references: format!(
            "task, 500: {} errors, slowest {} ms, {} requests",
            task.errors,
            number(millis(task.slowest)),
            task.requests
        ),
    });
    Ok(())
}

fn tell(report: &mut Report, name: &str, seen: Seen) {
    report.number(format!("stale.{name}.errors"), seen.errors as f64, "gets");
    report.number(format!("stale.{name}.expired"), seen.expired as f64, "gets");
    report.number(format!("stale.{name}.slowest"), millis(seen.slowest), "ms");
    report.number(format!("stale.{name}.requests"), seen.requests as f64, "requests");
}

async fn live_through<G: Get>(endpoint: Loopback, mood: Mood, get: G) -> Outcome<Seen> {
    let began = now();
    get.get().await?;
    let get = Arc::new(get);
    tokio::time::sleep_until((began + GOES_DOWN).into()).await;
    endpoint.take_requests();
    endpoint.turn(mood);
    let mut tasks = JoinSet::new();
    for _ in 0..TASKS {
        tasks.spawn(watch(Arc::clone(&get), began + ENDS));
    }
    let mut seen = Seen::default();
    while let Some(one) = tasks.join_next().await {
        let one = one?;
        seen.gets += one.gets;
        seen.errors += one.errors;
        seen.expired += one.expired;
        seen.slowest = seen.slowest.max(one.slowest);
    }
    seen.requests = endpoint.take_requests();
    Ok(seen)
}

/// One caller, until the end of the measurement.
async fn watch<G: Get>(get: Arc<G>, until: Instant) -> Seen {
    let mut seen = Seen::default();
    while now() < until {
        let began = now();
        let outcome = get.get().await;
        seen.slowest = seen.slowest.max(began.elapsed());
        seen.gets += 1;
        match outcome {
            Ok(header) => seen.expired += u64::from(has_ended(&header)),
            Err(Failed(_)) => seen.errors += 1,
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    seen
}
