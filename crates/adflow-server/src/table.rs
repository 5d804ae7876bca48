//! A table of campaigns as CSV, one arm a row, becomes a problem.

use std::fmt;

use adflow_core::{Problem, ResponseCurves};

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

/// What is wrong with a table, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error {
    file: String,
    line: Option<u64>,
    column: Option<String>,
    reason: String,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.file)?;
        if let Some(line) = self.line {
            write!(f, ", line {line}")?;
        }
        if let Some(column) = &self.column {
            write!(f, ", column `{column}`")?;
        }
        write!(f, ": {}", self.reason)
    }
}

impl std::error::Error for Error {}

/// Reads a table; `file` is what errors call it.
///
/// # Errors
/// [`Error`], with the line and the column of what cannot be used.
pub fn read(file: &str, text: &str) -> Result<Campaigns, Error> {
    let table = Table::parse(file, text)?;
    let names = table.texts("name")?;
    let families = table.texts("curve")?;
    if let Some(row) = families.iter().position(|family| !CURVES.contains(&family.as_str())) {
        let reason = format!("must be one of {}, got `{}`", CURVES.join(", "), families[row]);
        return Err(table.error(Some(table.lines[row]), Some("curve"), reason));
    }
    let families: Vec<&str> = families.iter().map(String::as_str).collect();
    let texts_of = |column| table.position(column).map(|_| table.optional_texts(column));
    let (platforms, groups) = (texts_of("platform"), texts_of("group"));

    let parameters = table.columns(&PARAMETERS)?;
    let parameters: Vec<(&str, &[f64])> =
        parameters.iter().map(|(name, values)| (*name, values.as_slice())).collect();
    let located = |error| table.locate(&names, error);
    let curves = ResponseCurves::from_columns(&families, &parameters).map_err(located)?;
    let mut problem = Problem::new(curves).names(names.clone()).map_err(located)?;

    let mut current = false;
    for (column, values) in table.columns(&LIMITS)? {
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
    let Table { file, lines, .. } = table;
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

/// The cells, before they mean anything.
struct Table {
    file: String,
    header: Vec<String>,
    rows: Vec<Vec<String>>,
    lines: Vec<u64>,
}

impl Table {
    fn parse(file: &str, text: &str) -> Result<Self, Error> {
        let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(text.as_bytes());
        let unreadable = |error: csv::Error| {
            let line = error.position().map(csv::Position::line);
            let reason = match error.kind() {
                csv::ErrorKind::UnequalLengths { expected_len, len, .. } => {
                    format!("must have {expected_len} cells like the header, got {len}")
                }
                _ => error.to_string(),
            };
            Error { file: file.into(), line, column: None, reason }
        };
        let header: Vec<String> =
            reader.headers().map_err(unreadable)?.iter().map(str::to_lowercase).collect();
        let mut table = Self { file: file.into(), header, rows: Vec::new(), lines: Vec::new() };
        table.check_header()?;
        for record in reader.records() {
            let record = record.map_err(unreadable)?;
            // A spreadsheet may leave rows of commas at the end.
            if record.iter().all(str::is_empty) {
                continue;
            }
            table.lines.push(record.position().map_or(0, csv::Position::line));
            table.rows.push(record.iter().map(String::from).collect());
        }
        if table.rows.is_empty() {
            return Err(table.error(None, None, "must have a row for every campaign, got none"));
        }
        Ok(table)
    }

    fn check_header(&self) -> Result<(), Error> {
        let known = || TEXTS.iter().chain(&PARAMETERS).chain(&LIMITS);
        for (at, column) in self.header.iter().enumerate() {
            if !known().any(|name| name == column) {
                let names = known().copied().collect::<Vec<_>>().join(", ");
                return Err(self.error(Some(1), Some(column), format!("must be one of {names}")));
            }
            if self.header[..at].contains(column) {
                return Err(self.error(Some(1), Some(column), "must stand once, got it twice"));
            }
        }
        for column in ["name", "curve"] {
            if self.position(column).is_none() {
                return Err(self.error(Some(1), Some(column), "must be there, got no such column"));
            }
        }
        Ok(())
    }

    fn position(&self, column: &str) -> Option<usize> {
        self.header.iter().position(|name| name == column)
    }

    fn optional_texts(&self, column: &str) -> Vec<String> {
        let at = self.position(column);
        self.rows.iter().map(|row| at.map_or_else(String::new, |at| row[at].clone())).collect()
    }

    fn texts(&self, column: &str) -> Result<Vec<String>, Error> {
        let texts = self.optional_texts(column);
        match texts.iter().position(String::is_empty) {
            Some(row) => {
                Err(self.error(Some(self.lines[row]), Some(column), "must be given, got an empty cell"))
            }
            None => Ok(texts),
        }
    }

    /// The columns of numbers that the table has; NaN where a cell is empty.
    fn columns(&self, names: &[&'static str]) -> Result<Vec<(&'static str, Vec<f64>)>, Error> {
        let present = names.iter().filter_map(|&name| Some((name, self.position(name)?)));
        present.map(|(name, at)| Ok((name, self.numbers(name, at)?))).collect()
    }

    fn numbers(&self, column: &str, at: usize) -> Result<Vec<f64>, Error> {
        let number = |(row, line): (&Vec<String>, &u64)| match row[at].as_str() {
            "" => Ok(f64::NAN),
            cell => cell.parse().ok().filter(|x: &f64| x.is_finite()).ok_or_else(|| {
                self.error(Some(*line), Some(column), format!("must be a number like 1250.5, got `{cell}`"))
            }),
        };
        self.rows.iter().zip(&self.lines).map(number).collect()
    }

    fn error(&self, line: Option<u64>, column: Option<&str>, reason: impl Into<String>) -> Error {
        Error { file: self.file.clone(), line, column: column.map(String::from), reason: reason.into() }
    }

    fn locate(&self, names: &[String], error: adflow_core::Error) -> Error {
        locate(&self.file, &self.lines, names, error)
    }
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
