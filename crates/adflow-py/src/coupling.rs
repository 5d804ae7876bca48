//! Limits on weighted sums of spends.

use adflow_core::{self as core, Error as CoreError};
use numpy::PyArray1;
use pyo3::prelude::*;

use crate::arguments::{Given, Numbers, column, counts, names};
use crate::error::{Result, out_of_domain};
use crate::python::{self, Lazy};

/// Rows `matrix @ spend ≤ upper`: grids of platforms and places, ratios between arms, "video at least half of search".
///
/// Parameters
/// ----------
/// matrix : (m, n) array-like or SciPy sparse matrix
///     A row per limit, a column per arm, coefficients of any sign.
/// upper : float or (m,) array-like
///     The most that each weighted sum may be; for "at least" turn the signs of the row and of its bound.
/// names : list of str, optional
///     What plans and errors call the rows.
///
/// Examples
/// --------
/// >>> import adflow
/// >>> adflow.Coupling([[0.5, -1.0, 0.0]], 0.0, names=["video at least half of search"])
/// Coupling(1 row over 3 arms: video at least half of search)
#[pyclass(frozen, eq, module = "adflow")]
pub(crate) struct Coupling {
    arms: usize,
    rows: Vec<Row>,
    upper: Vec<f64>,
    names: Option<Vec<String>>,
    upper_array: Lazy,
}

/// Arms with their coefficients.
type Row = Vec<(usize, f64)>;

impl PartialEq for Coupling {
    fn eq(&self, other: &Self) -> bool {
        (self.arms, &self.rows, &self.upper, &self.names)
            == (other.arms, &other.rows, &other.upper, &other.names)
    }
}

#[pymethods]
impl Coupling {
    #[new]
    #[pyo3(signature = (matrix, upper, names=None))]
    fn new(matrix: &Bound<'_, PyAny>, upper: &Bound<'_, PyAny>, names: Given<'_>) -> Result<Self> {
        let (rows, arms) = if matrix.hasattr("tocsr")? { sparse(matrix)? } else { dense(matrix)? };
        let upper = Numbers::of("upper", upper)?;
        let upper = match *upper.shape {
            [] => vec![upper.values[0]; rows.len()],
            [_] => upper.values,
            _ => return Err(upper.refuse("upper", "one number or one per row")),
        };
        let names = names.map(|given| self::names("names", &given)).transpose()?;
        Self::of(arms, rows, upper, names)
    }

    /// Numbers of rows and of arms.
    #[getter]
    fn shape(&self) -> (usize, usize) {
        (self.rows.len(), self.arms)
    }

    /// The most that each weighted sum may be, (m,).
    #[getter]
    fn upper<'py>(&self, py: Python<'py>) -> Bound<'py, PyArray1<f64>> {
        self.upper_array.get(py, &self.upper)
    }

    /// Names of the rows, or None.
    #[getter]
    fn names(&self) -> Option<Vec<&str>> {
        python::names(self.names.as_deref())
    }

    fn __repr__(&self) -> String {
        let count =
            |number: usize, what: &str| format!("{number} {what}{}", if number == 1 { "" } else { "s" });
        let (rows, arms) = (count(self.rows.len(), "row"), count(self.arms, "arm"));
        let names = self.names.as_ref().map_or(String::new(), |names| format!(": {}", names.join(", ")));
        format!("Coupling({rows} over {arms}{names})")
    }

    /// What `pickle` calls.
    #[staticmethod]
    fn _from_rows(arms: usize, rows: Vec<Row>, upper: Vec<f64>, names: Option<Vec<String>>) -> Result<Self> {
        Self::of(arms, rows, upper, names)
    }

    #[allow(clippy::type_complexity, reason = "the arguments of `_from_rows`")]
    fn __reduce__<'py>(
        &self,
        py: Python<'py>,
    ) -> PyResult<(Bound<'py, PyAny>, (usize, Vec<Row>, Vec<f64>, Option<Vec<String>>))> {
        let parts = (self.arms, self.rows.clone(), self.upper.clone(), self.names.clone());
        Ok((py.get_type::<Self>().getattr("_from_rows")?, parts))
    }
}

