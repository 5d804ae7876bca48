//! Where the outcome came from, as CSV: a row per period (and group), and of every part its mean and interval.

use std::fmt::Write;

use adflow_core::{FittedModel, Result};

/// The decomposition of a fit, with intervals that hold the share `level` of the draws.
///
/// # Errors
/// As [`FittedModel::decompose`].
pub fn csv(fitted: &FittedModel, outcome: &str, level: f64) -> Result<String> {
    let history = fitted.history();
    let parts = fitted.decompose(level)?.components;
    let (periods, groups) = (history.periods(), history.groups());
    let mut header = vec![if history.day(0).is_some() { "date" } else { "period" }.to_string()];
    if groups.len() > 1 {
        header.push("group".into());
    }
    header.extend([outcome.to_string(), "fitted".into()]);
    for part in &parts {
        header.extend([part.name.clone(), format!("{}_lower", part.name), format!("{}_upper", part.name)]);
    }
    let mut text = row(header.iter().map(|name| quoted(name)));
    for (at, observed) in history.outcome().iter().enumerate() {
        let (group, period) = (at / periods, at % periods);
        let mut cells = vec![history.day(period).map_or_else(|| period.to_string(), |day| day.to_string())];
        if groups.len() > 1 {
            cells.push(quoted(&groups[group]));
        }
        // An outcome that was not observed is an empty cell.
        cells.push(if observed.is_nan() { String::new() } else { observed.to_string() });
        cells.push(number(parts.iter().map(|part| part.mean[at]).sum()));
        for part in &parts {
            cells.extend([part.mean[at], part.lower[at], part.upper[at]].map(number));
        }
        text += &row(cells);
    }
    Ok(text)
}

fn row(cells: impl IntoIterator<Item = String>) -> String {
    let mut text = String::new();
    for (at, cell) in cells.into_iter().enumerate() {
        let comma = if at > 0 { "," } else { "" };
        let _ = write!(text, "{comma}{cell}");
    }
    text + "\n"
}

/// Six digits: more than any interval knows.
fn number(value: f64) -> String {
    let rounded: f64 = format!("{value:.5e}").parse().unwrap_or(value);
    rounded.to_string()
}

fn quoted(text: &str) -> String {
    if text.contains([',', '"', '\n']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text.into() }
}
