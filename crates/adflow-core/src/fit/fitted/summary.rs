//! What a fit found, in numbers.

use std::fmt;

use serde::Serialize;

use super::warnings::Warning;
use super::{FittedModel, Interval, check_level};
use crate::error::{Amount, Result};
use crate::fit::diagnostics::Convergence;
use crate::fit::scores::{coverage, crps, mape, r_squared};

/// What a fit found; its text is a table for people.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Summary {
    /// Share of the draws inside each interval.
    pub level: f64,
    /// One per channel.
    pub channels: Vec<ChannelSummary>,
    /// One per parameter.
    pub parameters: Vec<ParameterSummary>,
    /// How near the model comes to the history.
    pub fit: FitQuality,
    /// Whether outcomes drawn from the model look like the history.
    pub checks: Vec<PredictiveCheck>,
    /// Whether the draws can be trusted.
    pub diagnostics: Diagnostics,
    /// What to mind, in words.
    pub warnings: Vec<Warning>,
}

/// What a channel did over the history.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ChannelSummary {
    /// The channel.
    pub channel: String,
    /// Spend over the history (money).
    pub spend: f64,
    /// Outcome that it brought within the history.
    pub contribution: Interval,
    /// Share of the whole outcome.
    pub share: Interval,
    /// Contribution over spend.
    pub roas: Interval,
    /// What the next unit of money per period brings in the long run, at the mean spend.
    pub marginal_roas: Interval,
}

/// The posterior of one parameter, in the units of the history.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ParameterSummary {
    /// Its name.
    pub name: String,
    /// Mean, median and interval.
    #[serde(flatten)]
    pub interval: Interval,
    /// Standard deviation.
    pub std: f64,
    /// Split rank-normalised R̂: below 1.01 is good.
    pub r_hat: f64,
    /// Effective draws for the centre.
    pub ess_bulk: f64,
    /// Effective draws for the 5 % and 95 % quantiles.
    pub ess_tail: f64,
}

/// How near the model comes to the outcomes that it was fitted on.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct FitQuality {
    /// Share of the outcome's variance that the mean explains.
    pub r_squared: f64,
    /// Mean absolute error of the mean, as a share of the outcome; periods with an outcome of 0 left out.
    pub mape: f64,
    /// Share of outcomes inside their predictive intervals.
    pub coverage: f64,
    /// Mean continuous ranked probability score (outcome).
    pub crps: f64,
}

/// A number of the history, and how it lies among the same number of outcomes drawn from the model.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PredictiveCheck {
    /// `"mean"`, `"std"`, `"min"`, `"max"` or `"autocorrelation"` (of what the mean leaves, one period apart).
    pub statistic: &'static str,
    /// In the history.
    pub observed: f64,
    /// Among drawn outcomes.
    pub expected: Interval,
    /// Share of drawn outcomes with at least as much: near 0 or 1 the model misses something.
    pub p_value: f64,
}

/// Whether draws can be trusted.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Diagnostics {
    /// `"nuts"`, `"laplace"` or `"reweighed"`.
    pub method: &'static str,
    /// The largest R̂ of a parameter; good below 1.01.
    pub r_hat: f64,
    /// The smallest effective draws for the centre of a parameter.
    pub ess_bulk: f64,
    /// The smallest effective draws for the 5 % and 95 % quantiles of a parameter.
    pub ess_tail: f64,
    /// Trajectories after warm-up that diverged; good is 0.
    pub divergences: usize,
    /// Trajectories that were cut at the largest length.
    pub depth_hits: usize,
    /// The smallest E-BFMI of a chain; good above 0.3.
    pub energy_fraction: Option<f64>,
    /// The tail of importance weights; good below 0.7.
    pub pareto_k: Option<f64>,
    /// Mean steps of a trajectory.
    pub mean_steps: f64,
    /// Evaluations of the posterior and its gradient.
    pub evaluations: usize,
}

