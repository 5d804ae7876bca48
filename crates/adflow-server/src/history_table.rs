//! A table of what was spent and what came of it, as CSV, becomes a history.

use adflow_core::{Day, FittedModel, History, HistoryRows};
use clap::Args;

use crate::cells::{Cells, Error};

/// How columns are found, as `adflow fit --help` tells it.
pub const HELP: &str = "\
A CSV has one row per period, or one per period and group, in any order. Where the options do not name its columns:
  --outcome      a column named outcome, revenue, sales, conversions or y
  --time         a column named date, week, day or time, with days like 2026-11-23; `--time none` takes rows as they come
  --group        a column named geo or group
  --channels     the columns named tv_spend, spend_tv or tv_S: the channel is `tv` then
  --holidays     the columns whose names start with holiday, promo or event
  --controls     the columns named control_price or price_control: the control is `price` then
  --population   a column named population
An empty cell of the outcome is an outcome that was not observed; every other cell must be given.

`adflow fit --example` prints a history that works.";

const HEADING: &str = "Columns of the history";
const OUTCOMES: [&str; 5] = ["outcome", "revenue", "sales", "conversions", "y"];
const TIMES: [&str; 4] = ["date", "week", "day", "time"];
const GROUPS: [&str; 2] = ["geo", "group"];
const HOLIDAYS: [&str; 3] = ["holiday", "promo", "event"];

/// Which column of a history is what.
#[derive(Debug, Clone, Default, Args)]
pub struct Columns {
    /// What spends are to explain.
    #[arg(long, value_name = "COLUMN", help_heading = HEADING)]
    outcome: Option<String>,
    /// First day of each period; `none` where rows come in order of time.
    #[arg(long, value_name = "COLUMN", help_heading = HEADING)]
    time: Option<String>,
    /// Geo or brand of each row, where there are several.
    #[arg(long, value_name = "COLUMN", help_heading = HEADING)]
    group: Option<String>,
    /// Spend of each channel (money).
    #[arg(long, value_name = "COLUMN,…", value_delimiter = ',', help_heading = HEADING)]
    channels: Vec<String>,
    /// Units that a channel's spend bought: impressions, clicks, rating points.
    #[arg(long, value_name = "CHANNEL=COLUMN,…", value_delimiter = ',', help_heading = HEADING, value_parser = pair)]
    exposures: Vec<(String, String)>,
    /// What else moves the outcome: price, competitors, weather.
    #[arg(long, value_name = "COLUMN,…", value_delimiter = ',', help_heading = HEADING)]
    controls: Vec<String>,
    /// Holidays, events and promotions: 0 where there was none, 1 or a share of the period where there was.
    #[arg(long, value_name = "COLUMN,…", value_delimiter = ',', help_heading = HEADING)]
    holidays: Vec<String>,
    /// People in each row's group: spends compare per head then.
    #[arg(long, value_name = "COLUMN", help_heading = HEADING)]
    population: Option<String>,
}

/// `tv=tv_impressions`.
fn pair(argument: &str) -> Result<(String, String), String> {
    match argument.split_once('=') {
        Some((channel, column)) if !channel.trim().is_empty() && !column.trim().is_empty() => {
            Ok((channel.trim().into(), column.trim().into()))
        }
        _ => Err(format!("must be a channel and a column like tv=tv_impressions, got `{argument}`")),
    }
}

/// A history that was read.
#[derive(Debug, Clone)]
pub struct HistoryTable {
    /// The history.
    pub history: History,
    /// The outcome's column.
    pub outcome: String,
    /// Columns that nothing was made of.
    pub unused: Vec<String>,
    file: String,
}

/// Why a history could not be read: an option names what is not there, or the file holds what is no history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// The option.
    Option(String),
    /// The file.
    File(Error),
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        Self::File(error)
    }
}

