//! The versioned JSON of schedules and their plans.
//!
//! ```text
//! {"version": 1, "curves": {…}, "adstock": {"kind": "geometric", "retention": 0.5 | [n], "max_lag": null | L, "normalize": false},
//!  "periods": T, "budget": 100 | null, "spend_all": false, "carry_in": null | [[n], …], "tail": false,
//!  "period_lower": null | x | [T], "period_upper": null | x | [T], "arm_lower": null | x | [n], "arm_upper": null | x | [n],
//!  "lower": 0 | [n] | [[n], … T], "upper": …, "active_lower": …, "constant": false, "value": 1 | [n], "names": null | [n],
//!  "tolerance": 1e-6, "time_limit": null | seconds}
//! ```
//!
//! Kinds of adstock: `none`, `geometric` (retention), `delayed` (retention, peak), `weibull_cdf` and `weibull_pdf` (shape,
//! scale), `binomial` (retention), `kernel` (weights: one row, or one per arm). `null` stands for no limit; a key that is not
//! known is an error.

use serde_json::{Map, Value, json};

use super::Schedule;
use super::grid::Grid;
use super::plan::SchedulePlan;
use crate::curve::ResponseCurves;
use crate::curve::carry_over::{Adstock, Carry};
use crate::curve::column::Column;
use crate::curve::json::{known_keys, malformed, names, object, parse, version};
use crate::error::{Error, Result};

const VERSION: u64 = 1;
const KEYS: [&str; 20] = [
    "version",
    "curves",
    "adstock",
    "periods",
    "budget",
    "spend_all",
    "carry_in",
    "tail",
    "period_lower",
    "period_upper",
    "arm_lower",
    "arm_upper",
    "lower",
    "upper",
    "active_lower",
    "constant",
    "value",
    "names",
    "tolerance",
    "time_limit",
];

impl Schedule {
    /// Reads a schedule.
    ///
    /// # Errors
    /// [`Error::Malformed`] with the path of what is wrong, and whatever the curves' constructors say. Limits are checked
    /// when the schedule is solved.
    pub fn from_json(json: &str) -> Result<Self> {
        let document = parse(json)?;
        let fields = object(&document, "$")?;
        known_keys(fields, "$", &KEYS)?;
        version(fields, "$", VERSION)?;
        let needed = |name: &str| fields.get(name).ok_or_else(|| malformed(name, "is missing"));
        let curves = ResponseCurves::from_value(needed("curves")?, "curves")?;
        let adstock = read_adstock(needed("adstock")?)?;
        let periods = whole(needed("periods")?, "periods")?;
        let mut schedule = Self::new(curves, adstock, periods);
        schedule.budget = number(fields, "budget")?;
        schedule.spend_all = flag(fields, "spend_all", "spend_all")?;
        schedule.tail = flag(fields, "tail", "tail")?;
        schedule.constant = flag(fields, "constant", "constant")?;
        if let Some(rows) = present(fields, "carry_in") {
            let read = |(at, row): (usize, &Value)| {
                let path = format!("carry_in[{at}]");
                numbers(list(row, &path)?, &path, None)
            };
            schedule.carry_in =
                list(rows, "carry_in")?.iter().enumerate().map(read).collect::<Result<_>>()?;
        }
        schedule.period_lower = column(fields, "period_lower", "period_lower", 0.0)?;
        schedule.period_upper = column(fields, "period_upper", "period_upper", f64::INFINITY)?;
        schedule.arm_lower = column(fields, "arm_lower", "arm_lower", 0.0)?;
        schedule.arm_upper = column(fields, "arm_upper", "arm_upper", f64::INFINITY)?;
        schedule.lower = grid(fields, "lower", 0.0)?;
        schedule.upper = grid(fields, "upper", f64::INFINITY)?;
        schedule.active_lower = grid(fields, "active_lower", 0.0)?;
        schedule.value = column(fields, "value", "value", 1.0)?;
        if let Some(names) = names(fields.get("names"), "names")? {
            schedule = schedule.names(names)?;
        }
        if let Some(tolerance) = number(fields, "tolerance")? {
            schedule.tolerance = tolerance;
        }
        schedule.time_limit = number(fields, "time_limit")?;
        Ok(schedule)
    }

