//! Figures of many rounds: contenders take turns, and the median is reported with its spread.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Instant;

use crate::{Options, Outcome};

/// The median of several rounds, with the best and the worst, which show the noise.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Spread {
    pub(crate) median: f64,
    pub(crate) min: f64,
    pub(crate) max: f64,
}

impl Spread {
    pub(crate) fn of(values: &[f64]) -> Self {
        let mut sorted = values.to_vec();
        sorted.sort_by(f64::total_cmp);
        let at = |index: usize| sorted.get(index).copied().unwrap_or(f64::NAN);
        let middle = sorted.len() / 2;
        let median = if sorted.len().is_multiple_of(2) {
            f64::midpoint(at(middle.wrapping_sub(1)), at(middle))
        } else {
            at(middle)
        };
        Self { median, min: at(0), max: at(sorted.len().wrapping_sub(1)) }
    }
}

/// `31.2 (29.8 to 35.0)`; one number if all rounds agree.
impl fmt::Display for Spread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (median, min, max) = (number(self.median), number(self.min), number(self.max));
        if min == max { f.write_str(&median) } else { write!(f, "{median} ({min} to {max})") }
    }
}

/// At least three digits, without false precision.
pub(crate) fn number(value: f64) -> String {
    let size = value.abs();
    if size >= 100.0 || value.fract() == 0.0 {
        format!("{value:.0}")
    } else if size >= 10.0 {
        format!("{value:.1}")
    } else {
        format!("{value:.2}")
    }
}

/// The time of each contender, by round.
#[derive(Debug, Default)]
pub(crate) struct Samples(BTreeMap<String, Vec<f64>>);

impl Samples {
    pub(crate) fn push(&mut self, name: &str, value: f64) {
        self.0.entry(name.to_owned()).or_default().push(value);
    }

    pub(crate) fn spread(&self, name: &str) -> Spread {
        Spread::of(self.rounds(name))
    }

    /// One contender relative to another, each pair taken from the same round, so that a machine
    /// that slows down for a while slows both.
    pub(crate) fn ratio(&self, name: &str, of: &str) -> Spread {
        let pairs = self.rounds(name).iter().zip(self.rounds(of));
        Spread::of(&pairs.map(|(a, b)| a / b).collect::<Vec<_>>())
    }

    fn rounds(&self, name: &str) -> &[f64] {
        self.0.get(name).map_or(&[], Vec::as_slice)
    }
}

/// A contender: its name, and a function that runs one round.
pub(crate) type Contender<'a> = (String, Box<dyn FnMut() -> Outcome<f64> + 'a>);

/// Runs the contenders in turn, each round beginning with another one. `rounds` is for a full run.
pub(crate) fn take_turns(
    options: &Options,
    rounds: usize,
    mut contenders: Vec<Contender<'_>>,
) -> Outcome<Samples> {
    if let Some(alone) = &options.alone {
        contenders.retain(|(name, _)| name == alone);
    }
    // One round for warm-up: caches, connections and branch predictors.
    for (_, round) in &mut contenders {
        round()?;
    }
    let mut samples = Samples::default();
    for _ in 0..options.rounds(rounds) {
        for (name, round) in &mut contenders {
            samples.push(name, round()?);
        }
        contenders.rotate_left(1);
    }
    Ok(samples)
}

pub(crate) fn now() -> Instant {
    Instant::now()
}
