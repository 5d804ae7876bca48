//! Carry-over per arm: a family of adstock kernels with parameters that are numbers or one per arm.

use super::adstock;
use super::column::Column;
use crate::allocate::PerArm;
use crate::error::{Error, Result};

/// Longest kernel: far beyond any data, and no accident with memory.
const MOST_LAGS: usize = 10_000;

/// How much of a period's spend still works l periods later:
///
/// ```text
/// a[t] = Σ_l w[l] x[t − l]      l = 0, 1, …, max_lag − 1
/// ```
///
/// | constructor | w\[l\] | domain |
/// | --- | --- | --- |
/// | [`geometric`](Self::geometric) | r^l; without `max_lag` endless: a\[t\] = x\[t\] + r a\[t−1\] | 0 ≤ r ≤ 1 (r < 1 where endless and normalised) |
/// | [`delayed`](Self::delayed) | r^((l − peak)²) | 0 ≤ r ≤ 1, 0 ≤ peak ≤ 1e6 |
/// | [`weibull_cdf`](Self::weibull_cdf) | ∏_{t=1..l} exp(−(t/scale)^shape) | shape from 0.001 to 100, scale from 1e-6 to 1e6 |
/// | [`weibull_pdf`](Self::weibull_pdf) | the Weibull density at l + 1, from 0 (its least) to 1 (its greatest) | as above |
/// | [`binomial`](Self::binomial) | (1 − l/max_lag)^(1/r − 1) | 0 ≤ r ≤ 1 |
/// | [`kernel`](Self::kernel) | as given | 0 to 1e60 |
/// | [`none`](Self::none) | 1, and no carry-over | |
///
/// l and t count periods. [`normalized`](Self::normalized) divides the weights by their sum. The formulae are those of Robyn,
/// Meridian, PyMC-Marketing and LightweightMMM.
///
/// # Examples
/// ```
/// use adflow_core::Adstock;
///
/// assert_eq!(Adstock::geometric([0.5, 0.0], 3, false).weights(2, 8)?, [[1.0, 0.5, 0.25], [1.0, 0.0, 0.0]]);
/// # Ok::<(), adflow_core::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Adstock {
    pub(crate) family: Carry,
    /// Number of weights; `None` only for the geometric family.
    pub(crate) max_lag: Option<usize>,
    pub(crate) normalize: bool,
}

/// The families, with their parameters.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Carry {
    None,
    Geometric { retention: Column },
    Delayed { retention: Column, peak: Column },
    WeibullCdf { shape: Column, scale: Column },
    WeibullPdf { shape: Column, scale: Column },
    Binomial { retention: Column },
    Kernel(Vec<Vec<f64>>),
}

/// The kernel of one arm.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Kernel {
    /// From lag 0 on.
    pub(crate) weights: Vec<f64>,
    /// Each weight after the last is this times the one before.
    pub(crate) rest: f64,
}

impl Kernel {
    /// w[l], for any l.
    pub(crate) fn at(&self, lag: usize) -> f64 {
        match self.weights.get(lag) {
            Some(weight) => *weight,
            None if self.rest <= 0.0 => 0.0,
            None => {
                let last = self.weights.last().copied().unwrap_or(0.0);
                (self.weights.len()..=lag).fold(last, |weight, _| weight * self.rest)
            }
        }
    }
}

impl Adstock {
    /// No carry-over: a period's spend works in that period alone.
    #[must_use]
    pub fn none() -> Self {
        Self { family: Carry::None, max_lag: Some(1), normalize: false }
    }

    /// r^l: r is `retention`, the share that is left after one period. Without `max_lag` the kernel has no end.
    #[must_use]
    pub fn geometric(
        retention: impl Into<PerArm>,
        max_lag: impl Into<Option<usize>>,
        normalize: bool,
    ) -> Self {
        Self {
            family: Carry::Geometric { retention: retention.into().0 },
            max_lag: max_lag.into(),
            normalize,
        }
    }

    /// r^((l − peak)²): strongest `peak` periods after the spend.
    #[must_use]
    pub fn delayed(
        retention: impl Into<PerArm>,
        peak: impl Into<PerArm>,
        max_lag: usize,
        normalize: bool,
    ) -> Self {
        let family = Carry::Delayed { retention: retention.into().0, peak: peak.into().0 };
        Self { family, max_lag: Some(max_lag), normalize }
    }

    /// ∏_{t=1..l} exp(−(t/scale)^shape); `scale` counts periods.
    #[must_use]
    pub fn weibull_cdf(shape: impl Into<PerArm>, scale: impl Into<PerArm>, max_lag: usize) -> Self {
        let family = Carry::WeibullCdf { shape: shape.into().0, scale: scale.into().0 };
        Self { family, max_lag: Some(max_lag), normalize: false }
    }

