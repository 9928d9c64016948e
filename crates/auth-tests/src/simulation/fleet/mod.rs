//! A simulated fleet: real sources in several processes that share a real store, whose backend, clock
//! and provider are simulated. Everything is drawn from a seed, so a seed repeats a run.
//!
//! The processes take turns on one thread, each on a runtime of its own. One that is frozen gets no
//! turn, and one that is killed is dropped wherever it is.
//!
//! | check | what holds |
//! |---|---|
//! | 1 | no token is overwritten by a process that neither has the lease nor knew the token; nobody touches the lease of another |
//! | 2 | no expired token is handed out, but for as long as the store's clock stepped back |
//! | 3 | one mint a life, and one for each fault that may cost one; no process mints twice in a life |
//! | 4 | no call takes over 31 s, nor over the provider's time and 350 ms while there is no store |
//! | 5 | a token that an API refused is dropped, outside the throttle, and no other token is |
//! | 6 | a wrong secret is no other process's trouble, and costs three requests a minute |
//! | 7 | a minute after all faults each process has a token, and soon a life costs one mint and no call waits |
//! | 8 | a call of the store that loses one message is answered |
//!
//! Mutants die at these seeds: no generation check at settle 3, no resend 1, a 401 drops whatever is
//! there 2, no renewal 3, adopted after the answer 0, no `have` 0, no throttle 0, any fingerprint 3.
//!
//! ```
//! use auth_tests::simulation::fleet;
//!
//! let run = fleet::run(1);
//! assert_eq!(run.fault, None);
//! assert_eq!(run.journal, fleet::run(1).journal);
//! ```

mod faults;
mod net;
mod process;
mod provider;
mod record;
mod time;
mod truth;
mod verbs;
mod world;

use auth_store::StoreKey;

use self::truth::{Shared, Truth};
use self::world::World;
use super::Run;

/// The situations that a hundred schedules together must reach, as counted by [`Run::reached`].
pub const PLACES: [&str; 21] = [
    "calls of the store that lost one message",
    "calls that failed",
    "calls that waited while there was no store",
    "claims while another process had the lease",
    "claims without a store",
    "leases",
    "leases renewed",
    "leases taken over",
    "mints",
    "mints that a fault cost",
    "processes frozen on their way to a token",
    "processes killed between request and settle",
    "processes that waited enough",
    "processes with a wrong secret",
    "records lost",
    "refusals told",
    "refused tokens dropped",
    "refused tokens that the fleet's throttle admits again",
    "rejections of all processes",
    "steps of the store's clock",
    "tokens adopted",
];

/// Runs one schedule.
#[must_use]
pub fn run(seed: u64) -> Run {
    let mut rng = fastrand::Rng::with_seed(seed);
    let processes = rng.usize(2..9);
    let key = (rng.u8(0..8) > 0).then(|| StoreKey::new([7; 32]));
    let truth = Truth::new(rng.fork(), processes, key);
    let (until, life) = (truth.now + truth.life * 4, truth.life);
    let shared = Shared::new(truth);
    shared.lock().note(format_args!("{processes} processes, tokens of {life:?}"));
    let mut world = World {
        shared: shared.clone(),
        rng,
        processes: (0..processes).map(|_| None).collect(),
        faults: Vec::new(),
        ends: Vec::new(),
    };
    (0..processes).for_each(|process| world.start(process));
    // In some runs nothing goes wrong but messages.
    if world.rng.u8(0..10) > 0 {
        world.draw_faults(until);
    }
    world.pass_until(until);
    if world.is_well() {
        world.heal();
    }
    drop(world);
    let mut truth = shared.lock();
    // What waits holds the truth, which holds what waits.
    let (timers, messages) =
        (std::mem::take(&mut truth.timers), std::mem::take(&mut truth.messages));
    let run = Run {
        journal: std::mem::take(&mut truth.journal),
        fault: truth.fault.take(),
        reached: std::mem::take(&mut truth.reached),
    };
    drop(truth);
    drop((timers, messages));
    run
}
