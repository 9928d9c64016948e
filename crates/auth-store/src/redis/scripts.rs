//! The two scripts, sent whole with each call: a server that forgets its scripts forgets nothing.

use std::time::Duration;

use ::redis::{Cmd, Value};
use bytes::Bytes;
use zeroize::Zeroizing;

use crate::backend::Snapshot;

/// The time of the server that has the record, and the record. A key of another type, which nobody
/// but a stranger can have put there, is no record: the next write replaces it.
const READ: &str = "\
local time = redis.call('TIME')
local record = redis.pcall('GET', KEYS[1])
if type(record) == 'table' and record.err then
  if not string.find(record.err, 'WRONGTYPE', 1, true) then return record end
  record = false
end
return { time[1], time[2], record }";

/// Compares the first 16 bytes of the record, none if there is no record, then sets or deletes it.
const SWAP: &str = "\
local stamp = redis.pcall('GETRANGE', KEYS[1], 0, 15)
if type(stamp) == 'table' and stamp.err then
  if not string.find(stamp.err, 'WRONGTYPE', 1, true) then return stamp end
  stamp = ''
end
if stamp ~= ARGV[1] then return 0 end
if ARGV[3] then redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3]) else redis.call('DEL', KEYS[1]) end
return 1";

/// What names a record: each is drawn anew at every write.
const STAMP: usize = 16;
/// No token lives longer; a server refuses spans that overflow its clock.
const LONGEST_KEEP: Duration = Duration::from_secs(366 * 24 * 60 * 60);

/// `None` means that there was nothing; a record is never empty.
pub(super) fn read(name: &str) -> Cmd {
    let mut command = ::redis::cmd("EVAL");
    command.arg(READ).arg(1).arg(name);
    command
}

pub(super) fn snapshot(value: Value) -> Option<Snapshot> {
    let Value::Array(parts) = value else {
        return None;
    };
    let mut parts = parts.into_iter();
    let (seconds, micros) = (number(&parts.next()?)?, number(&parts.next()?)?);
    let now = Duration::from_secs(seconds).saturating_add(Duration::from_micros(micros));
    let record = match parts.next() {
        // Without a seal it holds a token: wiped when the last reader drops it.
        Some(Value::BulkString(record)) => Some(Bytes::from_owner(Zeroizing::new(record))),
        Some(Value::Nil) | None => None,
        Some(_) => return None,
    };
    Some(Snapshot::new(record.filter(|record| !record.is_empty()), now))
}

fn number(value: &Value) -> Option<u64> {
    match value {
        Value::BulkString(digits) => std::str::from_utf8(digits).ok()?.parse().ok(),
        Value::Int(number) => (*number).try_into().ok(),
        _ => None,
    }
}

pub(super) fn swap(name: &str, old: Option<&[u8]>, new: Option<&[u8]>, keep: Duration) -> Cmd {
    let stamp = old.map(|old| old.get(..STAMP).unwrap_or(old)).unwrap_or_default();
    let mut command = ::redis::cmd("EVAL");
    command.arg(SWAP).arg(1).arg(name).arg(stamp);
    if let Some(new) = new {
        let keep = keep.clamp(Duration::from_millis(1), LONGEST_KEEP);
        command.arg(new).arg(u64::try_from(keep.as_millis()).unwrap_or(u64::MAX));
    }
    command
}

pub(super) fn swapped(value: &Value) -> Option<bool> {
    match value {
        Value::Int(0) => Some(false),
        Value::Int(1) => Some(true),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_of_another_shape_is_no_snapshot_and_no_panic() {
        let text = |text: &str| Value::BulkString(text.as_bytes().to_vec());
        for value in [
            Value::Nil,
            Value::Int(1),
            Value::Array(Vec::new()),
            Value::Array(vec![text("1")]),
            Value::Array(vec![text("1"), text("-2"), Value::Nil]),
            Value::Array(vec![text("one"), text("2"), Value::Nil]),
            Value::Array(vec![text("1"), text("2"), Value::Int(3)]),
        ] {
            assert!(snapshot(value.clone()).is_none(), "{value:?}");
        }
        let huge = Value::Array(vec![text(&u64::MAX.to_string()), text("999999"), Value::Nil]);
        assert!(snapshot(huge).is_some());
        let read = snapshot(Value::Array(vec![text("12"), text("345678"), text("abc")])).unwrap();
        assert_eq!(read.now, Duration::from_micros(12_345_678));
        assert_eq!(read.record.as_deref(), Some(&b"abc"[..]));
    }

    #[test]
    fn a_record_is_kept_for_at_least_a_millisecond_and_at_most_a_year() {
        let last = |keep| {
            let command = swap("pa1:x", None, Some(b"new"), keep);
            String::from_utf8(command.get_packed_command()).unwrap()
        };
        assert!(last(Duration::ZERO).ends_with("$1\r\n1\r\n"));
        assert!(last(Duration::MAX).ends_with("$11\r\n31622400000\r\n"));
    }
}
