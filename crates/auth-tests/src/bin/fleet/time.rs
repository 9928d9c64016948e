//! What is measured: exact time, and how long this thread was ready and had no processor.

use std::fs::File;
use std::io::{Read as _, Seek as _};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// The exact clock. `SystemClock` has steps of up to 10 ms here.
#[allow(clippy::disallowed_methods, reason = "a harness measures in microseconds")]
pub(crate) fn now() -> Instant {
    Instant::now()
}

/// How long the thread that opened it has been ready to run and waited for a processor, as Linux
/// counts it. Elsewhere zero.
pub(crate) struct Queue(Option<File>);

impl Queue {
    pub(crate) fn of_this_thread() -> Self {
        Self(File::open("/proc/thread-self/schedstat").ok())
    }

    fn waited(&self) -> Duration {
        let mut text = String::new();
        let read = self.0.as_ref().and_then(|mut file| {
            file.rewind().ok()?;
            file.read_to_string(&mut text).ok()?;
            text.split(' ').nth(1)?.parse().ok()
        });
        Duration::from_nanos(read.unwrap_or_default())
    }

    pub(crate) fn start(&self) -> Meter<'_> {
        Meter { queue: self, waited: self.waited(), began: now() }
    }
}

/// A measurement under way.
pub(crate) struct Meter<'a> {
    queue: &'a Queue,
    waited: Duration,
    began: Instant,
}

/// How long something took.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Took {
    pub(crate) all: Duration,
    /// Without the time in which the thread had no processor.
    pub(crate) net: Duration,
}

impl Meter<'_> {
    pub(crate) fn took(&self) -> Took {
        let all = now().duration_since(self.began);
        Took { all, net: all.saturating_sub(self.queue.waited().saturating_sub(self.waited)) }
    }
}

/// How late sleeps end.
#[derive(Debug, Default)]
pub(crate) struct Lateness(Vec<Duration>);

/// What each sleep is for.
pub(crate) const PAUSE: Duration = Duration::from_millis(20);

impl Lateness {
    pub(crate) fn add(&mut self, slept: Duration, meant: Duration) {
        self.0.push(slept.saturating_sub(meant));
    }

    /// 99 of 100 sleeps end earlier, and all do.
    pub(crate) fn worst(&mut self) -> (Duration, Duration) {
        self.0.sort_unstable();
        let at = |share: usize| {
            self.0.get(self.0.len() * share / 100).or_else(|| self.0.last()).copied()
        };
        (at(99).unwrap_or_default(), at(100).unwrap_or_default())
    }
}

/// How much processor time the host of this virtual machine has taken away since it began, as Linux
/// counts it. No thread's account shows it: a thread that it hits seems to run on.
pub(crate) fn stolen() -> Duration {
    let stat = std::fs::read_to_string("/proc/stat").unwrap_or_default();
    let ticks = stat.lines().next().and_then(|all| all.split_whitespace().nth(8)?.parse().ok());
    Duration::from_millis(10) * ticks.unwrap_or_default()
}

/// Gives a process this priority, where this user may: the provider and the server stand for other
/// machines, and are not to wait for a processor behind the replicas.
pub(crate) fn set_priority(process: u32, priority: i32) {
    let mut renice = Command::new("renice");
    renice.args(["-n", &priority.to_string(), "-p", &process.to_string()]);
    let _ = renice.stdout(Stdio::null()).stderr(Stdio::null()).status();
}

/// The priority of what stands for another machine.
pub(crate) const FIRST: i32 = -10;

/// Milliseconds, for people.
pub(crate) fn ms(span: Duration) -> f64 {
    span.as_secs_f64() * 1e3
}
