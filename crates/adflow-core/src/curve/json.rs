//! The versioned JSON of a set of curves.
//!
//! ```text
//! {"version": 1, "names": null | [n], "observed_spend": null | [[smallest, largest | null], …], "curves": [segment, …]}
//! segment = {"family": "hill", "arms": 2, "beta": [1, 2], "half_saturation": 3, "slope": 1.5,
//!            "offset": 0, "keep_offset_response": false, "cost_per_unit": 1, "value_per_response": 1,
//!            "price_power": 0 | [arms], "price_tiers": null | {"spend_breaks": [points] | [arms][points], "prices": …}}
//! ```
//!
//! Segments follow one another in the order of the arms. A parameter is a number, `[arms]`, `[draws][arms]` or
//! `[draws][terms][arms]`; a tabulated segment has `"spend": [points] | [arms][points]` and `"response":
//! [arms][points] | [draws][arms][points]`. All but `family` and its parameters may be left out.

use std::ops::Range;
use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::column::Column;
use super::kind::Kind;
use super::parameter::Parameter;
use super::price::Tiers;
use super::priced::Rule;
use super::{Family, ResponseCurves, Set};
use crate::error::{Error, Result};

const VERSION: u64 = 1;
/// Most arms of a segment of numbers: a short text must not ask for more memory than there is.
const MOST_ARMS: usize = 10_000_000;
const TRANSFORMS: [&str; 6] =
    ["offset", "keep_offset_response", "cost_per_unit", "value_per_response", "price_power", "price_tiers"];

impl ResponseCurves {
    /// The curves as JSON; [`from_json`](Self::from_json) gives back the same bits.
    #[must_use]
    pub fn to_json(&self) -> String {
        self.to_value().to_string()
    }

    /// Reads what [`to_json`](Self::to_json) wrote, or a document of the same form written by hand.
    ///
    /// # Errors
    /// [`Error::Malformed`] with the path of what is wrong, and whatever the constructors say.
    pub fn from_json(json: &str) -> Result<Self> {
        Self::from_value(&parse(json)?, "curves")
    }

    pub(crate) fn to_value(&self) -> Value {
        let set = &*self.set;
        // Prices are told as such, not as the curves that they made.
        let (before, rules) = match &set.prices {
            Some(prices) => (&prices.before, &prices.rules[..]),
            None => (set, &[][..]),
        };
        let mut segments = Vec::new();
        let mut start = 0;
        while start < set.arms {
            let (family, range) = before.run(start..set.arms);
            // A keep flag and tiers are one per segment.
            let keeps = |arm: usize| set.keeps_offset.at(arm) > 0.0;
            let tiers = |arm: usize| match rules.get(arm) {
                Some(Rule::Tiers(numbers)) => Some(numbers),
                _ => None,
            };
            let other = |&arm: &usize| keeps(arm) != keeps(start) || tiers(arm) != tiers(start);
            let end = range.clone().find(other).unwrap_or(range.end);
            let mut fields = segment(before, family, start..end);
            fields.insert("keep_offset_response".into(), json!(keeps(start)));
            fields.insert("value_per_response".into(), column_value(&set.value, start..end));
            if let Some(numbers) = tiers(start) {
                let (breaks, prices) = Tiers::told(numbers);
                fields.insert("price_tiers".into(), json!({"spend_breaks": breaks, "prices": prices}));
            } else if let Some(rules) =
                rules.get(start..end).filter(|rules| rules.iter().any(|r| *r != Rule::Fixed))
            {
                let power = |rule: &Rule| if let Rule::Power(p) = rule { *p } else { 0.0 };
                fields.insert("price_power".into(), json!(rules.iter().map(power).collect::<Vec<_>>()));
            }
            segments.push(Value::Object(fields));
            start = end;
        }
        let finite = |&(low, high): &(f64, f64)| [Some(low), Some(high).filter(|high| high.is_finite())];
        let observed = set.observed.as_ref().map(|all| all.iter().map(finite).collect::<Vec<_>>());
        json!({"version": VERSION, "names": set.names, "observed_spend": observed, "curves": segments})
    }

