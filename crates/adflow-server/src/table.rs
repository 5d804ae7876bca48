//! A table of campaigns as CSV, one arm a row, becomes a problem.

use adflow_core::{Problem, ResponseCurves};

use crate::cells::{Cells, Error};

/// The columns of a table, as `adflow allocate --help` tells them.
pub const HELP: &str = "\
Columns of a CSV, in any order; an empty cell is not given:
  name, platform             what the arm is called, and where it runs (optional)
  group                      the group it belongs to, for --group-upper and the like (optional)
  curve                      linear, logarithmic, power, exponential, michaelis_menten, hill,
                             logistic, tanh or hill_sigmoid
  beta, half_saturation, slope, scale, exponent, lam, b, c, sigma
                             the parameters of that curve
  offset, cost_per_unit, value_per_response
                             carry-over, price of exposure, factor on the response (optional)
  price_power                p, 0 to 10: u units cost cost_per_unit times u^p each on average, the
                             price rises with what is bought (optional; 0, the price stays)
  lower, upper               bounds on the spend
  active_lower               spend nothing, or at least this
  value                      what one unit of response is worth
  current                    today's spend, for the before and after, --max-change and --max-moves

`adflow allocate --example` prints a table that works.";

/// Twelve made-up campaigns on four platforms; spend is dollars a week, response conversions, value dollars each.
pub const EXAMPLE: &str = include_str!("../campaigns.csv");

/// The families that one row of numbers can tell.
const CURVES: [&str; 9] = [
    "linear",
    "logarithmic",
    "power",
    "exponential",
    "michaelis_menten",
    "hill",
    "logistic",
    "tanh",
    "hill_sigmoid",
];
const PARAMETERS: [&str; 13] = [
    "beta",
    "half_saturation",
    "slope",
    "scale",
    "exponent",
    "lam",
    "b",
    "c",
    "sigma",
    "offset",
    "cost_per_unit",
    "value_per_response",
    "price_power",
];
const LIMITS: [&str; 5] = ["lower", "upper", "active_lower", "value", "current"];
const TEXTS: [&str; 4] = ["name", "platform", "group", "curve"];

/// A table that was read.
#[derive(Debug, Clone)]
pub struct Campaigns {
    /// The problem, without a budget yet.
    pub problem: Problem,
    /// Where each arm runs, where the table says.
    pub platforms: Option<Vec<String>>,
    /// The group of each arm, where the table has groups; empty for none.
    pub groups: Option<Vec<String>>,
    names: Vec<String>,
    current: bool,
    file: String,
    /// Line of the file for each arm.
    lines: Vec<u64>,
}

/// Reads a table; `file` is what errors call it.
///
/// # Errors
/// [`Error`], with the line and the column of what cannot be used.
pub fn read(file: &str, text: &str) -> Result<Campaigns, Error> {
    let table = parse(file, text)?;
    let names = table.texts("name")?;
    let families = table.texts("curve")?;
    if let Some(row) = families.iter().position(|family| !CURVES.contains(&family.as_str())) {
        let reason = format!("must be one of {}, got `{}`", CURVES.join(", "), families[row]);
        return Err(table.error(Some(table.lines[row]), Some("curve"), reason));
    }
    let families: Vec<&str> = families.iter().map(String::as_str).collect();
    let texts_of = |column| table.position(column).map(|_| table.optional_texts(column));
    let (platforms, groups) = (texts_of("platform"), texts_of("group"));

    let parameters = numbers(&table, &PARAMETERS)?;
    let parameters: Vec<(&str, &[f64])> =
        parameters.iter().map(|(name, values)| (*name, values.as_slice())).collect();
    let located = |error| locate(&table.file, &table.lines, &names, error);
    let curves = ResponseCurves::from_columns(&families, &parameters).map_err(located)?;
    let mut problem = Problem::new(curves).names(names.clone()).map_err(located)?;

    let mut current = false;
    for (column, values) in numbers(&table, &LIMITS)? {
        let or =
            |default: f64| values.iter().map(|x| if x.is_nan() { default } else { *x }).collect::<Vec<_>>();
        problem = match column {
            "lower" => problem.lower(or(0.0)),
            "upper" => problem.upper(or(f64::INFINITY)),
            "active_lower" => problem.active_lower(or(0.0)),
            "value" => problem.value(or(1.0)),
            // Where no arm states its spend of today there is nothing to compare with.
            _ if values.iter().all(|x| x.is_nan()) => problem,
            _ => {
                current = true;
                problem.current(or(0.0))
            }
        };
    }
    let Cells { file, lines, .. } = table;
    Ok(Campaigns { problem, platforms, groups, names, current, file, lines })
}

