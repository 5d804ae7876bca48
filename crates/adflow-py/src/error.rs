//! The one place where Rust errors become Python exceptions.

use adflow_core::Infeasibility;
use pyo3::import_exception;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList};

import_exception!(adflow._errors, InfeasibleError);
import_exception!(adflow._errors, InvalidInputError);

/// What a binding function can fail with; `?` lifts both kinds into it.
pub(crate) enum Error {
    Core(adflow_core::Error),
    Python(PyErr),
}

pub(crate) type Result<T> = std::result::Result<T, Error>;

impl From<adflow_core::Error> for Error {
    fn from(error: adflow_core::Error) -> Self {
        Self::Core(error)
    }
}

impl From<PyErr> for Error {
    fn from(error: PyErr) -> Self {
        Self::Python(error)
    }
}

impl From<Error> for PyErr {
    fn from(error: Error) -> Self {
        match error {
            Error::Python(error) => error,
            Error::Core(error) => {
                let (message, code) = (error.to_string(), error.code());
                match error.infeasibility() {
                    None => InvalidInputError::new_err((message, code)),
                    Some(details) => Python::attach(|py| match conflict(py, details) {
                        Err(error) => error,
                        Ok(conflict) => InfeasibleError::new_err((
                            message,
                            code,
                            conflict.unbind(),
                            details.feasible_budget,
                            details.nearest,
                            details.feasible_target,
                        )),
                    }),
                }
            }
        }
    }
}

fn conflict<'py>(py: Python<'py>, details: &Infeasibility) -> PyResult<Bound<'py, PyList>> {
    let list = PyList::empty(py);
    for limit in &details.conflict {
        let entry = PyDict::new(py);
        entry.set_item("limit", limit.limit)?;
        entry.set_item("arm", limit.arm)?;
        entry.set_item("name", limit.name.as_deref())?;
        entry.set_item("bound", limit.bound)?;
        list.append(entry)?;
    }
    Ok(list)
}

/// A value of the right type outside its domain.
pub(crate) fn out_of_domain(field: &str, expected: impl Into<String>, value: impl ToString) -> Error {
    let (field, expected, value) = (field.to_string(), expected.into(), value.to_string());
    Error::Core(adflow_core::Error::OutOfDomain { field, expected, value })
}

/// A value that is not of the kind wanted at all.
pub(crate) fn malformed(field: &str, reason: impl ToString) -> Error {
    let (path, reason) = (field.to_string(), reason.to_string());
    Error::Core(adflow_core::Error::Malformed { path, reason })
}