impl FittedModel {
    /// Says what the fit found, with intervals that hold the share `level` of the draws.
    ///
    /// # Errors
    /// [`Error::OutOfDomain`](crate::Error::OutOfDomain) unless 0 < level < 1.
    pub fn summary(&self, level: f64) -> Result<Summary> {
        check_level(level)?;
        let parameters = self.parameter_summaries(level);
        let diagnostics = self.diagnose(&parameters);
        let (fit, checks) = self.quality(level)?;
        let warnings = self.warnings(&diagnostics, &checks);
        Ok(Summary {
            level,
            channels: self.channel_summaries(level)?,
            parameters,
            fit,
            checks,
            diagnostics,
            warnings,
        })
    }

    /// Whether the draws can be trusted.
    #[must_use]
    pub fn diagnostics(&self) -> Diagnostics {
        self.diagnose(&self.parameter_summaries(0.9))
    }

    fn parameter_summaries(&self, level: f64) -> Vec<ParameterSummary> {
        (0..self.posterior.layout.dim())
            .map(|at| {
                let chains = self.draws_of(at);
                let Convergence { r_hat, ess_bulk, ess_tail } = Convergence::of(&chains);
                let all = chains.concat();
                let interval = Interval::of(&all, level);
                let square = |value: &f64| (value - interval.mean) * (value - interval.mean);
                #[allow(clippy::cast_precision_loss, reason = "a count")]
                let std = (all.iter().map(square).sum::<f64>() / all.len() as f64).sqrt();
                let name = self.posterior.layout.parameters[at].name.clone();
                ParameterSummary { name, interval, std, r_hat, ess_bulk, ess_tail }
            })
            .collect()
    }

    fn diagnose(&self, parameters: &[ParameterSummary]) -> Diagnostics {
        let sampling = &self.sampling;
        let least =
            |of: fn(&ParameterSummary) -> f64| parameters.iter().map(of).fold(f64::INFINITY, f64::min);
        Diagnostics {
            method: self.how(),
            r_hat: parameters.iter().map(|parameter| parameter.r_hat).fold(1.0, f64::max),
            ess_bulk: least(|parameter| parameter.ess_bulk),
            ess_tail: least(|parameter| parameter.ess_tail),
            divergences: sampling.divergences,
            depth_hits: sampling.depth_hits,
            energy_fraction: sampling.energy_fraction,
            pareto_k: sampling.pareto_k,
            mean_steps: sampling.mean_steps,
            evaluations: sampling.evaluations,
        }
    }

    fn channel_summaries(&self, level: f64) -> Result<Vec<ChannelSummary>> {
        let channels = self.history.channels.len();
        let (roas, marginal) = (self.roas_draws(), self.marginal_roas_draws()?);
        let scale = &self.posterior.design.scale;
        let outcome = self.posterior.design.whole() * scale.outcome_unit;
        let column = |draws: &[f64], i: usize, factor: f64| {
            let own: Vec<f64> = draws.iter().skip(i).step_by(channels).map(|draw| draw * factor).collect();
            Interval::of(&own, level)
        };
        Ok((0..channels)
            .map(|i| ChannelSummary {
                channel: self.history.channels[i].clone(),
                spend: scale.total_spend[i],
                contribution: column(&roas, i, scale.total_spend[i]),
                share: column(&roas, i, scale.total_spend[i] / outcome),
                roas: column(&roas, i, 1.0),
                marginal_roas: column(&marginal, i, 1.0),
            })
            .collect())
    }

    fn quality(&self, level: f64) -> Result<(FitQuality, Vec<PredictiveCheck>)> {
        let forecast = self.fitted(level)?;
        let seen: Vec<usize> =
            (0..self.history.outcome.len()).filter(|&at| !self.history.outcome[at].is_nan()).collect();
        let pick = |values: &[f64]| -> Vec<f64> { seen.iter().map(|&at| values[at]).collect() };
        let (actual, mean) = (pick(&self.history.outcome), pick(&forecast.mean));
        let intervals: Vec<(f64, f64)> =
            pick(&forecast.lower).into_iter().zip(pick(&forecast.upper)).collect();
        #[allow(clippy::cast_precision_loss, reason = "a count")]
        let scores =
            seen.iter().map(|&at| crps(&forecast.draws_at(at), self.history.outcome[at])).sum::<f64>()
                / seen.len() as f64;
        let fit = FitQuality {
            r_squared: r_squared(&actual, &mean),
            mape: mape(&actual, &mean),
            coverage: coverage(&actual, &intervals),
            crps: scores,
        };
        let rows: Vec<Vec<f64>> = forecast.draws.chunks(forecast.mean.len()).map(pick).collect();
        let checks = STATISTICS
            .iter()
            .map(|(statistic, of)| {
                let observed = of(&actual, &mean);
                let drawn: Vec<f64> = rows.iter().map(|row| of(row, &mean)).collect();
                #[allow(clippy::cast_precision_loss, reason = "counts")]
                let p_value =
                    drawn.iter().filter(|&&value| value >= observed).count() as f64 / drawn.len() as f64;
                PredictiveCheck { statistic, observed, expected: Interval::of(&drawn, level), p_value }
            })
            .collect();
        Ok((fit, checks))
    }
}

