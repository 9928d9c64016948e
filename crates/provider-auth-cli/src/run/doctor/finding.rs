//! What a step found, and what to do about it.

use auth_core::ErrorKind;
use serde_json::{Value, json};

use crate::args::Lang;
use crate::out::printable;
use crate::stop::{code, words};
use crate::text::Text;

/// A step. Its name is part of the output for machines and does not change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Step {
    Env,
    Endpoint,
    Proxy,
    Dns,
    Tcp,
    Tls,
    Time,
    Shape,
    Login,
    Cache,
    Store,
}

impl Step {
    /// Those of a provider, in their order.
    pub(super) const OF_PROVIDER: [Self; 9] = [
        Self::Env,
        Self::Endpoint,
        Self::Proxy,
        Self::Dns,
        Self::Tcp,
        Self::Tls,
        Self::Time,
        Self::Shape,
        Self::Login,
    ];

    pub(super) const fn id(self) -> &'static str {
        match self {
            Self::Env => "env",
            Self::Endpoint => "endpoint",
            Self::Proxy => "proxy",
            Self::Dns => "dns",
            Self::Tcp => "tcp",
            Self::Tls => "tls",
            Self::Time => "time",
            Self::Shape => "shape",
            Self::Login => "login",
            Self::Cache => "cache",
            Self::Store => "store",
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    Good,
    /// It works, and should be looked at.
    Warning,
    /// No token will come; the kind is that of the error that a program would see.
    Failure(ErrorKind),
    /// It was not looked at.
    Skipped,
}

/// A sentence with its values, the last of which may be of our own words.
#[derive(Clone, Debug)]
struct Say(Text, Vec<String>, Option<Text>);

impl Say {
    fn new(text: Text, values: &[&str]) -> Self {
        Self(text, values.iter().map(|value| short(value)).collect(), None)
    }

    fn to(&self, lang: Lang) -> String {
        let values = self.1.iter().map(String::as_str).chain(self.2.map(|word| word.to(lang)));
        self.0.with(lang, &values.collect::<Vec<_>>())
    }
}

/// Foreign words that neither steer a terminal nor flood it: a certificate's name may be of any
/// length.
fn short(value: &str) -> String {
    const LONGEST: usize = 500;
    let mut text = printable(value);
    if let Some((end, _)) = text.char_indices().nth(LONGEST) {
        text.truncate(end);
        text.push_str("..");
    }
    text
}

/// What to do about an error of the library, whose text is what was found.
pub(super) const fn advice(kind: ErrorKind) -> Text {
    match kind {
        ErrorKind::Config => Text::DoctorConfigDo,
        kind => words(kind).1,
    }
}

#[derive(Clone, Debug)]
pub(super) struct Finding {
    pub(super) step: Step,
    pub(super) state: State,
    found: Say,
    advice: Option<Say>,
}

impl Finding {
    pub(super) fn good(step: Step, found: Text, values: &[&str]) -> Self {
        Self { step, state: State::Good, found: Say::new(found, values), advice: None }
    }

    pub(super) fn skip(step: Step, why: Text, values: &[&str]) -> Self {
        Self { step, state: State::Skipped, found: Say::new(why, values), advice: None }
    }

    /// Both sentences take the same values.
    pub(super) fn warning(step: Step, (found, advice): (Text, Text), values: &[&str]) -> Self {
        let advice = Some(Say::new(advice, values));
        Self { step, state: State::Warning, found: Say::new(found, values), advice }
    }

    pub(super) fn failure(
        step: Step,
        kind: ErrorKind,
        (found, advice): (Text, Text),
        values: &[&str],
    ) -> Self {
        let advice = Some(Say::new(advice, values));
        Self { step, state: State::Failure(kind), found: Say::new(found, values), advice }
    }

    /// Adds one of our words as the last value of what was found.
    pub(super) const fn of(mut self, word: Text) -> Self {
        self.found.2 = Some(word);
        self
    }

    pub(super) const fn is_failure(&self) -> bool {
        matches!(self.state, State::Failure(_))
    }

    /// The exit code that it asks for.
    pub(super) const fn code(&self) -> u8 {
        match self.state {
            State::Failure(kind) => code(kind),
            _ => 0,
        }
    }

    pub(super) fn found(&self, lang: Lang) -> String {
        self.found.to(lang)
    }

    pub(super) fn advice(&self, lang: Lang) -> Option<String> {
        self.advice.as_ref().map(|advice| advice.to(lang))
    }

    /// For machines, and so in English.
    pub(super) fn json(&self) -> Value {
        let (state, kind) = match self.state {
            State::Good => ("ok", None),
            State::Warning => ("warn", None),
            State::Failure(kind) => ("fail", Some(kind.to_string())),
            State::Skipped => ("skip", None),
        };
        json!({
            "id": self.step.id(),
            "state": state,
            "kind": kind,
            "found": self.found(Lang::En),
            "advice": self.advice(Lang::En),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn foreign_words_neither_steer_a_terminal_nor_flood_it() {
        let name = "a\u{1b}[2J\u{202e}é".repeat(10_000);
        let texts = (Text::DoctorUnknownIssuer, Text::DoctorLine);
        let finding = Finding::failure(Step::Tls, ErrorKind::Connect, texts, &[&name]);
        let advice = finding.advice(Lang::Fr).unwrap();
        for said in [finding.found(Lang::En), advice, finding.json().to_string()] {
            assert!(said.chars().count() < 2_000, "{} characters", said.chars().count());
            assert!(!said.contains(['\u{1b}', '\u{202e}']), "{said}");
        }
    }

    #[test]
    fn the_advice_about_an_error_needs_no_value() {
        use ErrorKind::{
            Config, Connect, Credentials, Protocol, RateLimited, Request, Store, Timeout,
            Unavailable,
        };
        for kind in [
            Config,
            Connect,
            Credentials,
            Protocol,
            RateLimited,
            Request,
            Store,
            Timeout,
            Unavailable,
        ] {
            assert!(!advice(kind).to(Lang::En).contains('{'), "{kind}");
        }
    }
}
