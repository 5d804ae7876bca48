//! What is asked of a plan: a target to reach, and how uncertainty counts.

use adflow_core as core;
use pyo3::prelude::*;

use crate::arguments::number;
use crate::error::Result;

/// An inequality that a plan must reach; with a budget, the budget is a cap.
///
/// | target | condition |
/// | --- | --- |
/// | `Target.response(r)` | Σ value · response ≥ r |
/// | `Target.roas(r)` | Σ value · response ≥ r Σ spend |
/// | `Target.cpa(c)` | Σ spend ≤ c Σ response (money per response, whatever a response is worth) |
/// | `Target.marginal_roas(r)` | each arm spends its lower bound, or so much that value · marginal response ≥ r |
///
/// With `objective="spend"` the plan is the least spend that reaches it.
///
/// Examples
/// --------
/// >>> import adflow
/// >>> adflow.Target.roas(3)
/// Target.roas(3.0)
#[pyclass(frozen, eq, module = "adflow")]
#[derive(PartialEq)]
pub(crate) struct Target(pub(crate) core::Target);

#[pymethods]
impl Target {
    /// Σ value · response ≥ response; from 0 to 1e60.
    #[staticmethod]
    fn response(response: &Bound<'_, PyAny>) -> Result<Self> {
        Ok(Self(core::Target::Response(number("response", response)?)))
    }

    /// Σ value · response ≥ roas · Σ spend: return on ad spend; from 0 to 1e60.
    #[staticmethod]
    fn roas(roas: &Bound<'_, PyAny>) -> Result<Self> {
        Ok(Self(core::Target::Roas(number("roas", roas)?)))
    }

    /// Σ spend ≤ cpa · Σ response: cost per action, in money per response, without `value`; from 0 to 1e60.
    #[staticmethod]
    fn cpa(cpa: &Bound<'_, PyAny>) -> Result<Self> {
        Ok(Self(core::Target::Cpa(number("cpa", cpa)?)))
    }

    /// Each arm spends its lower bound, or so much that value · marginal response ≥ marginal_roas; from 0 to 1e60.
    #[staticmethod]
    fn marginal_roas(marginal_roas: &Bound<'_, PyAny>) -> Result<Self> {
        Ok(Self(core::Target::MarginalRoas(number("marginal_roas", marginal_roas)?)))
    }

    /// "response", "roas", "cpa" or "marginal_roas".
    #[getter]
    fn kind(&self) -> &'static str {
        self.0.as_str()
    }

    /// The number asked for.
    #[getter]
    fn level(&self) -> f64 {
        self.0.level()
    }

    fn __repr__(&self) -> String {
        format!("Target.{}({:?})", self.0.as_str(), self.0.level())
    }

    fn __hash__(&self, py: Python<'_>) -> PyResult<isize> {
        (self.0.as_str(), self.0.level()).into_pyobject(py)?.hash()
    }

    fn __reduce__<'py>(&self, py: Python<'py>) -> PyResult<(Bound<'py, PyAny>, (f64,))> {
        Ok((py.get_type::<Self>().getattr(self.0.as_str())?, (self.0.level(),)))
    }
}

/// A measure of the outcomes R_s = Σ value · response over S joint draws, in place of their mean.
///
/// | risk | what is maximised |
/// | --- | --- |
/// | `Risk.cvar(a)` | max over t of t − 1/(a S) Σ max(0, t − R_s): the mean of the worst share a of the outcomes |
/// | `Risk.mean_minus_std(k)` | mean − k · sd, with sd² = 1/S Σ (R_s − mean)² |
/// | `Risk.probability(target)` | the share of draws with R_s ≥ target |
///
/// The curves must carry draws; draw s of one arm goes with draw s of every other.
///
/// Examples
/// --------
/// >>> import adflow
/// >>> adflow.Risk.cvar(0.1)
/// Risk.cvar(0.1)
#[pyclass(frozen, eq, module = "adflow")]
#[derive(PartialEq)]
pub(crate) struct Risk(pub(crate) core::Risk);

#[pymethods]
impl Risk {
    /// The mean of the worst share `alpha` of the outcomes; above 0, at most 1 (the plain mean).
    #[staticmethod]
    fn cvar(alpha: &Bound<'_, PyAny>) -> Result<Self> {
        Ok(Self(core::Risk::Cvar(number("alpha", alpha)?)))
    }

    /// The mean less `kappa` standard deviations; from 0 (the plain mean) to 1e6.
    #[staticmethod]
    fn mean_minus_std(kappa: &Bound<'_, PyAny>) -> Result<Self> {
        Ok(Self(core::Risk::MeanMinusStd(number("kappa", kappa)?)))
    }

    /// The share of the draws whose outcome is at least `target`; from 0 to 1e60.
    #[staticmethod]
    fn probability(target: &Bound<'_, PyAny>) -> Result<Self> {
        Ok(Self(core::Risk::Probability(number("target", target)?)))
    }

    /// "cvar", "mean_minus_std" or "probability".
    #[getter]
    fn kind(&self) -> &'static str {
        self.0.as_str()
    }

    /// alpha, kappa or the target.
    #[getter]
    fn level(&self) -> f64 {
        self.0.level()
    }

    fn __repr__(&self) -> String {
        format!("Risk.{}({:?})", self.0.as_str(), self.0.level())
    }

    fn __hash__(&self, py: Python<'_>) -> PyResult<isize> {
        (self.0.as_str(), self.0.level()).into_pyobject(py)?.hash()
    }

    fn __reduce__<'py>(&self, py: Python<'py>) -> PyResult<(Bound<'py, PyAny>, (f64,))> {
        Ok((py.get_type::<Self>().getattr(self.0.as_str())?, (self.0.level(),)))
    }
}
