//! What must be so whenever nobody wants a turn, and when all is over.

use std::sync::Arc;
use std::time::Duration;

use auth_core::{CachedTokenSource, TokenState};

use super::calls::Kind;
use super::truth::{Promise, Truth};
use super::world::World;

impl World {
    /// Looks at each call, each waker that should be gone, and the token that is owed.
    pub(super) fn check(&mut self) {
        let Some(peeked) = self.source.as_ref().map(CachedTokenSource::fresh) else { return };
        let state = self.source.as_ref().map(CachedTokenSource::state);
        let all_driven = self.all_driven();
        let mut truth = self.shared.lock();
        if let Some(token) = &peeked {
            let epoch = truth.epoch();
            truth.handed_out(token, epoch, "look");
        } else if let Some(owed) = truth.promise.filter(|owed| truth.is_before(owed.fresh_until)) {
            truth.fault(format_args!("a look finds nothing, and a fresh token is held: {owed:?}"));
        }
        let held = truth.promise.filter(|held| truth.is_before(held.until));
        if let Some(held) = held.filter(|_| state == Some(TokenState::Expired)) {
            truth.fault(format_args!("nothing good is held, and it should be: {held:?}"));
        }
        drop(truth);
        let numbers: Vec<_> = self.shared.lock().calls.keys().copied().collect();
        for number in numbers {
            let site = self.shared.lock().calls.get(&number).map(|call| call.site);
            if site.is_some_and(|site| self.drives(site)) {
                self.shared.lock().check_waiting(number, all_driven);
            }
        }
        self.shared.lock().check_relays();
    }

    /// At the end, with the source dropped and nobody waiting.
    pub(super) fn check_end(&self) {
        let mut truth = self.shared.lock();
        let calls: Vec<_> = truth.calls.keys().copied().collect();
        if !calls.is_empty() {
            truth.fault(format_args!("calls {calls:?} wait for ever"));
        }
        let (flights, in_air, timers) = (truth.flights.len(), truth.in_air, truth.timers.len());
        if (flights, in_air, timers) != (0, 0, 0) {
            truth.fault(format_args!(
                "the source is gone, and there are {flights} flights, {in_air} requests, {timers} timers"
            ));
        }
        let alive = Arc::strong_count(&self.alive);
        if alive != 1 {
            truth.fault(format_args!(
                "the source is gone, and its flow is held {} times",
                alive - 1
            ));
        }
        truth.check_relays();
        let left = truth.relays.len();
        if left > 0 {
            truth.fault(format_args!("the wakers of {left} calls are left"));
        }
    }
}

impl Truth {
    /// A call on a runtime that is driven, and that still waits although nobody wants a turn.
    fn check_waiting(&mut self, number: u64, all_driven: bool) {
        let Some(call) = self.calls.get(&number) else { return };
        let Some(start) = &call.start else {
            self.fault(format_args!("call {number} is never polled"));
            return;
        };
        let (kind, is_owed) = (call.kind, start.owed.is_some());
        let second = Duration::from_secs(1);
        let (since, limit) = match start.owed {
            // Drives a refresh, for a second.
            Some(owed) if self.is_held(owed) => (start.at, second),
            // Its token has gone meanwhile: from then on it waits as if there had been none.
            Some(_) => {
                let stood_still = self.stood_still.unwrap_or_default();
                (stood_still.max(start.at), self.limits.limit() + second)
            }
            None => (start.at, self.limits.limit()),
        };
        let age = self.now - since;
        if age >= limit {
            self.fault(format_args!(
                "call {number} ({kind:?}) waits for {age:?}, beyond {limit:?}"
            ));
        }
        let in_air = self.flights.values().any(|flight| flight.epoch == Some(self.epoch()));
        if all_driven && !in_air {
            self.fault(format_args!("call {number} ({kind:?}) waits, and no flight is in the air"));
        }
        // A timer that is over is looked at by whoever drives its flight.
        let due = self.timers.keys().next().map(|(due, _)| *due).filter(|due| *due <= self.now);
        if let Some(due) = due.filter(|_| all_driven && !is_owed) {
            self.fault(format_args!("call {number} waits, and nobody looks at a timer of {due:?}"));
        }
        if kind == Kind::Task && is_owed {
            self.reach("tasks that drive a refresh");
        }
    }

    /// Whether a token is the one that is held, and good.
    fn is_held(&self, owed: Promise) -> bool {
        self.is_before(owed.until) && self.promise.is_some_and(|held| held.token == owed.token)
    }

    /// What is over holds no waker: but a timer's of a flight that it drove, which goes on.
    fn check_relays(&mut self) {
        let mut kept = Vec::new();
        for (number, relay) in std::mem::take(&mut self.relays) {
            let held = relay.strong_count();
            let waker = relay.as_ptr().cast::<()>();
            let timers = self.timers.values().flatten();
            let by_timers = timers.filter(|held| held.data() == waker).count();
            if held > by_timers {
                self.fault(format_args!("call {number} is over, and its waker is held"));
            }
            if held > 0 {
                kept.push((number, relay));
            }
        }
        self.relays = kept;
    }
}
