//! How the effect of a channel saturates, with derivatives.

use serde::{Deserialize, Serialize};

use crate::elementary::{exp, exp_m1, ln, powf, sigmoid};

/// The shape of a channel's response to what is in people's heads: u, in units of the channel's mean, h = half saturation.
///
/// | curve | m(u) | parameters |
/// | --- | --- | --- |
/// | `Hill` | uˢ/(hˢ + uˢ) | `half_saturation` h, `slope` s |
/// | `MichaelisMenten` | u/(h + u) | `half_saturation` |
/// | `Exponential` | 1 − 2^(−u/h) | `half_saturation` |
/// | `Logistic` | (1 − 3^(−u/h))/(1 + 3^(−u/h)) | `half_saturation` |
/// | `Power` | uᵖ | `exponent` p, between 0 and 1 |
///
/// m(h) = ½ for all but `Power`, which never saturates.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Saturation {
    /// Concave for slopes up to 1, S-shaped above.
    #[default]
    Hill,
    /// Concave, slow to saturate.
    MichaelisMenten,
    /// Concave.
    Exponential,
    /// Concave, fast to saturate.
    Logistic,
    /// Concave without a ceiling.
    Power,
}

/// The numbers of one curve.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Shape {
    pub(crate) saturation: Saturation,
    /// h, or the exponent of a power.
    pub(crate) first: f64,
    /// The slope of a Hill curve.
    pub(crate) second: f64,
}

/// m and its derivatives by u and by the two parameters.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Slopes {
    pub(crate) by_u: f64,
    pub(crate) by_first: f64,
    pub(crate) by_second: f64,
}

/// Below this nothing is in people's heads; logarithms stay finite.
const NOTHING: f64 = 1e-300;

impl Saturation {
    /// Names of the parameters, in order.
    pub(crate) fn parameters(self) -> &'static [&'static str] {
        match self {
            Self::Hill => &["half_saturation", "slope"],
            Self::MichaelisMenten | Self::Exponential | Self::Logistic => &["half_saturation"],
            Self::Power => &["exponent"],
        }
    }

    /// The family's word in [`ResponseCurves`](crate::ResponseCurves).
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Hill => "hill",
            Self::MichaelisMenten => "michaelis_menten",
            Self::Exponential => "exponential",
            Self::Logistic => "logistic",
            Self::Power => "power",
        }
    }
}

impl Shape {
    /// m(u) of every u ≥ 0.
    pub(crate) fn values(&self, u: &[f64], out: &mut [f64]) {
        let Self { saturation, first, second } = *self;
        pulp::Arch::new().dispatch(|| match saturation {
            Saturation::Hill => each(
                u,
                out,
                #[inline(always)]
                |u| if u > NOTHING { sigmoid(second * (ln(u) - ln(first))).0 } else { 0.0 },
            ),
            Saturation::MichaelisMenten => each(
                u,
                out,
                #[inline(always)]
                |u| u / (first + u),
            ),
            Saturation::Exponential => {
                let rate = std::f64::consts::LN_2 / first;
                each(
                    u,
                    out,
                    #[inline(always)]
                    |u| -exp_m1(-rate * u),
                );
            }
            Saturation::Logistic => {
                let rate = LN_3 / first;
                each(
                    u,
                    out,
                    #[inline(always)]
                    |u| {
                        let e = exp(-rate * u);
                        -exp_m1(-rate * u) / (1.0 + e)
                    },
                );
            }
            Saturation::Power => each(
                u,
                out,
                #[inline(always)]
                |u| if u > NOTHING { powf(u, first) } else { 0.0 },
            ),
        });
    }

    /// m(u) of one u.
    pub(crate) fn value(&self, u: f64) -> f64 {
        let mut out = [0.0];
        self.values(&[u], &mut out);
        out[0]
    }

    /// Turns ∂L/∂m into ∂L/∂u, in place, and gives ∂L/∂first and ∂L/∂second. `m` holds what [`values`](Self::values) gave.
    pub(crate) fn backward(&self, u: &[f64], m: &[f64], by_m: &mut [f64]) -> [f64; 2] {
        let shape = *self;
        pulp::Arch::new().dispatch(
            #[inline(always)]
            || match shape.saturation {
                Saturation::Hill => shape.pull_back(u, m, by_m, hill),
                Saturation::MichaelisMenten => shape.pull_back(u, m, by_m, michaelis_menten),
                Saturation::Exponential => shape.pull_back(u, m, by_m, exponential),
                Saturation::Logistic => shape.pull_back(u, m, by_m, logistic),
                Saturation::Power => shape.pull_back(u, m, by_m, power),
            },
        )
    }

    /// The derivatives at one u.
    pub(crate) fn slopes(&self, u: f64) -> Slopes {
        let m = self.value(u);
        match self.saturation {
            Saturation::Hill => hill(*self, u, m),
            Saturation::MichaelisMenten => michaelis_menten(*self, u, m),
            Saturation::Exponential => exponential(*self, u, m),
            Saturation::Logistic => logistic(*self, u, m),
            Saturation::Power => power(*self, u, m),
        }
    }

