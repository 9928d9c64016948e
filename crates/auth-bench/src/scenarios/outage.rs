//! An endpoint that answers 500 for 3 s to 1,000 tasks that call every 10 ms and have no token yet.
//!
//! Measured: the requests that reach the endpoint during the outage; the longest call among those
//! that began after a caller got the first failure; and the time from the recovery to the first
//! token.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::runtime::Runtime;
use tokio::task::JoinSet;

use super::{millis, two_workers};
use crate::by_hand::{Locked, Moka};
use crate::contender::{Get, Typed, client};
use crate::loopback::{Loopback, Mood};
use crate::raw::Raw;
use crate::report::{Report, Row};
use crate::timing::{Spread, now};
use crate::{Failed, Options, Outcome};

const TASKS: usize = 1_000;
const PAUSE: Duration = Duration::from_millis(10);
const OUTAGE: Duration = Duration::from_secs(3);
/// The longest wait for the first token after the recovery.
const PATIENCE: Duration = Duration::from_secs(5);

/// The measurements of one outage.
#[derive(Clone, Copy, Debug)]
struct Course {
    requests: u64,
    /// The longest call that began after the first failure, in ms.
    longest: f64,
    /// The longest call of all, in ms.
    hung: f64,
    /// From the recovery to the first token, in ms.
    recovery: f64,
}

pub(crate) fn run(options: &Options, report: &mut Report) -> Outcome<()> {
    let runtime = two_workers()?;
    let client = client()?;
    let mut ours = Vec::new();
    for _ in 0..options.rounds(6) {
        let endpoint = Loopback::start()?;
        let get = Typed::new(&endpoint.url(), &client)?;
        ours.push(live_through(&runtime, &endpoint, get)?);
    }
    let endpoint = Loopback::start()?;
    let raw = Raw::new(&endpoint.url())?;
    let mutex = live_through(&runtime, &endpoint, Locked::new(&raw))?;
    let moka = live_through(&runtime, &endpoint, Moka::new(&raw))?;

    let [requests, longest, hung, recovery] = tell(report, "typed", &ours);
    let mut references = Vec::new();
    for (name, course) in [("mutex", mutex), ("moka", moka)] {
        let [requests, longest, hung, recovery] = tell(report, name, &[course]);
        references.push(format!(
            "{name} {requests} requests, longest call {longest} ms (of all {hung} ms), token after {recovery} ms"
        ));
    }
    report.row(Row {
        scenario: "500 for 3 s, 1,000 tasks calling every 10 ms",
        ours: format!(
            "{requests} requests, longest call {longest} ms (of all, the first flight's retries included, {hung} ms), token {recovery} ms after recovery"
        ),
        must: "8 requests, no call over 1 s, token within 1 s (in every round)",
        reached: requests.max <= 8.0 && longest.max <= 1_000.0 && recovery.max <= 1_000.0,
        references: references.join("; "),
    });
    Ok(())
}

fn tell(report: &mut Report, name: &str, courses: &[Course]) -> [Spread; 4] {
    let of = |part: fn(&Course) -> f64| Spread::of(&courses.iter().map(part).collect::<Vec<_>>());
    let found = [
        of(|course| course.requests as f64),
        of(|course| course.longest),
        of(|course| course.hung),
        of(|course| course.recovery),
    ];
    for (spread, (part, unit)) in found.into_iter().zip([
        ("requests", "requests"),
        ("longest_call", "ms"),
        ("longest_of_all", "ms"),
        ("recovery", "ms"),
    ]) {
        report.spread(format!("outage.{name}.{part}"), spread, unit);
    }
    found
}

/// The state that all callers of one outage share.
#[derive(Debug, Default)]
struct Shared {
    failure_is_known: AtomicBool,
    /// The longest call that began after that, in microseconds.
    longest: AtomicU64,
    /// The longest of all, in microseconds.
    hung: AtomicU64,
    first_token: Mutex<Option<Instant>>,
}

fn live_through<G: Get>(runtime: &Runtime, endpoint: &Loopback, get: G) -> Outcome<Course> {
    endpoint.turn(Mood::Fails);
    endpoint.take_requests();
    runtime.block_on(async {
        let (get, shared) = (Arc::new(get), Arc::new(Shared::default()));
        let began = now();
        let mut tasks = JoinSet::new();
        for _ in 0..TASKS {
            tasks.spawn(call_until_served(Arc::clone(&get), Arc::clone(&shared)));
        }
        tokio::time::sleep_until((began + OUTAGE).into()).await;
        let requests = endpoint.take_requests();
        endpoint.turn(Mood::Grants);
        let recovered = now();
        let all = async { while tasks.join_next().await.is_some() {} };
        let in_time = tokio::time::timeout(PATIENCE, all).await.is_ok();
        let first = *shared.first_token.lock().unwrap_or_else(PoisonError::into_inner);
        let served = first.map_or(PATIENCE, |at| at.saturating_duration_since(recovered));
        // A call that never returned took at least as long as we waited for it.
        let longest = |of: &AtomicU64| {
            if in_time {
                of.load(Ordering::Relaxed) as f64 / 1e3
            } else {
                millis(OUTAGE + PATIENCE)
            }
        };
        Ok::<_, Failed>(Course {
            requests,
            longest: longest(&shared.longest),
            hung: longest(&shared.hung),
            recovery: millis(served),
        })
    })
}

/// One caller: every 10 ms until it has a token.
async fn call_until_served<G: Get>(get: Arc<G>, shared: Arc<Shared>) {
    loop {
        let is_known = shared.failure_is_known.load(Ordering::Relaxed);
        let began = now();
        let outcome = get.get().await;
        let took = u64::try_from(began.elapsed().as_micros()).unwrap_or(u64::MAX);
        shared.hung.fetch_max(took, Ordering::Relaxed);
        if is_known {
            shared.longest.fetch_max(took, Ordering::Relaxed);
        }
        match outcome {
            Ok(_) => {
                shared
                    .first_token
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .get_or_insert_with(now);
                return;
            }
            Err(Failed(_)) => shared.failure_is_known.store(true, Ordering::Relaxed),
        }
        tokio::time::sleep(PAUSE).await;
    }
}
