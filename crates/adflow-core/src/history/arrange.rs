//! From the rows of a table, in any order, to a complete history.

use std::collections::BTreeMap;

use super::History;
use crate::day::Day;
use crate::error::{Error, Result};

/// The rows of a table as columns: one row is one group in one period.
///
/// # Examples
/// ```
/// use adflow_core::{Day, History, HistoryRows};
///
/// let dates = ["2026-01-12", "2026-01-05", "2026-01-19"].map(|day| Day::parse(day).unwrap());
/// let mut rows = HistoryRows::new(["search"], &[3.0, 1.0, 2.0], &[30.0, 10.0, 20.0]);
/// rows.dates = Some(dates.to_vec());
/// assert_eq!(History::from_rows(&rows)?.outcome(), [10.0, 30.0, 20.0]);
/// # Ok::<(), adflow_core::Error>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq)]
pub struct HistoryRows {
    /// The channels' names.
    pub channels: Vec<String>,
    /// Spends (money), a row of channels per row of the table.
    pub spend: Vec<f64>,
    /// Outcome per row; NaN where it was not observed, if `missing_outcomes` allows it.
    pub outcome: Vec<f64>,
    /// Whether NaN stands for an outcome that was not observed.
    pub missing_outcomes: bool,
    /// The first day of each row's period; rows come in order of time where there are no dates.
    pub dates: Option<Vec<Day>>,
    /// Each row's group.
    pub groups: Option<Vec<String>>,
    /// A channel's name and its units per row.
    pub exposures: Vec<(String, Vec<f64>)>,
    /// A control's name and its number per row.
    pub controls: Vec<(String, Vec<f64>)>,
    /// A holiday's name and its share per row.
    pub holidays: Vec<(String, Vec<f64>)>,
    /// People in each row's group.
    pub population: Option<Vec<f64>>,
}

impl HistoryRows {
    /// Rows with spends and outcomes alone.
    #[must_use]
    pub fn new(
        channels: impl IntoIterator<Item = impl Into<String>>,
        spend: &[f64],
        outcome: &[f64],
    ) -> Self {
        Self {
            channels: channels.into_iter().map(Into::into).collect(),
            spend: spend.to_vec(),
            outcome: outcome.to_vec(),
            ..Self::default()
        }
    }
}

impl History {
    /// Puts rows in order: groups as they first appear, periods by date.
    ///
    /// # Errors
    /// As [`new`](Self::new) and the methods that add columns; [`Error::OutOfDomain`] for a group and date that stand twice, a
    /// period that some group lacks, dates that are not evenly spaced (the first missing one is named), or a population that
    /// changes.
    pub fn from_rows(rows: &HistoryRows) -> Result<Self> {
        let count = rows.outcome.len();
        if count == 0 {
            return Err(Error::Empty { field: "outcome".into() });
        }
        let columns = rows.channels.len();
        let length = |field: String, expected: usize, actual: usize| {
            if expected == actual { Ok(()) } else { Err(Error::LengthMismatch { field, expected, actual }) }
        };
        length("spend".into(), count * columns, rows.spend.len())?;
        if let Some(dates) = &rows.dates {
            length("dates".into(), count, dates.len())?;
        }
        if let Some(groups) = &rows.groups {
            length("groups".into(), count, groups.len())?;
        }
        if let Some(population) = &rows.population {
            length("population".into(), count, population.len())?;
        }
        for (field, list) in
            [("exposures", &rows.exposures), ("controls", &rows.controls), ("holidays", &rows.holidays)]
        {
            for (name, values) in list {
                length(format!("{field}[{name}]"), count, values.len())?;
            }
        }
        let order = order(rows)?;
        let sorted = |values: &[f64]| -> Vec<f64> { order.rows.iter().map(|&row| values[row]).collect() };
        let spend: Vec<f64> = order
            .rows
            .iter()
            .flat_map(|&row| &rows.spend[row * columns..(row + 1) * columns])
            .copied()
            .collect();
        let outcome = sorted(&rows.outcome);
        let seen: Vec<f64> = if rows.missing_outcomes {
            outcome.iter().map(|&value| if value.is_nan() { 0.0 } else { value }).collect()
        } else {
            outcome.clone()
        };
        let mut history = Self::panel(rows.channels.clone(), order.groups.clone(), &spend, &seen)?;
        if rows.missing_outcomes {
            history = history.with_missing_outcomes(&outcome)?;
        }
        if let Some((first, days)) = order.calendar {
            history = history.starting(first, days)?;
        }
        for (name, values) in &rows.exposures {
            history = history.with_exposures(name, &sorted(values))?;
        }
        for (name, values) in &rows.controls {
            history = history.with_control(name, &sorted(values))?;
        }
        for (name, values) in &rows.holidays {
            history = history.with_holiday(name, &sorted(values))?;
        }
        if let Some(population) = &rows.population {
            let sorted = sorted(population);
            let groups: Vec<&[f64]> = sorted.chunks(history.periods).collect();
            for (group, values) in groups.iter().enumerate() {
                if let Some(&other) = values.iter().find(|value| value.to_bits() != values[0].to_bits()) {
                    let field = format!("population[{}]", history.groups[group]);
                    return Err(Error::out_of_domain(field, "the same in every period", other));
                }
            }
            let population: Vec<f64> = groups.iter().map(|values| values[0]).collect();
            history = history.with_population(&population)?;
        }
        Ok(history)
    }
}

