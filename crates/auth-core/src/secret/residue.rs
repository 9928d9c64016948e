//! Whether a text still shows a secret, however it is written.
//!
//! Two texts are compared by their letters and digits alone, in lower case, so no wrap, quote or
//! invisible character hides anything. The escapes that the providers' stacks know are undone
//! first: JSON, HTML, percent, quoted-printable, and those inside each other.

use std::collections::HashSet;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use zeroize::Zeroizing;

use super::scrub::is_invisible;

/// The shortest run of a secret's letters and digits that gives it away.
const RUN: usize = 8;
/// As many bytes in base64, and in hexadecimal.
const RUN_BASE64: usize = 11;
const RUN_HEX: usize = 16;
/// Escapes inside escapes that are undone.
const DEPTH: usize = 8;

/// What to look for.
#[derive(Default)]
pub(super) struct Residue {
    /// Folded texts, each looked for by any run of so many of its bytes.
    runs: Vec<(Zeroizing<Vec<u8>>, usize)>,
    /// Texts that are looked for as they are, once escapes are undone.
    raw: Vec<Zeroizing<String>>,
}

impl Residue {
    /// Looks for a secret: by any run of eight of its letters and digits, or as a whole where it
    /// has fewer; by its text where it has fewer than four.
    pub(super) fn add_secret(&mut self, secret: &str) {
        let folded = fold(secret.chars());
        if folded.len() < 4 {
            self.raw.push(Zeroizing::new(secret.to_owned()));
            return;
        }
        let run = folded.len().min(RUN);
        self.runs.push((folded, run));
        let bytes = secret.as_bytes();
        let mut hex = Zeroizing::new(String::with_capacity(2 * bytes.len()));
        for byte in bytes {
            for nibble in [byte >> 4, byte & 15] {
                hex.extend(char::from_digit(u32::from(nibble), 16));
            }
        }
        self.add_run(fold(hex.chars()), RUN_HEX);
        // The letters of base64 depend on where in the input the secret begins, modulo 3.
        for (before, tainted) in [(0, 0), (1, 2), (2, 3)] {
            let mut input = Zeroizing::new(Vec::with_capacity(before + bytes.len()));
            input.resize(before, 0);
            input.extend_from_slice(bytes);
            let encoded = Zeroizing::new(STANDARD_NO_PAD.encode(&*input));
            let whole = encoded.len() - usize::from(input.len() % 3 != 0);
            self.add_run(fold(encoded.chars().take(whole).skip(tainted)), RUN_BASE64);
        }
    }

    /// Looks for an identifier, as a whole.
    pub(super) fn add_whole(&mut self, id: &str) {
        let folded = fold(id.chars());
        let whole = folded.len();
        self.add_run(folded, whole);
    }

    fn add_run(&mut self, folded: Zeroizing<Vec<u8>>, run: usize) {
        if folded.len() >= 6 {
            let run = run.min(folded.len());
            self.runs.push((folded, run));
        }
    }

    /// Whether the text shows any of it.
    pub(super) fn is_in(&self, text: &str) -> bool {
        let runs: Vec<(usize, HashSet<&[u8]>)> =
            self.runs.iter().map(|(folded, run)| (*run, folded.windows(*run).collect())).collect();
        let shows = |text: &str| {
            let folded = fold(text.chars());
            runs.iter().any(|(run, known)| folded.windows(*run).any(|part| known.contains(part)))
                || self.raw.iter().any(|raw| text.contains(raw.as_str()))
        };
        // `secret=ab` is no quoted-printable and `=3D` may be; a wrap may stand inside an escape.
        [Reading::Plain, Reading::Unwrapped, Reading::QuotedPrintable].into_iter().any(|reading| {
            let mut text = Zeroizing::new(text.to_owned());
            for _ in 0..DEPTH {
                if shows(&text) {
                    return true;
                }
                let plain = undo(&joined(&text, reading), reading);
                if *plain == *text {
                    return false;
                }
                text = plain;
            }
            shows(&text)
        })
    }
}

/// How a text may have been wrapped.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Reading {
    Plain,
    Unwrapped,
    QuotedPrintable,
}

/// The text without what stands between the signs of an escape: invisible characters, and wraps.
fn joined(text: &str, reading: Reading) -> Zeroizing<String> {
    let mut joined = Zeroizing::new(String::with_capacity(text.len()));
    let mut soft_break = false;
    let mut signs = text.chars().filter(|c| !is_invisible(*c)).peekable();
    while let Some(c) = signs.next() {
        let breaks = c == '=' && signs.peek().is_some_and(|next| next.is_whitespace());
        let dropped = match reading {
            Reading::Plain => false,
            Reading::Unwrapped => c.is_whitespace(),
            Reading::QuotedPrintable => breaks || (soft_break && c.is_whitespace()),
        };
        soft_break = breaks || (soft_break && c.is_whitespace());
        if !dropped {
            joined.push(c);
        }
    }
    joined
}