    pub(crate) fn from_value(value: &Value, path: &str) -> Result<Self> {
        let document = object(value, path)?;
        known_keys(document, path, &["version", "names", "observed_spend", "curves"])?;
        version(document, path, VERSION)?;
        let Some(Value::Array(segments)) = document.get("curves") else {
            return Err(malformed(format!("{path}.curves"), "must be a list of segments"));
        };
        let sets = segments
            .iter()
            .enumerate()
            .map(|(at, segment)| read_segment(segment, &format!("{path}.curves[{at}]")))
            .collect::<Result<Vec<_>>>()?;
        let mut curves = Self::concat(&sets)?;
        if let Some(observed) = observed(document.get("observed_spend"), &format!("{path}.observed_spend"))? {
            curves = curves.with_observed_spend(&observed).map_err(|error| within(error, path))?;
        }
        match names(document.get("names"), &format!("{path}.names"))? {
            Some(names) => curves.with_names(names),
            None => Ok(curves),
        }
    }
}

fn column_value(column: &Column, range: Range<usize>) -> Value {
    match column.slice(range) {
        Column::Same(value) => json!(value),
        Column::Each(values) => json!(values),
    }
}

/// The family of a run of arms, its parameters and what stands between them and money at a fixed price.
fn segment(set: &Set, family: Family, range: Range<usize>) -> Map<String, Value> {
    let column = |column: &Column| column_value(column, range.clone());
    let mut fields = Map::new();
    match family {
        Family::Shape(kind) => {
            fields.insert("family".into(), json!(kind.name()));
            for (&(name, _), parameter) in kind.parameters().iter().zip(&set.parameters) {
                fields.insert(name.into(), column(parameter));
            }
            fields.insert("offset".into(), column(&set.offset));
            fields.insert("cost_per_unit".into(), column(&set.cost));
        }
        Family::Mixture(at) => {
            let mixture = &set.mixtures[at as usize];
            let nested = |values: &[f64]| {
                if values.iter().all(|value| value.to_bits() == values[0].to_bits()) {
                    return json!(values[0]);
                }
                let rows = values.chunks(mixture.terms);
                json!(rows.map(|row| row.iter().map(|value| [value]).collect::<Vec<_>>()).collect::<Vec<_>>())
            };
            fields.insert("family".into(), json!(mixture.kind.name()));
            for (&(name, _), values) in mixture.kind.parameters().iter().zip(&mixture.elements) {
                fields.insert(name.into(), nested(values));
            }
            // At least one parameter must show the number of draws and terms.
            let shown = mixture.kind.parameters().iter().any(|&(name, _)| fields[name].is_array());
            let [_, _, _, cost, offset, _] = &mixture.elements;
            fields.insert("offset".into(), nested(offset));
            fields.insert("cost_per_unit".into(), nested(cost));
            if !shown {
                let beta = &mixture.elements[0];
                let rows: Vec<Vec<[f64; 1]>> =
                    beta.chunks(mixture.terms).map(|row| row.iter().map(|&b| [b]).collect()).collect();
                fields.insert(mixture.kind.parameters()[0].0.into(), json!(rows));
            }
        }
        Family::Table(at) => {
            let table = &set.tables[at as usize];
            fields.insert("family".into(), json!("tabulated"));
            fields.insert("spend".into(), json!(table.spend));
            let draws: Vec<[&Vec<f64>; 1]> = table.draws.iter().map(|row| [row]).collect();
            let response = if draws.len() == 1 { json!(draws[0]) } else { json!(draws) };
            fields.insert("response".into(), response);
            fields.insert("offset".into(), json!(table.offset));
            fields.insert("cost_per_unit".into(), json!(table.cost));
        }
    }
    fields.insert("arms".into(), json!(range.len()));
    fields
}

