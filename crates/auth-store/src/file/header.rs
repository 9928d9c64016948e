//! A record as it stands in its file: 64 bytes of header, then what the store wrote.
//!
//! ```text
//! 0   "authrec1"
//! 8   boot id            16 bytes, all zero if it is not known
//! 24  since the start    8 bytes: nanoseconds, the lowest byte first
//! 32  wall clock         8 bytes
//! 40  the record's time  8 bytes
//! 48  SHA-256 of all other bytes, its first 16
//! 64  the record
//! ```
//! Files are written without `fsync`: after a power failure one may be empty, short or garbage. It
//! does not fit its hash then, and is no record.

use std::time::Duration;

use aws_lc_rs::digest::{Context, SHA256};
use bytes::Bytes;

use super::clock::{Moment, Written};

const MAGIC: &[u8; 8] = b"authrec1";
const HASH: usize = 16;

/// The file of a record.
pub(super) fn encode(written: Written, record: &[u8]) -> Vec<u8> {
    let (id, since) = written.at.boot.unwrap_or_default();
    let mut head = Vec::with_capacity(48);
    head.extend_from_slice(MAGIC);
    head.extend_from_slice(&id);
    for span in [since, written.at.wall, written.time] {
        // Enough for the year 2554.
        let nanos = u64::try_from(span.as_nanos()).unwrap_or(u64::MAX);
        head.extend_from_slice(&nanos.to_le_bytes());
    }
    let hash = hash(&head, record);
    let mut file = head;
    file.extend_from_slice(&hash);
    file.extend_from_slice(record);
    file
}

/// Reads a file back; `None` if it is not whole.
pub(super) fn decode(file: &Bytes) -> Option<(Written, Bytes)> {
    let (head, rest) = file.split_at_checked(48)?;
    let (hashed, record) = rest.split_first_chunk::<HASH>()?;
    if *hashed != hash(head, record) {
        return None;
    }
    let (magic, head) = head.split_first_chunk::<8>()?;
    let (id, head) = head.split_first_chunk::<16>()?;
    let (since, head) = nanos(head)?;
    let (wall, head) = nanos(head)?;
    let (time, _) = nanos(head)?;
    let boot = (*id != [0; 16]).then_some((*id, since));
    let written = Written { at: Moment { wall, boot }, time };
    (magic == MAGIC).then(|| (written, file.slice_ref(record)))
}

fn nanos(bytes: &[u8]) -> Option<(Duration, &[u8])> {
    let (nanos, rest) = bytes.split_first_chunk::<8>()?;
    Some((Duration::from_nanos(u64::from_le_bytes(*nanos)), rest))
}

fn hash(head: &[u8], record: &[u8]) -> [u8; HASH] {
    let mut context = Context::new(&SHA256);
    context.update(head);
    context.update(record);
    context.finish().as_ref().first_chunk().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written() -> Written {
        let boot = Some(([3; 16], Duration::from_nanos(7)));
        let wall = Duration::new(1_764_000_000, 123_456_789);
        Written { at: Moment { wall, boot }, time: wall * 2 }
    }

    #[test]
    fn what_is_written_is_read() {
        for record in [&b""[..], b"made-up", &[0; 70_000]] {
            for boot in [written().at.boot, None] {
                let mut written = written();
                written.at.boot = boot;
                let file = Bytes::from(encode(written, record));
                assert_eq!(decode(&file), Some((written, Bytes::copy_from_slice(record))));
            }
        }
    }

    #[test]
    fn a_file_that_is_cut_or_changed_anywhere_is_no_record() {
        let file = encode(written(), b"stamp-of-16-bytes and the rest of a record");
        assert!(decode(&Bytes::from(file.clone())).is_some());
        for at in 0..file.len() {
            assert_eq!(decode(&Bytes::copy_from_slice(&file[..at])), None, "cut at {at}");
            for flip in [1, 0x80, 0xff] {
                let mut changed = file.clone();
                changed[at] ^= flip;
                assert_eq!(decode(&Bytes::from(changed)), None, "{flip:#x} at {at}");
            }
            let mut zeroed = file.clone();
            zeroed[at..].fill(0);
            assert!(zeroed == file || decode(&Bytes::from(zeroed)).is_none(), "zero from {at}");
        }
        let twice = [&file[..], &file[..]].concat();
        assert_eq!(decode(&Bytes::from(twice)), None);
    }
}
