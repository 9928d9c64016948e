//! The provider revokes its tokens: each replica gets a 401 at most, and one token is fetched.

use std::time::Duration;

use crate::fleet::{Fleet, Plan};
use crate::time::now;
use crate::verdict::Verdict;

/// How long after a token was granted it is revoked, and how long is watched: no refresh is due.
const BEFORE: Duration = Duration::from_millis(400);
const WATCHED: Duration = Duration::from_millis(1_600);

/// Row A8.
pub(crate) fn run(mut plan: Plan, times: u32) -> Result<Verdict, String> {
    let mut verdict = Verdict::new(plan.store, "revoke");
    plan.api_every = Duration::from_millis(150);
    let mut fleet = Fleet::start(plan)?;
    fleet.run(Duration::from_secs(1))?;
    fleet.figures()?;
    let (mut most_mints, mut most_refused, mut least_refused) = (0, 0, u64::MAX);
    let (mut reused, mut errors, mut done) = (0, 0, 0);
    while done < times {
        // The next token, when the throttle admits another refusal: its pause has doubled each time.
        let pause = Duration::from_secs(1 << done.saturating_sub(1).min(6));
        fleet.run(if done == 0 { Duration::ZERO } else { pause })?;
        let waits = now();
        while fleet.mints(waits).is_empty() {
            fleet.run(Duration::from_millis(20))?;
            if now().duration_since(waits) > Duration::from_secs(20) {
                return Err("no new token within 20 s".to_owned());
            }
        }
        fleet.run(BEFORE)?;
        let before = fleet.figures()?;
        (reused, errors) = (reused + before.reused, errors + before.errors());
        let revoked = now();
        fleet.provider.revoke_tokens();
        fleet.run(WATCHED)?;
        most_mints = most_mints.max(fleet.mints(revoked).len());
        let figures = fleet.figures()?;
        most_refused = most_refused.max(figures.refused);
        least_refused = least_refused.min(figures.refused);
        (reused, errors) = (reused + figures.reused, errors + figures.errors());
        verdict.notes_of(&figures);
        done += 1;
    }
    verdict.at_least("revocations", f64::from(done), f64::from(times));
    verdict.at_most("most_mints_of_a_revocation", most_mints as f64, 1.0);
    verdict.at_least("least_401s_of_a_revocation", least_refused as f64, 1.0);
    verdict.at_most("most_401s_of_a_revocation", most_refused as f64, fleet.plan.replicas as f64);
    verdict.none("tokens_handed_out_again_after_their_401", reused);
    verdict.none("errors", errors);
    verdict.finish(&mut fleet)
}
