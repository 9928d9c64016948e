//! Searches this process's own memory for copies of a secret, to test that dropped secrets are
//! wiped.
//!
//! Such a test needs its own process, since another test would leave copies too, and Linux. The
//! allocator may overwrite freed memory, so a test repeats each step, and first checks that the
//! search finds freed copies at all.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};

use auth_core::secret::WipedBuffer;
use auth_core::{ExposeSecret, SecretString};

/// How long a hidden text is.
const LENGTH: usize = 64;
/// How much of it is searched for: its end, since the allocator overwrites the beginning of a freed
/// block.
const TAIL: usize = 32;
/// Where the searched part of its base64 begins: inside the text for each of the three offsets.
const BASE64: usize = 40;
const BLOCK: usize = 4096;

/// A text that is not stored anywhere: each byte is computed from its position.
#[derive(Clone, Copy, Debug)]
pub struct Hidden(u8);

impl Hidden {
    /// A different text for each seed: 64 capital letters.
    #[must_use]
    pub const fn new(seed: u8) -> Self {
        Self(seed)
    }

    fn byte(self, at: usize) -> u8 {
        let mixed = (at as u64 + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ (u64::from(self.0) << 40);
        b'A' + u8::try_from((mixed.wrapping_mul(0xBF58_476D_1CE4_E5B9) >> 33) % 26).unwrap()
    }

    /// A character of the base64 of a text in which this one begins at `start` (0, 1 or 2).
    fn base64(self, start: usize, at: usize) -> u8 {
        const LETTERS: &[u8; 64] =
            b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        let (first, shift) = (at * 6 / 8, at * 6 % 8);
        let byte = |at: usize| match at.checked_sub(start) {
            Some(at) if at < LENGTH => u16::from(self.byte(at)),
            _ => 0,
        };
        let two = byte(first) << 8 | byte(first + 1);
        LETTERS[usize::from(two >> (10 - shift) & 63)]
    }

    /// Appends the text.
    pub fn write(self, buffer: &mut WipedBuffer) {
        (0..LENGTH).for_each(|at| buffer.extend_from_slice(&[self.byte(at)]));
    }

    /// Appends its base64, as in a pair in which a multiple of three bytes precedes it.
    pub fn write_base64(self, buffer: &mut WipedBuffer) {
        (0..(LENGTH * 8).div_ceil(6))
            .for_each(|at| buffer.extend_from_slice(&[self.base64(0, at)]));
        buffer.extend_from_slice(b"==");
    }

    /// The text as a secret.
    #[must_use]
    pub fn secret(self) -> SecretString {
        let mut buffer = WipedBuffer::with_capacity(LENGTH);
        self.write(&mut buffer);
        SecretString::from(std::str::from_utf8(buffer.as_slice()).unwrap())
    }

    /// The text as an ordinary string with spare capacity, as a program may pass one in.
    #[must_use]
    pub fn string(self) -> String {
        let mut string = String::with_capacity(10 * LENGTH);
        string.push_str(self.secret().expose_secret());
        string
    }

    /// Whether this is the end of the text, in upper or lower case, or a part of its base64.
    fn is(self, window: &[u8]) -> bool {
        let all = |expected: &dyn Fn(usize) -> u8| {
            window.iter().enumerate().all(|(at, byte)| *byte == expected(at))
        };
        let plain = |at| self.byte(at + LENGTH - TAIL);
        all(&plain)
            || all(&|at| plain(at).to_ascii_lowercase())
            || (0..3).any(|start| all(&|at| self.base64(start, at + BASE64)))
    }
}

/// Reads this process's writable memory. Its buffers are allocated once: an allocation during the
/// search would overwrite freed memory.
#[derive(Debug)]
pub struct Search {
    maps: String,
    page: Vec<u8>,
}

impl Search {
    /// Allocates the buffers.
    #[must_use]
    pub fn new() -> Self {
        Self { maps: String::with_capacity(1 << 20), page: vec![0; 1 << 20] }
    }

    /// Counts each hidden text in memory: on the heap, freed or not, on stacks, and in statics.
    pub fn copies<const N: usize>(&mut self, hidden: [Hidden; N]) -> [usize; N] {
        self.maps.clear();
        File::open("/proc/self/maps").unwrap().read_to_string(&mut self.maps).unwrap();
        let mut memory = File::open("/proc/self/mem").unwrap();
        let page = &mut self.page;
        // Skip the buffer that memory is read into.
        let own = page.as_ptr() as u64..page.as_ptr() as u64 + page.len() as u64;
        let mut copies = [0; N];
        for line in self.maps.lines().filter(|l| l.contains(" rw-p ") && !l.contains("[v")) {
            let (start, end) = line.split_whitespace().next().unwrap().split_once('-').unwrap();
            let parse = |text| u64::from_str_radix(text, 16).unwrap();
            let (start, end) = (parse(start), parse(end));
            for (from, to) in [(start, end.min(own.start)), (start.max(own.end), end)] {
                let mut at = from;
                while at + TAIL as u64 <= to {
                    let length = usize::try_from(to - at).unwrap().min(page.len());
                    memory.seek(SeekFrom::Start(at)).unwrap();
                    let Ok(count @ TAIL..) = memory.read(&mut page[..length]) else {
                        break;
                    };
                    for (hidden, copies) in hidden.iter().zip(&mut copies) {
                        *copies += found(*hidden, &page[..count]);
                    }
                    // Overlapping, so that no copy is missed between two reads.
                    at += (count - TAIL) as u64 + 1;
                }
            }
        }
        page.fill(0);
        copies
    }
}

impl Default for Search {
    fn default() -> Self {
        Self::new()
    }
}

fn found(hidden: Hidden, memory: &[u8]) -> usize {
    let first = hidden.byte(LENGTH - TAIL);
    let starts = [
        first,
        first.to_ascii_lowercase(),
        hidden.base64(0, BASE64),
        hidden.base64(1, BASE64),
        hidden.base64(2, BASE64),
    ];
    let mut found = 0;
    for (block, bytes) in memory.chunks(BLOCK).enumerate() {
        // Fast path: most of a stack was never touched.
        if bytes == &[0; BLOCK][..bytes.len()] {
            continue;
        }
        for (at, _) in bytes.iter().enumerate().filter(|(_, byte)| starts.contains(byte)) {
            let at = block * BLOCK + at;
            found += usize::from(memory.get(at..at + TAIL).is_some_and(|w| hidden.is(w)));
        }
    }
    found
}
