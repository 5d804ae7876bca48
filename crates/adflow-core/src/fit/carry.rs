//! How a spend stays in people's heads, with derivatives.

use serde::{Deserialize, Serialize};

use crate::elementary::{exp, ln};

/// The family of a channel's carry-over: weights w₀, w₁, … of the spends of this period, the last one, …, that add up to 1.
///
/// | adstock | w_l, before they are divided by their sum | parameters |
/// | --- | --- | --- |
/// | `None` | 1, 0, 0, … | |
/// | `Geometric` | r^l | `retention` r, between 0 and 1 |
/// | `Delayed` | r^((l − peak)²) | `retention`, `peak` (periods, between 0 and the largest lag) |
/// | `WeibullCdf` | Π_{j=1..l} exp(−(j/scale)^shape) | `shape`, `scale` (periods) |
/// | `WeibullPdf` | density of Weibull(shape, scale) at l + 1 | `shape`, `scale` |
///
/// Geometric weights without a largest lag go on for ever; the others need one.
///
/// # References
/// Jin, Wang, Sun, Chan, Koehler (2017), *Bayesian Methods for Media Mix Modeling with Carryover and Shape Effects*, eq. 1 to 3.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AdstockKind {
    /// Spend works in its own period only.
    None,
    /// A constant share remains from period to period.
    #[default]
    Geometric,
    /// The effect builds up to a peak.
    Delayed,
    /// A share that changes with time remains.
    WeibullCdf,
    /// A hump.
    WeibullPdf,
}

impl AdstockKind {
    /// Names of the parameters, in order.
    pub(crate) fn parameters(self) -> &'static [&'static str] {
        match self {
            Self::None => &[],
            Self::Geometric => &["retention"],
            Self::Delayed => &["retention", "peak"],
            Self::WeibullCdf | Self::WeibullPdf => &["shape", "scale"],
        }
    }
}

/// The carry-over of one channel at given parameters.
#[derive(Debug, Clone)]
pub(crate) enum Carry {
    None,
    /// a_t = r a_{t−1} + (1 − r) x_t, for ever.
    Endless(f64),
    /// Weights, and their derivatives by each parameter.
    Weights {
        weights: Vec<f64>,
        slopes: [Vec<f64>; 2],
    },
}

impl Carry {
    /// The carry-over at `parameters`; `lags` counts the weights of a finite kernel, `None` for an endless geometric one.
    pub(crate) fn new(kind: AdstockKind, parameters: [f64; 2], lags: Option<usize>) -> Self {
        let [first, second] = parameters;
        match (kind, lags) {
            (AdstockKind::None, _) => Self::None,
            (AdstockKind::Geometric, None) => Self::Endless(first),
            (_, lags) => {
                let raw = |l: usize| -> [f64; 3] {
                    #[allow(clippy::cast_precision_loss, reason = "a lag")]
                    let l = l as f64;
                    match kind {
                        AdstockKind::None => [f64::from(u8::from(l <= 0.0)), 0.0, 0.0],
                        // r^0 = 1 at r = 0 too.
                        AdstockKind::Geometric if l <= 0.0 => [1.0, 0.0, 0.0],
                        AdstockKind::Geometric => {
                            let value = exp(l * ln(first));
                            [value, l * value / first, 0.0]
                        }
                        AdstockKind::Delayed => {
                            let distance = l - second;
                            let log = ln(first);
                            let value = exp(distance * distance * log);
                            [value, distance * distance * value / first, -2.0 * distance * log * value]
                        }
                        AdstockKind::WeibullPdf => {
                            // ln f = ln(k/λ) + (k − 1) ln(t/λ) − (t/λ)^k at t = l + 1.
                            let log = ln((l + 1.0) / second);
                            let bulk = exp(first * log);
                            let value = exp(ln(first / second) + (first - 1.0) * log - bulk);
                            let by_shape = 1.0 / first + log - bulk * log;
                            let by_scale = (first * bulk - first) / second;
                            [value, value * by_shape, value * by_scale]
                        }
                        // Summed up below.
                        AdstockKind::WeibullCdf if l <= 0.0 => [0.0; 3],
                        AdstockKind::WeibullCdf => {
                            let log = ln(l / second);
                            let bulk = exp(first * log);
                            [-bulk, -bulk * log, bulk * first / second]
                        }
                    }
                };
                let mut rows: Vec<[f64; 3]> = (0..lags.unwrap_or(1)).map(raw).collect();
                if kind == AdstockKind::WeibullCdf {
                    // ln w_l = Σ_{j ≤ l} −(j/λ)^k.
                    let mut sum = [0.0; 3];
                    for row in &mut rows {
                        sum = [sum[0] + row[0], sum[1] + row[1], sum[2] + row[2]];
                        let value = exp(sum[0]);
                        *row = [value, value * sum[1], value * sum[2]];
                    }
                }
                normalised(&rows)
            }
        }
    }

