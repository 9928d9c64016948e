//! A cancelled leader: the caller whose get began the exchange is dropped before its end.
//!
//! At 0 ms a first caller begins an exchange of 200 ms, at 50 ms ten others join, at 100 ms the
//! first is dropped. Measured: how long the others wait until the last of them is served (150 ms if
//! by the same exchange), and the number of requests.

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;

use super::{millis, on_a_worker, two_workers};
use crate::by_hand::{Locked, Moka};
use crate::contender::{Get, Typed, client};
use crate::loopback::Loopback;
use crate::raw::Raw;
use crate::report::{Report, Row};
use crate::timing::{Contender, now, take_turns};
use crate::{Options, Outcome};

const LATENCY: Duration = Duration::from_millis(200);
const JOIN: Duration = Duration::from_millis(50);
const LEAVE: Duration = Duration::from_millis(100);
const WAITERS: usize = 10;
/// 150 ms, plus the delay of millisecond timers and a socket.
const SERVED: f64 = 155.0;

pub(crate) fn run(options: &Options, report: &mut Report) -> Outcome<()> {
    let endpoint = Loopback::start()?.latency(LATENCY);
    let url = endpoint.url();
    let runtime = two_workers()?;
    let raw = Raw::new(&url)?;
    let client = client()?;
    let [mut ours, mut mutex, mut moka] = [0; 3];
    let contenders: Vec<Contender<'_>> = vec![
        (
            "typed".to_owned(),
            Box::new(|| {
                let get = Typed::new(&url, &client)?;
                endpoint.take_requests();
                let served = on_a_worker(&runtime, lose_the_leader(get))?;
                ours = ours.max(endpoint.take_requests());
                Ok(served)
            }),
        ),
        (
            "mutex".to_owned(),
            Box::new(|| {
                endpoint.take_requests();
                let served = on_a_worker(&runtime, lose_the_leader(Locked::new(&raw)))?;
                mutex = mutex.max(endpoint.take_requests());
                Ok(served)
            }),
        ),
        (
            "moka".to_owned(),
            Box::new(|| {
                endpoint.take_requests();
                let served = on_a_worker(&runtime, lose_the_leader(Moka::new(&raw)))?;
                moka = moka.max(endpoint.take_requests());
                Ok(served)
            }),
        ),
    ];
    let samples = take_turns(options, 6, contenders)?;
    for (name, requests) in [("typed", ours), ("mutex", mutex), ("moka", moka)] {
        report.spread(format!("leader.{name}"), samples.spread(name), "ms");
        report.number(format!("leader.{name}.requests"), requests as f64, "requests");
    }
    let served = samples.spread("typed");
    report.row(Row {
        scenario: "leader dropped at 100 ms of a 200 ms exchange, ten waiters",
        ours: format!("all served after {served} ms, {ours} request"),
        must: "150 ms (to 155), 1 request",
        reached: served.median <= SERVED && ours == 1,
        references: format!(
            "mutex {} ms, {mutex} requests; moka {} ms, {moka} requests",
            samples.spread("mutex"),
            samples.spread("moka")
        ),
    });
    Ok(())
}

/// How long the others waited until the last was served, in ms.
async fn lose_the_leader<G: Get>(get: G) -> Outcome<f64> {
    let get = Arc::new(get);
    let began = now();
    let leader = tokio::spawn({
        let get = Arc::clone(&get);
        async move { get.get().await.map(drop) }
    });
    tokio::time::sleep_until((began + JOIN).into()).await;
    let joined = now();
    let mut waiters = JoinSet::new();
    for _ in 0..WAITERS {
        let get = Arc::clone(&get);
        waiters.spawn(async move { get.get().await.map(|_| now()) });
    }
    tokio::time::sleep_until((began + LEAVE).into()).await;
    leader.abort();
    let mut last = joined;
    while let Some(served) = waiters.join_next().await {
        last = last.max(served??);
    }
    Ok(millis(last.duration_since(joined)))
}
