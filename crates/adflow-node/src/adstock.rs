//! Carry-over: how much of a period's spend still works in later ones.

use adflow_core as core;
use napi::bindgen_prelude::{Either3, Float64Array, Unknown};
use napi_derive::napi;

use crate::Result;
use crate::curves::point_rows;
use crate::families::Points;
use crate::input::{NumberPerArm, Options, index, per_arm, read};

/// Parameters of `Adstock.geometric`.
#[napi(object, object_to_js = false)]
pub struct GeometricAdstock {
    /// The share that is left after one period, 0 to 1.
    pub retention: NumberPerArm,
    /// Number of weights, the first for the period of the spend itself; default none: the kernel has no end.
    pub max_lag: Option<f64>,
    /// Whether the weights are divided by their sum; default false.
    pub normalize: Option<bool>,
}

impl Options for GeometricAdstock {
    const KEYS: &'static [&'static str] = &["retention", "maxLag", "normalize"];
}

/// Parameters of `Adstock.delayed`.
#[napi(object, object_to_js = false)]
pub struct DelayedAdstock {
    /// r, 0 to 1.
    pub retention: NumberPerArm,
    /// How long after the spend it works most (periods), 0 to 1e6.
    pub peak: NumberPerArm,
    /// Number of weights, the first for the period of the spend itself.
    pub max_lag: f64,
    /// Whether the weights are divided by their sum; default false.
    pub normalize: Option<bool>,
}

impl Options for DelayedAdstock {
    const KEYS: &'static [&'static str] = &["retention", "peak", "maxLag", "normalize"];
}

/// Parameters of `Adstock.weibullCdf` and `Adstock.weibullPdf`.
#[napi(object, object_to_js = false)]
pub struct WeibullAdstock {
    /// Shape of the distribution, 0.001 to 100.
    pub shape: NumberPerArm,
    /// Scale of the distribution (periods), 1e-6 to 1e6.
    pub scale: NumberPerArm,
    /// Number of weights, the first for the period of the spend itself.
    pub max_lag: f64,
    /// Whether the weights are divided by their sum; default false.
    pub normalize: Option<bool>,
}

impl Options for WeibullAdstock {
    const KEYS: &'static [&'static str] = &["shape", "scale", "maxLag", "normalize"];
}

/// Parameters of `Adstock.binomial`.
#[napi(object, object_to_js = false)]
pub struct BinomialAdstock {
    /// r, 0 to 1.
    pub retention: NumberPerArm,
    /// Number of weights, the first for the period of the spend itself.
    pub max_lag: f64,
    /// Whether the weights are divided by their sum; default false.
    pub normalize: Option<bool>,
}

impl Options for BinomialAdstock {
    const KEYS: &'static [&'static str] = &["retention", "maxLag", "normalize"];
}

/// How much of a period's spend still works l periods later, per arm:
///
/// ```text
/// a[t] = Σ_l w[l] x[t − l]      l = 0, 1, …, maxLag − 1
/// ```
///
/// Parameters are one number for all arms, or one per arm. They are checked where the adstock is used: there the number of
/// arms is known.
#[napi]
pub struct Adstock(pub(crate) core::Adstock);

#[napi]
impl Adstock {
    /// No carry-over: a period's spend works in that period alone.
    #[napi(factory)]
    pub fn none() -> Self {
        Self(core::Adstock::none())
    }

    /// r^l: r is `retention`. Without `maxLag` the kernel has no end: a[t] = x[t] + r a[t−1].
    #[napi(factory)]
    pub fn geometric(#[napi(ts_arg_type = "GeometricAdstock")] parameters: Unknown<'_>) -> Result<Self> {
        let given: GeometricAdstock = read(parameters)?;
        let max_lag = given.max_lag.map(|lag| index("maxLag", lag)).transpose()?;
        let normalize = given.normalize.unwrap_or(false);
        Ok(Self(core::Adstock::geometric(per_arm(given.retention), max_lag, normalize)))
    }

    /// r^((l − peak)²): strongest `peak` periods after the spend.
    #[napi(factory)]
    pub fn delayed(#[napi(ts_arg_type = "DelayedAdstock")] parameters: Unknown<'_>) -> Result<Self> {
        let given: DelayedAdstock = read(parameters)?;
        let (retention, peak) = (per_arm(given.retention), per_arm(given.peak));
        let max_lag = index("maxLag", given.max_lag)?;
        Ok(Self(core::Adstock::delayed(retention, peak, max_lag, given.normalize.unwrap_or(false))))
    }

    /// ∏_{t=1..l} exp(−(t/scale)^shape).
    #[napi(factory)]
    pub fn weibull_cdf(#[napi(ts_arg_type = "WeibullAdstock")] parameters: Unknown<'_>) -> Result<Self> {
        Self::weibull(read(parameters)?, core::Adstock::weibull_cdf)
    }

    /// The Weibull density at l + 1, moved and stretched to run from 0 to 1.
    #[napi(factory)]
    pub fn weibull_pdf(#[napi(ts_arg_type = "WeibullAdstock")] parameters: Unknown<'_>) -> Result<Self> {
        Self::weibull(read(parameters)?, core::Adstock::weibull_pdf)
    }

    /// (1 − l/maxLag)^(1/r − 1): r is `retention`.
    #[napi(factory)]
    pub fn binomial(#[napi(ts_arg_type = "BinomialAdstock")] parameters: Unknown<'_>) -> Result<Self> {
        let given: BinomialAdstock = read(parameters)?;
        let adstock = core::Adstock::binomial(per_arm(given.retention), index("maxLag", given.max_lag)?);
        Ok(Self(adstock.normalized(given.normalize.unwrap_or(false))))
    }

    /// The weights themselves, 0 to 1e60, from the period of the spend on: one row for all arms, or one per arm. With
    /// `normalize` they are divided by their sum.
    #[napi(factory)]
    pub fn kernel(
        #[napi(ts_arg_type = "Numbers | Array<Numbers>")] weights: Either3<
            Float64Array,
            Vec<f64>,
            Vec<Points>,
        >,
        normalize: Option<bool>,
    ) -> Self {
        Self(core::Adstock::kernel(point_rows(weights)).normalized(normalize.unwrap_or(false)))
    }

    /// The weights of each of `arms` arms; of an endless kernel the first `periods`.
    ///
    /// @throws AdflowError with code `out_of_domain`, `not_finite`, `length_mismatch` or `empty` for parameters outside
    /// their domain.
    #[napi(ts_return_type = "Array<Float64Array>")]
    pub fn weights(&self, arms: f64, periods: f64) -> Result<Vec<Float64Array>> {
        let weights = self.0.weights(index("arms", arms)?, index("periods", periods)?);
        let weights = weights.map_err(crate::Error::of_options)?;
        Ok(weights.into_iter().map(Float64Array::from).collect())
    }

    fn weibull(
        given: WeibullAdstock,
        family: fn(core::PerArm, core::PerArm, usize) -> core::Adstock,
    ) -> Result<Self> {
        let adstock = family(per_arm(given.shape), per_arm(given.scale), index("maxLag", given.max_lag)?);
        Ok(Self(adstock.normalized(given.normalize.unwrap_or(false))))
    }
}
