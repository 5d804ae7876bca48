//! Where the outcome came from, period by period.

use super::{FittedModel, Interval, check_level};
use crate::error::Result;
use crate::fit::baseline::Part;

/// The outcome in parts.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct Decomposition {
    /// Share of the draws inside each interval.
    pub level: f64,
    /// The baseline's parts, then the channels.
    pub components: Vec<Component>,
}

/// One part of the outcome.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct Component {
    /// `intercept`, `trend`, `season`, `weekday`, `holiday`, `control` (or all of these as `baseline`, for counts), or a
    /// channel's name.
    pub name: String,
    /// Whether it is a channel.
    pub channel: bool,
    /// Mean, `[group][period]` (outcome).
    pub mean: Vec<f64>,
    /// Lower end, `[group][period]`.
    pub lower: Vec<f64>,
    /// Upper end, `[group][period]`.
    pub upper: Vec<f64>,
    /// The sum over all groups and periods.
    pub total: Interval,
}

const PARTS: [(Part, &str); 6] = [
    (Part::Intercept, "intercept"),
    (Part::Trend, "trend"),
    (Part::Season, "season"),
    (Part::Weekday, "weekday"),
    (Part::Holiday, "holiday"),
    (Part::Control, "control"),
];

impl FittedModel {
    /// Splits the outcome into baseline and channels, with intervals that hold the share `level` of the draws.
    ///
    /// A channel's part in a period is what all of its spends up to then bring in it. The means add up to the fitted mean.
    ///
    /// # Errors
    /// [`Error::OutOfDomain`](crate::Error::OutOfDomain) unless 0 < level < 1.
    pub fn decompose(&self, level: f64) -> Result<Decomposition> {
        check_level(level)?;
        let (design, layout) = (&self.posterior.design, &self.posterior.layout);
        let scale = &design.scale;
        let cells = design.y.len();
        let unit: Vec<f64> =
            (0..cells).map(|at| scale.size[at / design.periods] * scale.outcome_unit).collect();
        let draws: Vec<_> = self.each_draw().collect();
        let mut components = Vec::new();
        let mut put = |name: &str, channel: bool, of: &dyn Fn(usize) -> Vec<f64>| {
            let mut rows: Vec<Vec<f64>> = (0..draws.len()).map(of).collect();
            for row in &mut rows {
                row.iter_mut().zip(&unit).for_each(|(value, unit)| *value *= unit);
            }
            components.push(Component::new(name, channel, &rows, level));
        };
        if self.counts() {
            put("baseline", false, &|draw| {
                let linear = self.posterior.linear_predictor(&draws[draw].0);
                linear.into_iter().map(crate::elementary::exp).collect()
            });
        } else {
            for (part, name) in PARTS {
                let own: Vec<(usize, &Vec<f64>)> = (layout.baseline.clone().zip(&design.baseline))
                    .zip(&design.columns)
                    .filter(|(_, column)| column.part() == part)
                    .map(|(pair, _)| pair)
                    .collect();
                if own.is_empty() {
                    continue;
                }
                put(name, false, &|draw| {
                    let x = &draws[draw].0;
                    let mut sum = vec![0.0; cells];
                    for (at, column) in &own {
                        sum.iter_mut().zip(*column).for_each(|(sum, value)| *sum += x[*at] * value);
                    }
                    if let Some(at) = layout.group_at.filter(|_| part == Part::Intercept) {
                        for (group, sum) in sum.chunks_mut(design.periods).enumerate() {
                            sum.iter_mut().for_each(|sum| *sum += x[at + group]);
                        }
                    }
                    sum
                });
            }
        }
        for (i, name) in self.history.channels.iter().enumerate() {
            put(name, true, &|draw| {
                let flow = &draws[draw].1[i];
                let scaled = |(at, m): (usize, &f64)| flow.factor * flow.multiplier[at / design.periods] * m;
                flow.saturated.iter().enumerate().map(scaled).collect()
            });
        }
        Ok(Decomposition { level, components })
    }
}

impl Component {
    /// From rows of draws.
    fn new(name: &str, channel: bool, rows: &[Vec<f64>], level: f64) -> Self {
        let totals: Vec<f64> = rows.iter().map(|row| row.iter().sum()).collect();
        let cells = rows[0].len();
        let (mut mean, mut lower, mut upper) = (Vec::new(), Vec::new(), Vec::new());
        for at in 0..cells {
            let draws: Vec<f64> = rows.iter().map(|row| row[at]).collect();
            let interval = Interval::of(&draws, level);
            mean.push(interval.mean);
            lower.push(interval.lower);
            upper.push(interval.upper);
        }
        let total = Interval::of(&totals, level);
        Self { name: name.into(), channel, mean, lower, upper, total }
    }
}
