//! Removes known secrets from text that came from outside.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};
use secrecy::{ExposeSecret, SecretString};
use zeroize::Zeroizing;

use super::charset::is_invisible;
use super::pasted::looks_pasted;
use super::residue::Residue;
use super::{WipedBuffer, form_encoded, replaced};

/// Replaces known secrets in text that came from outside.
///
/// A provider that echoes the request must not put a secret into our logs. Each secret is replaced
/// raw, in base64 and base64url (padded or not), percent- and form-encoded, escaped as JSON or
/// HTML, and in hexadecimal; so is anything that looks like a JWT. If a run of eight letters and
/// digits of a secret is still left, in either case, wrapped, or in nested escapes and encodings,
/// the whole text is withheld. The encoded forms are made when a text is scrubbed and wiped
/// afterwards, so an unused scrubber costs little.
///
/// | | searched for |
/// |---|---|
/// | a secret with 8 or more letters and digits | any run of 8 of them |
/// | with 4 to 7 | all of them |
/// | with fewer, but at least 4 characters | the exact secret |
/// | a shorter secret | not at all: too many ordinary texts contain it |
/// | an [id](Self::with_ids) of at least 8 characters, one of them a digit | the whole id |
///
/// ```
/// use auth_core::Scrubber;
///
/// let known = Scrubber::new(["made-up-s3cret"]).with_ids(["merchant-0001"]);
/// assert_eq!(known.scrub("no merchant of that name"), "no merchant of that name");
/// assert_eq!(known.scrub("MADE-\\u0075p-s3cret is wrong"), "[redacted]");
/// ```
///
/// ```
/// use auth_core::Scrubber;
///
/// let known = Scrubber::new(["s3cr3t&value"]);
/// assert_eq!(known.scrub("secret=s3cr3t%26value is wrong"), "secret=[redacted] is wrong");
/// ```
#[derive(Default)]
pub struct Scrubber {
    secrets: Vec<SecretString>,
    /// Identifiers and pairs, which are only searched for as a whole.
    wholes: Vec<SecretString>,
}

const REDACTED: &str = "[redacted]";
/// A shorter secret is not searched for: too many ordinary texts contain it.
const SHORTEST_SECRET: usize = 4;
/// A shorter identifier, or one without a digit, may be an ordinary word.
const SHORTEST_ID: usize = 8;

impl Scrubber {
    /// Makes a scrubber for these secrets. Empty ones are ignored.
    pub fn new<'a>(secrets: impl IntoIterator<Item = &'a str>) -> Self {
        let known = secrets.into_iter().filter(|secret| !secret.is_empty());
        Self { secrets: known.map(SecretString::from).collect(), wholes: Vec::new() }
    }

    /// Adds identifiers (client id, merchant id, API key): less secret, and often made of words
    /// that the provider uses too. Searched for as a whole, if at least 8 characters with a digit.
    #[must_use]
    pub fn with_ids<'a>(mut self, ids: impl IntoIterator<Item = &'a str>) -> Self {
        let telling = ids.into_iter().filter(|id| is_telling(id));
        self.wholes.extend(telling.map(SecretString::from));
        self
    }

    /// Adds the `user:password` pair of Basic authentication, raw and with both parts form-encoded.
    #[must_use]
    pub fn with_pair(mut self, user: &str, password: &str) -> Self {
        let longest = 3 * (user.len() + password.len()) + 1;
        let (mut plain, mut encoded) =
            (WipedBuffer::with_capacity(longest), WipedBuffer::with_capacity(longest));
        for part in [user, ":", password] {
            plain.extend_from_slice(part.as_bytes());
        }
        form_encoded(user, &mut encoded);
        encoded.extend_from_slice(b":");
        form_encoded(password, &mut encoded);
        for pair in [plain, encoded] {
            let pair = std::str::from_utf8(pair.as_slice()).ok().filter(|pair| is_telling(pair));
            self.wholes.extend(pair.map(SecretString::from));
        }
        self
    }

    /// A sign that some value was pasted wrongly, for the error when it is rejected.
    pub(crate) fn pasting_mark(&self) -> Option<&'static str> {
        let values = self.secrets.iter().chain(&self.wholes);
        let mut values = values.map(ExposeSecret::expose_secret);
        values.find_map(looks_pasted)
    }

    /// Returns the text with every known secret, and everything that looks like a JWT, replaced.
    #[must_use]
    pub fn scrub(&self, text: &str) -> String {
        self.scrubbed(text).as_str().to_owned()
    }

    /// The result is wiped too, since it may still contain an unknown token.
    fn scrubbed(&self, text: &str) -> Zeroizing<String> {
        if text.is_empty() {
            return Zeroizing::default();
        }
        let (mut forms, mut residue) = (Vec::new(), Residue::default());
        for secret in self.secrets.iter().map(ExposeSecret::expose_secret) {
            if secret.chars().count() >= SHORTEST_SECRET {
                written_forms(secret, &mut forms);
                residue.add_secret(secret);
            }
        }
        for whole in self.wholes.iter().map(ExposeSecret::expose_secret) {
            written_forms(whole, &mut forms);
            residue.add_whole(whole);
        }
        // Longest first, so that replacing one form leaves no rest of a longer one.
        forms.sort_by_key(|form| std::cmp::Reverse(form.len()));
        let mut text = Zeroizing::new(text.to_owned());
        for form in &forms {
            if text.contains(form.as_str()) {
                text = replaced(&text, form, REDACTED);
            }
        }
        let text = without_jwts(&text);
        if residue.is_in(&replaced(&text, REDACTED, " ")) {
            return Zeroizing::new(REDACTED.to_owned());
        }
        text
    }

    /// Scrubs the text, makes it one printable line, and cuts it at `limit` characters, in this
    /// order: scrubbing needs the line breaks, and a cut first could leave half of a secret.
    pub(crate) fn clean(&self, text: &str, limit: usize) -> String {
        printable(&self.scrubbed(text), limit)
    }
}

