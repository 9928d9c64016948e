//! Decodes base64, hexadecimal, and lists of numbers (as many languages print bytes) inside a text.
//!
//! A run is only decoded if the result is text again: a word of prose is valid base64 too, but not
//! of text.

use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use zeroize::Zeroizing;

use super::{WipedBuffer, lossy};

/// The shortest runs of base64 and hexadecimal that are decoded: eight bytes.
const SHORTEST_BASE64: usize = 11;
const SHORTEST_HEX: usize = 16;
/// The fewest numbers in a row that are read as bytes.
const FEWEST: usize = 4;

/// Accepts base64 of any stack: with or without padding, with any trailing bits.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// Base64 in either alphabet.
pub(super) fn base64(text: &str) -> Zeroizing<String> {
    let is_letter = |b: u8| b.is_ascii_alphanumeric() || b"+/-_".contains(&b);
    runs(text, SHORTEST_BASE64, is_letter, |run| {
        let mut letters = Zeroizing::new(run.to_vec());
        if letters.len() % 4 == 1 {
            letters.pop(); // not a whole byte
        }
        for letter in letters.iter_mut() {
            *letter = match *letter {
                b'-' => b'+',
                b'_' => b'/',
                other => other,
            };
        }
        LENIENT.decode(&*letters).ok().map(Zeroizing::new)
    })
}

/// Hexadecimal without separators.
pub(super) fn hex(text: &str) -> Zeroizing<String> {
    runs(
        text,
        SHORTEST_HEX,
        |b| b.is_ascii_hexdigit(),
        |run| {
            let digit =
                |b: &u8| char::from(*b).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
            let byte = |pair: &[u8]| match pair {
                [high, low] => Some(digit(high)? << 4 | digit(low)?),
                _ => None,
            };
            // Allocated at once: collecting into an `Option` would grow, and leave copies behind.
            let mut bytes = Zeroizing::new(Vec::with_capacity(run.len() / 2));
            for pair in run.chunks(2) {
                bytes.push(byte(pair)?);
            }
            Some(bytes)
        },
    )
}

/// Decodes each run of such bytes that decodes to text.
fn runs(
    text: &str,
    shortest: usize,
    belongs: impl Fn(u8) -> bool,
    decode: impl Fn(&[u8]) -> Option<Zeroizing<Vec<u8>>>,
) -> Zeroizing<String> {
    // A decoded run is never longer than its encoding, so the buffer never grows.
    let mut plain = Zeroizing::new(Vec::with_capacity(text.len()));
    let mut rest = text.as_bytes();
    while !rest.is_empty() {
        let length = rest.iter().take_while(|b| belongs(**b)).count();
        let (run, after) = rest.split_at(length);
        let decoded = if length < shortest { None } else { decode(run) };
        let decoded = decoded.filter(|bytes| is_text(bytes));
        plain.extend_from_slice(decoded.as_ref().map_or(run, |bytes| bytes));
        let between = after.iter().take_while(|b| !belongs(**b)).count();
        let (between, after) = after.split_at(between);
        plain.extend_from_slice(between);
        rest = after;
    }
    lossy(&plain)
}

/// Whether bytes are text. NULs are allowed, for UTF-16.
fn is_text(bytes: &[u8]) -> bool {
    std::str::from_utf8(bytes).is_ok_and(|text| text.chars().all(is_plain))
}

fn is_plain(c: char) -> bool {
    !c.is_control() || matches!(c, '\0' | '\t' | '\r' | '\n')
}

/// Lists of bytes: `[107, 51]`, `0x6B 0x33`, `107;51`, and with signs, as Java prints them.
pub(super) fn numbers(text: &str) -> Zeroizing<String> {
    let mut plain = Zeroizing::new(Vec::with_capacity(text.len()));
    let mut rest = text.as_bytes();
    let mut is_start = true;
    while let Some((&first, after)) = rest.split_first() {
        let is_number = is_start && (first.is_ascii_digit() || first == b'-');
        let used = if is_number { list(rest, &mut plain) } else { 0 };
        if used > 0 {
            rest = rest.get(used..).unwrap_or_default();
            is_start = false;
        } else {
            plain.push(first);
            rest = after;
            is_start = !first.is_ascii_alphanumeric();
        }
    }
    lossy(&plain)
}

