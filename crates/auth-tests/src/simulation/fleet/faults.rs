//! The faults of a run, drawn from its seed.

use std::time::Duration;

use super::provider::{Flow, Mood};
use super::truth::{Cut, Host, Point, Truth};
use super::world::World;

/// What goes wrong.
#[derive(Clone, Copy, Debug)]
pub(super) enum Fault {
    Kill(usize),
    /// The next process that gets there is killed.
    KillAt(Point),
    Freeze(usize),
    /// A process does not reach the store.
    Cut(usize),
    /// Nobody does.
    Down,
    LoseRecord,
    /// By milliseconds.
    StepClock(i64),
    Provider(Mood),
    Revoke,
    /// The API refuses every token.
    RefuseAll,
    WrongSecret(usize),
    AllWrong,
}

/// What ends.
#[derive(Clone, Copy, Debug)]
pub(super) enum End {
    Start(usize),
    Thaw(usize),
    Mend(usize),
    Up,
    Well,
    Accept,
    Right,
}

const POINTS: [Point; 7] = [
    Point::Leased,
    Point::Asked,
    Point::Answered,
    Point::Settling,
    Point::Swapped,
    Point::Settled,
    Point::Released,
];
const MILLIS: fn(u64) -> Duration = Duration::from_millis;

impl World {
    /// Draws the faults of a run.
    pub(super) fn draw_faults(&mut self, until: Duration) {
        let (mut at, life) = {
            let truth = self.shared.lock();
            (truth.now, truth.life)
        };
        loop {
            let wait = -(1.0 - self.rng.f64()).ln();
            at += (life / 3).mul_f64(wait);
            if at >= until {
                return;
            }
            let fault = self.draw_fault();
            self.faults.push((at, fault));
        }
    }

    fn draw_fault(&mut self) -> Fault {
        let count = self.processes.len();
        let rng = &mut self.rng;
        let process = rng.usize(0..count);
        match rng.u8(0..100) {
            0..8 => Fault::Kill(process),
            8..22 => Fault::KillAt(
                POINTS.get(rng.usize(0..POINTS.len())).copied().unwrap_or(Point::Leased),
            ),
            22..36 => Fault::Freeze(process),
            36..46 => Fault::Cut(process),
            46..53 => Fault::Down,
            53..60 => Fault::LoseRecord,
            60..65 => {
                let hour = 3_600_000;
                Fault::StepClock(match rng.u8(0..3) {
                    0 => rng.i64(-60_000..60_000),
                    _ => rng.i64(-hour..hour),
                })
            }
            65..80 => Fault::Provider(match rng.u8(0..10) {
                0..5 => Mood::Slow,
                5 => Mood::Ill(500),
                6 => Mood::Ill(503),
                7 => Mood::Ill(429),
                _ => Mood::Gone,
            }),
            80..90 => Fault::Revoke,
            90..93 => Fault::RefuseAll,
            93..97 => Fault::WrongSecret(process),
            _ => Fault::AllWrong,
        }
    }

