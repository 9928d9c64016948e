//! The state of each flight as seen from outside: the bounds of its take-off, the outcome of its
//! last request, and what that allows for the next one.

use std::time::Duration;

use super::truth::{Moment, Promise, Truth};

/// A flight that is not over, as seen through its tracing span.
pub(super) struct Flight {
    /// Set by its first request.
    pub(super) epoch: Option<usize>,
    /// The bounds of its take-off.
    earliest: Duration,
    latest: Duration,
    /// Whether callers drive it, and not a task.
    pub(super) by_call: bool,
    attempts: u32,
    /// The most attempts that it may make.
    allowed: u32,
    stage: Stage,
    /// When the next attempt may be sent, if at all.
    again: Option<Duration>,
}

/// The stage of a flight.
pub(super) enum Stage {
    /// Polled, and nothing sent yet.
    Begun,
    /// A request is in flight.
    Aloft,
    /// The engine's limit for the attempt has passed.
    TimedOut,
    /// The last request failed; the next one may be sent at `again`, if at all.
    Failed { quiet: Quiet, again: Option<Duration> },
    /// The last request was granted a valid token.
    Granted(Promise),
    /// The last request was granted a token that may have expired already.
    Unclear,
    /// It waits between two attempts.
    Pausing,
    /// The request was dropped before its answer.
    Gone,
}

/// A time in which no request may be sent.
#[derive(Clone, Copy, Debug)]
pub(super) struct Quiet {
    pub(super) until: Duration,
    pub(super) why: &'static str,
}

/// How long after its pause a failure is certainly still known.
const REMEMBERED: Duration = Duration::from_secs(5 * 60);

impl Truth {
    /// The flight that is being polled.
    fn current(&mut self) -> Option<&mut Flight> {
        let span = self.entered.last()?;
        self.flights.get_mut(span)
    }

    /// A flight is polled for the first time.
    pub(super) fn flight_begins(&mut self) -> u64 {
        self.flight_count += 1;
        self.activity += 1;
        let by_call = self.polling.is_some();
        let spawned_at = self.unpolled_since.filter(|_| !by_call);
        let flight = Flight {
            epoch: None,
            earliest: spawned_at.unwrap_or(self.now),
            latest: self.now,
            by_call,
            attempts: 0,
            allowed: self.limits.attempts,
            stage: Stage::Begun,
            again: None,
        };
        self.flights.insert(self.flight_count, flight);
        let how = if by_call { "driven by its callers" } else { "in a task" };
        let number = self.flight_count;
        self.note(format_args!("flight {number} begins, {how}"));
        number
    }

    /// A request is sent. Returns its number.
    pub(super) fn request_begins(&mut self, epoch: usize) -> u64 {
        self.requests += 1;
        self.in_air += 1;
        self.activity += 1;
        let (now, number) = (self.now, self.requests);
        let Some(span) = self.entered.last().copied() else {
            self.fault(format_args!("request {number} goes out in no flight"));
            return number;
        };
        self.note(format_args!("request {number} of flight {span}, credentials {epoch}"));
        if epoch != self.epoch() {
            self.fault(format_args!("request {number} goes out with replaced credentials"));
        }
        let is_first = self.flights.get(&span).is_some_and(|flight| flight.epoch.is_none());
        if is_first {
            self.first_request(span, epoch, number);
        }
        let Some(flight) = self.flights.get_mut(&span) else { return number };
        flight.epoch = Some(epoch);
        flight.attempts += 1;
        flight.stage = Stage::Aloft;
        let (attempts, allowed, again) = (flight.attempts, flight.allowed, flight.again);
        if attempts > allowed {
            self.fault(format_args!("attempt {attempts} of flight {span}, which has {allowed}"));
        }
        if !is_first {
            self.reach("attempts after the first");
            if again.is_none_or(|again| now < again) {
                self.fault(format_args!("request {number} goes out again before {again:?}"));
            }
        }
        number
    }

    /// A flight sends its first request: no other flight may count, and no pause may be active.
    fn first_request(&mut self, span: u64, epoch: usize, number: u64) {
        let (now, limit) = (self.now, self.limits.limit());
        let of_epoch = |flight: &Flight| flight.epoch == Some(epoch);
        let live = |flight: &Flight| of_epoch(flight) && now < flight.earliest + limit;
        let others = || self.flights.iter().filter(|(other, _)| **other != span);
        let other = others().find(|(_, flight)| live(flight)).map(|(other, _)| *other);
        let outlived = others().any(|(_, flight)| of_epoch(flight));
        if let Some(other) = other {
            self.fault(format_args!("flight {span} takes off while flight {other} counts"));
        }
        if outlived {
            self.reach("flights beside one past its limit");
        }
        let known = self.epochs.get(epoch).and_then(|epoch| epoch.known);
        let quiet = self.epochs.get(epoch).and_then(|epoch| epoch.quiet);
        if let Some(Quiet { until, why }) = quiet.filter(|quiet| now < quiet.until) {
            self.fault(format_args!("request {number} goes out before {until:?}: {why}"));
        }
        if known.is_some_and(|until| now <= until + REMEMBERED) {
            self.reach("probes");
            if let Some(flight) = self.flights.get_mut(&span) {
                flight.allowed = 1;
            }
        }
    }

