//! The runtimes and callers of a run, and their scheduler.

use std::future::Future as _;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use auth_core::{AccessToken, CachedTokenSource};
use tokio::runtime::Runtime;
use tokio::task::AbortHandle;

use super::calls::{Call, Kind};
use super::flow::Flow;
use super::truth::Shared;

/// Runtimes are numbered from here on, callers below it.
pub(super) const FIRST_LANE: u64 = 1_000_000;

/// Whether a runtime or a caller is scheduled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mode {
    Driven,
    /// Only while a call is the root of `block_on`: a program that calls it now and then.
    NowAndThen,
    /// Not until this time.
    Frozen(Duration),
}

/// A current-thread runtime.
pub(super) struct Lane {
    pub(super) number: u64,
    pub(super) runtime: Runtime,
    pub(super) roots: Vec<Call>,
    pub(super) mode: Mode,
    pub(super) tasks: Vec<AbortHandle>,
    /// The value of `activity` before its last turn.
    seen: u64,
    /// The earliest spawn of a task that may not have been polled yet.
    unpolled_since: Option<Duration>,
}

/// A caller without tokio.
pub(super) struct Foreign {
    pub(super) call: Pin<Box<Call>>,
    woken: Arc<Woken>,
    pub(super) mode: Mode,
}

pub(super) struct Woken(AtomicBool);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::SeqCst);
    }
}

/// Everything that runs.
pub(super) struct World {
    pub(super) shared: Shared,
    pub(super) rng: fastrand::Rng,
    /// `None` once it is dropped.
    pub(super) source: Option<CachedTokenSource<Flow>>,
    pub(super) lane_count: u64,
    pub(super) lanes: Vec<Lane>,
    pub(super) foreign: Vec<Foreign>,
    /// A token that the API refused.
    pub(super) refused: Option<AccessToken>,
    /// Its count tells how many places hold the flow.
    pub(super) alive: Arc<()>,
}

impl Lane {
    pub(super) fn new(number: u64) -> Option<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread().build().ok()?;
        let (roots, tasks) = (Vec::new(), Vec::new());
        let (mode, unpolled_since) = (Mode::Driven, None);
        Some(Self { number, runtime, roots, mode, tasks, seen: 0, unpolled_since })
    }

    pub(super) fn is_driven(&self) -> bool {
        match self.mode {
            Mode::Driven => true,
            Mode::NowAndThen => !self.roots.is_empty(),
            Mode::Frozen(_) => false,
        }
    }

    /// Whether a turn may make progress.
    fn wants(&self, activity: u64) -> bool {
        let metrics = self.runtime.metrics();
        let has_work = metrics.num_alive_tasks() > 0 || !self.roots.is_empty();
        self.is_driven() && has_work && (self.seen != activity || metrics.global_queue_depth() > 0)
    }

    /// Calls `block_on` with the root calls, for this many rounds of the tasks.
    pub(super) fn turn(&mut self, shared: &Shared, rounds: u8) {
        {
            let mut truth = shared.lock();
            let now = truth.now;
            if rounds > 0 {
                // Its own activity may have woken its own tasks, which need another turn.
                self.seen = truth.activity;
            }
            truth.unpolled_since = Some(*self.unpolled_since.get_or_insert(now));
        }
        let (roots, mut left) = (&mut self.roots, rounds);
        self.runtime.block_on(std::future::poll_fn(|cx| {
            roots.retain_mut(|root| Pin::new(root).poll(cx).is_pending());
            if left == 0 {
                return Poll::Ready(());
            }
            left -= 1;
            cx.waker().wake_by_ref();
            Poll::Pending
        }));
        shared.lock().unpolled_since = None;
    }
}

impl Foreign {
    fn wants(&self) -> bool {
        self.mode == Mode::Driven && self.woken.0.load(Ordering::SeqCst)
    }

    /// Polls the call. Returns whether it is over.
    fn turn(&mut self) -> bool {
        self.woken.0.store(false, Ordering::SeqCst);
        let waker = Waker::from(Arc::clone(&self.woken));
        self.call.as_mut().poll(&mut Context::from_waker(&waker)).is_ready()
    }
}

