//! The normal approximation of a posterior around its mode, and draws from it that importance weights correct.

use rand::rngs::ChaCha8Rng;
use rand::{RngExt, SeedableRng};
use rand_distr::StandardNormal;

use crate::clock::Clock;
use crate::error::{Error, Result};
use crate::fit::density::Density;
use crate::fit::importance::{self, Weights};
use crate::fit::mode::{End, find_mode};
use crate::fit::whitening::{Whitened, Whitening};

/// Evaluations that the search for the mode may use.
const EVALUATIONS: usize = 2_000;
/// Newton steps after it, all with the same curvature.
const POLISH: usize = 20;
/// Proposals for every draw asked: enough that few draws are repeated where the approximation is good.
const PROPOSALS: usize = 4;

/// Which random numbers a call uses: the chains of a sampler use the streams from 0 on.
const STREAM: u64 = u64::MAX;

/// The normal approximation of a density.
#[derive(Debug, Clone)]
pub(crate) struct Laplace {
    /// Centre: the mode. L Lᵀ: the inverse of the curvature there.
    pub(crate) whitening: Whitening,
    /// ln p at the mode.
    #[cfg(test)]
    pub(crate) value: f64,
    /// How the search for the mode ended.
    #[cfg(test)]
    pub(crate) end: End,
    /// Evaluations of the density and its gradient.
    pub(crate) evaluations: usize,
}

impl Laplace {
    /// Finds a mode from `start` and measures the curvature there.
    ///
    /// ```text
    /// A = −∇² ln p(mode) by central differences of the exact gradient,    θ ~ N(mode, A⁻¹)
    /// ```
    ///
    /// Where A is not positive definite its eigenvalues are lifted (see [`Whitening::from_precision`]). Densities with very
    /// many parameters use the diagonal of A only.
    ///
    /// # Errors
    /// [`Error::Unfittable`] when the density is not finite at the start; [`Error::Interrupted`].
    pub(crate) fn new<D: Density>(density: &D, start: &[f64], clock: &dyn Clock) -> Result<Self> {
        let mode = find_mode(density, start, EVALUATIONS, clock)?;
        if mode.end == End::NotFinite {
            return Err(Error::Unfittable {
                reason: "the density is not finite where the search starts".into(),
            });
        }
        let (mut value, mut evaluations) = (mode.value, mode.evaluations);
        let mut whitening = curvature(density, mode.at, &mut evaluations, clock)?;
        if mode.end == End::Converged {
            for _ in 0..POLISH {
                let Some(better) = newton_step(density, &whitening, value, &mut evaluations) else { break };
                value = better.0;
                whitening = whitening.around(better.1);
            }
        }
        Ok(Self {
            whitening,
            #[cfg(test)]
            value,
            #[cfg(test)]
            end: mode.end,
            evaluations,
        })
    }

    /// Draws from the approximation, resampled with Pareto-smoothed weights p(θ) / N(θ).
    ///
    /// Proposals are independent; the resampling is systematic, so a draw with k times the mean weight stands k times, give
    /// or take one.
    ///
    /// # Errors
    /// [`Error::Unfittable`] when the density is finite at none of the proposals; [`Error::Interrupted`].
    ///
    /// # References
    /// A. Vehtari, D. Simpson, A. Gelman, Y. Yao and J. Gabry, *Pareto smoothed importance sampling*, JMLR 2024.
    pub(crate) fn draws<D: Density>(
        &self,
        density: &D,
        draws: usize,
        seed: u64,
        clock: &dyn Clock,
    ) -> Result<LaplaceDraws> {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        random.set_stream(STREAM);
        let dim = density.dim();
        let mut whitened = Whitened::new(density, &self.whitening);
        let (mut z, mut gradient) = (vec![0.0; dim], vec![0.0; dim]);
        let (mut proposals, mut ratios) = (Vec::new(), Vec::new());
        for number in 0..PROPOSALS * draws {
            if number % 64 == 0 {
                if clock.interrupted() {
                    return Err(Error::Interrupted);
                }
                clock.progress(share(number, PROPOSALS * draws));
            }
            z.iter_mut().for_each(|z| *z = random.sample(StandardNormal));
            let value = whitened.evaluate(&z, &mut gradient);
            let proposed = -0.5 * z.iter().map(|z| z * z).sum::<f64>();
            let ratio = value - proposed;
            ratios.push(if ratio.is_finite() { ratio } else { f64::NEG_INFINITY });
            proposals.push(z.clone());
        }
        let Weights { weights, pareto_k, effective } =
            importance::smoothed(&ratios).ok_or_else(|| Error::Unfittable {
                reason: "the density is finite at no draw of its normal approximation".into(),
            })?;
        let mut order = importance::systematic(&weights, draws, random.random());
        // In order of the proposals neighbours would repeat each other.
        for last in (1..order.len()).rev() {
            order.swap(last, random.random_range(0..=last));
        }
        let mut parameters = vec![0.0; dim];
        let drawn = order.into_iter().map(|index| {
            self.whitening.parameters(&proposals[index], &mut parameters);
            parameters.clone()
        });
        Ok(LaplaceDraws { draws: drawn.collect(), pareto_k, effective })
    }
}

