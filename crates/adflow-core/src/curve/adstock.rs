//! Adstock kernels: how much of a period's media still works l periods later, l = 0, 1, …
//!
//! A kernel w turns media x into adstocked media y:
//!
//! ```text
//! y[t] = Σ_{l ≤ t} w[l] x[t − l]
//! ```
//!
//! The systems whose models are read agree on the formulae but not on their conventions: who normalises, and how
//! many weights there are. Here a kernel is the bare formula; [`normalised`] is applied by those who do.

use crate::elementary::{exp, ln, powf};

/// `alpha^l`: Meridian and PyMC-Marketing (normalised), Robyn's `theta` and LightweightMMM's `lag_weight` (not).
///
/// Robyn and LightweightMMM write the recursion `y[t] = x[t] + alpha · y[t−1]`, which is this kernel with as many
/// lags as there are periods. `0^0 = 1`.
pub(crate) fn geometric(alpha: f64, lags: usize) -> Vec<f64> {
    std::iter::successors(Some(1.0), |weight| Some(weight * alpha)).take(lags).collect()
}

/// `alpha^((l − theta)²)`: PyMC-Marketing (`delayed_adstock`), LightweightMMM (`carryover`, 13 lags, normalised).
pub(crate) fn delayed(alpha: f64, theta: f64, lags: usize) -> Vec<f64> {
    let weight = |lag: f64| {
        let square = (lag - theta) * (lag - theta);
        if square > 0.0 { exp(square * ln(alpha)) } else { 1.0 }
    };
    (0..lags).map(|lag| weight(count(lag))).collect()
}

/// `(1 − l/span)^(1/alpha − 1)`, 1 at l = 0.
///
/// For n weights Meridian has `span = n`, PyMC-Marketing `span = n + 1`: the two never agree.
pub(crate) fn binomial(alpha: f64, lags: usize, span: usize) -> Vec<f64> {
    let exponent = 1.0 / alpha - 1.0;
    let weight = |lag: f64| if lag > 0.0 { exp(exponent * ln(1.0 - lag / count(span))) } else { 1.0 };
    (0..lags).map(|lag| weight(count(lag))).collect()
}

/// `∏_{t = 1..l} (1 − F(t))` with the Weibull distribution function `F(t) = 1 − exp(−(t/scale)^shape)`.
///
/// Robyn (`adstock_weibull`, type CDF) and PyMC-Marketing 1.x (`WeibullCDFAdstock`, there `k` and `lam`).
pub(crate) fn weibull_cdf(shape: f64, scale: f64, lags: usize) -> Vec<f64> {
    let mut exponent = 0.0;
    (0..lags)
        .map(|lag| {
            if lag > 0 {
                exponent += powf(count(lag) / scale, shape);
            }
            exp(-exponent)
        })
        .collect()
}

/// `(d(l + 1) − min d)/(max d − min d)` with the Weibull density
/// `d(t) = shape/scale · (t/scale)^(shape−1) · exp(−(t/scale)^shape)` at t = 1..lags; `1, 0, 0, …` where d is
/// constant.
///
/// Robyn (`adstock_weibull`, type PDF) and PyMC-Marketing (`WeibullPDFAdstock`, there `k` and `lam`).
pub(crate) fn weibull_pdf(shape: f64, scale: f64, lags: usize) -> Vec<f64> {
    let density = |t: f64| {
        let ratio = ln(t / scale);
        exp(ln(shape / scale) + (shape - 1.0) * ratio - exp(shape * ratio))
    };
    let densities: Vec<f64> = (1..=lags).map(|t| density(count(t))).collect();
    let low = densities.iter().copied().fold(f64::INFINITY, f64::min);
    let high = densities.iter().copied().fold(0.0, f64::max);
    if high > low { densities.iter().map(|d| (d - low) / (high - low)).collect() } else { delta(lags) }
}

