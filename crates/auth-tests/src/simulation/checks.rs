//! The invariants that hold whenever nothing is left to run, and at the end.

use std::sync::Arc;
use std::time::Duration;

use auth_core::{CachedTokenSource, TokenState};

use super::calls::Kind;
use super::truth::{Promise, Truth};
use super::world::World;

impl World {
    /// Checks each call, the wakers of calls that are over, and the token that the source holds.
    pub(super) fn check(&mut self) {
        let Some(peeked) = self.source.as_ref().map(CachedTokenSource::fresh) else { return };
        let state = self.source.as_ref().map(CachedTokenSource::state);
        let all_driven = self.all_driven();
        let mut truth = self.shared.lock();
        if let Some(token) = &peeked {
            let epoch = truth.epoch();
            truth.handed_out(token, epoch, "look");
        } else if let Some(owed) = truth.promise.filter(|owed| truth.is_before(owed.fresh_until)) {
            truth.fault(format_args!("`fresh()` is `None` despite a fresh token: {owed:?}"));
        }
        let held = truth.promise.filter(|held| truth.is_before(held.until));
        if let Some(held) = held.filter(|_| state == Some(TokenState::Expired)) {
            truth.fault(format_args!("the source holds no usable token, but should: {held:?}"));
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

    /// Checks the end: the source is dropped and no call is pending.
    pub(super) fn check_end(&self) {
        let mut truth = self.shared.lock();
        let calls: Vec<_> = truth.calls.keys().copied().collect();
        if !calls.is_empty() {
            truth.fault(format_args!("calls {calls:?} wait for ever"));
        }
        let (flights, in_air, timers) = (truth.flights.len(), truth.in_air, truth.timers.len());
        if (flights, in_air, timers) != (0, 0, 0) {
            truth.fault(format_args!(
                "the source is dropped, but there are {flights} flights, {in_air} requests, {timers} timers"
            ));
        }
        let alive = Arc::strong_count(&self.alive);
        if alive != 1 {
            truth.fault(format_args!(
                "the source is dropped, but its flow is held {} times",
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
    /// Checks a call that is still pending although its runtime is driven and nothing is left to
    /// run.
    fn check_waiting(&mut self, number: u64, all_driven: bool) {
        let Some(call) = self.calls.get(&number) else { return };
        let Some(start) = &call.start else {
            self.fault(format_args!("call {number} is never polled"));
            return;
        };
        let (kind, is_owed) = (call.kind, start.owed.is_some());
        let second = Duration::from_secs(1);
        let (since, limit) = match start.owed {
            // It has a stale token and drives the refresh, for at most a second.
            Some(owed) if self.is_held(owed) => (start.at, second),
            // Its token expired or was dropped: from then on it waits like a call without a token.
            Some(_) => {
                let last_stall = self.last_stall.unwrap_or_default();
                (last_stall.max(start.at), self.limits.limit() + second)
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
            self.fault(format_args!("call {number} ({kind:?}) waits without a flight"));
        }
        // The driver of a flight must have polled each of its timers that is due.
        let due = self.timers.keys().next().map(|(due, _)| *due).filter(|due| *due <= self.now);
        if let Some(due) = due.filter(|_| all_driven && !is_owed) {
            self.fault(format_args!("call {number} waits, but nothing polls a timer of {due:?}"));
        }
        if kind == Kind::Task && is_owed {
            self.reach("tasks that drive a refresh");
        }
    }

    /// Whether a token is the one that the source holds, and usable.
    fn is_held(&self, owed: Promise) -> bool {
        self.is_before(owed.until) && self.promise.is_some_and(|held| held.token == owed.token)
    }

    /// Checks that no waker of a finished call is held, except by a timer of a flight that it
    /// drove: that flight may continue.
    fn check_relays(&mut self) {
        let mut kept = Vec::new();
        for (number, relay) in std::mem::take(&mut self.relays) {
            let held = relay.strong_count();
            let waker = relay.as_ptr().cast::<()>();
            let timers = self.timers.values().flatten();
            let by_timers = timers.filter(|held| held.data() == waker).count();
            if held > by_timers {
                self.fault(format_args!("call {number} is over, but its waker is held"));
            }
            if held > 0 {
                kept.push((number, relay));
            }
        }
        self.relays = kept;
    }
}
