//! A simulation of the real engine: the public [`CachedTokenSource`], several runtimes, callers that
//! come and go, a provider that fails in every way, and time. Everything is drawn from a seed, so a
//! seed repeats a run.
//!
//! All runs on one thread. Runtimes are given turns one after the other; one that is frozen is not
//! picked for a while. What the engine may and may not do is written down in [`truth`], [`flights`],
//! [`calls`] and [`checks`], from what its documentation promises.
//!
//! ```
//! let run = auth_tests::simulation::run(1);
//! assert_eq!(run.fault, None);
//! assert_eq!(run.journal, auth_tests::simulation::run(1).journal);
//! ```

mod answers;
mod calls;
mod checks;
mod flights;
mod flow;
mod provider;
mod spans;
mod steps;
mod time;
mod truth;
mod world;

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use auth_core::{CachedTokenSource, RetryPolicy};

use self::flow::Flow;
use self::provider::Provider;
use self::spans::Spans;
use self::time::SimClock;
use self::truth::{Limits, Shared, Truth};
use self::world::{Lane, World};

/// What a run came to.
#[derive(Clone, Debug, Default)]
pub struct Run {
    /// What happened, line by line, with the time in seconds.
    pub journal: Vec<String>,
    /// The first invariant that was broken, if one was.
    pub fault: Option<String>,
    /// How often the run came where faults are looked for.
    pub reached: BTreeMap<&'static str, u64>,
}

/// Where the schedules must come, taken together: what [`Run::reached`] counts.
pub const PLACES: [&str; 15] = [
    "attempts after the first",
    "attempts timed out",
    "calls given up",
    "calls served at once",
    "calls that drive a refresh",
    "calls that failed",
    "calls that timed out beside a runtime that stood still",
    "calls that waited",
    "flights beside one that outlived its limit",
    "flights landed",
    "flights landed too late to count",
    "flights lost",
    "probes",
    "requests dropped on their way",
    "tokens too late beside a good one",
];

/// Runs one schedule.
///
/// One at a time in a process: see [`count_tasks_from_the_same`].
#[must_use]
pub fn run(seed: u64) -> Run {
    static ALONE: Mutex<()> = Mutex::new(());
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    count_tasks_from_the_same();
    let mut rng = fastrand::Rng::with_seed(seed);
    let secs = Duration::from_secs;
    let limits = Limits {
        attempts: rng.u32(1..4),
        attempt_timeout: secs(if rng.bool() { 1 } else { 10 }),
        deadline: secs(match rng.u8(0..3) {
            0 => 2,
            1 => 5,
            _ => 30,
        }),
    };
    let shared = Shared::new(Truth::new(limits, rng.fork()));
    // What unwinds has told its fault before.
    let _ = catch_unwind(AssertUnwindSafe(|| {
        tracing::subscriber::with_default(Spans(shared.clone()), || schedule(&shared, limits, rng));
    }));
    let mut truth = shared.lock();
    Run {
        journal: std::mem::take(&mut truth.journal),
        fault: truth.fault.take(),
        reached: std::mem::take(&mut truth.reached),
    }
}

fn schedule(shared: &Shared, limits: Limits, mut rng: fastrand::Rng) {
    let alive = Arc::new(());
    let draws = Mutex::new(rng.fork());
    let retry = RetryPolicy::default()
        .max_attempts(limits.attempts)
        .attempt_timeout(limits.attempt_timeout)
        .deadline(limits.deadline);
    let source =
        CachedTokenSource::builder(Flow { epoch: 0, account: 0, _alive: Arc::clone(&alive) })
            .http_client(Provider(shared.clone()))
            .clock(SimClock(shared.clone()))
            .retry_policy(retry)
            .draw(move || draws.lock().unwrap_or_else(PoisonError::into_inner).f64())
            .build();
    let Ok(source) = source else {
        return shared.lock().fault(format_args!("no source is made"));
    };
    shared.lock().note(format_args!("{limits:?}"));
    let lanes: Vec<_> =
        (1..=rng.u64(1..4)).filter_map(|n| Lane::new(world::FIRST_LANE + n)).collect();
    let mut world = World {
        shared: shared.clone(),
        source: Some(source),
        lane_count: world::FIRST_LANE + 9,
        lanes,
        foreign: Vec::new(),
        refused: None,
        alive,
        rng,
    };
    let is_well = || shared.lock().fault.is_none();
    for _ in 0..world.rng.u8(20..80) {
        if is_well() {
            world.step();
        }
    }
    if is_well() {
        world.heal();
    }
    if is_well() {
        world.end();
    }
}

/// A runtime that is shut down drops its tasks in an order that depends on their numbers, which tokio
/// counts for the whole process, modulo a small power of two: each run begins at a multiple of 64.
fn count_tasks_from_the_same() {
    let Some(lane) = Lane::new(0) else { return };
    let number = || lane.runtime.spawn(async {}).id().to_string().parse::<u64>();
    while number().is_ok_and(|number| number % 64 != 63) {}
}
