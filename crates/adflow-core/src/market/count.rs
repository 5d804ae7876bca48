//! Counts: Poisson, and with a rate that itself varies, negative binomial.

use super::randomness::Sequence;
use crate::elementary::{exp, ln};

/// Above this mean a Poisson count is drawn as its normal limit: the two distribution functions differ by less than 1e-4
/// of the limit's own, and a sum over all likely counts would take long.
const NORMAL_LIMIT: f64 = 1e8;

/// A count with this mean and variance `mean + dispersion · mean²`.
///
/// ```text
/// count ~ Poisson(mean · G),   G ~ Gamma(shape 1/dispersion, mean 1)
/// ```
///
/// G and the uniform number behind the Poisson count are those of a place, whatever the mean: of two means the larger has
/// the larger count.
pub(crate) fn count(mean: f64, dispersion: f64, rate: &mut Sequence, uniform: f64) -> f64 {
    if !(mean > 0.0) {
        return 0.0;
    }
    let varied = if dispersion > 0.0 { mean * dispersion * gamma(1.0 / dispersion, rate) } else { mean };
    poisson(varied, uniform)
}

/// The smallest k with P(count ≤ k) ≥ u, by summing probabilities outward from the most likely count.
///
/// All are relative to that of the most likely one, m = ⌊mean⌋: w(m) = 1, w(k + 1) = w(k) mean/(k + 1).
pub(crate) fn poisson(mean: f64, u: f64) -> f64 {
    if !(mean > 0.0) {
        return 0.0;
    }
    if mean > NORMAL_LIMIT {
        return (mean + mean.sqrt() * super::normal::quantile(u) + 0.5).floor().max(0.0);
    }
    /// Far below the last place of the sum.
    const NOTHING: f64 = 1e-22;
    let mode = mean.floor();
    let (mut below, mut weight, mut k) = (0.0, 1.0, mode);
    while k > 0.0 && weight > NOTHING {
        weight *= k / mean;
        k -= 1.0;
        below += weight;
    }
    let (mut rest, mut weight, mut k) = (0.0, 1.0, mode);
    while weight > NOTHING {
        rest += weight;
        k += 1.0;
        weight *= mean / k;
    }
    let target = u * (below + rest);
    if target <= below {
        let (mut sum, mut weight, mut k) = (below, 1.0, mode);
        while k > 0.0 && weight > NOTHING {
            weight *= k / mean;
            k -= 1.0;
            sum -= weight;
            if sum < target {
                break;
            }
        }
        return k;
    }
    let (mut sum, mut weight, mut k) = (below + 1.0, 1.0, mode);
    while sum < target && weight > NOTHING {
        k += 1.0;
        weight *= mean / k;
        sum += weight;
    }
    k
}

/// A gamma number with this shape and scale 1.
///
/// # References
/// G. Marsaglia and W. W. Tsang, *A simple method for generating gamma variables*, ACM TOMS 26 (2000), with their boost
/// u^(1/shape) for shapes below 1.
fn gamma(shape: f64, numbers: &mut Sequence) -> f64 {
    if shape < 1.0 {
        let boost = exp(ln(numbers.uniform()) / shape);
        return boost * gamma(shape + 1.0, numbers);
    }
    let d = shape - 1.0 / 3.0;
    let c = 1.0 / (9.0 * d).sqrt();
    loop {
        let z = numbers.normal();
        let v = (1.0 + c * z) * (1.0 + c * z) * (1.0 + c * z);
        if v > 0.0 && ln(numbers.uniform()) < 0.5 * z * z + d - d * v + d * ln(v) {
            return d * v;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::randomness::{Purpose, Randomness};
    use super::*;

    /// Summed from 0 on in Python's `decimal` with 60 digits.
    #[test]
    fn poisson_quantiles_agree_with_sums_in_high_precision() {
        for (mean, u, expected) in [
            (0.3, 0.5, 0.0),
            (0.3, 0.99, 2.0),
            (4.2, 0.001, 0.0),
            (4.2, 0.5, 4.0),
            (4.2, 0.999, 12.0),
            (1_000.0, 0.025, 938.0),
            (1_000.0, 0.975, 1_062.0),
        ] {
            assert!((poisson(mean, u) - expected).abs() < 0.5, "{mean} {u}");
        }
    }

    #[test]
    fn counts_have_the_mean_and_the_variance_they_should() {
        let randomness = Randomness::new(3);
        let draws = 40_000;
        for (mean, dispersion) in [(3.0, 0.0), (50.0, 0.0), (50.0, 0.2), (8.0, 2.5), (2_000.0, 0.01)] {
            let counts: Vec<f64> = (0..draws)
                .map(|t| {
                    let uniform = randomness.at(Purpose::Outcome, 0, 0, t).uniform();
                    count(mean, dispersion, &mut randomness.at(Purpose::Rate, 0, 0, t), uniform)
                })
                .collect();
            let n = 40_000.0;
            let average = counts.iter().sum::<f64>() / n;
            let variance = counts.iter().map(|k| (k - average) * (k - average)).sum::<f64>() / n;
            let expected = mean + dispersion * mean * mean;
            assert!((average - mean).abs() < 4.0 * (expected / n).sqrt(), "{mean} {dispersion}: {average}");
            assert!(
                (variance / expected - 1.0).abs() < 0.08,
                "{mean} {dispersion}: {variance} not {expected}"
            );
        }
    }

    #[test]
    fn a_larger_mean_never_has_the_smaller_count() {
        for at in 1..200 {
            let u = f64::from(at) / 200.0;
            let counts: Vec<f64> = (1..60).map(|m| poisson(f64::from(m) * 0.7, u)).collect();
            assert!(counts.windows(2).all(|pair| pair[0] <= pair[1]));
        }
    }
}
