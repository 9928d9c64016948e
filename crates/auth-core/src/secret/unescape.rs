//! Undoes the escapes that providers' stacks write, one layer at a time.

use zeroize::Zeroizing;

use super::charset::is_invisible;
use super::decode;
use super::lossy;

/// Undoes one layer; returns the same text if there is none.
type Undo = fn(&str) -> Zeroizing<String>;

/// Every known layer.
pub(super) const LAYERS: [Undo; 12] = [
    |text| {
        let text = undo(text, colour);
        without(&text, |c| is_invisible(c) || (c.is_control() && !c.is_whitespace()))
    },
    |text| without(text, char::is_whitespace), // a line may be wrapped inside an escape
    |text| undo(text, backslash),
    |text| undo(text, |text| entity(text, Digits::All)),
    |text| undo(text, |text| entity(text, Digits::OfAscii)),
    |text| undo(text, percent),
    |text| undo(text, quoted_printable),
    decode::base64,
    decode::hex,
    decode::numbers,
    |text| undo(text, misread),
    // A soft break of quoted-printable whose line end was removed by another layer.
    |text| undo(text, |text| text.starts_with(b"==").then_some((Plain::Nothing, 1))),
];

pub(super) fn without(text: &str, dropped: fn(char) -> bool) -> Zeroizing<String> {
    let mut kept = Zeroizing::new(String::with_capacity(text.len()));
    kept.extend(text.chars().filter(|c| !dropped(*c)));
    kept
}

/// The meaning of an escape, and its length in bytes.
type Undone = Option<(Plain, usize)>;

#[derive(Clone, Copy)]
enum Plain {
    Nothing,
    Byte(u8),
    Char(char),
}

/// Undoes each escape that `read` recognizes at the start of the rest.
fn undo(text: &str, read: impl Fn(&[u8]) -> Undone) -> Zeroizing<String> {
    // No escape is shorter than its meaning, so the buffer never grows.
    let mut plain = Zeroizing::new(Vec::with_capacity(text.len()));
    let mut rest = text.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        let (stands_for, used) = read(rest).unwrap_or((Plain::Byte(first), 1));
        match stands_for {
            Plain::Nothing => {}
            Plain::Byte(byte) => plain.push(byte),
            Plain::Char(c) => plain.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
        }
        rest = rest.get(used..).unwrap_or(after);
    }
    lossy(&plain)
}

/// Escapes of JSON, and of languages with a similar syntax.
fn backslash(text: &[u8]) -> Undone {
    let after = text.strip_prefix(b"\\")?;
    match *after.first()? {
        b'u' | b'x' if after.get(1) == Some(&b'{') => {
            let digits = digits(after.get(2..)?, 16, 6);
            let end = after.get(2 + digits.len());
            let code = number(digits, 16).filter(|_| end == Some(&b'}'))?;
            Some((sign(code), digits.len() + 4))
        }
        b'u' => {
            let first = number(after.get(1..5)?, 16)?;
            // A character beyond U+FFFF is a surrogate pair.
            let second = after.get(5..).and_then(|rest| rest.strip_prefix(b"\\u")?.get(..4));
            match second.and_then(|digits| number(digits, 16)) {
                Some(second @ 0xdc00..=0xdfff) if (0xd800..0xdc00).contains(&first) => {
                    let code = 0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00);
                    Some((sign(code), 12))
                }
                _ => Some((sign(first), 6)),
            }
        }
        b'U' => Some((sign(number(after.get(1..9)?, 16)?), 10)),
        b'x' | b'X' => hex_byte(after.get(1..)?).map(|(byte, used)| (byte, used + 2)),
        b'0'..=b'3' => {
            let code = number(after.get(..3)?, 8)?;
            Some((Plain::Byte(u8::try_from(code).ok()?), 4))
        }
        b'n' => Some((Plain::Byte(b'\n'), 2)),
        b'r' => Some((Plain::Byte(b'\r'), 2)),
        b't' | b'b' | b'f' => Some((Plain::Byte(b' '), 2)),
        quoted @ (b'"' | b'\'' | b'/' | b'\\' | b'`' | b'&' | b'<' | b'>') => {
            Some((Plain::Byte(quoted), 2))
        }
        _ => None,
    }
}

/// How many digits belong to a numeric entity without a semicolon.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Digits {
    /// All digits that follow, as in a browser.
    All,
    /// As many as an ASCII character needs: further digits may belong to the secret.
    OfAscii,
}

