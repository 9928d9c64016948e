//! Tells findings as they come: a line each for a person, one JSON text at the end for a machine.

use std::future::Future;
use std::time::Duration;

use anstyle::Style;
use serde_json::{Value, json};

use super::finding::{Finding, State, Step};
use crate::out::{BAD, GOOD, Out, WARN};
use crate::provider::Provider;
use crate::run::while_it_lasts;
use crate::stop::Stop;
use crate::text::Text;

pub(super) struct Report<'a> {
    out: &'a Out,
    limit: Duration,
    /// Whether each provider has a heading.
    has_headings: bool,
    told: Vec<(Option<Provider>, Vec<Finding>)>,
}

impl<'a> Report<'a> {
    pub(super) const fn new(out: &'a Out, limit: Duration, has_headings: bool) -> Self {
        Self { out, limit, has_headings, told: Vec::new() }
    }

    /// Begins the steps of a provider.
    pub(super) fn begin(&mut self, provider: Provider) -> Result<(), Stop> {
        self.heading(provider.name())?;
        self.told.push((Some(provider), Vec::new()));
        Ok(())
    }

    /// Begins the steps that are the same for all providers.
    pub(super) fn begin_machine(&mut self) -> Result<(), Stop> {
        self.heading(Text::DoctorMachine.to(self.out.lang))?;
        self.told.push((None, Vec::new()));
        Ok(())
    }

    fn heading(&self, title: &str) -> Result<(), Stop> {
        if self.out.json || !self.has_headings {
            return Ok(());
        }
        let gap = if self.told.is_empty() { "" } else { "\n" };
        self.out.lines(&format!("{gap}{title}\n"))
    }

    /// What a step's work returns, or `None` if it takes too long. Says on a terminal what lasts.
    pub(super) async fn within<F: Future>(&self, step: Step, work: F) -> Option<F::Output> {
        let work = tokio::time::timeout(self.limit, work);
        while_it_lasts(self.out, (Text::DoctorAt, step.id()), work).await.ok()
    }

    /// The longest time for a step.
    pub(super) const fn time_limit(&self) -> Duration {
        self.limit
    }

    /// The same, in words.
    pub(super) fn limit(&self) -> String {
        crate::when::span(self.limit)
    }

    pub(super) fn tell(&mut self, finding: Finding) -> Result<(), Stop> {
        if !self.out.json {
            self.out.lines(&self.shown(&finding))?;
        }
        if let Some((_, findings)) = self.told.last_mut() {
            findings.push(finding);
        }
        Ok(())
    }

    pub(super) fn skip_one(&mut self, step: Step, needs: Step) -> Result<(), Stop> {
        self.tell(Finding::skip(step, Text::DoctorNeeds, &[needs.id()]))
    }

    /// Skips a provider's steps from this one on, because of another that failed.
    pub(super) fn skip_from(&mut self, first: Step, needs: Step) -> Result<(), Stop> {
        for step in Step::OF_PROVIDER.into_iter().filter(|step| *step >= first) {
            self.skip_one(step, needs)?;
        }
        Ok(())
    }

    /// The step that failed last, of the provider that is looked at.
    pub(super) fn last_failure(&self) -> Option<Step> {
        let (_, findings) = self.told.last()?;
        findings.iter().rev().find(|finding| finding.is_failure()).map(|finding| finding.step)
    }

    /// Sums up, and returns the exit code: the highest of all failures.
    pub(super) fn end(&self, was_login: bool) -> Result<u8, Stop> {
        let all = || self.told.iter().flat_map(|(_, findings)| findings);
        let code = all().map(Finding::code).max().unwrap_or(0);
        if self.out.json {
            self.out.json(&self.json(code))?;
            return Ok(code);
        }
        let count = |state: fn(&State) -> bool| all().filter(|it| state(&it.state)).count();
        let failures = count(|state| matches!(state, State::Failure(_)));
        let warnings = count(|state| matches!(state, State::Warning));
        let lang = self.out.lang;
        let sum = match (failures, warnings, was_login) {
            (0, 0, true) => Text::DoctorWell.to(lang).to_owned(),
            (0, 0, false) => Text::DoctorWellSoFar.to(lang).to_owned(),
            _ => {
                let values = [failures.to_string(), warnings.to_string(), code.to_string()];
                Text::DoctorSum.with(lang, &values.each_ref().map(String::as_str))
            }
        };
        self.out.lines(&format!("\n{sum}\n"))?;
        Ok(code)
    }

    fn json(&self, code: u8) -> Value {
        let steps = |findings: &[Finding]| findings.iter().map(Finding::json).collect::<Vec<_>>();
        let of = |wanted: bool| self.told.iter().filter(move |(it, _)| it.is_some() == wanted);
        let providers: Vec<_> = of(true)
            .map(|(provider, findings)| {
                json!({"provider": provider.map(Provider::name), "steps": steps(findings)})
            })
            .collect();
        let machine: Vec<_> = of(false).flat_map(|(_, findings)| steps(findings)).collect();
        json!({"version": 1, "exit": code, "providers": providers, "machine": machine})
    }

    fn shown(&self, finding: &Finding) -> String {
        let lang = self.out.lang;
        let (word, style) = match finding.state {
            State::Good => (Text::StateFresh, GOOD),
            State::Warning => (Text::DoctorWarn, WARN),
            State::Failure(_) => (Text::DoctorFail, BAD),
            State::Skipped => (Text::DoctorSkip, Style::new()),
        };
        let words =
            [Text::StateFresh, Text::DoctorWarn, Text::DoctorFail, Text::DoctorSkip, Text::Do];
        let wide = words.iter().map(|text| text.to(lang).chars().count()).max().unwrap_or(0);
        let line = |id: &str, word: Text, style: Style, said: &str| {
            let word = word.to(lang);
            let gap = " ".repeat(wide.saturating_sub(word.chars().count()));
            format!("{id:<8}  {style}{word}{style:#}{gap}  {said}\n")
        };
        let mut text = line(finding.step.id(), word, style, &finding.found(lang));
        if let Some(advice) = finding.advice(lang) {
            text += &line("", Text::Do, Style::new(), &advice);
        }
        text
    }
}