    /// The schedule as JSON; [`from_json`](Self::from_json) gives back the same bits.
    #[must_use]
    pub fn to_json(&self) -> String {
        json!({
            "version": VERSION,
            "curves": self.curves.to_value(),
            "adstock": self.adstock.to_value(),
            "periods": self.periods,
            "budget": self.budget,
            "spend_all": self.spend_all,
            "carry_in": self.carry_in,
            "tail": self.tail,
            "period_lower": plain(&self.period_lower),
            "period_upper": plain(&self.period_upper),
            "arm_lower": plain(&self.arm_lower),
            "arm_upper": plain(&self.arm_upper),
            "lower": grid_value(&self.lower),
            "upper": grid_value(&self.upper),
            "active_lower": grid_value(&self.active_lower),
            "constant": self.constant,
            "value": plain(&self.value),
            "tolerance": self.tolerance,
            "time_limit": self.time_limit,
        })
        .to_string()
    }
}

impl Adstock {
    fn to_value(&self) -> Value {
        let (kind, parameters): (&str, Vec<(&str, Value)>) = match &self.family {
            Carry::None => ("none", vec![]),
            Carry::Geometric { retention } => ("geometric", vec![("retention", plain(retention))]),
            Carry::Delayed { retention, peak } => {
                ("delayed", vec![("retention", plain(retention)), ("peak", plain(peak))])
            }
            Carry::WeibullCdf { shape, scale } => {
                ("weibull_cdf", vec![("shape", plain(shape)), ("scale", plain(scale))])
            }
            Carry::WeibullPdf { shape, scale } => {
                ("weibull_pdf", vec![("shape", plain(shape)), ("scale", plain(scale))])
            }
            Carry::Binomial { retention } => ("binomial", vec![("retention", plain(retention))]),
            Carry::Kernel(weights) => ("kernel", vec![("weights", json!(weights))]),
        };
        let mut fields = Map::new();
        fields.insert("kind".into(), json!(kind));
        fields.extend(parameters.into_iter().map(|(name, value)| (name.to_string(), value)));
        if !matches!(self.family, Carry::None | Carry::Kernel(_)) {
            fields.insert("max_lag".into(), json!(self.max_lag));
        }
        fields.insert("normalize".into(), json!(self.normalize));
        Value::Object(fields)
    }
}

fn read_adstock(value: &Value) -> Result<Adstock> {
    let fields = object(value, "adstock")?;
    let kind = match fields.get("kind") {
        Some(Value::String(kind)) => kind.as_str(),
        _ => return Err(malformed("adstock.kind", "must be the name of a kind")),
    };
    let own: &[&str] = match kind {
        "none" => &[],
        "geometric" | "binomial" => &["retention", "max_lag"],
        "delayed" => &["retention", "peak", "max_lag"],
        "weibull_cdf" | "weibull_pdf" => &["shape", "scale", "max_lag"],
        "kernel" => &["weights"],
        other => return Err(malformed("adstock.kind", format!("no kind is called {other:?}"))),
    };
    known_keys(fields, "adstock", &[own, &["kind", "normalize"][..]].concat())?;
    let parameter = |name: &str| {
        let path = format!("adstock.{name}");
        if present(fields, name).is_none() {
            return Err(malformed(path, "is missing"));
        }
        column(fields, name, &path, f64::NAN)
    };
    let max_lag = present(fields, "max_lag").map(|lag| whole(lag, "adstock.max_lag")).transpose()?;
    let family = match kind {
        "none" => Carry::None,
        "geometric" => Carry::Geometric { retention: parameter("retention")? },
        "binomial" => Carry::Binomial { retention: parameter("retention")? },
        "delayed" => Carry::Delayed { retention: parameter("retention")?, peak: parameter("peak")? },
        "weibull_cdf" => Carry::WeibullCdf { shape: parameter("shape")?, scale: parameter("scale")? },
        "weibull_pdf" => Carry::WeibullPdf { shape: parameter("shape")?, scale: parameter("scale")? },
        _ => {
            let path = "adstock.weights";
            let rows = list(fields.get("weights").ok_or_else(|| malformed(path, "is missing"))?, path)?;
            let read = |(at, row): (usize, &Value)| {
                let path = format!("adstock.weights[{at}]");
                numbers(list(row, &path)?, &path, None)
            };
            Carry::Kernel(rows.iter().enumerate().map(read).collect::<Result<_>>()?)
        }
    };
    let max_lag = match &family {
        Carry::None => Some(1),
        Carry::Kernel(rows) => rows.iter().map(Vec::len).max(),
        Carry::Geometric { .. } => max_lag,
        _ if max_lag.is_none() => return Err(malformed("adstock.max_lag", "is missing")),
        _ => max_lag,
    };
    Ok(Adstock { family, max_lag, normalize: flag(fields, "normalize", "adstock.normalize")? })
}

