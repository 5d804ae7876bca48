//! The noise: log likelihood of outcomes given their means, and its derivatives.

use super::gamma::ln_gamma_and_digamma;
use super::model::Likelihood;
use super::posterior::Posterior;
use crate::elementary::{ln, ln_1p};

/// Σ ln p(y_c | mean_c) over the cells that were observed, up to a constant. Sets `by_mean` and adds ∂/∂σ (or dispersion) and ∂/∂ν to `by_x`.
///
/// ```text
/// normal              −½ ((y − μ)/σ)² − ln σ
/// Student's t         lnΓ((ν+1)/2) − lnΓ(ν/2) − ½ ln ν − ln σ − (ν+1)/2 · ln(1 + ((y − μ)/σ)²/ν)
/// negative binomial   lnΓ(k + φ) − lnΓ(φ) + φ ln(φ/(φ + m)) + k ln(m/(φ + m)),   φ = 1/dispersion²
/// ```
///
/// with k = y · unit the count and m = μ · unit its mean. Counts are checked to be whole numbers before.
pub(crate) fn value(
    posterior: &Posterior,
    x: &[f64],
    mean: &[f64],
    by_mean: &mut [f64],
    by_x: &mut [f64],
) -> f64 {
    let (design, layout) = (&posterior.design, &posterior.layout);
    let noise = x[layout.noise_at];
    let cells = design.y.iter().zip(&design.seen).zip(mean).zip(by_mean.iter_mut());
    match layout.likelihood {
        Likelihood::Normal => {
            let precision = 1.0 / (noise * noise);
            let mut lanes = [[0.0; 8]; 2];
            for (at, (((y, seen), mean), by_mean)) in cells.enumerate() {
                let residual = seen * (y - mean);
                *by_mean = residual * precision;
                lanes[0][at % 8] += residual * residual;
                lanes[1][at % 8] += seen;
            }
            let [squares, count] = lanes.map(|lanes| lanes.iter().sum::<f64>());
            by_x[layout.noise_at] += (squares * precision - count) / noise;
            -0.5 * squares * precision - count * ln(noise)
        }
        Likelihood::StudentT => {
            let at = layout.tail_at.unwrap_or_default();
            let nu = x[at];
            let ([upper, by_upper], [lower, by_lower]) = {
                let (upper, lower) = (ln_gamma_and_digamma(0.5 * (nu + 1.0)), ln_gamma_and_digamma(0.5 * nu));
                ([upper.0, upper.1], [lower.0, lower.1])
            };
            let (mut logs, mut pulls, mut count) = (0.0, 0.0, 0.0);
            for (((y, seen), mean), by_mean) in cells {
                let z = seen * (y - mean) / noise;
                let square = z * z;
                // (ν + 1) z/(ν + z²) is −∂/∂z.
                let pull = (nu + 1.0) * z / (nu + square);
                *by_mean = pull / noise;
                logs += ln_1p(square / nu);
                pulls += pull * z;
                count += seen;
            }
            by_x[layout.noise_at] += (pulls - count) / noise;
            // Σ pull·z = (ν + 1) Σ z²/(ν + z²).
            by_x[at] += count * 0.5 * (by_upper - by_lower - 1.0 / nu) - 0.5 * logs + 0.5 * pulls / nu;
            count * (upper - lower - 0.5 * ln(nu) - ln(noise)) - 0.5 * (nu + 1.0) * logs
        }
        Likelihood::NegativeBinomial => {
            let phi = 1.0 / (noise * noise);
            let (whole, by_whole) = ln_gamma_and_digamma(phi);
            let (mut value, mut by_phi) = (0.0, 0.0);
            for (at, (((y, seen), mean), by_mean)) in cells.enumerate() {
                if *seen <= 0.0 {
                    *by_mean = 0.0;
                    continue;
                }
                let unit = design.scale.size[at / design.periods] * design.scale.outcome_unit;
                let (count, m) = (y * unit, mean * unit);
                let (above, by_above) = ln_gamma_and_digamma(count + phi);
                // ln(1 + m/φ), exact also where φ is large.
                let grown = ln_1p(m / phi);
                let sum = phi + m;
                value += above - whole - (phi + count) * grown + count * (ln(m) - ln(phi));
                by_phi += by_above - by_whole - grown + (phi + count) * m / (phi * sum) - count / phi;
                *by_mean = unit * (count / m - (phi + count) / sum);
            }
            // φ = 1/d².
            by_x[layout.noise_at] += by_phi * -2.0 * phi / noise;
            value
        }
    }
}