impl World {
    /// Begins a call in a task of a runtime.
    pub(super) fn ask_in_task(&mut self, lane: usize, patience: Option<Duration>) {
        let Some(lane) = self.lanes.get_mut(lane) else { return };
        let Some(source) = self.source.clone() else { return };
        let call = Call::new(&self.shared, source, Kind::Task, Some(lane.number), patience);
        lane.tasks.retain(|task| !task.is_finished());
        lane.tasks.push(lane.runtime.spawn(call).abort_handle());
    }

    /// Begins a call as the root of a runtime's `block_on`.
    pub(super) fn ask_as_root(&mut self, lane: usize, patience: Option<Duration>) {
        let Some(lane) = self.lanes.get_mut(lane) else { return };
        let Some(source) = self.source.clone() else { return };
        lane.roots.push(Call::new(&self.shared, source, Kind::Root, Some(lane.number), patience));
        lane.seen = u64::MAX;
    }

    /// Begins a call without tokio.
    pub(super) fn ask_without_tokio(&mut self, patience: Option<Duration>) {
        let Some(source) = self.source.clone() else { return };
        let call = Call::new(&self.shared, source, Kind::Foreign, None, patience);
        let woken = Arc::new(Woken(AtomicBool::new(true)));
        self.foreign.push(Foreign { call: Box::pin(call), woken, mode: Mode::Driven });
    }

    /// Gives a turn to one runtime or caller that can make progress; `false` if there is none.
    pub(super) fn one_turn(&mut self) -> bool {
        let activity = {
            let mut truth = self.shared.lock();
            truth.timers_in_turn = 0;
            truth.activity
        };
        let lanes = self.lanes.iter().enumerate().filter(|(_, lane)| lane.wants(activity));
        let mut wanting: Vec<(bool, usize)> = lanes.map(|(at, _)| (true, at)).collect();
        let foreign = self.foreign.iter().enumerate().filter(|(_, foreign)| foreign.wants());
        wanting.extend(foreign.map(|(at, _)| (false, at)));
        if wanting.is_empty() {
            return false;
        }
        let drawn = self.rng.usize(0..wanting.len());
        match wanting.get(drawn).copied() {
            Some((true, at)) => {
                let rounds = self.rng.u8(0..4);
                if let Some(lane) = self.lanes.get_mut(at) {
                    lane.turn(&self.shared, rounds);
                }
            }
            Some((false, at)) => {
                let is_over = self.foreign.get_mut(at).is_some_and(Foreign::turn);
                if is_over {
                    self.foreign.swap_remove(at);
                }
            }
            None => {}
        }
        true
    }

    /// Gives turns until none can make progress. Time does not advance, so this must terminate.
    pub(super) fn settle(&mut self) {
        const MANY: u32 = 2_000;
        for turn in 0.. {
            if !self.one_turn() {
                break;
            }
            if turn > MANY {
                self.shared.lock().fault(format_args!("still not settled after {MANY} turns"));
                return;
            }
        }
        if !self.all_driven() {
            self.shared.lock().mark_stall();
        }
        for lane in self.lanes.iter_mut().filter(|lane| lane.is_driven()) {
            lane.unpolled_since = None;
        }
    }

    /// Whether the runtime or caller with this number is scheduled.
    pub(super) fn drives(&self, site: u64) -> bool {
        self.lanes.iter().any(|lane| lane.number == site && lane.is_driven())
            || self
                .foreign
                .iter()
                .any(|foreign| foreign.call.number() == site && foreign.mode == Mode::Driven)
    }

    /// Whether all are scheduled, except for runtimes that have nothing to do.
    pub(super) fn all_driven(&self) -> bool {
        let is_idle =
            |lane: &Lane| lane.roots.is_empty() && lane.runtime.metrics().num_alive_tasks() == 0;
        self.lanes.iter().all(|lane| lane.is_driven() || is_idle(lane))
            && self.foreign.iter().all(|foreign| foreign.mode == Mode::Driven)
    }
}
