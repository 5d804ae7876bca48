//! A history in the units in which it is fitted.

use serde::{Deserialize, Serialize};

use super::baseline::{Column, columns};
use super::model::ResponseModel;
use crate::error::{Error, Result};
use crate::history::{FEWEST_PERIODS, History};

/// The numbers that turn money, units and outcomes into numbers around 1, and back.
///
/// ```text
/// y_gt = outcome_gt / (size_g · outcome_unit)          mean |y| = 1, weighted by size
/// x_igt = units_igt / (size_g · media_unit_i)          mean of what is above 0 = 1
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Scale {
    /// Size of each group; their mean is 1.
    pub(crate) size: Vec<f64>,
    /// Outcome per period of a group of size 1.
    pub(crate) outcome_unit: f64,
    /// Spend or exposures per period of a group of size 1.
    pub(crate) media_unit: Vec<f64>,
    /// Money per unit: 1 for channels without exposures.
    pub(crate) price: Vec<f64>,
    /// Spend over the whole history (money).
    pub(crate) total_spend: Vec<f64>,
    /// `[channel][group]`: the groups' shares of a channel's spend.
    pub(crate) spend_share: Vec<f64>,
    /// Periods of the history that the units come from: the trend runs from −½ to ½ over them.
    pub(crate) periods: usize,
    /// Standard deviation of y.
    pub(crate) spread: f64,
}

/// A history in these units.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Design {
    pub(crate) groups: usize,
    pub(crate) periods: usize,
    pub(crate) channels: usize,
    pub(crate) scale: Scale,
    /// `[channel][group][period]`.
    pub(crate) media: Vec<Vec<f64>>,
    /// `[group][period]`; 0 where it was not observed.
    pub(crate) y: Vec<f64>,
    /// 1 where y was observed, else 0.
    pub(crate) seen: Vec<f64>,
    pub(crate) columns: Vec<Column>,
    /// The columns' numbers, `[column][group][period]`.
    pub(crate) baseline: Vec<Vec<f64>>,
}

impl Design {
    /// Checks that a history can be fitted, and scales it.
    pub(crate) fn new(model: &ResponseModel, history: &History) -> Result<Self> {
        if history.periods() < FEWEST_PERIODS {
            let expected = format!("at least {FEWEST_PERIODS} periods");
            return Err(Error::out_of_domain("outcome", expected, history.periods()));
        }
        let scale = Scale::new(history)?;
        let columns = columns(history, model.trend, model.yearly, model.weekdays)?;
        Self::with(history, scale, columns)
    }

    /// A history in given units, with given columns.
    pub(crate) fn with(history: &History, scale: Scale, columns: Vec<Column>) -> Result<Self> {
        let (groups, periods, channels) = (history.groups.len(), history.periods, history.channels.len());
        let sized = |at: usize| scale.size[at / periods];
        let media = (0..channels)
            .map(|i| {
                let unit = scale.media_unit[i];
                let of = |at: usize| match &history.exposures[i] {
                    Some(exposures) => exposures[at],
                    // What money buys, at the price that was paid.
                    None => history.spend[at * channels + i] / scale.price[i],
                };
                (0..groups * periods).map(|at| of(at) / (sized(at) * unit)).collect()
            })
            .collect();
        let y = |at: usize| {
            let value = history.outcome[at];
            if value.is_nan() { 0.0 } else { value / (sized(at) * scale.outcome_unit) }
        };
        let baseline =
            columns.iter().map(|column| column.values(history, scale.periods)).collect::<Result<_>>()?;
        Ok(Self {
            media,
            y: (0..groups * periods).map(y).collect(),
            seen: history.outcome.iter().map(|value| f64::from(u8::from(!value.is_nan()))).collect(),
            baseline,
            groups,
            periods,
            channels,
            scale,
            columns,
        })
    }

    /// Σ_gt size_g: what all y of the history add up to, on average.
    #[allow(clippy::cast_precision_loss, reason = "a count")]
    pub(crate) fn whole(&self) -> f64 {
        self.scale.size.iter().sum::<f64>() * self.periods as f64
    }
}