/// Where each row belongs.
struct Order {
    groups: Vec<String>,
    /// Rows of the table, group by group and period by period.
    rows: Vec<usize>,
    calendar: Option<(Day, u32)>,
}

fn order(rows: &HistoryRows) -> Result<Order> {
    let count = rows.outcome.len();
    let mut groups: Vec<String> = Vec::new();
    let mut number: BTreeMap<&str, usize> = BTreeMap::new();
    let group_of: Vec<usize> = match &rows.groups {
        None => {
            groups.push("all".into());
            vec![0; count]
        }
        Some(names) => names
            .iter()
            .map(|name| {
                *number.entry(name).or_insert_with(|| {
                    groups.push(name.clone());
                    groups.len() - 1
                })
            })
            .collect(),
    };
    let mut members: Vec<Vec<usize>> = vec![Vec::new(); groups.len()];
    group_of.iter().enumerate().for_each(|(row, &group)| members[group].push(row));
    let Some(dates) = &rows.dates else {
        if let Some(group) = members.iter().position(|own| own.len() != members[0].len()) {
            return Err(Error::LengthMismatch {
                field: format!("outcome of group {:?}", groups[group]),
                expected: members[0].len(),
                actual: members[group].len(),
            });
        }
        return Ok(Order { groups, rows: members.concat(), calendar: None });
    };
    for (own, name) in members.iter_mut().zip(&groups) {
        own.sort_by_key(|&row| dates[row]);
        if let Some(pair) = own.windows(2).find(|pair| dates[pair[0]] == dates[pair[1]]) {
            let expected = format!("one row per date in group {name:?}");
            return Err(Error::out_of_domain(format!("dates[{}]", pair[1]), expected, dates[pair[1]]));
        }
    }
    let mut days: Vec<Day> = dates.clone();
    days.sort_unstable();
    days.dedup();
    let step = days.windows(2).map(|pair| pair[1].days_since(pair[0])).min().unwrap_or(7);
    if let Some(pair) = days.windows(2).find(|pair| pair[1].days_since(pair[0]) != step) {
        let expected = format!("every {step} days: {} is missing", pair[0].plus(step)?);
        return Err(Error::out_of_domain("dates", expected, format!("{} then {}", pair[0], pair[1])));
    }
    for (own, name) in members.iter().zip(&groups) {
        if own.len() != days.len() {
            let missing =
                days.iter().enumerate().find(|&(at, &day)| own.get(at).is_none_or(|&row| dates[row] != day));
            let missing = missing.map_or_else(String::new, |(_, day)| day.to_string());
            let expected = format!("complete in group {name:?}: {missing} is missing");
            return Err(Error::out_of_domain("dates", expected, format!("{} of {}", own.len(), days.len())));
        }
    }
    let step =
        u32::try_from(step).map_err(|_| Error::out_of_domain("dates", "at most 366 days apart", step))?;
    Ok(Order { groups, rows: members.concat(), calendar: Some((days[0], step)) })
}