    #[inline(always)]
    fn pull_back(
        self,
        u: &[f64],
        m: &[f64],
        by_m: &mut [f64],
        slopes: impl Fn(Self, f64, f64) -> Slopes,
    ) -> [f64; 2] {
        let n = by_m.len();
        let (u, m) = (&u[..n], &m[..n]);
        let mut first = [0.0; LANES];
        let mut second = [0.0; LANES];
        let whole = n / LANES * LANES;
        let mut start = 0;
        while start < whole {
            for lane in 0..LANES {
                let at = start + lane;
                let slope = slopes(self, u[at], m[at]);
                let d = by_m[at];
                first[lane] += d * slope.by_first;
                second[lane] += d * slope.by_second;
                by_m[at] = d * slope.by_u;
            }
            start += LANES;
        }
        for at in whole..n {
            let slope = slopes(self, u[at], m[at]);
            let d = by_m[at];
            first[0] += d * slope.by_first;
            second[0] += d * slope.by_second;
            by_m[at] = d * slope.by_u;
        }
        [first.iter().sum(), second.iter().sum()]
    }
}

/// Sums run in as many lanes, whatever the machine.
const LANES: usize = 8;

const LN_3: f64 = 1.098_612_288_668_109_8;

#[inline(always)]
fn each(u: &[f64], out: &mut [f64], value: impl Fn(f64) -> f64) {
    for (out, &u) in out.iter_mut().zip(u) {
        *out = value(u);
    }
}

#[inline(always)]
fn hill(shape: Shape, u: f64, m: f64) -> Slopes {
    let seen = u > NOTHING;
    let (floor, here) = if seen { (u, m * (1.0 - m)) } else { (1.0, 0.0) };
    let (h, s) = (shape.first, shape.second);
    Slopes { by_u: here * s / floor, by_first: -here * s / h, by_second: here * (ln(floor) - ln(h)) }
}

#[inline(always)]
fn michaelis_menten(shape: Shape, u: f64, _: f64) -> Slopes {
    let sum = shape.first + u;
    Slopes { by_u: shape.first / (sum * sum), by_first: -u / (sum * sum), by_second: 0.0 }
}

#[inline(always)]
fn exponential(shape: Shape, u: f64, m: f64) -> Slopes {
    let rate = std::f64::consts::LN_2 / shape.first;
    let by_u = rate * (1.0 - m);
    Slopes { by_u, by_first: -by_u * u / shape.first, by_second: 0.0 }
}

#[inline(always)]
fn logistic(shape: Shape, u: f64, m: f64) -> Slopes {
    let rate = LN_3 / shape.first;
    let by_u = 0.5 * rate * (1.0 - m * m);
    Slopes { by_u, by_first: -by_u * u / shape.first, by_second: 0.0 }
}

#[inline(always)]
fn power(shape: Shape, u: f64, m: f64) -> Slopes {
    let seen = u > NOTHING;
    let (floor, m) = if seen { (u, m) } else { (1.0, 0.0) };
    Slopes { by_u: shape.first * m / floor, by_first: m * ln(floor), by_second: 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [Saturation; 5] = [
        Saturation::Hill,
        Saturation::MichaelisMenten,
        Saturation::Exponential,
        Saturation::Logistic,
        Saturation::Power,
    ];

    #[test]
    fn half_saturation_is_where_half_the_ceiling_is() {
        for saturation in &ALL[..4] {
            let shape = Shape { saturation: *saturation, first: 0.7, second: 1.8 };
            assert!((shape.value(0.7) - 0.5).abs() < 1e-14, "{saturation:?}");
            assert!(shape.value(1e9) > 0.999_999);
        }
    }

    #[test]
    fn derivatives_agree_with_differences() {
        let step = 1e-5;
        for saturation in ALL {
            let shape = Shape { saturation, first: 0.6, second: 1.7 };
            for u in [0.05, 0.6, 3.0] {
                let slopes = shape.slopes(u);
                let value = |first: f64, second: f64, u: f64| Shape { saturation, first, second }.value(u);
                let by_u = (value(0.6, 1.7, u + step) - value(0.6, 1.7, u - step)) / (2.0 * step);
                let by_first = (value(0.6 + step, 1.7, u) - value(0.6 - step, 1.7, u)) / (2.0 * step);
                let by_second = (value(0.6, 1.7 + step, u) - value(0.6, 1.7 - step, u)) / (2.0 * step);
                for (ours, theirs) in
                    [(slopes.by_u, by_u), (slopes.by_first, by_first), (slopes.by_second, by_second)]
                {
                    assert!((ours - theirs).abs() < 1e-7 * theirs.abs().max(1.0), "{saturation:?} {u}");
                }
            }
            let nothing = shape.slopes(0.0);
            assert!(nothing.by_u.is_finite() && nothing.by_first.abs() < 1e-300);
        }
    }

    #[test]
    fn columns_and_single_values_agree() {
        let u: Vec<f64> = (0..21).map(|i| f64::from(i) * 0.2).collect();
        for saturation in ALL {
            let shape = Shape { saturation, first: 0.6, second: 1.7 };
            let mut m = vec![0.0; 21];
            shape.values(&u, &mut m);
            let mut by_m = vec![1.0; 21];
            let sums = shape.backward(&u, &m, &mut by_m);
            let slopes: Vec<Slopes> = u.iter().map(|&u| shape.slopes(u)).collect();
            let first: f64 = slopes.iter().map(|slope| slope.by_first).sum();
            assert!((sums[0] - first).abs() < 1e-12);
            assert!(by_m.iter().zip(&slopes).all(|(ours, slope)| (ours - slope.by_u).abs() < 1e-15));
        }
    }
}