/// Appends the list at the start of a text, and returns its length. The bytes that are text are decoded;
/// the numbers in between stay. No number is read twice, so that a long list does not take long.
fn list(text: &[u8], plain: &mut Vec<u8>) -> usize {
    let (mut bytes, mut places, mut used) = (WipedBuffer::default(), Vec::new(), 0);
    loop {
        let rest = text.get(used..).unwrap_or_default();
        let gap = rest.iter().take_while(|b| b",;:| \t\r\n".contains(b)).count();
        let is_next = if used == 0 { gap == 0 } else { (1..=4).contains(&gap) };
        let next = number(rest.get(gap..).unwrap_or_default()).filter(|_| is_next);
        let Some((byte, length)) = next else { break };
        bytes.extend_from_slice(&[byte]);
        places.push((used + gap, used + gap + length));
        used += gap + length;
    }
    let (mut at, mut written) = (0, 0);
    for chunk in bytes.as_slice().utf8_chunks() {
        for part in chunk.valid().split_inclusive(|c| !is_plain(c)) {
            let own = part.strip_suffix(|c| !is_plain(c)).unwrap_or(part);
            let (start, end) = (places.get(at), places.get((at + own.len()).saturating_sub(1)));
            if let (true, Some((start, _)), Some((_, end))) = (own.len() >= FEWEST, start, end) {
                plain.extend_from_slice(text.get(written..*start).unwrap_or_default());
                plain.extend_from_slice(own.as_bytes());
                written = *end;
            }
            at += part.len();
        }
        at += chunk.invalid().len();
    }
    plain.extend_from_slice(text.get(written..used).unwrap_or_default());
    used
}

/// A number that is a byte, with a sign or without, and its length.
fn number(text: &[u8]) -> Option<(u8, usize)> {
    let Some(after) = text.strip_prefix(b"-") else {
        return unsigned(text);
    };
    let (size, length) = unsigned(after).filter(|(size, _)| (1..=128).contains(size))?;
    Some((size.wrapping_neg(), length + 1))
}

fn unsigned(text: &[u8]) -> Option<(u8, usize)> {
    let length = text.iter().take_while(|b| b.is_ascii_alphanumeric()).take(5).count();
    let digits = std::str::from_utf8(text.get(..length)?).ok()?;
    let hex = digits.strip_prefix("0x").or_else(|| digits.strip_prefix("0X"));
    let byte = hex.map_or_else(|| digits.parse(), |hex| u8::from_str_radix(hex, 16)).ok()?;
    Some((byte, length))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encoded_text_is_decoded_and_everything_else_is_kept() {
        for (text, plain) in [
            ("is bWFkZS11cCZzZWNyZXQ= here", "is made-up&secret= here"),
            ("bWFkZS11cCZzZWNyZX", "made-up&secre"),
            ("YS9iP2M-ZC9lZj8_", "a/b?c>d/ef??"),
            (
                "internationalisation of telecommunications",
                "internationalisation of telecommunications",
            ),
            ("short: YWJj", "short: YWJj"),
        ] {
            assert_eq!(*base64(text), plain, "{text}");
        }
        for (text, plain) in [
            ("x6d6164652d7570267365", "xmade-up&se"),
            ("(6D6164652d7570267365)", "(made-up&se)"),
            ("6d006100640065002d00", "m\0a\0d\0e\0-\0"),
            ("0123456789abcdef0", "0123456789abcdef0"),
        ] {
            assert_eq!(*hex(text), plain, "{text}");
        }
        for (text, plain) in [
            ("[109, 97, 100, 101]", "[made]"),
            ("0x6D 0x61,0X64;\n0x65!", "made!"),
            ("{109:97:100:101:45}", "{made-}"),
            ("[109, 97, 100]", "[109, 97, 100]"),
            ("line 1, 109, 97, 100, 101, 255, 2", "line 1, made, 255, 2"),
            ("[99, 97, 102, -61, -87]", "[caf\u{e9}]"),
            ("-300, --1, 2026-01-02", "-300, --1, 2026-01-02"),
            ("[109, 97, 100, 256]", "[109, 97, 100, 256]"),
            ("127.0.0.1, 2026-01-02 10:20:30", "127.0.0.1, 2026-01-02 10:20:30"),
            ("x109, 97, 100, 101", "x109, 97, 100, 101"),
        ] {
            assert_eq!(*numbers(text), plain, "{text}");
        }
    }
}
