//! Response models: settings and a history in, a posterior out. The class that users see is in Python.

use adflow_core as core;
use pyo3::prelude::*;

use crate::arguments::{Given, at_least_one};
use crate::error::{Result, malformed};
use crate::history::History;
use crate::interrupt::{self, Progress};
use crate::python;
use crate::settings::all_threads;
use fitted::FittedModel;

pub(crate) mod fitted;

fn threads_of(threads: Option<i64>) -> Result<usize> {
    threads.map_or_else(|| Ok(all_threads()), |threads| at_least_one("threads", threads))
}

/// Serialisable figures as dicts and lists.
fn plain(py: Python<'_>, json: serde_json::Result<serde_json::Value>) -> Result<Bound<'_, PyAny>> {
    Ok(python::value(py, &json.map_err(|error| malformed("result", error))?)?)
}

/// Reads the settings of a response model, as JSON; what is left out takes its default.
///
/// Returns
/// -------
/// str
///     All settings.
#[pyfunction]
pub(crate) fn model_settings(settings: &str) -> Result<String> {
    Ok(core::ResponseModel::from_json(settings)?.to_json())
}

/// Fits a response model, given its settings as JSON.
#[pyfunction]
#[pyo3(signature = (settings, history, threads=None, progress=None))]
pub(crate) fn fit_model(
    py: Python<'_>,
    settings: &str,
    history: &Bound<'_, History>,
    threads: Option<i64>,
    progress: Given<'_>,
) -> Result<FittedModel> {
    let model = core::ResponseModel::from_json(settings)?.threads(threads_of(threads)?);
    let progress = Progress::read_share(progress.as_ref())?;
    let history = &history.get().0;
    let fitted = interrupt::here(py, &progress, |watch| model.fit_with(history, watch))??;
    Ok(FittedModel(fitted))
}

/// Holds out the last periods of a history for each model, the best first.
///
/// Returns
/// -------
/// list of dict
///     `name`, and `holdout` with the scores.
#[pyfunction]
#[pyo3(signature = (models, history, periods, threads=None, progress=None))]
pub(crate) fn compare_models<'py>(
    py: Python<'py>,
    models: Vec<(String, String)>,
    history: &Bound<'py, History>,
    periods: i64,
    threads: Option<i64>,
    progress: Given<'py>,
) -> Result<Bound<'py, PyAny>> {
    let (periods, threads) = (at_least_one("periods", periods)?, threads_of(threads)?);
    let read = |(name, settings): (String, String)| -> Result<_> {
        Ok((name, core::ResponseModel::from_json(&settings)?.threads(threads)))
    };
    let models = models.into_iter().map(read).collect::<Result<Vec<_>>>()?;
    let named: Vec<(&str, &core::ResponseModel)> =
        models.iter().map(|(name, model)| (name.as_str(), model)).collect();
    let progress = Progress::read_share(progress.as_ref())?;
    let history = &history.get().0;
    let compared = interrupt::here(py, &progress, |watch| {
        core::ResponseModel::compare(&named, history, periods, watch)
    })??;
    plain(py, serde_json::to_value(&compared))
}