/// No carry-over: `1, 0, 0, …`.
pub(crate) fn delta(lags: usize) -> Vec<f64> {
    (0..lags).map(|lag| if lag == 0 { 1.0 } else { 0.0 }).collect()
}

/// The weights divided by their sum; `None` where the sum is 0.
pub(crate) fn normalised(mut weights: Vec<f64>) -> Option<Vec<f64>> {
    let sum: f64 = weights.iter().sum();
    weights.iter_mut().for_each(|weight| *weight /= sum);
    (sum > 0.0).then_some(weights)
}

/// Adstocked media of every period: `y[t] = Σ_l w[l] x[t − l]`, with nothing before the first period.
pub(crate) fn convolve(weights: &[f64], media: &[f64]) -> Vec<f64> {
    (0..media.len())
        .map(|t| weights.iter().zip(media[..=t].iter().rev()).map(|(weight, x)| weight * x).sum())
        .collect()
}

/// Periods with the same adstocked media.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Level {
    /// Adstocked media at a spend of 1 in every period of the window.
    pub(crate) media: f64,
    /// How many periods have it.
    pub(crate) periods: f64,
}

/// What a spend of 1 in each of `periods` periods, from zero carry-over on, leaves in these periods and in up to
/// `tail` periods without spend after them.
///
/// ```text
/// y[t] = Σ_{l ≤ min(t, L−1)} w[l]      t < periods: constant from t = L − 1 on, told as one level
/// y[t] = Σ_{l > t − periods} w[l]      after the window, until no weight is left
/// ```
///
/// The number of levels depends on the lengths alone, not on the weights.
pub(crate) fn constant_spend(weights: &[f64], periods: usize, tail: usize) -> Vec<Level> {
    let distinct = weights.len().min(periods);
    let mut levels = Vec::with_capacity(distinct + tail.min(weights.len()));
    let mut media = 0.0;
    for (t, weight) in weights[..distinct].iter().enumerate() {
        media += weight;
        let periods = if t + 1 == distinct { count(periods - t) } else { 1.0 };
        levels.push(Level { media, periods });
    }
    for first in 1..weights.len().min(tail + 1) {
        let last = weights.len().min(first + periods);
        levels.push(Level { media: weights[first..last].iter().sum(), periods: 1.0 });
    }
    levels
}

/// Lags and periods are far below 2⁵³.
#[allow(clippy::cast_precision_loss, reason = "see above")]
pub(crate) fn count(n: usize) -> f64 {
    n as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn constant_spend_is_the_convolution_of_a_block() {
        let weights = [0.5, 0.25, 0.125, 0.0625];
        for (periods, tail) in [(1, 0), (2, 4), (3, 2), (4, 4), (9, 0), (9, 1), (9, 4)] {
            let mut media = vec![1.0; periods];
            media.resize(periods + tail, 0.0);
            let total: f64 = convolve(&weights, &media).iter().map(|y| y * y).sum();
            let levels = constant_spend(&weights, periods, tail);
            let ours: f64 = levels.iter().map(|level| level.periods * level.media * level.media).sum();
            assert!((ours - total).abs() <= 1e-14 * total, "{periods} periods, tail {tail}");
        }
    }

    #[test]
    fn the_ends_of_the_parameters_are_no_carry_over_or_equal_weights() {
        assert_eq!(geometric(0.0, 3), [1.0, 0.0, 0.0]);
        assert_eq!(geometric(1.0, 3), [1.0, 1.0, 1.0]);
        assert_eq!(binomial(0.0, 3, 3), [1.0, 0.0, 0.0]);
        assert_eq!(binomial(1.0, 3, 3), [1.0, 1.0, 1.0]);
        assert_eq!(delayed(0.0, 1.0, 3), [0.0, 1.0, 0.0]);
        assert_eq!(delayed(1.0, 1.5, 3), [1.0, 1.0, 1.0]);
        assert_eq!(weibull_pdf(2.0, 3.0, 1), [1.0]);
        assert_eq!(normalised(delayed(0.0, 0.5, 3)), None);
    }
}
