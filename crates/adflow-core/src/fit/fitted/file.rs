//! The versioned JSON of a fitted model.
//!
//! ```text
//! {"format": "adflow.response_model", "version": 1, "model": settings, "history": history, "units": {…}, "columns": […],
//!  "sampling": {…}, "theta": [chain][draw][parameter]}
//! ```

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{FittedModel, Sampling};
use crate::error::{Error, Result};
use crate::fit::baseline::Column;
use crate::fit::design::Scale;
use crate::fit::model::ResponseModel;
use crate::fit::posterior::Posterior;
use crate::history::History;

const FORMAT: &str = "adflow.response_model";
const VERSION: u64 = 1;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    format: String,
    version: u64,
    model: ResponseModel,
    history: Value,
    units: Scale,
    columns: Vec<Column>,
    sampling: Sampling,
    theta: Vec<Vec<Vec<f64>>>,
}

impl ResponseModel {
    /// The settings as JSON.
    #[must_use]
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    /// Reads settings; what is left out takes its default.
    ///
    /// # Errors
    /// [`Error::Malformed`] for a field that is none, or has no such value.
    pub fn from_json(json: &str) -> Result<Self> {
        serde_json::from_str(json)
            .map_err(|error| Error::Malformed { path: "model".into(), reason: error.to_string() })
    }
}

impl FittedModel {
    /// Everything as JSON; [`from_json`](Self::from_json) gives back the same bits.
    #[must_use]
    pub fn to_json(&self) -> String {
        let document = Document {
            format: FORMAT.into(),
            version: VERSION,
            model: self.model.clone(),
            history: self.history.to_value(),
            units: self.posterior.design.scale.clone(),
            columns: self.posterior.design.columns.clone(),
            sampling: self.sampling.clone(),
            theta: self.theta.clone(),
        };
        serde_json::to_string(&document).unwrap_or_default()
    }

    /// Reads what [`to_json`](Self::to_json) wrote.
    ///
    /// # Errors
    /// [`Error::Malformed`] for another document, another version, or numbers that do not fit the model; and what a fit says of
    /// its history and settings.
    pub fn from_json(json: &str) -> Result<Self> {
        let malformed = |reason: String| Error::Malformed { path: "fitted model".into(), reason };
        let document: Document = serde_json::from_str(json).map_err(|error| malformed(error.to_string()))?;
        if document.format != FORMAT || document.version != VERSION {
            let (format, version) = (document.format, document.version);
            return Err(malformed(format!(
                "expected {FORMAT} version {VERSION}, got {format} version {version}"
            )));
        }
        let history = History::from_value(document.history)?;
        let model = document.model;
        model.check()?;
        let posterior = Posterior::in_units(&model, &history, document.units, document.columns)?;
        let (dim, draws) = (posterior.layout.dim(), document.theta.first().map_or(0, Vec::len));
        let whole = |chain: &Vec<Vec<f64>>| {
            chain.len() == draws
                && chain.iter().all(|draw| draw.len() == dim && draw.iter().all(|value| value.is_finite()))
        };
        if draws == 0 || !document.theta.iter().all(whole) {
            return Err(malformed(format!(
                "theta must hold chains of equal length with {dim} finite numbers a draw"
            )));
        }
        Ok(Self { model, history, posterior, theta: document.theta, sampling: document.sampling })
    }
}
