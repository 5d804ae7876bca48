//! What a plan brings in every draw, and what is lost for not knowing the draw.

use adflow_core as core;
use numpy::PyArray1;
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::arguments::number;
use crate::error::{Result, malformed, out_of_domain};
use crate::python::{self, Lazy};

/// The distribution of a plan's outcome Σ value · response over the draws of its curves, before costs.
///
/// Draw s of one arm goes with draw s of every other. Arrays are read-only.
#[pyclass(frozen, module = "adflow")]
pub(crate) struct Outcome {
    outcome: core::Outcome,
    draws: Lazy,
    quantiles: Lazy,
}

impl Outcome {
    pub(crate) fn new(outcome: core::Outcome) -> Self {
        Self { outcome, draws: Lazy::default(), quantiles: Lazy::default() }
    }
}

#[pymethods]
impl Outcome {
    /// The outcome in every draw, (draws,).
    #[getter]
    fn draws<'py>(&self, py: Python<'py>) -> Bound<'py, PyArray1<f64>> {
        self.draws.get(py, &self.outcome.draws)
    }

    /// Mean over the draws.
    #[getter]
    fn mean(&self) -> f64 {
        self.outcome.mean
    }

    /// Population standard deviation (divisor: the number of draws).
    #[getter]
    fn std(&self) -> f64 {
        self.outcome.std
    }

    /// Quantiles at 5, 25, 50, 75 and 95 %, linear between the draws in order, (5,).
    #[getter]
    fn quantiles<'py>(&self, py: Python<'py>) -> Bound<'py, PyArray1<f64>> {
        self.quantiles.get(py, &self.outcome.quantiles)
    }

    /// The quantile at a share from 0 to 1, linear between the draws in order.
    fn quantile(&self, share: &Bound<'_, PyAny>) -> Result<f64> {
        let share = number("share", share)?;
        if !(0.0..=1.0).contains(&share) {
            return Err(out_of_domain("share", "from 0 to 1", share));
        }
        Ok(self.outcome.quantile(share))
    }

    /// The mean of the worst share `alpha` of the draws; above 0, at most 1 (the plain mean).
    fn cvar(&self, alpha: &Bound<'_, PyAny>) -> Result<f64> {
        let alpha = number("alpha", alpha)?;
        if !(alpha > 0.0 && alpha <= 1.0) {
            return Err(out_of_domain("alpha", "above 0, at most 1", alpha));
        }
        Ok(self.outcome.cvar(alpha))
    }

    /// The share of the draws in which the outcome is at least this.
    fn probability(&self, at_least: &Bound<'_, PyAny>) -> Result<f64> {
        let at_least = number("at_least", at_least)?;
        if at_least.is_nan() {
            return Err(core::Error::NotFinite { field: "at_least".into(), value: at_least }.into());
        }
        Ok(self.outcome.probability(at_least))
    }

    fn __repr__<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        python::function(slf.py(), "adflow._display", "outcome_text")?.call1((slf,))
    }
}

/// How much a plan hangs on what is not known, over single draws of its curves.
///
/// V_s(x) is the objective of spends x in draw s, x(s) the best plan of that draw alone, x the plan. All values are in
/// units of the objective; in money they are divided by the shadow price. Arrays are read-only.
#[pyclass(frozen, module = "adflow")]
pub(crate) struct Uncertainty {
    uncertainty: core::Uncertainty,
    names: Option<Vec<String>>,
    regret_quantiles: Lazy,
    arm_information: Lazy,
    arm_information_money: Lazy,
}

impl Uncertainty {
    pub(crate) fn new(uncertainty: core::Uncertainty, names: Option<Vec<String>>) -> Self {
        Self {
            uncertainty,
            names,
            regret_quantiles: Lazy::default(),
            arm_information: Lazy::default(),
            arm_information_money: Lazy::default(),
        }
    }
}

