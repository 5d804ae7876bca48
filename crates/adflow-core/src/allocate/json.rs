//! The versioned JSON of problems and plans.
//!
//! ```text
//! {"version": 1, "curves": {…}, "budget": 100 | null, "spend_all": false, "lower": 0 | [n], "upper": null | x | [x | null, …],
//!  "active_lower": null | x | [x | null, …], "value": 1 | [n], "current": null | [n], "names": null | [n],
//!  "objective": "response", "target": null | {"response" | "roas" | "cpa" | "marginal_roas": x},
//!  "groups": [{"name": "video", "members": [0, "search", "another group"], "lower": x, "upper": x, "share_lower": x, "share_upper": x}],
//!  "coupling": null | {"matrix": [{"arms": […], "coefficients": […]}, …], "upper": […], "names": null | […]},
//!  "activation_cost": 0 | [n], "max_active": null | k, "max_change": null | x | [n], "max_change_amount": null | x | [n],
//!  "max_moves": null | k, "move_cost": 0 | [n], "step": null | x | [n],
//!  "risk": null | {"cvar" | "mean_minus_std" | "probability": x}, "extrapolation": null | "cap" | penalty,
//!  "tolerance": 1e-6, "time_limit": null | seconds}
//! ```
//!
//! All but `version` and `curves` may be left out; a key that is not known is an error. Numbers that are infinite are
//! written as `null`.

use serde_json::{Map, Value, json};

use super::coupling::{Coupling, CouplingRow};
use super::goal::{Extrapolation, Objective, Risk, Target};
use super::group::{Group, Member};
use super::plan::Plan;
use super::problem::Problem;
use crate::curve::ResponseCurves;
use crate::curve::column::Column;
use crate::curve::json::{known_keys, malformed, names, object, parse, version};
use crate::error::{Error, Result};

const VERSION: u64 = 1;
const KEYS: [&str; 25] = [
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
    "objective",
    "target",
    "groups",
    "coupling",
    "activation_cost",
    "max_active",
    "max_change",
    "max_change_amount",
    "max_moves",
    "move_cost",
    "step",
    "risk",
    "extrapolation",
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
        read_goals(&mut problem, fields)?;
        read_limits(&mut problem, fields)?;
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
            "objective": self.objective,
            "target": self.target,
            "groups": self.groups.iter().map(group_value).collect::<Vec<_>>(),
            "coupling": coupling_value(&self.coupling),
            "activation_cost": plain(&self.activation_cost),
            "max_active": self.max_active,
            "max_change": optional(&self.max_change, f64::INFINITY),
            "max_change_amount": optional(&self.max_change_amount, f64::INFINITY),
            "max_moves": self.max_moves,
            "move_cost": plain(&self.move_cost),
            "step": optional(&self.step, 0.0),
            "risk": self.risk,
            "extrapolation": match self.extrapolation {
                None => Value::Null,
                Some(Extrapolation::Cap) => json!("cap"),
                Some(Extrapolation::Penalty(penalty)) => json!(penalty),
            },
            "tolerance": self.tolerance,
            "time_limit": self.time_limit,
        })
        .to_string()
    }
}

fn group_value(group: &Group) -> Value {
    let member = |member: &Member| match member {
        Member::Arm(arm) => json!(arm),
        Member::Name(name) => json!(name),
    };
    json!({
        "name": group.name,
        "members": group.members.iter().map(member).collect::<Vec<_>>(),
        "lower": group.lower,
        "upper": group.upper,
        "share_lower": group.share_lower,
        "share_upper": group.share_upper,
    })
}

fn coupling_value(coupling: &Coupling) -> Value {
    let rows = &coupling.rows;
    if rows.is_empty() {
        return Value::Null;
    }
    let row = |row: &CouplingRow| {
        let (arms, coefficients): (Vec<usize>, Vec<f64>) = row.terms.iter().copied().unzip();
        json!({"arms": arms, "coefficients": coefficients})
    };
    json!({
        "matrix": rows.iter().map(row).collect::<Vec<_>>(),
        "upper": rows.iter().map(|row| row.upper).collect::<Vec<_>>(),
        "names": rows.iter().map(|row| row.name.clone()).collect::<Vec<_>>(),
    })
}

