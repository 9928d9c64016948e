//! Nothing fails: one token a life, and no caller notices a refresh.

use std::time::Duration;

use crate::fleet::{Fleet, Plan, lives};
use crate::time::{ms, now};
use crate::verdict::Verdict;

/// Rows A1, A2 and A9.
pub(crate) fn run(plan: Plan, wanted: usize, name: &str) -> Result<Verdict, String> {
    let mut verdict = Verdict::new(plan.store, name);
    if plan.apart != 0 {
        verdict.note(format!(
            "the wall clocks of the sources are {} s ahead in half of the replicas and behind in the \
             others (a Clock of auth-core; the store's own clock is the machine's)",
            plan.apart
        ));
    }
    let began = now();
    let mut fleet = Fleet::start(plan)?;
    let limit = now() + Duration::from_secs(4) * u32::try_from(wanted).unwrap_or(1) * 2;
    while lives(&fleet.mints(began)).len() <= wanted && now() < limit {
        fleet.run(Duration::from_millis(100))?;
    }
    let figures = fleet.figures()?;
    let mints = lives(&fleet.mints(began));
    let whole = &mints[..wanted.min(mints.len())];
    verdict.at_least("lives", whole.len() as f64, wanted as f64);
    verdict.at_most("mints_per_life", whole.iter().sum::<usize>() as f64 / wanted as f64, 1.05);
    verdict.note(format!("mints of each life: {whole:?}"));
    verdict.none("expired_tokens_at_the_api", figures.refused);
    verdict.at_least("calls_of_the_api", figures.api_calls as f64, 1.0);
    verdict.none("errors", figures.errors());
    verdict.notes_of(&figures);
    let later = figures.later();
    verdict.told("calls", figures.calls as f64);
    verdict.no_call_over(Duration::from_millis(5), later.over[1], &fleet, "calls_after_the_first");
    verdict.told("slowest_call_after_the_first_ms", ms(later.net));
    verdict.told("slowest_call_after_the_first_gross_ms", ms(later.all));
    verdict.told("slowest_first_call_ms", ms(figures.first.all));
    verdict.finish(&mut fleet)
}
