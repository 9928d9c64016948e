//! The encodings in which a secret may appear.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE_NO_PAD};

/// One encoding.
#[derive(Clone, Copy, Debug)]
pub struct Form {
    /// Its name.
    pub name: &'static str,
    /// Encodes a text.
    pub write: fn(&str) -> String,
    /// How many letters and digits of the encoded text stand for eight of the secret.
    pub run: usize,
}

const fn form(name: &'static str, run: usize, write: fn(&str) -> String) -> Form {
    Form { name, write, run }
}

/// All of them.
pub const FORMS: &[Form] = &[
    // As it is, or nearly.
    form("raw", 8, str::to_owned),
    form("in upper case", 8, str::to_uppercase),
    form("in lower case", 8, str::to_lowercase),
    form("without its first character", 8, |s| s.chars().skip(1).collect()),
    form("without its last character", 8, |s| {
        let mut cut = s.to_owned();
        cut.pop();
        cut
    }),
    form("backwards", 8, |s| s.chars().rev().collect()),
    form("with soft hyphens inside", 8, |s| between(s, "\u{ad}")),
    form("with zero widths inside", 8, |s| between(s, "\u{200b}")),
    form("with direction marks inside", 8, |s| between(s, "\u{202e}")),
    form("with line breaks inside", 8, |s| wrapped(s, 5, "\r\n")),
    form("with blanks inside", 8, |s| between(s, " ")),
    form("with dots inside", 8, |s| between(s, ".")),
    form("with NULs inside (UTF-16 read as bytes)", 8, |s| between(s, "\0")),
    form("with a backslash before each sign", 8, |s| signs(s, |c| format!("\\{c}"))),
    // Rust's own.
    form("as Rust's Debug", 8, |s| format!("{s:?}")),
    form("as Rust's Debug of Debug", 8, |s| format!("{:?}", format!("{s:?}"))),
    form("as Rust's escape_unicode", 32, |s| s.escape_unicode().to_string()),
    form("as Rust's escape_default", 8, |s| s.escape_default().to_string()),
    form("as a list of bytes", 16, |s| format!("{:?}", s.as_bytes())),
    form("as a list of bytes in hexadecimal", 16, |s| format!("{:02x?}", s.as_bytes())),
    form("as a list of bytes with 0x", 24, |s| each(s, |b| format!("0x{b:02X}, "))),
    form("as a list of characters", 8, |s| format!("{:?}", s.chars().collect::<Vec<_>>())),
    // JSON and the languages like it.
    form("as JSON", 8, json),
    form("as JSON with \\/", 8, |s| json(s).replace('/', "\\/")),
    form("as JSON in JSON", 8, |s| json(&json(s).replace('/', "\\/"))),
    form("as JSON, signs by number", 12, |s| signs(s, |c| format!("\\u{:04x}", u32::from(c)))),
    form("as JSON, signs by number, twice", 12, |s| {
        json(&signs(s, |c| format!("\\u{:04X}", u32::from(c))))
    }),
    form("as JSON, all by number", 40, |s| all(s, |c| format!("\\u{:04x}", u32::from(c)))),
    form("with \\x", 24, |s| each(s, |b| format!("\\x{b:02x}"))),
    form("with octal numbers", 24, |s| each(s, |b| format!("\\{b:03o}"))),
    // HTML.
    form("as HTML", 12, html),
    form("as HTML without semicolons", 12, |s| html(s).replace(';', "")),
    form("as HTML twice", 15, |s| html(&html(s))),
    form("as HTML, signs in decimal", 12, |s| signs(s, |c| format!("&#{};", u32::from(c)))),
    form("as HTML, signs in decimal, no semicolons", 12, |s| {
        signs(s, |c| format!("&#{}", u32::from(c)))
    }),
    form("as HTML, signs in decimal with zeros", 14, |s| {
        signs(s, |c| format!("&#{:05};", u32::from(c)))
    }),
    form("as HTML, signs in hexadecimal", 12, |s| signs(s, |c| format!("&#x{:x};", u32::from(c)))),
    form("as HTML, signs in hexadecimal, no semicolons", 12, |s| {
        signs(s, |c| format!("&#x{:X}", u32::from(c)))
    }),
    form("as HTML, all in decimal", 16, |s| all(s, |c| format!("&#{};", u32::from(c)))),
    form("as HTML, all in hexadecimal", 24, |s| all(s, |c| format!("&#X{:X};", u32::from(c)))),
    form("as HTML in a URL", 15, |s| percent(&html(s), "%", false)),
    // URLs and mail.
    form("in a URL", 12, |s| percent(s, "%", false)),
    form("in a URL, lower case", 12, |s| percent(s, "%", false).to_lowercase()),
    form("in a URL twice", 12, |s| percent(&percent(s, "%", false), "%", false)),
    form("in a URL three times", 16, |s| {
        percent(&percent(&percent(s, "%", false), "%", false), "%", false)
    }),
    form("in a URL, all escaped", 16, |s| percent(s, "%", true)),
    form("in a URL, all escaped twice", 32, |s| percent(s, "%25", true)),
    form("quoted-printable", 12, |s| percent(s, "=", false)),
    form("quoted-printable, all escaped", 16, |s| percent(s, "=", true)),
    form("quoted-printable with soft breaks", 8, |s| wrapped(&s.replace('=', "=3D"), 7, "=\r\n")),
    // Encodings.
    form("base64", 10, |s| STANDARD.encode(s)),
    form("base64 for URLs", 10, |s| URL_SAFE_NO_PAD.encode(s)),
    form("base64, one byte in", 10, |s| within(s, 1, 2)),
    form("base64, two bytes in", 10, |s| within(s, 2, 3)),
    form("base64 as a list of bytes", 24, |s| format!("{:?}", STANDARD.encode(s).as_bytes())),
    form("base64 in lines", 10, |s| wrapped(&STANDARD.encode(s), 16, "\r\n")),
    form("base64 in a URL", 12, |s| percent(&STANDARD.encode(s), "%", false)),
    form("base64 twice", 14, |s| STANDARD.encode(STANDARD.encode(s))),
    form("base64 of UTF-16", 22, |s| STANDARD.encode(utf16(s))),
    form("hexadecimal", 16, |s| each(s, |b| format!("{b:02x}"))),
    form("hexadecimal, upper case", 16, |s| each(s, |b| format!("{b:02X}"))),
    form("hexadecimal with colons", 16, |s| each(s, |b| format!("{b:02x}:"))),
    form("hexadecimal of UTF-16", 32, |s| {
        utf16(s).iter().fold(String::new(), |mut text, b| {
            write!(text, "{b:02x}").unwrap();
            text
        })
    }),
    // Pieces.
    form("eight letters at the start", 8, |s| run(s, 0)),
    form("eight letters in the middle", 8, |s| run(s, s.len() / 3)),
];

