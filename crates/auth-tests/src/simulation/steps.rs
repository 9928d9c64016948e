//! The steps of a run, drawn one by one.

use std::sync::Arc;
use std::time::Duration;

use super::answers::Mood;
use super::calls::numbers;
use super::flow::Flow;
use super::truth::Truth;
use super::world::{Lane, Mode, World};

const MILLIS: fn(u64) -> Duration = Duration::from_millis;

impl World {
    /// One step, and everything that follows from it at the same time.
    pub(super) fn step(&mut self) {
        let lane = self.rng.usize(0..self.lanes.len());
        match self.rng.u8(0..100) {
            0..16 => self.ask(lane),
            16..22 => (0..self.rng.u8(2..6)).for_each(|_| self.ask(lane)),
            22..28 => self.leave(lane),
            28..36 => self.change_mood(),
            36..40 => self.invalidate(),
            40..44 => self.replace(),
            44..50 => self.freeze(lane),
            50..52 => self.freeze_a_caller(),
            52..54 => self.lose(lane),
            54..57 => self.stop(),
            57..59 => self.set_wall(),
            59..63 => {
                let _ = self.one_turn() && self.one_turn();
            }
            63..70 => self.pass_to_the_refresh(),
            _ => {
                let span = self.span();
                self.pass(span);
            }
        }
        if self.rng.bool() {
            self.settle();
            self.check();
        }
    }

    /// A random span, from the shortest that matters to the longest.
    fn span(&mut self) -> Duration {
        MILLIS(match self.rng.u8(0..10) {
            0..2 => self.rng.u64(1..20),
            2..5 => self.rng.u64(20..1_500),
            5..8 => self.rng.u64(1_500..12_000),
            8 => self.rng.u64(12_000..70_000),
            _ => self.rng.u64(70_000..400_000),
        })
    }

    fn ask(&mut self, lane: usize) {
        let patience = match self.rng.u8(0..8) {
            0 => Some(Duration::ZERO),
            1 => Some(MILLIS(self.rng.u64(1..100))),
            2 => Some(MILLIS(self.rng.u64(100..20_000))),
            _ => None,
        };
        match self.rng.u8(0..6) {
            0..3 => self.ask_in_task(lane, patience),
            3 => self.ask_without_tokio(patience),
            _ => self.ask_as_root(lane, patience),
        }
    }

    /// A caller drops its call.
    fn leave(&mut self, lane: usize) {
        let Some(lane) = self.lanes.get_mut(lane) else { return };
        match self.rng.u8(0..3) {
            0 if !lane.roots.is_empty() => {
                let root = self.rng.usize(0..lane.roots.len());
                drop(lane.roots.swap_remove(root));
            }
            1 if !self.foreign.is_empty() => {
                let caller = self.rng.usize(0..self.foreign.len());
                drop(self.foreign.swap_remove(caller));
            }
            _ if !lane.tasks.is_empty() => {
                let task = self.rng.usize(0..lane.tasks.len());
                lane.tasks.swap_remove(task).abort();
            }
            _ => {}
        }
    }

    fn change_mood(&mut self) {
        let mut truth = self.shared.lock();
        truth.mood = Mood::draw(&mut self.rng);
        let mood = truth.mood;
        truth.note(format_args!("the provider is {mood:?}"));
    }

    /// The API refuses a token, usually the one that the source holds.
    fn invalidate(&mut self) {
        let Some(source) = &self.source else { return };
        let Some(token) = source.fresh() else { return };
        let token = match self.refused.take() {
            Some(old) if self.rng.bool() => old,
            _ => token,
        };
        source.invalidate(&token);
        let mut truth = self.shared.lock();
        if let Some((_, number)) = numbers(&token) {
            truth.note(format_args!("token {number} is refused"));
            truth.invalidated(number);
        }
        truth.activity += 1;
        drop(truth);
        self.refused = Some(token);
    }

    fn replace(&mut self) {
        let mut truth = self.shared.lock();
        let account = if self.rng.u8(0..3) == 0 { 1 - truth.account() } else { truth.account() };
        truth.replaced(account);
        let epoch = truth.epoch();
        truth.note(format_args!("replaced by credentials {epoch} of account {account}"));
        drop(truth);
        let flow = Flow { epoch, account, _alive: Arc::clone(&self.alive) };
        let Some(source) = &self.source else { return };
        if let Err(error) = source.replace_exchange(flow) {
            self.shared.lock().fault(format_args!("replace fails: {error}"));
        }
    }

    /// A runtime is frozen, only used now and then, or driven again.
    fn freeze(&mut self, lane: usize) {
        let span = self.span();
        let Some(lane) = self.lanes.get_mut(lane) else { return };
        let mut truth = self.shared.lock();
        lane.mode = match self.rng.u8(0..4) {
            0 => Mode::Driven,
            1 => Mode::NowAndThen,
            _ => Mode::Frozen(truth.now + span),
        };
        truth.mark_stall();
        truth.note(format_args!("runtime {} is {:?}", lane.number, lane.mode));
    }