/// Reads a history; `file` is what errors call it. For a refit the columns of the model's channels, controls and holidays
/// are taken where the options name none.
///
/// # Errors
/// [`Refusal`], with the option, or the line and the column of what cannot be used.
pub fn read(
    file: &str,
    text: &str,
    columns: &Columns,
    refit: Option<&FittedModel>,
) -> Result<HistoryTable, Refusal> {
    let cells = Cells::parse(file, text)?;
    for (at, name) in cells.header.iter().enumerate() {
        if !name.is_empty() && cells.header[..at].contains(name) {
            return Err(cells.error(Some(1), Some(name), "must stand once, got it twice").into());
        }
    }
    if cells.rows.is_empty() {
        return Err(cells.error(None, None, "must have a row for every period, got none").into());
    }
    let found = Found::new(&cells, columns, refit)?;
    let mut rows = HistoryRows {
        channels: found.channels.iter().map(|&at| channel(&cells.header[at]).to_string()).collect(),
        outcome: cells.numbers(found.outcome)?,
        missing_outcomes: true,
        ..HistoryRows::default()
    };
    if let Some(row) = rows.outcome.iter().position(|value| value.abs() > 1e60) {
        return Err(cells.at(row, &cells.header[found.outcome], "must be at most 1e60").into());
    }
    let spends = found.channels.iter().map(|&at| amounts(&cells, at)).collect::<Result<Vec<_>, _>>()?;
    rows.spend = (0..cells.rows.len()).flat_map(|row| spends.iter().map(move |spend| spend[row])).collect();
    if let Some(at) = found.time {
        rows.dates = Some(days(&cells, at)?);
    }
    if let Some(at) = found.group {
        rows.groups = Some(cells.texts(&cells.header[at])?);
    }
    for &(i, at) in &found.exposures {
        rows.exposures.push((rows.channels[i].clone(), amounts(&cells, at)?));
    }
    for &at in &found.holidays {
        rows.holidays.push((cells.header[at].clone(), given(&cells, at)?));
    }
    for &at in &found.controls {
        rows.controls.push((control(&cells.header[at]).to_string(), given(&cells, at)?));
    }
    if let Some(at) = found.population {
        rows.population = Some(amounts(&cells, at)?);
    }
    let history = History::from_rows(&rows).map_err(|error| found.locate(&cells, error))?;
    let used = found.all();
    let unused = cells.header.iter().enumerate().filter(|(at, name)| !name.is_empty() && !used.contains(at));
    Ok(HistoryTable {
        history,
        outcome: cells.header[found.outcome].clone(),
        unused: unused.map(|(_, name)| name.clone()).collect(),
        file: file.into(),
    })
}

impl HistoryTable {
    /// An error of the engine, in the file.
    #[must_use]
    pub fn locate(&self, error: &adflow_core::Error) -> Error {
        Error { file: self.file.clone(), line: None, column: None, reason: error.to_string() }
    }
}

/// The channel that a column of spends belongs to.
fn channel(column: &str) -> &str {
    let stripped = column
        .strip_suffix("_spend")
        .or_else(|| column.strip_prefix("spend_"))
        .or_else(|| column.strip_suffix("_S"));
    stripped.filter(|name| !name.is_empty()).unwrap_or(column)
}

/// The control that a column holds.
fn control(column: &str) -> &str {
    let stripped = column.strip_prefix("control_").or_else(|| column.strip_suffix("_control"));
    stripped.filter(|name| !name.is_empty()).unwrap_or(column)
}

/// A column without empty cells.
fn given(cells: &Cells, at: usize) -> Result<Vec<f64>, Error> {
    let values = cells.numbers(at)?;
    match values.iter().position(|value| value.is_nan()) {
        Some(row) => Err(cells.at(row, &cells.header[at], "must be given, got an empty cell")),
        None => Ok(values),
    }
}

/// Money or units.
fn amounts(cells: &Cells, at: usize) -> Result<Vec<f64>, Error> {
    let values = given(cells, at)?;
    match values.iter().position(|value| !(0.0..=1e60).contains(value)) {
        Some(row) => {
            let reason = format!("must be from 0 to 1e60, got {}", values[row]);
            Err(cells.at(row, &cells.header[at], reason))
        }
        None => Ok(values),
    }
}

