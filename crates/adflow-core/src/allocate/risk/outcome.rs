//! What a plan brings in every draw.

use serde::Serialize;

use super::super::plan::Plan;
use super::measure::{cvar, deviation, mean, outcomes, probability};

/// The distribution of a plan's outcome R_s = Σ_i v_i f_is(x_i) over the draws of its curves (objective units, before costs).
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Outcome {
    /// R_s, one per draw.
    pub draws: Vec<f64>,
    /// 1/S Σ R_s.
    pub mean: f64,
    /// Population standard deviation (divisor S).
    pub std: f64,
    /// Quantiles at 5, 25, 50, 75 and 95 %, linear between the draws in order.
    pub quantiles: [f64; 5],
    /// Mean of the worst 10 % of the draws, with a part of the draw on the border.
    pub cvar_10: f64,
}

impl Outcome {
    pub(crate) fn new(draws: Vec<f64>) -> Self {
        let sorted = sorted(&draws);
        let quantiles = QUANTILES.map(|share| quantile(&sorted, share));
        Self { mean: mean(&draws), std: deviation(&draws), quantiles, cvar_10: cvar(&draws, 0.1), draws }
    }

    /// The share of the draws in which the outcome is at least `level`.
    #[must_use]
    pub fn probability(&self, level: f64) -> f64 {
        probability(&self.draws, level)
    }

    /// The mean of the worst share `alpha` of the draws; NaN unless 0 < α ≤ 1.
    #[must_use]
    pub fn cvar(&self, alpha: f64) -> f64 {
        if alpha > 0.0 && alpha <= 1.0 { cvar(&self.draws, alpha) } else { f64::NAN }
    }

    /// The quantile at a share from 0 to 1, linear between the draws in order; NaN outside.
    #[must_use]
    pub fn quantile(&self, share: f64) -> f64 {
        if (0.0..=1.0).contains(&share) { quantile(&sorted(&self.draws), share) } else { f64::NAN }
    }
}

/// The quantiles that are always given.
pub(crate) const QUANTILES: [f64; 5] = [0.05, 0.25, 0.5, 0.75, 0.95];

pub(crate) fn sorted(values: &[f64]) -> Vec<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted
}

/// The quantile of numbers in order, linear between them (the most common definition, R's type 7).
pub(crate) fn quantile(sorted: &[f64], share: f64) -> f64 {
    let position = share * super::measure::count(sorted.len() - 1);
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a position in the list")]
    let below = (position.floor() as usize).min(sorted.len() - 1);
    let above = (below + 1).min(sorted.len() - 1);
    sorted[below] + (position - position.floor()) * (sorted[above] - sorted[below])
}

impl Plan {
    /// The distribution of the outcome over the draws of the curves; nothing where the curves are certain.
    ///
    /// # Examples
    /// ```
    /// use adflow_core::{Parameter, Problem, ResponseCurves};
    ///
    /// let curves = ResponseCurves::linear(Parameter::draws(4, 1, [1.0, 2.0, 3.0, 6.0])?)?;
    /// let outcome = Problem::new(curves).budget(1.0).solve()?.outcome().unwrap();
    /// assert_eq!((outcome.mean, outcome.quantiles[2]), (3.0, 2.5));
    /// assert_eq!(outcome.probability(2.0), 0.75);
    /// # Ok::<(), adflow_core::Error>(())
    /// ```
    #[must_use]
    pub fn outcome(&self) -> Option<Outcome> {
        let drawn = self.problem.curves.draws() > 1 && self.spend.len() == self.problem.curves.len();
        drawn.then(|| Outcome::new(outcomes(&self.problem, &self.spend)))
    }
}