/// A number of outcomes, given their means.
type Statistic = fn(&[f64], &[f64]) -> f64;

const STATISTICS: [(&str, Statistic); 5] = [
    ("mean", |y, _| average(y)),
    ("std", |y, _| {
        let centre = average(y);
        average(&y.iter().map(|y| (y - centre) * (y - centre)).collect::<Vec<_>>()).sqrt()
    }),
    ("min", |y, _| y.iter().copied().fold(f64::INFINITY, f64::min)),
    ("max", |y, _| y.iter().copied().fold(f64::NEG_INFINITY, f64::max)),
    ("autocorrelation", |y, mean| {
        let left: Vec<f64> = y.iter().zip(mean).map(|(y, mean)| y - mean).collect();
        let pairs: f64 = left.windows(2).map(|pair| pair[0] * pair[1]).sum();
        pairs / left.iter().map(|value| value * value).sum::<f64>()
    }),
];

#[allow(clippy::cast_precision_loss, reason = "a count")]
fn average(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let percent = |share: f64| format!("{:.1} %", 100.0 * share);
        let header =
            ["channel", "spend", "contribution", "share", "ROAS", "interval", "marginal ROAS", "interval"];
        let mut rows = vec![header.map(String::from)];
        let range = |interval: &Interval| format!("{} to {}", Short(interval.lower), Short(interval.upper));
        for channel in &self.channels {
            rows.push([
                channel.channel.clone(),
                Amount(channel.spend.round()).to_string(),
                Amount(channel.contribution.mean.round()).to_string(),
                percent(channel.share.mean),
                Short(channel.roas.median).to_string(),
                range(&channel.roas),
                Short(channel.marginal_roas.median).to_string(),
                range(&channel.marginal_roas),
            ]);
        }
        let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
        let widths: Vec<usize> = (0..header.len()).map(width).collect();
        for row in &rows {
            for (column, (cell, width)) in row.iter().zip(&widths).enumerate() {
                match column {
                    0 => write!(f, "{cell:<width$}")?,
                    _ => write!(f, "  {cell:>width$}")?,
                }
            }
            writeln!(f)?;
        }
        let Diagnostics { r_hat, ess_bulk, divergences, .. } = &self.diagnostics;
        writeln!(f)?;
        writeln!(
            f,
            "Intervals hold {} of the draws. Fit: R² {:.3}, mean error {}, {} of outcomes inside their intervals.",
            percent(self.level),
            self.fit.r_squared,
            percent(self.fit.mape),
            percent(self.fit.coverage),
        )?;
        write!(
            f,
            "Draws: R-hat at most {r_hat:.3}, at least {ess_bulk:.0} effective, {divergences} divergences."
        )?;
        for warning in &self.warnings {
            write!(f, "\n- {}", warning.sentence)?;
        }
        Ok(())
    }
}

/// Three digits.
pub(crate) struct Short(pub(crate) f64);

impl fmt::Display for Short {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.abs() {
            large if large >= 1000.0 => Amount(self.0.round()).fmt(f),
            large if large >= 100.0 => write!(f, "{:.0}", self.0),
            middle if middle >= 10.0 => write!(f, "{:.1}", self.0),
            middle if middle >= 0.1 => write!(f, "{:.2}", self.0),
            _ => write!(f, "{:.2e}", self.0),
        }
    }
}
