//! The answers to many problems, as columns.

use adflow_core::{self as core, Status};
use numpy::PyArray1;
use pyo3::prelude::*;

use crate::python::Lazy;

/// The plans of many problems, as columns over all arms and over problems.
#[pyclass(frozen, module = "adflow")]
pub(crate) struct Batch {
    batch: core::Batch,
    spend: Lazy,
    response: Lazy,
    marginal_response: Lazy,
    objective_value: Lazy,
    upper_bound: Lazy,
    gap: Lazy,
    shadow_price: Lazy,
}

impl Batch {
    pub(crate) fn new(batch: core::Batch) -> Self {
        Self {
            batch,
            spend: Lazy::default(),
            response: Lazy::default(),
            marginal_response: Lazy::default(),
            objective_value: Lazy::default(),
            upper_bound: Lazy::default(),
            gap: Lazy::default(),
            shadow_price: Lazy::default(),
        }
    }
}

#[pymethods]
impl Batch {
    /// Spend per arm, (n,).
    #[getter]
    fn spend<'py>(&self, py: Python<'py>) -> Bound<'py, PyArray1<f64>> {
        self.spend.get(py, &self.batch.spend)
    }

    /// Response per arm, (n,).
    #[getter]
    fn response<'py>(&self, py: Python<'py>) -> Bound<'py, PyArray1<f64>> {
        self.response.get(py, &self.batch.response)
    }

    /// Derivative of each arm's curve at its spend, (n,).
    #[getter]
    fn marginal_response<'py>(&self, py: Python<'py>) -> Bound<'py, PyArray1<f64>> {
        self.marginal_response.get(py, &self.batch.marginal_response)
    }

    /// Σ value · response per problem, (k,).
    #[getter]
    fn objective_value<'py>(&self, py: Python<'py>) -> Bound<'py, PyArray1<f64>> {
        self.objective_value.get(py, &self.batch.objective_value)
    }

    /// What no plan can exceed, per problem, (k,).
    #[getter]
    fn upper_bound<'py>(&self, py: Python<'py>) -> Bound<'py, PyArray1<f64>> {
        self.upper_bound.get(py, &self.batch.upper_bound)
    }

    /// (upper_bound − objective_value)/|upper_bound| per problem, (k,).
    #[getter]
    fn gap<'py>(&self, py: Python<'py>) -> Bound<'py, PyArray1<f64>> {
        self.gap.get(py, &self.batch.gap)
    }

    /// What one more unit of budget is worth, per problem, (k,).
    #[getter]
    fn shadow_price<'py>(&self, py: Python<'py>) -> Bound<'py, PyArray1<f64>> {
        self.shadow_price.get(py, &self.batch.shadow_price)
    }

    /// "optimal" or "feasible" per problem, (k,) array of str.
    #[getter]
    fn status<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let optimal = self.batch.status.iter().map(|&status| status == Status::Optimal);
        let optimal = PyArray1::from_iter(py, optimal);
        let (yes, no) = (Status::Optimal.as_str(), Status::Feasible.as_str());
        py.import("numpy")?.call_method1("where", (optimal, yes, no))
    }

    /// Number of problems.
    fn __len__(&self) -> usize {
        self.batch.status.len()
    }

    fn __repr__(&self) -> String {
        let optimal = self.batch.status.iter().filter(|&&status| status == Status::Optimal).count();
        format!(
            "Batch({} problems, {} arms, {optimal} optimal)",
            self.batch.status.len(),
            self.batch.spend.len()
        )
    }
}
