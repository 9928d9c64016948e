//! A warm get in one task: the time to get a complete `Authorization` header.
//!
//! Measured: an async get in a loop inside one `block_on`, its header made opaque to the optimizer
//! and dropped. The parts are the same loop without a source: one lock-free load, a check on one
//! clock, and a clone of the header, which is the minimum for any such cache. Not measured: the API
//! call that uses the header.
//!
//! Each loop is written out where it runs, without a wrapper around the call: a wrapper moves the
//! header once more, which alone is a sixth of the time measured here.
//!
//! Where a program has one such loop, the compiler inlines the whole call, and this is measured. With a
//! second typed loop in the same program it does not, and a get costs a half more: as much as erased.
//!
//! All loops run without tokio's cooperative budget: it makes a lock yield every 128 times in a
//! loop that does nothing else, unlike a real caller.

use std::hint::black_box;
use std::time::{Duration, SystemTime};

use arc_swap::ArcSwap;
use auth_core::{Clock as _, SystemClock};
use http::HeaderValue;
use tokio::runtime::Runtime;
use tokio::task::unconstrained;

use super::{one_thread, warmed};
use crate::by_hand::{Locked, Moka, MokaGet, Shared};
use crate::contender::{Erased, Get, Typed, client};
use crate::loopback::Loopback;
use crate::raw::Raw;
use crate::report::{Report, Row};
use crate::timing::{Contender, now, number, take_turns};
use crate::{Failed, Options, Outcome};

/// How long one contender runs in one round.
const SLICE: Duration = Duration::from_millis(2);

/// One round of a plain loop, in ns each.
macro_rules! looped {
    ($name:literal, $body:expr) => {{
        let mut slice = Slice::default();
        let round = move || {
            let began = now();
            for _ in 0..slice.count {
                black_box(&$body);
            }
            Ok(slice.end(began.elapsed()))
        };
        ($name.to_owned(), Box::new(round) as Box<_>)
    }};
}

/// One round of gets in a task, in ns each.
macro_rules! gets {
    ($name:literal, $runtime:expr, $header:expr) => {{
        let mut slice = Slice::default();
        let round = move || {
            let count = slice.count;
            let took = $runtime.block_on(unconstrained(async {
                let began = now();
                for _ in 0..count {
                    let header: HeaderValue = $header;
                    black_box(&header);
                }
                Ok::<_, Failed>(began.elapsed())
            }))?;
            Ok(slice.end(took))
        };
        ($name.to_owned(), Box::new(round) as Box<_>)
    }};
}

