//! Many processes with one source each: jitter spreads their probes and refreshes.

use super::*;
use crate::engine::jitter::drawn;
use std::hash::RandomState;

/// The source of a process that was forked after the source was made: it has its parent's hash keys
/// and script, and its own process id.
fn forked(
    keys: &RandomState,
    process: u32,
    clock: &ManualClock,
    provider: &Provider,
) -> CachedTokenSource<Acme> {
    let keys = keys.clone();
    let retry = RetryPolicy::never();
    let builder = provider.builder(clock, Acme { retry, ..Acme::default() });
    builder.draw(move || drawn(&keys, process)).build().unwrap()
}

/// How many steps of 10 ms it takes until `is_so` holds.
fn ticks(clock: &ManualClock, mut is_so: impl FnMut() -> bool) -> u32 {
    let mut ticks = 0;
    while !is_so() {
        clock.advance(MILLIS(10));
        ticks += 1;
        assert!(ticks < 30_000);
    }
    ticks
}

#[test]
fn forks_of_one_process_neither_probe_nor_refresh_in_step() {
    let keys = RandomState::new();
    let (mut probes, mut refreshes) = (Vec::new(), Vec::new());
    for process in 100..116 {
        let (clock, provider) = (ManualClock::default(), Provider::new([Answer::Connect]));
        let source = forked(&keys, process, &clock, &provider);
        assert!(matches!(poll_once(pin!(source.token())), Poll::Ready(Err(_))));
        provider.then([Answer::Token(300)]);
        probes.push(ticks(&clock, || poll_once(pin!(source.token())).is_ready_ok()));
        refreshes.push(ticks(&clock, || source.state() == TokenState::Stale));
    }
    for (what, mut ticks) in [("probes", probes), ("refreshes", refreshes)] {
        ticks.sort_unstable();
        let spread = ticks.last().unwrap() - ticks.first().unwrap();
        ticks.dedup();
        // 16 draws from a span of 250 ms for the probes, and of 15 s for the refreshes.
        assert!(ticks.len() >= 6 && spread >= 8, "{what}: {ticks:?}");
    }
}

#[test]
fn each_token_of_a_source_draws_its_own_refresh() {
    let (clock, provider) = (ManualClock::default(), Provider::new([Answer::Token(300)]));
    let source = provider.source(&clock);
    let mut refreshes = Vec::new();
    for _ in 0..16 {
        clock.advance(SECS(300)); // the previous token has expired
        assert!(poll_once(pin!(source.token())).is_ready_ok());
        refreshes.push(ticks(&clock, || source.state() == TokenState::Stale));
    }
    refreshes.sort_unstable();
    refreshes.dedup();
    assert!(refreshes.len() >= 10, "{refreshes:?}");
}

trait IsReadyOk {
    fn is_ready_ok(&self) -> bool;
}

impl<T, E> IsReadyOk for Poll<Result<T, E>> {
    fn is_ready_ok(&self) -> bool {
        matches!(self, Self::Ready(Ok(_)))
    }
}
