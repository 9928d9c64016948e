//! One exchange, and a new source's first token: the overhead of the engine over the HTTP library.
//!
//! Measured against an endpoint that answers at once, so that latency does not hide the overhead:
//!
//! - `raw`: POST, read, parse, make the header, on a shared client;
//! - `exchange`: the same by a source whose token was dropped before the timing started (its
//!   exchange was replaced by one of another account);
//! - `first`: a new source on a shared client, and its first token, both timed;
//! - `new_client`: the raw exchange with a new client, including its TLS set-up.
//!
//! Each is a task on a runtime of two workers, as in a server, and once more on one thread.

use std::time::Duration;

use tokio::runtime::Runtime;

use super::{micros, on_a_worker, one_thread, two_workers};
use crate::contender::{Get, Typed, client};
use crate::flow::Flow;
use crate::loopback::Loopback;
use crate::raw::Raw;
use crate::report::{Report, Row};
use crate::timing::{Samples, now, number, take_turns};
use crate::{Failed, Options, Outcome};

/// Exchanges of one contender in one round.
const EXCHANGES: u32 = 40;

pub(crate) fn run(options: &Options, report: &mut Report) -> Outcome<()> {
    let workers = compare(&two_workers()?, options)?;
    let thread = compare(&one_thread()?, options)?;
    for (scenario, samples) in [("exchange", &workers), ("exchange.one_thread", &thread)] {
        for name in ["raw", "exchange", "first", "new_client"] {
            report.relative(scenario, name, samples, "us", "raw");
        }
    }
    let (raw_allocations, allocations) = allocations()?;
    for (name, count) in [("raw", raw_allocations), ("exchange", allocations)] {
        let name = format!("exchange.{name}.allocations");
        report.number(name, count, "allocations/exchange");
    }
    let told = |name: &str| {
        format!(
            "{} × ({} us); on one thread {} ×",
            workers.ratio(name, "raw"),
            workers.spread(name),
            number(thread.ratio(name, "raw").median)
        )
    };
    let raw =
        format!("raw {} us; on one thread {} us", workers.spread("raw"), thread.spread("raw"),);
    report.row(Row {
        scenario: "exchange on a kept client",
        ours: format!("{}; {} allocations", told("exchange"), number(allocations)),
        must: "1.05 × raw",
        reached: workers.ratio("exchange", "raw").median <= 1.05,
        references: format!("{raw}; {} allocations", number(raw_allocations)),
    });
    report.row(Row {
        scenario: "new source and its first token, client shared",
        ours: told("first"),
        must: "1.3 × raw on a kept client",
        reached: workers.ratio("first", "raw").median <= 1.3,
        references: format!(
            "{raw}; raw on a new client {} ×",
            number(workers.ratio("new_client", "raw").median)
        ),
    });
    Ok(())
}

fn compare(runtime: &Runtime, options: &Options) -> Outcome<Samples> {
    let endpoint = Loopback::start()?;
    let url = endpoint.url();
    let raw = Raw::new(&url)?;
    let client = client()?;
    let kept = Typed::new(&url, &client)?.0;
    take_turns(
        options,
        60,
        vec![
            (
                "raw".to_owned(),
                Box::new(|| {
                    let raw = raw.clone();
                    on_a_worker(runtime, async move {
                        let began = now();
                        for _ in 0..EXCHANGES {
                            raw.exchange().await?;
                        }
                        Ok(micros(began.elapsed() / EXCHANGES))
                    })
                }),
            ),
            (
                "exchange".to_owned(),
                Box::new(|| {
                    let (source, flow) = (kept.clone(), Flow::new(&url)?);
                    on_a_worker(runtime, async move {
                        let mut took = Duration::ZERO;
                        for turn in 0..EXCHANGES {
                            let account = if turn % 2 == 0 { "b" } else { "a" };
                            source.replace_exchange(flow.clone().account(account))?;
                            let began = now();
                            source.token().await?;
                            took += began.elapsed();
                        }
                        Ok(micros(took / EXCHANGES))
                    })
                }),
            ),
            (
                "first".to_owned(),
                Box::new(|| {
                    let (url, client) = (url.clone(), client.clone());
                    on_a_worker(runtime, async move {
                        let began = now();
                        for _ in 0..EXCHANGES {
                            Typed::new(&url, &client)?.get().await?;
                        }
                        Ok(micros(began.elapsed() / EXCHANGES))
                    })
                }),
            ),
            (
                "new_client".to_owned(),
                Box::new(|| {
                    let url = url.clone();
                    on_a_worker(runtime, async move {
                        let began = now();
                        Raw::new(&url)?.exchange().await?;
                        Ok::<_, Failed>(micros(began.elapsed()))
                    })
                }),
            ),
        ],
    )
}

/// Allocations for one exchange, raw and ours, on the thread of the client.
fn allocations() -> Outcome<(f64, f64)> {
    const TIMES: u32 = 100;
    let runtime = one_thread()?;
    let endpoint = Loopback::start()?;
    let raw = Raw::new(&endpoint.url())?;
    let ours = Typed::new(&endpoint.url(), &client()?)?.0;
    let flow = Flow::new(&endpoint.url())?;
    // Both connections are open before counting begins.
    runtime.block_on(async {
        ours.token().await?;
        raw.exchange().await
    })?;
    let mut outcome = Ok(());
    let raw = allocation_counter::measure(|| {
        outcome = runtime.block_on(async {
            for _ in 0..TIMES {
                raw.exchange().await?;
            }
            Ok::<_, Failed>(())
        });
    });
    outcome?;
    let mut total = 0;
    for turn in 0..TIMES {
        let account = if turn % 2 == 0 { "b" } else { "a" };
        ours.replace_exchange(flow.clone().account(account))?;
        let mut outcome = Ok(());
        let info = allocation_counter::measure(|| {
            outcome = runtime.block_on(ours.token()).map(drop);
        });
        outcome?;
        total += info.count_total;
    }
    let each = |count: u64| count as f64 / f64::from(TIMES);
    Ok((each(raw.count_total), each(total)))
}
