//! The clocks of one host, and the time that a record is read at.
//!
//! A record's time is the wall clock of its first write, and from then on moves by the stricter of two
//! clocks: the wall clock, which somebody may set, and the time since the machine was started, which
//! goes on while it is suspended. So a wall clock that was set back makes no token younger.

use std::time::{Duration, UNIX_EPOCH};

use auth_core::{Clock as _, SystemClock};

/// Names one start of the machine. The time since a start can be compared within that start alone.
pub(super) type BootId = [u8; 16];

/// Both clocks, read at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Moment {
    /// Since the Unix epoch.
    pub(super) wall: Duration,
    /// Since the machine was started, times of suspension included; `None` where it cannot be read.
    pub(super) boot: Option<(BootId, Duration)>,
}

/// When a record was written: on both clocks, and on its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Written {
    pub(super) at: Moment,
    /// The record's time at that moment.
    pub(super) time: Duration,
}

impl Written {
    /// The record's time at this moment. `None` if nothing is known of it: the machine was started
    /// anew, and its wall clock is before the write.
    pub(super) fn time_at(&self, now: Moment) -> Option<Duration> {
        let by_wall = now.wall.checked_sub(self.at.wall);
        let passed = match (self.at.boot, now.boot) {
            (Some((then_id, then)), Some((id, since))) if then_id == id => {
                // Another process may have written after these clocks were read: no time passed.
                by_wall.unwrap_or_default().max(since.saturating_sub(then))
            }
            _ => by_wall?,
        };
        Some(self.time.saturating_add(passed))
    }
}

/// Where the clocks are read.
#[derive(Clone, Debug)]
pub(super) enum Clocks {
    Machine,
    #[cfg(test)]
    Set(std::sync::Arc<std::sync::Mutex<Moment>>),
}

impl Clocks {
    pub(super) fn now(&self) -> Moment {
        match self {
            Self::Machine => {
                let wall = SystemClock.wall().duration_since(UNIX_EPOCH).unwrap_or_default();
                Moment { wall, boot: since_start() }
            }
            #[cfg(test)]
            Self::Set(moment) => *moment.lock().unwrap(),
        }
    }
}

#[cfg(any(target_os = "linux", target_os = "android"))]
fn since_start() -> Option<(BootId, Duration)> {
    use std::sync::OnceLock;

    use rustix::time::{ClockId, clock_gettime};

    static ID: OnceLock<Option<BootId>> = OnceLock::new();
    let read = || std::fs::read_to_string("/proc/sys/kernel/random/boot_id").ok();
    let id = (*ID.get_or_init(|| boot_id(&read()?)))?;
    let now = clock_gettime(ClockId::Boottime);
    let (seconds, nanos) = (u64::try_from(now.tv_sec).ok()?, u32::try_from(now.tv_nsec).ok()?);
    Some((id, Duration::new(seconds, nanos)))
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
fn since_start() -> Option<(BootId, Duration)> {
    None
}

/// Reads 32 hexadecimal digits with dashes between them.
#[cfg_attr(not(any(target_os = "linux", target_os = "android")), allow(dead_code))]
fn boot_id(text: &str) -> Option<BootId> {
    let digits: String = text.trim().chars().filter(|c| *c != '-').collect();
    let is_hex = digits.len() == 32 && digits.bytes().all(|b| b.is_ascii_hexdigit());
    let id = u128::from_str_radix(is_hex.then_some(&digits)?, 16).ok()?;
    Some(id.to_be_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Duration = Duration::from_secs(3_600);
    const SECOND: Duration = Duration::from_secs(1);

    fn moment(wall: Duration, id: u8, since: Duration) -> Moment {
        Moment { wall: HOUR * 1_000 + wall, boot: Some(([id; 16], HOUR * 10 + since)) }
    }

    fn written() -> Written {
        Written { at: moment(Duration::ZERO, 1, Duration::ZERO), time: HOUR * 2_000 }
    }

    #[test]
    fn the_clock_that_moved_most_counts() {
        let zero = Duration::ZERO;
        for (wall, since, passed) in [
            (zero, zero, zero),
            (SECOND, SECOND, SECOND),
            (HOUR, SECOND, HOUR), // set an hour ahead, or the other clock stopped
            (SECOND, HOUR, HOUR), // suspended, or slewed
        ] {
            let time = written().time_at(moment(wall, 1, since));
            assert_eq!(time, Some(HOUR * 2_000 + passed), "{wall:?} {since:?}");
        }
    }

    #[test]
    fn a_wall_clock_that_was_set_back_stops_no_time() {
        let mut back = moment(Duration::ZERO, 1, SECOND * 30);
        back.wall -= HOUR;
        assert_eq!(written().time_at(back), Some(HOUR * 2_000 + SECOND * 30));
    }

    #[test]
    fn after_another_start_the_wall_clock_counts_alone_and_must_not_be_before_the_write() {
        let later = moment(SECOND * 5, 2, Duration::ZERO);
        assert_eq!(written().time_at(later), Some(HOUR * 2_000 + SECOND * 5));
        let mut before = moment(Duration::ZERO, 2, HOUR);
        before.wall -= Duration::from_nanos(1);
        assert_eq!(written().time_at(before), None);
        assert_eq!(written().time_at(Moment { boot: None, ..before }), None);
    }

    #[test]
    fn clocks_read_before_another_process_wrote_stand_still() {
        let mut earlier = written().at;
        earlier.wall -= SECOND;
        earlier.boot = Some(([1; 16], HOUR * 10 - SECOND));
        assert_eq!(written().time_at(earlier), Some(HOUR * 2_000));
    }

    #[test]
    fn no_reading_overflows() {
        let most = Duration::MAX;
        let (early, late) = (Duration::ZERO, most);
        let at = |span| Moment { wall: span, boot: Some(([1; 16], span)) };
        let written = Written { at: at(early), time: most };
        assert_eq!(written.time_at(at(late)), Some(most));
    }

    #[test]
    fn a_start_has_a_name_of_32_digits() {
        let id = boot_id("00112233-4455-6677-8899-aabbccddeeff\n").unwrap();
        assert_eq!((id.first(), id.last()), (Some(&0), Some(&0xff)));
        for text in
            ["", "+0112233445566778899aabbccddeeff", "00", "g0112233445566778899aabbccddeeff"]
        {
            assert_eq!(boot_id(text), None, "{text}");
        }
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn the_machine_tells_both_clocks() {
        let (one, two) = (Clocks::Machine.now(), Clocks::Machine.now());
        let ((id, since), (same, later)) = (one.boot.unwrap(), two.boot.unwrap());
        assert!(id == same && since <= later && one.wall > Duration::ZERO);
    }
}
