//! What outcomes the model expects: of the history, and of a plan.

use rand::rngs::ChaCha8Rng;
use rand::{Rng, RngExt, SeedableRng};
use rand_distr::{Distribution, Gamma, Poisson, StandardNormal};

use super::{FittedModel, Interval, check_level};
use crate::error::Result;
use crate::fit::design::Design;
use crate::fit::model::Likelihood;
use crate::history::History;

/// Outcomes with their uncertainty.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct Forecast {
    /// Share of the draws inside each interval.
    pub level: f64,
    /// Mean, `[group][period]` (outcome).
    pub mean: Vec<f64>,
    /// Lower end of what will be observed, noise included, `[group][period]`.
    pub lower: Vec<f64>,
    /// Upper end, `[group][period]`.
    pub upper: Vec<f64>,
    /// The sum over all groups and periods, noise included.
    pub total: Interval,
    /// What will be observed in each used draw, `[draw][group][period]`.
    #[serde(skip)]
    pub draws: Vec<f64>,
}

/// Which random numbers forecasts use: chains use the streams from 0 on.
const STREAM: u64 = u64::MAX - 1;

impl FittedModel {
    /// What the model expects of the history itself: its posterior-predictive distribution.
    ///
    /// # Errors
    /// [`Error::OutOfDomain`](crate::Error::OutOfDomain) unless 0 < level < 1.
    pub fn fitted(&self, level: f64) -> Result<Forecast> {
        check_level(level)?;
        self.outlook(&self.posterior.design, 0, level)
    }

    /// What the model expects of the periods after the history, given their spends, controls and holidays.
    ///
    /// `future` is a history of the same channels, groups, controls and holidays whose outcomes may be missing
    /// ([`History::plan`]). Past spends carry over into it. Channels with exposures get as many as their spend bought in the past.
    ///
    /// # Errors
    /// [`Error::OutOfDomain`](crate::Error::OutOfDomain) unless 0 < level < 1, or where dates do not follow the history's; [`Error::UnknownName`](crate::Error::UnknownName) and
    /// [`Error::LengthMismatch`](crate::Error::LengthMismatch) where channels, groups or columns differ.
    pub fn predict(&self, future: &History, level: f64) -> Result<Forecast> {
        check_level(level)?;
        let whole = self.history.followed_by(future)?;
        let scale = self.posterior.design.scale.clone();
        let columns = self.posterior.design.columns.clone();
        let design = Design::with(&whole, scale, columns)?;
        self.outlook(&design, self.history.periods, level)
    }

    /// Outcomes of a design's periods from `start` on.
    fn outlook(&self, design: &Design, start: usize, level: f64) -> Result<Forecast> {
        let layout = &self.posterior.layout;
        let scale = &design.scale;
        let cells = design.groups * design.periods;
        let mut random = ChaCha8Rng::seed_from_u64(self.model.seed);
        random.set_stream(STREAM);
        let kept: Vec<usize> = (0..cells).filter(|at| at % design.periods >= start).collect();
        let (mut draws, mut sum) = (Vec::with_capacity(self.draws() * kept.len()), vec![0.0; kept.len()]);
        let [mut stock, mut logs, mut saturated] = [(); 3].map(|()| vec![0.0; cells]);
        for (x, flows) in self.each_draw() {
            let mut mean = vec![0.0; cells];
            for (column, at) in design.baseline.iter().zip(layout.baseline.clone()) {
                mean.iter_mut().zip(column).for_each(|(mean, value)| *mean += x[at] * value);
            }
            if let Some(at) = layout.group_at {
                for (group, mean) in mean.chunks_mut(design.periods).enumerate() {
                    mean.iter_mut().for_each(|mean| *mean += x[at + group]);
                }
            }
            if self.counts() {
                mean.iter_mut().for_each(|mean| *mean = crate::elementary::exp(*mean));
            }
            for (flow, media) in flows.iter().zip(&design.media) {
                flow.carry.forward(media, design.periods, &mut stock);
                flow.shape.values(&stock, &mut logs, &mut saturated);
                for (at, (mean, m)) in mean.iter_mut().zip(&saturated).enumerate() {
                    *mean += flow.factor * flow.multiplier[at / design.periods] * m;
                }
            }
            for (&at, sum) in kept.iter().zip(&mut sum) {
                let unit = scale.size[at / design.periods] * scale.outcome_unit;
                *sum += mean[at] * unit;
                let tail = layout.tail_at.map_or(f64::INFINITY, |at| x[at]);
                draws.push(observe(layout.likelihood, mean[at], unit, x[layout.noise_at], tail, &mut random));
            }
        }
        Ok(Forecast::new(draws, sum, self.draws(), level))
    }
}

impl Forecast {
    fn new(draws: Vec<f64>, sum: Vec<f64>, count: usize, level: f64) -> Self {
        let cells = sum.len();
        #[allow(clippy::cast_precision_loss, reason = "a count")]
        let mean: Vec<f64> = sum.iter().map(|sum| sum / count as f64).collect();
        let (mut lower, mut upper) = (Vec::with_capacity(cells), Vec::with_capacity(cells));
        for at in 0..cells {
            let own: Vec<f64> = draws.iter().skip(at).step_by(cells).copied().collect();
            let interval = Interval::of(&own, level);
            lower.push(interval.lower);
            upper.push(interval.upper);
        }
        let totals: Vec<f64> = draws.chunks(cells).map(|row| row.iter().sum()).collect();
        Self { level, mean, lower, upper, total: Interval::of(&totals, level), draws }
    }

    /// The draws of one cell.
    pub(crate) fn draws_at(&self, at: usize) -> Vec<f64> {
        self.draws.iter().skip(at).step_by(self.mean.len()).copied().collect()
    }
}

/// An outcome around its mean (both y; the outcome comes in the units of the history).
pub(crate) fn observe<R: Rng + ?Sized>(
    likelihood: Likelihood,
    mean: f64,
    unit: f64,
    noise: f64,
    tail: f64,
    random: &mut R,
) -> f64 {
    let normal = |random: &mut R| -> f64 { random.sample(StandardNormal) };
    match likelihood {
        Likelihood::Normal => unit * (mean + noise * normal(random)),
        Likelihood::StudentT => {
            // z/√(χ²_ν/ν), and χ²_ν/2 is gamma(ν/2).
            let z = normal(random);
            let chi = Gamma::new(0.5 * tail, 2.0 / tail).map_or(1.0, |gamma| gamma.sample(random));
            unit * (mean + noise * z / chi.max(f64::MIN_POSITIVE).sqrt())
        }
        Likelihood::NegativeBinomial => {
            let shape = 1.0 / (noise * noise);
            let rate =
                Gamma::new(shape, mean * unit / shape).map_or(mean * unit, |gamma| gamma.sample(random));
            // Past 1e15 a count is no whole number any more.
            Poisson::new(rate.clamp(f64::MIN_POSITIVE, 1e15)).map_or(rate, |poisson| poisson.sample(random))
        }
    }
}
