//! The one file that prints: results to standard output, all else to standard error.

use std::io::{self, IsTerminal as _, Write as _};

use anstream::{AutoStream, ColorChoice};
use anstyle::{AnsiColor, Style};
use auth_core::secret::is_invisible;
use serde_json::{Value, json};

use crate::args::{Color, Global, Lang};
use crate::stop::{Failed, OUTPUT, Stop, code, words};
use crate::text::Text;

/// Where output goes, and in which language.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Out {
    pub(crate) lang: Lang,
    pub(crate) json: bool,
    quiet: bool,
    color: ColorChoice,
}

pub(crate) const GOOD: Style = AnsiColor::Green.on_default();
pub(crate) const BAD: Style = AnsiColor::Red.on_default();
pub(crate) const WARN: Style = AnsiColor::Yellow.on_default();

impl Out {
    pub(crate) fn new(lang: Lang, global: &Global) -> Self {
        let color = match global.color {
            Color::Auto => ColorChoice::Auto,
            Color::Always => ColorChoice::Always,
            Color::Never => ColorChoice::Never,
        };
        Self { lang, json: global.json, quiet: global.quiet, color }
    }

    /// Before the arguments are read: whether JSON is wanted is looked for.
    pub(crate) fn plain(lang: Lang, words: &[std::ffi::OsString]) -> Self {
        let ours = words.iter().take_while(|word| *word != "--");
        let json = ours.into_iter().any(|word| word == "--json");
        Self { lang, json, quiet: false, color: ColorChoice::Never }
    }

    /// Writes what a machine reads: never coloured, whatever is forced.
    pub(crate) fn data(&self, bytes: &[u8]) -> Result<(), Stop> {
        let mut stdout = io::stdout().lock();
        stdout.write_all(bytes)?;
        Ok(stdout.flush()?)
    }

    /// Writes a value as one line of JSON.
    pub(crate) fn json(&self, value: &Value) -> Result<(), Stop> {
        self.data(format!("{value}\n").as_bytes())
    }

    /// Writes lines that a person reads, with colours where they show.
    pub(crate) fn lines(&self, text: &str) -> Result<(), Stop> {
        let mut stdout = AutoStream::new(io::stdout().lock(), self.color);
        stdout.write_all(text.as_bytes())?;
        Ok(stdout.flush()?)
    }

    /// Whether all output is written.
    pub(crate) fn flushed(&self) -> Result<(), Stop> {
        Ok(io::stdout().flush()?)
    }

    /// Says something on standard error, unless `--quiet`.
    pub(crate) fn note(&self, text: &str) {
        if !self.quiet {
            self.stderr(&format!("provider-auth{} {text}\n", self.colon()));
        }
    }

    /// Shows what takes long, on a terminal.
    pub(crate) fn status(&self, text: &str) {
        if !self.quiet && io::stderr().is_terminal() {
            self.stderr(&format!("{text}\n"));
        }
    }

    /// Asks for a line at the terminal.
    pub(crate) fn prompt(&self, text: &str) {
        self.stderr(text);
    }

    /// Says why the command ends, and returns its exit code.
    pub(crate) fn stop(&self, stop: &Stop) -> u8 {
        match stop {
            Stop::Auth(failed) => {
                self.auth(failed);
                code(failed.error.kind())
            }
            Stop::Said { code, kind, what, advice, values } => {
                let values: Vec<_> = values.iter().map(String::as_str).collect();
                self.said(kind, (*what, *advice), &values);
                *code
            }
            Stop::Output(error) => {
                let text = printable(&error.to_string());
                self.said("Output", (Text::OutputFailed, Text::OutputFailedDo), &[&text]);
                OUTPUT
            }
            Stop::Help(text) => match self.lines(text) {
                Ok(()) => 0,
                Err(stop) => self.stop(&stop),
            },
            Stop::Closed => 0,
            Stop::Exit(code) => *code,
        }
    }

