//! What was spent, and what came of it.

use adflow_core as core;
use adflow_core::{Day, HistoryRows};
use numpy::{PyArray1, PyArrayDyn};
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::arguments::{Given, Numbers, at_least_one, column};
use crate::error::Result;
use crate::python;

/// The past of some channels: spends, an outcome, and what else moves it, by period and by group (a geo, a brand).
///
/// `ResponseModel.fit` makes one of its arguments; `Market.history` gives one. Rows may come in any order where they
/// have dates. Objects do not change.
///
/// Parameters
/// ----------
/// spend : (T, n) array-like, (groups, T, n) array-like, frame, or dict of columns
///     Spend per period and channel (money, ≥ 0). A frame (pandas, Polars, PyArrow) or dict may hold everything else too.
/// outcome : (T,) or (groups, T) array-like, or str
///     Outcome per row, or the column of the frame that holds it.
/// controls : frame, dict of columns, (T, k) array-like, or list of str, optional
///     What else moves the outcome (prices, weather); str stands for a column of the frame.
/// time : (T,) array-like or str, optional
///     First day of each row's period: datetime64, date, or text like 2026-11-23. Periods must be evenly spaced.
/// group : (T,) array-like or str, optional
///     Group of each row; labels of the groups where `spend` has three dimensions.
/// channels : list of str, optional
///     The columns of the frame that are media; all that are named nowhere else by default. Names of the columns of an
///     array.
/// exposures : frame or dict of columns, optional
///     Units of a channel (impressions, clicks, rating points) by its name: its curve is fitted on these, and priced at
///     spend over units.
/// holidays : as `controls`, optional
///     Events and promotions: 0 where they were not, 1 (or a share of the period) where they were.
/// population : (T,) array-like, str, or dict of group to number, optional
///     People in each row's group: spends compare per head then.
/// missing_outcomes : bool
///     Whether NaN stands for an outcome that was not observed; an error otherwise.
///
/// Raises
/// ------
/// InvalidInputError
///     Numbers that are NaN, infinite or negative, lengths that differ, dates that are missing or stand twice; the message
///     says which.
///
/// Examples
/// --------
/// >>> import adflow
/// >>> history = adflow.History(
/// ...     {"search": [3.0, 1.0, 2.0], "sales": [30.0, 10.0, 20.0], "week": ["2026-01-19", "2026-01-05", "2026-01-12"]},
/// ...     "sales", time="week")
/// >>> history.outcome.tolist(), str(history.time[0]), history.channels
/// ([10.0, 20.0, 30.0], '2026-01-05', ['search'])
#[pyclass(frozen, module = "adflow")]
pub(crate) struct History(pub(crate) core::History);

#[pymethods]
impl History {
    #[new]
    #[pyo3(signature = (spend, outcome, controls=None, time=None, group=None, *, channels=None, exposures=None, holidays=None, population=None, missing_outcomes=false))]
    #[allow(clippy::too_many_arguments, reason = "keyword arguments")]
    fn new(
        py: Python<'_>,
        spend: &Bound<'_, PyAny>,
        outcome: &Bound<'_, PyAny>,
        controls: Given<'_>,
        time: Given<'_>,
        group: Given<'_>,
        channels: Given<'_>,
        exposures: Given<'_>,
        holidays: Given<'_>,
        population: Given<'_>,
        missing_outcomes: bool,
    ) -> Result<Self> {
        let given = (spend, outcome, controls, time, group, channels, exposures, holidays, population);
        let rows = python::function(py, "adflow._history", "rows")?.call1(given)?;
        let item = |name: &str| rows.get_item(name).map_err(crate::error::Error::from);
        let texts = |name: &str| -> Result<Option<Vec<String>>> { Ok(item(name)?.extract()?) };
        let columns = |name: &str| -> Result<Vec<(String, Vec<f64>)>> {
            let mut read = Vec::new();
            for entry in item(name)?.try_iter()? {
                let (label, values): (String, Bound<'_, PyAny>) = entry?.extract()?;
                let values = column(&format!("{name}[{label}]"), &values)?;
                read.push((label, values));
            }
            Ok(read)
        };
        let population = item("population")?;
        let rows = HistoryRows {
            channels: item("channels")?.extract()?,
            spend: Numbers::of("spend", &item("spend")?)?.values,
            outcome: column("outcome", &item("outcome")?)?,
            missing_outcomes,
            dates: texts("dates")?
                .map(|days| days.iter().map(|day| Day::parse(day)).collect::<core::Result<_>>())
                .transpose()?,
            groups: texts("groups")?,
            exposures: columns("exposures")?,
            controls: columns("controls")?,
            holidays: columns("holidays")?,
            population: if population.is_none() { None } else { Some(column("population", &population)?) },
        };
        Ok(Self(py.detach(|| core::History::from_rows(&rows))?))
    }

    /// Names of the channels.
    #[getter]
    fn channels(&self) -> Vec<&str> {
        self.0.channels().iter().map(String::as_str).collect()
    }

    /// Names of the groups; ["all"] for a single series.
    #[getter]
    fn groups(&self) -> Vec<&str> {
        self.0.groups().iter().map(String::as_str).collect()
    }

    /// Number of periods T.
    #[getter]
    fn periods(&self) -> usize {
        self.0.periods()
    }

    /// Spend (money), (T, n); (groups, T, n) for several groups.
    #[getter]
    fn spend<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyArrayDyn<f64>>> {
        let shape = [self.0.groups().len(), self.0.periods(), self.0.channels().len()];
        python::panel(py, self.0.spend(), &shape)
    }

    /// Outcome, (T,); (groups, T) for several groups. NaN where it was not observed.
    #[getter]
    fn outcome<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyArrayDyn<f64>>> {
        self.rows(py, self.0.outcome())
    }

    /// First day of each period, (T,) datetime64[D]; None where there are no dates.
    #[getter]
    fn time<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        let days = |period| self.0.day(period).map(Day::days_since_1970);
        let days: Option<Vec<i64>> = (0..self.0.periods()).map(days).collect();
        days.map(|days| PyArray1::from_vec(py, days).call_method1("astype", ("datetime64[D]",))).transpose()
    }