fn read_segment(value: &Value, path: &str) -> Result<ResponseCurves> {
    let fields = object(value, path)?;
    let Some(Value::String(family)) = fields.get("family") else {
        return Err(malformed(format!("{path}.family"), "must be the name of a family"));
    };
    let arms = match fields.get("arms") {
        None | Some(Value::Null) => None,
        Some(arms) => match arms.as_u64().and_then(|arms| usize::try_from(arms).ok()) {
            Some(arms) if (1..=MOST_ARMS).contains(&arms) => Some(arms),
            _ => {
                return Err(malformed(
                    format!("{path}.arms"),
                    format!("must be a whole number from 1 to {MOST_ARMS}"),
                ));
            }
        },
    };
    let curves = if family == "tabulated" {
        known_keys(fields, path, &[&["family", "arms", "spend", "response"][..], &TRANSFORMS].concat())?;
        let spend = nested(fields.get("spend"), &format!("{path}.spend"))?;
        let response = nested(fields.get("response"), &format!("{path}.response"))?;
        let spend = match spend {
            Nested::Row(row) => vec![row],
            Nested::Rows(rows) => rows,
            _ => return Err(malformed(format!("{path}.spend"), "must be [points] or [arms][points]")),
        };
        match response {
            Nested::Row(row) => ResponseCurves::tabulated(&spend, &[row]),
            Nested::Rows(rows) => ResponseCurves::tabulated(&spend, &rows),
            Nested::Blocks(draws) => ResponseCurves::tabulated_draws(&spend, &draws),
            Nested::Number(_) => {
                Err(malformed(format!("{path}.response"), "must be [arms][points] or [draws][arms][points]"))
            }
        }
    } else {
        let Some(kind) = Kind::named(family) else {
            return Err(malformed(format!("{path}.family"), format!("no family is called {family:?}")));
        };
        let names = kind.parameters().iter().map(|&(name, _)| name);
        let keys: Vec<&str> = ["family", "arms"].into_iter().chain(names).chain(TRANSFORMS).collect();
        known_keys(fields, path, &keys)?;
        let mut parameters = kind
            .parameters()
            .iter()
            .map(|&(name, _)| parameter(fields.get(name), &format!("{path}.{name}")))
            .collect::<Result<Vec<_>>>()?;
        // A segment of numbers alone takes its length from `arms`.
        let alone = parameters.iter().all(|parameter| parameter.arms.is_none_or(|own| own == 1));
        let repeats = arms.filter(|&arms| alone && arms > 1).unwrap_or(1);
        let certain = parameters.iter().all(|parameter| parameter.draws * parameter.terms == 1);
        if repeats > 1 && !certain {
            let (draws, terms) = (parameters[0].draws, parameters[0].terms);
            let first = &parameters[0].values;
            let values = first.iter().flat_map(|&value| std::iter::repeat_n(value, repeats)).collect();
            parameters[0] = Parameter { draws, terms, arms: Some(repeats), values };
        }
        ResponseCurves::of(kind, parameters).map(|mut curves| {
            if repeats > 1 && certain {
                Arc::make_mut(&mut curves.set).arms = repeats;
            }
            curves
        })
    }
    .map_err(|error| within(error, path))?;
    if let Some(arms) = arms.filter(|&arms| arms != curves.len()) {
        let field = format!("{path}.arms");
        return Err(Error::LengthMismatch { field, expected: curves.len(), actual: arms });
    }
    transforms(fields, path, curves)
}

fn transforms(fields: &Map<String, Value>, path: &str, mut curves: ResponseCurves) -> Result<ResponseCurves> {
    let given = |name: &str| fields.get(name).filter(|value| !value.is_null());
    if let Some(value) = given("cost_per_unit") {
        let cost = parameter(Some(value), &format!("{path}.cost_per_unit"))?;
        curves = curves.with_cost_per_unit(cost).map_err(|error| within(error, path))?;
    }
    let keep = match given("keep_offset_response") {
        None => false,
        Some(Value::Bool(keep)) => *keep,
        Some(_) => return Err(malformed(format!("{path}.keep_offset_response"), "must be true or false")),
    };
    let offset = match given("offset") {
        None => Parameter::from(0.0),
        Some(value) => parameter(Some(value), &format!("{path}.offset"))?,
    };
    if keep || given("offset").is_some() {
        curves = curves.with_offset(offset, keep).map_err(|error| within(error, path))?;
    }
    if let Some(value) = given("value_per_response") {
        let value = parameter(Some(value), &format!("{path}.value_per_response"))?;
        curves = curves.with_value_per_response(value).map_err(|error| within(error, path))?;
    }
    if let Some(power) = given("price_power") {
        let power = parameter(Some(power), &format!("{path}.price_power"))?;
        curves = curves.with_price_power(power).map_err(|error| within(error, path))?;
    }
    if let Some(tiers) = given("price_tiers") {
        let path = format!("{path}.price_tiers");
        let tiers = object(tiers, &path)?;
        known_keys(tiers, &path, &["spend_breaks", "prices"])?;
        let breaks = point_rows(tiers.get("spend_breaks"), &format!("{path}.spend_breaks"))?;
        let prices = point_rows(tiers.get("prices"), &format!("{path}.prices"))?;
        curves = curves.with_price_tiers(&breaks, &prices).map_err(|error| within(error, &path))?;
    }
    Ok(curves)
}