/// Whether a form is only a part of the text. Parts of an identifier are no leak.
#[must_use]
pub fn is_piece(form: &Form) -> bool {
    form.name.starts_with("without") || form.name.starts_with("eight")
}

/// Whether a provider's server may write it so. None writes backwards; that form is here so that
/// our own code cannot pass the hunt by reversing a text.
#[must_use]
pub fn is_a_servers(form: &Form) -> bool {
    form.name != "backwards"
}

fn between(text: &str, filler: &str) -> String {
    text.chars().map(String::from).collect::<Vec<_>>().join(filler)
}

fn wrapped(text: &str, width: usize, end: &str) -> String {
    let letters: Vec<_> = text.chars().collect();
    letters.chunks(width).map(String::from_iter).collect::<Vec<_>>().join(end)
}

fn all(text: &str, escape: impl Fn(char) -> String) -> String {
    text.chars().map(escape).collect()
}

fn signs(text: &str, escape: impl Fn(char) -> String) -> String {
    all(text, |c| if c.is_alphanumeric() { c.into() } else { escape(c) })
}

fn each(text: &str, escape: impl Fn(u8) -> String) -> String {
    text.bytes().map(escape).collect()
}

fn json(text: &str) -> String {
    let quoted = serde_json::to_string(text).unwrap();
    quoted[1..quoted.len() - 1].to_owned()
}

fn html(text: &str) -> String {
    signs(text, |c| match c {
        '&' => "&amp;".to_owned(),
        '<' => "&lt;".to_owned(),
        '"' => "&quot;".to_owned(),
        '\'' => "&apos;".to_owned(),
        '/' => "&sol;".to_owned(),
        '=' => "&equals;".to_owned(),
        other => other.to_string(),
    })
}

fn percent(text: &str, mark: &str, is_all: bool) -> String {
    each(text, |b| {
        let is_plain = b.is_ascii_alphanumeric() || b"-._~".contains(&b);
        if is_plain && !is_all { char::from(b).into() } else { format!("{mark}{b:02X}") }
    })
}

/// The base64 characters that the text fully determines if other bytes precede it.
fn within(text: &str, before: usize, tainted: usize) -> String {
    let input = "x".repeat(before) + text;
    let encoded = STANDARD_NO_PAD.encode(&input);
    let own = encoded.len() - usize::from(!input.len().is_multiple_of(3));
    encoded[tainted..own].to_owned()
}

fn utf16(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

/// Eight letters and digits in a row, and the symbols between them.
fn run(text: &str, from: usize) -> String {
    let mut left = 8;
    let mut taken = String::new();
    for c in text[from..].chars() {
        if left == 0 {
            break;
        }
        left -= usize::from(c.is_alphanumeric());
        taken.push(c);
    }
    taken
}
