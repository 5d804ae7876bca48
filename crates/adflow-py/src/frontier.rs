//! The best plan as a function of the budget.

use adflow_core as core;
use numpy::{PyArray1, PyArray2};
use pyo3::prelude::*;
use pyo3::types::PyDict;
use serde_json::{Value, json};

use crate::curves::ResponseCurves;
use crate::python::{self, Lazy, LazyRows};

/// The best plans of one problem under many budgets, in the order in which the budgets were given.
///
/// Every row is a plan with an upper bound of its own: `gap = (upper_bound − objective_value)/|upper_bound|`. Arrays are
/// read-only.
#[pyclass(frozen, module = "adflow")]
pub(crate) struct Frontier {
    frontier: core::Frontier,
    curves: core::ResponseCurves,
    budgets: Lazy,
    spend: LazyRows,
    response: LazyRows,
    total_spend: Lazy,
    total_response: Lazy,
    objective_value: Lazy,
    upper_bound: Lazy,
    gap: Lazy,
    shadow_price: Lazy,
}

impl Frontier {
    pub(crate) fn new(frontier: core::Frontier, curves: core::ResponseCurves) -> Self {
        Self {
            frontier,
            curves,
            budgets: Lazy::default(),
            spend: LazyRows::default(),
            response: LazyRows::default(),
            total_spend: Lazy::default(),
            total_response: Lazy::default(),
            objective_value: Lazy::default(),
            upper_bound: Lazy::default(),
            gap: Lazy::default(),
            shadow_price: Lazy::default(),
        }
    }

    fn document(&self) -> Value {
        let frontier = &self.frontier;
        let rows = |values: &[f64]| json!(values.chunks(self.curves.len().max(1)).collect::<Vec<_>>());
        json!({
            "version": 1,
            "names": self.curves.names(),
            "budgets": frontier.budgets,
            "status": frontier.status,
            "spend": rows(&frontier.spend),
            "response": rows(&frontier.response),
            "total_spend": frontier.total_spend,
            "total_response": frontier.total_response,
            "objective_value": frontier.objective_value,
            "upper_bound": frontier.upper_bound,
            "gap": frontier.gap,
            "shadow_price": frontier.shadow_price,
            "changes": frontier.changes,
            "iterations": frontier.iterations,
            "elapsed": frontier.elapsed.as_secs_f64(),
        })
    }
}

