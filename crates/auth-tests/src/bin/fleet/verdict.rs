//! What a row measured, and what must be reached.

use std::time::Duration;

use crate::figures::Figures;
use crate::fleet::Fleet;
use crate::leaks;
use crate::place::Kind;
use crate::time::ms;

/// The figures of a row.
pub(crate) struct Verdict {
    name: String,
    lines: Vec<Line>,
    notes: Vec<String>,
}

struct Line {
    what: String,
    value: String,
    must: String,
    is_good: bool,
}

impl Verdict {
    /// `name` is the row's, of letters, digits and dots.
    pub(crate) fn new(store: Kind, name: &str) -> Self {
        Self { name: format!("{}.{name}", store.name()), lines: Vec::new(), notes: Vec::new() }
    }

    /// A figure that must not be higher.
    pub(crate) fn at_most(&mut self, what: &str, value: f64, most: f64) {
        self.line(what, value, format!("<= {most}"), value <= most);
    }

    /// A duration that must not be longer, in milliseconds.
    pub(crate) fn within(&mut self, what: &str, took: Duration, most: Duration) {
        self.at_most(&format!("{what}_ms"), ms(took), ms(most));
    }

    pub(crate) fn none(&mut self, what: &str, count: u64) {
        self.at_most(what, count as f64, 0.0);
    }

    /// The number of calls that took longer than this, net. None may, but for as many as the time
    /// explains that the host of this virtual machine took away, which no thread's account shows.
    pub(crate) fn no_call_over(&mut self, limit: Duration, count: u64, fleet: &Fleet, what: &str) {
        let explained = ms(fleet.stolen()) / ms(limit);
        let what = format!("{what}_over_{}_ms", limit.as_millis());
        let is_good = count as f64 <= explained;
        self.line(&what, count as f64, "none, or stolen".to_owned(), is_good);
    }

    /// A figure that must not be lower, so that the row has tried something.
    pub(crate) fn at_least(&mut self, what: &str, value: f64, least: f64) {
        self.line(what, value, format!(">= {least}"), value >= least);
    }

    /// A figure that anything may be.
    pub(crate) fn told(&mut self, what: &str, value: f64) {
        self.line(what, value, String::new(), true);
    }

    pub(crate) fn note(&mut self, note: impl Into<String>) {
        self.notes.push(note.into());
    }

    /// What the first error said, if there was one.
    pub(crate) fn notes_of(&mut self, figures: &Figures) {
        self.notes.extend(figures.error.clone());
    }

    fn line(&mut self, what: &str, value: f64, must: String, is_good: bool) {
        let value = format!("{value:.3}");
        let value = value.trim_end_matches('0').trim_end_matches('.').to_owned();
        self.lines.push(Line { what: what.to_owned(), value, must, is_good });
    }

    /// What every row ends with: how late the machine was, and whether the store shows a secret.
    pub(crate) fn finish(mut self, fleet: &mut Fleet) -> Result<Self, String> {
        let (late, latest) = fleet.lateness();
        self.told("machine_late_p99_ms", ms(late));
        self.told("machine_late_max_ms", ms(latest));
        self.told("machine_stolen_ms", ms(fleet.stolen()));
        let hits = leaks::search(fleet)?;
        self.none("canaries_in_the_store", hits.len() as u64);
        self.notes.extend(hits.into_iter().take(5));
        if let Some(first) = fleet.warnings.first() {
            self.notes.push(format!("{} warnings, such as: {first}", fleet.warnings.len()));
        }
        if let Some(server) = &fleet.place.server {
            let log = server.refused()?;
            let refused = ["reason command", "reason key"].iter().any(|why| log.contains(why));
            self.none("commands_that_the_access_list_refused", u64::from(refused));
            if refused {
                self.note(log);
            }
        }
        Ok(self)
    }

    /// Prints it, and says whether all was reached.
    pub(crate) fn print(&self) -> bool {
        println!("{}", self.name);
        for line in &self.lines {
            println!("figure fleet.{}.{} value={}", self.name, line.what, line.value);
        }
        for Line { what, value, must, is_good } in &self.lines {
            let mark = if *is_good { " " } else { "X" };
            println!("  {mark} {what:42} {value:>10}  {must}");
        }
        for note in &self.notes {
            println!("    {note}");
        }
        println!();
        self.lines.iter().all(|line| line.is_good)
    }
}
