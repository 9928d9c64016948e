//! The ways in which a provider's stack may write a value, combined as the fuzz bytes say.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};

use crate::Draw;

/// How a text is written: one encoding or case, and up to four escapes or wraps around it.
#[derive(Debug)]
pub(crate) struct Writing {
    own: u8,
    layers: Vec<u8>,
    width: usize,
    invisible: char,
}

impl Writing {
    /// Reads seven bytes.
    pub(crate) fn draw(draw: &mut Draw<'_>) -> Self {
        let own = draw.byte();
        let count = usize::from(draw.byte() % 5);
        let layers = [0; 4].map(|_| draw.byte());
        let choice = draw.byte();
        let invisible = ['\u{ad}', '\u{200b}', '\u{feff}', '\u{2060}', '\0', '\u{e0041}'];
        Self {
            own,
            layers: layers.into_iter().take(count).collect(),
            width: usize::from(choice % 19) + 1,
            invisible: invisible[usize::from(choice) % invisible.len()],
        }
    }

    /// The same, but with only a case, or nothing, as the innermost.
    pub(crate) fn without_encodings(mut self) -> Self {
        self.own = self.own % 4 + 8;
        self
    }

    pub(crate) fn write(&self, text: &str) -> String {
        let own = self.own(text);
        // An escape has up to eight characters, four times over: a longer text is not escaped
        // again.
        let long = |text: &str| text.len() > 1_000;
        let wrap =
            |text: String, layer: &u8| if long(&text) { text } else { self.layer(*layer, &text) };
        self.layers.iter().fold(own, wrap)
    }

    /// The text in its innermost encoding, without the layers around it.
    pub(crate) fn own(&self, text: &str) -> String {
        let before = |count: u8| ["", "i", "id"][usize::from(count % 3)].to_owned() + text;
        match self.own % 12 {
            0 | 8 => text.to_owned(),
            1 => text.bytes().map(|byte| format!("{byte:02x}")).collect(),
            2 => text.bytes().map(|byte| format!("{byte:02X}")).collect(),
            own @ 3..6 => STANDARD_NO_PAD.encode(before(own)),
            own @ 6..8 => URL_SAFE_NO_PAD.encode(before(own)),
            9 => text.to_uppercase(),
            10 => text.to_lowercase(),
            _ => text
                .chars()
                .enumerate()
                .flat_map(|(at, c)| {
                    if at % 2 == 0 {
                        c.to_uppercase().collect::<Vec<_>>()
                    } else {
                        c.to_lowercase().collect()
                    }
                })
                .collect(),
        }
    }

    fn layer(&self, layer: u8, text: &str) -> String {
        match layer % 17 {
            0 => in_json(text).replace('/', "\\/"),
            1 => signs(text, |c| format!("&#{};", u32::from(c))),
            2 => signs(text, |c| format!("&#x{:X};", u32::from(c))),
            3 => text.bytes().map(|byte| format!("%{byte:02X}")).collect(),
            4 => signs(text, percent),
            5 => signs(text, unicode),
            6 => text.chars().map(unicode).collect(),
            7 => signs(text, |c| {
                if c.is_ascii() { format!("\\x{:02x}", u32::from(c)) } else { c.into() }
            }),
            8 => text.chars().flat_map(|c| [c, self.invisible]).collect(),
            9 => self.quoted_printable(text),
            10 => wrapped(text, self.width, "\n"),
            11 => text.chars().map(named).collect(),
            12 => text.chars().map(|c| format!("&#{:05};", u32::from(c))).collect(),
            // Browsers accept it without the semicolon too.
            13 => signs(text, |c| {
                // The number of a control character, followed by a digit, would be another number.
                let end = if c.is_ascii_graphic() { "" } else { ";" };
                format!("&#{}{end}", u32::from(c))
            }),
            14 => signs(text, |c| format!("\\u{{{:x}}}", u32::from(c))),
            15 => signs(text, |c| if "\"'/\\`".contains(c) { format!("\\{c}") } else { c.into() }),
            _ => text.chars().map(|c| format!("&#x{:x};", u32::from(c))).collect(),
        }
    }

    fn quoted_printable(&self, text: &str) -> String {
        let is_plain = |byte: u8| matches!(byte, b' '..=b'~') && byte != b'=';
        let bytes = text.bytes().map(|byte| {
            if is_plain(byte) { char::from(byte).into() } else { format!("={byte:02X}") }
        });
        bytes
            .collect::<Vec<_>>()
            .chunks(self.width)
            .map(<[_]>::concat)
            .collect::<Vec<_>>()
            .join("=\r\n")
    }
}

/// A text as the content of a JSON string.
pub(crate) fn in_json(text: &str) -> String {
    let quoted = serde_json::to_string(text).expect("a text");
    quoted[1..quoted.len() - 1].to_owned()
}

/// Escapes everything but ASCII letters and digits.
fn signs(text: &str, escape: impl Fn(char) -> String) -> String {
    text.chars().map(|c| if c.is_ascii_alphanumeric() { c.into() } else { escape(c) }).collect()
}

fn percent(c: char) -> String {
    c.encode_utf8(&mut [0; 4]).bytes().map(|byte| format!("%{byte:02x}")).collect()
}

fn unicode(c: char) -> String {
    c.encode_utf16(&mut [0; 2]).iter().map(|unit| format!("\\u{unit:04x}")).collect()
}

fn named(c: char) -> String {
    match c {
        '&' => "&amp;".into(),
        '<' => "&lt;".into(),
        '>' => "&gt;".into(),
        '"' => "&quot;".into(),
        '\'' => "&apos;".into(),
        '/' => "&sol;".into(),
        '=' => "&equals;".into(),
        '\u{e9}' => "&eacute;".into(),
        '\u{df}' => "&szlig;".into(),
        c => c.into(),
    }
}

fn wrapped(text: &str, width: usize, with: &str) -> String {
    let signs: Vec<char> = text.chars().collect();
    signs.chunks(width).map(String::from_iter).collect::<Vec<_>>().join(with)
}

/// Only the letters and digits, in one case: the part of a secret that must not show.
pub(crate) fn folded(text: &str) -> String {
    let letters = text.chars().filter(|c| c.is_alphanumeric());
    letters.flat_map(char::to_uppercase).flat_map(char::to_lowercase).collect()
}