/// Rows of numbers that may differ in length, or one row; a row may be empty.
fn point_rows(value: Option<&Value>, path: &str) -> Result<Vec<Vec<f64>>> {
    let Some(items) = value.and_then(Value::as_array) else {
        return Err(malformed(path, "must be [points] or [arms][points]"));
    };
    if items.first().is_some_and(Value::is_array) { rows(items, path) } else { Ok(vec![row(items, path)?]) }
}

/// Puts the path of a document before the field that a constructor named.
pub(crate) fn within(error: Error, path: &str) -> Error {
    let at = |field: String| format!("{path}.{field}");
    match error {
        Error::NotFinite { field, value } => Error::NotFinite { field: at(field), value },
        Error::OutOfDomain { field, expected, value } => {
            Error::OutOfDomain { field: at(field), expected, value }
        }
        Error::Empty { field } => Error::Empty { field: at(field) },
        Error::LengthMismatch { field, expected, actual } => {
            Error::LengthMismatch { field: at(field), expected, actual }
        }
        other => other,
    }
}

/// Numbers, nested up to three deep.
enum Nested {
    Number(f64),
    Row(Vec<f64>),
    Rows(Vec<Vec<f64>>),
    Blocks(Vec<Vec<Vec<f64>>>),
}

fn nested(value: Option<&Value>, path: &str) -> Result<Nested> {
    const EXPECTED: &str = "must be a number or nested lists of numbers of one depth";
    match value {
        Some(Value::Number(number)) => Ok(Nested::Number(number.as_f64().unwrap_or(f64::NAN))),
        Some(Value::Array(items)) => match items.first() {
            None => Err(Error::Empty { field: path.into() }),
            Some(first) => {
                let depth = 1 + depth(first);
                match depth {
                    1 => Ok(Nested::Row(row(items, path)?)),
                    2 => Ok(Nested::Rows(rows(items, path)?)),
                    3 => Ok(Nested::Blocks(
                        items
                            .iter()
                            .enumerate()
                            .map(|(at, item)| {
                                let path = format!("{path}[{at}]");
                                rows(item.as_array().ok_or_else(|| malformed(&path, EXPECTED))?, &path)
                            })
                            .collect::<Result<_>>()?,
                    )),
                    _ => Err(malformed(path, EXPECTED)),
                }
            }
        },
        Some(Value::Null) | None => Err(malformed(path, "is missing")),
        Some(_) => Err(malformed(path, EXPECTED)),
    }
}

/// Depth of nesting along first items; no deeper than 4.
fn depth(value: &Value) -> usize {
    let mut value = value;
    let mut depth = 0;
    while let Value::Array(items) = value {
        depth += 1;
        match items.first() {
            Some(first) if depth < 4 => value = first,
            _ => break,
        }
    }
    depth
}

fn row(items: &[Value], path: &str) -> Result<Vec<f64>> {
    items
        .iter()
        .enumerate()
        .map(|(at, item)| item.as_f64().ok_or_else(|| malformed(format!("{path}[{at}]"), "must be a number")))
        .collect()
}

fn rows(items: &[Value], path: &str) -> Result<Vec<Vec<f64>>> {
    items
        .iter()
        .enumerate()
        .map(|(at, item)| {
            let path = format!("{path}[{at}]");
            row(item.as_array().ok_or_else(|| malformed(&path, "must be a list of numbers"))?, &path)
        })
        .collect()
}

