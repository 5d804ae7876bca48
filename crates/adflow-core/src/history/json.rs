//! The versioned JSON of a history.
//!
//! ```text
//! {"version": 1, "channels": ["search", "tv"], "groups": ["all"], "spend": [[period][channel] of group after group],
//!  "outcome": [number | null], "start": "2024-01-01", "days_per_period": 7, "exposures": {"tv": [...]},
//!  "controls": [{"name": "price", "values": [...]}], "holidays": [...], "population": [...]}
//! ```
//!
//! `null` stands for an outcome that was not observed. All but channels, spend and outcome may be left out.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{History, Series};
use crate::day::Day;
use crate::error::{Error, Result};

const VERSION: u64 = 1;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    version: u64,
    channels: Vec<String>,
    #[serde(default = "single")]
    groups: Vec<String>,
    spend: Vec<Vec<f64>>,
    outcome: Vec<Option<f64>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    start: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    days_per_period: Option<u32>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    exposures: BTreeMap<String, Vec<f64>>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    controls: Vec<Series>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    holidays: Vec<Series>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    population: Option<Vec<f64>>,
}

fn single() -> Vec<String> {
    vec!["all".into()]
}

impl History {
    /// The history as JSON; [`from_json`](Self::from_json) gives back the same bits.
    #[must_use]
    pub fn to_json(&self) -> String {
        self.to_value().to_string()
    }

    /// Reads what [`to_json`](Self::to_json) wrote, or a document of the same form written by hand.
    ///
    /// # Errors
    /// [`Error::Malformed`], and whatever the constructors say.
    pub fn from_json(json: &str) -> Result<Self> {
        let value = serde_json::from_str(json)
            .map_err(|error| Error::Malformed { path: "history".into(), reason: error.to_string() })?;
        Self::from_value(value)
    }

    pub(crate) fn to_value(&self) -> Value {
        let exposures = self.channels.iter().zip(&self.exposures);
        let document = Document {
            version: VERSION,
            channels: self.channels.clone(),
            groups: self.groups.clone(),
            spend: self.spend.chunks(self.channels.len()).map(<[f64]>::to_vec).collect(),
            outcome: self.outcome.iter().map(|value| Some(*value).filter(|value| !value.is_nan())).collect(),
            start: self.calendar.map(|(first, _)| first.to_string()),
            days_per_period: self.days_per_period(),
            exposures: exposures.filter_map(|(name, units)| Some((name.clone(), units.clone()?))).collect(),
            controls: self.controls.clone(),
            holidays: self.holidays.clone(),
            population: self.population.clone(),
        };
        serde_json::to_value(document).unwrap_or_default()
    }

    pub(crate) fn from_value(value: Value) -> Result<Self> {
        let malformed = |reason: String| Error::Malformed { path: "history".into(), reason };
        let document: Document =
            serde_json::from_value(value).map_err(|error| malformed(error.to_string()))?;
        if document.version != VERSION {
            return Err(malformed(format!("version must be {VERSION}, got {}", document.version)));
        }
        let width = document.channels.len();
        if let Some(row) = document.spend.iter().position(|row| row.len() != width) {
            let actual = document.spend[row].len();
            return Err(Error::LengthMismatch { field: format!("spend[{row}]"), expected: width, actual });
        }
        let outcome: Vec<f64> = document.outcome.iter().map(|value| value.unwrap_or(f64::NAN)).collect();
        let seen: Vec<f64> = document.outcome.iter().map(|value| value.unwrap_or(0.0)).collect();
        let mut history = Self::panel(document.channels, document.groups, &document.spend.concat(), &seen)?;
        if outcome.iter().any(|value| value.is_nan()) {
            history = history.with_missing_outcomes(&outcome)?;
        }
        match (document.start, document.days_per_period) {
            (Some(start), Some(days)) => history = history.starting(Day::parse(&start)?, days)?,
            (None, None) => {}
            _ => return Err(malformed("start and days_per_period come together".into())),
        }
        for (name, units) in &document.exposures {
            history = history.with_exposures(name, units)?;
        }
        for series in &document.controls {
            history = history.with_control(&series.name, &series.values)?;
        }
        for series in &document.holidays {
            history = history.with_holiday(&series.name, &series.values)?;
        }
        match document.population {
            Some(population) => history.with_population(&population),
            None => Ok(history),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_history_comes_back_bit_by_bit() {
        let history = History::panel(
            ["a", "b"],
            ["x", "y"],
            &[0.1, 0.2, 0.3, 4.0, 5.0, 6.0, 7.0, 8.5],
            &[1.0 / 3.0, 2.0, 3.0, 4.0],
        )
        .unwrap()
        .with_missing_outcomes(&[1.0 / 3.0, f64::NAN, 3.0, 4.0])
        .unwrap()
        .starting(Day::parse("2024-02-26").unwrap(), 7)
        .unwrap()
        .with_exposures("b", &[20.0, 40.0, 60.0, 80.0])
        .unwrap()
        .with_control("price", &[1.0, 2.0, 3.0, 4.0])
        .unwrap()
        .with_holiday("promo", &[0.0, 1.0, 0.0, 1.0])
        .unwrap()
        .with_population(&[10.0, 20.0])
        .unwrap();
        let back = History::from_json(&history.to_json()).unwrap();
        assert_eq!(back.to_json(), history.to_json());
        assert!(back.outcome()[1].is_nan());
        assert_eq!((back.spend(), back.population()), (history.spend(), history.population()));
    }

    #[test]
    fn what_is_no_history_is_refused() {
        for text in [
            "{}",
            r#"{"version": 2, "channels": ["a"], "spend": [[1]], "outcome": [1]}"#,
            r#"{"version": 1, "channels": ["a"], "spend": [[1, 2]], "outcome": [1]}"#,
            r#"{"version": 1, "channels": ["a"], "spend": [[-1]], "outcome": [1]}"#,
            r#"{"version": 1, "channels": ["a"], "spend": [[1]], "outcome": [1], "start": "2024-01-01"}"#,
            r#"{"version": 1, "channels": ["a"], "spend": [[1]], "outcome": [1], "colour": 1}"#,
        ] {
            assert!(History::from_json(text).is_err(), "{text}");
        }
    }
}
