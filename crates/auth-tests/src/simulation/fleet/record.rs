//! The checks at the record: what each successful write changed, and whether its writer was allowed
//! to.

use std::time::Duration;

use auth_store::Opened;

use super::truth::{Leased, Point, Truth};
use super::verbs::{Kind, Verb};

/// How much longer than its life a stored token may seem to have, after the clock stepped back.
const SLACK: Duration = Duration::from_secs(60);
const LONGEST_DROP: Duration = Duration::from_secs(60);
const FORGOTTEN: Duration = Duration::from_secs(300);

impl Truth {
    /// A record was replaced.
    pub(super) fn swapped(&mut self, process: usize, verb: &Verb, before: &Opened, after: &Opened) {
        let leased = verb.leased;
        let is_owner = leased.is_some_and(|leased| before.owner == Some(leased.owner));
        match verb.kind {
            Kind::Claim => self.claim_writes(process, verb, before, after),
            Kind::Renew => {
                if !is_owner || after.token != before.token || after.owner != before.owner {
                    self.fault(
                        "1 the record",
                        format_args!("process {process} renews a lease that it lost"),
                    );
                }
            }
            Kind::Settle => self.settle_writes(process, verb, before, after, leased),
            Kind::Release => {
                if !is_owner {
                    self.fault(
                        "1 the record",
                        format_args!("process {process} gives back a lease that it lost"),
                    );
                }
                if before.token.is_some() && after.token.is_none() {
                    self.cleared(process);
                }
            }
        }
        self.at(Point::Swapped, process);
    }

    fn claim_writes(&mut self, process: usize, verb: &Verb, before: &Opened, after: &Opened) {
        let now = verb.seen.as_ref().map_or_else(|| self.store_clock.now(), |seen| seen.now);
        let (live, have) = (self.live(before, now), verb.have);
        if after.token != before.token {
            let (old, has) = (self.token_of(before.token), self.token_of(have));
            self.note(format_args!("process {process} has {has:?}, drops token {old:?}"));
            if before.token != have || !verb.is_refused {
                self.fault("5 refused tokens", format_args!(
                    "process {process} has {has:?} and drops token {old:?}, which no API refused"
                ));
            }
            self.drops(process, now);
        } else if live.is_some() && live == have && verb.is_refused {
            self.fault(
                "5 refused tokens",
                format_args!(
                    "process {process} is to replace a refused token that stays in the record"
                ),
            );
        } else if verb.is_refused && live.is_none() {
            self.reach("refused tokens that were gone already");
        }
        let Some(owner) = after.owner else { return };
        if live.is_some() && live != have {
            self.fault("3 mints", format_args!("process {process} gets the lease beside a token"));
        }
        if before.owner.is_some_and(|before| before != owner) {
            let left = before.leased_until.checked_sub(now).unwrap_or_default();
            if left > Duration::ZERO && left <= before.span {
                if after.owner != before.owner {
                    self.fault(
                        "3 mints",
                        format_args!("process {process} takes the lease of another"),
                    );
                }
            } else {
                self.note(format_args!("process {process} takes over a lease"));
                self.reach("leases taken over");
            }
        }
        if after.owner != before.owner || after.leased_until != before.leased_until {
            let base = self.live(after, now);
            self.leases.insert((process, verb.flight), Leased { owner, base });
        }
    }

    fn settle_writes(
        &mut self,
        process: usize,
        verb: &Verb,
        before: &Opened,
        after: &Opened,
        leased: Option<Leased>,
    ) {
        let is_owner = leased.is_some_and(|leased| before.owner == Some(leased.owner));
        let Some(token) = after.token else {
            if before.token.is_some() || before.owner.is_some() {
                self.cleared(process);
                if !is_owner {
                    self.fault(
                        "1 the record",
                        format_args!("process {process} clears the record of others"),
                    );
                }
            }
            return;
        };
        if after.token == before.token {
            return;
        }
        let now = verb.seen.as_ref().map_or_else(|| self.store_clock.now(), |seen| seen.now);
        let live = self.live(before, now);
        let base = if verb.has_lease { leased.and_then(|leased| leased.base) } else { verb.have };
        let (old, new) = (self.token_of(live), verb.offered);
        self.note(format_args!("process {process} stores token {new:?} in place of {old:?}"));
        if live.is_some() && live != base && !(verb.has_lease && is_owner) {
            self.fault("1 lost update", format_args!(
                "process {process} writes token {new:?} over {old:?}, without the lease and without knowing it"
            ));
        }
        if verb.has_lease && !is_owner {
            self.reach("tokens stored after the lease was lost");
        }
        if !verb.has_lease {
            self.reach("tokens stored without a lease");
        }
        if let Some(number) = verb.offered {
            self.generations.insert(token, number);
            self.is_stored(number);
        }
    }

    /// A token was dropped because an API refused it: not too often.
    fn drops(&mut self, process: usize, now: Duration) {
        self.reach("refused tokens dropped");
        self.tokens.iter_mut().for_each(|token| token.is_replaced = true);
        let mut count = 1;
        if let Some((next, drops)) = self.dropped {
            let left = next.saturating_sub(now);
            if left > Duration::ZERO && left <= LONGEST_DROP {
                self.fault("5 refused tokens", format_args!(
                    "process {process} drops a token {left:?} before the fleet's throttle allows it"
                ));
            }
            if next <= now && next + FORGOTTEN >= now {
                count = drops + 1;
            }
        }
        let pause = Duration::from_secs(1 << (count - 1).min(6)).min(LONGEST_DROP);
        self.dropped = Some((now + pause, count));
    }

    fn cleared(&mut self, process: usize) {
        self.reach("records cleared after a call that failed");
        self.dropped = None;
        self.allow(1, &format!("process {process} cleared the record"));
    }

    fn live(&self, opened: &Opened, now: Duration) -> Option<auth_core::Generation> {
        let left = opened.ends.checked_sub(now).filter(|left| !left.is_zero())?;
        opened.token.filter(|_| left <= self.life + SLACK)
    }
}
