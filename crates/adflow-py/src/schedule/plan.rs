//! The plan over periods, and what it says about itself.

use adflow_core as core;
use numpy::{PyArray1, PyArray2};
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::curves::ResponseCurves;
use crate::error::{Result, malformed};
use crate::plan::Verification;
use crate::python::{self, Lazy, LazyRows};

/// A plan over periods and the proof of how good it is.
///
/// No plan within the limits has an objective value above `upper_bound`, and
/// `gap = (upper_bound − objective_value)/|upper_bound|` says how much, at most, is left on the table. Arrays are
/// read-only; rows are periods, columns are arms.
#[pyclass(frozen, module = "adflow")]
pub(crate) struct SchedulePlan {
    plan: core::SchedulePlan,
    spend: LazyRows,
    adstocked: LazyRows,
    response: LazyRows,
    arm_spend: Lazy,
    arm_response: Lazy,
    period_spend: Lazy,
}

impl SchedulePlan {
    pub(super) fn new(plan: core::SchedulePlan) -> Self {
        Self {
            plan,
            spend: LazyRows::default(),
            adstocked: LazyRows::default(),
            response: LazyRows::default(),
            arm_spend: Lazy::default(),
            arm_response: Lazy::default(),
            period_spend: Lazy::default(),
        }
    }
}

#[pymethods]
impl SchedulePlan {
    /// Spend per period and arm, (T, n).
    #[getter]
    fn spend<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyArray2<f64>>> {
        self.spend.get(py, &self.plan.spend, self.plan.arms())
    }

    /// Adstocked spend per period and arm: T rows, then those of the tail.
    #[getter]
    fn adstocked<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyArray2<f64>>> {
        self.adstocked.get(py, &self.plan.adstocked, self.plan.arms())
    }

    /// Response per period and arm: T rows, then those of the tail.
    #[getter]
    fn response<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyArray2<f64>>> {
        self.response.get(py, &self.plan.response, self.plan.arms())
    }

    /// Spend per arm, all periods together, (n,).
    #[getter]
    fn arm_spend<'py>(&self, py: Python<'py>) -> Bound<'py, PyArray1<f64>> {
        self.arm_spend.get(py, &self.plan.arm_spend)
    }

    /// Response per arm, window and tail together, (n,).
    #[getter]
    fn arm_response<'py>(&self, py: Python<'py>) -> Bound<'py, PyArray1<f64>> {
        self.arm_response.get(py, &self.plan.arm_response)
    }

    /// Spend per period, all arms together, (T,).
    #[getter]
    fn period_spend<'py>(&self, py: Python<'py>) -> Bound<'py, PyArray1<f64>> {
        self.period_spend.get(py, &self.plan.period_spend)
    }

    /// Response after the window; 0 where the tail does not count.
    #[getter]
    fn response_after(&self) -> f64 {
        self.plan.response_after
    }

    /// response_after/total_response.
    #[getter]
    fn response_after_share(&self) -> f64 {
        self.plan.response_after_share
    }

    /// Σ spend.
    #[getter]
    fn total_spend(&self) -> f64 {
        self.plan.total_spend
    }

    /// Σ response, window and tail together.
    #[getter]
    fn total_response(&self) -> f64 {
        self.plan.total_response
    }

    /// What was maximised: Σ value · response.
    #[getter]
    fn objective_value(&self) -> f64 {
        self.plan.objective_value
    }

    /// No plan within the limits has a larger objective value.
    #[getter]
    fn upper_bound(&self) -> f64 {
        self.plan.upper_bound
    }

    /// (upper_bound − objective_value)/|upper_bound|.
    #[getter]
    fn gap(&self) -> f64 {
        self.plan.gap
    }

    /// What one more unit of budget is worth; 0 without a budget.
    #[getter]
    fn shadow_price(&self) -> f64 {
        self.plan.shadow_price
    }

    /// "optimal": the gap is within the tolerance; "feasible": the search ended before.
    #[getter]
    fn status(&self) -> &'static str {
        self.plan.status.as_str()
    }

    /// Number of periods in the window.
    #[getter]
    fn periods(&self) -> usize {
        self.plan.periods()
    }

    /// Steps of all relaxed problems together.
    #[getter]
    fn iterations(&self) -> usize {
        self.plan.iterations
    }

    /// Seconds the solve took.
    #[getter]
    fn elapsed(&self) -> f64 {
        self.plan.elapsed.as_secs_f64()
    }

    /// Names of the arms, or None.
    #[getter]
    fn names(&self) -> Option<Vec<&str>> {
        python::names(self.plan.names())
    }

    /// The curves of the schedule, with the names of the plan.
    #[getter]
    fn curves(&self) -> ResponseCurves {
        ResponseCurves(self.plan.schedule().curves().clone())
    }

    /// The limits on several spends that hold the plan back, with their prices.
    ///
    /// Each is a dict: `limit` ("budget", "period_lower", "period_upper", "arm_lower" or "arm_upper"), `arm` (index; None
    /// where the limit is not one arm's), `name` (of the arm; "period 3" of the period), `bound`, and `price` (what
    /// relaxing the bound by one unit would bring; below 0 for a budget that must be spent and is too large).
    #[getter]
    fn binding<'py>(&self, py: Python<'py>) -> PyResult<Vec<Bound<'py, PyDict>>> {
        python::bindings(py, &self.plan.binding())
    }

    /// All limits on several spends with their prices, whether or not they hold the plan back; dicts like those of
    /// `binding`.
    #[getter]
    fn limits<'py>(&self, py: Python<'py>) -> PyResult<Vec<Bound<'py, PyDict>>> {
        python::bindings(py, &self.plan.limits)
    }

    /// Recomputes the plan's claims from the schedule and the plan alone.
    ///
    /// Returns
    /// -------
    /// Verification
    ///     `.ok`, and every check with its figures.
    fn verify(&self, py: Python<'_>) -> Verification {
        Verification(py.detach(|| self.plan.verify()))
    }

    /// The plan in sentences: on the whole first, then one per arm.
    fn explain(&self, py: Python<'_>) -> Vec<String> {
        py.detach(|| self.plan.explain())
    }

    /// The plan as a frame, one row per period of the window and arm.
    ///
    /// Parameters
    /// ----------
    /// backend : {"pandas", "polars", "pyarrow"}, optional
    ///     The kind of frame; the first of these that is installed by default.
    ///
    /// Returns
    /// -------
    /// pandas.DataFrame, polars.DataFrame or pyarrow.Table
    ///     Columns `period` and `arm` (from 0), `name` (where the arms have names), `spend`, `adstocked`, `response`.
    #[pyo3(signature = (backend=None))]
    fn to_frame<'py>(slf: &Bound<'py, Self>, backend: Option<&str>) -> PyResult<Bound<'py, PyAny>> {
        python::function(slf.py(), "adflow._frame", "schedule_frame")?.call1((slf, backend))
    }

    /// The plan as plain Python data: the document that `to_json` writes.
    fn to_dict<'py>(&self, py: Python<'py>) -> Result<Bound<'py, PyAny>> {
        let json: serde_json::Value =
            serde_json::from_str(&self.plan.to_json()).map_err(|error| malformed("plan", error))?;
        Ok(python::value(py, &json)?)
    }

    /// The plan as JSON, with its proof; null where a number is infinite.
    fn to_json(&self) -> String {
        self.plan.to_json()
    }

    fn __repr__<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        python::function(slf.py(), "adflow._display", "schedule_text")?.call1((slf,))
    }

    fn _repr_html_<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        python::function(slf.py(), "adflow._display", "schedule_html")?.call1((slf,))
    }
}