/// The letters and digits alone, in lower case.
fn fold(text: impl Iterator<Item = char>) -> Zeroizing<Vec<u8>> {
    let text = Zeroizing::new(text.collect::<Vec<char>>());
    let mut folded = Zeroizing::new(Vec::with_capacity(4 * text.len()));
    for c in text.iter().filter(|c| c.is_alphanumeric()) {
        let mut utf8 = [0; 4];
        for lower in c.to_lowercase() {
            folded.extend_from_slice(lower.encode_utf8(&mut utf8).as_bytes());
        }
    }
    folded
}

/// The text with one layer of escapes undone.
fn undo(text: &str, reading: Reading) -> Zeroizing<String> {
    let bytes = text.as_bytes();
    // No escape is shorter than what it stands for, so the buffer never grows.
    let mut plain = Zeroizing::new(Vec::with_capacity(bytes.len()));
    let mut rest = bytes;
    while let Some((&first, after)) = rest.split_first() {
        let undone = match first {
            b'\\' => backslash(after),
            b'&' => entity(after),
            b'%' => hex_byte(after).map(|(byte, used)| (Some(Plain::Byte(byte)), used)),
            b'=' if reading == Reading::QuotedPrintable => {
                hex_byte(after).map(|(byte, used)| (Some(Plain::Byte(byte)), used))
            }
            _ => None,
        };
        match undone {
            Some((stands_for, used)) => {
                match stands_for {
                    Some(Plain::Byte(byte)) => plain.push(byte),
                    Some(Plain::Char(c)) => {
                        plain.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
                    }
                    None => {}
                }
                rest = after.get(used..).unwrap_or_default();
            }
            None => {
                plain.push(first);
                rest = after;
            }
        }
    }
    Zeroizing::new(String::from_utf8_lossy(&plain).into_owned())
}

enum Plain {
    Byte(u8),
    Char(char),
}

/// What an escape stands for, and how many bytes it takes after its first one.
type Undone = Option<(Option<Plain>, usize)>;

/// JSON's, and those of languages that print like it.
fn backslash(after: &[u8]) -> Undone {
    match *after.first()? {
        b'u' => {
            let code = number(after.get(1..5)?, 16)?;
            // Half of a surrogate pair stands for no letter or digit that a secret has.
            Some((char::from_u32(code).map(Plain::Char), 5))
        }
        b'x' => hex_byte(after.get(1..)?).map(|(byte, used)| (Some(Plain::Byte(byte)), used + 1)),
        b'n' | b'r' | b't' | b'b' | b'f' => Some((Some(Plain::Byte(b' ')), 1)),
        sign @ (b'"' | b'\'' | b'/' | b'\\' | b'`' | b'&' | b'<' | b'>') => {
            Some((Some(Plain::Byte(sign)), 1))
        }
        _ => None,
    }
}

/// HTML's, with and without the semicolon.
fn entity(after: &[u8]) -> Undone {
    if let Some(digits) = after.strip_prefix(b"#") {
        let (digits, radix, prefix) = match digits.split_first() {
            Some((b'x' | b'X', digits)) => (digits, 16, 2),
            _ => (digits, 10, 1),
        };
        let most = if radix == 16 { 6 } else { 7 };
        let is_digit = |byte: &&u8| char::from(**byte).is_digit(radix);
        let length = digits.iter().take(most).take_while(is_digit).count();
        let code = number(digits.get(..length)?, radix)?;
        let semicolon = usize::from(digits.get(length) == Some(&b';'));
        return Some((char::from_u32(code).map(Plain::Char), prefix + length + semicolon));
    }
    // Their letters would stand between the secret's; which sign they are does not matter.
    const NAMES: [&str; 24] = [
        "amp", "quot", "apos", "lt", "gt", "nbsp", "sol", "bsol", "plus", "equals", "lowbar",
        "colon", "semi", "comma", "period", "excl", "num", "dollar", "percnt", "ast", "quest",
        "commat", "hyphen", "shy",
    ];
    let name = NAMES.iter().find(|name| {
        after.get(..name.len()).is_some_and(|start| start.eq_ignore_ascii_case(name.as_bytes()))
    })?;
    let sign = match *name {
        "amp" => b'&',
        "percnt" => b'%',
        "equals" => b'=',
        "bsol" => b'\\',
        _ => b' ',
    };
    let semicolon = usize::from(after.get(name.len()) == Some(&b';'));
    Some((Some(Plain::Byte(sign)), name.len() + semicolon))
}

fn hex_byte(after: &[u8]) -> Option<(u8, usize)> {
    let code = number(after.get(..2)?, 16)?;
    Some((u8::try_from(code).ok()?, 2))
}

fn number(digits: &[u8], radix: u32) -> Option<u32> {
    if !digits.iter().all(|byte| char::from(*byte).is_digit(radix)) {
        return None; // a sign is none
    }
    u32::from_str_radix(std::str::from_utf8(digits).ok()?, radix).ok()
}
