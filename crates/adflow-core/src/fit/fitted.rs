//! A fitted response model: the posterior as draws, and what follows from them.

use super::model::{Likelihood, Method, ResponseModel};
use super::posterior::{Flow, Posterior};
use crate::curve::carry_over::Adstock;
use crate::error::{Error, Result};
use crate::history::History;

mod curves;
mod decompose;
mod file;
mod forecast;
mod summary;
mod warnings;

pub use decompose::{Component, Decomposition};
pub use forecast::Forecast;
#[cfg(test)]
pub(crate) use forecast::observe as forecast_observe;
pub use summary::{ChannelSummary, Diagnostics, FitQuality, ParameterSummary, PredictiveCheck, Summary};
pub use warnings::Warning;

/// A response model with the posterior that a history left.
///
/// Made by [`ResponseModel::fit`]. All chains' draws are kept; curves, contributions and forecasts use as many of them as one chain has,
/// evenly spaced ([`used_draws`](Self::used_draws)).
#[derive(Debug, Clone, PartialEq)]
pub struct FittedModel {
    pub(crate) model: ResponseModel,
    pub(crate) history: History,
    pub(crate) posterior: Posterior,
    /// θ, `[chain][draw][parameter]`.
    pub(crate) theta: Vec<Vec<Vec<f64>>>,
    pub(crate) sampling: Sampling,
}

/// How the draws were taken.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub(crate) struct Sampling {
    pub(crate) how: How,
    pub(crate) divergences: usize,
    pub(crate) depth_hits: usize,
    pub(crate) mean_steps: f64,
    pub(crate) evaluations: usize,
    /// The smallest energy fraction (E-BFMI) of a chain; `None` without energies.
    pub(crate) energy_fraction: Option<f64>,
    /// The shape of the tail of importance weights; `None` without any.
    pub(crate) pareto_k: Option<f64>,
    /// As many independent draws the weights leave; `None` without any.
    pub(crate) effective: Option<f64>,
}

/// Where draws come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum How {
    Nuts,
    Laplace,
    /// Draws of an earlier posterior, reweighed by what new rows say.
    Reweighed,
}

/// The middle of a distribution, and an interval around it.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize)]
pub struct Interval {
    /// Mean of the draws.
    pub mean: f64,
    /// Half of the draws lie below.
    pub median: f64,
    /// Lower end: (1 − level)/2 of the draws lie below.
    pub lower: f64,
    /// Upper end: (1 − level)/2 of the draws lie above.
    pub upper: f64,
}

impl Interval {
    /// The interval that holds the share `level` of the draws in its middle.
    pub(crate) fn of(draws: &[f64], level: f64) -> Self {
        let sorted = super::scores::in_order(draws);
        let at = |share| super::scores::quantile(&sorted, share);
        #[allow(clippy::cast_precision_loss, reason = "a count")]
        let mean = draws.iter().sum::<f64>() / draws.len() as f64;
        Self { mean, median: at(0.5), lower: at(0.5 * (1.0 - level)), upper: at(0.5 * (1.0 + level)) }
    }
}

/// Checks a level of an interval.
pub(crate) fn check_level(level: f64) -> Result<()> {
    if level > 0.0 && level < 1.0 {
        return Ok(());
    }
    Err(Error::out_of_domain("level", "between 0 and 1", level))
}

impl FittedModel {
    /// The model as it was stated.
    #[must_use]
    pub fn model(&self) -> &ResponseModel {
        &self.model
    }

    /// Sets how many threads a [`refit`](Self::refit) may use (≥ 1); those of the fit by default, one for a model that was read.
    #[must_use]
    pub fn threads(mut self, threads: usize) -> Self {
        self.model.threads = threads;
        self
    }

    /// The history that was fitted.
    #[must_use]
    pub fn history(&self) -> &History {
        &self.history
    }

    /// Number of chains.
    #[must_use]
    pub fn chains(&self) -> usize {
        self.theta.len()
    }

    /// Draws per chain.
    #[must_use]
    pub fn draws(&self) -> usize {
        self.theta[0].len()
    }

    /// Which draws curves, contributions and forecasts use: numbers counted through all chains, as many as one chain has.
    #[must_use]
    pub fn used_draws(&self) -> Vec<usize> {
        let (chains, draws) = (self.chains(), self.draws());
        // One from each chain in turn.
        (0..draws).map(|draw| draw % chains * draws + draw).collect()
    }

    /// Names of the parameters.
    pub fn parameter_names(&self) -> impl Iterator<Item = &str> {
        self.posterior.layout.parameters.iter().map(|parameter| parameter.name.as_str())
    }