impl Campaigns {
    /// Whether the table says what is spent today.
    #[must_use]
    pub fn has_current(&self) -> bool {
        self.current
    }

    /// An error of the engine, at its place in the table.
    #[must_use]
    pub fn locate(&self, error: adflow_core::Error) -> Error {
        locate(&self.file, &self.lines, &self.names, error)
    }
}

fn parse(file: &str, text: &str) -> Result<Cells, Error> {
    let mut cells = Cells::parse(file, text)?;
    cells.header.iter_mut().for_each(|name| *name = name.to_lowercase());
    let known = || TEXTS.iter().chain(&PARAMETERS).chain(&LIMITS);
    for (at, column) in cells.header.iter().enumerate() {
        if !known().any(|name| name == column) {
            let names = known().copied().collect::<Vec<_>>().join(", ");
            return Err(cells.error(Some(1), Some(column), format!("must be one of {names}")));
        }
        if cells.header[..at].contains(column) {
            return Err(cells.error(Some(1), Some(column), "must stand once, got it twice"));
        }
    }
    for column in ["name", "curve"] {
        if cells.position(column).is_none() {
            return Err(cells.error(Some(1), Some(column), "must be there, got no such column"));
        }
    }
    if cells.rows.is_empty() {
        return Err(cells.error(None, None, "must have a row for every campaign, got none"));
    }
    Ok(cells)
}

/// The columns of numbers that a table has; NaN where a cell is empty.
fn numbers(cells: &Cells, names: &[&'static str]) -> Result<Vec<(&'static str, Vec<f64>)>, Error> {
    let present = names.iter().filter_map(|&name| Some((name, cells.position(name)?)));
    present.map(|(name, at)| Ok((name, cells.numbers(at)?))).collect()
}

/// The engine names `upper[3]`; a table has lines and columns.
fn locate(file: &str, lines: &[u64], names: &[String], error: adflow_core::Error) -> Error {
    use adflow_core::Error as Core;
    let at = |field: &str, reason: String| {
        let (column, row) = match field.split_once('[') {
            Some((column, rest)) => (column, rest.trim_end_matches(']').parse::<usize>().ok()),
            None => (field, None),
        };
        let line = row.and_then(|row| lines.get(row)).copied();
        Error { file: file.into(), line, column: Some(column.into()), reason }
    };
    let plain = |line: Option<u64>, reason: String| Error { file: file.into(), line, column: None, reason };
    match error {
        Core::NotFinite { field, value } => at(&field, format!("must be finite, got {value}")),
        Core::OutOfDomain { field, expected, value } => {
            at(&field, format!("must be {expected}, got {value}"))
        }
        Core::Malformed { path, reason } => at(&path, reason),
        Core::LowerAboveUpper { ref arm, .. } => {
            let line = names.iter().position(|name| name == arm).map(|row| lines[row]);
            plain(line, error.to_string())
        }
        Core::DuplicateName { name, first, second } => {
            at(&format!("name[{second}]"), format!("must be unlike {name:?} on line {}", lines[first]))
        }
        other => plain(None, other.to_string()),
    }
}