    pub(super) fn begin(&mut self, fault: Fault) {
        let mut truth = self.shared.lock();
        truth.note(format_args!("{fault:?}"));
        let now = truth.now;
        let rng = &mut self.rng;
        let (short, long) = (MILLIS(rng.u64(500..15_000)), MILLIS(rng.u64(1_000..40_000)));
        let cut = Some(Cut { hangs: rng.bool(), since: now });
        let mut ends = |after: Duration, end| self.ends.push((now + after, end));
        match fault {
            Fault::Kill(process) => {
                drop(truth);
                self.kill(process);
            }
            Fault::KillAt(point) => truth.armed = Some(point),
            // At once, or in its next claim.
            Fault::Freeze(process) if short.as_millis() % 2 == 0 => {
                truth.chill = Some((process, short, false));
            }
            Fault::Freeze(process) => {
                drop(truth);
                self.freeze(process, short);
            }
            Fault::Cut(process) => {
                truth.host(process, |host| host.cut = host.cut.or(cut));
                ends(long, End::Mend(process));
            }
            Fault::Down => {
                truth.down = truth.down.or(cut);
                ends(long, End::Up);
            }
            Fault::LoseRecord => {
                truth.store.lose_all();
                truth.dropped = None;
                truth.reach("records lost");
                truth.allow(1, "the record is lost");
            }
            Fault::StepClock(by) => {
                truth.store_ahead += by;
                truth.set_store_clock();
                if by < 0 {
                    truth.stepped_back.push((now, MILLIS(by.unsigned_abs())));
                }
                truth.reach("steps of the store's clock");
                truth.allow(2, "the store's clock steps");
            }
            Fault::Provider(mood) => {
                truth.mood = mood;
                ends(long, End::Well);
            }
            Fault::Revoke => truth.revoke(),
            Fault::RefuseAll => {
                truth.refuses_all = true;
                ends(short, End::Accept);
            }
            // Two wrong secrets would take turns in the record.
            Fault::WrongSecret(_) if truth.all_wrong.is_some() => {}
            Fault::WrongSecret(process) => {
                truth.reach("processes with a wrong secret");
                drop(truth);
                ends(long * 2, End::Right);
                self.set_secret(process, 9);
            }
            Fault::AllWrong => {
                truth.secret = truth.secret.wrapping_add(1) % 8;
                truth.all_wrong = Some(now);
                truth.hosts.iter_mut().for_each(|host| host.secret_since = now);
                drop(truth);
                ends(long * 3, End::Right);
                let secret = self.shared.lock().secret.wrapping_add(7) % 8;
                (0..self.processes.len()).for_each(|process| self.set_secret(process, secret));
            }
        }
    }

    /// Freezes a process, wherever it is.
    pub(super) fn freeze(&mut self, process: usize, span: Duration) {
        let mut truth = self.shared.lock();
        truth.note(format_args!("process {process} is frozen for {span:?}"));
        if truth.hosts.get(process).is_some_and(Host::is_flying) {
            truth.reach("processes frozen on their way to a token");
            truth.allow(1, "a process is frozen on its way to a token");
        }
        truth.host(process, |host| {
            host.is_frozen = true;
            host.minted = None;
        });
        self.ends.push((truth.now + span, End::Thaw(process)));
    }

    pub(super) fn end(&mut self, end: End) {
        let mut truth = self.shared.lock();
        truth.note(format_args!("{end:?}"));
        let now = truth.now;
        match end {
            End::Start(process) => {
                drop(truth);
                if self.processes.get(process).is_some_and(Option::is_none) {
                    self.start(process);
                }
            }
            End::Thaw(process) => truth.host(process, |host| {
                (host.is_frozen, host.wants, host.last_thaw) = (false, true, now);
            }),
            End::Mend(process) => truth.host(process, |host| host.cut = None),
            End::Up => truth.down = None,
            End::Well => truth.mood = Mood::Well,
            End::Accept => truth.refuses_all = false,
            End::Right => {
                truth.all_wrong = None;
                let secret = truth.secret;
                drop(truth);
                (0..self.processes.len()).for_each(|process| self.set_secret(process, secret));
            }
        }
    }

    /// Replaces the credentials of a process.
    fn set_secret(&mut self, process: usize, secret: u8) {
        {
            let mut truth = self.shared.lock();
            let now = truth.now;
            let Some(host) = truth.hosts.get_mut(process) else { return };
            if host.secret == secret {
                return;
            }
            (host.secret, host.secret_since) = (secret, now);
            (host.told_until, host.minted) = (None, None);
            if host.is_flying() {
                host.flight = None;
                truth.allow(1, "the flight of a process is replaced");
            }
        }
        let Some(Some(running)) = self.processes.get(process) else { return };
        if let Err(error) = running.source.replace_exchange(Flow { secret }) {
            self.shared.lock().fault("7 healed", format_args!("replace fails: {error}"));
        }
        self.shared.lock().wake(process);
    }
}

impl Truth {
    /// The provider revokes a token, usually the last.
    fn revoke(&mut self) {
        let now = self.now;
        let back = if self.rng.u8(0..4) == 0 { 2 } else { 1 };
        let Some(number) = self.tokens.len().checked_sub(back) else { return };
        if let Some(token) = self.tokens.get_mut(number)
            && token.revoked.is_none()
        {
            token.revoked = Some(now);
            self.note(format_args!("token {number} is revoked"));
        }
    }
}
