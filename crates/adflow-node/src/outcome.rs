//! What a plan brings in every draw of its curves.

use adflow_core as core;
use napi::bindgen_prelude::Float64Array;
use napi_derive::napi;

use crate::Result;

/// The distribution of a plan's outcome Σ value · response over the draws of its curves (objective, before costs).
#[napi]
pub struct Outcome(pub(crate) core::Outcome);

#[napi]
impl Outcome {
    /// The outcome in each draw.
    #[napi(getter)]
    pub fn draws(&self) -> Float64Array {
        self.0.draws.clone().into()
    }

    /// Mean of the draws.
    #[napi(getter)]
    pub fn mean(&self) -> f64 {
        self.0.mean
    }

    /// Population standard deviation of the draws.
    #[napi(getter)]
    pub fn std(&self) -> f64 {
        self.0.std
    }

    /// Quantiles at 5, 25, 50, 75 and 95 %, linear between the draws in order.
    #[napi(getter)]
    pub fn quantiles(&self) -> Float64Array {
        self.0.quantiles.to_vec().into()
    }

    /// The mean of the worst share `alpha` of the draws, above 0 up to 1, with a part of the draw on the border.
    ///
    /// @throws AdflowError with code `out_of_domain`.
    #[napi]
    pub fn cvar(&self, alpha: f64) -> Result<f64> {
        if alpha > 0.0 && alpha <= 1.0 {
            return Ok(self.0.cvar(alpha));
        }
        Err(outside("alpha", "above 0 and at most 1", alpha))
    }

    /// The share of the draws in which the outcome is at least this (objective).
    ///
    /// @throws AdflowError with code `out_of_domain` for NaN.
    #[napi]
    pub fn probability(&self, at_least: f64) -> Result<f64> {
        if at_least.is_nan() {
            return Err(outside("atLeast", "a number", at_least));
        }
        Ok(self.0.probability(at_least))
    }

    /// The quantile at a share from 0 to 1, linear between the draws in order.
    ///
    /// @throws AdflowError with code `out_of_domain`.
    #[napi]
    pub fn quantile(&self, share: f64) -> Result<f64> {
        if (0.0..=1.0).contains(&share) {
            return Ok(self.0.quantile(share));
        }
        Err(outside("share", "from 0 to 1", share))
    }
}

fn outside(field: &str, expected: &str, value: f64) -> crate::Error {
    let (field, expected, value) = (field.into(), expected.into(), value.to_string());
    core::Error::OutOfDomain { field, expected, value }.into()
}