    /// The Weibull density at l + 1, moved and stretched to run from 0 to 1; `scale` counts periods.
    #[must_use]
    pub fn weibull_pdf(shape: impl Into<PerArm>, scale: impl Into<PerArm>, max_lag: usize) -> Self {
        let family = Carry::WeibullPdf { shape: shape.into().0, scale: scale.into().0 };
        Self { family, max_lag: Some(max_lag), normalize: false }
    }

    /// (1 − l/max_lag)^(1/r − 1): r is `retention`.
    #[must_use]
    pub fn binomial(retention: impl Into<PerArm>, max_lag: usize) -> Self {
        let family = Carry::Binomial { retention: retention.into().0 };
        Self { family, max_lag: Some(max_lag), normalize: false }
    }

    /// The weights themselves, from lag 0 on: one row for all arms, or one per arm.
    #[must_use]
    pub fn kernel(weights: impl IntoIterator<Item = impl Into<Vec<f64>>>) -> Self {
        let rows: Vec<Vec<f64>> = weights.into_iter().map(Into::into).collect();
        let longest = rows.iter().map(Vec::len).max().unwrap_or(0);
        Self { family: Carry::Kernel(rows), max_lag: Some(longest), normalize: false }
    }

    /// Whether the weights are divided by their sum.
    #[must_use]
    pub fn normalized(mut self, normalize: bool) -> Self {
        self.normalize = normalize;
        self
    }

    /// The weights of every arm; an endless kernel is told up to `periods` weights.
    ///
    /// # Errors
    /// [`Error::OutOfDomain`], [`Error::NotFinite`] and [`Error::LengthMismatch`] for parameters outside the domains above,
    /// [`Error::Empty`] for a kernel without weights; the fields are called `adstock.retention[i]` and so on.
    pub fn weights(&self, arms: usize, periods: usize) -> Result<Vec<Vec<f64>>> {
        Ok(self.kernels(arms, periods)?.into_iter().map(|kernel| kernel.weights).collect())
    }

    /// The kernel of every arm.
    pub(crate) fn kernels(&self, arms: usize, periods: usize) -> Result<Vec<Kernel>> {
        let lags = self.max_lag.unwrap_or(periods);
        if !matches!(self.family, Carry::Kernel(_)) && !(1..=MOST_LAGS).contains(&lags) {
            return Err(Error::out_of_domain("adstock.max_lag", format!("from 1 to {MOST_LAGS}"), lags));
        }
        let check = |field: &str, column: &Column, (low, high): (f64, f64)| {
            let (same, values) = match column {
                Column::Same(value) => (true, std::slice::from_ref(value)),
                Column::Each(values) => (false, &values[..]),
            };
            if !same && values.len() != arms {
                let field = format!("adstock.{field}");
                return Err(Error::LengthMismatch { field, expected: arms, actual: values.len() });
            }
            for (i, &value) in values.iter().enumerate() {
                let at = || if same { format!("adstock.{field}") } else { format!("adstock.{field}[{i}]") };
                if !value.is_finite() {
                    return Err(Error::NotFinite { field: at(), value });
                }
                if !(low..=high).contains(&value) {
                    return Err(Error::out_of_domain(at(), format!("from {low} to {high}"), value));
                }
            }
            Ok(())
        };
        const SHARE: (f64, f64) = (0.0, 1.0);
        const SHAPE: (f64, f64) = (1e-3, 100.0);
        const SCALE: (f64, f64) = (1e-6, 1e6);
        match &self.family {
            Carry::None => {}
            Carry::Geometric { retention } | Carry::Binomial { retention } => {
                check("retention", retention, SHARE)?
            }
            Carry::Delayed { retention, peak } => {
                check("retention", retention, SHARE)?;
                check("peak", peak, (0.0, 1e6))?;
            }
            Carry::WeibullCdf { shape, scale } | Carry::WeibullPdf { shape, scale } => {
                check("shape", shape, SHAPE)?;
                check("scale", scale, SCALE)?;
            }
            Carry::Kernel(rows) => check_rows(rows, arms)?,
        }
        (0..arms).map(|i| self.kernel_of(i, lags)).collect()
    }

