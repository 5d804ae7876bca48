//! What a model fitted on the history should find.

use super::auction::Landscape;
use super::{BudgetChange, Intervention, Market, Simulation, count, totals};
use crate::curve::ResponseCurves;
use crate::curve::carry_over::Adstock;
use crate::error::{Error, Result};

/// The truth behind a history.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct MarketTruth {
    /// The channels' names.
    pub channels: Vec<String>,
    /// What happened, and its parts: baseline, contributions, interaction.
    pub simulation: Simulation,
    /// Spend of each channel over the history (money).
    pub spend: Vec<f64>,
    /// What each channel brought by itself over the history.
    pub contribution: Vec<f64>,
    /// Outcome per money of each channel over the history: what the expected outcome of all periods and groups would have lost
    /// without the channel, carry-over and interactions included, over its spend. What its last spends bring after the
    /// last period is not in it. NaN for a channel that never spent.
    pub roas: Vec<f64>,
    /// Outcome of the next money per period in the long run, at the mean spend per period of the history and the prices of
    /// its last period: the slope of `curves` there.
    pub marginal_roas: Vec<f64>,
    /// Steady-state curves at the prices of the last period: [`Market::curves`].
    pub curves: ResponseCurves,
    /// Carry-over of all channels: weights that sum to 1.
    pub adstock: Adstock,
}

/// Straight lines of a curve behind an auction. At a share q of all that can be spent they miss a Hill curve of slope s by
/// about s²/(8·10⁶ √q) of its height.
const POINTS: u32 = 2_048;

impl Market {
    /// The truth behind the history.
    ///
    /// # Errors
    /// None that a market could cause.
    pub fn truth(&self) -> Result<MarketTruth> {
        let (n, periods) = (self.kernels.len(), self.settings.periods);
        let simulation = self.simulate(&self.spend)?;
        let spend = totals(&simulation.spend, n);
        let roas = (0..n)
            .map(|i| {
                if !(spend[i] > 0.0) {
                    return Ok(f64::NAN);
                }
                let off = self.spend_after(&[Intervention::new(i, BudgetChange::To(0.0))])?;
                let without = self.expected(&self.flow(&off, periods).reached, &simulation.baseline, periods);
                let lost = simulation.expected.iter().zip(without).map(|(with, without)| with - without);
                Ok(lost.sum::<f64>() / spend[i])
            })
            .collect::<Result<Vec<f64>>>()?;
        let last = periods - 1;
        Ok(MarketTruth {
            channels: self.settings.channels.iter().map(|channel| channel.name.clone()).collect(),
            contribution: totals(&simulation.contributions, n),
            marginal_roas: (0..n).map(|i| self.slope(i, spend[i] / count(periods), last)).collect(),
            roas,
            curves: self.curves(last)?,
            adstock: self.adstock(),
            spend,
            simulation,
        })
    }

    /// The channels' carry-over as one kernel per channel; the weights of each sum to 1.
    #[must_use]
    pub fn adstock(&self) -> Adstock {
        Adstock::kernel(self.kernels.clone())
    }

    /// Steady-state curves of the whole market: what a channel brings per period by itself, in the long run, if it spends the
    /// same in every period, at the prices of a period (without their random part) and without learning.
    ///
    /// Spend is that of all groups together, split by their population. Hill curves where media have a price; straight lines
    /// between 2,049 points where they are bought in an auction, up to the most that can be spent there.
    ///
    /// # Errors
    /// [`Error::OutOfDomain`] for a period beyond 20,000.
    pub fn curves(&self, period: usize) -> Result<ResponseCurves> {
        if period >= super::check::MOST_PERIODS {
            let expected = format!("below {}", super::check::MOST_PERIODS);
            return Err(Error::out_of_domain("period", expected, period));
        }
        let n = self.kernels.len();
        let groups = count(self.sizes.len());
        let curve = |i: usize| {
            let price = self.price(i, period, true);
            let most = self.most_of_all(i);
            let Some(auction) = &self.settings.channels[i].auction else {
                let half = self.half_saturation(i);
                return ResponseCurves::hill(most, half, self.settings.channels[i].slope)?
                    .with_cost_per_unit(price * groups);
            };
            let whole = Landscape::new(auction, 1.0, price).whole_cost();
            let points = (0..=POINTS).map(|k| {
                // Narrow near 0: how much of a landscape a channel buys is anyone's guess.
                let root = f64::from(k) / f64::from(POINTS);
                whole * (root * root) * (root * root)
            });
            let hill = self.saturation.set.arm(i);
            let (spend, response) =
                points.map(|x| (x * groups, most * hill.response(self.buy(i, 1.0, price, x).0))).unzip();
            ResponseCurves::tabulated(&[spend], &[response])
        };
        let curves = (0..n).map(curve).collect::<Result<Vec<_>>>()?;
        ResponseCurves::concat(&curves)?
            .with_names(self.settings.channels.iter().map(|channel| &channel.name))
    }

    /// Slope of a channel's steady-state curve. In an auction the next unit costs the bid.
    fn slope(&self, i: usize, spend: f64, period: usize) -> f64 {
        let price = self.price(i, period, true);
        let per_group = spend / count(self.sizes.len());
        let (bought, _) = self.buy(i, 1.0, price, per_group);
        let next = match &self.settings.channels[i].auction {
            None => price,
            Some(auction) => Landscape::new(auction, 1.0, price).bid(per_group),
        };
        self.most_of_all(i) * self.saturation.set.arm(i).slope(bought) / next / count(self.sizes.len())
    }

    fn most_of_all(&self, i: usize) -> f64 {
        self.most.iter().skip(i).step_by(self.kernels.len()).sum()
    }

    fn half_saturation(&self, i: usize) -> f64 {
        self.saturation.set.parameters[1].at(i)
    }
}