/// A parameter from `number | [arms] | [draws][arms] | [draws][terms][arms]`.
pub(crate) fn parameter(value: Option<&Value>, path: &str) -> Result<Parameter> {
    let ragged =
        |expected: usize, actual: usize| Error::LengthMismatch { field: path.into(), expected, actual };
    match nested(value, path)? {
        Nested::Number(number) => Ok(number.into()),
        Nested::Row(row) => Ok(row.into()),
        Nested::Rows(rows) => {
            let arms = rows[0].len();
            if let Some(row) = rows.iter().find(|row| row.len() != arms) {
                return Err(ragged(arms, row.len()));
            }
            Parameter::draws(rows.len(), arms, rows.concat()).map_err(|error| renamed(error, path))
        }
        Nested::Blocks(blocks) => {
            let terms = blocks[0].len();
            let arms = blocks[0].first().map_or(0, Vec::len);
            for block in &blocks {
                if block.len() != terms {
                    return Err(ragged(terms, block.len()));
                }
                if let Some(row) = block.iter().find(|row| row.len() != arms) {
                    return Err(ragged(arms, row.len()));
                }
            }
            let values = blocks.iter().map(|block| block.concat()).collect::<Vec<_>>().concat();
            Parameter::terms(blocks.len(), terms, arms, values).map_err(|error| renamed(error, path))
        }
    }
}

fn renamed(error: Error, path: &str) -> Error {
    match error {
        Error::Empty { .. } => Error::Empty { field: path.into() },
        Error::LengthMismatch { expected, actual, .. } => {
            Error::LengthMismatch { field: path.into(), expected, actual }
        }
        other => other,
    }
}

pub(crate) fn parse(json: &str) -> Result<Value> {
    serde_json::from_str(json).map_err(|error| malformed("$", error.to_string()))
}

pub(crate) fn object<'a>(value: &'a Value, path: &str) -> Result<&'a Map<String, Value>> {
    value.as_object().ok_or_else(|| malformed(path, "must be an object"))
}

pub(crate) fn known_keys(fields: &Map<String, Value>, path: &str, keys: &[&str]) -> Result<()> {
    match fields.keys().find(|key| !keys.contains(&key.as_str())) {
        Some(key) => {
            Err(malformed(format!("{path}.{key}"), format!("is not known; known are {}", keys.join(", "))))
        }
        None => Ok(()),
    }
}

pub(crate) fn version(fields: &Map<String, Value>, path: &str, known: u64) -> Result<()> {
    match fields.get("version").and_then(Value::as_u64) {
        Some(version) if version == known => Ok(()),
        _ => Err(malformed(format!("{path}.version"), format!("must be {known}"))),
    }
}

pub(crate) fn names(value: Option<&Value>, path: &str) -> Result<Option<Vec<String>>> {
    match value {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Array(items)) => items
            .iter()
            .enumerate()
            .map(|(at, item)| {
                let name =
                    item.as_str().ok_or_else(|| malformed(format!("{path}[{at}]"), "must be a text"))?;
                Ok(name.to_string())
            })
            .collect::<Result<_>>()
            .map(Some),
        Some(_) => Err(malformed(path, "must be a list of names")),
    }
}

/// `null`, or `[smallest, largest]` per arm, with `null` for a largest that is not known.
fn observed(value: Option<&Value>, path: &str) -> Result<Option<Vec<(f64, f64)>>> {
    let items = match value {
        None | Some(Value::Null) => return Ok(None),
        Some(Value::Array(items)) => items,
        Some(_) => return Err(malformed(path, "must be a list of [smallest, largest]")),
    };
    let pair = |(at, item): (usize, &Value)| {
        let pair = item.as_array().filter(|pair| pair.len() == 2).and_then(|pair| {
            let largest = if pair[1].is_null() { Some(f64::INFINITY) } else { pair[1].as_f64() };
            Some((pair[0].as_f64()?, largest?))
        });
        pair.ok_or_else(|| malformed(format!("{path}[{at}]"), "must be [smallest, largest]"))
    };
    items.iter().enumerate().map(pair).collect::<Result<_>>().map(Some)
}

pub(crate) fn malformed(path: impl Into<String>, reason: impl Into<String>) -> Error {
    Error::Malformed { path: path.into(), reason: reason.into() }
}
