//! Pareto-smoothed importance weights.

use crate::elementary::{exp, exp_m1, ln, ln_1p};

/// Normalised weights and how far they can be trusted.
#[derive(Debug, Clone)]
pub(crate) struct Weights {
    /// Non-negative, with sum 1.
    pub(crate) weights: Vec<f64>,
    /// The shape k of the generalised Pareto distribution of the largest weights; below 0.7 they can be trusted. −∞ where
    /// all of them are equal, +∞ where too few are finite to tell.
    pub(crate) pareto_k: f64,
    /// 1 / Σ w².
    pub(crate) effective: f64,
}

/// Replaces the largest weights by the quantiles of the generalised Pareto distribution fitted to them.
///
/// ```text
/// tail: the M = min(0.2 S, 3 √S) largest of S weights;    u the largest weight below
/// w̃_z = u + F⁻¹((z − ½) / M),  z = 1…M,  at most the largest weight
/// ```
///
/// `ratios` are logarithms, −∞ allowed; `None` when none is finite.
///
/// # References
/// A. Vehtari, D. Simpson, A. Gelman, Y. Yao and J. Gabry, *Pareto smoothed importance sampling*, JMLR 2024, algorithm 1;
/// J. Zhang and M. A. Stephens, *A new and efficient estimation method for the generalized Pareto distribution*,
/// Technometrics 2009 (the fit).
pub(crate) fn smoothed(ratios: &[f64]) -> Option<Weights> {
    let largest = ratios.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    if !largest.is_finite() {
        return None;
    }
    let mut weights: Vec<f64> = ratios.iter().map(|&ratio| exp(ratio - largest)).collect();
    let mut order: Vec<usize> = (0..weights.len()).collect();
    order.sort_by(|&a, &b| ratios[a].total_cmp(&ratios[b]));
    let samples = count(weights.len());
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a small positive number")]
    let tail = (0.2 * samples).min(3.0 * samples.sqrt()).ceil() as usize;
    let mut pareto_k = f64::INFINITY;
    if tail >= 5 && tail < weights.len() {
        let (below, tail) = order.split_at(order.len() - tail);
        // Weights that underflow are all alike: the tail begins above them.
        let threshold = weights[below[below.len() - 1]].max(f64::MIN_POSITIVE);
        let excesses: Vec<f64> = tail.iter().map(|&index| weights[index] - threshold).collect();
        if excesses[excesses.len() - 1] <= f64::EPSILON {
            pareto_k = f64::NEG_INFINITY;
        } else if excesses.iter().filter(|&&excess| excess > 0.0).count() >= 5 {
            let positive: Vec<f64> = excesses.iter().copied().filter(|&excess| excess > 0.0).collect();
            let (k, sigma) = fit_pareto(&positive);
            pareto_k = k;
            if k.is_finite() {
                for (rank, &index) in tail.iter().enumerate() {
                    let probability = (count(rank) + 0.5) / count(tail.len());
                    weights[index] = (threshold + quantile(probability, k, sigma)).min(1.0);
                }
            }
        }
    }
    let total: f64 = weights.iter().sum();
    weights.iter_mut().for_each(|weight| *weight /= total);
    let effective = 1.0 / weights.iter().map(|weight| weight * weight).sum::<f64>();
    Some(Weights { weights, pareto_k, effective })
}

/// (k, σ) of the generalised Pareto distribution for excesses in order, with a weak prior k ≈ ½ worth ten observations.
fn fit_pareto(excesses: &[f64]) -> (f64, f64) {
    let number = count(excesses.len());
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a small positive number")]
    let points = 30 + number.sqrt() as usize;
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a position in the list")]
    let quartile = excesses[((number / 4.0 + 0.5) as usize).saturating_sub(1)];
    let largest = excesses[excesses.len() - 1];
    let shape = |theta: f64| excesses.iter().map(|&x| ln_1p(-theta * x)).sum::<f64>() / number;
    let grid: Vec<(f64, f64)> = (1..=points)
        .map(|point| {
            let spread = 1.0 - (count(points) / (count(point) - 0.5)).sqrt();
            let theta = 1.0 / largest + spread / (3.0 * quartile);
            let k = shape(theta);
            (theta, number * (ln(-theta / k) - k - 1.0))
        })
        .collect();
    let weight = |likelihood: f64| 1.0 / grid.iter().map(|other| exp(other.1 - likelihood)).sum::<f64>();
    let weights: Vec<f64> = grid.iter().map(|&(_, likelihood)| weight(likelihood)).collect();
    let total: f64 = weights.iter().sum();
    let theta = grid.iter().zip(&weights).map(|((theta, _), weight)| theta * weight / total).sum();
    let k = shape(theta);
    let sigma = -k / theta;
    ((k * number + 5.0) / (number + 10.0), sigma)
}

