//! How the effect of a channel saturates, with derivatives.

use serde::{Deserialize, Serialize};

use crate::elementary::{exp, exp_m1, ln, sigmoid};

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
}

impl Shape {
    /// m(u) of every u ≥ 0; `logs` keeps what [`backward`](Self::backward) needs beside it: ln(u/h), for a power ln u.
    pub(crate) fn values(&self, u: &[f64], logs: &mut [f64], out: &mut [f64]) {
        let (shape, columns) = (*self, Forward { u, logs, out });
        pulp::Arch::new().dispatch(
            #[inline(always)]
            || columns.fill(shape),
        );
    }

    /// m(u) of one u.
    pub(crate) fn value(&self, u: f64) -> f64 {
        let mut out = [0.0];
        self.values(&[u], &mut [0.0], &mut out);
        out[0]
    }

    /// Turns ∂L/∂m into ∂L/∂u, in place, and gives ∂L/∂first and ∂L/∂second. `logs` and `m` hold what
    /// [`values`](Self::values) gave.
    pub(crate) fn backward(&self, u: &[f64], logs: &[f64], m: &[f64], by_m: &mut [f64]) -> [f64; 2] {
        let (shape, columns) = (*self, Backward { u, logs, m, by_m });
        pulp::Arch::new().dispatch(
            #[inline(always)]
            || match shape.saturation {
                Saturation::Hill => columns.pull(shape, hill),
                Saturation::MichaelisMenten => columns.pull(shape, michaelis_menten),
                Saturation::Exponential => columns.pull(shape, exponential),
                Saturation::Logistic => columns.pull(shape, logistic),
                Saturation::Power => columns.pull(shape, power),
            },
        )
    }

    /// The derivatives at one u.
    pub(crate) fn slopes(&self, u: f64) -> Slopes {
        let (mut log, mut m) = ([0.0], [0.0]);
        self.values(&[u], &mut log, &mut m);
        let ([log], [m]) = (log, m);
        match self.saturation {
            Saturation::Hill => hill(*self, u, log, m),
            Saturation::MichaelisMenten => michaelis_menten(*self, u, log, m),
            Saturation::Exponential => exponential(*self, u, log, m),
            Saturation::Logistic => logistic(*self, u, log, m),
            Saturation::Power => power(*self, u, log, m),
        }
    }
}

/// Columns of a pass. Not `Copy`: a closure that consumes it is inlined into code for wide registers.
struct Forward<'a> {
    u: &'a [f64],
    logs: &'a mut [f64],
    out: &'a mut [f64],
}

impl Forward<'_> {
    #[inline(always)]
    fn fill(self, shape: Shape) {
        let n = self.out.len();
        let (u, logs, out) = (&self.u[..n], &mut self.logs[..n], &mut self.out[..n]);
        match shape.saturation {
            Saturation::Hill => {
                let log_half = ln(shape.first);
                for at in 0..n {
                    let seen = u[at] > NOTHING;
                    logs[at] = ln(if seen { u[at] } else { NOTHING }) - log_half;
                    let m = sigmoid(shape.second * logs[at]).0;
                    out[at] = if seen { m } else { 0.0 };
                }
            }
            Saturation::MichaelisMenten => {
                for at in 0..n {
                    out[at] = u[at] / (shape.first + u[at]);
                }
            }
            Saturation::Exponential => {
                let rate = std::f64::consts::LN_2 / shape.first;
                for at in 0..n {
                    out[at] = -exp_m1(-rate * u[at]);
                }
            }
            Saturation::Logistic => {
                let rate = LN_3 / shape.first;
                for at in 0..n {
                    let e = exp_m1(-rate * u[at]);
                    out[at] = -e / (2.0 + e);
                }
            }
            Saturation::Power => {
                for at in 0..n {
                    let seen = u[at] > NOTHING;
                    logs[at] = ln(if seen { u[at] } else { NOTHING });
                    let m = exp(shape.first * logs[at]);
                    out[at] = if seen { m } else { 0.0 };
                }
            }
        }
    }
}

