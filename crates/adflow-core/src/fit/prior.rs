//! What is believed of a parameter before the data.

#[cfg(test)]
use rand::{Rng, RngExt};
#[cfg(test)]
use rand_distr::{Beta, Distribution, Gamma, StandardNormal};
use serde::{Deserialize, Serialize};

use crate::elementary::{exp, ln, sigmoid};
use crate::error::{Error, Result};

/// A distribution over one parameter.
///
/// | prior | density of x, up to a constant | where |
/// | --- | --- | --- |
/// | `Normal` | exp(−½ ((x − mean)/std)²) | ℝ |
/// | `HalfNormal` | exp(−½ (x/std)²) | x > 0 |
/// | `LogNormal` | exp(−½ (ln(x/median)/sigma)²)/x | x > 0 |
/// | `Gamma` | x^(shape − 1) exp(−rate x) | x > 0 |
/// | `Beta` | x^(a − 1) (1 − x)^(b − 1) | 0 < x < 1 |
/// | `Uniform` | 1 | low < x < high |
///
/// A sampler moves in θ ∈ ℝ: x = θ, x = e^θ for x > 0, x = low + (high − low)/(1 + e^−θ) on an interval, each with its Jacobian.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(tag = "distribution", rename_all = "snake_case", deny_unknown_fields)]
pub enum Prior {
    /// Bell-shaped around `mean`.
    Normal {
        /// Its centre.
        mean: f64,
        /// Its standard deviation, > 0.
        std: f64,
    },
    /// The right half of a bell around 0.
    HalfNormal {
        /// Standard deviation of the whole bell, > 0.
        std: f64,
    },
    /// A bell for the logarithm.
    LogNormal {
        /// Half of the mass lies below, > 0.
        median: f64,
        /// Standard deviation of the logarithm, > 0.
        sigma: f64,
    },
    /// A gamma distribution, mean shape/rate.
    Gamma {
        /// > 0.
        shape: f64,
        /// > 0.
        rate: f64,
    },
    /// A beta distribution, mean a/(a + b).
    Beta {
        /// > 0.
        a: f64,
        /// > 0.
        b: f64,
    },
    /// All values between two alike.
    Uniform {
        /// Smallest value.
        low: f64,
        /// Largest value, > low.
        high: f64,
    },
}

/// Values that a parameter may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Domain {
    Real,
    Positive,
    Unit,
}

impl Domain {
    fn words(self) -> &'static str {
        match self {
            Self::Real => "any prior",
            Self::Positive => {
                "a prior on numbers above 0: half_normal, log_normal, gamma, beta, or uniform from 0 or more"
            }
            Self::Unit => "a prior on numbers between 0 and 1: beta, or uniform within 0 and 1",
        }
    }
}

impl Prior {
    /// Checks the numbers, and that all of its values lie in the domain.
    pub(crate) fn check(&self, field: &str, domain: Domain) -> Result<()> {
        let numbers: [(&str, f64, bool); 2] = match *self {
            Self::Normal { mean, std } => [("mean", mean, false), ("std", std, true)],
            Self::HalfNormal { std } => [("std", std, true), ("std", std, true)],
            Self::LogNormal { median, sigma } => [("median", median, true), ("sigma", sigma, true)],
            Self::Gamma { shape, rate } => [("shape", shape, true), ("rate", rate, true)],
            Self::Beta { a, b } => [("a", a, true), ("b", b, true)],
            Self::Uniform { low, high } => [("low", low, false), ("high", high, false)],
        };
        for (name, value, positive) in numbers {
            let field = || format!("priors[{field}].{name}");
            if !value.is_finite() {
                return Err(Error::NotFinite { field: field(), value });
            }
            if value.abs() > 1e60 || (positive && !(1e-60..=1e60).contains(&value)) {
                let expected = if positive { "from 1e-60 to 1e60" } else { "from -1e60 to 1e60" };
                return Err(Error::out_of_domain(field(), expected, value));
            }
        }
        if let Self::Uniform { low, high } = *self
            && low >= high
        {
            return Err(Error::out_of_domain(format!("priors[{field}].high"), format!("above {low}"), high));
        }
        let fits = match (domain, *self) {
            (Domain::Real, _) | (Domain::Unit, Self::Beta { .. }) => true,
            (Domain::Positive, Self::Normal { .. }) => false,
            (Domain::Positive, Self::Uniform { low, .. }) => low >= 0.0,
            (Domain::Positive, _) => true,
            (Domain::Unit, Self::Uniform { low, high }) => low >= 0.0 && high <= 1.0,
            (Domain::Unit, _) => false,
        };
        if fits {
            return Ok(());
        }
        Err(Error::out_of_domain(format!("priors[{field}]"), domain.words(), self.word()))
    }