    /// A request is answered, or has failed.
    pub(super) fn request_ends(&mut self, span: u64, stage: Stage) {
        self.in_air -= 1;
        self.activity += 1;
        let Some(flight) = self.flights.get_mut(&span) else { return };
        if let Stage::Failed { again, .. } = &stage {
            flight.again = *again;
        }
        flight.stage = stage;
    }

    /// The last answer repeated the token that the source held: such an attempt does not count.
    pub(super) fn attempt_repeats(&mut self, span: u64) {
        if let Some(flight) = self.flights.get_mut(&span) {
            flight.attempts -= 1;
        }
    }

    /// A request is dropped before its answer: it timed out, or its flight is over.
    pub(super) fn request_dropped(&mut self, span: u64) {
        let timed_out =
            self.flights.get(&span).is_some_and(|flight| matches!(flight.stage, Stage::TimedOut));
        let stage = if timed_out {
            let quiet = self.quiet(Duration::from_millis(500), "an attempt timed out");
            self.reach("attempts timed out");
            Stage::Failed { quiet, again: Some(self.now) }
        } else {
            self.reach("requests dropped on their way");
            Stage::Gone
        };
        self.request_ends(span, stage);
    }

    pub(super) fn quiet(&self, span: Duration, why: &'static str) -> Quiet {
        Quiet { until: self.now + span, why }
    }

    /// The engine sets a timer: after a failure, for the pause before the next attempt.
    pub(super) fn engine_sleeps(&mut self) {
        if let Some(flight) = self.current()
            && matches!(flight.stage, Stage::Failed { .. })
        {
            flight.stage = Stage::Pausing;
        }
    }

    /// A timer of the engine fired: with a request in flight, it is that attempt's timeout.
    pub(super) fn engine_timer_fired(&mut self) {
        if let Some(flight) = self.current()
            && matches!(flight.stage, Stage::Aloft)
        {
            flight.stage = Stage::TimedOut;
        }
    }

    /// A flight is over: it landed the outcome of its last request, or was dropped.
    pub(super) fn flight_ends(&mut self, span: u64) {
        self.activity += 1;
        let Some(flight) = self.flights.remove(&span) else { return };
        let is_current = flight.epoch == Some(self.epoch());
        let is_live = is_current && self.now < flight.earliest + self.limits.limit();
        let how = match &flight.stage {
            Stage::Failed { .. } => "with a failure",
            Stage::Granted(_) | Stage::Unclear => "with a token",
            Stage::Begun | Stage::Aloft | Stage::TimedOut | Stage::Pausing | Stage::Gone => "lost",
        };
        self.note(format_args!("flight {span} ends {how}"));
        self.reach(match (how, is_live) {
            ("lost", _) => "flights lost",
            (_, true) => "flights landed",
            (_, false) => "flights landed too late to count",
        });
        if let (Stage::Failed { .. }, Some(epoch)) = (&flight.stage, self.epochs.last_mut()) {
            let in_time = self.now <= flight.latest + self.limits.limit();
            epoch.may_fail |= is_current && in_time;
        }
        let granted = match flight.stage {
            Stage::Granted(promise) => Some(promise),
            Stage::Unclear => None,
            Stage::Failed { quiet, .. } if is_live => {
                if let Some(epoch) = self.epochs.last_mut() {
                    (epoch.quiet, epoch.known) = (Some(quiet), Some(quiet.until));
                }
                return;
            }
            _ => return,
        };
        if !is_current {
            return;
        }
        if let Some(epoch) = self.epochs.last_mut() {
            (epoch.quiet, epoch.known) = (None, None);
            epoch.may_fail &= !is_live;
        }
        self.promise = match (granted, self.promise) {
            (granted, _) if is_live => granted,
            // Certainly too late: stored only if it expires later than the token that is held.
            (_, Some(held)) if self.now > flight.latest + self.limits.limit() => {
                self.reach("tokens too late beside a good one");
                let fresh_until = Moment { monotonic: Duration::ZERO, ..held.fresh_until };
                Some(Promise { token: None, fresh_until, ..held })
            }
            _ => None,
        };
    }
}
