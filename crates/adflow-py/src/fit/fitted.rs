//! A fitted response model.

use adflow_core as core;
use numpy::{PyArray2, PyArrayDyn};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList};

use super::{plain, threads_of};
use crate::adstock::Adstock;
use crate::arguments::{Given, number};
use crate::curves::ResponseCurves;
use crate::error::Result;
use crate::history::History;
use crate::interrupt::{self, Progress};
use crate::python;

/// The posterior of a response model, and what follows from it; `ResponseModel` is its face.
#[pyclass(frozen, module = "adflow._adflow")]
pub(crate) struct FittedModel(pub(super) core::FittedModel);

impl FittedModel {
    fn groups(&self) -> usize {
        self.0.history().groups().len()
    }

    fn draws_by_channel<'py>(&self, py: Python<'py>, draws: &[f64]) -> PyResult<Bound<'py, PyArray2<f64>>> {
        let shape = [self.0.draws(), self.0.history().channels().len()];
        Ok(python::draws(py, draws, shape[0], &[1, shape[1]])?.cast_into::<PyArray2<f64>>()?)
    }

    /// A forecast as a dict.
    fn forecast<'py>(&self, py: Python<'py>, forecast: &core::Forecast) -> Result<Bound<'py, PyDict>> {
        let shape = [self.groups(), forecast.mean.len() / self.groups()];
        let dict = PyDict::new(py);
        dict.set_item("level", forecast.level)?;
        for (name, values) in
            [("mean", &forecast.mean), ("lower", &forecast.lower), ("upper", &forecast.upper)]
        {
            dict.set_item(name, python::panel(py, values, &shape)?)?;
        }
        dict.set_item("total", plain(py, serde_json::to_value(forecast.total))?)?;
        dict.set_item("draws", python::draws(py, &forecast.draws, self.0.draws(), &shape)?)?;
        Ok(dict)
    }
}

#[pymethods]
impl FittedModel {
    /// The settings as JSON.
    #[getter]
    fn settings(&self) -> String {
        self.0.model().to_json()
    }

    /// The history that was fitted.
    #[getter]
    fn history(&self) -> History {
        History(self.0.history().clone())
    }

    /// The channels' response curves, with draws.
    fn curves(&self, py: Python<'_>) -> Result<ResponseCurves> {
        Ok(ResponseCurves(py.detach(|| self.0.curves())?))
    }

    /// The response curves of every channel in every group.
    fn group_curves(&self, py: Python<'_>) -> Result<ResponseCurves> {
        Ok(ResponseCurves(py.detach(|| self.0.group_curves())?))
    }

    /// Mean carry-over of every channel.
    fn adstock(&self, py: Python<'_>) -> Result<Adstock> {
        const LONGEST: usize = 400;
        let channels = self.0.history().channels().len();
        Adstock::of_weights(py.detach(|| self.0.adstock()?.weights(channels, LONGEST))?)
    }

    /// ROAS, (draws, n).
    fn roas_draws<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyArray2<f64>>> {
        let draws = py.detach(|| self.0.roas_draws());
        self.draws_by_channel(py, &draws)
    }

