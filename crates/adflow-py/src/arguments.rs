//! Python values into numbers: floats and contiguous float64 arrays at once, everything else through NumPy.

use adflow_core::{Error as CoreError, Parameter, PerArm, PerCell, PerPeriod};
use numpy::{PyArrayDyn, PyArrayMethods, PyReadonlyArrayDyn, PyUntypedArrayMethods};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyFloat, PyInt, PyList, PyString, PyTuple};

use crate::error::{Error, Result, malformed, out_of_domain};

/// An argument that may be absent.
pub(crate) type Given<'py> = Option<Bound<'py, PyAny>>;

/// Numbers with their shape, row-major.
pub(crate) struct Numbers {
    pub(crate) shape: Vec<usize>,
    pub(crate) values: Vec<f64>,
}

impl Numbers {
    /// Any array-like.
    pub(crate) fn of(name: &str, value: &Bound<'_, PyAny>) -> Result<Self> {
        if let Some(number) = plain(value) {
            return Ok(Self { shape: Vec::new(), values: vec![number] });
        }
        let array = array(name, value)?;
        let values = match array.as_array().as_slice() {
            Some(slice) => slice.to_vec(),
            None => array.as_array().iter().copied().collect(),
        };
        Ok(Self { shape: array.shape().to_vec(), values })
    }

    /// The rows of a matrix.
    fn split(&self, name: &str) -> Result<Vec<Vec<f64>>> {
        match self.shape.last() {
            Some(&width) if width > 0 => Ok(self.values.chunks(width).map(<[f64]>::to_vec).collect()),
            _ => Err(CoreError::Empty { field: name.into() }.into()),
        }
    }

    pub(crate) fn refuse(&self, name: &str, expected: &str) -> Error {
        let sizes: Vec<String> = self.shape.iter().map(ToString::to_string).collect();
        out_of_domain(name, expected, format!("shape ({})", sizes.join(", ")))
    }
}

/// A Python float or int, without a detour; not an int too large for a float.
fn plain(value: &Bound<'_, PyAny>) -> Option<f64> {
    let number = value.is_instance_of::<PyFloat>() || value.is_instance_of::<PyInt>();
    number.then(|| value.extract().ok()).flatten()
}

fn array<'py>(name: &str, value: &Bound<'py, PyAny>) -> Result<PyReadonlyArrayDyn<'py, f64>> {
    static ASARRAY: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    let readonly = |array: &Bound<'py, PyArrayDyn<f64>>| {
        array.try_readonly().map_err(|_| malformed(name, "is being written to elsewhere"))
    };
    if let Ok(array) = value.cast::<PyArrayDyn<f64>>() {
        return readonly(array);
    }
    let py = value.py();
    let asarray = ASARRAY.import(py, "numpy", "asarray")?;
    let converted = asarray.call1((value, numpy::dtype::<f64>(py))).map_err(|error| {
        use pyo3::exceptions::{PyOverflowError, PyTypeError, PyValueError};
        let wrong = error.is_instance_of::<PyTypeError>(py)
            || error.is_instance_of::<PyValueError>(py)
            || error.is_instance_of::<PyOverflowError>(py);
        if wrong { malformed(name, format!("not numbers ({})", error.value(py))) } else { Error::from(error) }
    })?;
    readonly(converted.cast::<PyArrayDyn<f64>>().map_err(PyErr::from)?)
}

/// One number.
pub(crate) fn number(name: &str, value: &Bound<'_, PyAny>) -> Result<f64> {
    match plain(value) {
        Some(number) => Ok(number),
        None => value.extract().map_err(|_| malformed(name, format!("not a number: {}", shown(value)))),
    }
}

fn shown(value: &Bound<'_, PyAny>) -> String {
    value.repr().map_or_else(|_| "?".into(), |text| text.to_string_lossy().chars().take(60).collect())
}

/// One number, one per arm, draws × arms, or draws × terms × arms.
pub(crate) fn parameter(name: &str, value: &Bound<'_, PyAny>) -> Result<Parameter> {
    let numbers = Numbers::of(name, value)?;
    if numbers.values.is_empty() {
        return Err(CoreError::Empty { field: name.into() }.into());
    }
    match *numbers.shape {
        [] => Ok(numbers.values[0].into()),
        [_] => Ok(numbers.values.into()),
        [draws, arms] => Ok(Parameter::draws(draws, arms, numbers.values)?),
        [draws, terms, arms] => Ok(Parameter::terms(draws, terms, arms, numbers.values)?),
        _ => Err(numbers.refuse(name, "one number, (n,), (draws, n) or (draws, terms, n)")),
    }
}

