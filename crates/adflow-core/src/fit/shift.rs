//! Coordinates in which baseline and channels do not trade places.
//!
//! A channel's contribution and the baseline under it add up to what was seen: when one grows the other shrinks, along a curve that is
//! hard to follow for a sampler. So it moves in γ′ and the model is told γ:
//!
//! ```text
//! γ = γ′ − K Σ_i contribution_i,    K = (ZᵀWZ + Λ)⁻¹ ZᵀW
//! ```
//!
//! Z the baseline's columns, W 1 where an outcome was observed, Λ what the priors weigh at a typical noise. K is the same everywhere and
//! γ′ moves γ one by one: volumes stay, and so does the posterior.

use faer::Mat;
use faer::linalg::solvers::{Llt, Solve};

use super::carry::dot;
use super::design::Design;
use super::layout::Layout;
use super::model::Likelihood;
use super::prior::Prior;

/// Noise over the outcome's own spread, squared: only how well the coordinates suit depends on it.
const NOISE: f64 = 0.1;

/// K as (ZᵀWZ + Λ)⁻¹ and the columns it is applied to.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Shift {
    /// (ZᵀWZ + Λ)⁻¹, row by row.
    inverse: Vec<f64>,
    /// W Z, column by column.
    columns: Vec<Vec<f64>>,
}

impl Shift {
    /// `None` for baselines that are not linear, or whose coefficients have bounds.
    pub(crate) fn new(design: &Design, layout: &Layout) -> Option<Self> {
        if layout.likelihood == Likelihood::NegativeBinomial {
            return None;
        }
        let spread = design.scale.spread;
        let weigh = |at: usize| match layout.parameters[at].prior {
            Prior::Normal { std, .. } => Some(NOISE * spread * spread / (std * std)),
            _ => None,
        };
        let priors: Vec<f64> = layout.baseline.clone().map(weigh).collect::<Option<_>>()?;
        let seen =
            |column: &Vec<f64>| column.iter().zip(&design.seen).map(|(value, seen)| value * seen).collect();
        let columns: Vec<Vec<f64>> = design.baseline.iter().map(seen).collect();
        let size = columns.len();
        let gram = Mat::from_fn(size, size, |row, column| {
            dot(&columns[row], &columns[column]) + if row == column { priors[row] } else { 0.0 }
        });
        let inverse =
            Llt::new(gram.as_ref(), faer::Side::Lower).ok()?.solve(Mat::<f64>::identity(size, size));
        let inverse = (0..size * size).map(|at| inverse[(at / size, at % size)]).collect();
        Some(Self { inverse, columns })
    }

    /// K media.
    pub(crate) fn of(&self, media: &[f64]) -> Vec<f64> {
        let felt: Vec<f64> = self.columns.iter().map(|column| dot(media, column)).collect();
        self.solve(&felt)
    }

    /// Takes Kᵀ by off ∂L/∂media, for ∂L/∂γ = by.
    pub(crate) fn pull_back(&self, by: &[f64], by_media: &mut [f64]) {
        for (column, factor) in self.columns.iter().zip(self.solve(by)) {
            by_media.iter_mut().zip(column).for_each(|(by, value)| *by -= factor * value);
        }
    }

    fn solve(&self, right: &[f64]) -> Vec<f64> {
        self.inverse.chunks(right.len()).map(|row| dot(row, right)).collect()
    }
}
