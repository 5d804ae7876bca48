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
//! γ′ moves γ one by one: volumes stay, and so does the posterior. The groups' deviations belong to γ.

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
    /// Where the coefficients stand: the baseline's, then the groups' deviations.
    pub(crate) positions: Vec<usize>,
    /// (ZᵀWZ + Λ)⁻¹, row by row.
    inverse: Vec<f64>,
    /// W Z, column by column, each from a cell on; what is left out is 0.
    columns: Vec<(usize, Vec<f64>)>,
}

impl Shift {
    /// `None` for baselines that are not linear, or whose coefficients have bounds.
    pub(crate) fn new(design: &Design, layout: &Layout) -> Option<Self> {
        if layout.likelihood == Likelihood::NegativeBinomial {
            return None;
        }
        let spread = design.scale.spread;
        let of = |at: usize| match layout.parameters[at].prior {
            Prior::Normal { std, .. } => Some(NOISE * spread * spread / (std * std)),
            _ => None,
        };
        let mut priors: Vec<f64> = layout.baseline.clone().map(of).collect::<Option<_>>()?;
        let mut positions: Vec<usize> = layout.baseline.clone().collect();
        let seen =
            |column: &Vec<f64>| column.iter().zip(&design.seen).map(|(value, seen)| value * seen).collect();
        let mut columns: Vec<(usize, Vec<f64>)> =
            design.baseline.iter().map(|column| (0, seen(column))).collect();
        if let Some(at) = layout.group_at {
            for group in 0..design.groups {
                positions.push(at + group);
                priors.push(of(at + group)?);
                let start = group * design.periods;
                columns.push((start, design.seen[start..start + design.periods].to_vec()));
            }
        }
        let size = columns.len();
        let overlap = |(a_start, a): &(usize, Vec<f64>), (b_start, b): &(usize, Vec<f64>)| {
            let (from, to) = (*a_start.max(b_start), (a_start + a.len()).min(b_start + b.len()));
            if from < to {
                dot(&a[from - a_start..to - a_start], &b[from - b_start..to - b_start])
            } else {
                0.0
            }
        };
        let gram = Mat::from_fn(size, size, |row, column| {
            overlap(&columns[row], &columns[column]) + if row == column { priors[row] } else { 0.0 }
        });
        let inverse =
            Llt::new(gram.as_ref(), faer::Side::Lower).ok()?.solve(Mat::<f64>::identity(size, size));
        let inverse = (0..size * size).map(|at| inverse[(at / size, at % size)]).collect();
        Some(Self { positions, inverse, columns })
    }

    /// K media.
    pub(crate) fn of(&self, media: &[f64]) -> Vec<f64> {
        let felt: Vec<f64> =
            self.columns.iter().map(|(start, values)| dot(values, &media[*start..])).collect();
        self.solve(&felt)
    }

    /// Takes Kᵀ by off ∂L/∂media, for by = ∂L/∂γ of all parameters.
    pub(crate) fn pull_back(&self, by: &[f64], by_media: &mut [f64]) {
        let by: Vec<f64> = self.positions.iter().map(|&at| by[at]).collect();
        for ((start, values), factor) in self.columns.iter().zip(self.solve(&by)) {
            by_media[*start..].iter_mut().zip(values).for_each(|(by, value)| *by -= factor * value);
        }
    }

    fn solve(&self, right: &[f64]) -> Vec<f64> {
        self.inverse.chunks(right.len()).map(|row| dot(row, right)).collect()
    }
}