    /// Days per period; None where there are no dates.
    #[getter]
    fn days_per_period(&self) -> Option<u32> {
        self.0.days_per_period()
    }

    /// Units by channel, each (T,) or (groups, T).
    #[getter]
    fn exposures<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let columns = PyDict::new(py);
        for (at, name) in self.0.channels().iter().enumerate() {
            if let Some(units) = self.0.exposures(at) {
                columns.set_item(name, self.rows(py, units)?)?;
            }
        }
        Ok(columns)
    }

    /// Controls by name, each (T,) or (groups, T).
    #[getter]
    fn controls<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        self.columns(py, self.0.controls())
    }

    /// Holidays by name, each (T,) or (groups, T).
    #[getter]
    fn holidays<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        self.columns(py, self.0.holidays())
    }

    /// People per group, (groups,), or None.
    #[getter]
    fn population<'py>(&self, py: Python<'py>) -> Option<Bound<'py, PyArray1<f64>>> {
        self.0.population().map(|people| PyArray1::from_slice(py, people))
    }

    /// The first periods of every group.
    fn first(&self, periods: i64) -> Result<Self> {
        Ok(Self(self.0.first(at_least_one("periods", periods)?)?))
    }

    /// The last periods of every group.
    fn last(&self, periods: i64) -> Result<Self> {
        Ok(Self(self.0.last(at_least_one("periods", periods)?)?))
    }

    /// This history, and a later one of the same channels, groups and columns after it.
    ///
    /// Raises
    /// ------
    /// InvalidInputError
    ///     Names that differ, or dates that do not follow on this history's.
    fn followed_by(&self, later: &Self) -> Result<Self> {
        Ok(Self(self.0.followed_by(&later.0)?))
    }

    /// The history as a frame, one row per group and period.
    ///
    /// Parameters
    /// ----------
    /// backend : {"pandas", "polars", "pyarrow"}, optional
    ///     The kind of frame; the first of these that is installed by default.
    ///
    /// Returns
    /// -------
    /// pandas.DataFrame, polars.DataFrame or pyarrow.Table
    ///     Columns `time` (dates, or periods from 0), `group` (where there are several), one of spend per channel, the
    ///     controls, the holidays, `<channel>_exposures`, `outcome`.
    #[pyo3(signature = (backend=None))]
    fn to_frame<'py>(slf: &Bound<'py, Self>, backend: Option<&str>) -> PyResult<Bound<'py, PyAny>> {
        python::function(slf.py(), "adflow._frame", "history_frame")?.call1((slf, backend))
    }

    /// The history as JSON; read back, it is the same to the last bit.
    fn to_json(&self) -> String {
        self.0.to_json()
    }

    /// A history from the JSON of `to_json`.
    #[staticmethod]
    fn from_json(json: &str) -> Result<Self> {
        Ok(Self(core::History::from_json(json)?))
    }

    fn __reduce__<'py>(&self, py: Python<'py>) -> PyResult<(Bound<'py, PyAny>, (String,))> {
        Ok((py.get_type::<Self>().getattr("from_json")?, (self.to_json(),)))
    }

    fn __repr__(&self) -> String {
        let many = |count: usize, what: &str| format!("{count} {what}{}", if count == 1 { "" } else { "s" });
        let mut text = format!("History({}", many(self.0.periods(), "period"));
        if self.0.groups().len() > 1 {
            text += &format!(" × {}", many(self.0.groups().len(), "group"));
        }
        if let (Some(first), Some(days)) = (self.0.day(0), self.0.days_per_period()) {
            text += &format!(" of {} from {first}", many(days as usize, "day"));
        }
        format!("{text}: {})", self.0.channels().join(", "))
    }
}

impl History {
    fn rows<'py>(&self, py: Python<'py>, values: &[f64]) -> PyResult<Bound<'py, PyArrayDyn<f64>>> {
        python::panel(py, values, &[self.0.groups().len(), self.0.periods()])
    }

    fn columns<'py, 'a>(
        &'a self,
        py: Python<'py>,
        names: impl Iterator<Item = &'a str>,
    ) -> PyResult<Bound<'py, PyDict>> {
        let columns = PyDict::new(py);
        for name in names {
            columns.set_item(name, self.rows(py, self.0.column(name).unwrap_or_default())?)?;
        }
        Ok(columns)
    }
}
