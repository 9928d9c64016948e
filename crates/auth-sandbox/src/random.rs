//! Random identifiers and secrets.
//!
//! They come from the operating system's generator, although nothing here needs protection: with
//! repeating secrets, a test that mixes up two sandboxes would pass.

use std::fmt::Write as _;

/// `N` random bytes.
///
/// Zeroes if the generator fails: it does not on a booted system, and a made-up credential is no reason
/// to stop.
pub(crate) fn bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    let _ = aws_lc_rs::rand::fill(&mut bytes);
    bytes
}

/// `N` random bytes in lower-case hexadecimal.
pub(crate) fn hex<const N: usize>() -> String {
    bytes::<N>().iter().fold(String::with_capacity(N * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// A version 4 UUID (RFC 9562).
pub(crate) fn uuid() -> String {
    let mut bits = u128::from_be_bytes(bytes());
    bits = bits & !(0xf << 76) | (0x4 << 76);
    bits = bits & !(0x3 << 62) | (0x2 << 62);
    let text = format!("{bits:032x}");
    let part = |range| text.get(range).unwrap_or_default();
    [part(0..8), part(8..12), part(12..16), part(16..20), part(20..32)].join("-")
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_uuid_carries_its_version_and_variant() {
        for _ in 0..64 {
            let uuid = super::uuid();
            let marks: Vec<_> = uuid.match_indices('-').map(|(at, _)| at).collect();
            assert_eq!((uuid.len(), marks), (36, vec![8, 13, 18, 23]), "{uuid}");
            assert_eq!(&uuid[14..15], "4", "{uuid}");
            assert!("89ab".contains(&uuid[19..20]), "{uuid}");
        }
    }
}
