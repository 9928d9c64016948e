//! `kill -9` of the process that holds the lease, again and again.

use std::collections::{HashMap, HashSet};
use std::time::{Duration, Instant};

use crate::fleet::{Fleet, Plan, Said, lives};
use crate::place::Kind;
use crate::time::{ms, now};
use crate::verdict::Verdict;

/// Rows A3 and A4.
pub(crate) fn run(plan: Plan, kills: usize) -> Result<Verdict, String> {
    let mut verdict = Verdict::new(plan.store, "kill_holder");
    // Besides the exchange.
    let bound = match plan.store {
        Kind::Redis => Duration::from_millis(5_300),
        _ => Duration::from_millis(100),
    };
    let began = now();
    let mut fleet = Fleet::start(plan)?;
    fleet.run(Duration::from_millis(1_000))?;
    let (mut slowest, mut slowest_first, mut done) = (Duration::ZERO, Duration::ZERO, 0);
    let mut late = 0;
    while done < kills {
        let limit = now() + Duration::from_secs(20);
        let holder = loop {
            let heard = fleet.next(limit)?.ok_or("nobody takes the lease within 20 s")?;
            if matches!(heard.said, Said::Leased) {
                break heard.replica;
            }
        };
        let Some(killed) = fleet.kill(holder) else { continue };
        let mut missing: HashSet<_> = fleet.numbers().into_iter().collect();
        let next = fleet.add()?;
        fleet.tell(next, "go");
        // With files a lock is free at once, so what counts is how long those wait that ask: whose
        // token is not due yet asks later. A lease of Redis's counts from the kill.
        let mut asks: HashMap<u64, Instant> = HashMap::new();
        let (mut exchange, mut is_first) = (Duration::ZERO, true);
        let limit = now() + Duration::from_secs(30);
        while !missing.is_empty() {
            let heard = fleet.next(limit)?.ok_or("no new token within 30 s of a kill")?;
            match heard.said {
                // Its answer came before the kill.
                Said::Granted(_) if heard.replica == holder => late += 1,
                Said::Granted(took) => exchange = exchange.max(took),
                Said::Claims if fleet.plan.store == Kind::File && heard.at > killed => {
                    asks.entry(heard.replica).or_insert(heard.at);
                }
                Said::Token(_) if heard.at > killed && missing.remove(&heard.replica) => {
                    let since = asks.get(&heard.replica).copied().unwrap_or(killed);
                    let took = heard.at.duration_since(since).saturating_sub(exchange);
                    if std::mem::take(&mut is_first) {
                        slowest_first = slowest_first.max(took);
                    }
                    slowest = slowest.max(took);
                }
                _ => {}
            }
        }
        done += 1;
    }
    let figures = fleet.figures()?;
    let held = lives(&fleet.first_held).len();
    let extra = fleet.mints(began).len().saturating_sub(held);
    let (p99, _) = fleet.lateness();
    verdict.at_least("kills", done as f64, kills as f64);
    verdict.told("kills_that_came_after_the_answer", f64::from(late));
    verdict.at_most("mints_beside_one_a_life", extra as f64, kills as f64);
    verdict.told("slowest_first_token_after_a_kill_besides_the_exchange_ms", ms(slowest_first));
    verdict.within(
        "slowest_token_of_all_after_a_kill_besides_the_exchange_net",
        slowest.saturating_sub(p99),
        bound,
    );
    verdict.told("slowest_token_of_all_after_a_kill_besides_the_exchange_ms", ms(slowest));
    verdict.told("slowest_call_ms", ms(figures.later().all));
    verdict.none("errors", figures.errors());
    verdict.none("expired_tokens_at_the_api", figures.refused);
    verdict.notes_of(&figures);
    verdict.finish(&mut fleet)
}
