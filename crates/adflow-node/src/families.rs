//! What the constructors of curves take, one object each.

use napi::bindgen_prelude::{Either, Either3, Float64Array};
use napi_derive::napi;

use crate::input::{Options, Parameters};

/// Parameters of [`ResponseCurves::linear`].
#[napi(object)]
pub struct LinearParameters {
    /// Response per unit of money.
    pub beta: Parameters,
}

impl Options for LinearParameters {
    const KEYS: &'static [&'static str] = &["beta"];
}

/// Parameters of [`ResponseCurves::logarithmic`].
#[napi(object)]
pub struct LogarithmicParameters {
    /// Scale of the response.
    pub beta: Parameters,
    /// k (money).
    pub scale: Parameters,
}

impl Options for LogarithmicParameters {
    const KEYS: &'static [&'static str] = &["beta", "scale"];
}

/// Parameters of [`ResponseCurves::power`].
#[napi(object)]
pub struct PowerParameters {
    /// Scale of the response.
    pub beta: Parameters,
    /// p, above 0 up to 1.
    pub exponent: Parameters,
}

impl Options for PowerParameters {
    const KEYS: &'static [&'static str] = &["beta", "exponent"];
}

/// Parameters of [`ResponseCurves::exponential`].
#[napi(object)]
pub struct ExponentialParameters {
    /// Response at saturation.
    pub beta: Parameters,
    /// k (money).
    pub scale: Parameters,
}

impl Options for ExponentialParameters {
    const KEYS: &'static [&'static str] = &["beta", "scale"];
}

/// Parameters of [`ResponseCurves::michaelis_menten`].
#[napi(object)]
pub struct MichaelisMentenParameters {
    /// Response at saturation.
    pub beta: Parameters,
    /// Spend at half of the saturation (money).
    pub half_saturation: Parameters,
}

impl Options for MichaelisMentenParameters {
    const KEYS: &'static [&'static str] = &["beta", "halfSaturation"];
}

/// Parameters of [`ResponseCurves::hill`].
#[napi(object)]
pub struct HillParameters {
    /// Response at saturation, 0 or from 1e-60 to 1e60.
    pub beta: Parameters,
    /// Spend at half of the saturation (money), from 1e-60 to 1e60.
    pub half_saturation: Parameters,
    /// Steepness, from 0.001 to 100.
    pub slope: Parameters,
}

impl Options for HillParameters {
    const KEYS: &'static [&'static str] = &["beta", "halfSaturation", "slope"];
}

/// Parameters of [`ResponseCurves::logistic`].
#[napi(object)]
pub struct LogisticParameters {
    /// Response at saturation.
    pub beta: Parameters,
    /// λ (per money).
    pub lam: Parameters,
}

impl Options for LogisticParameters {
    const KEYS: &'static [&'static str] = &["beta", "lam"];
}

/// Parameters of [`ResponseCurves::tanh`].
#[napi(object)]
pub struct TanhParameters {
    /// Response at saturation.
    pub b: Parameters,
    /// 1/c is the slope at 0.
    pub c: Parameters,
}

impl Options for TanhParameters {
    const KEYS: &'static [&'static str] = &["b", "c"];
}

/// Parameters of [`ResponseCurves::hill_sigmoid`].
#[napi(object)]
pub struct HillSigmoidParameters {
    /// Scale of the response.
    pub sigma: Parameters,
    /// Steepness (per money).
    pub beta: Parameters,
    /// Inflection (money).
    pub lam: Parameters,
}

impl Options for HillSigmoidParameters {
    const KEYS: &'static [&'static str] = &["sigma", "beta", "lam"];
}

/// A row of points.
pub(crate) type Points = Either<Float64Array, Vec<f64>>;

/// Points of [`ResponseCurves::tabulated`].
#[napi(object)]
pub struct TabulatedParameters {
    /// Spends (money), increasing from at least 0: one row for all arms, or one row per arm.
    #[napi(ts_type = "Numbers | Array<Numbers>")]
    pub spend: Either3<Float64Array, Vec<f64>, Vec<Points>>,
    /// Responses, nondecreasing: one row per arm; or draws of such rows.
    #[napi(ts_type = "Array<Numbers> | Array<Array<Numbers>>")]
    pub response: Either<Vec<Points>, Vec<Vec<Points>>>,
}

impl Options for TabulatedParameters {
    const KEYS: &'static [&'static str] = &["spend", "response"];
}