impl SchedulePlan {
    /// The plan as JSON, with its proof: the fields of [`SchedulePlan`] by their names, matrices as rows of arms, infinite
    /// numbers as `null`.
    #[must_use]
    pub fn to_json(&self) -> String {
        let arms = self.arms();
        let rows = |values: &[f64]| json!(values.chunks(arms).collect::<Vec<_>>());
        json!({
            "version": VERSION,
            "names": self.names(),
            "periods": self.periods(),
            "status": self.status,
            "spend": rows(&self.spend),
            "adstocked": rows(&self.adstocked),
            "response": rows(&self.response),
            "arm_spend": self.arm_spend,
            "arm_response": self.arm_response,
            "period_spend": self.period_spend,
            "response_after": self.response_after,
            "response_after_share": self.response_after_share,
            "total_spend": self.total_spend,
            "total_response": self.total_response,
            "objective_value": self.objective_value,
            "upper_bound": self.upper_bound,
            "gap": self.gap,
            "shadow_price": self.shadow_price,
            "limits": self.limits,
            "proof": self.proof,
            "iterations": self.iterations,
            "elapsed": self.elapsed.as_secs_f64(),
        })
        .to_string()
    }
}

/// Infinite numbers become `null`.
fn plain(column: &Column) -> Value {
    match column {
        Column::Same(value) => json!(value),
        Column::Each(values) => json!(values),
    }
}

fn grid_value(grid: &Grid) -> Value {
    match grid {
        Grid::Arms(column) => plain(column),
        Grid::Rows(rows) => json!(rows),
    }
}

fn present<'v>(fields: &'v Map<String, Value>, name: &str) -> Option<&'v Value> {
    fields.get(name).filter(|value| !value.is_null())
}

fn list<'v>(value: &'v Value, path: &str) -> Result<&'v Vec<Value>> {
    value.as_array().ok_or_else(|| malformed(path, "must be a list"))
}

fn whole(value: &Value, path: &str) -> Result<usize> {
    let number = value.as_u64().and_then(|number| usize::try_from(number).ok());
    number.ok_or_else(|| malformed(path, "must be a whole number, 0 or more"))
}

fn flag(fields: &Map<String, Value>, name: &str, path: &str) -> Result<bool> {
    match present(fields, name) {
        None => Ok(false),
        Some(Value::Bool(flag)) => Ok(*flag),
        Some(_) => Err(malformed(path, "must be true or false")),
    }
}

fn number(fields: &Map<String, Value>, name: &str) -> Result<Option<f64>> {
    match present(fields, name) {
        None => Ok(None),
        Some(value) => value.as_f64().map(Some).ok_or_else(|| malformed(name, "must be a number or null")),
    }
}

/// Numbers; `null` stands for `none` where there is one.
fn numbers(items: &[Value], path: &str, none: Option<f64>) -> Result<Vec<f64>> {
    if items.is_empty() {
        return Err(Error::Empty { field: path.into() });
    }
    let read = |(at, item): (usize, &Value)| match (item, none) {
        (Value::Null, Some(none)) => Ok(none),
        _ => item.as_f64().ok_or_else(|| malformed(format!("{path}[{at}]"), "must be a number")),
    };
    items.iter().enumerate().map(read).collect()
}

fn column(fields: &Map<String, Value>, name: &str, path: &str, none: f64) -> Result<Column> {
    let nothing = Some(none).filter(|none| !none.is_nan());
    match present(fields, name) {
        None => Ok(Column::Same(none)),
        Some(Value::Array(items)) => Ok(Column::Each(numbers(items, path, nothing)?)),
        Some(value) => match value.as_f64() {
            Some(number) => Ok(Column::Same(number)),
            None => Err(malformed(path, "must be a number or a list of numbers")),
        },
    }
}

fn grid(fields: &Map<String, Value>, name: &str, none: f64) -> Result<Grid> {
    match present(fields, name) {
        Some(Value::Array(items)) if items.iter().any(Value::is_array) => {
            let read = |(at, row): (usize, &Value)| {
                let path = format!("{name}[{at}]");
                numbers(list(row, &path)?, &path, Some(none))
            };
            Ok(Grid::Rows(items.iter().enumerate().map(read).collect::<Result<_>>()?))
        }
        _ => column(fields, name, name, none).map(Grid::Arms),
    }
}