/// Whether an identifier or a pair is specific enough that no text contains it by chance.
fn is_telling(id: &str) -> bool {
    id.chars().count() >= SHORTEST_ID && id.chars().any(|c| c.is_ascii_digit())
}

impl fmt::Debug for Scrubber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scrubber").finish_non_exhaustive()
    }
}

/// Adds every common encoding of a secret.
fn written_forms(secret: &str, forms: &mut Vec<Zeroizing<String>>) {
    let bytes = secret.as_bytes();
    let mut add = |form: Zeroizing<String>| {
        if !forms.contains(&form) {
            forms.push(form);
        }
    };
    add(Zeroizing::new(secret.to_owned()));
    for engine in [STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD] {
        add(Zeroizing::new(engine.encode(bytes)));
    }
    // Unescaped: the unreserved characters of RFC 3986; those of `encodeURIComponent`; those of a
    // form.
    for kept in ["-._~", "-._~!'()*", "-._*"] {
        for digits in [b"0123456789ABCDEF", b"0123456789abcdef"] {
            for space in ["%20", "+"] {
                add(percent_encoded(bytes, kept, digits, space));
            }
        }
    }
    for digits in [b"0123456789ABCDEF", b"0123456789abcdef"] {
        add(spelt(bytes, |byte, form| push_hex(byte, digits, form)));
    }
    add(spelt(bytes, |byte, form| match byte {
        b'"' => form.extend_from_slice(br#"\""#),
        b'\\' => form.extend_from_slice(br"\\"),
        byte => form.extend_from_slice(&[byte]),
    }));
    add(spelt(bytes, |byte, form| match byte {
        b'&' => form.extend_from_slice(b"&amp;"),
        b'<' => form.extend_from_slice(b"&lt;"),
        b'>' => form.extend_from_slice(b"&gt;"),
        b'"' => form.extend_from_slice(b"&quot;"),
        b'\'' => form.extend_from_slice(b"&#39;"),
        byte => form.extend_from_slice(&[byte]),
    }));
}

fn percent_encoded(bytes: &[u8], kept: &str, digits: &[u8; 16], space: &str) -> Zeroizing<String> {
    spelt(bytes, |byte, form| {
        if byte.is_ascii_alphanumeric() || kept.as_bytes().contains(&byte) {
            form.extend_from_slice(&[byte]);
        } else if byte == b' ' {
            form.extend_from_slice(space.as_bytes());
        } else {
            form.extend_from_slice(b"%");
            push_hex(byte, digits, form);
        }
    })
}

/// Encodes byte by byte into a buffer allocated once, since growing leaves copies behind.
fn spelt(bytes: &[u8], mut spell: impl FnMut(u8, &mut WipedBuffer)) -> Zeroizing<String> {
    let mut form = WipedBuffer::with_capacity(6 * bytes.len());
    for byte in bytes {
        spell(*byte, &mut form);
    }
    Zeroizing::new(std::str::from_utf8(form.as_slice()).unwrap_or_default().to_owned())
}

fn push_hex(byte: u8, digits: &[u8; 16], form: &mut WipedBuffer) {
    for nibble in [byte >> 4, byte & 15] {
        form.extend_from_slice(
            digits.get(usize::from(nibble)).map_or(&[][..], std::slice::from_ref),
        );
    }
}

/// Replaces long runs of base64url and dots that begin with `eyJ`, the base64 of `{"`, as JWTs do.
fn without_jwts(text: &str) -> Zeroizing<String> {
    let in_token = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    // A token is only replaced by a shorter text, so the buffer never grows.
    let mut out = Zeroizing::new(String::with_capacity(text.len()));
    let mut rest = text;
    while let Some(start) = rest.find("eyJ") {
        let (before, from) = rest.split_at(start);
        let end = from.find(|c| !in_token(c)).unwrap_or(from.len());
        let (token, after) = from.split_at(end);
        out.push_str(before);
        out.push_str(if token.len() > 20 { REDACTED } else { token });
        rest = after;
    }
    out.push_str(rest);
    out
}

/// Makes a text one line for a log: no control characters, no terminal escapes, no direction
/// overrides, at most `limit` characters.
pub(crate) fn printable(text: &str, limit: usize) -> String {
    let breaks = ['\r', '\n', '\t', '\u{2028}', '\u{2029}'];
    let spaced = text.trim().chars().map(|c| if breaks.contains(&c) { ' ' } else { c });
    let shown = spaced.filter(|c| !c.is_control() && !is_invisible(*c)).take(limit);
    // Allocated once, since growing leaves copies behind.
    let mut out = String::with_capacity(text.len().min(limit.saturating_mul(4)));
    out.extend(shown);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_common_encoding_of_a_secret_is_scrubbed() {
        let secret = "p\u{e4}ss/w\"rd=+&%";
        let known = Scrubber::new([secret]);
        let bytes = secret.as_bytes();
        let hex: String = bytes.iter().map(|b| format!("{b:02x}")).collect();
        for form in [
            secret.to_owned(),
            STANDARD.encode(bytes),
            URL_SAFE_NO_PAD.encode(bytes),
            "p%C3%A4ss%2Fw%22rd%3D%2B%26%25".to_owned(),
            "p%c3%a4ss%2fw%22rd%3d%2b%26%25".to_owned(),
            form_urlencoded::byte_serialize(bytes).collect(),
            serde_json::to_string(secret).unwrap().trim_matches('"').to_owned(),
            "p\u{e4}ss/w&quot;rd=+&amp;%".to_owned(),
            hex.to_uppercase(),
            hex,
        ] {
            assert_eq!(known.scrub(&format!("<{form}>")), "<[redacted]>", "{form}");
        }
    }

    #[test]
    fn each_escape_of_a_secret_is_replaced_and_the_text_around_it_stays() {
        let known = Scrubber::new(["a\\b\"c'd<e>f&g h~i!j*k"]);
        for form in [
            r#"a\\b\"c'd<e>f&g h~i!j*k"#,
            r"a\b&quot;c&#39;d&lt;e&gt;f&amp;g h~i!j*k",
            "a%5Cb%22c%27d%3Ce%3Ef%26g%20h~i%21j%2Ak",
            "a%5Cb%22c'd%3Ce%3Ef%26g%20h~i!j*k",
            "a%5Cb%22c%27d%3Ce%3Ef%26g+h%7Ei%21j*k",
        ] {
            assert_eq!(known.scrub(&format!("<{form}>")), "<[redacted]>", "{form}");
            let lower = form.to_lowercase();
            assert_eq!(known.scrub(&format!("<{lower}>")), "<[redacted]>", "{lower}");
        }
        let known = Scrubber::new(["\u{ff}\u{fe}>?~"]);
        for form in ["w7/Dvj4/fg==", "w7/Dvj4/fg", "w7_Dvj4_fg==", "w7_Dvj4_fg"] {
            assert_eq!(known.scrub(&format!("<{form}>")), "<[redacted]>", "{form}");
        }
    }

    #[test]
    fn a_short_secret_an_id_and_a_token_are_replaced_from_their_shortest_length_on() {
        let jwt = |length: usize| format!("eyJ{}", "x".repeat(length - 3));
        for (known, text, shown) in [
            (Scrubber::new(["a-1"]), "is a-1", "is a-1"),
            (Scrubber::new(["a-1-"]), "is a-1-", "is [redacted]"),
            (Scrubber::default().with_ids(["client7"]), "is client7", "is client7"),
            (Scrubber::default().with_ids(["client07"]), "is client07", "is [redacted]"),
            (Scrubber::default().with_ids(["client-id"]), "is client-id", "is client-id"),
            (Scrubber::default().with_pair("a", "b-0000"), "is a:b-0000", "is [redacted]"),
            (Scrubber::default().with_pair("a", "b-000"), "is a:b-000", "is a:b-000"),
            (Scrubber::default(), &jwt(20), &jwt(20)),
            (Scrubber::default(), &jwt(21), "[redacted]"),
            (Scrubber::default(), "", ""),
        ] {
            assert_eq!(known.scrub(text), shown);
        }
        assert_eq!(format!("{:?}", Scrubber::new(["CANARY"])), "Scrubber { .. }");
    }

    #[test]
    fn a_token_in_a_providers_text_is_scrubbed() {
        let text = "sent eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhIn0.c2lnbmF0dXJl back; eyJ is short";
        assert_eq!(Scrubber::default().scrub(text), "sent [redacted] back; eyJ is short");
    }

    #[test]
    fn a_secret_too_short_to_replace_is_not_searched_for() {
        assert_eq!(Scrubber::new(["ab"]).scrub("about"), "about");
        assert_eq!(Scrubber::default().with_ids(["42"]).scrub("code 42"), "code 42");
    }

    #[test]
    fn an_id_made_of_the_providers_words_does_not_withhold_ordinary_text() {
        let ids =
            ["merchant-0001", "tresorpay-client-7", "api-key", "client_id", "sandbox-2026-test"];
        let known = Scrubber::new(["x7Kp-22qq-made-up"]).with_ids(ids);
        for text in
            ["unknown merchant", "Invalid client or Invalid client credentials", "api-key", "0001"]
        {
            assert_eq!(known.scrub(text), text);
        }
        assert_eq!(known.scrub("no merchant-0001 here"), "no [redacted] here");
    }

    #[test]
    fn a_secret_in_the_escapes_of_a_providers_stack_is_not_shown() {
        let known = Scrubber::new(["k3J9/x2Vq/7Lw=="]);
        for echo in [
            r#"{\"client_secret\":\"k3J9\\/x2Vq\\/7Lw==\"}"#,
            "k3J9&#x2fx2Vq&#47;7Lw==",
            "k3J9&sol;x2Vq&sol;7Lw&equals;&equals;",
            "k3J9%252Fx2Vq%252F7Lw%253D%253D",
            "k3J9/x2Vq/7Lw\\u003d\\u003d",
            "k3J9/x2=\r\nVq/7Lw=3D=3D",
            "K3J9/X2VQ/7LW",
            "3J9/x2Vq/7Lw==",
        ] {
            let shown = known.clean(echo, 999);
            assert!(!shown.contains("x2Vq") && !shown.contains("X2VQ"), "{echo}: {shown}");
        }
    }

    #[test]
    fn escapes_and_direction_overrides_do_not_reach_a_log() {
        assert_eq!(printable("a\u{1b}[31mb\u{202e}c\r\nd", 99), "a[31mbc  d");
        assert_eq!(printable("ééé", 2), "éé");
        assert_eq!(printable(" a\tb\u{2028}c\u{2029}d\u{ad}\u{7f}e ", 99), "a b c de");
    }

    #[test]
    fn an_invisible_character_does_not_hide_a_secret() {
        let known = Scrubber::new(["made-up&secret"]);
        for text in ["made-up\u{200b}&secret", "made-up\0&secret", "made-up&\u{202e}secret"] {
            assert_eq!(known.clean(text, 99), "[redacted]", "{text:?}");
        }
    }

    #[test]
    fn a_pair_is_known_in_both_spellings() {
        let known = Scrubber::default().with_pair("client one", "p&ss1");
        for pair in ["client one:p&ss1", "client+one:p%26ss1"] {
            assert_eq!(known.scrub(&STANDARD.encode(pair)), "[redacted]", "{pair}");
            let (start, end) = (&STANDARD.encode(pair)[..9], &STANDARD.encode(pair)[9..]);
            assert_eq!(known.scrub(&format!("{start}\r\n{end}")), "[redacted]", "{pair}, wrapped");
        }
    }
}