fn read_goals(problem: &mut Problem, fields: &Map<String, Value>) -> Result<()> {
    if let Some(name) = present(fields, "objective") {
        problem.objective = name
            .as_str()
            .and_then(Objective::from_name)
            .ok_or_else(|| malformed("objective", "must be \"response\", \"profit\" or \"spend\""))?;
    }
    if let Some((name, level)) = one_of(fields, "target")? {
        let reason = "must have one key: \"response\", \"roas\", \"cpa\" or \"marginal_roas\"";
        problem.target = Some(Target::from_name(name, level).ok_or_else(|| malformed("target", reason))?);
    }
    if let Some((name, level)) = one_of(fields, "risk")? {
        let reason = "must have one key: \"cvar\", \"mean_minus_std\" or \"probability\"";
        problem.risk = Some(Risk::from_name(name, level).ok_or_else(|| malformed("risk", reason))?);
    }
    problem.extrapolation = match present(fields, "extrapolation") {
        None => None,
        Some(Value::String(word)) if word == "cap" => Some(Extrapolation::Cap),
        Some(Value::Number(_)) => number(fields, "extrapolation")?.map(Extrapolation::Penalty),
        Some(_) => return Err(malformed("extrapolation", "must be \"cap\" or a number")),
    };
    Ok(())
}

fn read_limits(problem: &mut Problem, fields: &Map<String, Value>) -> Result<()> {
    problem.activation_cost = column(fields, "activation_cost", 0.0)?;
    problem.max_active = count(fields, "max_active")?;
    problem.max_change = column(fields, "max_change", f64::INFINITY)?;
    problem.max_change_amount = column(fields, "max_change_amount", f64::INFINITY)?;
    problem.max_moves = count(fields, "max_moves")?;
    problem.move_cost = column(fields, "move_cost", 0.0)?;
    problem.step = column(fields, "step", 0.0)?;
    if let Some(groups) = present(fields, "groups") {
        let groups = list(groups, "groups")?;
        let read = |(at, group)| read_group(group, &format!("groups[{at}]"));
        problem.groups = groups.iter().enumerate().map(read).collect::<Result<_>>()?;
    }
    if let Some(coupling) = present(fields, "coupling") {
        problem.coupling = read_coupling(coupling)?;
    }
    Ok(())
}

fn read_group(value: &Value, path: &str) -> Result<Group> {
    let fields = object(value, path)?;
    known_keys(fields, path, &["name", "members", "lower", "upper", "share_lower", "share_upper"])?;
    let at = |key: &str| format!("{path}.{key}");
    let name = fields.get("name").and_then(Value::as_str);
    let name = name.ok_or_else(|| malformed(at("name"), "must be a string"))?;
    let members = fields.get("members").ok_or_else(|| malformed(at("members"), "is missing"))?;
    let members = list(members, &at("members"))?.iter().enumerate().map(|(position, member)| match member {
        Value::String(name) => Ok(Member::Name(name.clone())),
        _ => index(member, &format!("{path}.members[{position}]")).map(Member::Arm),
    });
    let bound = |key: &str| match present(fields, key) {
        None => Ok(None),
        Some(value) => value.as_f64().map(Some).ok_or_else(|| malformed(at(key), "must be a number or null")),
    };
    Ok(Group {
        name: name.into(),
        members: members.collect::<Result<_>>()?,
        lower: bound("lower")?,
        upper: bound("upper")?,
        share_lower: bound("share_lower")?,
        share_upper: bound("share_upper")?,
    })
}