impl Scale {
    /// The same units for a history with other spends.
    pub(crate) fn for_history(&self, history: &History) -> Result<Self> {
        let (total_spend, spend_share) = spends(history)?;
        Ok(Self { total_spend, spend_share, ..self.clone() })
    }

    /// Whether there are as many numbers as a history needs, and all of them are above 0.
    pub(crate) fn fits(&self, history: &History) -> bool {
        let (groups, channels) = (history.groups.len(), history.channels.len());
        let above = |values: &[f64]| values.iter().all(|value| value.is_finite() && *value > 0.0);
        self.size.len() == groups
            && self.media_unit.len() == channels
            && self.price.len() == channels
            && self.periods > 0
            && above(&self.size)
            && above(&self.media_unit)
            && above(&self.price)
            && above(&[self.outcome_unit, self.spread])
    }

    #[allow(clippy::cast_precision_loss, reason = "counts")]
    fn new(history: &History) -> Result<Self> {
        let (groups, periods, channels) = (history.groups.len(), history.periods, history.channels.len());
        let mut size = match &history.population {
            Some(population) => population.clone(),
            None => history
                .outcome
                .chunks(periods)
                .map(|outcome| mean(outcome.iter().map(|value| value.abs()).filter(|value| !value.is_nan())))
                .collect(),
        };
        if let Some(group) = size.iter().position(|size| !(*size > 0.0)) {
            let field = if groups == 1 {
                "outcome".into()
            } else {
                format!("outcome of group {:?}", history.groups[group])
            };
            return Err(Error::out_of_domain(field, "observed and not 0 in some period", size[group]));
        }
        let average = size.iter().sum::<f64>() / groups as f64;
        size.iter_mut().for_each(|size| *size /= average);
        let observed: Vec<(f64, f64)> = (0..groups * periods)
            .map(|at| (history.outcome[at], size[at / periods]))
            .filter(|(value, _)| !value.is_nan())
            .collect();
        let outcome_unit = observed.iter().map(|(value, _)| value.abs()).sum::<f64>()
            / observed.iter().map(|(_, size)| size).sum::<f64>();
        let scaled = || observed.iter().map(|(value, size)| value / (size * outcome_unit));
        let centre = mean(scaled());
        let spread = mean(scaled().map(|y| (y - centre) * (y - centre))).sqrt();
        let (total_spend, spend_share) = spends(history)?;
        let cells = groups * periods;
        let (mut media_unit, mut price) = (Vec::new(), Vec::new());
        for (i, total) in total_spend.iter().enumerate() {
            let units = |at: usize| match &history.exposures[i] {
                Some(exposures) => exposures[at],
                None => history.spend[at * channels + i],
            };
            price.push(match &history.exposures[i] {
                Some(exposures) => total / exposures.iter().sum::<f64>(),
                None => 1.0,
            });
            let above = (0..cells).map(|at| units(at) / size[at / periods]).filter(|&units| units > 0.0);
            media_unit.push(mean(above));
        }
        // An outcome that never moves still leaves room for an error.
        let spread = spread.max(1e-3);
        Ok(Self { size, outcome_unit, media_unit, price, total_spend, spend_share, periods, spread })
    }
}

/// Every channel's spend over the history (money), and its groups' shares of it, `[channel][group]`.
fn spends(history: &History) -> Result<(Vec<f64>, Vec<f64>)> {
    let (groups, periods, channels) = (history.groups.len(), history.periods, history.channels.len());
    let (mut totals, mut shares) = (Vec::new(), Vec::new());
    for i in 0..channels {
        let spends = || history.spend.iter().skip(i).step_by(channels);
        let total: f64 = spends().sum();
        if total <= 0.0 {
            let field = format!("spend[{}]", history.channels[i]);
            return Err(Error::out_of_domain(field, "above 0 in some period: leave the channel out", 0));
        }
        totals.push(total);
        shares.extend(
            (0..groups).map(|group| spends().skip(group * periods).take(periods).sum::<f64>() / total),
        );
    }
    Ok((totals, shares))
}

fn mean(values: impl Iterator<Item = f64>) -> f64 {
    let (sum, count) = values.fold((0.0, 0.0), |(sum, count), value| (sum + value, count + 1.0));
    sum / count
}