    fn word(&self) -> &'static str {
        match self {
            Self::Normal { .. } => "normal",
            Self::HalfNormal { .. } => "half_normal",
            Self::LogNormal { .. } => "log_normal",
            Self::Gamma { .. } => "gamma",
            Self::Beta { .. } => "beta",
            Self::Uniform { .. } => "uniform",
        }
    }

    /// The prior of `factor · x`, for a prior on numbers above 0.
    pub(crate) fn scaled(self, factor: f64) -> Self {
        match self {
            Self::Normal { mean, std } => Self::Normal { mean: mean * factor, std: std * factor },
            Self::HalfNormal { std } => Self::HalfNormal { std: std * factor },
            Self::LogNormal { median, sigma } => Self::LogNormal { median: median * factor, sigma },
            Self::Gamma { shape, rate } => Self::Gamma { shape, rate: rate / factor },
            // A beta distribution has no scale.
            Self::Beta { .. } => self,
            Self::Uniform { low, high } => Self::Uniform { low: low * factor, high: high * factor },
        }
    }

    /// `(x, dx/dθ)`.
    #[inline]
    pub(crate) fn natural(&self, theta: f64) -> (f64, f64) {
        match *self {
            Self::Normal { .. } => (theta, 1.0),
            Self::HalfNormal { .. } | Self::LogNormal { .. } | Self::Gamma { .. } => {
                let x = exp(theta);
                (x, x)
            }
            Self::Beta { .. } => {
                let (p, q) = sigmoid(theta);
                (p, p * q)
            }
            Self::Uniform { low, high } => {
                let (p, q) = sigmoid(theta);
                (low + (high - low) * p, (high - low) * p * q)
            }
        }
    }

    /// θ of a natural value inside the support.
    #[cfg(test)]
    pub(crate) fn theta(&self, x: f64) -> f64 {
        let logit = |p: f64| ln(p) - ln(1.0 - p);
        match *self {
            Self::Normal { .. } => x,
            Self::HalfNormal { .. } | Self::LogNormal { .. } | Self::Gamma { .. } => ln(x),
            Self::Beta { .. } => logit(x),
            Self::Uniform { low, high } => logit((x - low) / (high - low)),
        }
    }

    /// The log density in θ, Jacobian included, and its derivative.
    #[inline]
    pub(crate) fn log_density(&self, theta: f64) -> (f64, f64) {
        match *self {
            Self::Normal { mean, std } => bell(theta, mean, std),
            Self::LogNormal { median, sigma } => bell(theta, ln(median), sigma),
            Self::HalfNormal { std } => {
                let z = exp(theta) / std;
                (theta - 0.5 * z * z, 1.0 - z * z)
            }
            Self::Gamma { shape, rate } => {
                let x = rate * exp(theta);
                (shape * theta - x, shape - x)
            }
            Self::Beta { a, b } => between(theta, a, b),
            Self::Uniform { .. } => between(theta, 1.0, 1.0),
        }
    }

    /// A θ in the middle of the mass.
    pub(crate) fn middle(&self) -> f64 {
        match *self {
            Self::Normal { mean, .. } => mean,
            Self::HalfNormal { std } => ln(0.674 * std),
            Self::LogNormal { median, .. } => ln(median),
            Self::Gamma { shape, rate } => ln(shape / rate),
            Self::Beta { a, b } => ln(a / b),
            Self::Uniform { .. } => 0.0,
        }
    }

    /// A draw of θ.
    #[cfg(test)]
    pub(crate) fn sample<R: Rng + ?Sized>(&self, rng: &mut R) -> f64 {
        let normal = |rng: &mut R| -> f64 { StandardNormal.sample(rng) };
        match *self {
            Self::Normal { mean, std } => mean + std * normal(rng),
            Self::HalfNormal { std } => ln((std * normal(rng)).abs().max(f64::MIN_POSITIVE)),
            Self::LogNormal { median, sigma } => ln(median) + sigma * normal(rng),
            Self::Gamma { shape, rate } => {
                let x = Gamma::new(shape, 1.0).map_or(shape, |gamma| gamma.sample(rng));
                ln(x.max(f64::MIN_POSITIVE)) - ln(rate)
            }
            Self::Beta { a, b } => {
                let x = Beta::new(a, b).map_or(a / (a + b), |beta| beta.sample(rng));
                let x = x.clamp(1e-300, 1.0 - 1e-16);
                ln(x) - ln(1.0 - x)
            }
            Self::Uniform { .. } => {
                let x = rng.random::<f64>().clamp(1e-300, 1.0 - 1e-16);
                ln(x) - ln(1.0 - x)
            }
        }
    }
}