/// Columns of a pass back.
struct Backward<'a> {
    u: &'a [f64],
    logs: &'a [f64],
    m: &'a [f64],
    by_m: &'a mut [f64],
}

impl Backward<'_> {
    #[inline(always)]
    fn pull(self, shape: Shape, slopes: impl Fn(Shape, f64, f64, f64) -> Slopes) -> [f64; 2] {
        let (mut first, mut second) = ([0.0; LANES], [0.0; LANES]);
        let (u, u_rest) = self.u.as_chunks::<LANES>();
        let (logs, logs_rest) = self.logs.as_chunks::<LANES>();
        let (m, m_rest) = self.m.as_chunks::<LANES>();
        let (by, by_rest) = self.by_m.as_chunks_mut::<LANES>();
        for (((u, log), m), by) in u.iter().zip(logs).zip(m).zip(by) {
            for lane in 0..LANES {
                let slope = slopes(shape, u[lane], log[lane], m[lane]);
                first[lane] += by[lane] * slope.by_first;
                second[lane] += by[lane] * slope.by_second;
                by[lane] *= slope.by_u;
            }
        }
        for (((u, log), m), by) in u_rest.iter().zip(logs_rest).zip(m_rest).zip(by_rest) {
            let slope = slopes(shape, *u, *log, *m);
            first[0] += *by * slope.by_first;
            second[0] += *by * slope.by_second;
            *by *= slope.by_u;
        }
        [first.iter().sum(), second.iter().sum()]
    }
}

/// Sums run in as many lanes, whatever the machine.
const LANES: usize = 8;

const LN_3: f64 = 1.098_612_288_668_109_8;

#[inline(always)]
fn hill(shape: Shape, u: f64, log: f64, m: f64) -> Slopes {
    let here = m * (1.0 - m);
    let (h, s) = (shape.first, shape.second);
    Slopes {
        by_u: here * s / if u > NOTHING { u } else { 1.0 },
        by_first: -here * s / h,
        by_second: here * log,
    }
}

#[inline(always)]
fn michaelis_menten(shape: Shape, u: f64, _: f64, _: f64) -> Slopes {
    let sum = shape.first + u;
    Slopes { by_u: shape.first / (sum * sum), by_first: -u / (sum * sum), by_second: 0.0 }
}

#[inline(always)]
fn exponential(shape: Shape, u: f64, _: f64, m: f64) -> Slopes {
    let rate = std::f64::consts::LN_2 / shape.first;
    let by_u = rate * (1.0 - m);
    Slopes { by_u, by_first: -by_u * u / shape.first, by_second: 0.0 }
}

#[inline(always)]
fn logistic(shape: Shape, u: f64, _: f64, m: f64) -> Slopes {
    let rate = LN_3 / shape.first;
    let by_u = 0.5 * rate * (1.0 - m * m);
    Slopes { by_u, by_first: -by_u * u / shape.first, by_second: 0.0 }
}

#[inline(always)]
fn power(shape: Shape, u: f64, log: f64, m: f64) -> Slopes {
    Slopes { by_u: shape.first * m / if u > NOTHING { u } else { 1.0 }, by_first: m * log, by_second: 0.0 }
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
            let mut logs = vec![0.0; 21];
            shape.values(&u, &mut logs, &mut m);
            let mut by_m = vec![1.0; 21];
            let sums = shape.backward(&u, &logs, &m, &mut by_m);
            let slopes: Vec<Slopes> = u.iter().map(|&u| shape.slopes(u)).collect();
            let first: f64 = slopes.iter().map(|slope| slope.by_first).sum();
            assert!((sums[0] - first).abs() < 1e-12);
            assert!(by_m.iter().zip(&slopes).all(|(ours, slope)| (ours - slope.by_u).abs() < 1e-15));
        }
    }
}