    /// a = w ∗ x within each group's periods; nothing was spent before the first.
    pub(crate) fn forward(&self, x: &[f64], periods: usize, out: &mut [f64]) {
        match self {
            Self::None => out.copy_from_slice(x),
            Self::Endless(retention) => {
                let new = 1.0 - retention;
                for (x, out) in x.chunks(periods).zip(out.chunks_mut(periods)) {
                    let mut stock = 0.0;
                    for (x, out) in x.iter().zip(out) {
                        stock = retention * stock + new * x;
                        *out = stock;
                    }
                }
            }
            Self::Weights { weights, .. } => {
                for (x, out) in x.chunks(periods).zip(out.chunks_mut(periods)) {
                    out.fill(0.0);
                    for (lag, weight) in weights.iter().enumerate().take(periods) {
                        for (out, x) in out[lag..].iter_mut().zip(x) {
                            *out += weight * x;
                        }
                    }
                }
            }
        }
    }

    /// ∂L/∂parameters from ∂L/∂a; `a` is what [`forward`](Self::forward) gave.
    pub(crate) fn backward(&self, x: &[f64], a: &[f64], by_a: &[f64], periods: usize) -> [f64; 2] {
        match self {
            Self::None => [0.0; 2],
            Self::Endless(retention) => {
                let mut slope = 0.0;
                for ((x, a), by_a) in x.chunks(periods).zip(a.chunks(periods)).zip(by_a.chunks(periods)) {
                    let mut pull = 0.0;
                    for t in (0..by_a.len()).rev() {
                        pull = by_a[t] + retention * pull;
                        slope += pull * (if t > 0 { a[t - 1] } else { 0.0 } - x[t]);
                    }
                }
                [slope, 0.0]
            }
            Self::Weights { weights, slopes } => {
                let mut by_weight = vec![0.0; weights.len()];
                for (x, by_a) in x.chunks(periods).zip(by_a.chunks(periods)) {
                    for (lag, by_weight) in by_weight.iter_mut().enumerate().take(periods) {
                        *by_weight += dot(&by_a[lag..], &x[..periods - lag]);
                    }
                }
                slopes.each_ref().map(|slope| slope.iter().zip(&by_weight).map(|(s, w)| s * w).sum())
            }
        }
    }

    /// The weights of the first `lags` lags.
    pub(crate) fn weights(&self, lags: usize) -> Vec<f64> {
        let mut unit = vec![0.0; lags.max(1)];
        let mut out = unit.clone();
        unit[0] = 1.0;
        self.forward(&unit, lags.max(1), &mut out);
        out
    }
}

/// w/Σw with derivatives (w′ − w Σw′/Σw)/Σw.
fn normalised(rows: &[[f64; 3]]) -> Carry {
    let sum = |at: usize| rows.iter().map(|row| row[at]).sum::<f64>();
    let (total, by_first, by_second) = (sum(0), sum(1), sum(2));
    let slope = |at: usize, by: f64| -> Vec<f64> {
        rows.iter().map(|row| (row[at] - row[0] * by / total) / total).collect()
    };
    let slopes = [slope(1, by_first), slope(2, by_second)];
    Carry::Weights { weights: rows.iter().map(|row| row[0] / total).collect(), slopes }
}

