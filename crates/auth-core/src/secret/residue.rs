//! Whether a text still shows part of a secret, in any encoding.
//!
//! Only letters and digits are compared, in lower case, so that no line wrap, quote or invisible
//! character hides anything. The escapes of the providers' stacks are undone first, one layer at a
//! time and in every order, since each may be nested in another.

use std::collections::HashSet;
use std::hash::{BuildHasher as _, RandomState};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use zeroize::Zeroizing;

use super::replaced;
use super::unescape::LAYERS;

/// The shortest run of a secret's letters and digits that counts as a leak.
const RUN: usize = 8;
/// The same run in base64 (only characters that it fully determines), and in hexadecimal.
const RUN_BASE64: usize = 9;
const RUN_HEX: usize = 16;
/// Shorter folded texts may be an ordinary word.
const SHORTEST_FOLDED: usize = 6;
/// How many nested layers of escapes are undone.
const DEPTH: usize = 8;
/// How many bytes are searched over all readings of a text. A text with more is withheld.
const BUDGET: usize = 1024 * 1024;

/// The texts to search for.
#[derive(Default)]
pub(super) struct Residue {
    /// Folded texts, each with the length of run that counts as a match.
    runs: Vec<(Zeroizing<Vec<u8>>, usize)>,
    /// Texts to match exactly, except for whitespace.
    raw: Vec<Zeroizing<String>>,
}

impl Residue {
    /// Searches for a secret: any run of eight of its letters and digits; all of them if it has
    /// fewer; its exact text if it has fewer than four.
    pub(super) fn add_secret(&mut self, secret: &str) {
        let folded = fold(secret);
        if folded.len() < 4 {
            let squeezed = squeezed(secret);
            if !squeezed.is_empty() {
                self.raw.push(squeezed);
            }
            return;
        }
        let run = folded.len().min(RUN);
        self.push(folded, run);
        if !secret.is_ascii() {
            // Where a server knows no more signs, it writes a question mark for each.
            let ascii = super::unescape::without(secret, |c| !c.is_ascii());
            self.add_run(fold(&ascii), RUN);
        }
        self.add_run(fold(&hex(secret)), RUN_HEX);
        for encoded in base64_within(secret) {
            if fold(&encoded).len() < SHORTEST_FOLDED {
                self.add_letters(&encoded);
            } else {
                self.add_run(fold(&encoded), RUN_BASE64);
            }
        }
    }

    /// Searches for the base64 of a short secret, in either alphabet and case-sensitively: folded,
    /// or all in lower case, it could be an ordinary word.
    fn add_letters(&mut self, part: &str) {
        if part.bytes().skip(1).any(|byte| !byte.is_ascii_lowercase()) {
            self.raw.push(Zeroizing::new(part.to_owned()));
            self.raw.push(replaced(&replaced(part, "+", "-"), "/", "_"));
        }
    }

    /// Searches for an identifier or a pair as a whole, and for its base64 and hexadecimal.
    pub(super) fn add_whole(&mut self, id: &str) {
        let [first, second, third] = base64_within(id);
        for text in [first, second, third, hex(id), Zeroizing::new(id.to_owned())] {
            let folded = fold(&text);
            let whole = folded.len();
            self.add_run(folded, whole);
        }
    }

    fn add_run(&mut self, folded: Zeroizing<Vec<u8>>, run: usize) {
        if folded.len() >= SHORTEST_FOLDED {
            let run = run.min(folded.len());
            self.push(folded, run);
        }
    }

    /// Adds a folded text, and what is left of it where a text is read without equals signs.
    fn push(&mut self, folded: Zeroizing<Vec<u8>>, run: usize) {
        let rest = without_equals_signs(&folded);
        if rest.len() < folded.len() && rest.len() >= SHORTEST_FOLDED {
            let run = run.min(rest.len());
            self.runs.push((rest, run));
        }
        self.runs.push((folded, run));
    }

    /// Whether the text shows any of these, or has more readings than the budget allows.
    pub(super) fn is_in(&self, text: &str) -> bool {
        self.is_within(text, BUDGET)
    }

