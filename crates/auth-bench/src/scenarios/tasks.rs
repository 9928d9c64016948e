//! Warm gets by many tasks on two workers: contention between readers.
//!
//! Measured: gets per second over a fixed time. Each task yields after 64 gets, like a task with
//! other work, so no contender exhausts tokio's cooperative budget. For every contender all workers
//! write the reference count of the one header.

use std::hint::black_box;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::runtime::Runtime;
use tokio::task::JoinSet;

use super::{two_workers, warmed};
use crate::by_hand::{Locked, Moka, MokaGet, Refreshed, Shared};
use crate::contender::{Erased, Get, Typed, client};
use crate::loopback::Loopback;
use crate::raw::Raw;
use crate::report::{Report, Row};
use crate::timing::{Contender, now, number, take_turns};
use crate::{Failed, Options, Outcome};

const COUNTS: [usize; 4] = [1, 2, 8, 64];
const SLICE: Duration = Duration::from_millis(60);
/// Two figures count as equal if they are this close.
const NOISE: f64 = 0.95;

pub(crate) fn run(options: &Options, report: &mut Report) -> Outcome<()> {
    let endpoint = Loopback::start()?;
    let runtime = two_workers()?;
    let raw = Raw::new(&endpoint.url())?;
    let typed = Arc::new(warmed(&runtime, Typed::new(&endpoint.url(), &client()?)?)?);
    let erased = Arc::new(Erased(typed.0.clone().into()));
    let locked = Arc::new(warmed(&runtime, Locked::new(&raw))?);
    let shared = Arc::new(warmed(&runtime, Shared::new(&raw))?);
    let moka = warmed(&runtime, Moka::new(&raw))?;
    let moka_get = Arc::new(MokaGet(moka.clone()));
    let moka = Arc::new(moka);
    let refreshed = Arc::new(runtime.block_on(Refreshed::start(&raw))?);

    let mut contenders: Vec<Contender<'_>> = Vec::new();
    for tasks in COUNTS {
        contenders.extend([
            rate("typed", tasks, &runtime, &typed),
            rate("erased", tasks, &runtime, &erased),
            rate("mutex", tasks, &runtime, &locked),
            rate("rwlock", tasks, &runtime, &shared),
            rate("moka_try_get_with", tasks, &runtime, &moka),
            rate("moka_get", tasks, &runtime, &moka_get),
            rate("arc_swap", tasks, &runtime, &refreshed),
        ]);
    }
    let names: Vec<_> = contenders.iter().map(|(name, _)| name.clone()).collect();
    let samples = take_turns(options, 15, contenders)?;
    for name in &names {
        report.spread(format!("tasks.{name}"), samples.spread(name), "gets/s");
    }

    let mut of_moka = Vec::new();
    for tasks in COUNTS {
        let moka = format!("moka_try_get_with@{tasks}");
        for name in ["typed", "erased"] {
            let ratio = samples.ratio(&format!("{name}@{tasks}"), &moka);
            report.spread(format!("tasks.{name}@{tasks}.of_moka"), ratio, "ratio");
            of_moka.push((name, ratio.median));
        }
    }
    let least = of_moka.iter().fold(f64::INFINITY, |least, (_, ratio)| least.min(*ratio));
    let told_of = |wanted: &str| {
        let told: Vec<_> = of_moka
            .iter()
            .filter(|(name, _)| *name == wanted)
            .map(|(_, ratio)| number(*ratio))
            .collect();
        told.join(" / ")
    };
    let scaling = samples.ratio("typed@64", "typed@2");
    report.spread("tasks.typed.64_of_2", scaling, "ratio");
    let reference = |name: &str| {
        let rates = COUNTS.map(|tasks| {
            let rate = samples.spread(&format!("{name}@{tasks}")).median;
            number(rate / 1e6)
        });
        format!("{name} {} M/s", rates.join(" / "))
    };
    report.row(Row {
        scenario: "warm, 1 / 2 / 8 / 64 tasks on 2 workers",
        ours: format!(
            "{} = {} × moka; {} = {} × moka; 64 relative to 2: {scaling}",
            reference("typed"),
            told_of("typed"),
            reference("erased"),
            told_of("erased"),
        ),
        must: "3 × moka's try_get_with; 64 as fast as 2 (within 5 %)",
        reached: least >= 3.0 && scaling.median >= NOISE,
        references: ["moka_try_get_with", "moka_get", "mutex", "rwlock", "arc_swap"]
            .map(reference)
            .join("; "),
    });
    Ok(())
}

/// One round of this many tasks, in gets per second.
fn rate<'a, G: Get>(
    name: &str,
    tasks: usize,
    runtime: &'a Runtime,
    get: &'a Arc<G>,
) -> Contender<'a> {
    let round = move || {
        runtime.block_on(async {
            let stop = Arc::new(AtomicBool::new(false));
            let began = now();
            let mut readers = JoinSet::new();
            for _ in 0..tasks {
                readers.spawn(read_until(Arc::clone(get), Arc::clone(&stop)));
            }
            tokio::time::sleep(SLICE).await;
            stop.store(true, Ordering::Relaxed);
            let mut gets = 0;
            while let Some(count) = readers.join_next().await {
                gets += count??;
            }
            Ok(gets as f64 / began.elapsed().as_secs_f64())
        })
    };
    (format!("{name}@{tasks}"), Box::new(round))
}

async fn read_until<G: Get>(get: Arc<G>, stop: Arc<AtomicBool>) -> Result<u64, Failed> {
    let mut count = 0;
    while !stop.load(Ordering::Relaxed) {
        for _ in 0..64 {
            black_box(&get.get().await?);
        }
        count += 64;
        tokio::task::yield_now().await;
    }
    Ok(count)
}
