//! Any secret, in any combination of escapes, wraps, cases and cuts, inside any text.

use auth_core::Scrubber;
use auth_core::secret::Charset;

use crate::writing::{Writing, folded};
use crate::{Draw, ID};

/// How the secret is encoded (seven bytes), where it is cut (two), whether the text touches it, its
/// position in the text, its length, the secret, and the text.
pub fn scrubber(input: &[u8]) {
    let mut draw = Draw(input);
    let writing = Writing::draw(&mut draw);
    let cut = (usize::from(draw.byte()), usize::from(draw.byte()));
    let (touches, place, length) = (draw.byte() % 2 == 1, draw.byte(), draw.byte());
    let (secret, text) = (draw.text(usize::from(length % 48)), draw.rest());
    // Only secrets that credentials accept.
    if Charset::Text.check("it", &*secret).is_err() || secret.chars().count() < 4 {
        return;
    }
    let letters = folded(&secret).chars().count();
    let writing = if letters < 8 { writing.without_encodings() } else { writing };
    let piece = if letters < 8 { secret.clone() } else { cut_out(&secret, cut) };
    // A text that touches the secret may absorb a character of an escape at either end, so this
    // many must be left.
    let needed = if touches { 12 } else { 8 };
    let own = writing.own(&piece);
    if letters >= 8 && (folded(&piece).chars().count() < needed || folded(&own).len() < needed) {
        return;
    }
    if letters < 8 && (touches || (letters < 4 && own != piece)) {
        return;
    }
    let written = writing.write(&piece);
    let at = text.char_indices().nth(place.into()).map_or(text.len(), |(at, _)| at);
    let (before, after) = text.split_at(at);
    let space = if touches { "" } else { " " };
    let whole = format!("{before}{space}{written}{space}{after}");
    let shown = Scrubber::new([&*secret]).with_pair(ID, &secret).scrub(&whole);
    // `[redacted]` may contain a part of a secret.
    let shown = shown.replace("[redacted]", "\u{fffc}");
    assert!(!shown.contains(&written), "{secret:?} is left in {shown:?}: {writing:?}");
    assert!(!shown.contains(&secret), "{secret:?} is left in {shown:?}");
}

/// A part of the secret, of at least eight characters.
fn cut_out(secret: &str, (from, length): (usize, usize)) -> String {
    let count = secret.chars().count();
    let length = count - length % count.saturating_sub(7).max(1);
    secret.chars().skip(from % (count - length + 1)).take(length).collect()
}