#[pymethods]
impl Frontier {
    /// The budgets, (k,).
    #[getter]
    fn budgets<'py>(&self, py: Python<'py>) -> Bound<'py, PyArray1<f64>> {
        self.budgets.get(py, &self.frontier.budgets)
    }

    /// Spend per budget and arm, (k, n).
    #[getter]
    fn spend<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyArray2<f64>>> {
        self.spend.get(py, &self.frontier.spend, self.curves.len())
    }

    /// Response per budget and arm, (k, n).
    #[getter]
    fn response<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyArray2<f64>>> {
        self.response.get(py, &self.frontier.response, self.curves.len())
    }

    /// Σ spend per budget, (k,).
    #[getter]
    fn total_spend<'py>(&self, py: Python<'py>) -> Bound<'py, PyArray1<f64>> {
        self.total_spend.get(py, &self.frontier.total_spend)
    }

    /// Σ response per budget, (k,).
    #[getter]
    fn total_response<'py>(&self, py: Python<'py>) -> Bound<'py, PyArray1<f64>> {
        self.total_response.get(py, &self.frontier.total_response)
    }

    /// What was maximised, per budget, (k,).
    #[getter]
    fn objective_value<'py>(&self, py: Python<'py>) -> Bound<'py, PyArray1<f64>> {
        self.objective_value.get(py, &self.frontier.objective_value)
    }

    /// What no plan can exceed, per budget, (k,).
    #[getter]
    fn upper_bound<'py>(&self, py: Python<'py>) -> Bound<'py, PyArray1<f64>> {
        self.upper_bound.get(py, &self.frontier.upper_bound)
    }

    /// (upper_bound − objective_value)/|upper_bound| per budget, (k,).
    #[getter]
    fn gap<'py>(&self, py: Python<'py>) -> Bound<'py, PyArray1<f64>> {
        self.gap.get(py, &self.frontier.gap)
    }

    /// What one more unit of budget is worth, per budget, (k,).
    #[getter]
    fn shadow_price<'py>(&self, py: Python<'py>) -> Bound<'py, PyArray1<f64>> {
        self.shadow_price.get(py, &self.frontier.shadow_price)
    }

    /// "optimal" or "feasible", per budget.
    #[getter]
    fn status(&self) -> Vec<&'static str> {
        self.frontier.status.iter().map(|status| status.as_str()).collect()
    }

    /// Where arms start and stop to spend, and to be held back, by rising budget.
    ///
    /// Each is a dict: `arm`, `name`, `change` ("enters": the arm rises from its lower bound, "leaves": it falls back to
    /// it, "saturates": it reaches its upper bound, "frees": it falls below it again), `budget` at which it happens,
    /// `between` (the budgets given on both sides) and `exact` (else `budget` is interpolated between them).
    #[getter]
    fn changes<'py>(&self, py: Python<'py>) -> PyResult<Vec<Bound<'py, PyDict>>> {
        let entry = |change: &core::FrontierChange| {
            let dict = PyDict::new(py);
            dict.set_item("arm", change.arm)?;
            dict.set_item("name", change.name.as_deref())?;
            dict.set_item("change", change.change)?;
            dict.set_item("budget", change.budget)?;
            dict.set_item("between", change.between)?;
            dict.set_item("exact", change.exact)?;
            Ok(dict)
        };
        self.frontier.changes.iter().map(entry).collect()
    }

    /// Passes over the arms and nodes of searches together.
    #[getter]
    fn iterations(&self) -> usize {
        self.frontier.iterations
    }

    /// Seconds that all budgets together took.
    #[getter]
    fn elapsed(&self) -> f64 {
        self.frontier.elapsed.as_secs_f64()
    }

    /// Names of the arms, or None.
    #[getter]
    fn names(&self) -> Option<Vec<&str>> {
        python::names(self.curves.names())
    }

    /// The curves of the problem.
    #[getter]
    fn curves(&self) -> ResponseCurves {
        ResponseCurves(self.curves.clone())
    }

    /// The frontier as a frame, one row per budget.
    ///
    /// Parameters
    /// ----------
    /// backend : {"pandas", "polars", "pyarrow"}, optional
    ///     The kind of frame; the first of these that is installed by default.
    ///
    /// Returns
    /// -------
    /// pandas.DataFrame, polars.DataFrame or pyarrow.Table
    ///     Columns `budget`, `total_spend`, `total_response`, `objective_value`, `upper_bound`, `gap`, `shadow_price`,
    ///     `status`, then `spend_…` and `response_…` of every arm, by its name or index.
    #[pyo3(signature = (backend=None))]
    fn to_frame<'py>(slf: &Bound<'py, Self>, backend: Option<&str>) -> PyResult<Bound<'py, PyAny>> {
        python::function(slf.py(), "adflow._frame", "frontier_frame")?.call1((slf, backend))
    }

    /// The frontier as plain Python data; None where a number is infinite.
    fn to_dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        python::value(py, &self.document())
    }

    /// The same as JSON; null where a number is infinite.
    fn to_json(&self) -> String {
        self.document().to_string()
    }

    /// Draws the response and every arm's spend over the budgets, with what one more unit of budget is worth; needs
    /// Matplotlib.
    ///
    /// Parameters
    /// ----------
    /// arms : list of int or str, optional
    ///     Which arms, by index or name; by default the 8 that spend most. The others are drawn as one.
    ///
    /// Returns
    /// -------
    /// matplotlib.figure.Figure
    #[pyo3(signature = (arms=None))]
    fn plot<'py>(slf: &Bound<'py, Self>, arms: Option<&Bound<'py, PyAny>>) -> PyResult<Bound<'py, PyAny>> {
        python::function(slf.py(), "adflow._plot", "plot_frontier")?.call1((slf, arms))
    }

    /// Number of budgets.
    fn __len__(&self) -> usize {
        self.frontier.budgets.len()
    }

    fn __repr__<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        python::function(slf.py(), "adflow._display", "frontier_text")?.call1((slf,))
    }

    fn _repr_html_<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        python::function(slf.py(), "adflow._display", "frontier_html")?.call1((slf,))
    }
}