/// Σ aᵢ bᵢ in eight lanes.
pub(crate) fn dot(a: &[f64], b: &[f64]) -> f64 {
    const LANES: usize = 8;
    let mut sums = [0.0; LANES];
    let (a_blocks, a_rest) = a.as_chunks::<LANES>();
    let (b_blocks, b_rest) = b[..a.len()].as_chunks::<LANES>();
    for (a, b) in a_blocks.iter().zip(b_blocks) {
        for lane in 0..LANES {
            sums[lane] += a[lane] * b[lane];
        }
    }
    let rest: f64 = a_rest.iter().zip(b_rest).map(|(a, b)| a * b).sum();
    sums.iter().sum::<f64>() + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [(AdstockKind, [f64; 2], Option<usize>); 6] = [
        (AdstockKind::None, [0.0; 2], None),
        (AdstockKind::Geometric, [0.6, 0.0], None),
        (AdstockKind::Geometric, [0.6, 0.0], Some(5)),
        (AdstockKind::Delayed, [0.7, 1.4], Some(6)),
        (AdstockKind::WeibullCdf, [1.3, 2.5], Some(6)),
        (AdstockKind::WeibullPdf, [1.6, 2.5], Some(6)),
    ];

    fn series() -> Vec<f64> {
        (0..24).map(|i| f64::from((i * 7 + 3) % 11)).collect()
    }

    #[test]
    fn weights_add_up_to_one() {
        for (kind, parameters, lags) in ALL {
            let carry = Carry::new(kind, parameters, lags);
            let total: f64 = carry.weights(200).iter().sum();
            assert!((total - 1.0).abs() < 1e-12, "{kind:?}");
        }
    }

    #[test]
    fn kernels_are_those_of_the_formulae() {
        let delayed = Carry::new(AdstockKind::Delayed, [0.5, 1.0], Some(3)).weights(3);
        // 0.5¹, 0.5⁰, 0.5¹ over 2.
        assert!(delayed.iter().zip([0.25, 0.5, 0.25]).all(|(ours, theirs)| (ours - theirs).abs() < 1e-15));
        let cdf = Carry::new(AdstockKind::WeibullCdf, [1.0, 2.0], Some(3)).weights(3);
        // Shape 1 is exponential: survival e^{−1/2}, then e^{−1}: products 1, e^{−1/2}, e^{−3/2}.
        let [a, b] = [0.606_530_659_712_633_4, 0.223_130_160_148_429_83];
        let total = 1.0 + a + b;
        assert!(cdf.iter().zip([1.0, a, b]).all(|(ours, theirs)| (ours - theirs / total).abs() < 1e-14));
        let pdf = Carry::new(AdstockKind::WeibullPdf, [2.0, 2.0], Some(2)).weights(2);
        // f(t) = (t/2) e^{−t²/4} at 1 and 2.
        let [one, two] = [0.5 * 0.778_800_783_071_404_9, 0.367_879_441_171_442_33];
        assert!((pdf[1] / pdf[0] - two / one).abs() < 1e-13);
    }

    #[test]
    fn derivatives_agree_with_differences_in_every_group() {
        let x = series();
        let pull: Vec<f64> = (0..24).map(|i| f64::from((i * 5 + 1) % 7) - 3.0).collect();
        let loss = |kind, parameters, lags| -> f64 {
            let mut a = vec![0.0; 24];
            Carry::new(kind, parameters, lags).forward(&x, 12, &mut a);
            dot(&a, &pull)
        };
        for (kind, parameters, lags) in ALL {
            let carry = Carry::new(kind, parameters, lags);
            let mut a = vec![0.0; 24];
            carry.forward(&x, 12, &mut a);
            let ours = carry.backward(&x, &a, &pull, 12);
            for at in 0..kind.parameters().len() {
                let shifted = |by: f64| {
                    let mut moved = parameters;
                    moved[at] += by;
                    loss(kind, moved, lags)
                };
                let theirs = (shifted(1e-5) - shifted(-1e-5)) / 2e-5;
                assert!((ours[at] - theirs).abs() < 1e-6 * theirs.abs().max(1.0), "{kind:?} {at}");
            }
        }
    }

    #[test]
    fn an_endless_kernel_is_the_limit_of_long_ones() {
        let x = series();
        let (mut endless, mut long) = (vec![0.0; 24], vec![0.0; 24]);
        Carry::new(AdstockKind::Geometric, [0.5, 0.0], None).forward(&x, 24, &mut endless);
        Carry::new(AdstockKind::Geometric, [0.5, 0.0], Some(60)).forward(&x, 24, &mut long);
        assert!(endless.iter().zip(&long).all(|(a, b)| (a - b).abs() < 1e-12));
    }
}
