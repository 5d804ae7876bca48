//! How well a model foretells what it has not seen.

use serde::Serialize;

use super::model::ResponseModel;
use super::scores::{coverage, crps, mape, rmse, wape};
use crate::clock::{Clock, NoClock};
use crate::error::{Error, Result};
use crate::history::{FEWEST_PERIODS, History};

/// Errors of a forecast of the last periods of a history by a model that was fitted on those before.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Holdout {
    /// Periods held out.
    pub periods: usize,
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
    /// The same scores of a forecast that repeats the last season (the same week of the last year, the same weekday of the last
    /// week; the last outcome where the history is shorter).
    pub seasonal: Baseline,
}

/// Scores of a forecast without a model.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
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

/// A model's name and its errors.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Comparison {
    /// The name given.
    pub name: String,
    /// Its errors.
    pub holdout: Holdout,
}

impl ResponseModel {
    /// Fits all but the last `periods` periods and forecasts those, given their spends, controls and holidays.
    ///
    /// # Errors
    /// As [`fit`](Self::fit), and [`Error::OutOfDomain`] unless something is left to fit.
    pub fn holdout(&self, history: &History, periods: usize) -> Result<Holdout> {
        self.holdout_with(history, periods, &NoClock)
    }

    /// As [`holdout`](Self::holdout), with a clock.
    ///
    /// # Errors
    /// As [`holdout`](Self::holdout), and [`Error::Interrupted`].
    pub fn holdout_with(&self, history: &History, periods: usize, clock: &dyn Clock) -> Result<Holdout> {
        let most = history.periods().saturating_sub(FEWEST_PERIODS);
        if periods == 0 || periods > most {
            let expected = format!("from 1 to {most}: at least {FEWEST_PERIODS} periods are needed to fit");
            return Err(Error::out_of_domain("periods", expected, periods));
        }
        let before = history.periods() - periods;
        let (past, future) = (history.first(before)?, history.last(periods)?);
        let forecast = self.fit_with(&past, clock)?.predict(&future, 0.9)?;
        let seen: Vec<usize> =
            (0..future.outcome().len()).filter(|&at| !future.outcome()[at].is_nan()).collect();
        if seen.is_empty() {
            return Err(Error::out_of_domain("periods", "such that some outcome is held out", periods));
        }
        let pick = |values: &[f64]| -> Vec<f64> { seen.iter().map(|&at| values[at]).collect() };
        let (actual, mean) = (pick(future.outcome()), pick(&forecast.mean));
        let intervals: Vec<(f64, f64)> =
            pick(&forecast.lower).into_iter().zip(pick(&forecast.upper)).collect();
        let scores: Vec<f64> =
            seen.iter().map(|&at| crps(&forecast.draws_at(at), future.outcome()[at])).collect();
        let naive = pick(&seasonal(&past, periods));
        let errors: Vec<f64> =
            actual.iter().zip(&naive).map(|(actual, naive)| (actual - naive).abs()).collect();
        Ok(Holdout {
            periods,
            crps: mean_of(&scores),
            mape: mape(&actual, &mean),
            wape: wape(&actual, &mean),
            rmse: rmse(&actual, &mean),
            coverage: coverage(&actual, &intervals),
            seasonal: Baseline {
                crps: mean_of(&errors),
                mape: mape(&actual, &naive),
                wape: wape(&actual, &naive),
                rmse: rmse(&actual, &naive),
            },
        })
    }

    /// Compares models by the same holdout, the one with the smallest CRPS first.
    ///
    /// # Errors
    /// As [`holdout`](Self::holdout); [`Error::Empty`] without models.
    pub fn compare(
        models: &[(&str, &Self)],
        history: &History,
        periods: usize,
        clock: &dyn Clock,
    ) -> Result<Vec<Comparison>> {
        if models.is_empty() {
            return Err(Error::Empty { field: "models".into() });
        }
        let mut compared = models
            .iter()
            .map(|(name, model)| {
                let holdout = model.holdout_with(history, periods, clock)?;
                Ok(Comparison { name: (*name).into(), holdout })
            })
            .collect::<Result<Vec<_>>>()?;
        compared.sort_by(|a, b| a.holdout.crps.total_cmp(&b.holdout.crps));
        Ok(compared)
    }
}

/// The last season again, `[group][period]`.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "at most 366 periods a year")]
fn seasonal(past: &History, periods: usize) -> Vec<f64> {
    let length = match past.days_per_period() {
        Some(1) => 7,
        Some(days) => (365.25 / f64::from(days)).round().max(1.0) as usize,
        None => 52,
    };
    let known = past.periods();
    let lag = if known >= length { length } else { 1 };
    past.outcome()
        .chunks(known)
        .flat_map(|outcome| {
            (0..periods).map(move |period| {
                // The last one that was observed, in this place of the season or before.
                let from = known - lag + period % lag;
                outcome[..=from].iter().rev().find(|value| !value.is_nan()).copied().unwrap_or(0.0)
            })
        })
        .collect()
}

#[allow(clippy::cast_precision_loss, reason = "a count")]
fn mean_of(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}
