//! What `adflow fit` leaves for `adflow allocate`: curves with today's spends, as a problem that is ready to be solved.
//!
//! ```text
//! {"format": "adflow.curves", "version": 1, "outcome": "revenue", "days_per_period": 7 | null, "problem": {…}}
//! ```
//!
//! The problem is of the form that `adflow allocate` and [`Problem::from_json`] read. Its budget is what is spent today, and
//! plans stay within the spends of the history: beyond them a curve is a guess.

use adflow_core::{FittedModel, Plan, Problem, ResponseCurves, Result};
use serde_json::{Value, json};

const FORMAT: &str = "adflow.curves";
const VERSION: u64 = 1;

/// The problem that a fit poses: its curves, today's spend of every channel (mean per period of the history), the same budget,
/// and no spend above the largest of the history.
///
/// # Errors
/// As [`FittedModel::curves`].
pub fn problem(fitted: &FittedModel) -> Result<Problem> {
    let today = fitted.mean_spend();
    let budget = today.iter().sum();
    let curves = fitted.curves()?;
    let most = |arm| curves.observed(arm).map_or(f64::INFINITY, |(_, most)| most);
    let upper: Vec<f64> = (0..today.len()).map(most).collect();
    Ok(Problem::new(curves).current(today).budget(budget).upper(upper))
}

/// The file's text.
#[must_use]
pub fn write(problem: &Problem, fitted: &FittedModel, outcome: &str) -> String {
    let problem: Value = serde_json::from_str(&problem.to_json()).unwrap_or_default();
    let days = fitted.history().days_per_period();
    json!({"format": FORMAT, "version": VERSION, "outcome": outcome, "days_per_period": days, "problem": problem}).to_string()
}

/// The problem of a document that [`write`](fn@write) made, as text; `None` for any other document. To extrapolate is to leave out
/// that spends stay within the history's.
///
/// # Errors
/// In words, for a version that is not known.
#[must_use]
pub fn problem_of(mut document: Value, extrapolate: bool) -> Option<std::result::Result<String, String>> {
    if document.get("format").and_then(Value::as_str) != Some(FORMAT) {
        return None;
    }
    let version = document.get("version");
    if version.and_then(Value::as_u64) != Some(VERSION) {
        let got = version.map_or_else(|| "none".into(), Value::to_string);
        return Some(Err(format!("version: must be {VERSION}, got {got}")));
    }
    let Some(problem) = document.get_mut("problem") else { return Some(Err("problem: is missing".into())) };
    if let Some(fields) = problem.as_object_mut().filter(|_| extrapolate) {
        fields.remove("upper");
    }
    Some(Ok(problem.to_string()))
}

/// The share of draws in which a plan brings more than the spends of today; `None` without these, or without draws.
///
/// # Errors
/// As [`ResponseCurves::response`].
pub fn odds(curves: &ResponseCurves, plan: &Plan) -> Result<Option<f64>> {
    let arms = plan.explain().arms;
    let today: Option<Vec<f64>> = arms.iter().map(|arm| arm.current).collect();
    let Some(today) = today.filter(|_| curves.draws() > 1) else { return Ok(None) };
    let mut better = 0_u32;
    let mut all = 0_u32;
    for draw in 0..curves.draws() {
        let one = curves.draw(draw)?;
        let brings = |spend: &[f64]| Ok::<f64, adflow_core::Error>(one.response(spend)?.iter().sum());
        better += u32::from(brings(&plan.spend)? > brings(&today)?);
        all += 1;
    }
    Ok(Some(f64::from(better) / f64::from(all)))
}