    /// Marginal ROAS at the mean spend, (draws, n).
    fn marginal_roas_draws<'py>(&self, py: Python<'py>) -> Result<Bound<'py, PyArray2<f64>>> {
        let draws = py.detach(|| self.0.marginal_roas_draws())?;
        Ok(self.draws_by_channel(py, &draws)?)
    }

    /// Mean spend per period of every channel.
    fn mean_spend(&self) -> Vec<f64> {
        self.0.mean_spend()
    }

    /// Names of the parameters.
    #[getter]
    fn parameter_names(&self) -> Vec<&str> {
        self.0.parameter_names().collect()
    }

    /// All draws of a parameter, (chains, draws); None for a name that is none.
    fn parameter_draws<'py>(
        &self,
        py: Python<'py>,
        name: &str,
    ) -> PyResult<Option<Bound<'py, PyArrayDyn<f64>>>> {
        let shape = [self.0.chains(), self.0.draws()];
        let draws = self.0.parameter_draws(name);
        draws.map(|draws| python::draws(py, &draws, shape[0], &[1, shape[1]])).transpose()
    }

    /// What the fit found: figures, and a table for people.
    fn summary<'py>(
        &self,
        py: Python<'py>,
        level: &Bound<'py, PyAny>,
    ) -> Result<(Bound<'py, PyAny>, String)> {
        let level = number("level", level)?;
        let summary = py.detach(|| self.0.summary(level))?;
        Ok((plain(py, serde_json::to_value(&summary))?, summary.to_string()))
    }

    /// Whether the draws can be trusted.
    fn diagnostics<'py>(&self, py: Python<'py>) -> Result<Bound<'py, PyAny>> {
        let diagnostics = py.detach(|| self.0.diagnostics());
        plain(py, serde_json::to_value(&diagnostics))
    }

    /// The outcome in parts: dicts with arrays by group and period.
    fn decompose<'py>(&self, py: Python<'py>, level: &Bound<'py, PyAny>) -> Result<Bound<'py, PyList>> {
        let level = number("level", level)?;
        let parts = py.detach(|| self.0.decompose(level))?;
        let shape = [self.groups(), self.0.history().periods()];
        let list = PyList::empty(py);
        for part in &parts.components {
            let dict = PyDict::new(py);
            dict.set_item("name", &part.name)?;
            dict.set_item("channel", part.channel)?;
            for (name, values) in [("mean", &part.mean), ("lower", &part.lower), ("upper", &part.upper)] {
                dict.set_item(name, python::panel(py, values, &shape)?)?;
            }
            dict.set_item("total", plain(py, serde_json::to_value(part.total))?)?;
            list.append(dict)?;
        }
        Ok(list)
    }

    /// What the model expects of the history itself.
    fn fitted<'py>(&self, py: Python<'py>, level: &Bound<'py, PyAny>) -> Result<Bound<'py, PyDict>> {
        let level = number("level", level)?;
        let forecast = py.detach(|| self.0.fitted(level))?;
        self.forecast(py, &forecast)
    }

    /// What the model expects of the periods after the history.
    fn predict<'py>(
        &self,
        py: Python<'py>,
        future: &Bound<'py, History>,
        level: &Bound<'py, PyAny>,
    ) -> Result<Bound<'py, PyDict>> {
        let (level, future) = (number("level", level)?, &future.get().0);
        let forecast = py.detach(|| self.0.predict(future, level))?;
        self.forecast(py, &forecast)
    }

    /// Takes in rows that follow on the history.
    #[pyo3(signature = (added, threads=None, progress=None))]
    fn refit(
        &self,
        py: Python<'_>,
        added: &Bound<'_, History>,
        threads: Option<i64>,
        progress: Given<'_>,
    ) -> Result<Self> {
        let threads = threads_of(threads)?;
        let progress = Progress::read_share(progress.as_ref())?;
        let added = &added.get().0;
        let refitted = interrupt::here(py, &progress, |watch| {
            let whole = self.0.history().followed_by(added)?;
            self.0.clone().threads(threads).refit_with(&whole, watch)
        })??;
        Ok(Self(refitted))
    }

    /// Everything as JSON.
    fn to_json(&self, py: Python<'_>) -> String {
        py.detach(|| self.0.to_json())
    }

    /// Reads what `to_json` wrote.
    #[staticmethod]
    fn from_json(py: Python<'_>, json: &str) -> Result<Self> {
        Ok(Self(py.detach(|| core::FittedModel::from_json(json))?))
    }

    fn __reduce__<'py>(&self, py: Python<'py>) -> PyResult<(Bound<'py, PyAny>, (String,))> {
        Ok((py.get_type::<Self>().getattr("from_json")?, (self.to_json(py),)))
    }

    fn __repr__(&self) -> String {
        let (chains, draws) = (self.0.chains(), self.0.draws());
        format!("FittedModel({chains} × {draws} draws by {})", self.0.how())
    }
}