pub(crate) fn run(options: &Options, report: &mut Report) -> Outcome<()> {
    let endpoint = Loopback::start()?;
    let runtime = one_thread()?;
    let raw = Raw::new(&endpoint.url())?;
    let token = runtime.block_on(raw.exchange())?;
    let header = &token.header.clone();
    let swap = &ArcSwap::from_pointee(token);
    let typed = match options.store {
        true => Typed::stored(&endpoint.url(), &client()?)?,
        false => Typed::new(&endpoint.url(), &client()?)?,
    };
    let typed = warmed(&runtime, typed)?;
    let erased = Erased(typed.0.clone().into());
    let blocking = &auth_core::blocking::CachedTokenSource::from(typed.0.clone());
    let locked = warmed(&runtime, Locked::new(&raw))?;
    let shared = warmed(&runtime, Shared::new(&raw))?;
    let moka = warmed(&runtime, Moka::new(&raw))?;
    let moka_get = MokaGet(moka.clone());

    let none = || Failed("no good token".to_owned());
    // The rounds borrow these, and own the rest.
    let (on, ours, any) = (&runtime, &typed.0, &erased.0);
    let (mutex, rwlock, cache, plain) = (&locked, &shared, &moka, &moka_get);
    let contenders: Vec<Contender<'_>> = vec![
        looped!("header_clone", header.clone()),
        looped!("arc_swap_load", swap.load()),
        looped!("arc_swap_load_full", swap.load_full()),
        looped!("instant_now", now()),
        looped!("system_time_now", SystemTime::now()),
        looped!("engine_clocks", (SystemClock.monotonic(), SystemClock.wall())),
        gets!("parts", on, {
            let token = swap.load();
            if !token.is_good(now()) {
                return Err(none());
            }
            token.header.clone()
        }),
        gets!("typed", on, ours.token().await?.authorization()),
        gets!("erased", on, any.token().await?.authorization()),
        gets!("fresh", on, {
            let token = ours.fresh().ok_or_else(none)?;
            token.authorization()
        }),
        looped!("blocking", blocking.token()?.authorization()),
        gets!("mutex", on, mutex.get().await?),
        gets!("rwlock", on, rwlock.get().await?),
        gets!("moka_try_get_with", on, cache.get().await?),
        gets!("moka_get", on, plain.get().await?),
    ];
    let names: Vec<_> = contenders.iter().map(|(name, _)| name.clone()).collect();
    let samples = take_turns(options, 150, contenders)?;
    for name in &names {
        report.relative("warm", name, &samples, "ns", "parts");
    }

    let mut allocations = Vec::new();
    for (name, count) in [
        ("typed", allocations_of(&runtime, &typed)?),
        ("erased", allocations_of(&runtime, &erased)?),
        ("mutex", allocations_of(&runtime, &locked)?),
        ("rwlock", allocations_of(&runtime, &shared)?),
        ("moka_try_get_with", allocations_of(&runtime, &moka)?),
    ] {
        report.number(format!("warm.{name}.allocations"), count, "allocations/get");
        allocations.push((name, count));
    }
    let count = |wanted: &str| {
        let found = allocations.iter().find(|(name, _)| *name == wanted);
        found.map_or(f64::NAN, |(_, count)| *count)
    };
    let [typed, erased] = ["typed", "erased"].map(|name| samples.ratio(name, "parts"));
    let told = |name: &str| {
        format!(
            "{name} {} ns = {} ×, {} allocations",
            samples.spread(name),
            number(samples.ratio(name, "parts").median),
            number(count(name))
        )
    };
    report.row(Row {
        scenario: "warm get with a ready header, one task",
        ours: format!("{}; {}", told("typed"), told("erased")),
        must: "0.9 × the parts, 0 allocations",
        reached: typed.median <= 0.9
            && erased.median <= 0.9
            && count("typed") == 0.0
            && count("erased") == 0.0,
        references: format!(
            "parts {} ns; {}; {}; {}",
            samples.spread("parts"),
            told("mutex"),
            told("rwlock"),
            told("moka_try_get_with")
        ),
    });
    Ok(())
}

/// How many turns fill a slice: measured in the first round, and then kept.
struct Slice {
    count: u32,
    is_known: bool,
}

impl Default for Slice {
    fn default() -> Self {
        Self { count: 1_000, is_known: false }
    }
}

impl Slice {
    fn end(&mut self, took: Duration) -> f64 {
        let each = took.as_secs_f64() / f64::from(self.count);
        if !self.is_known {
            self.is_known = true;
            // Clamped, in case the first round was an outlier.
            self.count = (SLICE.as_secs_f64() / each).clamp(1_000.0, 4e6) as u32;
        }
        each * 1e9
    }
}

/// Allocations per get; those of `block_on` itself are in both runs and cancel out.
fn allocations_of<G: Get>(runtime: &Runtime, get: &G) -> Outcome<f64> {
    let mut counts = Vec::new();
    for gets in [1_000_u32, 11_000] {
        let mut outcome = Ok(());
        let info = allocation_counter::measure(|| {
            outcome = runtime.block_on(async {
                for _ in 0..gets {
                    black_box(&get.get().await?);
                }
                Ok::<_, Failed>(())
            });
        });
        outcome?;
        counts.push(info.count_total as f64);
    }
    Ok(counts.iter().rev().copied().reduce(|more, less| more - less).unwrap_or(f64::NAN) / 10_000.0)
}
