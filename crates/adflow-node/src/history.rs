//! Histories: what was spent, and what came of it, as columns of rows in any order.

use adflow_core::{self as core, Day, HistoryRows as Rows};
use indexmap::IndexMap;
use napi::bindgen_prelude::{Either4, Float64Array, FromNapiValue, Unknown};
use napi::{JsDate, JsValue, ValueType};
use napi_derive::napi;

use crate::input::{Numbers, Options, numbers, read_as};
use crate::{Error, Result};

/// Spends of several rows: a row of channels after the other, a list of rows, or a column per channel.
#[napi]
pub type Spends = Either4<Float64Array, Vec<f64>, Vec<Numbers>, IndexMap<String, Numbers>>;

/// What was spent, and what came of it. One row is one group in one period; rows may come in any order where they have dates.
///
/// A history is complete: every group has every period, and periods follow each other without holes.
#[napi(object, object_to_js = false)]
pub struct History<'env> {
    /// The channels' names. Where spends come as a column per channel, those are the default.
    pub channels: Option<Vec<String>>,
    /// Spends (money), 0 or more: `row * channels + channel`, a list of rows, or a column per channel.
    #[napi(ts_type = "Numbers | Array<Numbers> | Record<string, Numbers>")]
    pub spend: Spends,
    /// Outcome per row.
    pub outcome: Numbers,
    /// Whether NaN stands for an outcome that was not observed; default false: it is an error.
    pub missing_outcomes: Option<bool>,
    /// First day of each row's period, as `'2026-11-23'` or a `Date` (its day in UTC); without dates rows stand in order of time.
    #[napi(ts_type = "Array<string | Date>")]
    pub dates: Option<Vec<Unknown<'env>>>,
    /// Each row's group (a geo, a brand); default one.
    pub groups: Option<Vec<String>>,
    /// Units in which channels reach people (impressions, clicks), per row, by the channel's name.
    #[napi(ts_type = "Record<string, Numbers>")]
    pub exposures: Option<IndexMap<String, Numbers>>,
    /// Columns that move the outcome beside the channels (price, weather), per row.
    #[napi(ts_type = "Record<string, Numbers>")]
    pub controls: Option<IndexMap<String, Numbers>>,
    /// Holidays, events, promotions: 0 where they were not, 1 (or a share of the period) where they were, per row.
    #[napi(ts_type = "Record<string, Numbers>")]
    pub holidays: Option<IndexMap<String, Numbers>>,
    /// People in each row's group.
    pub population: Option<Numbers>,
}

impl Options for History<'_> {
    const KEYS: &'static [&'static str] = &[
        "channels",
        "spend",
        "outcome",
        "missingOutcomes",
        "dates",
        "groups",
        "exposures",
        "controls",
        "holidays",
        "population",
    ];
}

/// Periods to come: the spends that are planned, and what else is known. As a history without outcomes.
#[napi(object, object_to_js = false)]
pub struct Future<'env> {
    /// The channels' names; default those of the history, in its order.
    pub channels: Option<Vec<String>>,
    /// Spends (money), 0 or more: `row * channels + channel`, a list of rows, or a column per channel.
    #[napi(ts_type = "Numbers | Array<Numbers> | Record<string, Numbers>")]
    pub spend: Spends,
    /// First day of each row's period; they must follow those of the history.
    #[napi(ts_type = "Array<string | Date>")]
    pub dates: Option<Vec<Unknown<'env>>>,
    /// Each row's group.
    pub groups: Option<Vec<String>>,
    /// Units that channels will buy; default as many per money as in the history.
    #[napi(ts_type = "Record<string, Numbers>")]
    pub exposures: Option<IndexMap<String, Numbers>>,
    /// All controls of the history.
    #[napi(ts_type = "Record<string, Numbers>")]
    pub controls: Option<IndexMap<String, Numbers>>,
    /// All holidays of the history.
    #[napi(ts_type = "Record<string, Numbers>")]
    pub holidays: Option<IndexMap<String, Numbers>>,
}

