//! Outcomes in parts, outcomes to come, and how well they are foretold.

use adflow_core as core;
use napi::bindgen_prelude::Float64Array;
use napi_derive::napi;

use crate::curves::count;
use crate::summary::Interval;

/// The outcome in parts.
#[napi(object, object_from_js = false)]
pub struct Decomposition {
    /// Share of the draws inside each interval.
    pub level: f64,
    /// The baseline's parts, then the channels.
    pub components: Vec<Component>,
}

/// One part of the outcome. Its numbers stand group by group and period by period.
#[napi(object, object_from_js = false)]
pub struct Component {
    /// `intercept`, `trend`, `season`, `weekday`, `holiday`, `control` (or all of these as `baseline`, for counts), or a
    /// channel's name.
    pub name: String,
    /// Whether it is a channel.
    pub channel: bool,
    /// Mean (outcome).
    pub mean: Float64Array,
    /// Lower end.
    pub lower: Float64Array,
    /// Upper end.
    pub upper: Float64Array,
    /// The sum over all groups and periods.
    pub total: Interval,
}

impl From<core::Decomposition> for Decomposition {
    fn from(found: core::Decomposition) -> Self {
        let component = |part: core::Component| Component {
            name: part.name,
            channel: part.channel,
            mean: part.mean.into(),
            lower: part.lower.into(),
            upper: part.upper.into(),
            total: part.total.into(),
        };
        Self { level: found.level, components: found.components.into_iter().map(component).collect() }
    }
}

/// Outcomes with their uncertainty, group by group and period by period.
#[napi(object, object_from_js = false)]
pub struct Forecast {
    /// Share of the draws inside each interval.
    pub level: f64,
    /// Mean (outcome).
    pub mean: Float64Array,
    /// Lower end of what will be observed, noise included.
    pub lower: Float64Array,
    /// Upper end.
    pub upper: Float64Array,
    /// The sum over all groups and periods, noise included.
    pub total: Interval,
    /// What will be observed in each draw, one row after the other.
    pub draws: Float64Array,
}

impl From<core::Forecast> for Forecast {
    fn from(found: core::Forecast) -> Self {
        Self {
            level: found.level,
            mean: found.mean.into(),
            lower: found.lower.into(),
            upper: found.upper.into(),
            total: found.total.into(),
            draws: found.draws.into(),
        }
    }
}

/// Errors of a forecast of the last periods of a history by a model that was fitted on those before.
#[napi(object, object_from_js = false)]
pub struct Holdout {
    /// Periods held out.
    pub periods: u32,
    /// Mean continuous ranked probability score (outcome): smaller is better, an absolute error for a forecast without spread.
    pub crps: f64,
    /// Mean absolute error as a share of the outcome; outcomes of 0 left out.
    pub mape: f64,
    /// Sum of absolute errors over the sum of outcomes.
    pub wape: f64,
    /// Root mean squared error (outcome).
    pub rmse: f64,
    /// Share of outcomes inside their 90 % intervals.
    pub coverage: f64,
    /// The same scores of a forecast that repeats the last season.
    pub seasonal: Baseline,
}

/// Scores of a forecast without a model.
#[napi(object, object_from_js = false)]
pub struct Baseline {
    /// Mean absolute error: the CRPS of a forecast without spread (outcome).
    pub crps: f64,
    /// As for the model.
    pub mape: f64,
    /// As for the model.
    pub wape: f64,
    /// As for the model.
    pub rmse: f64,
}

impl From<core::Holdout> for Holdout {
    fn from(found: core::Holdout) -> Self {
        let core::Baseline { crps, mape, wape, rmse } = found.seasonal;
        Self {
            periods: count(found.periods),
            crps: found.crps,
            mape: found.mape,
            wape: found.wape,
            rmse: found.rmse,
            coverage: found.coverage,
            seasonal: Baseline { crps, mape, wape, rmse },
        }
    }
}

/// A model's name and its errors.
#[napi(object, object_from_js = false)]
pub struct Comparison {
    /// The name given.
    pub name: String,
    /// Its errors.
    pub holdout: Holdout,
}

impl From<core::Comparison> for Comparison {
    fn from(found: core::Comparison) -> Self {
        Self { name: found.name, holdout: found.holdout.into() }
    }
}
