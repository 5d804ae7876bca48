//! The plan, and what it says about itself.

use adflow_core as core;
use numpy::PyArray1;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::PyDict;

use crate::arguments::at_least_one;
use crate::curves::ResponseCurves;
use crate::error::{Result, malformed};
use crate::interrupt::{self, Progress};
use crate::outcome::{Outcome, Uncertainty};
use crate::python::{self, Lazy};

/// A plan and the proof of how good it is.
///
/// No plan within the limits has an objective value above `upper_bound`, and
/// `gap = (upper_bound − objective_value)/|upper_bound|` says how much, at most, is left on the table. Arrays are
/// read-only and ordered by arm.
#[pyclass(frozen, module = "adflow")]
pub(crate) struct Plan {
    plan: core::Plan,
    current: Option<Vec<f64>>,
    spend: Lazy,
    response: Lazy,
    marginal_response: Lazy,
    current_array: Lazy,
    outcome: PyOnceLock<Option<Py<Outcome>>>,
}

impl Plan {
    pub(crate) fn new(plan: core::Plan, current: Option<Vec<f64>>) -> Self {
        Self {
            plan,
            current,
            spend: Lazy::default(),
            response: Lazy::default(),
            marginal_response: Lazy::default(),
            current_array: Lazy::default(),
            outcome: PyOnceLock::new(),
        }
    }
}

#[pymethods]
impl Plan {
    /// Spend per arm, (n,).
    #[getter]
    fn spend<'py>(&self, py: Python<'py>) -> Bound<'py, PyArray1<f64>> {
        self.spend.get(py, &self.plan.spend)
    }

    /// Response of each curve at its spend, (n,).
    #[getter]
    fn response<'py>(&self, py: Python<'py>) -> Bound<'py, PyArray1<f64>> {
        self.response.get(py, &self.plan.response)
    }

    /// Derivative of each curve at its spend, (n,); inf where it rises vertically.
    #[getter]
    fn marginal_response<'py>(&self, py: Python<'py>) -> Bound<'py, PyArray1<f64>> {
        self.marginal_response.get(py, &self.plan.marginal_response)
    }

    /// The current spends that were given, (n,), or None.
    #[getter]
    fn current<'py>(&self, py: Python<'py>) -> Option<Bound<'py, PyArray1<f64>>> {
        self.current.as_ref().map(|current| self.current_array.get(py, current))
    }

    /// Σ spend.
    #[getter]
    fn total_spend(&self) -> f64 {
        self.plan.total_spend
    }

    /// Σ response.
    #[getter]
    fn total_response(&self) -> f64 {
        self.plan.total_response
    }

    /// What was maximised: Σ value · response, or what `objective` and `risk` made of it, less all costs.
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

    /// What one more unit of budget is worth.
    #[getter]
    fn shadow_price(&self) -> f64 {
        self.plan.shadow_price
    }

    /// "optimal": the gap is within the tolerance; "feasible": the search ended before.
    #[getter]
    fn status(&self) -> &'static str {
        self.plan.status.as_str()
    }

    /// With whole steps: what the best plan without them would have been worth more; None without steps.
    #[getter]
    fn rounding_loss(&self) -> Option<f64> {
        self.plan.rounding_loss
    }

    /// Passes over the arms and nodes of the search together.
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

    /// The curves of the problem, with the names of the plan.
    #[getter]
    fn curves(&self) -> ResponseCurves {
        ResponseCurves(self.plan.problem().curves().clone())
    }

    /// The limits that hold the plan back, with their prices: those over several arms first, then the arms in order.
    ///
    /// Each is a dict: `limit` ("budget", "lower", "upper", "group_upper", "coupling", "target", …: `LimitKind`),
    /// `arm` (index; None where the limit is not one arm's), `name` (of the arm, the group or the row), `bound`, and
    /// `price` (what relaxing the bound by one unit would bring).
    #[getter]
    fn binding<'py>(&self, py: Python<'py>) -> PyResult<Vec<Bound<'py, PyDict>>> {
        python::bindings(py, &self.plan.binding())
    }

    /// All limits on several arms, with their prices; empty for a problem with nothing but a budget.
    ///
    /// The budget, groups (each: lower, upper, least share, largest share), coupling rows, the target, most active and
    /// most moved arms, as dicts like those of `binding`. A price of 0 says that the limit does not hold the plan back.
    #[getter]
    fn limits<'py>(&self, py: Python<'py>) -> PyResult<Vec<Bound<'py, PyDict>>> {
        python::bindings(py, &self.plan.limits)
    }

    /// What the plan brings in every draw of the curves; None where the curves have no draws.
    #[getter]
    fn outcome(&self, py: Python<'_>) -> PyResult<Option<Py<Outcome>>> {
        let outcome = self.outcome.get_or_try_init(py, || {
            let outcome = py.detach(|| self.plan.outcome());
            outcome.map(|outcome| Py::new(py, Outcome::new(outcome))).transpose()
        })?;
        Ok(outcome.as_ref().map(|outcome| outcome.clone_ref(py)))
    }

    /// How much the plan hangs on what is not known: solves again for single draws of the curves.
    ///
    /// One plan per draw, and one per draw and uncertain arm. A plan for a measure of risk is held against plans
    /// without one. Runs on as many threads as the plan was asked for with.
    ///
    /// Parameters
    /// ----------
    /// draws : int
    ///     Most draws to use, evenly chosen among those of the curves.
    /// progress : callable or bool, optional
    ///     As for `allocate`.
    ///
    /// Returns
    /// -------
    /// Uncertainty
    ///     Shares over the draws, the regret, and what knowing the curves would be worth.
    ///
    /// Raises
    /// ------
    /// InvalidInputError
    ///     The curves have no draws, or the target is out of reach in all of them.
    #[pyo3(signature = (draws=100, *, progress=None))]
    fn uncertainty(
        &self,
        py: Python<'_>,
        draws: i64,
        progress: Option<&Bound<'_, PyAny>>,
    ) -> Result<Uncertainty> {
        let draws = at_least_one("draws", draws)?;
        let progress = Progress::read(progress, None)?;
        let solved = interrupt::here(py, &progress, |watch| self.plan.uncertainty_with(draws, watch))??;
        Ok(Uncertainty::new(solved, self.plan.names().map(<[String]>::to_vec)))
    }

    /// Recomputes the plan's claims from the problem and the plan alone.
    ///
    /// Returns
    /// -------
    /// Verification
    ///     `.ok`, and every check with its figures.
    fn verify(&self, py: Python<'_>) -> Verification {
        Verification(py.detach(|| self.plan.verify()))
    }

    /// Says what each arm gets and why: one record and one sentence per arm.
    ///
    /// Returns
    /// -------
    /// Explanation
    ///     `.summary` (sentences on the whole) and `.arms` (one dict per arm, with its `sentence`).
    fn explain(&self, py: Python<'_>) -> Explanation {
        Explanation(py.detach(|| self.plan.explain()))
    }

    /// The plan as a frame, one row per arm.
    ///
    /// Parameters
    /// ----------
    /// backend : {"pandas", "polars", "pyarrow"}, optional
    ///     The kind of frame; the first of these that is installed by default.
    ///
    /// Returns
    /// -------
    /// pandas.DataFrame, polars.DataFrame or pyarrow.Table
    ///     Columns `name` (where the arms have names), `current` (where given), `spend`, `response`,
    ///     `marginal_response`.
    #[pyo3(signature = (backend=None))]
    fn to_frame<'py>(slf: &Bound<'py, Self>, backend: Option<&str>) -> PyResult<Bound<'py, PyAny>> {
        python::function(slf.py(), "adflow._frame", "plan_frame")?.call1((slf, backend))
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

    /// Draws the spends before and after, and every arm's response curve with both; needs Matplotlib.
    ///
    /// Parameters
    /// ----------
    /// arms : list of int or str, optional
    ///     Which arms, by index or name; by default the 12 with the largest spend, today or as proposed. The sum of
    ///     the others stands below the bars.
    ///
    /// Returns
    /// -------
    /// matplotlib.figure.Figure
    #[pyo3(signature = (arms=None))]
    fn plot<'py>(slf: &Bound<'py, Self>, arms: Option<&Bound<'py, PyAny>>) -> PyResult<Bound<'py, PyAny>> {
        python::function(slf.py(), "adflow._plot", "plot_plan")?.call1((slf, arms))
    }

    fn __repr__<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        python::function(slf.py(), "adflow._display", "plan_text")?.call1((slf,))
    }

    fn _repr_html_<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        python::function(slf.py(), "adflow._display", "plan_html")?.call1((slf,))
    }
}