#[inline]
fn bell(x: f64, mean: f64, std: f64) -> (f64, f64) {
    let z = (x - mean) / std;
    (-0.5 * z * z, -z / std)
}

/// a ln p + b ln(1 − p) for p = 1/(1 + e^−θ).
#[inline]
fn between(theta: f64, a: f64, b: f64) -> (f64, f64) {
    let (p, q) = sigmoid(theta);
    // ln p = −ln(1 + e^−θ), without losing small p.
    let (ln_p, ln_q) = (-crate::elementary::softplus(-theta), -crate::elementary::softplus(theta));
    (a * ln_p + b * ln_q, a * q - b * p)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng;

    const ALL: [Prior; 6] = [
        Prior::Normal { mean: 0.3, std: 2.0 },
        Prior::HalfNormal { std: 0.7 },
        Prior::LogNormal { median: 1.4, sigma: 0.6 },
        Prior::Gamma { shape: 2.5, rate: 1.5 },
        Prior::Beta { a: 2.0, b: 3.5 },
        Prior::Uniform { low: 0.5, high: 4.0 },
    ];

    #[test]
    fn derivatives_agree_with_differences() {
        for prior in ALL {
            for theta in [-2.0, -0.3, 0.0, 0.8, 2.1] {
                let h = 1e-5;
                let density = (prior.log_density(theta + h).0 - prior.log_density(theta - h).0) / (2.0 * h);
                assert!((density - prior.log_density(theta).1).abs() < 1e-8, "{prior:?} at {theta}");
                let natural = (prior.natural(theta + h).0 - prior.natural(theta - h).0) / (2.0 * h);
                assert!((natural - prior.natural(theta).1).abs() < 1e-8, "{prior:?} at {theta}");
                assert!((prior.theta(prior.natural(theta).0) - theta).abs() < 1e-12);
            }
        }
    }

    #[test]
    fn draws_have_the_mean_that_the_density_has() {
        let mut rng = rand_chacha_seeded(7);
        for prior in ALL {
            // Quadrature over θ, which shares nothing with the draws but the density.
            let grid = (-4_000..4_000).map(|i| f64::from(i) * 0.005);
            let (mut mass, mut first) = (0.0, 0.0);
            for theta in grid {
                let weight = exp(prior.log_density(theta).0);
                mass += weight;
                first += weight * theta;
            }
            let draws = 40_000;
            let sum: f64 = (0..draws).map(|_| prior.sample(&mut rng)).sum();
            let mean = sum / f64::from(draws);
            assert!((mean - first / mass).abs() < 0.05, "{prior:?}: {mean} {}", first / mass);
        }
    }

    fn rand_chacha_seeded(seed: u64) -> rand::rngs::ChaCha8Rng {
        rand::rngs::ChaCha8Rng::seed_from_u64(seed)
    }

    #[test]
    fn priors_outside_the_domain_are_refused() {
        let normal = Prior::Normal { mean: 1.0, std: 1.0 };
        assert!(normal.check("roas", Domain::Positive).is_err());
        assert!(normal.check("trend", Domain::Real).is_ok());
        assert!(Prior::HalfNormal { std: 1.0 }.check("retention", Domain::Unit).is_err());
        assert!(Prior::Uniform { low: 0.0, high: 0.9 }.check("retention", Domain::Unit).is_ok());
        assert!(Prior::Uniform { low: -1.0, high: 0.9 }.check("roas", Domain::Positive).is_err());
        assert!(Prior::Uniform { low: 1.0, high: 0.9 }.check("roas", Domain::Positive).is_err());
        assert!(Prior::Gamma { shape: f64::NAN, rate: 1.0 }.check("roas", Domain::Positive).is_err());
    }
}
