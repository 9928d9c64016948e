//! The processes of a run and their scheduler.

use std::time::Duration;

use super::faults::{End, Fault};
use super::process::Process;
use super::truth::Shared;

pub(super) struct World {
    pub(super) shared: Shared,
    pub(super) rng: fastrand::Rng,
    /// `None` while it is dead.
    pub(super) processes: Vec<Option<Process>>,
    /// When faults begin and end.
    pub(super) faults: Vec<(Duration, Fault)>,
    pub(super) ends: Vec<(Duration, End)>,
}

impl World {
    pub(super) fn now(&self) -> Duration {
        self.shared.lock().now
    }

    pub(super) fn is_well(&self) -> bool {
        self.shared.lock().fault.is_none()
    }

    pub(super) fn start(&mut self, process: usize) {
        let started = Process::start(&self.shared, process, &mut self.rng);
        if let Some(place) = self.processes.get_mut(process) {
            *place = started;
        }
        self.shared.lock().note(format_args!("process {process} starts"));
    }

    /// Gives turns until no process can go on. Time does not advance.
    fn settle(&mut self) {
        const MANY: u32 = 5_000;
        for turn in 0.. {
            let doomed = self.shared.lock().doomed.take();
            if let Some(process) = doomed {
                self.kill(process);
            }
            let ready: Vec<usize> = {
                let truth = self.shared.lock();
                let hosts = truth.hosts.iter().enumerate();
                hosts.filter(|(_, it)| it.wants && !it.is_frozen).map(|(at, _)| at).collect()
            };
            let Some(&process) = ready.get(self.rng.usize(0..ready.len().max(1))) else { return };
            self.shared.lock().host(process, |host| host.wants = false);
            if let Some(Some(process)) = self.processes.get(process) {
                process.turn();
            }
            let chill = self.shared.lock().chill.take_if(|(_, _, is_there)| *is_there);
            if let Some((process, span, _)) = chill {
                self.freeze(process, span);
            }
            if turn > MANY {
                let text = format_args!("still not settled after {MANY} turns");
                return self.shared.lock().fault("4 limits", text);
            }
        }
    }

    /// Kills a process, wherever it is.
    pub(super) fn kill(&mut self, process: usize) {
        let Some(place) = self.processes.get_mut(process) else { return };
        let Some(killed) = place.take() else { return };
        {
            let mut truth = self.shared.lock();
            truth.note(format_args!("process {process} is killed"));
            truth.reach("processes killed");
            let Some(host) = truth.hosts.get(process) else { return };
            if host.in_air > 0 || host.settles > 0 {
                truth.reach("processes killed between request and settle");
                truth.allow(1, "a process was killed between request and settle");
                let minted = truth.hosts.get(process).and_then(|host| host.minted);
                truth.is_private(minted);
            }
        }
        drop(killed);
        let after = self.rng.u64(0..20_000) * u64::from(self.rng.bool());
        let at = self.now() + Duration::from_millis(after);
        self.ends.push((at, End::Start(process)));
    }

    /// Time passes, event by event.
    pub(super) fn pass_until(&mut self, until: Duration) {
        loop {
            self.settle();
            if !self.is_well() {
                return;
            }
            let faults = self.faults.iter().map(|(at, _)| *at);
            let ends = self.ends.iter().map(|(at, _)| *at);
            let next = self.shared.next_event().into_iter().chain(faults).chain(ends).min();
            let next = next.map_or(until, |next| next.min(until));
            self.shared.advance(next);
            while let Some(due) = self.ends.iter().position(|(at, _)| *at <= next) {
                let (_, end) = self.ends.swap_remove(due);
                self.end(end);
            }
            while let Some(due) = self.faults.iter().position(|(at, _)| *at <= next) {
                let (_, fault) = self.faults.swap_remove(due);
                self.begin(fault);
            }
            if next >= until {
                return self.settle();
            }
        }
    }

    /// Ends all faults, and checks that the fleet shares a token again.
    pub(super) fn heal(&mut self) {
        self.faults.clear();
        while let Some((_, end)) = self.ends.pop() {
            self.end(end);
        }
        let (now, life) = {
            let mut truth = self.shared.lock();
            truth.note(format_args!("all faults end"));
            (truth.armed, truth.chill) = (None, None);
            truth.noise = 0;
            (truth.now, truth.life)
        };
        self.pass_until(now + Duration::from_secs(60));
        if !self.is_well() {
            return;
        }
        let hungry = {
            let truth = self.shared.lock();
            truth.hosts.iter().position(|host| host.served.is_none_or(|at| at <= now))
        };
        if let Some(process) = hungry {
            let text = format_args!("process {process} has no token a minute after all faults");
            return self.shared.lock().fault("7 healed", text);
        }
        // Until each has used up what it got while it was alone.
        self.pass_until((now + life).max(now + Duration::from_secs(60)) + life / 4);
        if !self.is_well() {
            return;
        }
        let before = {
            let mut truth = self.shared.lock();
            truth.note(format_args!("from here on nothing may go wrong"));
            truth.is_strict = true;
            truth.tokens.len()
        };
        let end = self.now() + life.mul_f64(2.2);
        self.pass_until(end);
        let mut truth = self.shared.lock();
        let mints = truth.tokens.len() - before;
        if !(2..=3).contains(&mints) {
            truth.fault("7 healed", format_args!("{mints} tokens were minted in 2.2 lives"));
        }
    }
}
