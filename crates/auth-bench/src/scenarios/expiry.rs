//! 64 tasks across several lifetimes of a token: stalls, expired tokens, and number of requests.
//!
//! Measured: each get of each task for 10 s, about one per millisecond. Beside each get the task
//! times a plain header clone: the slowest clone is the delay by the machine alone, and no get can
//! be expected to be faster.
//!
//! It runs twice: with tokens that are usable for 2 s (their lifetime is 2.105 s, of which the
//! engine's margin takes a twentieth), and with tokens of 2 s. The endpoint counts a lifetime from
//! the arrival of the request, which is the strictest reading.

use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::runtime::Runtime;
use tokio::task::JoinSet;

use super::{millis, two_workers};
use crate::by_hand::{Locked, Moka, Refreshed};
use crate::contender::{Get, Typed, client};
use crate::loopback::{Loopback, has_ended};
use crate::raw::Raw;
use crate::report::{Report, Row};
use crate::timing::{now, number};
use crate::{Failed, Options, Outcome};

const TASKS: usize = 64;
const LIFE: Duration = Duration::from_secs(2);
const LATENCY: Duration = Duration::from_millis(20);

/// The callers' measurements.
#[derive(Clone, Copy, Debug, Default)]
struct Seen {
    gets: u64,
    errors: u64,
    expired: u64,
    over_5_ms: u64,
    slowest: Duration,
    slowest_clone: Duration,
    clones_over_5_ms: u64,
    requests_per_life: f64,
}

pub(crate) fn run(options: &Options, report: &mut Report) -> Outcome<()> {
    let runtime = two_workers()?;
    let time = Duration::from_secs(if options.quick { 6 } else { 10 });
    for (name, scenario, lifetime) in [
        ("usable", "64 tasks across expiry, 2 s of usable life", LIFE.mul_f64(20.0 / 19.0)),
        ("lives", "the same with tokens that really live 2 s", LIFE),
    ] {
        let endpoint = Loopback::start()?.latency(LATENCY).lifetime(lifetime);
        let raw = Raw::new(&endpoint.url())?;
        let ours = Typed::new(&endpoint.url(), &client()?)?;
        let ours = measure(&runtime, &endpoint, ours, time)?;
        tell(report, &format!("expiry.{name}.typed"), ours);
        let mut references = Vec::new();
        // The references behave the same in both, so they run once.
        if name == "lives" {
            let refreshed = runtime.block_on(Refreshed::start(&raw))?;
            let task = measure(&runtime, &endpoint, refreshed, time)?;
            let mutex = measure(&runtime, &endpoint, Locked::new(&raw), time)?;
            let moka = measure(&runtime, &endpoint, Moka::new(&raw), time)?;
            for (who, seen) in [("task", task), ("mutex", mutex), ("moka", moka)] {
                tell(report, &format!("expiry.{name}.{who}"), seen);
                references.push(format!(
                    "{who} slowest {} ms ({} over 5 ms), {} requests a life",
                    number(millis(seen.slowest)),
                    seen.over_5_ms,
                    number(seen.requests_per_life),
                ));
            }
        }
        references.push(format!("slowest plain clone {} ms", number(millis(ours.slowest_clone))));
        report.row(Row {
            scenario,
            ours: format!(
                "slowest get {} ms, {} of {} over 5 ms (plain clones: {}), {} expired, {} errors, {} requests a life",
                number(millis(ours.slowest)),
                ours.over_5_ms,
                ours.gets,
                ours.clones_over_5_ms,
                ours.expired,
                ours.errors,
                number(ours.requests_per_life)
            ),
            must: "none over 5 ms, none expired, 1.5 requests a life",
            reached: ours.over_5_ms == 0
                && ours.expired == 0
                && ours.errors == 0
                && ours.requests_per_life <= 1.5,
            references: references.join("; "),
        });
    }
    Ok(())
}

fn tell(report: &mut Report, name: &str, seen: Seen) {
    report.number(format!("{name}.slowest"), millis(seen.slowest), "ms");
    report.number(format!("{name}.slowest_clone"), millis(seen.slowest_clone), "ms");
    report.number(format!("{name}.over_5_ms"), seen.over_5_ms as f64, "gets");
    report.number(format!("{name}.expired"), seen.expired as f64, "gets");
    report.number(format!("{name}.errors"), seen.errors as f64, "gets");
    report.number(format!("{name}.requests_per_life"), seen.requests_per_life, "requests");
}

fn measure<G: Get>(
    runtime: &Runtime,
    endpoint: &Loopback,
    get: G,
    time: Duration,
) -> Outcome<Seen> {
    runtime.block_on(async {
        // The first token is not part of this scenario.
        get.get().await?;
        endpoint.take_requests();
        let get = Arc::new(get);
        let until = now() + time;
        let mut tasks = JoinSet::new();
        for _ in 0..TASKS {
            tasks.spawn(watch(Arc::clone(&get), until));
        }
        let mut seen = Seen::default();
        while let Some(one) = tasks.join_next().await {
            let one = one?;
            seen.gets += one.gets;
            seen.errors += one.errors;
            seen.expired += one.expired;
            seen.over_5_ms += one.over_5_ms;
            seen.clones_over_5_ms += one.clones_over_5_ms;
            seen.slowest = seen.slowest.max(one.slowest);
            seen.slowest_clone = seen.slowest_clone.max(one.slowest_clone);
        }
        seen.requests_per_life =
            endpoint.take_requests() as f64 * LIFE.as_secs_f64() / time.as_secs_f64();
        Ok::<_, Failed>(seen)
    })
}

/// One caller, until the end of the measurement.
async fn watch<G: Get>(get: Arc<G>, until: Instant) -> Seen {
    const LONG: Duration = Duration::from_millis(5);
    let mut seen = Seen::default();
    while now() < until {
        let began = now();
        let outcome = get.get().await;
        let took = began.elapsed();
        seen.gets += 1;
        seen.slowest = seen.slowest.max(took);
        seen.over_5_ms += u64::from(took > LONG);
        match outcome {
            Ok(header) => {
                seen.expired += u64::from(has_ended(&header));
                let began = now();
                black_box(&header.clone());
                let took = began.elapsed();
                seen.slowest_clone = seen.slowest_clone.max(took);
                seen.clones_over_5_ms += u64::from(took > LONG);
            }
            Err(Failed(_)) => seen.errors += 1,
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    seen
}
