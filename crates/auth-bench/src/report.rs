//! The results of a run: a row of the table for each scenario, and a line for each figure.

use std::fmt::Write as _;

use crate::timing::{Samples, Spread};

/// One figure, for machines.
#[derive(Clone, Debug)]
pub(crate) struct Figure {
    pub(crate) name: String,
    pub(crate) value: Spread,
    pub(crate) unit: &'static str,
    /// Relative to a reference of the same run.
    pub(crate) ratio: Option<(Spread, &'static str)>,
}

/// One row of the table, for people.
#[derive(Debug)]
pub(crate) struct Row {
    pub(crate) scenario: &'static str,
    pub(crate) ours: String,
    pub(crate) must: &'static str,
    pub(crate) reached: bool,
    pub(crate) references: String,
}

/// All results of a run.
#[derive(Debug, Default)]
pub(crate) struct Report {
    pub(crate) figures: Vec<Figure>,
    rows: Vec<Row>,
}

impl Report {
    /// Adds a figure of one number.
    pub(crate) fn number(&mut self, name: impl Into<String>, value: f64, unit: &'static str) {
        self.spread(name, Spread::of(&[value]), unit);
    }

    /// Adds a figure of several rounds.
    pub(crate) fn spread(&mut self, name: impl Into<String>, value: Spread, unit: &'static str) {
        self.figures.push(Figure { name: name.into(), value, unit, ratio: None });
    }

    /// Adds a figure with its ratio to another contender. Returns that ratio.
    pub(crate) fn relative(
        &mut self,
        scenario: &str,
        name: &str,
        samples: &Samples,
        unit: &'static str,
        of: &'static str,
    ) -> Spread {
        let ratio = samples.ratio(name, of);
        self.figures.push(Figure {
            name: format!("{scenario}.{name}"),
            value: samples.spread(name),
            unit,
            ratio: Some((ratio, of)),
        });
        ratio
    }

    pub(crate) fn row(&mut self, row: Row) {
        eprintln!(
            "    {}: {} (must reach {})",
            if row.reached { "reached" } else { "MISSED" },
            row.ours,
            row.must
        );
        self.rows.push(row);
    }

    /// The median of a figure.
    pub(crate) fn median(&self, name: &str) -> Option<f64> {
        let figure = self.figures.iter().find(|figure| figure.name == name)?;
        Some(figure.value.median)
    }

    /// The table in Markdown.
    pub(crate) fn table(&self) -> String {
        let mut text = String::from(
            "| scenario | ours | must reach | verdict | references in the same run |\n|---|---|---|---|---|\n",
        );
        for row in &self.rows {
            let verdict = if row.reached { "reached" } else { "**missed**" };
            // Writing to a string cannot fail.
            let _ = writeln!(
                text,
                "| {} | {} | {} | {verdict} | {} |",
                row.scenario, row.ours, row.must, row.references
            );
        }
        text
    }

    /// One line per figure: `figure name=value unit=.. min=.. max=.. ratio=.. of=..`.
    pub(crate) fn lines(&self) -> String {
        let mut text = String::new();
        for figure in &self.figures {
            let Spread { median, min, max } = figure.value;
            let (name, unit) = (&figure.name, figure.unit);
            let _ = write!(text, "figure {name}={median:.4} unit={unit} min={min:.4} max={max:.4}");
            if let Some((ratio, of)) = figure.ratio {
                let _ = write!(text, " ratio={:.4} of={of}", ratio.median);
            }
            text.push('\n');
        }
        text
    }
}