    fn kernel_of(&self, i: usize, lags: usize) -> Result<Kernel> {
        // Without the sign of a zero: 1/r is +∞ then.
        let at = |column: &Column| column.at(i) + 0.0;
        let weights = match &self.family {
            Carry::None => adstock::delta(1),
            Carry::Geometric { retention } => adstock::geometric(at(retention), lags),
            Carry::Delayed { retention, peak } => adstock::delayed(at(retention), at(peak), lags),
            Carry::WeibullCdf { shape, scale } => adstock::weibull_cdf(at(shape), at(scale), lags),
            Carry::WeibullPdf { shape, scale } => adstock::weibull_pdf(at(shape), at(scale), lags),
            Carry::Binomial { retention } => adstock::binomial(at(retention), lags, lags),
            Carry::Kernel(rows) => rows[if rows.len() == 1 { 0 } else { i }].clone(),
        };
        let rest = match &self.family {
            Carry::Geometric { retention } if self.max_lag.is_none() => retention.at(i),
            _ => 0.0,
        };
        if !self.normalize {
            return Ok(Kernel { weights, rest });
        }
        if rest > 0.0 {
            // The sum of an endless series.
            if rest >= 1.0 {
                let expected = "below 1 where an endless kernel is normalised";
                return Err(Error::out_of_domain(format!("adstock.retention[{i}]"), expected, rest));
            }
            return Ok(Kernel {
                weights: weights.iter().map(|weight| weight * (1.0 - rest)).collect(),
                rest,
            });
        }
        match adstock::normalised(weights) {
            Some(weights) => Ok(Kernel { weights, rest }),
            None => {
                let expected = "such that some lag has a weight above 0, to normalise";
                Err(Error::out_of_domain("adstock", expected, format!("only zeros for arm {i}")))
            }
        }
    }
}

fn check_rows(rows: &[Vec<f64>], arms: usize) -> Result<()> {
    let field = || "adstock.weights".to_string();
    if rows.is_empty() {
        return Err(Error::Empty { field: field() });
    }
    if rows.len() != 1 && rows.len() != arms {
        return Err(Error::LengthMismatch { field: field(), expected: arms, actual: rows.len() });
    }
    for (i, row) in rows.iter().enumerate() {
        if row.is_empty() {
            return Err(Error::Empty { field: format!("adstock.weights[{i}]") });
        }
        if row.len() > MOST_LAGS {
            let expected = format!("of at most {MOST_LAGS} lags");
            return Err(Error::out_of_domain(format!("adstock.weights[{i}]"), expected, row.len()));
        }
        for (l, &value) in row.iter().enumerate() {
            let at = || format!("adstock.weights[{i}][{l}]");
            if !value.is_finite() {
                return Err(Error::NotFinite { field: at(), value });
            }
            if !(0.0..=1e60).contains(&value) {
                return Err(Error::out_of_domain(at(), "from 0 to 1e60", value));
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[allow(clippy::float_cmp, reason = "powers of one half are exact")]
    fn an_endless_kernel_goes_on_by_its_retention() {
        let kernel = &Adstock::geometric(0.5, None, true).kernels(1, 3).unwrap()[0];
        assert_eq!(kernel.weights, [0.5, 0.25, 0.125]);
        assert_eq!([kernel.at(2), kernel.at(3), kernel.at(5)], [0.125, 0.0625, 0.015_625]);
        let cut = &Adstock::geometric(0.5, 3, false).kernels(1, 9).unwrap()[0];
        assert_eq!(cut.at(3), 0.0);
    }

    #[test]
    fn wrong_parameters_are_named() {
        let field = |adstock: Adstock| match adstock.weights(2, 4) {
            Err(Error::OutOfDomain { field, .. } | Error::Empty { field }) => field,
            Err(Error::LengthMismatch { field, .. } | Error::NotFinite { field, .. }) => field,
            other => format!("{other:?}"),
        };
        assert_eq!(field(Adstock::geometric([0.5, 1.5], 3, false)), "adstock.retention[1]");
        assert_eq!(field(Adstock::geometric([0.5, 0.5, 0.1], 3, false)), "adstock.retention");
        assert_eq!(field(Adstock::geometric(1.0, None, true)), "adstock.retention[0]");
        assert_eq!(field(Adstock::delayed(0.5, f64::NAN, 3, false)), "adstock.peak");
        assert_eq!(field(Adstock::weibull_pdf(0.0, 1.0, 3)), "adstock.shape");
        assert_eq!(field(Adstock::binomial(0.5, 0)), "adstock.max_lag");
        assert_eq!(field(Adstock::kernel([[1.0, -0.5]])), "adstock.weights[0][1]");
        assert_eq!(field(Adstock::kernel(Vec::<Vec<f64>>::new())), "adstock.weights");
        assert_eq!(field(Adstock::delayed(0.0, 0.5, 3, true)), "adstock");
    }
}