/// HTML entities, with and without the semicolon.
fn entity(text: &[u8], length: Digits) -> Undone {
    let after = text.strip_prefix(b"&")?;
    let Some(after) = after.strip_prefix(b"#") else {
        return named(after);
    };
    let (after, radix, prefix) = match after.split_first() {
        Some((b'x' | b'X', after)) => (after, 16, 3),
        _ => (after, 10, 2),
    };
    let all = digits(after, radix, 12);
    if after.get(all.len()) == Some(&b';') {
        return Some((sign(number(all, radix)?), prefix + all.len() + 1));
    }
    let all = match length {
        Digits::All => all,
        Digits::OfAscii => {
            let zeros = all.iter().take_while(|digit| **digit == b'0').count();
            let own = all.get(zeros..)?;
            let three = own.get(..3).filter(|three| radix == 10 && three.starts_with(b"1"));
            let own = three.filter(|three| *three <= &b"126"[..]).or_else(|| own.get(..2))?;
            all.get(..zeros + own.len())?
        }
    };
    Some((sign(number(all, radix)?), prefix + all.len()))
}

/// The letters of Latin-1, from U+00C0 on, as HTML names them.
const LATIN: &str = "Agrave Aacute Acirc Atilde Auml Aring AElig Ccedil Egrave Eacute Ecirc Euml \
    Igrave Iacute Icirc Iuml ETH Ntilde Ograve Oacute Ocirc Otilde Ouml times Oslash Ugrave Uacute \
    Ucirc Uuml Yacute THORN szlig agrave aacute acirc atilde auml aring aelig ccedil egrave eacute \
    ecirc euml igrave iacute icirc iuml eth ntilde ograve oacute ocirc otilde ouml divide oslash \
    ugrave uacute ucirc uuml yacute thorn yuml";

/// A named entity. Only letters, and characters that begin an escape, need their exact meaning; any
/// other name with a semicolon is some symbol and reads as a blank.
fn named(after: &[u8]) -> Undone {
    const SIGNS: [(&str, u8); 13] = [
        ("amp", b'&'),
        ("percnt", b'%'),
        ("equals", b'='),
        ("bsol", b'\\'),
        ("num", b'#'),
        ("semi", b';'),
        ("NewLine", b'\n'),
        ("quot", b'"'),
        ("apos", b'\''),
        ("lt", b'<'),
        ("gt", b'>'),
        ("sol", b'/'),
        ("lowbar", b'_'),
    ];
    // Without the semicolon: only the names that browsers accept, and those that begin an escape.
    let known = SIGNS.iter().find(|(name, _)| starts_with(after, name));
    let letter = || {
        LATIN
            .split_whitespace()
            .zip('\u{c0}'..)
            .find(|(name, _)| after.starts_with(name.as_bytes()))
    };
    let letters = after.iter().take(32).take_while(|byte| byte.is_ascii_alphanumeric()).count();
    let name = std::str::from_utf8(after.get(..letters)?).ok()?;
    if letters > 0 && after.get(letters) == Some(&b';') {
        let exact = SIGNS.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
        let latin = LATIN.split_whitespace().zip('\u{c0}'..).find(|(latin, _)| *latin == name);
        let stands_for = match (exact, latin) {
            (Some((_, byte)), _) => Plain::Byte(*byte),
            (None, Some((_, letter))) => Plain::Char(letter),
            (None, None) => Plain::Byte(b' '),
        };
        return Some((stands_for, letters + 2));
    }
    if let Some((name, byte)) = known {
        return Some((Plain::Byte(*byte), name.len() + 1));
    }
    letter().map(|(name, letter)| (Plain::Char(letter), name.len() + 1))
}

fn starts_with(text: &[u8], name: &str) -> bool {
    text.get(..name.len()).is_some_and(|start| start.eq_ignore_ascii_case(name.as_bytes()))
}

/// Percent encoding of URLs, and that of JavaScript's `escape`.
fn percent(text: &[u8]) -> Undone {
    let after = text.strip_prefix(b"%")?;
    match after.strip_prefix(b"u") {
        Some(after) => Some((sign(number(after.get(..4)?, 16)?), 6)),
        None => hex_byte(after).map(|(byte, used)| (byte, used + 1)),
    }
}

/// A terminal's colour (ECMA-48 section 5.4), which is removed.
fn colour(text: &[u8]) -> Undone {
    let after = text.strip_prefix(b"\x1b[")?;
    let numbers = after.iter().take(32).take_while(|b| b"0123456789:;".contains(b)).count();
    let end = after.get(numbers).filter(|end| end.is_ascii_alphabetic());
    end.map(|_| (Plain::Nothing, numbers + 3))
}

/// Quoted-printable: `=XX` for a byte, and `=` at the end of a line (RFC 2045 section 6.7).
fn quoted_printable(text: &[u8]) -> Undone {
    let after = text.strip_prefix(b"=")?;
    let blanks = after.iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
    let end = after.get(blanks..)?;
    if end.starts_with(b"\r\n") {
        return Some((Plain::Nothing, blanks + 3));
    }
    if matches!(end.first(), Some(b'\n' | b'\r')) {
        return Some((Plain::Nothing, blanks + 2));
    }
    hex_byte(after).map(|(byte, used)| (byte, used + 1))
}