#[pymethods]
impl Uncertainty {
    /// Positions of the draws that were used.
    #[getter]
    fn draws(&self) -> Vec<usize> {
        self.uncertainty.draws.clone()
    }

    /// Number of draws in which no plan keeps the limits; they count nowhere else.
    #[getter]
    fn infeasible(&self) -> usize {
        self.uncertainty.infeasible
    }

    /// Each arm's share of the total in the best plans of single draws: dicts with `mean`, `std`, and the quantiles `low`
    /// (5 %) and `high` (95 %).
    #[getter]
    fn shares<'py>(&self, py: Python<'py>) -> PyResult<Vec<Bound<'py, PyDict>>> {
        let entry = |share: &core::ShareSpread| {
            let dict = PyDict::new(py);
            dict.set_item("mean", share.mean)?;
            dict.set_item("std", share.std)?;
            dict.set_item("low", share.low)?;
            dict.set_item("high", share.high)?;
            Ok(dict)
        };
        self.uncertainty.shares.iter().map(entry).collect()
    }

    /// Mean of the regret V_s(x(s)) − V_s(x).
    #[getter]
    fn regret_mean(&self) -> f64 {
        self.uncertainty.regret_mean
    }

    /// Quantiles of the regret at 5, 25, 50, 75 and 95 %, (5,).
    #[getter]
    fn regret_quantiles<'py>(&self, py: Python<'py>) -> Bound<'py, PyArray1<f64>> {
        self.regret_quantiles.get(py, &self.uncertainty.regret_quantiles)
    }

    /// What knowing all curves would be worth: the expected value of perfect information.
    #[getter]
    fn perfect_information(&self) -> f64 {
        self.uncertainty.perfect_information
    }

    /// The same in money; None where the budget has no price.
    #[getter]
    fn perfect_information_money(&self) -> Option<f64> {
        self.uncertainty.perfect_information_money
    }

    /// What knowing one arm's curve would be worth, (n,).
    #[getter]
    fn arm_information<'py>(&self, py: Python<'py>) -> Bound<'py, PyArray1<f64>> {
        self.arm_information.get(py, &self.uncertainty.arm_information)
    }

    /// The same in money, (n,); None where the budget has no price.
    #[getter]
    fn arm_information_money<'py>(&self, py: Python<'py>) -> Option<Bound<'py, PyArray1<f64>>> {
        let money = self.uncertainty.arm_information_money.as_ref();
        money.map(|money| self.arm_information_money.get(py, money))
    }

    /// Names of the arms, or None.
    #[getter]
    fn names(&self) -> Option<Vec<&str>> {
        python::names(self.names.as_deref())
    }

    /// What is said of the arms as a frame, one row per arm.
    ///
    /// Parameters
    /// ----------
    /// backend : {"pandas", "polars", "pyarrow"}, optional
    ///     The kind of frame; the first of these that is installed by default.
    ///
    /// Returns
    /// -------
    /// pandas.DataFrame, polars.DataFrame or pyarrow.Table
    ///     Columns `name` (where the arms have names), `share_mean`, `share_std`, `share_low`, `share_high`,
    ///     `information`, and `information_money` where the budget has a price.
    #[pyo3(signature = (backend=None))]
    fn to_frame<'py>(slf: &Bound<'py, Self>, backend: Option<&str>) -> PyResult<Bound<'py, PyAny>> {
        python::function(slf.py(), "adflow._frame", "uncertainty_frame")?.call1((slf, backend))
    }

    /// All of it as plain Python data.
    fn to_dict<'py>(&self, py: Python<'py>) -> Result<Bound<'py, PyAny>> {
        let json =
            serde_json::to_value(&self.uncertainty).map_err(|error| malformed("uncertainty", error))?;
        Ok(python::value(py, &json)?)
    }

    fn __repr__<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        python::function(slf.py(), "adflow._display", "uncertainty_text")?.call1((slf,))
    }
}
