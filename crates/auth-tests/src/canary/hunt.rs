//! Searches for all canaries in all forms, in one pass.

use std::borrow::Cow;
use std::collections::HashMap;

use super::forms::{FORMS, is_piece};
use super::{Canary, Sort};

/// A search by the letters and digits of each form, in lower case, so that no line wrap, quote or
/// filler hides a canary.
#[derive(Debug, Default)]
pub struct Hunt {
    names: Vec<String>,
    /// By their first eight bytes.
    needles: HashMap<[u8; HEAD], Vec<Needle>>,
}

#[derive(Debug, PartialEq, Eq)]
struct Needle {
    letters: Vec<u8>,
    canary: usize,
    form: &'static str,
}

/// A canary that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Find {
    /// The name of the canary.
    pub canary: String,
    /// The form that matched; similar forms may match too.
    pub form: &'static str,
    /// The letters that matched, with their context.
    pub place: String,
}

const HEAD: usize = 8;
/// How much of a token's end is searched for in all forms, and in runs of how many letters.
const TOKEN_END: usize = 32;
const TOKEN_RUN: usize = 12;
/// The shortest identifier that is searched for.
const SHORTEST: usize = 10;

impl Hunt {
    /// A search for these canaries.
    #[must_use]
    pub fn new<'a>(canaries: impl IntoIterator<Item = &'a Canary>) -> Self {
        let mut hunt = Self::default();
        canaries.into_iter().for_each(|canary| hunt.add(canary));
        hunt
    }

    /// Adds a canary.
    pub fn add(&mut self, canary: &Canary) {
        let number = self.names.len();
        self.names.push(canary.name.clone());
        for form in FORMS {
            let is_raw = form.name == "raw";
            let end = canary.text.len().saturating_sub(if is_raw { usize::MAX } else { TOKEN_END });
            let text = if canary.sort == Sort::Token { &canary.text[end..] } else { &canary.text };
            let letters = fold(&(form.write)(text));
            let (run, step) = match canary.sort {
                Sort::Secret => (form.run, 1),
                Sort::Token => (form.run.max(TOKEN_RUN), form.run.max(TOKEN_RUN)),
                Sort::Whole if is_piece(form) => continue,
                Sort::Whole => (letters.len(), 1),
            };
            if run < SHORTEST && canary.sort == Sort::Whole || is_piece(form) && step > 1 {
                continue;
            }
            for window in letters.windows(run).step_by(step) {
                let head = window[..HEAD].try_into().unwrap();
                let known = self.needles.entry(head).or_default();
                let needle = Needle { letters: window.to_vec(), canary: number, form: form.name };
                if !known.iter().any(|k| k.letters == needle.letters && k.canary == number) {
                    known.push(needle);
                }
            }
        }
    }

    /// Returns the canaries that the text shows, each once.
    #[must_use]
    pub fn find(&self, text: &str) -> Vec<Find> {
        let mut found = Vec::<Find>::new();
        // The text as it is, and with one, two and three levels of `{:?}` undone.
        let mut reading = Cow::Borrowed(text);
        for _ in 0..4 {
            self.find_in(&fold(&reading), &mut found);
            if !reading.contains('\\') {
                break;
            }
            reading = Cow::Owned(without_escapes(&reading));
        }
        found
    }

    fn find_in(&self, letters: &[u8], found: &mut Vec<Find>) {
        for (at, head) in letters.windows(HEAD).enumerate() {
            let Some(known) = self.needles.get(head) else { continue };
            let rest = &letters[at..];
            for needle in known.iter().filter(|needle| rest.starts_with(&needle.letters)) {
                let canary = &self.names[needle.canary];
                if found.iter().all(|find| find.canary != *canary) {
                    let end = (at + needle.letters.len() + 40).min(letters.len());
                    let around = &letters[at.saturating_sub(60)..end];
                    let place = String::from_utf8_lossy(around).into_owned();
                    found.push(Find { canary: canary.clone(), form: needle.form, place });
                }
            }
        }
    }
}

/// The ASCII letters and digits, in lower case.
fn fold(text: &str) -> Vec<u8> {
    let letters = text.bytes().filter(u8::is_ascii_alphanumeric);
    letters.map(|letter| letter.to_ascii_lowercase()).collect()
}

/// Undoes the escapes of `{:?}`. Escaped line breaks and code points are dropped.
fn without_escapes(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('\\') {
        plain.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        if let Some((code, after)) = rest.strip_prefix("u{").and_then(|r| r.split_once('}'))
            && code.len() <= 6
        {
            rest = after;
        } else if let Some(after) = rest.strip_prefix(['n', 'r', 't', '0']) {
            rest = after;
        } else if let Some(after) = rest.strip_prefix('\\') {
            plain.push('\\');
            rest = after;
        }
    }
    plain + rest
}
