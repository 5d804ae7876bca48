//! What would have happened: spends in, outcomes out.

use super::randomness::Purpose;
use super::season::Seasons;
use super::{Market, MarketNoise, count::count as noisy_count, totals};
use crate::error::{Error, Result};

/// What spends bring, period by period.
///
/// ```text
/// expected = baseline + Σ_i contributions_i + interaction
/// ```
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Simulation {
    /// Number of periods.
    pub periods: usize,
    /// What was spent (money), `[group][period][channel]`: the budgets, or less where an auction had no more to sell.
    pub spend: Vec<f64>,
    /// Outcomes with noise, `[group][period]`.
    pub outcome: Vec<f64>,
    /// Outcomes without noise, `[group][period]`.
    pub expected: Vec<f64>,
    /// What comes without media, `[group][period]`.
    pub baseline: Vec<f64>,
    /// What each channel brings by itself, when it is counted, `[group][period][channel]`.
    pub contributions: Vec<f64>,
    /// What the channels bring together beyond that, when it is counted, `[group][period]`.
    pub interaction: Vec<f64>,
    /// Impressions bought per channel, `[group][period]`; `None` where there is no auction.
    pub exposures: Vec<Option<Vec<f64>>>,
    /// What each channel caused by itself and the conversion lag counts after the last period.
    pub pending: Vec<f64>,
}

impl Market {
    /// What these budgets bring (money, `[group][period][channel]`, from the first period of the history on, for as many
    /// periods as they have). Every random number is the history's.
    ///
    /// # Errors
    /// [`Error::LengthMismatch`] unless `spend` is a whole number of periods, [`Error::NotFinite`] and [`Error::OutOfDomain`] for
    /// a spend that is NaN, infinite, negative or above 1e30.
    pub fn simulate(&self, spend: &[f64]) -> Result<Simulation> {
        let periods = self.check_spend("spend", spend)?;
        self.check_periods(periods, "spend")?;
        let n = self.kernels.len();
        let seasons = Seasons::new(&self.settings, &self.randomness, periods)?;
        let flow = self.flow(spend, periods);
        let baseline = self.without_media(&seasons);
        let expected = self.expected(&flow.reached, &baseline, periods);
        let outcome = expected
            .iter()
            .enumerate()
            .map(|(row, &mean)| self.outcome(row / periods, row % periods, mean))
            .collect();
        let exposures = |(i, channel): (usize, &super::MarketChannel)| {
            channel.auction.map(|_| flow.bought.iter().skip(i).step_by(n).copied().collect())
        };
        let contributions = self.contributions(&flow.reached, periods);
        let counted = totals(&contributions, n);
        let caused: Vec<f64> = flow
            .reached
            .iter()
            .enumerate()
            .map(|(at, share)| share * self.most[at / n / periods * n + at % n])
            .collect();
        let pending =
            totals(&caused, n).into_iter().zip(counted).map(|(caused, counted)| (caused - counted).max(0.0));
        Ok(Simulation {
            periods,
            outcome,
            expected,
            interaction: self.together(&flow.reached, periods),
            exposures: self.settings.channels.iter().enumerate().map(exposures).collect(),
            pending: if self.settings.conversion_lag.len() > 1 { pending.collect() } else { vec![0.0; n] },
            contributions,
            spend: flow.spend,
            baseline,
        })
    }

    /// Outcomes without noise, `[group][period]`.
    pub(crate) fn expected(&self, reached: &[f64], baseline: &[f64], periods: usize) -> Vec<f64> {
        let contributions = self.contributions(reached, periods);
        let rows = contributions.chunks(self.kernels.len()).map(|row| row.iter().sum::<f64>());
        let together = self.together(reached, periods);
        rows.zip(baseline).zip(together).map(|((media, base), both)| base + media + both).collect()
    }

    /// An outcome around its mean.
    pub(crate) fn outcome(&self, group: usize, period: usize, mean: f64) -> f64 {
        match self.settings.noise {
            MarketNoise::Gaussian { .. } => {
                mean + self.scatter[group] * self.randomness.normal(Purpose::Outcome, group, 0, period)
            }
            MarketNoise::Count { dispersion } => {
                let uniform = self.randomness.at(Purpose::Outcome, group, 0, period).uniform();
                let mut rate = self.randomness.at(Purpose::Rate, group, 0, period);
                noisy_count(mean, dispersion, &mut rate, uniform)
            }
        }
    }

    /// How many periods these spends are, if they are spends.
    pub(crate) fn check_spend(&self, field: &str, spend: &[f64]) -> Result<usize> {
        let row = self.sizes.len() * self.kernels.len();
        if spend.is_empty() || !spend.len().is_multiple_of(row) {
            let expected = spend.len().next_multiple_of(row).max(row);
            return Err(Error::LengthMismatch { field: field.into(), expected, actual: spend.len() });
        }
        for (at, &value) in spend.iter().enumerate() {
            if !(value.is_finite() && (0.0..=1e30).contains(&value)) {
                super::check::within(format!("{field}[{at}]"), value, 0.0, 1e30)?;
            }
        }
        Ok(spend.len() / row)
    }
}
