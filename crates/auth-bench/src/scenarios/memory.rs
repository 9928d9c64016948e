//! 100,000 sources in one process, each with a token: the memory of an idle source.
//!
//! Measured: the bytes allocated and not freed, on one thread that does nothing else, with an HTTP
//! client in memory (sockets are not counted). The token's own 1,024 bytes are subtracted once;
//! another copy would count as overhead, and so do the flow's endpoint and secret. Timers are the
//! sleeps that the engine requests from its clock.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use auth_core::{BoxFuture, CachedTokenSource, Clock, Error, HttpClient, SystemClock, async_trait};
use bytes::Bytes;

use super::{failed, one_thread};
use crate::flow::Flow;
use crate::loopback::{TOKEN_LENGTH, token};
use crate::report::{Report, Row};
use crate::timing::number;
use crate::{Failed, Options, Outcome};

const SOURCES: u32 = 100_000;

pub(crate) fn run(_: &Options, report: &mut Report) -> Outcome<()> {
    let runtime = one_thread()?;
    let (client, clock) = (InMemory::default(), Counting::default());
    let mut sources = Vec::with_capacity(SOURCES as usize);
    // One uncounted source, for allocations that the process makes once.
    runtime.block_on(first_token(&client, &clock))?;
    let mut outcome = Ok(());
    let info = allocation_counter::measure(|| {
        outcome = runtime.block_on(async {
            for _ in 0..SOURCES {
                sources.push(first_token(&client, &clock).await?);
            }
            // Lets the tasks of the last flights end.
            tokio::time::sleep(Duration::from_millis(50)).await;
            Ok::<_, Failed>(())
        });
    });
    outcome?;
    let each = info.bytes_current as f64 / f64::from(SOURCES);
    let beyond = each - TOKEN_LENGTH as f64;
    let pieces = info.count_current as f64 / f64::from(SOURCES);
    let tasks = runtime.metrics().num_alive_tasks();
    let timers = clock.under_way.load(Ordering::Relaxed);
    if sources.len() != SOURCES as usize || sources.iter().any(|source| source.fresh().is_none()) {
        return Err(failed("not every source has a token"));
    }
    report.number("memory.beyond_the_token", beyond, "bytes");
    report.number("memory.allocations_held", pieces, "allocations");
    report.number("memory.tasks_alive", tasks as f64, "tasks");
    report.number("memory.timers", timers as f64, "timers");
    report.row(Row {
        scenario: "100,000 sources, each with a token",
        ours: format!(
            "{} bytes each beyond the token's {TOKEN_LENGTH} in {} pieces, {tasks} tasks, {timers} timers",
            number(beyond.round()),
            number(pieces)
        ),
        must: "2,048 bytes each, no task, no timer",
        reached: beyond <= 2_048.0 && tasks == 0 && timers == 0,
        references: "-".to_owned(),
    });
    Ok(())
}

async fn first_token(client: &InMemory, clock: &Counting) -> Outcome<CachedTokenSource<Flow>> {
    let source = CachedTokenSource::builder(Flow::new("https://pay.example.com/token")?)
        .http_client(client.clone())
        .clock(clock.clone())
        .build()?;
    source.token().await?;
    Ok(source)
}

/// Grants a different token to each request.
#[derive(Clone, Debug, Default)]
struct InMemory(Arc<AtomicU64>);

#[async_trait]
impl HttpClient for InMemory {
    async fn send(&self, _: http::Request<Bytes>) -> Result<http::Response<Bytes>, Error> {
        let serial = self.0.fetch_add(1, Ordering::Relaxed);
        let token = token(serial, Duration::from_secs(3_600));
        let body = format!(r#"{{"token":"{token}","expires_in_ms":3600000}}"#);
        Ok(http::Response::new(body.into()))
    }
}

/// The machine's clock, with a count of pending sleeps.
#[derive(Clone, Debug, Default)]
struct Counting {
    under_way: Arc<AtomicI64>,
}

struct UnderWay(Arc<AtomicI64>);

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Clock for Counting {
    fn monotonic(&self) -> Duration {
        SystemClock.monotonic()
    }

    fn wall(&self) -> SystemTime {
        SystemClock.wall()
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        self.under_way.fetch_add(1, Ordering::Relaxed);
        let under_way = UnderWay(Arc::clone(&self.under_way));
        let sleep = SystemClock.sleep(duration);
        Box::pin(async move {
            let _under_way = under_way;
            sleep.await;
        })
    }
}