/// Draws of [`Laplace::draws`].
#[derive(Debug, Clone)]
pub(crate) struct LaplaceDraws {
    /// [draw][parameter].
    pub(crate) draws: Vec<Vec<f64>>,
    /// The shape of the tail of the weights: below 0.7 the draws can be trusted, above they cannot.
    pub(crate) pareto_k: f64,
    /// As many independent draws hold the same information: 1 / Σ w², of all proposals.
    pub(crate) effective: f64,
}

/// The whitening of the curvature at a point.
fn curvature<D: Density>(
    density: &D,
    at: Vec<f64>,
    evaluations: &mut usize,
    clock: &dyn Clock,
) -> Result<Whitening> {
    let dim = at.len();
    let dense = Whitening::is_dense(dim);
    let mut work = density.work();
    let mut moved = at.clone();
    let (mut above, mut below) = (vec![0.0; dim], vec![0.0; dim]);
    let mut precision = vec![0.0; if dense { dim * dim } else { dim }];
    for i in 0..dim {
        if clock.interrupted() {
            return Err(Error::Interrupted);
        }
        // The third root of the precision balances rounding against curvature of the gradient.
        let step = 6e-6 * at[i].abs().max(1.0);
        moved[i] = at[i] + step;
        let width = moved[i];
        let first = density.evaluate(&mut work, &moved, &mut above);
        moved[i] = at[i] - step;
        let width = width - moved[i];
        let second = density.evaluate(&mut work, &moved, &mut below);
        moved[i] = at[i];
        *evaluations += 2;
        let mut slopes = above.iter().zip(&below).map(|(above, below)| (below - above) / width);
        let known = first.is_finite() && second.is_finite();
        if dense {
            for (entry, value) in precision[i * dim..(i + 1) * dim].iter_mut().zip(&mut slopes) {
                *entry = if known && value.is_finite() { value } else { 0.0 };
            }
        } else {
            precision[i] = slopes.nth(i).filter(|value| known && value.is_finite()).unwrap_or(0.0);
        }
    }
    Ok(if dense {
        Whitening::from_precision(at, &precision)
    } else {
        Whitening::from_precisions(at, &precision)
    })
}

/// The point `c + L Lᵀ ∇` or one of its halvings; `None` where nothing is gained.
fn newton_step<D: Density>(
    density: &D,
    whitening: &Whitening,
    value: f64,
    evaluations: &mut usize,
) -> Option<(f64, Vec<f64>)> {
    let dim = density.dim();
    let mut whitened = Whitened::new(density, whitening);
    let (mut gradient, mut ignored) = (vec![0.0; dim], vec![0.0; dim]);
    whitened.evaluate(&vec![0.0; dim], &mut gradient);
    *evaluations += 1;
    // Half of it is the gain that the approximation promises: less than rounding is not worth a step.
    let promised = 0.5 * gradient.iter().map(|slope| slope * slope).sum::<f64>();
    if !(promised > 1e-12 * value.abs().max(1.0)) {
        return None;
    }
    let mut length = 1.0;
    for _ in 0..10 {
        let z: Vec<f64> = gradient.iter().map(|slope| length * slope).collect();
        let reached = whitened.evaluate(&z, &mut ignored);
        *evaluations += 1;
        if reached > value {
            let mut parameters = vec![0.0; dim];
            whitening.parameters(&z, &mut parameters);
            return Some((reached, parameters));
        }
        length *= 0.5;
    }
    None
}