impl Options for Future<'_> {
    const KEYS: &'static [&'static str] =
        &["channels", "spend", "dates", "groups", "exposures", "controls", "holidays"];
}

/// Reads a history.
pub(crate) fn history(given: Unknown<'_>) -> Result<core::History> {
    let given: History<'_> = read_as("history", given)?;
    let outcome = numbers(&given.outcome).to_vec();
    let (channels, spend) = spends(given.spend, given.channels, None, Some(outcome.len()))?;
    let rows = Rows {
        channels,
        spend,
        outcome,
        missing_outcomes: given.missing_outcomes.unwrap_or(false),
        dates: given.dates.map(days).transpose()?,
        groups: given.groups,
        exposures: columns(given.exposures),
        controls: columns(given.controls),
        holidays: columns(given.holidays),
        population: given.population.map(|population| numbers(&population).to_vec()),
    };
    core::History::from_rows(&rows).map_err(Error::of_options)
}

/// Reads periods to come after a history.
pub(crate) fn future(given: Unknown<'_>, history: &core::History) -> Result<core::History> {
    let given: Future<'_> = read_as("future", given)?;
    let (channels, spend) = spends(given.spend, given.channels, Some(history.channels()), None)?;
    let rows = Rows {
        outcome: vec![0.0; spend.len() / channels.len().max(1)], // nobody looks at it
        channels,
        spend,
        dates: given.dates.map(days).transpose()?,
        groups: given.groups,
        exposures: columns(given.exposures),
        controls: columns(given.controls),
        holidays: columns(given.holidays),
        ..Rows::default()
    };
    core::History::from_rows(&rows).map_err(Error::of_options)
}

/// The channels' names and their spends, row after row.
fn spends(
    given: Spends,
    channels: Option<Vec<String>>,
    known: Option<&[String]>,
    rows: Option<usize>,
) -> Result<(Vec<String>, Vec<f64>)> {
    let named = || {
        let channels = channels.clone().or_else(|| known.map(<[String]>::to_vec));
        channels.ok_or_else(|| core::Error::Empty { field: "channels".into() })
    };
    match given {
        Either4::A(array) => Ok((named()?, array.to_vec())),
        Either4::B(list) => Ok((named()?, list)),
        Either4::C(rows) => {
            let channels = named()?;
            for (row, spends) in rows.iter().enumerate() {
                same_length(|| format!("spend[{row}]"), channels.len(), numbers(spends).len())?;
            }
            Ok((channels, rows.iter().flat_map(numbers).copied().collect()))
        }
        Either4::D(columns) => {
            let channels = named().unwrap_or_else(|_| columns.keys().cloned().collect());
            let malformed = |name: &str, reason: &str| core::Error::Malformed {
                path: format!("spend[{name}]"),
                reason: reason.into(),
            };
            if let Some(other) = columns.keys().find(|name| !channels.contains(name)) {
                return Err(
                    malformed(other, &format!("is none of the channels {}", channels.join(", "))).into()
                );
            }
            let column =
                |name: &String| columns.get(name).map(numbers).ok_or_else(|| malformed(name, "is missing"));
            let columns = channels.iter().map(column).collect::<core::Result<Vec<&[f64]>>>()?;
            let rows = rows.unwrap_or_else(|| columns.first().map_or(0, |column| column.len()));
            for (name, column) in channels.iter().zip(&columns) {
                same_length(|| format!("spend[{name}]"), rows, column.len())?;
            }
            let spend = (0..rows).flat_map(|row| columns.iter().map(move |column| column[row])).collect();
            Ok((channels, spend))
        }
    }
}

fn same_length(field: impl FnOnce() -> String, expected: usize, actual: usize) -> core::Result<()> {
    if expected == actual {
        Ok(())
    } else {
        Err(core::Error::LengthMismatch { field: field(), expected, actual })
    }
}