/// A parameter that may be absent.
pub(crate) fn optional(name: &str, value: &Given<'_>) -> Result<Option<Parameter>> {
    value.as_ref().map(|value| parameter(name, value)).transpose()
}

/// One number, or several.
#[derive(Clone, PartialEq)]
pub(crate) enum OneOrEach {
    One(f64),
    Each(Vec<f64>),
}

impl From<OneOrEach> for PerArm {
    fn from(value: OneOrEach) -> Self {
        match value {
            OneOrEach::One(number) => number.into(),
            OneOrEach::Each(numbers) => numbers.into(),
        }
    }
}

impl From<OneOrEach> for PerPeriod {
    fn from(value: OneOrEach) -> Self {
        match value {
            OneOrEach::One(number) => number.into(),
            OneOrEach::Each(numbers) => numbers.into(),
        }
    }
}

/// One number, or one per `of`; `missing` stands for a `None` in a list.
pub(crate) fn one_or_each(
    name: &str,
    value: &Bound<'_, PyAny>,
    of: &str,
    missing: Option<f64>,
) -> Result<OneOrEach> {
    if let Some(number) = plain(value) {
        return Ok(OneOrEach::One(number));
    }
    if let Some(values) = missing.and_then(|missing| with_missing(name, value, missing)) {
        return Ok(OneOrEach::Each(values?));
    }
    let numbers = Numbers::of(name, value)?;
    match *numbers.shape {
        [] => Ok(OneOrEach::One(numbers.values[0])),
        [_] => Ok(OneOrEach::Each(numbers.values)),
        _ => Err(numbers.refuse(name, &format!("one number or one per {of}"))),
    }
}

/// One number, or one per arm; `missing` stands for a `None` in a list.
pub(crate) fn per_arm(name: &str, value: &Bound<'_, PyAny>, missing: Option<f64>) -> Result<PerArm> {
    Ok(one_or_each(name, value, "arm", missing)?.into())
}

/// One number, or one per period; `missing` stands for a `None` in a list.
pub(crate) fn per_period(name: &str, value: &Bound<'_, PyAny>, missing: f64) -> Result<PerPeriod> {
    Ok(one_or_each(name, value, "period", Some(missing))?.into())
}

/// One number, one per arm, or a row of arms per period; `missing` stands for a `None` in a list or in a list of rows.
pub(crate) fn per_cell(name: &str, value: &Bound<'_, PyAny>, missing: f64) -> Result<PerCell> {
    if let Some(number) = plain(value) {
        return Ok(number.into());
    }
    let rows = listed(value).unwrap_or_default();
    let holds_none =
        |row: &Bound<'_, PyAny>| listed(row).is_some_and(|row| row.iter().any(|item| item.is_none()));
    if rows.iter().any(holds_none) {
        let row = |(at, row): (usize, &Bound<'_, PyAny>)| {
            let name = format!("{name}[{at}]");
            with_missing(&name, row, missing).unwrap_or_else(|| column(&name, row))
        };
        return Ok(rows.iter().enumerate().map(row).collect::<Result<Vec<_>>>()?.into());
    }
    if let Some(values) = with_missing(name, value, missing) {
        return Ok(values?.into());
    }
    let numbers = Numbers::of(name, value)?;
    match *numbers.shape {
        [] => Ok(numbers.values[0].into()),
        [_] => Ok(numbers.values.into()),
        [_, _] => Ok(numbers.split(name)?.into()),
        _ => Err(numbers.refuse(name, "one number, (n,) or (periods, n)")),
    }
}

/// Rows of one number per arm.
pub(crate) fn rows_of_arms(name: &str, value: &Bound<'_, PyAny>) -> Result<Vec<Vec<f64>>> {
    let numbers = Numbers::of(name, value)?;
    match *numbers.shape {
        [_, _] => numbers.split(name),
        _ => Err(numbers.refuse(name, "rows of arms, (periods, n)")),
    }
}

/// The items of a list or tuple.
fn listed<'py>(value: &Bound<'py, PyAny>) -> Option<Vec<Bound<'py, PyAny>>> {
    if let Ok(list) = value.cast::<PyList>() {
        Some(list.iter().collect())
    } else {
        value.cast::<PyTuple>().ok().map(|tuple| tuple.iter().collect())
    }
}

/// The numbers of a list that holds a `None`; nothing for any other value.
fn with_missing(name: &str, value: &Bound<'_, PyAny>, missing: f64) -> Option<Result<Vec<f64>>> {
    let items = listed(value)?;
    items.iter().any(|item| item.is_none()).then(|| {
        let number = |(at, item): (usize, &Bound<'_, PyAny>)| {
            if item.is_none() { Ok(missing) } else { number(&format!("{name}[{at}]"), item) }
        };
        items.iter().enumerate().map(number).collect()
    })
}