fn days(cells: &Cells, at: usize) -> Result<Vec<Day>, Error> {
    let day = |(row, cells_of_row): (usize, &Vec<String>)| {
        let text = &cells_of_row[at];
        let reason = || format!("must be a day like 2026-11-23, got `{text}`");
        Day::parse(text).map_err(|_| cells.at(row, &cells.header[at], reason()))
    };
    cells.rows.iter().enumerate().map(day).collect()
}

/// Where everything stands.
struct Found {
    outcome: usize,
    time: Option<usize>,
    group: Option<usize>,
    channels: Vec<usize>,
    /// (channel, column)
    exposures: Vec<(usize, usize)>,
    controls: Vec<usize>,
    holidays: Vec<usize>,
    population: Option<usize>,
}

impl Found {
    fn new(cells: &Cells, columns: &Columns, refit: Option<&FittedModel>) -> Result<Self, Refusal> {
        let finder = Finder { cells };
        let outcome = match &columns.outcome {
            Some(name) => finder.named("--outcome", name)?,
            None => finder.first_of(&OUTCOMES).ok_or_else(|| {
                finder.missing("--outcome", format!("no column is named {}", OUTCOMES.join(", ")))
            })?,
        };
        let time = match columns.time.as_deref() {
            Some("none") => None,
            Some(name) => Some(finder.named("--time", name)?),
            None => finder.first_of(&TIMES),
        };
        let group = match &columns.group {
            Some(name) => Some(finder.named("--group", name)?),
            None => finder.first_of(&GROUPS),
        };
        let population = match &columns.population {
            Some(name) => Some(finder.named("--population", name)?),
            None => finder.first_of(&["population"]).filter(|_| group.is_some()),
        };
        // Those of the options, those of the model, or those whose names say so.
        let list = |flag: &str,
                    asked: &[String],
                    of_model: &dyn Fn(&FittedModel) -> Vec<String>,
                    short: fn(&str) -> &str,
                    says_so: &dyn Fn(usize, &str) -> bool| {
            let names = if asked.is_empty() { refit.map(of_model) } else { Some(asked.to_vec()) };
            match names {
                Some(names) => names.iter().map(|name| finder.called(flag, name, short)).collect(),
                None => Ok(cells
                    .header
                    .iter()
                    .enumerate()
                    .filter(|(at, name)| *at != outcome && says_so(*at, name))
                    .map(|(at, _)| at)
                    .collect()),
            }
        };
        let channels: Vec<usize> = list(
            "--channels",
            &columns.channels,
            &|model| model.history().channels().to_vec(),
            channel,
            &|_, name| channel(name) != name,
        )?;
        if channels.is_empty() {
            let reason = "no column is named like tv_spend, spend_tv or tv_S".into();
            return Err(finder.missing("--channels", reason));
        }
        // A column of words says nothing that a model could take.
        let numbers = |at: usize| cells.numbers(at).is_ok_and(|values| values.iter().all(|x| !x.is_nan()));
        let starts = |name: &str| HOLIDAYS.iter().any(|start| name.to_lowercase().starts_with(start));
        let holidays = list(
            "--holidays",
            &columns.holidays,
            &|model| model.history().holidays().map(String::from).collect(),
            |name| name,
            &|at, name| {
                starts(name)
                    && !channels.contains(&at)
                    && !columns.controls.iter().any(|own| own == name)
                    && numbers(at)
            },
        )?;
        let controls = list(
            "--controls",
            &columns.controls,
            &|model| model.history().controls().map(String::from).collect(),
            control,
            &|at, name| {
                control(name) != name && !channels.contains(&at) && !holidays.contains(&at) && numbers(at)
            },
        )?;
        let exposures = columns
            .exposures
            .iter()
            .map(|(name, column)| {
                let own = |&at: &usize| channel(&cells.header[at]) == name || cells.header[at] == *name;
                let i = channels.iter().position(own).ok_or_else(|| {
                    let names: Vec<&str> = channels.iter().map(|&at| channel(&cells.header[at])).collect();
                    Refusal::Option(format!(
                        "--exposures: no channel is named `{name}`; there are {}",
                        names.join(", ")
                    ))
                })?;
                Ok((i, finder.named("--exposures", column)?))
            })
            .collect::<Result<_, Refusal>>()?;
        let found = Self { outcome, time, group, channels, exposures, controls, holidays, population };
        found.check_once(cells)?;
        Ok(found)
    }

