//! A wrong secret in all replicas, or in one.

use std::time::Duration;

use crate::fleet::{Fleet, Plan};
use crate::time::ms;
use crate::verdict::Verdict;

/// Row A6.
pub(crate) fn all(mut plan: Plan, span: Duration) -> Result<Verdict, String> {
    let mut verdict = Verdict::new(plan.store, "secret_wrong");
    plan.wrong = usize::MAX;
    let mut fleet = Fleet::start(plan)?;
    let start = fleet.figures()?;
    // Half of the first pause of 30 s at most, so that nobody asks again.
    let quiet = (span / 2).min(Duration::from_secs(20));
    fleet.run(quiet)?;
    let known = fleet.figures()?;
    fleet.run(span.saturating_sub(quiet))?;
    let rest = fleet.figures()?;
    verdict.note(start.error.unwrap_or_default());
    let requests = fleet.provider.counters().token_requests;
    verdict.at_most("token_requests", requests as f64, 3.0);
    verdict.told("seconds", span.as_secs_f64());
    verdict.at_least("errors_that_callers_got", known.errors() as f64, 1.0);
    verdict.none("calls_over_50_ms_once_known", known.later().over[2]);
    verdict.told("slowest_call_once_known_ms", ms(known.later().net));
    verdict.told("slowest_call_when_it_is_asked_again_ms", ms(rest.later().net));
    verdict.none("tokens", fleet.tokens.len() as u64);
    verdict.finish(&mut fleet)
}

/// Row A7: the first replica has a wrong secret.
pub(crate) fn one(mut plan: Plan, span: Duration) -> Result<Verdict, String> {
    let mut verdict = Verdict::new(plan.store, "secret_wrong_1");
    plan.wrong = 1;
    let mut fleet = Fleet::start(plan)?;
    fleet.run(span)?;
    // The wrong one leaves its figures and goes.
    let errors = fleet.figures_of(0)?;
    fleet.kill(0);
    let others = fleet.figures()?;
    verdict.at_least("rejections", fleet.provider.counters().rejected as f64, 1.0);
    verdict.told("errors_of_the_wrong_one", errors.errors() as f64);
    verdict.none("errors_of_the_others", others.errors());
    verdict.none("expired_tokens_at_the_api", others.refused);
    verdict.notes_of(&others);
    verdict.told("slowest_call_of_the_others_after_the_first_ms", ms(others.later().net));
    verdict.finish(&mut fleet)
}