/// The characters of Windows-1252 from 0x80 on, where Latin-1 has control characters.
const WINDOWS: &str = "\u{20ac}\u{81}\u{201a}\u{192}\u{201e}\u{2026}\u{2020}\u{2021}\u{2c6}\u{2030}\u{160}\
    \u{2039}\u{152}\u{8d}\u{17d}\u{8f}\u{90}\u{2018}\u{2019}\u{201c}\u{201d}\u{2022}\u{2013}\u{2014}\u{2dc}\
    \u{2122}\u{161}\u{203a}\u{153}\u{9d}\u{17e}\u{178}";

/// UTF-8 that was decoded as Latin-1 or Windows-1252, one byte each: `\u{c3}\u{a9}` for `\u{e9}`.
fn misread(text: &[u8]) -> Undone {
    let length = match *text.first()? {
        0xc2..=0xdf => 2,
        0xe0..=0xef => 3,
        _ => return None,
    };
    let c = std::str::from_utf8(text.get(..length)?).ok()?.chars().next()?;
    let of_windows = || (0x80..).zip(WINDOWS.chars()).find(|(_, known)| *known == c);
    match u8::try_from(u32::from(c)) {
        Ok(byte) => Some((Plain::Byte(byte), length)),
        Err(_) => of_windows().map(|(byte, _)| (Plain::Byte(byte), length)),
    }
}

fn hex_byte(text: &[u8]) -> Undone {
    let code = number(text.get(..2)?, 16)?;
    Some((Plain::Byte(u8::try_from(code).ok()?), 2))
}

/// The character of a code point. Half of a surrogate pair is none, and is dropped.
fn sign(code: u32) -> Plain {
    char::from_u32(code).map_or(Plain::Nothing, Plain::Char)
}

fn digits(text: &[u8], radix: u32, most: usize) -> &[u8] {
    let is_digit = |byte: &&u8| char::from(**byte).is_digit(radix);
    let length = text.iter().take(most).take_while(is_digit).count();
    text.get(..length).unwrap_or_default()
}

fn number(digits: &[u8], radix: u32) -> Option<u32> {
    if !digits.iter().all(|byte| char::from(*byte).is_digit(radix)) {
        return None; // `from_str_radix` would accept a leading plus sign
    }
    u32::from_str_radix(std::str::from_utf8(digits).ok()?, radix).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_layer_is_undone_once() {
        let [invisible, wraps, json, html, html_of_ascii, percent, quoted, .., misread, lost] =
            LAYERS;
        for (layer, text, plain) in [
            (invisible, "a\u{ad}b\u{200b}c\0\u{85}\n", "abc\u{85}\n"),
            (invisible, "a\u{1b}[1;31mb\u{1b}[0mc\u{1b}[\u{1b}d", "abc[d"),
            (wraps, "a\r\n b", "ab"),
            (json, r"\x{2f}\x{1d400}\U0000003dc\X3D\U003", "/\u{1d400}=c=\\U003"),
            (percent, "%u002f%u00e9%u12%25u002f", "/\u{e9}%u12%u002f"),
            (json, r#"\u0041\/\"\\\x41\u{e9}\q"#, "A/\"\\A\u{e9}\\q"),
            (json, r"\155\141\0\09\477", r"ma\0\09\477"),
            (json, r"\ud835\udc00\ud835x\udc00\u00", "\u{1d400}x\\u00"),
            (html, "&amp;#39;&#39;&#x2F;&#x2f;&#0000065;", "&#39;'//A"),
            (html, "&lpar;&eacute;&Eacute;&szlig;&yuml;&amp", " \u{e9}\u{c9}\u{df}\u{ff}&"),
            (html, "&#x2fab&; &unknown x", "\u{2fab}&; &unknown x"),
            (html_of_ascii, "&#x2fab12&#47ab&#1234&#00477&#x0002f2", "/ab12/ab{4/7/2"),
            (percent, "%41%4z%2525%C3%A9%ff", "A%4z%25\u{e9}\u{fffd}"),
            (html, "caf&eacute1&Eacutes", "caf\u{e9}1\u{c9}s"),
            (misread, "caf\u{c3}\u{a9} \u{e2}\u{201a}\u{ac} \u{e9}", "caf\u{e9} \u{20ac} \u{fffd}"),
            (lost, "=C3==A9=", "=C3=A9="),
            (quoted, "a=\r\nb= \nc=3D=zz", "abc==zz"),
        ] {
            assert_eq!(*layer(text), plain, "{text}");
        }
    }
}