    /// The same, with a budget of its own.
    pub(super) fn is_within(&self, text: &str, budget: usize) -> bool {
        if self.runs.is_empty() && self.raw.is_empty() {
            return false;
        }
        // A whole may be long, and hashing it at each place of the text would take a long time.
        let (wholes, runs): (Vec<_>, Vec<_>) =
            self.runs.iter().partition(|(folded, run)| folded.len() == *run);
        let wholes: Vec<&str> =
            wholes.iter().filter_map(|(folded, _)| std::str::from_utf8(folded).ok()).collect();
        let runs: Vec<(usize, HashSet<&[u8]>)> =
            runs.iter().map(|(folded, run)| (*run, folded.windows(*run).collect())).collect();
        let has = |folded: &[u8]| {
            let letters = std::str::from_utf8(folded).unwrap_or_default();
            wholes.iter().any(|whole| letters.contains(whole))
                || runs.iter().any(|(run, known)| folded.windows(*run).any(|p| known.contains(p)))
        };
        let shows = |text: &str| {
            let folded = fold(text);
            has(&folded) || has(&without_equals_signs(&folded)) || self.shows_raw(text)
        };
        // Keeps hashes instead of readings, so that each reading is wiped after its layer.
        let hasher = RandomState::new();
        let mut seen = HashSet::from([hasher.hash_one(text)]);
        let mut layer = vec![Zeroizing::new(text.to_owned())];
        let mut looked_at = 0;
        for _ in 0..=DEPTH {
            let mut next = Vec::new();
            for text in &layer {
                // The text itself is always searched, at any length.
                if looked_at > 0 && looked_at + text.len() > budget {
                    return true;
                }
                looked_at += text.len().max(1);
                if shows(text) {
                    return true;
                }
                let undone = LAYERS.iter().map(|undo| undo(text));
                next.extend(undone.filter(|plain| seen.insert(hasher.hash_one(plain.as_str()))));
            }
            layer = next;
        }
        false
    }

    fn shows_raw(&self, text: &str) -> bool {
        if self.raw.is_empty() {
            return false;
        }
        let text = squeezed(text);
        self.raw.iter().any(|raw| text.contains(raw.as_str()))
    }
}

/// A text in hexadecimal.
fn hex(text: &str) -> Zeroizing<String> {
    let mut hex = Zeroizing::new(String::with_capacity(2 * text.len()));
    for byte in text.bytes() {
        for nibble in [byte >> 4, byte & 15] {
            hex.extend(char::from_digit(u32::from(nibble), 16));
        }
    }
    hex
}

/// The base64 characters that a text fully determines, for each offset of the text modulo 3.
fn base64_within(text: &str) -> [Zeroizing<String>; 3] {
    [(0, 0), (1, 2), (2, 3)].map(|(before, tainted)| {
        let mut input = Zeroizing::new(Vec::with_capacity(before + text.len()));
        input.resize(before, 0);
        input.extend_from_slice(text.as_bytes());
        let encoded = Zeroizing::new(STANDARD_NO_PAD.encode(&*input));
        let whole = encoded.len() - usize::from(input.len() % 3 != 0);
        Zeroizing::new(encoded.get(tainted..whole).unwrap_or_default().to_owned())
    })
}

/// A text without what a wrap leaves in it: blanks, and the equals sign of quoted-printable.
fn squeezed(text: &str) -> Zeroizing<String> {
    super::unescape::without(text, |c| c.is_whitespace() || c == '=')
}

/// Only the letters and digits, in lower case. Converted to upper case first, which maps a sharp s
/// to two letters and a final sigma to an ordinary one.
fn fold(text: &str) -> Zeroizing<Vec<u8>> {
    // At most three bytes for one (U+0390 has three characters in upper case), so it never grows.
    let mut folded = Zeroizing::new(Vec::with_capacity(3 * text.len()));
    if text.is_ascii() {
        let letters = text.bytes().filter(u8::is_ascii_alphanumeric);
        folded.extend(letters.map(|byte| byte.to_ascii_lowercase()));
        return folded;
    }
    let one_case = text.chars().flat_map(char::to_uppercase).flat_map(char::to_lowercase);
    for c in one_case.filter(|c| c.is_alphanumeric() && !super::charset::is_invisible(*c)) {
        folded.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
    }
    folded
}

