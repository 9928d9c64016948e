//! A record as a backend keeps it: sealed with a key, or only checked where there is none.
//!
//! stamp (16 random bytes, drawn at each write) ‖ kind ‖ payload ‖ tag (16 bytes)
//!
//! Kind 1: AES-256-GCM-SIV (RFC 8452) under the beginning of the stamp. It is right even if that
//! came twice, which random nonces of 96 bits do after some 2^32 writes. Kind 0: in the clear, and
//! the tag is the beginning of a SHA-256, against damage alone. What does not open is no record.

use aws_lc_rs::aead::{Aad, Nonce};
use aws_lc_rs::digest;
use bytes::Bytes;
use zeroize::Zeroizing;

use crate::id::Id;
use crate::key::{RecordName, StoreKey};

const STAMP: usize = 16;
const TAG: usize = 16;
const CLEAR: u8 = 0;
const SEALED: u8 = 1;
/// The longest record that is opened.
const LONGEST: usize = 64 * 1024;

/// Makes a record of a payload under a stamp that was not used before.
pub(crate) fn seal(
    key: Option<&StoreKey>,
    name: &RecordName,
    stamp: Id,
    payload: &[u8],
) -> Option<Bytes> {
    let stamp = stamp.as_bytes();
    let mut record = Vec::with_capacity(STAMP + 1 + payload.len() + TAG);
    record.extend_from_slice(stamp);
    record.push(if key.is_some() { SEALED } else { CLEAR });
    record.extend_from_slice(payload);
    let mut record = Zeroizing::new(record);
    match key {
        Some(key) => {
            let payload = record.get_mut(STAMP + 1..)?;
            let aad = Aad::from(bound(name, stamp));
            let tag = key.seal()?.seal_in_place_separate_tag(nonce(stamp)?, aad, payload).ok()?;
            record.extend_from_slice(tag.as_ref());
        }
        None => record.extend_from_slice(&checksum(name, stamp, payload)?),
    }
    Some(Bytes::from_owner(record))
}

/// Returns the payload of a record, or `None` if it is not one of this name and key.
pub(crate) fn open(
    key: Option<&StoreKey>,
    name: &RecordName,
    record: &[u8],
) -> Option<Zeroizing<Vec<u8>>> {
    if record.len() > LONGEST {
        return None;
    }
    let (stamp, rest) = record.split_first_chunk::<STAMP>()?;
    let (kind, rest) = rest.split_first()?;
    let (payload, tag) = rest.split_last_chunk::<TAG>()?;
    match (key, *kind) {
        // A record in the clear is not taken where there is a key: anybody could have written it.
        (Some(key), SEALED) => {
            let mut payload = Zeroizing::new(payload.to_vec());
            let (nonce, aad) = (nonce(stamp)?, Aad::from(bound(name, stamp)));
            let opened = key.seal()?.open_in_place_separate_tag(nonce, aad, tag, &mut payload);
            opened.is_ok().then_some(payload)
        }
        (None, CLEAR) => {
            let is_whole = checksum(name, stamp, payload)? == *tag;
            is_whole.then(|| Zeroizing::new(payload.to_vec()))
        }
        _ => None,
    }
}

fn nonce(stamp: &[u8; STAMP]) -> Option<Nonce> {
    stamp.first_chunk().copied().map(Nonce::assume_unique_for_key)
}

/// What a sealed payload is bound to, so that it cannot be moved to another account.
fn bound(name: &RecordName, stamp: &[u8; STAMP]) -> Vec<u8> {
    [b"auth-store 1", name.as_str().as_bytes(), stamp].concat()
}

fn checksum(name: &RecordName, stamp: &[u8; STAMP], payload: &[u8]) -> Option<[u8; TAG]> {
    let mut hash = digest::Context::new(&digest::SHA256);
    hash.update(name.as_str().as_bytes());
    hash.update(stamp);
    hash.update(payload);
    hash.finish().as_ref().first_chunk().copied()
}

#[cfg(test)]
mod tests;
