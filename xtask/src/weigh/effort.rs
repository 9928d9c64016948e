//! What a build costs, on a machine that has other things to do too.

use std::fs;
use std::time::Duration;

use crate::steps::now;

/// How often a second Linux's kernel counts for a program, on every architecture that it tells of.
const TICKS: u64 = 100;

/// Does something and gives the processor time that the programs it started took, where the kernel
/// tells; elsewhere the time that went by.
pub(super) fn of<T>(act: impl FnOnce() -> Result<T, String>) -> Result<(Duration, T), String> {
    let (began, before) = (now(), by_children());
    let done = act()?;
    let passed = now().duration_since(began);
    let spent = by_children().zip(before).map(|(after, before)| after.saturating_sub(before));
    Ok((spent.unwrap_or(passed), done))
}

fn by_children() -> Option<Duration> {
    in_stat(&fs::read_to_string("/proc/self/stat").ok()?)
}

/// The 16th and 17th field of `/proc/self/stat`; the second is the program's name in brackets, which
/// may hold anything.
fn in_stat(stat: &str) -> Option<Duration> {
    let fields: Vec<_> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    let ticks = |field: usize| fields.get(field - 3)?.parse::<u64>().ok();
    Some(Duration::from_millis((ticks(16)? + ticks(17)?) * 1000 / TICKS))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_children_took_is_read_past_any_name() {
        let stat = "42 (a (b) c 9) S 1 42 42 0 -1 4194304 10 20 0 0 7 8 2150 350 20 0 1 0 100 0 0";
        assert_eq!(in_stat(stat), Some(Duration::from_secs(25)));
        assert_eq!(in_stat("42 (a"), None);
        assert_eq!(in_stat("42 (a) S 1"), None);
    }
}