/// σ ((1 − p)^(−k) − 1) / k.
fn quantile(probability: f64, k: f64, sigma: f64) -> f64 {
    let rate = -ln_1p(-probability);
    if k.abs() < 1e-12 { sigma * rate } else { sigma * exp_m1((k * rate).min(700.0)) / k }
}

/// Indices drawn with the weights, evenly: index i stands ⌊n w_i⌋ or ⌈n w_i⌉ times.
///
/// `offset` in [0, 1) is the one random number it needs.
pub(crate) fn systematic(weights: &[f64], draws: usize, offset: f64) -> Vec<usize> {
    let (mut index, mut reached) = (0, weights[0]);
    let mut drawn = Vec::with_capacity(draws);
    for draw in 0..draws {
        let position = (count(draw) + offset) / count(draws);
        while reached < position && index + 1 < weights.len() {
            index += 1;
            reached += weights[index];
        }
        drawn.push(index);
    }
    drawn
}

#[allow(clippy::cast_precision_loss, reason = "far below 2⁵³")]
fn count(number: usize) -> f64 {
    number as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    /// log ratio: scale · (sum of six uniform numbers − 3)², by the generator of Knuth modulo 2⁶⁴.
    fn ratios(seed: u64, scale: f64) -> Vec<f64> {
        let mut state = seed;
        let mut uniform = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            #[allow(clippy::cast_precision_loss, reason = "53 bits")]
            let upper = (state >> 11) as f64;
            upper / 9_007_199_254_740_992.0
        };
        let mut six = || uniform() + uniform() + uniform() + uniform() + uniform() + uniform();
        (0..1_000).map(|_| scale * (six() - 3.0).powi(2)).collect()
    }

    fn near(actual: f64, expected: f64) {
        assert!((actual - expected).abs() <= 1e-9 * expected.abs(), "{actual} is not {expected}");
    }

    /// k, 1 / Σ w² and the largest weight by `arviz.psislw` of ArviZ 0.23.4 on the same numbers.
    #[test]
    fn smoothed_weights_agree_with_arviz() {
        for (seed, scale, k, effective, largest) in [
            (1, 0.5, 0.29788044073142844, 771.4543098863772, 0.008686296479529414),
            (2, 1.5, 1.019683579605974, 19.670941006603133, 0.1933608055120482),
            (3, 3.0, 2.188227852366575, 1.354815431589017, 0.855137376437464),
        ] {
            let found = smoothed(&ratios(seed, scale)).expect("finite");
            near(found.pareto_k, k);
            near(found.effective, effective);
            near(found.weights.iter().copied().fold(0.0, f64::max), largest);
            near(found.weights.iter().sum(), 1.0);
        }
    }

    #[test]
    fn equal_weights_stay_equal_and_impossible_draws_get_none() {
        let equal = smoothed(&[-3.0; 400]).expect("finite");
        assert!(equal.pareto_k < 0.0);
        near(equal.effective, 400.0);
        let mut ratios = vec![f64::NEG_INFINITY; 100];
        assert!(smoothed(&ratios).is_none() && smoothed(&[]).is_none());
        ratios[7] = -2.0;
        let one = smoothed(&ratios).expect("finite");
        assert!(one.pareto_k.is_infinite() && one.pareto_k > 0.0);
        near(one.weights[7], 1.0);
    }

    #[test]
    fn systematic_draws_stand_as_often_as_their_weights_say() {
        let weights = [0.1, 0.0, 0.35, 0.05, 0.5];
        for offset in [0.0, 0.3, 0.999] {
            let drawn = systematic(&weights, 100, offset);
            assert_eq!(drawn.len(), 100);
            for (index, weight) in weights.iter().enumerate() {
                let times = count(drawn.iter().filter(|&&drawn| drawn == index).count());
                assert!((times - 100.0 * weight).abs() <= 1.0 + 1e-9, "{index}: {times}");
            }
        }
    }
}