/// One number per arm.
pub(crate) fn column(name: &str, value: &Bound<'_, PyAny>) -> Result<Vec<f64>> {
    let numbers = Numbers::of(name, value)?;
    match *numbers.shape {
        [_] => Ok(numbers.values),
        _ => Err(numbers.refuse(name, "a list of numbers")),
    }
}

/// Whole numbers from 0 on.
pub(crate) fn counts(name: &str, value: &Bound<'_, PyAny>) -> Result<Vec<usize>> {
    column(name, value)?
        .into_iter()
        .enumerate()
        .map(|(at, count)| {
            if count >= 0.0 && count.fract() == 0.0 && count < 9e15 {
                #[allow(
                    clippy::cast_possible_truncation,
                    clippy::cast_sign_loss,
                    reason = "a whole number in range, see above"
                )]
                Ok(count as usize)
            } else {
                Err(out_of_domain(&format!("{name}[{at}]"), "a whole number ≥ 0", count))
            }
        })
        .collect()
}

/// A whole number from 0 on, as a count or an index.
pub(crate) fn whole(name: &str, value: &Bound<'_, PyAny>) -> Result<usize> {
    value.extract().map_err(|_| malformed(name, "must be a whole number, 0 or more"))
}

/// A number of things, at least 1.
pub(crate) fn at_least_one(name: &str, value: i64) -> Result<usize> {
    usize::try_from(value)
        .ok()
        .filter(|&count| count > 0)
        .ok_or_else(|| out_of_domain(name, "at least 1", value))
}

/// A spend for every arm, in one row or several: one number counts for all arms.
pub(crate) fn rows_of(name: &str, value: &Bound<'_, PyAny>, arms: usize) -> Result<Numbers> {
    let mut numbers = Numbers::of(name, value)?;
    match *numbers.shape {
        [] => {
            numbers.values = vec![numbers.values[0]; arms];
            numbers.shape = vec![arms];
        }
        [.., width] if width == arms => {}
        [.., actual] => {
            return Err(CoreError::LengthMismatch { field: name.into(), expected: arms, actual }.into());
        }
    }
    Ok(numbers)
}

/// Rows of points that may differ in length.
pub(crate) fn rows(name: &str, value: &Bound<'_, PyAny>) -> Result<Vec<Vec<f64>>> {
    if let Ok(list) = value.cast::<PyList>()
        && !list.is_empty()
        && list.iter().all(|row| plain(&row).is_none())
    {
        return list.iter().enumerate().map(|(at, row)| column(&format!("{name}[{at}]"), &row)).collect();
    }
    let numbers = Numbers::of(name, value)?;
    match *numbers.shape {
        [_] => Ok(vec![numbers.values]),
        [_, 0] | [0, _] => Err(CoreError::Empty { field: name.into() }.into()),
        [_, points] => Ok(numbers.values.chunks(points).map(<[f64]>::to_vec).collect()),
        _ => Err(numbers.refuse(name, "rows of points")),
    }
}

/// Rows of points per draw, for an array of three dimensions; `None` for anything else.
pub(crate) fn draws_of_rows(name: &str, value: &Bound<'_, PyAny>) -> Result<Option<Vec<Vec<Vec<f64>>>>> {
    let three = value.getattr("ndim").and_then(|ndim| ndim.extract::<usize>()).is_ok_and(|ndim| ndim == 3);
    if !three {
        return Ok(None);
    }
    let numbers = Numbers::of(name, value)?;
    match *numbers.shape {
        [_, arms, points] if !numbers.values.is_empty() => {
            let draw = |values: &[f64]| values.chunks(points).map(<[f64]>::to_vec).collect();
            Ok(Some(numbers.values.chunks(arms * points).map(draw).collect()))
        }
        _ => Err(CoreError::Empty { field: name.into() }.into()),
    }
}

/// Any iterable of strings.
pub(crate) fn names(name: &str, value: &Bound<'_, PyAny>) -> Result<Vec<String>> {
    if value.is_instance_of::<PyString>() {
        return Err(malformed(name, "a list of names is wanted, not one string"));
    }
    let items = value.try_iter().map_err(|_| malformed(name, "a list of names is wanted"))?;
    items
        .enumerate()
        .map(|(at, item)| {
            let item = item?;
            let text = item.cast::<PyString>();
            let text = text.map_err(|_| {
                malformed(&format!("{name}[{at}]"), format!("not a string: {}", shown(&item)))
            })?;
            Ok(text.to_cow()?.into_owned())
        })
        .collect()
}