fn read_coupling(value: &Value) -> Result<Coupling> {
    let fields = object(value, "coupling")?;
    known_keys(fields, "coupling", &["matrix", "upper", "names"])?;
    let part = |key: &str| {
        let path = format!("coupling.{key}");
        list(fields.get(key).ok_or_else(|| malformed(&path, "is missing"))?, &path)
    };
    let uppers = part("upper")?;
    let matrix = part("matrix")?;
    let names = match present(fields, "names") {
        None => None,
        Some(names) => Some(list(names, "coupling.names")?),
    };
    let mismatch =
        |field: &str, actual| Error::LengthMismatch { field: field.into(), expected: uppers.len(), actual };
    if matrix.len() != uppers.len() {
        return Err(mismatch("coupling.matrix", matrix.len()));
    }
    if let Some(names) = names.filter(|names| names.len() != uppers.len()) {
        return Err(mismatch("coupling.names", names.len()));
    }
    let mut coupling = Coupling::new();
    for (r, (row, upper)) in matrix.iter().zip(uppers).enumerate() {
        let path = format!("coupling.matrix[{r}]");
        let row = object(row, &path)?;
        known_keys(row, &path, &["arms", "coefficients"])?;
        let entries = |key: &str| {
            let path = format!("{path}.{key}");
            list(row.get(key).ok_or_else(|| malformed(&path, "is missing"))?, &path)
        };
        let (arms, coefficients) = (entries("arms")?, entries("coefficients")?);
        if arms.len() != coefficients.len() {
            let field = format!("{path}.coefficients");
            return Err(Error::LengthMismatch { field, expected: arms.len(), actual: coefficients.len() });
        }
        let terms = arms.iter().zip(coefficients).enumerate().map(|(at, (arm, coefficient))| {
            let arm = index(arm, &format!("{path}.arms[{at}]"))?;
            let coefficient = coefficient.as_f64();
            let wrong = || malformed(format!("{path}.coefficients[{at}]"), "must be a number");
            Ok((arm, coefficient.ok_or_else(wrong)?))
        });
        let terms = terms.collect::<Result<_>>()?;
        let name = match names.map(|names| &names[r]) {
            None | Some(Value::Null) => None,
            Some(Value::String(name)) => Some(name.clone()),
            Some(_) => return Err(malformed(format!("coupling.names[{r}]"), "must be a string or null")),
        };
        let upper = upper.as_f64();
        let upper = upper.ok_or_else(|| malformed(format!("coupling.upper[{r}]"), "must be a number"))?;
        coupling.rows.push(CouplingRow { name, terms, upper });
    }
    Ok(coupling)
}

fn present<'v>(fields: &'v Map<String, Value>, name: &str) -> Option<&'v Value> {
    fields.get(name).filter(|value| !value.is_null())
}

fn list<'v>(value: &'v Value, path: &str) -> Result<&'v Vec<Value>> {
    value.as_array().ok_or_else(|| malformed(path, "must be a list"))
}

fn index(value: &Value, path: &str) -> Result<usize> {
    let index = value.as_u64().and_then(|index| usize::try_from(index).ok());
    index.ok_or_else(|| malformed(path, "must be a whole number, 0 or more"))
}

fn count(fields: &Map<String, Value>, name: &str) -> Result<Option<usize>> {
    present(fields, name).map(|value| index(value, name)).transpose()
}

/// An object with one key and a number: {"roas": 3.0}.
fn one_of<'v>(fields: &'v Map<String, Value>, name: &str) -> Result<Option<(&'v str, f64)>> {
    let Some(value) = present(fields, name) else { return Ok(None) };
    let choice = object(value, name)?;
    let mut keys = choice.iter();
    match (keys.next(), keys.next()) {
        (Some((key, value)), None) => match value.as_f64() {
            Some(level) => Ok(Some((key, level))),
            None => Err(malformed(format!("{name}.{key}"), "must be a number")),
        },
        _ => Err(malformed(name, "must be an object with one key")),
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
            "limits": self.limits,
            "rounding_loss": self.rounding_loss,
            "fingerprint": format!("{:016x}", self.fingerprint),
            "outcome": self.outcome(),
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
