//! A gzip member without compression: stored blocks (RFC 1951 section 3.2.4) in the gzip frame
//! (RFC 1952). It is valid gzip, and needs no compression library.

/// Wraps `data` as gzip.
pub(crate) fn stored(data: &[u8]) -> Vec<u8> {
    // Magic, method 8 (deflate), no flags, no time, no extra flags, operating system unknown.
    let mut out = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255];
    let mut blocks = data.chunks(usize::from(u16::MAX)).peekable();
    if blocks.peek().is_none() {
        out.extend_from_slice(&[1, 0, 0, 0xff, 0xff]);
    }
    while let Some(block) = blocks.next() {
        out.push(u8::from(blocks.peek().is_none()));
        // A chunk is at most u16::MAX long.
        let length = u16::try_from(block.len()).unwrap_or(u16::MAX);
        out.extend_from_slice(&length.to_le_bytes());
        out.extend_from_slice(&(!length).to_le_bytes());
        out.extend_from_slice(block);
    }
    out.extend_from_slice(&crc32(data).to_le_bytes());
    // The format keeps the length modulo 2^32.
    let length = u32::try_from(data.len() % (1 << 32)).unwrap_or_default();
    out.extend_from_slice(&length.to_le_bytes());
    out
}

fn crc32(data: &[u8]) -> u32 {
    !data.iter().fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| {
            if crc & 1 == 1 { (crc >> 1) ^ 0xedb8_8320 } else { crc >> 1 }
        })
    })
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_checksum_of_the_standard_test_string_is_the_standard_one() {
        assert_eq!(super::crc32(b"123456789"), 0xcbf4_3926);
    }
}