/// What a recomputation of a plan's claims found.
#[pyclass(frozen, module = "adflow")]
pub(crate) struct Verification(pub(crate) core::Verification);

#[pymethods]
impl Verification {
    /// Whether every check passed.
    #[getter]
    fn ok(&self) -> bool {
        self.0.ok
    }

    /// The checks: dicts with `name`, `ok` and `detail`.
    #[getter]
    fn checks<'py>(&self, py: Python<'py>) -> PyResult<Vec<Bound<'py, PyDict>>> {
        let entry = |check: &core::Check| {
            let dict = PyDict::new(py);
            dict.set_item("name", check.name)?;
            dict.set_item("ok", check.ok)?;
            dict.set_item("detail", &check.detail)?;
            Ok(dict)
        };
        self.0.checks.iter().map(entry).collect()
    }

    /// Objective value, recomputed.
    #[getter]
    fn objective_value(&self) -> f64 {
        self.0.objective_value
    }

    /// Upper bound, recomputed from the proof.
    #[getter]
    fn upper_bound(&self) -> f64 {
        self.0.upper_bound
    }

    /// Gap, recomputed.
    #[getter]
    fn gap(&self) -> f64 {
        self.0.gap
    }

    fn __repr__(&self) -> String {
        let mut text = format!("Verification: {}", if self.0.ok { "ok" } else { "FAILED" });
        for check in &self.0.checks {
            let mark = if check.ok { "ok" } else { "FAILED" };
            text.push_str(&format!("\n  {mark:6} {}: {}", check.name, check.detail));
        }
        text
    }
}

/// A plan in sentences, and the same in data.
#[pyclass(frozen, module = "adflow")]
pub(crate) struct Explanation(core::Explanation);

#[pymethods]
impl Explanation {
    /// Sentences on the whole plan.
    #[getter]
    fn summary(&self) -> Vec<&str> {
        self.0.summary.iter().map(String::as_str).collect()
    }

    /// One dict per arm: spend, response and returns before and after, what binds, why it gets neither more nor less,
    /// what its second-best spend would lose, and a sentence.
    #[getter]
    fn arms<'py>(&self, py: Python<'py>) -> Result<Bound<'py, PyAny>> {
        let json = serde_json::to_value(&self.0.arms).map_err(|error| malformed("arms", error))?;
        Ok(python::value(py, &json)?)
    }

    fn __repr__(&self) -> String {
        let arms = self.0.arms.iter().map(|arm| arm.sentence.as_str());
        let lines: Vec<&str> = self.0.summary.iter().map(String::as_str).chain(arms).collect();
        lines.join("\n")
    }
}