/// A folded text without the `3d` that quoted-printable writes for an equals sign, at any depth
/// (`3d3d` is one of depth two) and wherever a line was broken inside it.
///
/// A `3d` of the secret itself goes too. Each one is removed like a pair of brackets, so a secret
/// and its encoding, which has more such pairs, leave the same rest.
fn without_equals_signs(folded: &[u8]) -> Zeroizing<Vec<u8>> {
    let mut rest = Zeroizing::new(Vec::with_capacity(folded.len()));
    for byte in folded {
        if *byte == b'd' && rest.last() == Some(&b'3') {
            rest.pop();
        } else {
            rest.push(*byte);
        }
    }
    rest
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use base64::engine::general_purpose::URL_SAFE_NO_PAD;

    use super::*;
    use crate::{Clock as _, Scrubber, SystemClock};

    /// One way in which a provider's stack may write a text.
    fn written(text: &str, how: u8, draw: &mut fastrand::Rng) -> String {
        let escaped = |escape: &dyn Fn(char) -> String| -> String {
            let plain = |c: char| c.is_alphanumeric();
            text.chars().map(|c| if plain(c) { c.into() } else { escape(c) }).collect()
        };
        match how {
            0 => serde_json::to_string(text).unwrap().trim_matches('"').replace('/', "\\/"),
            1 => escaped(&|c| format!("&#{};", u32::from(c))),
            2 => escaped(&|c| format!("&#x{:X};", u32::from(c))).replace("&#x26;", "&amp;"),
            3 => text.bytes().map(|b| format!("%{b:02X}")).collect(),
            4 => escaped(&|c| format!("\\u{:04x}", u32::from(c))),
            5 => text.chars().flat_map(|c| [c, '\u{ad}']).collect(),
            6 => {
                let line = draw.usize(3..9);
                // An escape is never broken (RFC 2045 section 6.7).
                let units = text.bytes().map(|byte| match byte {
                    b'=' | 0x80.. => format!("={byte:02X}"),
                    byte => char::from(byte).into(),
                });
                let wrapped = units.enumerate().map(|(at, unit)| {
                    if at % line == line - 1 { format!("=\r\n{unit}") } else { unit }
                });
                wrapped.collect()
            }
            7 => {
                let line = draw.usize(6..20);
                let wrap = |(at, c)| {
                    if at % line == line - 1 { format!("\n{c}") } else { String::from(c) }
                };
                text.chars().enumerate().map(wrap).collect()
            }
            8 => STANDARD_NO_PAD.encode(text),
            9 => text.bytes().map(|b| format!("{b}, ")).collect(),
            10 => text.chars().map(|c| format!("{}\0", c)).collect(),
            11 => text.bytes().map(|b| format!("\\{b:03o}")).collect(),
            // Applied once to the secret itself: encodings, upper case, a missing first or last
            // one.
            20 => text.bytes().map(|b| format!("{b:02x}")).collect(),
            21 => STANDARD_NO_PAD.encode(format!("{}{text}", "a".repeat(draw.usize(0..3)))),
            22 => URL_SAFE_NO_PAD.encode(format!("id:{text}")),
            23 => text.to_uppercase(),
            24 => text.chars().skip(1).collect(),
            25 => text.chars().take(text.chars().count() - 1).collect(),
            _ => text.to_owned(),
        }
    }

    #[test]
    fn no_combination_of_escapes_wraps_and_cases_shows_a_secret() {
        // The same draws each time: a test must not fail on some other change. The fuzz target
        // `scrubber` looks for new ones.
        let seed = 0;
        let mut draw = fastrand::Rng::with_seed(seed);
        let signs: Vec<char> = "abcXYZ0189defghijkmnop/+=-_&\"'%\\<( \u{e9}".chars().collect();
        for round in 0..2_000 {
            let length = draw.usize(14..40);
            let middle: String = (0..length).map(|_| signs[draw.usize(..signs.len())]).collect();
            let secret = format!("k3J{}9VqT", middle.trim());
            // A cut at either end leaves a run of eight.
            let own = draw.u8(20..30);
            let mut text = written(&secret, own, &mut draw);
            let around: Vec<u8> = (0..draw.usize(0..4)).map(|_| draw.u8(0..8)).collect();
            for how in &around {
                text = written(&text, *how, &mut draw);
            }
            let known = Scrubber::new([secret.as_str()]);
            let shown = known.clean(&format!("bad value {text} in line 7"), 99_999);
            let rest =
                shown.replace("bad value ", "").replace(" in line 7", "").replace("[redacted]", "");
            let left = rest.chars().filter(|c| c.is_alphanumeric()).count();
            assert!(
                left < 8,
                "seed {seed}, round {round}, {own} {around:?}: {secret:?} in {shown:?}"
            );
        }
    }

    #[test]
    fn secrets_that_the_fuzzer_got_through_are_now_found() {
        for (secret, echo) in [
            ("gro\u{df}e-stra\u{df}e", "GROSSE-STRASSE".to_owned()),
            ("\u{390}abc\u{130}defgh", "\u{390}abc\u{130}defgh".to_uppercase()),
            ("\u{1d400}bcdefgh", r"\ud835\udc00bcdefgh".to_owned()),
            (
                "caf\u{e9}-\u{20ac}\u{e9}l\u{e9}gant",
                "caf\u{c3}\u{a9}-\u{e2}\u{201a}\u{ac}\u{c3}\u{a9}l\u{c3}\u{a9}gant".to_owned(),
            ),
            ("\u{e9}t\u{e9}-abc-\u{e9}t\u{e9}", "&eacutet&eacute-abc-&eacutet&eacute".to_owned()),
            ("a ++ +b", "a +\n+ +\nb".to_owned()),
            ("k3J9/x2Vq", "k3J9&\0#\x004\x007\0;x2Vq".to_owned()),
            ("p\u{e4}ssw\u{f6}rd-1234", "p?ssw?rd-1234".to_owned()),
            ("p\u{e4}ssw\u{f6}rd-1234", "p\u{fffd}ssw\u{fffd}rd-1234".to_owned()),
            ("p\u{e4}ssw\u{f6}rd-1234", "p%E4ssw%F6rd%2D1234".to_owned()),
            ("k3J9/x2Vq/7Lw==", "k3J9%u002fx2Vq%u002f7Lw%u003d%u003d".to_owned()),
            ("k3J9/x2Vq/7Lw==", r"k3J9\x{2f}x2Vq\U0000002f7Lw==".to_owned()),
            ("k3J9/x2Vq/7Lw==", "k3J9/\u{1b}[1;31mx2V\u{1b}[0mq/7Lw==".to_owned()),
            // Quoted-printable twice, then wrapped: the breaks stand inside escapes.
            (
                "k3J-io=/+d=k9VqT",
                "k3J-io==\r\n3D=3D\n\r\n3=\r\nD/+d=3D=\r\n\n3=3D\r\nDk=3=\r\nD\r\n9VqT".to_owned(),
            ),
            ("ab=d9-xyz", "ab==\r\n3D=3D\n\r\n3=\r\nDd9-xyz".to_owned()),
            (
                "3d=cege=da",
                "3d=3D\n3=\r\nDc\n=3D\r\n=\n\r\nege=\n3D3=\r\n\nDd=3D\r\n\n=\r\na".to_owned(),
            ),
            ("ab9z", STANDARD_NO_PAD.encode("id:ab9z;")),
            ("ab9z", STANDARD_NO_PAD.encode("xid:ab9z;")),
            ("ab9z", STANDARD_NO_PAD.encode("xyid:ab9z;")),
        ] {
            let shown = Scrubber::new([secret]).scrub(&format!("bad {echo} here"));
            assert_eq!(shown, "[redacted]", "{secret}: {echo}");
        }
        // An ordinary word in lower case is not taken for the base64 of a secret.
        assert_eq!(Scrubber::new(["ab9z"]).scrub("bad value yji5ejs"), "bad value yji5ejs");
    }

    #[test]
    fn a_long_text_does_not_take_long() {
        let long: String =
            (0..10_000).map(|at| char::from(b"aB3dE5gH7jK9m"[at * 7 % 13])).collect();
        for secret in ["k3J9/x2Vq/7Lw==", &long] {
            let known = Scrubber::new([secret]).with_pair("merchant-0001", secret);
            // Escapes inside escapes, and lists of numbers that are no text.
            for part in ["%2525252541", "1 ", "200,", "65 66 67 68 1 ", "0x1 ", "-", "&a"] {
                let text = part.repeat(64 * 1024 / part.len());
                let began = SystemClock.monotonic();
                known.clean(&text, 512);
                let took = SystemClock.monotonic() - began;
                // Under a second unoptimised, or minutes; the rest is for a machine that has more to do.
                assert!(took < Duration::from_secs(30), "{part}: {took:?}");
            }
        }
    }
}
