//! The versioned JSON of problems and plans.
//!
//! ```text
//! {"version": 1, "curves": {…}, "budget": 100 | null, "spend_all": false, "lower": 0 | [n], "upper": null | x | [x | null, …],
//!  "active_lower": null | x | [x | null, …], "value": 1 | [n], "current": null | [n], "names": null | [n],
//!  "tolerance": 1e-6, "time_limit": null | seconds}
//! ```
//!
//! All but `version` and `curves` may be left out; a key that is not known is an error. Numbers that are infinite are
//! written as `null`.

use serde_json::{Map, Value, json};

use super::plan::Plan;
use super::problem::Problem;
use crate::curve::ResponseCurves;
use crate::curve::column::Column;
use crate::curve::json::{known_keys, malformed, names, object, parse, version};
use crate::error::{Error, Result};

const VERSION: u64 = 1;
const KEYS: [&str; 12] = [
    "version",
    "curves",
    "budget",
    "spend_all",
    "lower",
    "upper",
    "active_lower",
    "value",
    "current",
    "names",
    "tolerance",
    "time_limit",
];

impl Problem {
    /// Reads a problem.
    ///
    /// # Errors
    /// [`Error::Malformed`] with the path of what is wrong, and whatever the curves' constructors say. Limits are checked
    /// when the problem is solved.
    pub fn from_json(json: &str) -> Result<Self> {
        let document = parse(json)?;
        let fields = object(&document, "$")?;
        known_keys(fields, "$", &KEYS)?;
        version(fields, "$", VERSION)?;
        let curves = fields.get("curves").ok_or_else(|| malformed("curves", "is missing"))?;
        let mut problem = Self::new(ResponseCurves::from_value(curves, "curves")?);
        problem.budget = number(fields, "budget")?;
        problem.spend_all = match fields.get("spend_all") {
            None | Some(Value::Null) => false,
            Some(Value::Bool(spend_all)) => *spend_all,
            Some(_) => return Err(malformed("spend_all", "must be true or false")),
        };
        problem.lower = column(fields, "lower", 0.0)?;
        problem.upper = column(fields, "upper", f64::INFINITY)?;
        problem.active_lower = column(fields, "active_lower", 0.0)?;
        problem.value = column(fields, "value", 1.0)?;
        problem.current = match fields.get("current") {
            None | Some(Value::Null) => None,
            Some(Value::Array(items)) => Some(row(items, "current", None)?),
            Some(_) => return Err(malformed("current", "must be a list of numbers")),
        };
        if let Some(names) = names(fields.get("names"), "names")? {
            problem = problem.names(names)?;
        }
        if let Some(tolerance) = number(fields, "tolerance")? {
            problem.tolerance = tolerance;
        }
        problem.time_limit = number(fields, "time_limit")?;
        Ok(problem)
    }

    /// The problem as JSON; [`from_json`](Self::from_json) gives back the same bits.
    #[must_use]
    pub fn to_json(&self) -> String {
        let optional = |column: &Column, none: f64| match column {
            Column::Same(value) if value.to_bits() == none.to_bits() => Value::Null,
            Column::Same(value) => json!(value),
            Column::Each(values) => {
                json!(
                    values
                        .iter()
                        .map(|x| Some(x).filter(|x| x.to_bits() != none.to_bits()))
                        .collect::<Vec<_>>()
                )
            }
        };
        let plain = |column: &Column| match column {
            Column::Same(value) => json!(value),
            Column::Each(values) => json!(values),
        };
        json!({
            "version": VERSION,
            "curves": self.curves.to_value(),
            "budget": self.budget,
            "spend_all": self.spend_all,
            "lower": plain(&self.lower),
            "upper": optional(&self.upper, f64::INFINITY),
            "active_lower": optional(&self.active_lower, 0.0),
            "value": plain(&self.value),
            "current": self.current,
            "tolerance": self.tolerance,
            "time_limit": self.time_limit,
        })
        .to_string()
    }
}

impl Plan {
    /// The plan as JSON, with its proof: the fields of [`Plan`] by their names, infinite numbers as `null`.
    #[must_use]
    pub fn to_json(&self) -> String {
        json!({
            "version": VERSION,
            "names": self.names(),
            "status": self.status,
            "spend": self.spend,
            "response": self.response,
            "marginal_response": self.marginal_response,
            "total_spend": self.total_spend,
            "total_response": self.total_response,
            "objective_value": self.objective_value,
            "upper_bound": self.upper_bound,
            "gap": self.gap,
            "shadow_price": self.shadow_price,
            "binding": self.binding(),
            "proof": self.proof,
            "iterations": self.iterations,
            "elapsed": self.elapsed.as_secs_f64(),
        })
        .to_string()
    }
}

fn number(fields: &Map<String, Value>, name: &str) -> Result<Option<f64>> {
    match fields.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(value) => value.as_f64().map(Some).ok_or_else(|| malformed(name, "must be a number or null")),
    }
}

/// A number, a list of numbers, or nothing; `null` stands for `none`.
fn column(fields: &Map<String, Value>, name: &str, none: f64) -> Result<Column> {
    match fields.get(name) {
        None | Some(Value::Null) => Ok(Column::Same(none)),
        Some(Value::Array(items)) => Ok(Column::Each(row(items, name, Some(none))?)),
        Some(value) => match value.as_f64() {
            Some(number) => Ok(Column::Same(number)),
            None => Err(malformed(name, "must be a number or a list of numbers")),
        },
    }
}

fn row(items: &[Value], name: &str, none: Option<f64>) -> Result<Vec<f64>> {
    if items.is_empty() {
        return Err(Error::Empty { field: name.into() });
    }
    items
        .iter()
        .enumerate()
        .map(|(at, item)| match (item, none) {
            (Value::Null, Some(none)) => Ok(none),
            _ => item.as_f64().ok_or_else(|| malformed(format!("{name}[{at}]"), "must be a number")),
        })
        .collect()
}
