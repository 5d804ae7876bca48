//! Rust values as Python's.

use adflow_core::Binding;
use numpy::{PyArray1, PyArray2, PyArrayDyn, PyArrayMethods};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyDict, PyList};
use serde_json::Value;

/// A NumPy array made when it is first asked for; read-only, because the plan behind it does not change.
pub(crate) struct Lazy(PyOnceLock<Py<PyArray1<f64>>>);

impl Default for Lazy {
    fn default() -> Self {
        Self(PyOnceLock::new())
    }
}

impl Lazy {
    pub(crate) fn get<'py>(&self, py: Python<'py>, values: &[f64]) -> Bound<'py, PyArray1<f64>> {
        let array = self.0.get_or_init(py, || {
            let array = PyArray1::from_slice(py, values);
            array.readwrite().make_nonwriteable();
            array.unbind()
        });
        array.bind(py).clone()
    }
}

/// The same for rows of numbers.
pub(crate) struct LazyRows(PyOnceLock<Py<PyArray2<f64>>>);

impl Default for LazyRows {
    fn default() -> Self {
        Self(PyOnceLock::new())
    }
}

impl LazyRows {
    pub(crate) fn get<'py>(
        &self,
        py: Python<'py>,
        values: &[f64],
        columns: usize,
    ) -> PyResult<Bound<'py, PyArray2<f64>>> {
        let array = self.0.get_or_try_init(py, || {
            let flat = PyArray1::from_slice(py, values);
            flat.readwrite().make_nonwriteable();
            let rows = values.len().checked_div(columns).unwrap_or(0);
            Ok::<_, PyErr>(flat.reshape([rows, columns])?.unbind())
        })?;
        Ok(array.bind(py).clone())
    }
}

/// Limits with their prices, as dicts.
pub(crate) fn bindings<'py>(py: Python<'py>, limits: &[Binding]) -> PyResult<Vec<Bound<'py, PyDict>>> {
    let entry = |limit: &Binding| {
        let dict = PyDict::new(py);
        dict.set_item("limit", limit.limit)?;
        dict.set_item("arm", limit.arm)?;
        dict.set_item("name", limit.name.as_deref())?;
        dict.set_item("bound", limit.bound)?;
        dict.set_item("price", limit.price)?;
        Ok(dict)
    };
    limits.iter().map(entry).collect()
}

/// JSON as dicts and lists.
pub(crate) fn value<'py>(py: Python<'py>, json: &Value) -> PyResult<Bound<'py, PyAny>> {
    Ok(match json {
        Value::Null => py.None().into_bound(py),
        Value::Bool(truth) => truth.into_pyobject(py)?.to_owned().into_any(),
        Value::Number(number) => match (number.as_u64(), number.as_i64()) {
            (Some(whole), _) => whole.into_pyobject(py)?.into_any(),
            (None, Some(whole)) => whole.into_pyobject(py)?.into_any(),
            (None, None) => number.as_f64().into_pyobject(py)?,
        },
        Value::String(text) => text.into_pyobject(py)?.into_any(),
        Value::Array(items) => {
            let items = items.iter().map(|item| value(py, item)).collect::<PyResult<Vec<_>>>()?;
            PyList::new(py, items)?.into_any()
        }
        Value::Object(entries) => {
            let dict = PyDict::new(py);
            for (key, entry) in entries {
                dict.set_item(key, value(py, entry)?)?;
            }
            dict.into_any()
        }
    })
}

/// Names as a list of strings, or None.
pub(crate) fn names(names: Option<&[String]>) -> Option<Vec<&str>> {
    names.map(|names| names.iter().map(String::as_str).collect())
}

/// A function of one of the package's own modules.
pub(crate) fn function<'py>(py: Python<'py>, module: &str, name: &str) -> PyResult<Bound<'py, PyAny>> {
    py.import(module)?.getattr(name)
}

/// Numbers by group, in this shape; without the groups' dimension where there is one group.
pub(crate) fn panel<'py>(
    py: Python<'py>,
    values: &[f64],
    shape: &[usize],
) -> PyResult<Bound<'py, PyArrayDyn<f64>>> {
    let shape = if shape[0] == 1 { &shape[1..] } else { shape };
    PyArray1::from_slice(py, values).reshape(shape.to_vec())
}

/// The same for draws: the first dimension stays.
pub(crate) fn draws<'py>(
    py: Python<'py>,
    values: &[f64],
    draws: usize,
    shape: &[usize],
) -> PyResult<Bound<'py, PyArrayDyn<f64>>> {
    let shape = if shape[0] == 1 { &shape[1..] } else { shape };
    let shape: Vec<usize> = std::iter::once(draws).chain(shape.iter().copied()).collect();
    PyArray1::from_slice(py, values).reshape(shape)
}