    /// All draws of a parameter, chain by chain, in the units of the history: `half_saturation` in money per period, baseline
    /// and `sigma` in outcome per period; `None` for a name that is none.
    #[must_use]
    pub fn parameter_draws(&self, name: &str) -> Option<Vec<f64>> {
        let at = self.posterior.layout.position(name)?;
        Some(self.draws_of(at).concat())
    }

    /// A parameter's draws, `[chain][draw]`, in the units of the history.
    pub(crate) fn draws_of(&self, at: usize) -> Vec<Vec<f64>> {
        let parameter = &self.posterior.layout.parameters[at];
        let told = |theta: &Vec<f64>| parameter.prior.natural(theta[at]).0 * parameter.unit;
        self.theta.iter().map(|chain| chain.iter().map(told).collect()).collect()
    }

    /// θ of the draws that are used.
    pub(crate) fn used(&self) -> impl Iterator<Item = &Vec<f64>> {
        let draws = self.draws();
        self.used_draws().into_iter().map(move |number| &self.theta[number / draws][number % draws])
    }

    /// ROAS of every channel in every used draw, `[draw][channel]`: what its spends of the history brought within the history, over
    /// those spends (outcome per money).
    #[must_use]
    pub fn roas_draws(&self) -> Vec<f64> {
        let scale = &self.posterior.design.scale;
        let outcome = self.posterior.design.whole() * scale.outcome_unit;
        self.used()
            .flat_map(|theta| {
                let shares = self.posterior.shares(&self.posterior.natural(theta));
                shares
                    .into_iter()
                    .zip(&scale.total_spend)
                    .map(|(share, spend)| share * outcome / spend)
                    .collect::<Vec<_>>()
            })
            .collect()
    }

    /// Marginal ROAS of every channel in every used draw, `[draw][channel]`: what the next unit of money per period brings in the
    /// long run, at the channel's mean spend per period.
    ///
    /// # Errors
    /// None that a fitted model can meet; those of [`curves`](Self::curves) all the same.
    pub fn marginal_roas_draws(&self) -> Result<Vec<f64>> {
        let curves = self.curves()?;
        let spend = self.mean_spend();
        let mut draws = Vec::with_capacity(self.draws() * spend.len());
        for draw in 0..self.draws() {
            // A mean over a single draw is the draw.
            let one = if curves.draws() > 1 { curves.draw(draw)? } else { curves.clone() };
            draws.extend(one.marginal_response(&spend)?);
        }
        Ok(draws)
    }

    /// Mean spend per period of every channel, over all groups (money).
    #[must_use]
    pub fn mean_spend(&self) -> Vec<f64> {
        #[allow(clippy::cast_precision_loss, reason = "a count")]
        let periods = self.history.periods as f64;
        self.posterior.design.scale.total_spend.iter().map(|spend| spend / periods).collect()
    }

    /// The carry-over of every channel, mean over the used draws; lags that hold less than a thousandth of it are left out.
    ///
    /// # Errors
    /// None that a fitted model can meet.
    pub fn adstock(&self) -> Result<Adstock> {
        const LONGEST: usize = 105;
        let channels = self.history.channels.len();
        let mut rows = vec![vec![0.0; LONGEST]; channels];
        for theta in self.used() {
            let x = self.posterior.natural(theta);
            for (i, row) in rows.iter_mut().enumerate() {
                let weights = self.posterior.carry_of(i, &x).weights(LONGEST);
                row.iter_mut().zip(weights).for_each(|(sum, weight)| *sum += weight);
            }
        }
        for row in &mut rows {
            let total: f64 = row.iter().sum();
            let (mut seen, mut lags) = (0.0, 0);
            while lags < LONGEST && seen < 0.999 * total {
                seen += row[lags];
                lags += 1;
            }
            row.truncate(lags.max(1));
            row.iter_mut().for_each(|weight| *weight /= seen);
        }
        Ok(Adstock::kernel(rows))
    }

    /// What every channel brings in each used draw.
    pub(crate) fn each_draw(&self) -> impl Iterator<Item = (Vec<f64>, Vec<Flow>)> {
        self.used().map(|theta| {
            let x = self.posterior.natural(theta);
            let flows = self.posterior.flows(&x);
            (x, flows)
        })
    }

    pub(crate) fn counts(&self) -> bool {
        self.posterior.layout.likelihood == Likelihood::NegativeBinomial
    }

    /// How the draws were taken: `"nuts"`, `"laplace"`, or `"reweighed"` after a [`refit`](Self::refit).
    #[must_use]
    pub fn how(&self) -> &'static str {
        match self.sampling.how {
            How::Nuts => "nuts",
            How::Laplace => "laplace",
            How::Reweighed => "reweighed",
        }
    }
}

impl From<Method> for How {
    fn from(method: Method) -> Self {
        match method {
            Method::Nuts => Self::Nuts,
            Method::Laplace => Self::Laplace,
        }
    }
}