#[allow(clippy::cast_precision_loss, reason = "far below 2⁵³")]
fn share(part: usize, whole: usize) -> f64 {
    part as f64 / whole as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::NoClock;
    use crate::elementary::{exp, ln_1p};
    use crate::fit::formula::{Formula, chain_of_normals, mean_of, scale_of};

    #[test]
    fn the_approximation_of_a_normal_is_the_normal() {
        let density = chain_of_normals(12, 0.9);
        let found = Laplace::new(&density, &[40.0; 12], &NoClock).expect("a mode");
        assert_eq!(found.end, End::Converged);
        assert!(found.value.abs() < 1e-9);
        for (parameter, centre) in found.whitening.centre().iter().enumerate() {
            assert!(
                (centre - mean_of(parameter)).abs() < 1e-6 * scale_of(parameter),
                "{parameter}: {centre}"
            );
        }
        // In whitened coordinates the density is −½ z·z, whatever z.
        let mut whitened = Whitened::new(&density, &found.whitening);
        let mut gradient = [0.0; 12];
        for turn in 0..12 {
            let z: Vec<f64> = (0..12).map(|i| f64::from((i * 7 + turn * 5) % 11) - 5.0).collect();
            let value = whitened.evaluate(&z, &mut gradient);
            assert!((value + 0.5 * z.iter().map(|z| z * z).sum::<f64>()).abs() < 1e-5, "{value}");
            assert!(gradient.iter().zip(&z).all(|(slope, z)| (slope + z).abs() < 1e-5));
        }
        let drawn = found.draws(&density, 500, 1, &NoClock).expect("draws");
        assert_eq!(drawn.draws.len(), 500);
        assert!(drawn.effective > 1_999.0 && drawn.pareto_k < 0.7, "{} {}", drawn.effective, drawn.pareto_k);
        for parameter in 0..12 {
            let (mean, scale) = (mean_of(parameter), scale_of(parameter));
            let z: Vec<f64> = drawn.draws.iter().map(|draw| (draw[parameter] - mean) / scale).collect();
            let (first, second) =
                (z.iter().sum::<f64>() / 500.0, z.iter().map(|z| z * z).sum::<f64>() / 500.0);
            // Standard errors of 500 independent draws: 0.045 and 0.063.
            assert!(first.abs() < 0.2 && (second - 1.0).abs() < 0.28, "{parameter}: {first} {second}");
        }
    }

    #[test]
    fn the_weights_correct_a_mild_skew_and_warn_of_heavy_tails() {
        // x = ln g with g ~ Gamma(a): E g = a. The mode is ln a, where the curvature is a.
        let skewed = Formula::new(2, |at, gradient| {
            let mut value = 0.0;
            for (i, shape) in [20.0, 60.0].into_iter().enumerate() {
                gradient[i] = shape - exp(at[i]);
                value += shape * at[i] - exp(at[i]);
            }
            value
        });
        let found = Laplace::new(&skewed, &[0.0, 0.0], &NoClock).expect("a mode");
        let drawn = found.draws(&skewed, 4_000, 2, &NoClock).expect("draws");
        assert!(drawn.pareto_k < 0.7, "{}", drawn.pareto_k);
        for (parameter, shape) in [20.0_f64, 60.0].into_iter().enumerate() {
            let mean = drawn.draws.iter().map(|draw| exp(draw[parameter])).sum::<f64>() / 4_000.0;
            // √(a / 4000) is a standard error of independent draws.
            assert!((mean - shape).abs() < 4.5 * (shape / 4_000.0).sqrt(), "{mean} is not {shape}");
        }

        // Student's t with two degrees of freedom in ten dimensions: its tails are much wider than the curvature says.
        let heavy = Formula::new(10, |at, gradient| {
            let mut value = 0.0;
            for (slope, x) in gradient.iter_mut().zip(at) {
                value -= 1.5 * ln_1p(x * x / 2.0);
                *slope = -3.0 * x / (2.0 + x * x);
            }
            value
        });
        let found = Laplace::new(&heavy, &[0.5; 10], &NoClock).expect("a mode");
        let drawn = found.draws(&heavy, 1_000, 2, &NoClock).expect("draws");
        assert!(drawn.pareto_k > 0.7, "{}", drawn.pareto_k);
    }

    #[test]
    fn the_same_seed_gives_the_same_draws() {
        let density = chain_of_normals(3, 0.2);
        let found = Laplace::new(&density, &[0.0; 3], &NoClock).expect("a mode");
        let draws = |seed: u64| found.draws(&density, 20, seed, &NoClock).expect("draws").draws;
        assert_eq!(draws(5), draws(5));
        assert_ne!(draws(5), draws(6));
    }

    #[test]
    fn many_parameters_use_the_diagonal() {
        let dim = 700;
        let density = Formula::new(dim, |at, gradient| {
            let mut value = 0.0;
            for i in 0..at.len() {
                let scale = scale_of(i);
                gradient[i] = -(at[i] - 2.0) / (scale * scale);
                value += 0.5 * gradient[i] * (at[i] - 2.0);
            }
            value
        });
        let found = Laplace::new(&density, &vec![0.0; dim], &NoClock).expect("a mode");
        let (mut at, z) = (vec![0.0; dim], vec![1.0; dim]);
        found.whitening.parameters(&z, &mut at);
        for (i, at) in at.iter().enumerate() {
            assert!((at - 2.0 - scale_of(i)).abs() < 1e-4 * scale_of(i), "{i}: {at}");
        }
    }

    #[test]
    fn a_start_without_a_density_is_an_error_and_a_funnel_has_an_answer() {
        let nowhere = Formula::new(1, |_, _| f64::NAN);
        assert_eq!(Laplace::new(&nowhere, &[0.0], &NoClock).expect_err("no start").code(), "unfittable");
        // ln p grows without end towards the neck.
        let funnel = Formula::new(5, |at, gradient| {
            let precision = exp(-at[0]);
            let mut value = -at[0] * at[0] / 18.0;
            gradient[0] = -at[0] / 9.0;
            for i in 1..5 {
                value -= 0.5 * at[0] + 0.5 * at[i] * at[i] * precision;
                gradient[0] += -0.5 + 0.5 * at[i] * at[i] * precision;
                gradient[i] = -at[i] * precision;
            }
            value
        });
        let found = Laplace::new(&funnel, &[1.0; 5], &NoClock).expect("an answer");
        assert!(found.value.is_finite() && found.whitening.centre().iter().all(|at| at.is_finite()));
        assert!(found.draws(&funnel, 100, 0, &NoClock).is_ok());
    }
}