fn columns(given: Option<IndexMap<String, Numbers>>) -> Vec<(String, Vec<f64>)> {
    given.unwrap_or_default().into_iter().map(|(name, values)| (name, numbers(&values).to_vec())).collect()
}

fn days(given: Vec<Unknown<'_>>) -> Result<Vec<Day>> {
    given.into_iter().enumerate().map(|(at, day)| self::day(at, day)).collect()
}

fn day(at: usize, given: Unknown<'_>) -> Result<Day> {
    const MILLISECONDS: f64 = 86_400_000.0;
    let wrong = || core::Error::Malformed {
        path: format!("dates[{at}]"),
        reason: "expected a day like '2026-11-23' or a valid Date".into(),
    };
    if given.is_date().map_err(|_| wrong())? {
        let date = JsDate::from_unknown(given).map_err(|_| wrong())?;
        let days = (date.value_of().map_err(|_| wrong())? / MILLISECONDS).floor();
        if !days.is_finite() {
            return Err(wrong().into());
        }
        #[allow(clippy::cast_possible_truncation, reason = "a date is within 10⁸ days of 1970")]
        return Ok(Day::from_days_since_1970(days as i64)?);
    }
    if given.get_type().map_err(|_| wrong())? != ValueType::String {
        return Err(wrong().into());
    }
    let text = String::from_unknown(given).map_err(|_| wrong())?;
    Ok(Day::parse(&text).map_err(|_| wrong())?)
}

/// A history as columns, group by group and period by period: what `fit` takes.
#[napi(object, object_from_js = false)]
pub struct HistoryRows {
    /// The channels' names.
    pub channels: Vec<String>,
    /// Spends (money), `row * channels + channel`.
    pub spend: Float64Array,
    /// Outcome per row; NaN where it was not observed.
    pub outcome: Float64Array,
    /// Whether NaN stands for an outcome that was not observed.
    pub missing_outcomes: bool,
    /// First day of each row's period, where known.
    pub dates: Option<Vec<String>>,
    /// Each row's group.
    pub groups: Vec<String>,
    /// Units per row, of the channels that have some.
    #[napi(ts_type = "Record<string, Float64Array>")]
    pub exposures: IndexMap<String, Float64Array>,
    /// Controls per row.
    #[napi(ts_type = "Record<string, Float64Array>")]
    pub controls: IndexMap<String, Float64Array>,
    /// Holidays per row.
    #[napi(ts_type = "Record<string, Float64Array>")]
    pub holidays: IndexMap<String, Float64Array>,
    /// People in each row's group, where known.
    pub population: Option<Float64Array>,
}

impl From<&core::History> for HistoryRows {
    fn from(history: &core::History) -> Self {
        let periods = history.periods();
        let repeated = |values: &[f64]| -> Float64Array {
            values.iter().flat_map(|&value| std::iter::repeat_n(value, periods)).collect::<Vec<_>>().into()
        };
        let column = |name: &str| {
            (name.to_owned(), Float64Array::from(history.column(name).unwrap_or_default().to_vec()))
        };
        let days: Option<Vec<String>> =
            (0..periods).map(|period| Some(history.day(period)?.to_string())).collect();
        let units = |(i, name): (usize, &String)| {
            Some((name.clone(), Float64Array::from(history.exposures(i)?.to_vec())))
        };
        let groups = history.groups().iter();
        Self {
            channels: history.channels().to_vec(),
            spend: history.spend().to_vec().into(),
            outcome: history.outcome().to_vec().into(),
            missing_outcomes: history.outcome().iter().any(|value| value.is_nan()),
            dates: days.map(|days| vec![days; history.groups().len()].concat()),
            groups: groups.flat_map(|name| std::iter::repeat_n(name.clone(), periods)).collect(),
            exposures: history.channels().iter().enumerate().filter_map(units).collect(),
            controls: history.controls().map(column).collect(),
            holidays: history.holidays().map(column).collect(),
            population: history.population().map(repeated),
        }
    }
}