impl Coupling {
    fn of(arms: usize, rows: Vec<Row>, upper: Vec<f64>, names: Option<Vec<String>>) -> Result<Self> {
        let length = |field: &str, actual: usize| match actual == rows.len() {
            true => Ok(()),
            false => Err(CoreError::LengthMismatch { field: field.into(), expected: rows.len(), actual }),
        };
        length("upper", upper.len())?;
        length("names", names.as_ref().map_or(rows.len(), Vec::len))?;
        if let Some(&(arm, _)) = rows.iter().flatten().find(|&&(arm, _)| arm >= arms) {
            return Err(out_of_domain("matrix", format!("coefficients of arms below {arms}"), arm));
        }
        let rows = rows.into_iter().map(tidy).collect();
        Ok(Self { arms, rows, upper, names, upper_array: Lazy::default() })
    }

    /// The rows for a problem over so many arms.
    pub(crate) fn to_core(&self, arms: usize) -> Result<core::Coupling> {
        if arms != self.arms {
            let field = "coupling.matrix".into();
            return Err(CoreError::LengthMismatch { field, expected: arms, actual: self.arms }.into());
        }
        let ends = self.rows.iter().scan(0, |end, row| {
            *end += row.len();
            Some(*end)
        });
        let ends: Vec<usize> = std::iter::once(0).chain(ends).collect();
        let (indices, coefficients): (Vec<usize>, Vec<f64>) = self.rows.iter().flatten().copied().unzip();
        Ok(core::Coupling::sparse(&ends, &indices, &coefficients, &self.upper, self.names.clone())?)
    }
}

/// Each arm once, in order, without zeros: the same row however it was written.
fn tidy(mut row: Row) -> Row {
    row.sort_by_key(|&(arm, _)| arm);
    row.dedup_by(|(arm, more), (kept, coefficient)| {
        let same = arm == kept;
        if same {
            *coefficient += *more;
        }
        same
    });
    row.retain(|&(_, coefficient)| coefficient.is_nan() || coefficient.abs() > 0.0);
    row
}

fn dense(value: &Bound<'_, PyAny>) -> Result<(Vec<Row>, usize)> {
    let numbers = Numbers::of("matrix", value)?;
    let [rows, arms] = *numbers.shape else {
        return Err(numbers.refuse("matrix", "rows over arms, (m, n)"));
    };
    let row = |row: usize| numbers.values[row * arms..(row + 1) * arms].iter().copied().enumerate();
    // A row of zeros still says something: 0 ≤ upper.
    let nonzero = |&(_, coefficient): &(usize, f64)| coefficient.is_nan() || coefficient.abs() > 0.0;
    Ok(((0..rows).map(|at| row(at).filter(nonzero).collect()).collect(), arms))
}

/// Anything that turns into compressed rows as SciPy's matrices do.
fn sparse(value: &Bound<'_, PyAny>) -> Result<(Vec<Row>, usize)> {
    let matrix = value.call_method0("tocsr")?;
    let shape = matrix.getattr("shape")?;
    let Ok((rows, arms)) = shape.extract::<(usize, usize)>() else {
        return Err(out_of_domain("matrix", "rows over arms, (m, n)", format!("shape {shape}")));
    };
    let part = |name: &str| matrix.getattr(name);
    let ends = counts("matrix.indptr", &part("indptr")?)?;
    let indices = counts("matrix.indices", &part("indices")?)?;
    let coefficients = column("matrix.data", &part("data")?)?;
    let length = |field: &str, expected: usize, actual: usize| match expected == actual {
        true => Ok(()),
        false => Err(CoreError::LengthMismatch { field: field.into(), expected, actual }),
    };
    length("matrix.indptr", rows + 1, ends.len())?;
    length("matrix.data", indices.len(), coefficients.len())?;
    let row = |ends: &[usize]| {
        let range = ends[0]..ends[1];
        let wrong = || out_of_domain("matrix.indptr", format!("rising to {}", indices.len()), ends[1]);
        let arms = indices.get(range.clone()).ok_or_else(wrong)?;
        Ok(arms.iter().copied().zip(coefficients[range].iter().copied()).collect())
    };
    Ok((ends.windows(2).map(row).collect::<Result<_>>()?, arms))
}