    fn auth(&self, failed: &Failed) {
        let error = &failed.error;
        if self.json {
            let seconds = error.retry_after().map(|wait| wait.as_secs_f64().ceil());
            let value = json!({"error": {
                "kind": error.kind().to_string(),
                "message": error.to_string(),
                "provider": error.provider(),
                "status": error.status().map(|status| status.as_u16()),
                "code": error.code(),
                "request_id": error.request_id(),
                "retry_after": seconds,
                "help": error.kind().help_url(),
            }});
            return self.stderr(&format!("{value}\n"));
        }
        let (what, advice) = words(error.kind());
        let provider = failed.provider.unwrap_or("PROVIDER");
        let remembered = failed.is_remembered.then(|| Text::Remembered.to(self.lang));
        let advice = advice.with(self.lang, &[provider]);
        let own = printable(&error.to_string());
        let lines = [Some(advice.as_str()), remembered];
        self.fault(what.to(self.lang), lines.into_iter().flatten(), Some(&own));
    }

    fn said(&self, kind: &str, (what, advice): (Text, Text), values: &[&str]) {
        let values: Vec<_> = values.iter().map(|value| printable(value)).collect();
        let values: Vec<_> = values.iter().map(String::as_str).collect();
        if self.json {
            let message = what.with(Lang::En, &values);
            let message = message.trim_end_matches('.');
            let value = json!({"error": {
                "kind": kind,
                "message": message,
                "provider": null,
                "status": null,
                "code": null,
                "request_id": null,
                "retry_after": null,
                "help": advice.with(Lang::En, &values),
            }});
            return self.stderr(&format!("{value}\n"));
        }
        let advice = advice.with(self.lang, &values);
        self.fault(&what.with(self.lang, &values), [advice.as_str()].into_iter(), None);
    }

    fn fault<'a>(&self, what: &str, advice: impl Iterator<Item = &'a str>, own: Option<&str>) {
        let colon = self.colon();
        let mut text = format!("{BAD}provider-auth{BAD:#}{colon} {what}\n");
        for advice in advice {
            text.push_str(&format!("  {}{colon} {advice}\n", Text::Do.to(self.lang)));
        }
        if let Some(own) = own {
            text.push_str(&format!("  {own}\n"));
        }
        self.stderr(&text);
    }

    /// The colon of the language: French has a space before it.
    pub(crate) const fn colon(&self) -> &'static str {
        match self.lang {
            Lang::En => ":",
            Lang::Fr => " :",
        }
    }

    /// Nobody can be told if standard error cannot be written.
    fn stderr(&self, text: &str) {
        let mut stderr = AutoStream::new(io::stderr().lock(), self.color);
        let _ = stderr.write_all(text.as_bytes()).and_then(|()| stderr.flush());
    }
}

/// Writes log lines. Nothing secret is in them: only the crates of this workspace are asked.
pub(crate) fn log_writer() -> io::Stderr {
    io::stderr()
}

/// Foreign words without characters that move a cursor or turn the direction of text.
pub(crate) fn printable(text: &str) -> String {
    let is_hidden =
        |c: char| c.is_control() || is_invisible(c) || matches!(c, '\u{2028}' | '\u{2029}');
    text.chars().map(|c| if is_hidden(c) { '\u{FFFD}' } else { c }).collect()
}

/// Aligns rows in columns. The last one is not padded.
pub(crate) fn columns(rows: &[Vec<(String, Style)>]) -> String {
    let count = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |at: usize| {
        let cells = rows.iter().filter(|row| row.len() > at + 1).filter_map(|row| row.get(at));
        cells.map(|(text, _)| text.chars().count()).max().unwrap_or(0)
    };
    let widths: Vec<_> = (0..count).map(width).collect();
    let mut out = String::new();
    for row in rows {
        for (at, (text, style)) in row.iter().enumerate() {
            out.push_str(&format!("{style}{text}{style:#}"));
            if at + 1 < row.len() {
                let wide = widths.get(at).copied().unwrap_or(0);
                out.extend(std::iter::repeat_n(' ', 2 + wide.saturating_sub(text.chars().count())));
            }
        }
        out.push('\n');
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn foreign_words_move_no_cursor_and_turn_no_text() {
        assert_eq!(printable("a\u{1b}[2Jb\u{202e}c\r\n"), "a\u{fffd}[2Jb\u{fffd}c\u{fffd}\u{fffd}");
        assert_eq!(printable("déjà vu"), "déjà vu");
    }

    #[test]
    fn columns_align_and_the_last_one_ends_where_it_ends() {
        let plain = |texts: &[&str]| {
            texts.iter().map(|text| ((*text).to_owned(), Style::new())).collect::<Vec<_>>()
        };
        let text = columns(&[plain(&["é", "bb"]), plain(&["aaa", "b"])]);
        assert_eq!(text, "é    bb\naaa  b\n");
    }
}