    fn all(&self) -> Vec<usize> {
        let single = [Some(self.outcome), self.time, self.group, self.population];
        let lists = self.channels.iter().chain(&self.controls).chain(&self.holidays).copied();
        let units = self.exposures.iter().map(|&(_, at)| at);
        single.into_iter().flatten().chain(lists).chain(units).collect()
    }

    /// No column is two things.
    fn check_once(&self, cells: &Cells) -> Result<(), Refusal> {
        let all = self.all();
        match all.iter().enumerate().find(|(at, column)| all[..*at].contains(column)) {
            Some((_, &column)) => {
                let name = &cells.header[column];
                Err(Refusal::Option(format!(
                    "the column `{name}` is asked for twice: it can be one thing only"
                )))
            }
            None => Ok(()),
        }
    }

    /// An error of the engine, at its place in the file.
    fn locate(&self, cells: &Cells, error: adflow_core::Error) -> Error {
        use adflow_core::Error as Core;
        let plain = |error: Core| cells.error(None, None, error.to_string());
        let (field, reason) = match &error {
            Core::OutOfDomain { field, expected, value } => {
                (field, format!("must be {expected}, got {value}"))
            }
            _ => return plain(error),
        };
        let (name, row) = match field.split_once('[') {
            Some((name, rest)) => (name, rest.trim_end_matches(']').parse::<usize>().ok()),
            None => (field.as_str(), None),
        };
        let Some(at) = self.time.filter(|_| name == "dates") else { return plain(error) };
        let line = row.and_then(|row| cells.lines.get(row)).copied();
        let hint = if row.is_some() && self.group.is_none() {
            "; where there are several groups, --group names their column"
        } else if row.is_none() && reason.starts_with("must be every 2") {
            // Months and quarters differ in length.
            "; `--time none` takes the rows as they come"
        } else {
            ""
        };
        cells.error(line, Some(&cells.header[at]), reason + hint)
    }
}

struct Finder<'a> {
    cells: &'a Cells,
}

impl Finder<'_> {
    /// The column of this name, in any case where none has just this.
    fn named(&self, flag: &str, name: &str) -> Result<usize, Refusal> {
        let same = |other: &String| other.eq_ignore_ascii_case(name);
        let at = self.cells.position(name).or_else(|| self.cells.header.iter().position(same));
        at.ok_or_else(|| self.missing(flag, format!("no column is named `{name}`")))
    }

    /// The column of this name, or the one that is called so for short.
    fn called(&self, flag: &str, name: &str, short: fn(&str) -> &str) -> Result<usize, Refusal> {
        let for_short = self.cells.header.iter().position(|column| short(column) == name);
        match self.cells.position(name).or(for_short) {
            Some(at) => Ok(at),
            None => self.named(flag, name),
        }
    }

    fn first_of(&self, names: &[&str]) -> Option<usize> {
        let named = |name: &&str| self.cells.header.iter().position(|other| other.eq_ignore_ascii_case(name));
        names.iter().find_map(named)
    }

    fn missing(&self, flag: &str, reason: String) -> Refusal {
        let columns: Vec<&str> =
            self.cells.header.iter().map(String::as_str).filter(|name| !name.is_empty()).collect();
        let file = &self.cells.file;
        Refusal::Option(format!("{flag}: {reason}; {file} has the columns {}", columns.join(", ")))
    }
}