    fn freeze_a_caller(&mut self) {
        let span = self.span();
        if self.foreign.is_empty() {
            return;
        }
        let caller = self.rng.usize(0..self.foreign.len());
        let mut truth = self.shared.lock();
        if let Some(foreign) = self.foreign.get_mut(caller) {
            foreign.mode = Mode::Frozen(truth.now + span);
            truth.mark_stall();
            truth.note(format_args!("call {} is frozen", foreign.call.number()));
        }
    }

    /// A runtime is shut down with its tasks, and replaced by a new one.
    fn lose(&mut self, lane: usize) {
        self.lane_count += 1;
        let Some(new) = Lane::new(self.lane_count) else { return };
        if let Some(lane) = self.lanes.get_mut(lane) {
            let number = lane.number;
            self.shared.lock().note(format_args!("runtime {number} is shut down"));
            drop(std::mem::replace(lane, new));
            let mut truth = self.shared.lock();
            truth.mark_stall();
            truth.activity += 1;
        }
    }

    /// The whole process is suspended for a while.
    fn stop(&mut self) {
        let span = self.span();
        {
            let mut truth = self.shared.lock();
            truth.note(format_args!("the process is suspended for {span:?}"));
            truth.mark_stall();
        }
        self.shared.advance(span);
        self.shared.lock().mark_stall();
    }

    /// The wall clock is set, or jumps after a suspension.
    fn set_wall(&mut self) {
        let span = self.span();
        let ahead = self.rng.bool();
        let mut truth = self.shared.lock();
        truth.wall = if ahead { truth.wall + span } else { truth.wall - span };
        truth.note(format_args!("the wall clock is set by {span:?}, ahead: {ahead}"));
    }

    /// Time passes until the held token is due for refresh, or nearly so.
    fn pass_to_the_refresh(&mut self) {
        let draw = self.rng.f64() / 4.0;
        let left = {
            let truth = self.shared.lock();
            truth
                .promise
                .map_or(Duration::ZERO, |held| held.until.monotonic.saturating_sub(truth.now))
        };
        self.pass(left.mul_f64(1.0 - draw));
    }

    /// Time passes, timer by timer.
    pub(super) fn pass(&mut self, span: Duration) {
        let until = self.shared.lock().now + span;
        loop {
            self.settle();
            self.check();
            let now = self.shared.lock().now;
            if now >= until || self.shared.lock().fault.is_some() {
                return;
            }
            let timer = self.shared.next_timer();
            // Stops just before the token expires, when it must still be usable.
            let held = self.shared.lock().promise.map(|held| held.until.monotonic - MILLIS(1));
            let thaws = self.modes().filter_map(|mode| match mode {
                Mode::Frozen(until) => Some(*until),
                _ => None,
            });
            let next = thaws
                .chain(timer)
                .chain(held)
                .filter(|at| *at > now)
                .min()
                .map_or(until, |at| at.min(until));
            self.shared.advance(next - now);
            self.modes_mut().for_each(|mode| match mode {
                Mode::Frozen(until) if *until <= next => *mode = Mode::Driven,
                _ => {}
            });
        }
    }

    fn modes(&self) -> impl Iterator<Item = &Mode> {
        let lanes = self.lanes.iter().map(|lane| &lane.mode);
        lanes.chain(self.foreign.iter().map(|foreign| &foreign.mode))
    }

    fn modes_mut(&mut self) -> impl Iterator<Item = &mut Mode> {
        let lanes = self.lanes.iter_mut().map(|lane| &mut lane.mode);
        lanes.chain(self.foreign.iter_mut().map(|foreign| &mut foreign.mode))
    }

    /// Ends all faults: every pending call is answered, and a new one gets a token.
    pub(super) fn heal(&mut self) {
        self.shared.lock().note(format_args!("all faults end"));
        self.shared.lock().mood = Mood::Fine;
        self.modes_mut().for_each(|mode| *mode = Mode::Driven);
        let limit = self.shared.lock().limits.limit();
        self.pass(limit + MILLIS(2_000));
        self.pass(Duration::from_secs(3_601));
        let before = self.shared.lock().served();
        self.ask_in_task(0, None);
        self.pass(limit);
        let mut truth = self.shared.lock();
        if truth.served() == before {
            truth.fault(format_args!("without any fault, a caller gets no token"));
        }
    }

    /// Drops the source, with or without a request in flight; nothing of it may be left.
    pub(super) fn end(mut self) {
        let hangs = self.rng.bool();
        if hangs {
            self.shared.lock().mood = Mood::Ill(super::answers::Answer::Hang);
            self.replace();
            self.ask_in_task(0, Some(Duration::ZERO));
            self.ask_without_tokio(Some(Duration::ZERO));
            self.settle();
        }
        self.refused = None;
        self.shared.lock().note(format_args!("the source is dropped"));
        drop(self.source.take());
        self.shared.lock().activity += 1;
        self.settle();
        self.check_end();
    }
}

impl Truth {
    pub(super) fn mark_stall(&mut self) {
        self.last_stall = Some(self.now);
    }

    fn served(&self) -> u64 {
        ["calls served at once", "calls that waited"]
            .iter()
            .filter_map(|what| self.reached.get(what))
            .sum()
    }
}
