//! A simulation around the real engine: the public `CachedTokenSource` with simulated runtimes,
//! callers, provider and time. Everything is drawn from a seed, so a seed repeats a run.
//!
//! Everything runs on one thread. The runtimes take turns; a frozen one is not scheduled for a
//! while. The invariants are in `truth`, `flights`, `calls` and `checks`, and follow from
//! the engine's documentation.
//!
//! ```
//! let run = auth_tests::simulation::run(1);
//! assert_eq!(run.fault, None);
//! assert_eq!(run.journal, auth_tests::simulation::run(1).journal);
//! ```

mod answers;
mod calls;
mod checks;
pub mod fleet;
mod flights;
mod flow;
mod provider;
mod shared;
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

/// The result of a run.
#[derive(Clone, Debug, Default)]
pub struct Run {
    /// The events, line by line, with the time in seconds.
    pub journal: Vec<String>,
    /// The first invariant that was broken, if one was.
    pub fault: Option<String>,
    /// How often the run reached each of [`PLACES`].
    pub reached: BTreeMap<&'static str, u64>,
}

/// The situations that all schedules together must reach, as counted by [`Run::reached`].
pub const PLACES: [&str; 15] = [
    "attempts after the first",
    "attempts timed out",
    "calls given up",
    "calls served at once",
    "calls that drive a refresh",
    "calls that failed",
    "calls that timed out while a runtime was not driven",
    "calls that waited",
    "flights beside one past its limit",
    "flights landed",
    "flights landed too late to count",
    "flights lost",
    "probes",
    "requests dropped on their way",
    "tokens too late beside a good one",
];

/// Runs one schedule.
///
/// One at a time in a process: see `count_tasks_from_the_same`.
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
    // Code that unwinds has recorded its fault before.
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

/// Makes each run begin at a task id that is a multiple of 64: the order in which a runtime drops
/// its tasks at shutdown depends on their ids, modulo a small power of two, and tokio counts these
/// for the whole process.
fn count_tasks_from_the_same() {
    let Some(lane) = Lane::new(0) else { return };
    let number = || lane.runtime.spawn(async {}).id().to_string().parse::<u64>();
    while number().is_ok_and(|number| number % 64 != 63) {}
}
